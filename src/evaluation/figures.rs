//! The figures of an evaluation: how often detection is right, and how often it is when it says so.

use std::time::Duration;

use serde::Serialize;

use super::entities;
use super::labelled::Labelled;
use crate::domain::intent::{Detection, FollowUpKind, Intent};

/// What detection said of a labelled message.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What it said.
    pub detection: Detection,
    /// How long it took.
    pub took: Duration,
}

impl Judged {
    /// Whether the intent is the labelled one.
    pub fn is_right(&self, row: &Labelled) -> bool {
        self.detection.intent() == row.intent
    }
}

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Rate {
    /// How many were right.
    pub right: usize,
    /// How many there were.
    pub all: usize,
    /// Their share, 0 to 1; 0 of none.
    pub share: f64,
}

impl Rate {
    /// The rate of `right` among `all`.
    pub fn of(right: usize, all: usize) -> Self {
        Self { right, all, share: if all == 0 { 0.0 } else { right as f64 / all as f64 } }
    }

    /// The rate of the true ones.
    pub fn count(outcomes: impl Iterator<Item = bool>) -> Self {
        let (mut right, mut all) = (0, 0);
        for outcome in outcomes {
            right += usize::from(outcome);
            all += 1;
        }
        Self::of(right, all)
    }
}

/// How well one intent, or one kind of follow-up, is found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IntentFigures {
    /// Its name.
    pub name: &'static str,
    /// Of those found, how many are right.
    pub precision: Rate,
    /// Of those there, how many were found.
    pub recall: Rate,
    /// Their harmonic mean.
    pub f1: f64,
}

/// How often detections of about this confidence are right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The least confidence of the band; it ends where the next begins.
    pub from: f32,
    /// The mean of what was said.
    pub said: f64,
    /// How often it was right.
    pub was: Rate,
}

/// Time a message, in microseconds, on one thread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Micros {
    /// The median.
    pub p50: f64,
    /// The 99th of a hundred.
    pub p99: f64,
}

/// All figures of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// How many messages were judged.
    pub messages: usize,
    /// How often the intent is right.
    pub accuracy: Rate,
    /// The mean of the intents' F1.
    pub macro_f1: f64,
    /// How often the intent is right on the most confident three quarters.
    pub most_confident_75: Rate,
    /// Each intent's figures.
    pub intents: Vec<IntentFigures>,
    /// A row an intent as labelled, a column an intent as found, both in the order of `intents`.
    pub confusion: [[usize; 5]; 5],
    /// Bands of confidence.
    pub calibration: Vec<Calibration>,
    /// From this confidence on a detection counts as sure.
    pub threshold: f32,
    /// How many are sure.
    pub coverage: Rate,
    /// How often the sure ones are right.
    pub accuracy_over_threshold: Rate,
    /// Of the messages labelled `none`, how many are surely taken for something else.
    pub false_alarms: Rate,
    /// Each kind of follow-up, over the messages whose follow-up is labelled.
    pub follow_ups: Vec<IntentFigures>,
    /// How often each entity is as labelled, over messages whose intent was found.
    pub entities: Vec<(&'static str, Rate)>,
    /// The time that detection took.
    pub micros: Micros,
}

