//! Record, publish, ack: what was decided is written once, told, and acknowledged.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::answer::Answer;
use super::{AWAY, BadDelivery, Pipeline, Run, Walked};
use crate::broker::Delivery;
use crate::broker::envelope::{self, CompletionFacts, RunFacts};
use crate::domain::ids::ItemId;
use crate::domain::intent::Intent;
use crate::domain::outcome::{Outcome, Reason};
use crate::fault::{Fault, Park, Patience, Settlement, settle};
use crate::store::{
    Claim, Claimed, CompletionEvent, Fenced, ItemKind, Metric, News, OwedEvent, Record, Recorded,
    RunRecord, Stored,
};
use crate::telemetry::metrics;

/// How long a write of the end state may take before its end is looked up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

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

    /// Settles a claim: exactly one record or park, then the event. The end of a drain ends all
    /// further tries.
    pub(super) async fn settle(
        &self,
        claim: &Claim,
        answered: Result<Answer, Fault>,
        run: &Run,
        drained: &CancellationToken,
    ) {
        let ending = match answered {
            Ok(answer) => Ending::answered(answer),
            Err(fault) => match settle(fault, &self.patience_of(claim)) {
                Settlement::Park(park) => return self.park(claim, &park, drained).await,
                Settlement::Fail { reason, detail } => Ending::failed(reason, detail),
            },
        };
        let record = self.record_of(claim, ending, run);
        let generation = self.cache.generation();
        let Some(recorded) = self.record(claim, &record, drained).await else { return };
        if let Some(write) = &record.cache {
            self.cache.keep(write, generation).await;
        }
        self.tell(claim, &record, recorded, run.took).await;
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

    async fn park(&self, claim: &Claim, park: &Park, drained: &CancellationToken) {
        let item = &claim.held.item;
        metrics::parked(park.reason);
        match self.write("park", claim, || self.store.park(&claim.held, park), drained).await {
            Some(Fenced::Done(())) => {
                let (reason, after_ms) = (park.reason.name(), park.after.as_millis() as u64);
                if park.spend_attempt {
                    let detail = park.detail.as_deref().unwrap_or_default();
                    warn!(message_id = %item, attempt = claim.attempt, after_ms, detail, "parked {item} after a fault");
                } else {
                    info!(message_id = %item, attempt = claim.attempt, reason, after_ms, "parked {item}");
                }
            }
            Some(Fenced::Lost) => metrics::lease_lost(),
            None => {}
        }
    }

    /// What is written for an answer, or for a failure with its reason.
    fn record_of(&self, claim: &Claim, ending: Ending, run: &Run) -> Record {
        let answer = ending.answer.as_ref();
        let metric = metric_of(answer, run);
        Record {
            outcome: ending.outcome,
            reason: ending.reason,
            completion: (claim.kind == ItemKind::Message)
                .then(|| self.completion_of(claim, &ending, run)),
            suggest: self.suggest_after.filter(|_| claim.kind == ItemKind::Message),
            run: self.run_of(claim, answer, run),
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

    /// What a suggestion run writes, and how it is told.
    fn run_of(&self, claim: &Claim, answer: Option<&Answer>, run: &Run) -> Option<RunRecord> {
        let suggestions = answer?.suggestions.clone()?;
        let answered = answer?.answered.as_ref();
        let model = answered.and_then(|answered| answered.model.clone());
        let facts = RunFacts {
            item: claim.held.item.clone(),
            lease: claim.held.lease,
            event: claim.event.as_ref()?.id.clone(),
            model: model.clone(),
            usage: run.spent.usage,
            cost: run.spent.cost,
            cached: answered.is_some_and(|answered| answered.cached),
            latency: run.took,
            time: jiff::Timestamp::now(),
        };
        let source = self.source.clone();
        let news = News::new(move |new| envelope::suggestions_created(&source, &facts, new));
        Some(RunRecord { suggestions, model, news })
    }

    fn completion_of(&self, claim: &Claim, ending: &Ending, run: &Run) -> CompletionEvent {
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
            level: answered.and_then(|answered| answered.level),
            usage: run.spent.usage,
            cost: run.spent.cost,
            latency: run.took,
            attempt: claim.attempt,
            time: jiff::Timestamp::now(),
        };
        envelope::completion(&self.source, &facts)
    }

    /// Records under the lease. A commit with an unknown end is read back by the lease.
    async fn record(
        &self,
        claim: &Claim,
        record: &Record,
        drained: &CancellationToken,
    ) -> Option<Recorded> {
        let held = &claim.held;
        match self.write("record", claim, || self.store.record(held, record), drained).await? {
            Fenced::Done(recorded) => return Some(recorded),
            Fenced::Lost => {}
        }
        let reading = || self.store.was_recorded(held);
        if self.write("read back", claim, reading, drained).await? {
            return Some(Recorded::default());
        }
        metrics::lease_lost();
        warn!(message_id = %held.item, "the lease of {} was lost: nothing written", held.item);
        None
    }

    /// Writes an end state, tried again for as long as the lease can be ours. `None` leaves the
    /// row `processing`: its lease runs out, and the scheduler looks again.
    async fn write<T, W: Future<Output = Stored<T>>>(
        &self,
        what: &str,
        claim: &Claim,
        writing: impl Fn() -> W,
        drained: &CancellationToken,
    ) -> Option<T> {
        let item = &claim.held.item;
        let mut pauses = AWAY.pauses();
        let give_up = Instant::now() + self.patience.lease;
        loop {
            let error = match timeout(WRITE_TIMEOUT, writing()).await {
                Ok(Ok(written)) => return Some(written),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} s", WRITE_TIMEOUT.as_secs()),
            };
            if drained.is_cancelled() || Instant::now() > give_up {
                warn!(message_id = %item, error, "could not {what} {item}; its lease runs out instead");
                return None;
            }
            warn!(message_id = %item, error, "could not {what} {item}; trying again");
            tokio::select! {
                () = tokio::time::sleep(pauses.next()) => {}
                () = drained.cancelled() => {}
            }
        }
    }

    /// The event out, the followers' hints out, the one log line.
    async fn tell(&self, claim: &Claim, record: &Record, recorded: Recorded, took: Duration) {
        let item = &claim.held.item;
        if !recorded.woken.is_empty()
            && let Err(error) = self.broker.publish_hints(&recorded.woken).await
        {
            info!(message_id = %item, %error, "left the hints of {} followers to the scheduler", recorded.woken.len());
        }
        if let Some(completion) = recorded.news.or_else(|| record.completion.clone()) {
            self.publisher.publish(&OwedEvent { item: item.clone(), completion }).await;
        }
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
        // The sentence quotes the body, which may be chat text; it went with the body alone.
        let (reason, bytes) = (bad.name(), delivery.body.len());
        warn!(reason, bytes, "dead-lettered a delivery of {bytes} bytes: {reason}");
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
fn metric_of(answer: Option<&Answer>, run: &Run) -> Option<Metric> {
    let answered = answer.and_then(|a| a.answered.as_ref());
    if answered.is_none() && run.spent.calls == 0 {
        return None;
    }
    let detection = answer.and_then(|a| a.detection.as_ref());
    let (avoided_usage, avoided_cost) = answer.map(|a| a.avoided).unwrap_or_default();
    Some(Metric {
        intent: detection.map_or(Intent::None, |detection| detection.intent()),
        agent: answered.and_then(|a| a.agent),
        model: answered.and_then(|a| a.model.clone()),
        cached: answered.is_some_and(|a| a.cached),
        latency: run.took,
        spent: run.spent,
        avoided_usage,
        avoided_cost,
    })
}
