//! The way of one message: read this first.
//!
//! ```text
//! receive → claim → rollout → detect → cache → admit → context → ask → read → record → publish → ack
//! ```
//!
//! Every step is a named call. Whatever happens on the way becomes an answer
//! or a [`Fault`]; it is settled once, in one place, and only then is the
//! delivery acknowledged.

mod receive;
mod answer;
mod detect;
mod ask;
mod call;
mod earlier;
mod guard;
mod hear;
mod held;
mod over_budget;
mod publish;
mod records;
mod suggest;
mod settle;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::agents::{self, Personal, Plan, Question};
use crate::broker::{Broker, Delivery};
use crate::cache::Cache;
use crate::delay::DelayPolicy;
use crate::detect::Detector;
use crate::domain::chat::{Event, Message};
use crate::domain::ids::Held;
use crate::domain::intent::Detection;
use crate::domain::outcome::{ParkReason, Reason};
use crate::domain::projection::Projections;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::model::registry::Models;
use crate::model::retry::RetryPolicy;
use crate::rollout;
use crate::store::{
    CacheLookup, Claim, Claimed, ItemKind, RuntimeSettings, Spent, Store, SuggestAfter,
};

use answer::{Answer, Bill, Found};
use ask::Asked;
pub use earlier::Earlier;
pub use held::HeldItems;
pub use publish::Publisher;
pub use receive::{BadDelivery, item_id};

/// How one waits for a database or broker that went away.
const AWAY: DelayPolicy = DelayPolicy::new(Duration::from_millis(100), Duration::from_secs(5));

/// All that a message's way needs; built once, used by all slots.
pub struct Pipeline {
    /// Where the truth is kept.
    pub store: Arc<dyn Store>,
    /// Where completion events go.
    pub broker: Arc<dyn Broker>,
    /// What finds the intent.
    pub detector: Detector,
    /// Below this confidence a detection is doubtful, and the classifier may be asked.
    pub threshold: f32,
    /// Answers that were paid for once.
    pub cache: Cache,
    /// Who may ask a model.
    pub limits: Limits,
    /// Which model each agent asks.
    pub models: Models,
    /// When a failed request is sent again.
    pub retry: RetryPolicy,
    /// What may change without a restart.
    pub runtime: watch::Receiver<RuntimeSettings>,
    /// Times and counts that a message's patience is made of.
    pub patience: PatienceSettings,
    /// When an event that changed has its next suggestion run; `None`: never.
    pub suggest_after: Option<SuggestAfter>,
    /// The CloudEvents `source`.
    pub source: String,
    /// What publishes completion events.
    pub publisher: Publisher,
    /// How long questions have waited for what was said before them.
    pub earlier: Earlier,
}

/// Times and counts that a message's patience is made of.
#[derive(Debug, Clone, Copy)]
pub struct PatienceSettings {
    /// How long a claim's lease lasts.
    pub lease: Duration,
    /// From claim to record at most.
    pub deadline: Duration,
    /// Attempts before an item fails.
    pub attempts: u32,
    /// The pauses after passing faults.
    pub backoff: DelayPolicy,
    /// How long after its first claim an item may still be parked.
    pub longest_wait: Duration,
    /// How long a message may be missing.
    pub missing_grace: Duration,
}

/// Whom the work is about.
#[derive(Clone, Copy)]
struct About<'a> {
    claim: &'a Claim,
    message: &'a Message,
    event: &'a Event,
    bill: &'a Bill,
}

/// What the work on a claim took.
struct Run {
    /// On models, earlier runs included.
    spent: Spent,
    /// From claim to answer.
    took: Duration,
}

/// What became of a delivery.
#[derive(Debug)]
pub enum Walked {
    /// It is dealt with, and acknowledged where that was owed.
    Done,
    /// The drain came first: the caller releases the item, then acknowledges the delivery.
    Unfinished {
        /// The item that is still held.
        held: Held,
        /// Its delivery.
        delivery: Delivery,
    },
    /// The drain came before a claim: the broker has it back when the connection closes.
    Returned(Delivery),
}

impl Pipeline {
    /// Walks one delivery from the broker back to the broker.
    ///
    /// `held` is told of the claim while it lasts; `drained` ends the wait for an answer.
    pub async fn walk(
        &self,
        delivery: Delivery,
        held: &HeldItems,
        drained: &CancellationToken,
    ) -> Walked {
        let item = match item_id(&delivery.body) {
            Ok(item) => item,
            Err(bad) => return self.dead_letter(delivery, &bad, drained).await,
        };
        let claim = match self.claim(&item, drained).await {
            Some(Claimed::Held(claim)) => claim,
            Some(Claimed::Settled { owed }) => {
                return self.publish_owed(owed, &item, delivery).await;
            }
            Some(Claimed::NotNow) => return self.acknowledge(&item, delivery).await,
            None => return Walked::Returned(delivery),
        };
        let _holding = held.hold(&claim.held);
        let (started, bill) = (Instant::now(), Bill::new(claim.spent));
        let answering = guard::guarded(self.patience.deadline, self.answer(&claim, &bill));
        let answered = tokio::select! {
            answered = answering => answered,
            () = drained.cancelled() => return Walked::Unfinished { held: claim.held, delivery },
        };
        let run = Run { spent: bill.sum(), took: started.elapsed() };
        let settling = self.settle(&claim, answered, &run, drained);
        if let Err(panic) = guard::caught(settling).await {
            error!(message_id = %item, panic, "settling {item} panicked; its lease runs out");
        }
        self.acknowledge(&item, delivery).await
    }

