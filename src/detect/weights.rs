//! The trained weights: a versioned file that turns features and rules into probabilities.
//!
//! A line of JSON says what the file is; the table follows it, a signed byte per
//! feature and output. Without a table the rules judge alone.

use serde::{Deserialize, Serialize};

use super::aspects::{self, ASPECTS, Aspect, Aspects};
use super::features::Feature;
use super::lexicon::{Scores, VOICES, short_digest};
use crate::domain::intent::{FollowUpKind, Intent};

/// The outputs on intents, in the order of [`Intent::ALL`].
pub(super) const INTENTS: usize = Intent::ALL.len();
/// The outputs on follow-ups: none, then the kinds in their order.
pub(super) const FOLLOW_UPS: usize = FollowUpKind::ALL.len() + 1;

const FORMAT: u32 = 1;
const BUNDLED: &[u8] = include_bytes!("../../config/detect.weights");

/// A weights file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the weights cannot be used: {0}")]
pub struct BadWeights(pub(super) String);

/// The first line of a weights file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// The version of the file's form.
    pub(super) format: u32,
    /// How many messages it was trained on.
    pub(super) messages: usize,
    /// The seed of the training's order.
    pub(super) seed: u64,
    /// The table of intents.
    pub(super) intents: Shape,
    /// The table of follow-ups.
    pub(super) follow_ups: Shape,
    /// The table of what is judged about entities.
    pub(super) aspects: Shape,
    /// How often a guess of this probability was right on messages not trained on, rising.
    pub(super) calibration: Vec<(f32, f32)>,
    /// How many digests of messages follow the tables.
    pub(super) digests: usize,
}

/// What a table's bytes mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    /// The table has two to this power of rows.
    pub(super) bits: u32,
    /// What each step of an output's bytes is worth.
    pub(super) scales: Vec<f32>,
    /// What each output starts with.
    pub(super) bias: Vec<f32>,
    /// What each output takes from each voice of the rules.
    pub(super) rules: Vec<Scores>,
}

impl Shape {
    fn empty(outputs: usize) -> Self {
        let (scales, bias) = (vec![0.0; outputs], vec![0.0; outputs]);
        Self { bits: 0, scales, bias, rules: vec![[0.0; VOICES]; outputs] }
    }
}

/// A row of bytes for each of many features.
pub(super) type Table<const N: usize> = Vec<[i8; N]>;

/// Trained weights, ready for use.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub(super) header: Header,
    pub(super) intents: Table<INTENTS>,
    pub(super) follow_ups: Table<FOLLOW_UPS>,
    pub(super) aspects: Table<ASPECTS>,
    /// Short digests of the messages it was trained on, sorted, so that nobody measures on them.
    pub(super) trained_on: Vec<u32>,
}

impl Weights {
    /// The weights that the crate brings along.
    pub(super) fn bundled() -> Self {
        Self::read(BUNDLED).expect("the bundled weights are good: a test reads them")
    }

    /// No weights: the rules judge alone.
    pub(super) fn none() -> Self {
        let (mut intents, mut follow_ups) = (Shape::empty(INTENTS), Shape::empty(FOLLOW_UPS));
        for (voice, rules) in intents.rules.iter_mut().enumerate() {
            rules[voice] = 1.0;
        }
        for (kind, rules) in follow_ups.rules[1..].iter_mut().enumerate() {
            rules[INTENTS + kind] = 1.0;
        }
        // A follow-up needs more evidence than a word.
        follow_ups.bias[0] = 1.5;
        let header = Header {
            format: FORMAT,
            messages: 0,
            seed: 0,
            intents,
            follow_ups,
            aspects: Shape::empty(ASPECTS),
            calibration: Vec::new(),
            digests: 0,
        };
        let (intents, follow_ups) = (vec![[0; INTENTS]], vec![[0; FOLLOW_UPS]]);
        let aspects = vec![[0; ASPECTS]];
        Self { header, intents, follow_ups, aspects, trained_on: Vec::new() }
    }

    /// Whether nothing was learnt, so that the rules and readers judge alone.
    pub(super) fn is_none(&self) -> bool {
        self.header.messages == 0
    }

