//! Record, publish, ack: what was decided is written once, told, and acknowledged.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::answer::Answer;
use super::{BadDelivery, Pipeline, Walked};
use crate::broker::Delivery;
use crate::broker::envelope::{self, CompletionFacts};
use crate::delay::DelayPolicy;
use crate::domain::ids::ItemId;
use crate::domain::intent::Intent;
use crate::domain::outcome::{Outcome, Reason};
use crate::fault::{Fault, Park, Patience, Settlement, settle};
use crate::store::{
    Claim, Claimed, CompletionEvent, Fenced, Metric, OwedEvent, Record, Recorded, Spent,
};
use crate::telemetry::metrics;

/// How long a write of the end state may take before its end is looked up.
const RECORD_TIMEOUT: Duration = Duration::from_secs(10);
/// How one waits for a database or broker that went away.
const AWAY: DelayPolicy = DelayPolicy::new(Duration::from_millis(100), Duration::from_secs(5));

/// How a message ends.
struct Ending {
    answer: Option<Answer>,
    outcome: Outcome,
    reason: Option<Reason>,
    detail: Option<String>,
}

impl Ending {
    fn answered(answer: Answer) -> Self {
        let reason = answer.skipped;
        let outcome = if reason.is_some() { Outcome::Skipped } else { Outcome::Completed };
        Self { answer: Some(answer), outcome, reason, detail: None }
    }

    fn failed(reason: Reason, detail: String) -> Self {
        Self { answer: None, outcome: Outcome::Failed, reason: Some(reason), detail: Some(detail) }
    }
}

impl Pipeline {
    /// Claims the item, however long the database is away; `None` when the drain came first.
    pub(super) async fn claim(
        &self,
        item: &ItemId,
        drained: &CancellationToken,
    ) -> Option<Claimed> {
        let mut pauses = AWAY.pauses();
        loop {
            let claimed = tokio::select! {
                claimed = self.store.claim(item, self.patience.lease) => claimed,
                () = drained.cancelled() => return None,
            };
            match claimed {
                Ok(claimed) => return Some(claimed),
                Err(error) => {
                    warn!(message_id = %item, %error, "could not claim {item}; trying again")
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pauses.next()) => {}
                () = drained.cancelled() => return None,
            }
        }
    }

    /// Settles a claim: exactly one record or park, then the event, then the ack.
    pub(super) async fn settle(
        &self,
        claim: &Claim,
        answered: Result<Answer, Fault>,
        took: Duration,
        delivery: Delivery,
    ) -> Walked {
        let ending = match answered {
            Ok(answer) => Ending::answered(answer),
            Err(fault) => match settle(fault, &self.patience_of(claim)) {
                Settlement::Park(park) => {
                    self.park(claim, &park).await;
                    return self.acknowledge(&claim.held.item, delivery).await;
                }
                Settlement::Fail { reason, detail } => Ending::failed(reason, detail),
            },
        };
        let record = self.record_of(claim, ending, took);
        match self.record(claim, &record).await {
            Some(recorded) => self.tell(claim, &record, recorded, took).await,
            None => {
                warn!(message_id = %claim.held.item, "the lease of {} was lost: nothing written", claim.held.item)
            }
        }
        self.acknowledge(&claim.held.item, delivery).await
    }

    fn patience_of(&self, claim: &Claim) -> Patience {
        Patience {
            attempt: claim.attempt,
            attempts: self.patience.attempts,
            age: claim.age,
            longest_wait: self.patience.longest_wait,
            backoff: self.patience.backoff.after(claim.attempt),
        }
    }

    async fn park(&self, claim: &Claim, park: &Park) {
        let item = &claim.held.item;
        metrics::parked(park.reason);
        match self.store.park(&claim.held, park).await {
            Ok(Fenced::Done(())) => {
                let (reason, after_ms) = (park.reason.name(), park.after.as_millis() as u64);
                if park.spend_attempt {
                    let detail = park.detail.as_deref().unwrap_or_default();
                    warn!(message_id = %item, attempt = claim.attempt, after_ms, detail, "parked {item} after a fault");
                } else {
                    info!(message_id = %item, attempt = claim.attempt, reason, after_ms, "parked {item}");
                }
            }
            Ok(Fenced::Lost) => metrics::lease_lost(),
            // The row still says `processing`; the lease runs out and the scheduler looks again.
            Err(error) => {
                warn!(message_id = %item, %error, "could not park {item}; its lease runs out instead")
            }
        }
    }

    /// What is written for an answer, or for a failure with its reason.
    fn record_of(&self, claim: &Claim, ending: Ending, took: Duration) -> Record {
        let answer = ending.answer.as_ref();
        let metric = metric_of(claim, answer, took);
        let spent = metric.as_ref().map_or(claim.spent, |metric| metric.spent);
        Record {
            outcome: ending.outcome,
            reason: ending.reason,
            completion: self.completion_of(claim, &ending, spent, took),
            message: claim.message.clone(),
            event: claim.event.clone(),
            contribution: answer.map(Answer::contribution).unwrap_or_default(),
            cache: answer.and_then(|answer| answer.cache.clone()),
            detection: answer.and_then(|answer| answer.detection.clone()),
            answered: ending.answer.and_then(|answer| answer.answered),
            detail: ending.detail,
            metric,
        }
    }

