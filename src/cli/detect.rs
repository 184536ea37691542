//! `gleaner detect`: what each message is for, without a model, a line each.

use std::collections::HashMap;
use std::io::{BufRead, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::knowledge::Knowledge;
use crate::detect::{Conversation, Detector, Subject};
use crate::domain::chat::Event;
use crate::ingest::{self, IngestError};
use crate::settings::DetectSettings;

#[derive(Debug, Args)]
pub(super) struct DetectArgs {
    /// JSON Lines with id and text, and where known sender and sent_at; `-` reads standard input.
    #[arg(default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    knowledge: Knowledge,
}

/// What is being read: one event's rooms, or messages that stand alone.
#[derive(Default)]
struct Reading {
    event: Option<Event>,
    rooms: HashMap<String, Conversation>,
}

pub(super) fn run(args: &DetectArgs, settings: &DetectSettings) -> anyhow::Result<ExitCode> {
    let detector = args.knowledge.detector(settings)?;
    let input: Box<dyn Read> = match args.file.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(
            std::fs::File::open(&args.file).with_context(|| args.file.display().to_string())?,
        ),
    };
    let lines = std::io::BufReader::new(input).split(b'\n');
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut reading = Reading::default();
    let mut broken = 0u32;
    for (number, line) in (1..).zip(lines) {
        let line = line.with_context(|| format!("line {number}"))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match read(number, &line, &mut reading) {
            Ok(None) => {}
            Ok(Some(message)) => {
                let said = detected(&detector, settings, &message, &mut reading);
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
fn read(number: usize, line: &[u8], reading: &mut Reading) -> anyhow::Result<Option<Value>> {
    let value: Value = serde_json::from_slice(line).context("not JSON")?;
    if value.get("event").is_some() {
        let event = match ingest::event_of_header(number, line) {
            Ok(event) => event,
            // The caller says which line it is.
            Err(IngestError::BadHeader { why, .. }) => anyhow::bail!(why),
            Err(other) => return Err(other.into()),
        };
        *reading = Reading { event: Some(event), rooms: HashMap::new() };
        return Ok(None);
    }
    for field in ["id", "text"] {
        anyhow::ensure!(value[field].is_string(), "{field} is missing or no string");
    }
    Ok(Some(value))
}

fn detected(
    detector: &Detector,
    settings: &DetectSettings,
    message: &Value,
    reading: &mut Reading,
) -> Value {
    let subject = Subject {
        text: message["text"].as_str().unwrap_or_default(),
        sender: message["sender"].as_str(),
        sent_at: message["sent_at"].as_str().and_then(|at| at.parse().ok()),
        event: reading.event.as_ref(),
    };
    let detection = match &reading.event {
        Some(_) => {
            let room = message["room"].as_str().unwrap_or_default().to_owned();
            detector.detect_next(reading.rooms.entry(room).or_default(), &subject)
        }
        None => detector.detect(&subject),
    };
    json!({
        "id": message["id"],
        "intent": detection.intent(),
        "confidence": (f64::from(detection.confidence) * 1000.0).round() / 1000.0,
        "over_threshold": detection.confidence >= settings.threshold,
        "entities": detection.entities,
        "follow_up": detection.follow_up,
    })
}
