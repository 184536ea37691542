//! Training: from labelled messages to weights, the same for the same seed.

use std::ops::Range;

use super::aspects::ASPECTS;
use super::features::{Feature, Features};
use super::lexicon::{Scores, VOICES};
use super::weights::{FOLLOW_UPS, INTENTS, Shape, Table, Weights, row, softmax_of};

/// The table of intents has two to this power of rows: most of what is learnt is there.
const INTENT_BITS: u32 = 16;
/// The table of follow-ups.
const FOLLOW_UP_BITS: u32 = 14;
/// The table of what is judged about entities.
const ASPECT_BITS: u32 = 12;
const ROUNDS: usize = 12;
const RATE: f32 = 0.35;
/// How hard weights are drawn towards zero.
const DECAY: f32 = 2e-5;
/// How much less the rules' shares move than weights do.
const RULES_RATE: f32 = 0.005;
/// What an output takes from its own rules before training.
const RULES_SHARE: f32 = 0.1;

/// A right output, and the places among which it is one.
pub(super) type Target = (Range<usize>, usize);

/// A labelled message, ready to learn from.
#[derive(Debug, Clone)]
pub struct Sample {
    /// A short digest of the text.
    pub(super) text: u32,
    pub(super) features: Features,
    /// The readers' guesses about the entities.
    pub(super) guessed: Vec<Feature>,
    pub(super) scores: Scores,
    /// The right output on the intent.
    pub(super) intent: [Target; 1],
    /// The right output on the follow-up, where it is labelled.
    pub(super) follow_up: Option<Target>,
    /// The right outputs on the entities.
    pub(super) aspects: Vec<Target>,
}

/// What one table learns from a sample.
struct Lesson<'s> {
    features: [&'s [Feature]; 2],
    scores: &'s Scores,
    targets: &'s [Target],
}

impl Sample {
    fn for_intents(&self) -> Lesson<'_> {
        let features = [&self.features.own[..], &self.features.context];
        Lesson { features, scores: &self.scores, targets: &self.intent }
    }

    fn for_follow_ups(&self) -> Lesson<'_> {
        Lesson { targets: self.follow_up.as_slice(), ..self.for_intents() }
    }

    fn for_aspects(&self) -> Lesson<'_> {
        let features = [&self.features.own[..], &self.guessed];
        Lesson { features, scores: &self.scores, targets: &self.aspects }
    }
}

/// A table while it is trained.
struct Learner<const N: usize> {
    bits: u32,
    table: Vec<[f32; N]>,
    /// The sums of the squared steps, by which each weight's next step shrinks.
    moved: Vec<[f32; N]>,
    bias: [f32; N],
    rules: [Scores; N],
}

/// Trains weights; their confidence is not calibrated yet.
pub(super) fn train(samples: &[&Sample], seed: u64) -> Weights {
    let mut weights = Weights::none();
    let lessons = |of: fn(&Sample) -> Lesson<'_>| {
        samples.iter().map(|it| of(it)).filter(|it| !it.targets.is_empty()).collect::<Vec<_>>()
    };
    let mut intents = Learner::<INTENTS>::new(INTENT_BITS, &weights.header.intents);
    intents.learn(&lessons(Sample::for_intents), seed);
    let mut follow_ups = Learner::<FOLLOW_UPS>::new(FOLLOW_UP_BITS, &weights.header.follow_ups);
    follow_ups.learn(&lessons(Sample::for_follow_ups), seed);
    let mut aspects = Learner::<ASPECTS>::new(ASPECT_BITS, &weights.header.aspects);
    aspects.learn(&lessons(Sample::for_aspects), seed);
    let mut trained_on: Vec<u32> = samples.iter().map(|sample| sample.text).collect();
    trained_on.sort_unstable();
    trained_on.dedup();
    weights.header.messages = samples.len();
    weights.header.seed = seed;
    weights.header.digests = trained_on.len();
    weights.trained_on = trained_on;
    (weights.header.intents, weights.intents) = intents.finish();
    (weights.header.follow_ups, weights.follow_ups) = follow_ups.finish();
    (weights.header.aspects, weights.aspects) = aspects.finish();
    weights
}

impl<const N: usize> Learner<N> {
    /// A learner that starts with a share of what the rules alone say.
    fn new(bits: u32, untrained: &Shape) -> Self {
        let (table, moved) = (vec![[0.0; N]; 1 << bits], vec![[1e-2; N]; 1 << bits]);
        let rules = std::array::from_fn(|at| untrained.rules[at].map(|it| it * RULES_SHARE));
        Self { bits, table, moved, bias: [0.0; N], rules }
    }

    fn learn(&mut self, lessons: &[Lesson<'_>], seed: u64) {
        let mut order: Vec<usize> = (0..lessons.len()).collect();
        let mut random = seed;
        for round in 0..ROUNDS {
            shuffle(&mut order, &mut random);
            let rate = RATE * (1.0 - round as f32 / ROUNDS as f32);
            for at in &order {
                self.step(&lessons[*at], rate);
            }
        }
    }

    fn logits(&self, lesson: &Lesson<'_>) -> [f32; N] {
        let mut logits = self.bias;
        for (logit, rules) in logits.iter_mut().zip(&self.rules) {
            *logit += rules.iter().zip(lesson.scores).map(|(w, score)| w * score).sum::<f32>();
        }
        for feature in lesson.features.into_iter().flatten() {
            let weights = &self.table[row(feature.hash, self.bits)];
            for (logit, weight) in logits.iter_mut().zip(weights) {
                *logit += weight * feature.value;
            }
        }
        logits
    }

    /// Moves the weights against the error on one sample.
    fn step(&mut self, lesson: &Lesson<'_>, rate: f32) {
        let logits = self.logits(lesson);
        let mut errors = [0.0; N];
        for (places, right) in lesson.targets {
            errors[places.clone()].copy_from_slice(&logits[places.clone()]);
            softmax_of(&mut errors[places.clone()]);
            errors[*right] -= 1.0;
        }
        for feature in lesson.features.into_iter().flatten() {
            let at = row(feature.hash, self.bits);
            let (weights, moved) = (&mut self.table[at], &mut self.moved[at]);
            for output in lesson.targets.iter().flat_map(|(places, _)| places.clone()) {
                let slope = errors[output] * feature.value + DECAY * weights[output];
                moved[output] += slope * slope;
                weights[output] -= rate * slope / moved[output].sqrt();
            }
        }
        for output in lesson.targets.iter().flat_map(|(places, _)| places.clone()) {
            self.bias[output] -= rate * 0.02 * errors[output];
            for voice in 0..VOICES {
                let slope = errors[output] * lesson.scores[voice];
                self.rules[output][voice] -= rate * RULES_RATE * slope;
            }
        }
    }

    /// Each output's weights as bytes of one scale.
    fn finish(&self) -> (Shape, Table<N>) {
        let mut most = [f32::EPSILON; N];
        for row in &self.table {
            for (most, weight) in most.iter_mut().zip(row) {
                *most = most.max(weight.abs());
            }
        }
        let scales = most.map(|most| most / 127.0);
        let byte = |weight: f32, scale: f32| (weight / scale).round() as i8;
        let table = self.table.iter();
        let table = table.map(|row| std::array::from_fn(|at| byte(row[at], scales[at]))).collect();
        let (scales, bias, rules) = (scales.to_vec(), self.bias.to_vec(), self.rules.to_vec());
        let shape = Shape { bits: self.bits, scales, bias, rules };
        (shape, table)
    }
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
