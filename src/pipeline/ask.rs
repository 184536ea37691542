//! Ask: a question to a model, or to its fallback when the model cannot be asked.
//!
//! An answer that does not fit is sent back once with what is wrong with it.

use std::time::Duration;

use tracing::debug;
use uuid::Uuid;

use super::answer::{Bill, Found, read};
use super::over_budget::{Spent, cheaper};
use super::{About, Pipeline};
use crate::agents::{self, BadAnswer, Question};
use crate::context::{self, Level};
use crate::domain::outcome::{ParkReason, Reason};
use crate::domain::usage::{NanoUsd, Tier, Usage};
use crate::fault::Fault;
use crate::model::registry::{Assigned, Choice};
use crate::model::retry::{self, Verdict};
use crate::model::{ModelError, ModelRequest, ModelResponse};
use crate::store::{self, CacheWrite, ContextRows, StoreError};

/// How long a message waits for what it can do without.
const BRIEF: Duration = Duration::from_secs(15);

/// One question of one message, and whom it goes to.
pub(super) struct Asked<'a> {
    pub(super) about: &'a About<'a>,
    pub(super) question: &'a Question,
    pub(super) assigned: &'a Assigned,
    pub(super) key: String,
    /// Whether the message waits for an answer; else it goes on without one.
    pub(super) waits: bool,
    /// What this question alone cost in this run; the message's bill has it too.
    pub(super) bill: Bill,
}

/// Whom a question goes to, and at which context level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rung<'a> {
    pub(super) choice: &'a Choice,
    /// `None` for what is asked without any context.
    pub(super) level: Option<Level>,
    /// What a request may cost at most; `None` leaves that to the budgets.
    pub(super) room: Option<NanoUsd>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        about: &'a About<'a>,
        question: &'a Question,
        assigned: &'a Assigned,
        key: String,
    ) -> Self {
        let bill = Bill::new(store::Spent::default());
        Self { about, question, assigned, key, waits: true, bill }
    }

    /// Adds a request that was charged, or may have been, to the question's bill and the message's.
    pub(super) fn add(&self, usage: Usage, cost: NanoUsd) {
        self.bill.add(usage, cost);
        self.about.bill.add(usage, cost);
    }

    /// The question as it is, in one model's hands.
    pub(super) fn whole(&self, choice: &'a Choice) -> Rung<'a> {
        Rung { choice, level: self.question.level(), room: None }
    }
}

/// Why there is no answer from a model.
pub(super) enum Unanswered {
    /// It cannot be asked now; a fallback may be.
    Unavailable(Fault),
    /// A budget is spent; what costs less may be asked.
    OverBudget(Spent),
    /// The message's own fault.
    Fault(Fault),
}

impl From<Fault> for Unanswered {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Unanswered {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

/// What a model gave back for one request, tried as often as the policy allows.
enum Reply {
    /// An answer; not yet held against its schema.
    Answer(ModelResponse),
    /// A paid response without a usable answer, and what is wrong with it.
    Unusable(BadAnswer),
}

/// A request in one model's hands.
pub(super) struct Call<'a> {
    pub(super) choice: &'a Choice,
    pub(super) room: Option<NanoUsd>,
    pub(super) request: &'a ModelRequest,
    pub(super) fingerprint: &'a str,
}

impl Pipeline {
    /// Which model the question's agent asks.
    pub(super) fn assigned(&self, question: &Question) -> Result<&Assigned, Fault> {
        let agent = question.agent().name();
        let missing = || Fault::transient(format!("no model is assigned to {agent}"));
        self.models.agent(agent).ok_or_else(missing)
    }

