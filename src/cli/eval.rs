//! `gleaner eval`: how often detection is right, on messages that it did not learn from.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::render::figures::{self, Method};
use super::train::read;
use crate::detect::Detector;
use crate::evaluation::{Figures, Labelled, cross_validate, measure};

/// Rules of one's own.
#[derive(Debug, Args)]
pub(super) struct Rules {
    /// Rules instead of the bundled ones, in the form of config/intents.toml.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

impl Rules {
    /// The detector with these rules.
    pub(super) fn detector(&self, detector: Detector) -> anyhow::Result<Detector> {
        let Some(path) = &self.rules else { return Ok(detector) };
        let source = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        detector.with_rules(&source).with_context(|| path.display().to_string())
    }
}

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Labelled messages or chats: JSON Lines with text, intent and entities.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// More labelled messages to learn from, and not to measure on, when cross-validating.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    with: Vec<PathBuf>,
    /// Cross-validate even what the weights were not trained on.
    #[arg(long)]
    cross: bool,
    /// Judge by the rules alone, without weights: the baseline.
    #[arg(long, conflicts_with_all = ["cross", "with", "weights"])]
    rules_only: bool,
    /// Weights instead of the bundled ones, as `gleaner train` writes them.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    knowledge: Rules,
    /// From this confidence on a detection counts as sure; as the settings say when absent.
    #[arg(long)]
    threshold: Option<f32>,
    /// The folds and the order of training follow from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &EvalArgs, threshold: f32) -> anyhow::Result<ExitCode> {
    let (rows, clean) = read(&args.files)?;
    anyhow::ensure!(!rows.is_empty(), "there is no labelled message to measure on");
    let detector = args.knowledge.detector(detector(args)?)?;
    let (judged, method) = if args.rules_only {
        (measure(&detector.by_rules_alone(), &rows), Method::RulesAlone)
    } else if args.cross || !args.with.is_empty() || learnt(&detector, &rows) {
        let (more, _) = read(&args.with)?;
        let more = without(more, &rows);
        (cross_validate(&detector.by_rules_alone(), &rows, &more, args.seed), Method::Crossed)
    } else {
        (measure(&detector, &rows), Method::AsShipped)
    };
    let figures = Figures::of(&rows, &judged, args.threshold.unwrap_or(threshold));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures::json(&figures, method)?)?);
    } else {
        print!("{}", figures::text(&figures, method));
    }
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn detector(args: &EvalArgs) -> anyhow::Result<Detector> {
    let Some(path) = &args.weights else { return Ok(Detector::new()) };
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    Detector::new().with_weights(&bytes).with_context(|| path.display().to_string())
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
