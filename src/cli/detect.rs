//! `gleaner detect`: what each message is for, without a model, a line each.

use std::io::{BufRead, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::detect::{Detector, Subject};
use crate::domain::chat::Event;
use crate::ingest::{self, IngestError};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct DetectArgs {
    /// JSON Lines with id and text, and where known sender and sent_at; `-` reads standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
}

pub(super) fn run(args: &DetectArgs) -> anyhow::Result<ExitCode> {
    let settings = crate::settings::load(None, &[])?;
    let input: Box<dyn Read> = match args.file.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(
            std::fs::File::open(&args.file).with_context(|| args.file.display().to_string())?,
        ),
    };
    let lines = std::io::BufReader::new(input).split(b'\n');
    let mut out = BufWriter::new(std::io::stdout().lock());
    let detector = Detector::new();
    let mut conversation: Option<Event> = None;
    let mut broken = 0u32;
    for (number, line) in (1..).zip(lines) {
        let line = line.with_context(|| format!("line {number}"))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match read(number, &line, &mut conversation) {
            Ok(None) => {}
            Ok(Some(message)) => {
                let said = detected(&detector, &settings, &message, conversation.as_ref());
                writeln!(out, "{said}")?;
            }
            Err(why) => {
                broken += 1;
                eprintln!("gleaner: line {number}: {why:#}");
            }
        }
    }
    out.flush()?;
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A message line; an event line opens a conversation and yields nothing.
fn read(
    number: usize,
    line: &[u8],
    conversation: &mut Option<Event>,
) -> anyhow::Result<Option<Value>> {
    let value: Value = serde_json::from_slice(line).context("not JSON")?;
    if value.get("event").is_some() {
        *conversation = match ingest::event_of_header(number, line) {
            Ok(event) => Some(event),
            // The caller says which line it is.
            Err(IngestError::BadHeader { why, .. }) => anyhow::bail!(why),
            Err(other) => return Err(other.into()),
        };
        return Ok(None);
    }
    for field in ["id", "text"] {
        anyhow::ensure!(value[field].is_string(), "{field} is missing or no string");
    }
    Ok(Some(value))
}

fn detected(
    detector: &Detector,
    settings: &Settings,
    message: &Value,
    event: Option<&Event>,
) -> Value {
    let subject = Subject {
        text: message["text"].as_str().unwrap_or_default(),
        sender: message["sender"].as_str(),
        sent_at: message["sent_at"].as_str().and_then(|at| at.parse().ok()),
        event,
    };
    let detection = detector.detect(&subject);
    json!({
        "id": message["id"],
        "intent": detection.intent(),
        "confidence": (f64::from(detection.confidence) * 1000.0).round() / 1000.0,
        "over_threshold": detection.confidence >= settings.detect.threshold,
        "entities": detection.entities,
        "follow_up": detection.follow_up,
    })
}