    /// Asks the agent's model, and down its chain for as long as nobody can be asked.
    pub(super) async fn ask(&self, asked: &Asked<'_>) -> Result<Found, Fault> {
        let Assigned { primary, fallbacks, .. } = asked.assigned;
        // What somebody else was paid for in an earlier run is not paid for again.
        if let Some(paid) = paid_for(asked)
            && let Ok(found) = self.ask_model(asked, paid).await
        {
            return Ok(found.unshared());
        }
        let fault = match self.ask_model(asked, asked.whole(primary)).await {
            Ok(found) => return Ok(found),
            Err(Unanswered::Fault(fault)) => return Err(fault),
            Err(Unanswered::OverBudget(spent)) => return self.ask_for_less(asked, spent).await,
            Err(Unanswered::Unavailable(fault)) => fault,
        };
        for fallback in fallbacks {
            match self.ask_model(asked, asked.whole(fallback)).await {
                // A fallback's answer never sits under the primary's key.
                Ok(found) => return Ok(found.unshared()),
                // It answers, but not yet: its turn is worth the wait.
                Err(Unanswered::Fault(wait @ Fault::Deferred { .. })) => return Err(wait),
                // Its failure is not the message's.
                Err(_) => {}
            }
        }
        Err(fault)
    }

    /// Asks for what the message can do without: whatever keeps a model from answering soon, there
    /// is nothing. A request that is given up stays in the ledger at its worst case.
    pub(super) async fn ask_briefly(
        &self,
        about: &About<'_>,
        question: &Question,
    ) -> Option<Found> {
        let assigned = self.assigned(question).ok()?;
        if assigned.primary.model.is_free() {
            return None;
        }
        let key = question.key(assigned.primary.model.name());
        let asked = Asked { waits: false, ..Asked::new(about, question, assigned, key) };
        match tokio::time::timeout(BRIEF, self.ask(&asked)).await {
            // Only what took the key's flight may fill the cache.
            Ok(Ok(found)) => Some(found.unshared()),
            Ok(Err(fault)) => {
                debug!(agent = assigned.agent, ?fault, "went on without a model");
                None
            }
            Err(_) => {
                debug!(agent = assigned.agent, "went on without a model that took too long");
                None
            }
        }
    }

    /// Asks one model, and once more when its answer does not fit.
    pub(super) async fn ask_model(
        &self,
        asked: &Asked<'_>,
        rung: Rung<'_>,
    ) -> Result<Found, Unanswered> {
        let (question, Rung { choice, level, room }) = (asked.question, rung);
        let request = self.request(asked, rung).await?;
        let fingerprint = question.fingerprint(choice.model.name(), level);
        let first = Call { choice, room, request: &request, fingerprint: &fingerprint };
        let repair = match self.respond(asked, &first).await? {
            Reply::Answer(response) => match agents::read(question, &response.answer) {
                Ok(base) => return Ok(self.found_by(asked, rung, base, response).await?),
                Err(bad) => agents::repair(&request, &bad, &response.answer),
            },
            Reply::Unusable(bad) => agents::repair(&request, &bad, &serde_json::Value::Null),
        };
        let fingerprint = question.repair_fingerprint(choice.model.name(), level);
        let second = Call { choice, room, request: &repair, fingerprint: &fingerprint };
        match self.respond(asked, &second).await? {
            Reply::Answer(response) => {
                let base = read(question, &response.answer)?;
                Ok(self.found_by(asked, rung, base, response).await?)
            }
            Reply::Unusable(bad) => Err(Fault::permanent(Reason::AnswerInvalid, bad).into()),
        }
    }

    async fn found_by(
        &self,
        asked: &Asked<'_>,
        rung: Rung<'_>,
        base: agents::Base,
        response: ModelResponse,
    ) -> Result<Found, StoreError> {
        let spent = self.spent_on(asked, rung).await?;
        let write = CacheWrite {
            key: asked.key.clone(),
            event: asked.question.event().cloned(),
            answer: response.answer,
            model: response.model.clone(),
            usage: spent.usage,
            cost: spent.cost,
            ttl: self.cache.ttl(),
        };
        let avoided = (Usage::default(), NanoUsd::ZERO);
        // Who is free reads no context.
        let level = rung.level.filter(|_| !rung.choice.model.is_free());
        let (model, write) = (response.model, Some(write));
        Ok(Found { base, model, level, cached: false, avoided, write })
    }

    /// What it cost to ask this question, its repair included, and nothing else of the message:
    /// what a later hit avoids. Earlier runs' part of it stands in the ledger alone.
    async fn spent_on(
        &self,
        asked: &Asked<'_>,
        rung: Rung<'_>,
    ) -> Result<store::Spent, StoreError> {
        let claim = asked.about.claim;
        if claim.spent.calls == 0 {
            return Ok(asked.bill.sum());
        }
        let [first, repair] = fingerprints(asked, rung);
        let (item, revision) = (&claim.held.item, claim.revision());
        self.store.spent_on_question(item, revision, [&first, &repair]).await
    }