    /// Reads a weights file.
    ///
    /// # Errors
    /// [`BadWeights`] when it is no weights file, of another format, or cut short.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadWeights> {
        let bad = |why: String| BadWeights(why);
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(|| bad("it has no first line of JSON".to_owned()))?;
        let header: Header = serde_json::from_slice(&bytes[..end])
            .map_err(|error| bad(format!("its first line: {error}")))?;
        if header.format != FORMAT {
            return Err(bad(format!("its format is {}, not {FORMAT}", header.format)));
        }
        let body = &bytes[end + 1..];
        let (intents, rest) = table(body, &header.intents)?;
        let (follow_ups, rest) = table(rest, &header.follow_ups)?;
        let (aspects, rest) = table(rest, &header.aspects)?;
        let (digests, odd) = rest.as_chunks::<4>();
        if digests.len() != header.digests || !odd.is_empty() {
            let wanted = header.digests;
            return Err(bad(format!(
                "{} bytes follow its tables, not {wanted} digests",
                rest.len()
            )));
        }
        let trained_on = digests.iter().map(|digest| u32::from_le_bytes(*digest)).collect();
        Ok(Self { header, intents, follow_ups, aspects, trained_on })
    }

    /// The file's bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.header).expect("numbers and lists serialize");
        bytes.push(b'\n');
        bytes.extend(self.intents.iter().flatten().map(|weight| *weight as u8));
        bytes.extend(self.follow_ups.iter().flatten().map(|weight| *weight as u8));
        bytes.extend(self.aspects.iter().flatten().map(|weight| *weight as u8));
        bytes.extend(self.trained_on.iter().flat_map(|digest| digest.to_le_bytes()));
        bytes
    }

    /// How likely each intent is.
    pub(super) fn intents(&self, scores: &Scores, groups: &[&[Feature]]) -> [f32; INTENTS] {
        let mut logits = judge(&self.intents, &self.header.intents, scores, groups, 0);
        softmax_of(&mut logits);
        logits
    }

    /// How likely it is that the message is no follow-up, and one of each kind.
    pub(super) fn follow_ups(&self, scores: &Scores, groups: &[&[Feature]]) -> [f32; FOLLOW_UPS] {
        let mut logits = judge(&self.follow_ups, &self.header.follow_ups, scores, groups, 0);
        softmax_of(&mut logits);
        logits
    }

    /// What is said of the entities of this intent.
    pub(super) fn aspects(
        &self,
        scores: &Scores,
        groups: &[&[Feature]],
        intent: Intent,
    ) -> Aspects {
        const TASK: usize = Aspect::Assignee.size() + Aspect::Action.size();
        const EXPENSE: usize = Aspect::Payer.size() + Aspect::Category.size();
        const QUERY: usize = Aspect::Topic.size();
        let (table, shape) = (&self.aspects, &self.header.aspects);
        let mut logits = [0.0; ASPECTS];
        let places = aspects::judged(intent);
        let (first, own) = (places.start, &mut logits[places]);
        match intent {
            Intent::TaskCreation => {
                own.copy_from_slice(&judge::<ASPECTS, TASK>(table, shape, scores, groups, first));
            }
            Intent::ExpenseEntry => {
                own.copy_from_slice(&judge::<ASPECTS, EXPENSE>(
                    table, shape, scores, groups, first,
                ));
            }
            Intent::Query => {
                own.copy_from_slice(&judge::<ASPECTS, QUERY>(table, shape, scores, groups, first));
            }
            Intent::PollCreation | Intent::None => {}
        }
        Aspects(logits)
    }
}

/// How often a guess of this probability is right, by a rising line through what was seen; without a line, as often as it says.
pub fn on_line(knots: &[(f32, f32)], probability: f32) -> f32 {
    let after = knots.partition_point(|(at, _)| *at < probability);
    match (after.checked_sub(1).map(|at| knots[at]), knots.get(after)) {
        (None, None) => probability,
        (None, Some((_, first))) => *first,
        (Some((_, last)), None) => last,
        (Some((from, low)), Some((to, high))) => {
            low + (high - low) * (probability - from) / (to - from).max(f32::EPSILON)
        }
    }
}