    /// Rollout, detect, cache, admit, context, ask, read: from a claim to an answer.
    async fn answer(&self, claim: &Claim, bill: &Bill) -> Result<Answer, Fault> {
        self.may_try(claim)?;
        if claim.kind == ItemKind::Suggestion {
            return self.suggest(claim, bill).await;
        }
        let (message, event) = self.found(claim)?;
        if message.deleted_at.is_some() {
            return Ok(Answer::skipped(Reason::Deleted, None));
        }
        if !rollout::inside(&event.id, &self.runtime.borrow()) {
            return Ok(Answer::skipped(Reason::OutsideRollout, None));
        }
        let subject = About { claim, message, event, bill };
        let detection = self.detect(&subject).await;
        match agents::plan(event, message, &detection) {
            Plan::Nothing if detection.follow_up.is_none() => {
                Ok(Answer::skipped(Reason::NothingToDo, Some(detection)))
            }
            Plan::Nothing => Ok(Answer::changes_a_row(detection)),
            Plan::Answer(enrichment) => Ok(Answer::by_code(detection, enrichment)),
            Plan::Records(query) => self.answer_from_records(&subject, detection, &query).await,
            Plan::Ask(question) => self.answer_by_model(&subject, detection, &question).await,
        }
    }

    /// Attempts that ended without a word took their process with them, or its lease: the work is
    /// not begun once more than there may be.
    fn may_try(&self, claim: &Claim) -> Result<(), Fault> {
        if claim.attempt <= self.patience.attempts {
            return Ok(());
        }
        Err(Fault::permanent(Reason::AttemptsExhausted, "the last attempt never ended"))
    }

    /// The message and its event, or what their absence means.
    fn found<'a>(&self, claim: &'a Claim) -> Result<(&'a Message, &'a Event), Fault> {
        if let Some(why) = &claim.unreadable {
            return Err(Fault::permanent(Reason::UnreadableRow, why));
        }
        let Some(message) = &claim.message else {
            let (age, grace) = (claim.age, self.patience.missing_grace);
            if age >= grace {
                return Err(Fault::permanent(
                    Reason::MessageNotFound,
                    format_args!("no row after {} s", age.as_secs()),
                ));
            }
            // The pause grows with the item's age: its producer commits soon, or not at all.
            let after =
                age.max(Duration::from_millis(250)).min(grace - age + Duration::from_millis(10));
            return Err(Fault::deferred(after, ParkReason::MessageMissing));
        };
        match &claim.event {
            Some(event) => Ok((message, event)),
            None if claim.room_exists => {
                Err(Fault::permanent(Reason::EventNotFound, "the room's event has no row"))
            }
            None => Err(Fault::permanent(Reason::RoomNotFound, "the message's room has no row")),
        }
    }

    /// Cache, admit, context, ask, read; the personal part by code.
    async fn answer_by_model(
        &self,
        about: &About<'_>,
        detection: Detection,
        question: &Question,
    ) -> Result<Answer, Fault> {
        let About { message, event, .. } = *about;
        let found = self.general_answer(about, question).await?;
        let personal = self.personal(message, event, &detection).await?;
        let enrichment = agents::finish(event, message, &detection, found.base.clone(), &personal)
            .ok_or_else(|| {
                Fault::transient("an answer of another agent was read for this question")
            })?;
        Ok(Answer::by_model(detection, enrichment, question, found))
    }

    /// The general answer to a question: from the cache, else from a model.
    async fn general_answer(&self, about: &About<'_>, question: &Question) -> Result<Found, Fault> {
        let assigned = self.assigned(question)?;
        let key = question.key(assigned.primary.model.name());
        match self.cache.look(&about.claim.held, &key).await? {
            CacheLookup::Hit(entry) => Found::cached(question, entry),
            CacheLookup::InFlight { after } => {
                Err(Fault::Deferred { after, reason: ParkReason::FlightTaken, flight: Some(key) })
            }
            CacheLookup::Leader => self.ask(&Asked::new(about, question, assigned, key)).await,
        }
    }

    /// What the event itself adds to a general answer: vendors, and its rows as of the message.
    async fn personal(
        &self,
        message: &Message,
        event: &Event,
        detection: &Detection,
    ) -> Result<Personal, Fault> {
        let needs = agents::personal_needs(detection);
        let mut personal = Personal::default();
        if let Some(kind) = needs.vendors {
            personal.vendors = self.store.vendors(kind.name(), agents::MOST_VENDORS).await?;
        }
        if needs.rows {
            personal.rows = self.rows_before(event, message).await?;
        }
        Ok(personal)
    }

    /// The event's rows as they were just before a message.
    async fn rows_before(&self, event: &Event, message: &Message) -> Result<Projections, Fault> {
        let before = (message.sent_at, message.id.clone());
        Ok(self.store.projections(event, Some(&before)).await?)
    }
}
