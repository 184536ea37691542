//! Detect: what a message is for, by code; where code doubts, a model may be asked.
//!
//! Whatever keeps the model from answering, the best guess stands: a doubt is
//! never worth a wait.

use tracing::debug;

use super::ask::Asked;
use super::{About, Pipeline, hear};
use crate::agents::{self, Base};
use crate::detect;
use crate::domain::intent::{Detection, Intent};
use crate::fault::Fault;

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
        let intent = match self.classified(about, &guess).await {
            Ok(Some(intent)) if intent != guess.intent() => intent,
            Ok(_) => return guess,
            Err(fault) => {
                debug!(message_id = %message.id, ?fault, "the best guess stands");
                return guess;
            }
        };
        // What the intent cannot be without may not stand in the text: then it is not that.
        hear::read_as(&self.detector, &claim.before, message, event, intent).unwrap_or(guess)
    }

    /// The classifier's word; nothing when its model is no better than the guess.
    async fn classified(
        &self,
        about: &About<'_>,
        guess: &Detection,
    ) -> Result<Option<Intent>, Fault> {
        let question = agents::classification(about.event, about.message, guess);
        let assigned = self.assigned(&question)?;
        if assigned.primary.model.is_free() {
            return Ok(None);
        }
        let key = question.key(assigned.primary.model.name());
        let found = self.ask(&Asked { about, question: &question, assigned, key }).await?;
        let Base::Intent(intent) = found.base else { return Ok(None) };
        Ok(Some(intent))
    }
}