impl Figures {
    /// The figures of what was said of these messages.
    pub fn of(rows: &[Labelled], judged: &[Judged], threshold: f32) -> Self {
        let right = |at: usize| judged[at].is_right(&rows[at]);
        let sure = |at: usize| judged[at].detection.confidence >= threshold;
        let everything = 0..rows.len();
        let mut by_confidence: Vec<usize> = everything.clone().collect();
        by_confidence.sort_by(|one, other| {
            let of = |at: usize| judged[at].detection.confidence;
            of(*other).total_cmp(&of(*one))
        });
        let most = &by_confidence[..rows.len() * 3 / 4];
        let none = |at: &usize| rows[*at].intent == Intent::None;
        let alarm = |at: usize| sure(at) && judged[at].detection.intent() != Intent::None;
        let intents = intents(rows, judged);
        Self {
            messages: rows.len(),
            accuracy: Rate::count(everything.clone().map(right)),
            macro_f1: intents.iter().map(|it| it.f1).sum::<f64>() / intents.len() as f64,
            most_confident_75: Rate::count(most.iter().map(|at| right(*at))),
            intents,
            confusion: confusion(rows, judged),
            calibration: calibration(rows, judged),
            threshold,
            coverage: Rate::count(everything.clone().map(sure)),
            accuracy_over_threshold: Rate::count(
                everything.clone().filter(|at| sure(*at)).map(right),
            ),
            false_alarms: Rate::count(everything.filter(none).map(alarm)),
            follow_ups: follow_ups(rows, judged),
            entities: entities::rates(rows, judged),
            micros: micros(judged),
        }
    }
}

fn found(name: &'static str, pairs: impl Iterator<Item = (bool, bool)>) -> IntentFigures {
    let (mut there, mut said, mut both) = (0, 0, 0);
    for (labelled, found) in pairs {
        there += usize::from(labelled);
        said += usize::from(found);
        both += usize::from(labelled && found);
    }
    let f1 = if there + said == 0 { 0.0 } else { 2.0 * both as f64 / (there + said) as f64 };
    IntentFigures { name, precision: Rate::of(both, said), recall: Rate::of(both, there), f1 }
}

fn intents(rows: &[Labelled], judged: &[Judged]) -> Vec<IntentFigures> {
    let of = |intent: Intent| {
        let pairs = rows.iter().zip(judged);
        let pairs = pairs.map(|(row, it)| (row.intent == intent, it.detection.intent() == intent));
        found(intent.name(), pairs)
    };
    Intent::ALL.map(of).to_vec()
}

fn follow_ups(rows: &[Labelled], judged: &[Judged]) -> Vec<IntentFigures> {
    let of = |kind: FollowUpKind| {
        let pairs = rows.iter().zip(judged).filter_map(|(row, it)| {
            let said = it.detection.follow_up.as_ref().map(|follow_up| follow_up.kind);
            Some((row.follow_up? == Some(kind), said == Some(kind)))
        });
        found(kind.name(), pairs)
    };
    FollowUpKind::ALL.map(of).to_vec()
}

fn confusion(rows: &[Labelled], judged: &[Judged]) -> [[usize; 5]; 5] {
    let mut table = [[0; 5]; 5];
    for (row, it) in rows.iter().zip(judged) {
        table[row.intent.place()][it.detection.intent().place()] += 1;
    }
    table
}

fn calibration(rows: &[Labelled], judged: &[Judged]) -> Vec<Calibration> {
    const BANDS: [f32; 7] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
    let band = |from: f32, to: f32| {
        let inside: Vec<(f32, bool)> = rows
            .iter()
            .zip(judged)
            .map(|(row, it)| (it.detection.confidence, it.is_right(row)))
            .filter(|(confidence, _)| (from..to).contains(confidence))
            .collect();
        let sum: f64 = inside.iter().map(|(confidence, _)| f64::from(*confidence)).sum();
        Calibration {
            from,
            said: sum / inside.len().max(1) as f64,
            was: Rate::count(inside.iter().map(|(_, right)| *right)),
        }
    };
    let ends = BANDS[1..].iter().copied().chain([f32::INFINITY]);
    BANDS.iter().zip(ends).map(|(from, to)| band(*from, to)).collect()
}

fn micros(judged: &[Judged]) -> Micros {
    let mut took: Vec<Duration> = judged.iter().map(|it| it.took).collect();
    took.sort_unstable();
    // Nearest rank.
    let at = |share: f64| {
        let rank = (share * took.len() as f64).ceil() as usize;
        took.get(rank.saturating_sub(1)).map_or(0.0, |it| it.as_nanos() as f64 / 1e3)
    };
    Micros { p50: at(0.50), p99: at(0.99) }
}
