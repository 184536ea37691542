//! Training: from labelled messages to weights, the same for the same seed.

use super::features::Feature;
use super::lexicon::{Scores, VOICES};
use super::weights::{FOLLOW_UPS, Header, Logits, OUTPUTS, Weights, heads, row};

/// The table has two to this power of rows.
const BITS: u32 = 16;
const ROUNDS: usize = 12;
const RATE: f32 = 0.35;
/// How hard weights are drawn towards zero.
const DECAY: f32 = 2e-5;
/// How much less the rules move than single words do.
const RULES_RATE: f32 = 0.005;

/// A labelled message, ready to learn from.
#[derive(Debug, Clone)]
pub struct Sample {
    /// A short digest of the text.
    pub(super) text: u32,
    pub(super) features: Vec<Feature>,
    pub(super) scores: Scores,
    /// The place of the right intent.
    pub(super) intent: usize,
    /// The place of the right output on follow-ups, 0 for none; unknown where nobody labelled it.
    pub(super) follow_up: Option<usize>,
}

/// Weights while they are trained.
struct Learner {
    bits: u32,
    table: Vec<[f32; OUTPUTS]>,
    /// The sums of the squared steps, by which each weight's next step shrinks.
    moved: Vec<[f32; OUTPUTS]>,
    bias: Logits,
    rules: [Scores; OUTPUTS],
}

/// Trains weights; their confidence is not calibrated yet.
pub(super) fn train(samples: &[&Sample], seed: u64) -> Weights {
    let mut learner = Learner {
        bits: BITS,
        table: vec![[0.0; OUTPUTS]; 1 << BITS],
        moved: vec![[1e-2; OUTPUTS]; 1 << BITS],
        bias: [0.0; OUTPUTS],
        rules: Weights::none().header.rules.map(|row| row.map(|weight| weight * 0.1)),
    };
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let mut random = seed;
    for round in 0..ROUNDS {
        shuffle(&mut order, &mut random);
        let rate = RATE * (1.0 - round as f32 / ROUNDS as f32);
        for at in &order {
            learner.step(samples[*at], rate);
        }
    }
    let mut weights = learner.finish(samples.len(), seed);
    weights.header.trained_on = samples.iter().map(|sample| sample.text).collect();
    weights.header.trained_on.sort_unstable();
    weights.header.trained_on.dedup();
    weights
}

impl Learner {
    fn logits(&self, sample: &Sample) -> Logits {
        let mut logits = self.bias;
        for (logit, rules) in logits.iter_mut().zip(&self.rules) {
            *logit += rules.iter().zip(&sample.scores).map(|(w, score)| w * score).sum::<f32>();
        }
        for feature in &sample.features {
            let weights = &self.table[row(feature.hash, self.bits)];
            for (logit, weight) in logits.iter_mut().zip(weights) {
                *logit += weight * feature.value;
            }
        }
        logits
    }

    /// Moves the weights against the error on one sample.
    fn step(&mut self, sample: &Sample, rate: f32) {
        let (intents, follow_ups) = heads(&self.logits(sample));
        let mut errors: Logits = [0.0; OUTPUTS];
        for (at, probability) in intents.iter().enumerate() {
            errors[at] = probability - f32::from(u8::from(at == sample.intent));
        }
        if let Some(right) = sample.follow_up {
            for (at, probability) in follow_ups.iter().enumerate() {
                errors[FOLLOW_UPS + at] = probability - f32::from(u8::from(at == right));
            }
        }
        for feature in &sample.features {
            let at = row(feature.hash, self.bits);
            let (weights, moved) = (&mut self.table[at], &mut self.moved[at]);
            for output in 0..OUTPUTS {
                let slope = errors[output] * feature.value + DECAY * weights[output];
                moved[output] += slope * slope;
                weights[output] -= rate * slope / moved[output].sqrt();
            }
        }
        for output in 0..OUTPUTS {
            self.bias[output] -= rate * 0.02 * errors[output];
            for voice in 0..VOICES {
                let slope = errors[output] * sample.scores[voice];
                self.rules[output][voice] -= rate * RULES_RATE * slope;
            }
        }
    }

    /// Each output's weights as bytes of one scale.
    fn finish(self, messages: usize, seed: u64) -> Weights {
        let mut most = [f32::EPSILON; OUTPUTS];
        for row in &self.table {
            for (most, weight) in most.iter_mut().zip(row) {
                *most = most.max(weight.abs());
            }
        }
        let scales = most.map(|most| most / 127.0);
        let byte = |weight: f32, scale: f32| (weight / scale).round() as i8;
        let table = self.table.iter();
        let table = table.map(|row| std::array::from_fn(|at| byte(row[at], scales[at]))).collect();
        let header = Header {
            messages,
            seed,
            scales,
            bias: self.bias,
            rules: self.rules,
            bits: self.bits,
            ..Weights::none().header
        };
        Weights { header, table }
    }
}

/// A short digest of a message's text.
pub(super) fn digest(text: &str) -> u32 {
    let bytes = *blake3::hash(text.trim().to_lowercase().as_bytes()).as_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Puts the order into another, by a generator that is the same everywhere.
fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        order.swap(at, ((mixed ^ (mixed >> 31)) % (at as u64 + 1)) as usize);
    }
}
