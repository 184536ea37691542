//! `gleaner train`: weights for detection from labelled messages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use crate::detect::Detector;
use crate::evaluation::{Labelled, read_labelled, train};
use crate::settings::DetectSettings;

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// Labelled messages: JSON Lines with text, intent and entities; event lines open conversations.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where the weights go; `detect.weights` in the settings names them to the daemon.
    #[arg(long, default_value = "detect.weights", value_name = "FILE")]
    out: PathBuf,
    /// The order of training follows from it: the same seed and files give the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rules instead of the bundled ones, in the form of config/intents.toml.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

pub(super) fn run(args: &TrainArgs, settings: &DetectSettings) -> anyhow::Result<ExitCode> {
    let (rows, clean) = read(&args.files)?;
    anyhow::ensure!(!rows.is_empty(), "there is no labelled message to learn from");
    let rules = args.rules.as_deref().or(settings.rules.as_deref());
    let untrained = Detector::untrained(rules)?;
    let detector = train(untrained, &rows, args.seed);
    let bytes = detector.weights_file();
    // Whole or not at all: a daemon that starts now must not read half a file.
    let draft = args.out.with_added_extension("part");
    std::fs::write(&draft, &bytes).with_context(|| draft.display().to_string())?;
    std::fs::rename(&draft, &args.out).with_context(|| args.out.display().to_string())?;
    eprintln!(
        "gleaner: learnt from {} messages; {} has {} bytes",
        rows.len(),
        args.out.display(),
        bytes.len()
    );
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The labelled messages of these files, and whether every line was good; the others are named.
pub(super) fn read(files: &[PathBuf]) -> anyhow::Result<(Vec<Labelled>, bool)> {
    let (rows, broken) = read_labelled(files)?;
    for line in &broken {
        eprintln!("gleaner: {line}");
    }
    Ok((rows, broken.is_empty()))
}