    fn completion_of(
        &self,
        claim: &Claim,
        ending: &Ending,
        spent: Spent,
        took: Duration,
    ) -> CompletionEvent {
        let answer = ending.answer.as_ref();
        let answered = answer.and_then(|answer| answer.answered.as_ref());
        let facts = CompletionFacts {
            item: &claim.held.item,
            lease: claim.held.lease,
            room: claim.message.as_ref().map(|message| &message.room),
            event: claim.event.as_ref().map(|event| &event.id),
            outcome: ending.outcome,
            reason: ending.reason,
            detection: answer.and_then(|answer| answer.detection.as_ref()),
            enrichment: answered.and_then(|answered| answered.enrichment.as_ref()),
            cached: answered.is_some_and(|answered| answered.cached),
            model: answered.and_then(|answered| answered.model.as_deref()),
            usage: spent.usage,
            cost: spent.cost,
            latency: took,
            attempt: claim.attempt,
            time: jiff::Timestamp::now(),
        };
        envelope::completion(&self.source, &facts)
    }

    /// Records under the lease. A commit with an unknown end is read back by the lease and tried
    /// again, for as long as the lease can be ours.
    async fn record(&self, claim: &Claim, record: &Record) -> Option<Recorded> {
        let mut pauses = AWAY.pauses();
        let give_up = tokio::time::Instant::now() + self.patience.lease;
        loop {
            let written =
                tokio::time::timeout(RECORD_TIMEOUT, self.store.record(&claim.held, record)).await;
            let error = match written {
                Ok(Ok(Fenced::Done(recorded))) => return Some(recorded),
                Ok(Ok(Fenced::Lost)) => {
                    metrics::lease_lost();
                    return self.was_recorded(claim).await.then(Recorded::default);
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} s", RECORD_TIMEOUT.as_secs()),
            };
            warn!(message_id = %claim.held.item, error, "could not record {}; trying again", claim.held.item);
            if tokio::time::Instant::now() > give_up {
                return None;
            }
            tokio::time::sleep(pauses.next()).await;
        }
    }

    /// Whether an earlier try of ours did commit.
    async fn was_recorded(&self, claim: &Claim) -> bool {
        self.store.was_recorded(&claim.held).await.unwrap_or(false)
    }

    /// The event out, the followers' hints out, the one log line.
    async fn tell(&self, claim: &Claim, record: &Record, recorded: Recorded, took: Duration) {
        let item = &claim.held.item;
        if let Some(write) = &record.cache {
            self.cache.keep(write).await;
        }
        if !recorded.woken.is_empty()
            && let Err(error) = self.broker.publish_hints(&recorded.woken).await
        {
            info!(message_id = %item, %error, "left the hints of {} followers to the scheduler", recorded.woken.len());
        }
        self.publisher
            .publish(&OwedEvent { item: item.clone(), completion: record.completion.clone() })
            .await;
        let intent = record.detection.as_ref().map(|detection| detection.intent());
        metrics::settled(record.outcome, intent, took);
        let intent = intent.map_or("unknown", Intent::name);
        let (outcome, reason) = (record.outcome.name(), record.reason.map_or("", Reason::name));
        let (attempt, detail) = (claim.attempt, record.detail.as_deref().unwrap_or(""));
        let cached = record.answered.as_ref().is_some_and(|answered| answered.cached);
        let duration_ms = took.as_millis() as u64;
        info!(message_id = %item, attempt, outcome, reason, detail, intent, cached, duration_ms, "settled message {item}");
    }

    /// A delivery whose item is settled: only an event that was never confirmed is still owed.
    pub(super) async fn publish_owed(
        &self,
        owed: Option<OwedEvent>,
        item: &ItemId,
        delivery: Delivery,
    ) -> Walked {
        if let Some(owed) = owed {
            self.publisher.publish(&owed).await;
        }
        self.acknowledge(item, delivery).await
    }

    /// A body that names no message goes to the dead-letter exchange, and only then is it acknowledged.
    pub(super) async fn dead_letter(
        &self,
        delivery: Delivery,
        bad: &BadDelivery,
        drained: &CancellationToken,
    ) -> Walked {
        let reason = bad.to_string();
        let mut pauses = AWAY.pauses();
        while let Err(error) = self.broker.dead_letter(&delivery.body, &reason).await {
            warn!(%error, "could not dead-letter a delivery; trying again");
            tokio::select! {
                () = tokio::time::sleep(pauses.next()) => {}
                () = drained.cancelled() => return Walked::Returned(delivery),
            }
        }
        metrics::dead_lettered(bad.name());
        let bytes = delivery.body.len();
        warn!(reason, bytes, "dead-lettered a delivery: {reason}");
        if let Err(error) = delivery.ack().await {
            info!(%error, "a dead-lettered delivery will come again");
        }
        Walked::Done
    }

    /// The last step. Too late is no harm: the repeat meets a settled row.
    pub(super) async fn acknowledge(&self, item: &ItemId, delivery: Delivery) -> Walked {
        match delivery.ack().await {
            Ok(true) => {}
            Ok(false) => metrics::ack_too_late(),
            Err(error) => {
                info!(message_id = %item, %error, "the delivery of {item} will come again")
            }
        }
        Walked::Done
    }
}

/// The item's row in `metrics`; a free skip has none.
fn metric_of(claim: &Claim, answer: Option<&Answer>, took: Duration) -> Option<Metric> {
    let mut spent = claim.spent;
    if let Some(answer) = answer {
        spent.calls += answer.spent.calls;
        spent.usage += answer.spent.usage;
        spent.cost += answer.spent.cost;
    }
    let answered = answer.and_then(|a| a.answered.as_ref());
    if answered.is_none() && spent.calls == 0 {
        return None;
    }
    let detection = answer.and_then(|a| a.detection.as_ref());
    let (avoided_usage, avoided_cost) = answer.map(|a| a.avoided).unwrap_or_default();
    Some(Metric {
        intent: detection.map_or(Intent::None, |detection| detection.intent()),
        agent: answered.and_then(|a| a.agent),
        model: answered.and_then(|a| a.model.clone()),
        cached: answered.is_some_and(|a| a.cached),
        latency: took,
        spent,
        avoided_usage,
        avoided_cost,
    })
}
