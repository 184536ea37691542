//! Training, and measuring by turns: each fold is judged by a detector that never saw it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::calibration;
use super::figures::Judged;
use super::labelled::Labelled;
use crate::detect::{Conversation, Detector, Sample, on_line};

/// In how many parts conversations are dealt.
const FOLDS: usize = 5;

/// Trains a detector on all of these messages, its confidence set by turns on those left out.
pub fn train(detector: Detector, rows: &[Labelled], seed: u64) -> Detector {
    let samples = samples(&detector, rows);
    let folds = deal(rows, seed);
    let guesses: Vec<(f32, bool)> = by_turns(&detector, rows, &folds, &samples, &[], seed)
        .iter()
        .zip(rows)
        .map(|(judged, row)| (judged.detection.confidence, judged.is_right(row)))
        .collect();
    let all: Vec<&Sample> = samples.iter().collect();
    detector.trained(&all, seed).calibrated(calibration::fit(&guesses))
}

/// Judges each message by a detector trained on the other folds and on `with`, which is only
/// learnt from; how sure it may be is set by the folds that it does not judge.
pub fn cross_validate(
    detector: &Detector,
    rows: &[Labelled],
    with: &[Labelled],
    seed: u64,
) -> Vec<Judged> {
    let folds = deal(rows, seed);
    let (own, more) = (samples(detector, rows), samples(detector, with));
    let mut judged = by_turns(detector, rows, &folds, &own, &more, seed);
    let guess = |at: usize| (judged[at].detection.confidence, judged[at].is_right(&rows[at]));
    let lines: Vec<Vec<(f32, f32)>> = (0..FOLDS)
        .map(|fold| {
            let others = (0..rows.len()).filter(|at| folds[*at] != fold);
            calibration::fit(&others.map(guess).collect::<Vec<_>>())
        })
        .collect();
    for (at, judged) in judged.iter_mut().enumerate() {
        let confidence = &mut judged.detection.confidence;
        *confidence = on_line(&lines[folds[at]], *confidence);
    }
    judged
}

/// Judges messages by a detector as it is.
pub fn measure(detector: &Detector, rows: &[Labelled]) -> Vec<Judged> {
    let all: Vec<usize> = (0..rows.len()).collect();
    judge(detector, rows, &all)
}

/// The fold of each message; a conversation is in one.
fn deal(rows: &[Labelled], seed: u64) -> Vec<usize> {
    // Large conversations first, each to the fold that has least.
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for row in rows {
        *sizes.entry(row.conversation).or_default() += 1;
    }
    let mut order: Vec<(usize, usize)> = sizes.into_iter().collect();
    let mixed = |conversation: usize| {
        (conversation as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    };
    order.sort_by_key(|(conversation, size)| (usize::MAX - size, mixed(*conversation)));
    let mut filled = [0; FOLDS];
    let mut fold_of = BTreeMap::new();
    for (conversation, size) in order {
        let fold = (0..FOLDS).min_by_key(|fold| filled[*fold]).unwrap_or(0);
        filled[fold] += size;
        fold_of.insert(conversation, fold);
    }
    rows.iter().map(|row| fold_of[&row.conversation]).collect()
}

/// The messages as training wants them, each conversation heard in its order.
fn samples(detector: &Detector, rows: &[Labelled]) -> Vec<Sample> {
    let mut talk = Talk::default();
    rows.iter().map(|row| detector.sample(&row.subject(), talk.of(row), row.label())).collect()
}

/// Judges each fold by a detector trained on the others; its confidence is left uncalibrated.
fn by_turns(
    detector: &Detector,
    rows: &[Labelled],
    folds: &[usize],
    own: &[Sample],
    more: &[Sample],
    seed: u64,
) -> Vec<Judged> {
    let mut judged: Vec<Option<Judged>> = vec![None; rows.len()];
    for fold in 0..FOLDS {
        let others = own.iter().zip(folds).filter(|(_, of)| **of != fold).map(|(it, _)| it);
        let known: Vec<&Sample> = others.chain(more).collect();
        let trained = detector.clone().trained(&known, seed);
        let mine: Vec<usize> = (0..rows.len()).filter(|at| folds[*at] == fold).collect();
        for (at, it) in mine.iter().zip(judge(&trained, rows, &mine)) {
            judged[*at] = Some(it);
        }
    }
    judged.into_iter().flatten().collect()
}

/// Judges the messages at these places, each with the time that it took.
fn judge(detector: &Detector, rows: &[Labelled], places: &[usize]) -> Vec<Judged> {
    let mut talk = Talk::default();
    places
        .iter()
        .map(|at| {
            let (subject, conversation) = (rows[*at].subject(), talk.of(&rows[*at]));
            let start = Instant::now();
            let detection = match conversation {
                Some(conversation) => detector.detect_next(conversation, &subject),
                None => detector.detect(&subject),
            };
            let took: Duration = start.elapsed();
            Judged { detection, took }
        })
        .collect()
}

/// The conversation that is going on.
#[derive(Default)]
struct Talk {
    number: usize,
    conversation: Conversation,
}

impl Talk {
    /// The conversation of a message; none for one that stands alone.
    fn of(&mut self, row: &Labelled) -> Option<&mut Conversation> {
        if self.number != row.conversation {
            *self = Self { number: row.conversation, conversation: Conversation::default() };
        }
        row.event.is_some().then_some(&mut self.conversation)
    }
}
