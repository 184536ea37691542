//! Detect: what a message is for, by code; where code doubts, a model may be asked.
//!
//! Whatever keeps the model from answering, the best guess stands: a doubt is
//! never worth a wait.

use super::{About, Pipeline, hear};
use crate::agents::{self, Base};
use crate::detect;
use crate::domain::intent::{Detection, Intent};

impl Pipeline {
    /// What the message is for.
    pub(super) async fn detect(&self, about: &About<'_>) -> Detection {
        let About { claim, message, event, .. } = *about;
        if let Some(taken) = detect::taken(message) {
            return taken;
        }
        let guess = hear::detect(&self.detector, &claim.before, message, event);
        if guess.confidence >= self.threshold {
            return guess;
        }
        let Some(intent) = self.classified(about, &guess).await else { return guess };
        if intent == guess.intent() {
            return guess;
        }
        // What the intent cannot be without may not stand in the text: then it is not that.
        hear::read_as(&self.detector, &claim.before, message, event, intent).unwrap_or(guess)
    }

    /// The classifier's word, if it can be had.
    async fn classified(&self, about: &About<'_>, guess: &Detection) -> Option<Intent> {
        let question = agents::classification(about.event, about.message, guess);
        let found = self.ask_briefly(about, &question).await?;
        let Base::Intent(intent) = found.base else { return None };
        Some(intent)
    }
}
