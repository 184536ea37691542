//! `gleaner eval`: how often detection is right, on messages that it did not learn from.
//! `--outcomes` is another command in the same clothes: see `outcomes.rs`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::knowledge::Knowledge;
use super::render::figures::{self, Method};
use super::train::read;
use crate::detect::Detector;
use crate::evaluation::{Figures, Labelled, cross_validate, measure};
use crate::settings::DetectSettings;

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Labelled messages or chats: JSON Lines with text, intent and entities.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    /// More labelled messages to learn from, and not to measure on, when cross-validating.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    with: Vec<PathBuf>,
    /// Cross-validate even what the weights were not trained on.
    #[arg(long)]
    cross: bool,
    /// Judge by the rules alone, without weights: the baseline.
    #[arg(long, conflicts_with_all = ["cross", "with"])]
    rules_only: bool,
    /// Run whole chats through the pipeline, offline and on a file that is removed afterwards, and
    /// hold what came of them against NAME.truth.json beside each.
    #[arg(long, conflicts_with_all = ["cross", "with", "rules_only", "threshold"])]
    pub(super) outcomes: bool,
    #[command(flatten)]
    pub(super) knowledge: Knowledge,
    /// From this confidence on a detection counts as sure; as the settings say when absent.
    #[arg(long)]
    threshold: Option<f32>,
    /// The folds and the order of training follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &EvalArgs, settings: &DetectSettings) -> anyhow::Result<ExitCode> {
    let (rows, clean) = read(&args.files)?;
    anyhow::ensure!(!rows.is_empty(), "there is no labelled message to measure on");
    let detector = args.knowledge.detector(settings)?;
    let (judged, method) = if args.rules_only {
        (measure(&detector.by_rules_alone(), &rows), Method::RulesAlone)
    } else if args.cross || !args.with.is_empty() || learnt(&detector, &rows) {
        let (more, _) = read(&args.with)?;
        let more = without(more, &rows);
        (cross_validate(&detector.by_rules_alone(), &rows, &more, args.seed), Method::Crossed)
    } else {
        (measure(&detector, &rows), Method::AsShipped)
    };
    let figures = Figures::of(&rows, &judged, args.threshold.unwrap_or(settings.threshold));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures::json(&figures, method)?)?);
    } else {
        print!("{}", figures::text(&figures, method));
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the weights know so many of these messages that they would be judged on what they learnt.
/// Short ones ("ok", "lol") turn up everywhere.
fn learnt(detector: &Detector, rows: &[Labelled]) -> bool {
    let known = rows.iter().filter(|row| row.text.len() > 12 && detector.learnt_from(&row.text));
    known.count() * 100 > rows.len()
}

/// What may be learnt from beside the messages that are measured on: none of those.
fn without(more: Vec<Labelled>, rows: &[Labelled]) -> Vec<Labelled> {
    let measured: std::collections::HashSet<&str> =
        rows.iter().map(|row| row.text.as_str()).filter(|text| text.len() > 12).collect();
    more.into_iter().filter(|row| !measured.contains(row.text.as_str())).collect()
}