/// The digest by which weights know a message again, however it is cased.
pub(super) fn digest_of(message: &str) -> u32 {
    short_digest(&message.trim().to_lowercase())
}

/// A table of this shape, and the bytes that follow it.
fn table<'b, const N: usize>(
    bytes: &'b [u8],
    shape: &Shape,
) -> Result<(Table<N>, &'b [u8]), BadWeights> {
    let rows = 1usize
        .checked_shl(shape.bits)
        .filter(|_| shape.bits <= 24)
        .ok_or_else(|| BadWeights(format!("{} bits are too many", shape.bits)))?;
    if [shape.scales.len(), shape.bias.len(), shape.rules.len()] != [N; 3] {
        let found = shape.scales.len();
        return Err(BadWeights(format!("a table of it has {found} outputs, not {N}")));
    }
    let (body, rest) = bytes
        .split_at_checked(rows * N)
        .ok_or_else(|| BadWeights(format!("{} bytes are too few", bytes.len())))?;
    let (rows, _) = body.as_chunks::<N>();
    Ok((rows.iter().map(|row| row.map(|byte| byte as i8)).collect(), rest))
}

/// What rules and features say for some outputs of a table, from the first of them on.
fn judge<'f, const N: usize, const SOME: usize>(
    table: &Table<N>,
    shape: &Shape,
    scores: &Scores,
    groups: &[&'f [Feature]],
    first: usize,
) -> [f32; SOME] {
    let mut sums = [0.0f32; SOME];
    if shape.bits > 0 {
        // Features of a group weigh the same, so whole numbers are added up first.
        let runs = |group: &'f [Feature]| group.chunk_by(|one, other| one.value == other.value);
        for run in groups.iter().copied().flat_map(runs) {
            let mut votes = [0i32; SOME];
            for feature in run {
                let weights = table[row(feature.hash, shape.bits)][first..].first_chunk::<SOME>();
                for (sum, weight) in votes.iter_mut().zip(weights.into_iter().flatten()) {
                    *sum += i32::from(*weight);
                }
            }
            for (sum, votes) in sums.iter_mut().zip(votes) {
                *sum += votes as f32 * run[0].value;
            }
        }
    }
    std::array::from_fn(|place| {
        let at = first + place;
        let rules = shape.rules[at].iter().zip(scores).map(|(weight, score)| weight * score);
        shape.bias[at] + sums[place] * shape.scales[at] + rules.sum::<f32>()
    })
}

/// The row of the table that a hash falls into.
pub(super) fn row(hash: u32, bits: u32) -> usize {
    (u64::from(hash) >> (32 - bits)) as usize
}

/// Turns evidence into probabilities.
pub(super) fn softmax_of(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let mut sum = 0.0;
    for logit in &mut *logits {
        *logit = (*logit - most).exp();
        sum += *logit;
    }
    for it in logits {
        *it /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_weights_can_be_read_and_written_back() {
        assert_eq!(Weights::bundled().write(), BUNDLED);
    }

    #[test]
    fn a_file_of_another_kind_format_or_length_is_refused_with_the_reason() {
        let good = Weights::none().write();
        let other = String::from_utf8_lossy(&good).replacen("\"format\":1", "\"format\":9", 1);
        for (bytes, named) in [
            (b"hello".to_vec(), "first line"),
            (b"{}\n".to_vec(), "missing field"),
            (other.into_bytes(), "format is 9"),
            (good[..good.len() - 1].to_vec(), "too few"),
        ] {
            let error = Weights::read(&bytes).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn confidence_lies_on_the_line_of_what_was_right() {
        assert!((on_line(&[], 0.7) - 0.7).abs() < 1e-6);
        let line = [(0.4, 0.5), (0.8, 0.7)];
        for (said, is) in [(0.1, 0.5), (0.4, 0.5), (0.6, 0.6), (0.8, 0.7), (1.0, 0.7)] {
            assert!((on_line(&line, said) - is).abs() < 1e-6, "{said}");
        }
    }
}