    /// The request: a shared question is given no context, by its type, and a model that reads the
    /// brief alone needs no rows for one.
    async fn request(&self, asked: &Asked<'_>, rung: Rung<'_>) -> Result<ModelRequest, StoreError> {
        let (choice, max_tokens) = (rung.choice, asked.assigned.max_tokens);
        let private = match asked.question {
            Question::Shared(shared) => return Ok(shared.request(max_tokens)),
            Question::Private(private) => private,
        };
        let About { event, message, .. } = *asked.about;
        let level = rung.level.unwrap_or(private.level());
        let rows = match context::query(level, event, message) {
            Some(query) if !choice.model.is_free() => self.store.context(&query).await?,
            Some(_) | None => ContextRows::default(),
        };
        let estimate = choice.estimates.of(choice.model.name());
        let context = context::assemble(level, event, message, &rows, &estimate);
        Ok(private.request(&context, max_tokens))
    }

    /// An answer kept from an earlier run, else one from the model, tried as often as the policy allows.
    async fn respond(&self, asked: &Asked<'_>, call: &Call<'_>) -> Result<Reply, Unanswered> {
        let kept = &asked.about.claim.kept;
        if let Some(kept) = kept.iter().find(|kept| kept.fingerprint == call.fingerprint) {
            let (model, answer) = (kept.model.clone(), kept.answer.clone());
            let (usage, tier) = (Usage::default(), Tier::Standard);
            return Ok(Reply::Answer(ModelResponse { model, answer, usage, tier }));
        }
        if call.choice.model.is_free() {
            let answered = call.choice.model.ask(call.request, Uuid::nil()).await;
            return answered.map(Reply::Answer).map_err(|error| Fault::transient(error).into());
        }
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.try_once(asked, call).await? {
                Ok(response) => return Ok(Reply::Answer(response)),
                Err(error) => error,
            };
            match retry::verdict(&error, tries, &self.retry) {
                Verdict::Again { after } => tokio::time::sleep(after).await,
                Verdict::Repair => return Ok(Reply::Unusable(BadAnswer::unusable(&error))),
                given_up @ (Verdict::Park { .. } | Verdict::SpendAttempt | Verdict::GiveUp(_)) => {
                    return Err(unanswered(given_up, error));
                }
            }
        }
    }
}

/// Who gave an answer in an earlier run that the agent's own model did not give.
fn paid_for<'a>(asked: &Asked<'a>) -> Option<Rung<'a>> {
    let Assigned { primary, fallbacks, .. } = asked.assigned;
    if asked.about.claim.kept.is_empty() || is_kept(asked, asked.whole(primary)) {
        return None;
    }
    let others = fallbacks.iter().map(|fallback| asked.whole(fallback)).chain(cheaper(asked));
    others.into_iter().find(|rung| is_kept(asked, *rung))
}

/// Whether an answer of that model at that level is kept from an earlier run.
fn is_kept(asked: &Asked<'_>, rung: Rung<'_>) -> bool {
    let prints = fingerprints(asked, rung);
    asked.about.claim.kept.iter().any(|kept| prints.contains(&kept.fingerprint))
}

/// Under which its request and its one repair stand in the ledger.
fn fingerprints(asked: &Asked<'_>, rung: Rung<'_>) -> [String; 2] {
    let (question, model) = (asked.question, rung.choice.model.name());
    [question.fingerprint(model, rung.level), question.repair_fingerprint(model, rung.level)]
}

/// What the end of all tries means for the message.
fn unanswered(verdict: Verdict, error: ModelError) -> Unanswered {
    match verdict {
        Verdict::Park { after, .. } => {
            Unanswered::Unavailable(Fault::deferred(after, ParkReason::ProviderPaused))
        }
        Verdict::GiveUp(reason) => Unanswered::Fault(Fault::permanent(reason, error)),
        Verdict::SpendAttempt | Verdict::Again { .. } | Verdict::Repair => {
            Unanswered::Unavailable(Fault::transient(error))
        }
    }
}
