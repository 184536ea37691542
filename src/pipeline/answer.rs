//! What a message's way ends in, before it is settled.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::agents::{self, Base, Question};
use crate::context::Level;
use crate::domain::enrichment::{Contribution, Enrichment};
use crate::domain::intent::Detection;
use crate::domain::outcome::Reason;
use crate::domain::suggestion::Suggestion;
use crate::domain::usage::{NanoUsd, Usage};
use crate::fault::Fault;
use crate::store::{Answered, CacheEntry, CacheWrite, Spent};

/// The answer for a message: skipped with a reason, a change to a row, or an enrichment.
#[derive(Debug)]
pub(super) struct Answer {
    /// Set when there is nothing to do, and why.
    pub(super) skipped: Option<Reason>,
    /// What detection said, if it came that far.
    pub(super) detection: Option<Detection>,
    /// The structured answer.
    pub(super) answered: Option<Answered>,
    /// What goes into the cache.
    pub(super) cache: Option<CacheWrite>,
    /// What a cache hit avoided.
    pub(super) avoided: (Usage, NanoUsd),
    /// What a suggestion run suggests; `None` for a message.
    pub(super) suggestions: Option<Vec<Suggestion>>,
}

impl Answer {
    pub(super) fn skipped(reason: Reason, detection: Option<Detection>) -> Self {
        Self { skipped: Some(reason), detection, ..Self::empty() }
    }

    /// A follow-up alone: a row changes without a model.
    pub(super) fn changes_a_row(detection: Detection) -> Self {
        Self { detection: Some(detection), ..Self::empty() }
    }

    /// Code alone answered.
    pub(super) fn by_code(detection: Detection, enrichment: Enrichment) -> Self {
        let answered = Answered {
            agent: None,
            model: None,
            level: None,
            cached: false,
            enrichment: Some(enrichment),
        };
        Self { detection: Some(detection), answered: Some(answered), ..Self::empty() }
    }

    /// A model answered, now or when the cache was filled.
    pub(super) fn by_model(
        detection: Detection,
        enrichment: Enrichment,
        question: &Question,
        found: Found,
    ) -> Self {
        let answer = Self::answered(question, found, Some(enrichment));
        Self { detection: Some(detection), ..answer }
    }

    /// What a suggestion run came to.
    pub(super) fn of_run(suggestions: Vec<Suggestion>, question: &Question, found: Found) -> Self {
        let answer = Self::answered(question, found, None);
        Self { suggestions: Some(suggestions), ..answer }
    }

    fn answered(question: &Question, found: Found, enrichment: Option<Enrichment>) -> Self {
        let answered = Answered {
            agent: Some(question.agent().name()),
            model: Some(found.model),
            level: found.level.map(Level::name),
            cached: found.cached,
            enrichment,
        };
        let (cache, avoided) = (found.write, found.avoided);
        Self { answered: Some(answered), cache, avoided, ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            skipped: None,
            detection: None,
            answered: None,
            cache: None,
            avoided: (Usage::default(), NanoUsd::ZERO),
            suggestions: None,
        }
    }

    /// What the answer contributes to the event's rows.
    pub(super) fn contribution(&self) -> Contribution {
        if self.skipped.is_some() {
            return Contribution::default();
        }
        Contribution {
            enrichment: self.answered.as_ref().and_then(|answered| answered.enrichment.clone()),
            follow_up: self.detection.as_ref().and_then(|detection| detection.follow_up.clone()),
        }
    }
}

/// What a message's models cost so far. It outlives the work, as a failure costs no less.
pub(super) struct Bill(Mutex<Spent>);

impl Bill {
    /// Begins with what earlier runs cost.
    pub(super) fn new(earlier: Spent) -> Self {
        Self(Mutex::new(earlier))
    }

    /// Adds a request that was charged, or may have been.
    pub(super) fn add(&self, usage: Usage, cost: NanoUsd) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.calls += 1;
        spent.usage += usage;
        spent.cost += cost;
    }

    /// All of it.
    pub(super) fn sum(&self) -> Spent {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A general answer, and where it came from.
pub(super) struct Found {
    /// The answer, read and checked.
    pub(super) base: Base,
    /// The model that gave it.
    pub(super) model: String,
    /// The context level that the model saw; `None` when it saw none.
    pub(super) level: Option<Level>,
    /// Whether it came from the cache.
    pub(super) cached: bool,
    /// What the cache avoided.
    pub(super) avoided: (Usage, NanoUsd),
    /// What goes into the cache.
    pub(super) write: Option<CacheWrite>,
}

impl Found {
    /// An answer from the cache. It was checked before it went in; one that does not fit any more
    /// was written by another release, and its key should have differed.
    pub(super) fn cached(question: &Question, entry: CacheEntry) -> Result<Self, Fault> {
        let base = read(question, &entry.answer)?;
        let avoided = (entry.usage, entry.cost);
        let (model, level) = (entry.model, question.level());
        Ok(Self { base, model, level, cached: true, avoided, write: None })
    }

    /// The same answer, kept out of the cache.
    pub(super) fn unshared(self) -> Self {
        Self { write: None, ..self }
    }
}

/// Reads a checked answer again.
pub(super) fn read(question: &Question, answer: &Value) -> Result<Base, Fault> {
    agents::read(question, answer).map_err(|bad| Fault::permanent(Reason::AnswerInvalid, bad))
}
