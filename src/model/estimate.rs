//! How many tokens a text is: estimated high at first, then learnt from what each model reports.
//!
//! Characters fall into classes that tokenizers treat alike, and each class has
//! a weight in tokens. A model's reports teach the weights of the classes that
//! its prompts held, so that English teaches nothing about Japanese.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::ModelRequest;
use super::regression::{FACTORS, Regression};
use crate::domain::usage::Usage;

/// The parts of a token that weights are counted in: sums are exact.
const WHOLE: u64 = 12_000;

/// Letters and blanks; other ASCII; characters of two, three and four bytes.
const CLASSES: usize = 5;

/// The place of the factor that is 1 in every prompt: the hidden text that a provider adds.
const HIDDEN: usize = CLASSES;

/// The place of the high estimate of system prompt and schema, which read otherwise than chat.
const OURS: usize = HIDDEN + 1;

/// The weights that every model starts with: English runs at about 2.4 letters a token here,
/// while tokenizers take three to four; other scripts a token a letter, emoji three.
const HIGH: [u64; CLASSES] = [5_000, 6_000, 12_000, 12_000, 36_000];

/// How far from its start a weight may well be, as a share of it, before anything is known.
const UNSURE: f64 = 0.5;

/// How much a further answer weighs in the mean length of an agent's answers.
const NEW_OUTPUT: f64 = 0.1;

/// How many hidden tokens there may well be.
const UNSURE_HIDDEN: f64 = 200.0;

/// How far the share that our own words take may well be from the share that chat takes.
const UNSURE_OURS: f64 = 0.2;

/// How many tokens a text is for one model.
///
/// A learnt weight is from half of the high one to one and a half of it: a wrong lesson at most
/// doubles what fits under a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    weights: [u64; CLASSES],
}

impl Estimate {
    /// The high estimate, which every model starts with.
    pub const HIGH: Self = Self { weights: HIGH };

    /// The tokens of a text, rounded up.
    pub fn tokens(&self, text: &str) -> u32 {
        whole(self.parts(text))
    }

    /// Parts of a token in a text; those of two texts add up to those of both joined.
    pub(crate) fn parts(&self, text: &str) -> u64 {
        text.chars().map(|c| self.weights[class_of(c)]).sum()
    }

    /// All weights by a factor.
    #[cfg(test)]
    pub(crate) fn scaled(factor: f64) -> Self {
        Self { weights: HIGH.map(|weight| (weight as f64 * factor) as u64) }
    }

    /// The weights of a regression, kept within their bounds.
    fn learnt(learnt: &[f64; FACTORS]) -> Self {
        let mut weights = HIGH;
        for (weight, learnt) in weights.iter_mut().zip(learnt) {
            let (least, most) = (*weight / 2, *weight * 3 / 2);
            *weight = ((learnt * WHOLE as f64).ceil() as u64).clamp(least, most);
        }
        Self { weights }
    }
}

/// The tokens of a text by the high estimate.
pub fn estimate(text: &str) -> u32 {
    Estimate::HIGH.tokens(text)
}

/// Whole tokens of parts, rounded up.
pub(crate) fn whole(parts: u64) -> u32 {
    u32::try_from(parts.div_ceil(WHOLE)).unwrap_or(u32::MAX)
}

/// The parts that a number of tokens holds.
pub(crate) fn parts_in(tokens: u32) -> u64 {
    u64::from(tokens) * WHOLE
}

fn class_of(c: char) -> usize {
    match c {
        'a'..='z' | 'A'..='Z' | ' ' => 0,
        c => c.len_utf8(),
    }
}

/// What was learnt of each model, by its name in the settings. It lives in this process: a new
/// one starts high again.
#[derive(Debug, Default)]
pub struct TokenEstimates {
    /// Mean output tokens by model and agent.
    outputs: Mutex<HashMap<(String, &'static str), f64>>,
    learnt: Mutex<HashMap<String, Regression>>,
}

impl TokenEstimates {
    /// How a model's context is measured; high until it has answered.
    pub fn of(&self, model: &str) -> Estimate {
        let learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        learnt.get(model).map_or(Estimate::HIGH, |learnt| Estimate::learnt(learnt.weights()))
    }

    /// The tokens that a model is expected to report for a request's prompt.
    pub fn forecast(&self, model: &str, request: &ModelRequest) -> u64 {
        let counts = counts(request);
        let learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        let start = Regression::new(start(), unsure());
        learnt.get(model).unwrap_or(&start).expected(&counts).max(1.0).ceil() as u64
    }

    /// What a request will likely use: its prompt's tokens, none of them cached, and the answer of
    /// an agent's usual length; before one is known, all that is paid for.
    pub fn expected_usage(&self, model: &str, request: &ModelRequest) -> Usage {
        let outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = outputs.get(&(model.to_owned(), request.agent)).copied();
        let output = usual.unwrap_or(f64::from(request.max_tokens)).ceil() as u64;
        drop(outputs);
        Usage { input: self.forecast(model, request), output, ..Usage::default() }
    }

    /// Learns from what a model reported for a request; a report without a prompt says nothing.
    pub fn learn(&self, model: &str, request: &ModelRequest, reported: &Usage) {
        if reported.prompt() == 0 {
            return;
        }
        self.learn_output(model, request.agent, reported.output);
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        let regression =
            learnt.entry(model.to_owned()).or_insert_with(|| Regression::new(start(), unsure()));
        regression.observe(&counts(request), reported.prompt() as f64);
    }
}

impl TokenEstimates {
    fn learn_output(&self, model: &str, agent: &'static str, tokens: u64) {
        let mut outputs = self.outputs.lock().unwrap_or_else(PoisonError::into_inner);
        let tokens = tokens as f64;
        let mean = outputs.entry((model.to_owned(), agent)).or_insert(tokens);
        *mean += (tokens - *mean) * NEW_OUTPUT;
    }
}

/// The weights in whole tokens before anything is learnt.
fn start() -> [f64; FACTORS] {
    let mut start = [0.0; FACTORS];
    for (weight, high) in start.iter_mut().zip(HIGH) {
        *weight = high as f64 / WHOLE as f64;
    }
    start
}

fn unsure() -> [f64; FACTORS] {
    let mut unsure = start().map(|weight| weight * UNSURE);
    unsure[HIDDEN] = UNSURE_HIDDEN;
    unsure[OURS] = UNSURE_OURS;
    unsure
}

/// What explains a request's tokens.
fn counts(request: &ModelRequest) -> [f64; FACTORS] {
    let mut counts = [0.0; FACTORS];
    let schema = request.schema.to_string();
    for text in [&request.system, &schema, &request.facts, &request.user] {
        for c in text.chars() {
            counts[class_of(c)] += 1.0;
        }
    }
    counts[HIDDEN] = 1.0;
    counts[OURS] = f64::from(estimate(&request.system)) + f64::from(estimate(&schema));
    counts
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
