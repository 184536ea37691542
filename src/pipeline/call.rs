//! One HTTP request to a model: breaker, admission, the call, the ledger.
//!
//! Whatever comes back is settled with the ledger before anything else happens.

use std::time::{Duration, Instant};

use tracing::{debug, warn};

use super::ask::{Asked, Call, Unanswered};
use super::over_budget::Spent;
use super::{AWAY, About, Pipeline};
use crate::domain::outcome::{ParkReason, Reason};
use crate::domain::usage::{NanoUsd, Tier, Usage};
use crate::fault::Fault;
use crate::limits::{Asking, Permit, Refusal};
use crate::model::access::{Closed, Needs};
use crate::model::{Billing, Bound, ModelError, ModelResponse};
use crate::settings::OverBudget;
use crate::store::{Charge, Heard, ProviderNeeds, StoreError};
use crate::telemetry::metrics;

/// How long an item waits when its operator paused Gleaner; who resumes wakes it sooner.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a message waits whose permit was kept for too long: this process is short of time.
const SOON: Duration = Duration::from_millis(200);

impl Pipeline {
    /// Makes one request, if it may be made.
    pub(super) async fn try_once(
        &self,
        asked: &Asked<'_>,
        call: &Call<'_>,
    ) -> Result<Result<ModelResponse, ModelError>, Unanswered> {
        if self.runtime.borrow().paused {
            return Err(Fault::deferred(PAUSE, ParkReason::Paused).into());
        }
        let model = &call.choice.model;
        let forecast = call.choice.estimates.expected_usage(model.name(), call.request);
        let needs = Needs { input: forecast.prompt(), output: call.request.max_tokens.into() };
        let entry = call.choice.access.enter(needs).await.map_err(turned_away)?;
        let permit = self.permit(asked, call, &forecast).await?;
        let started = Instant::now();
        let answered = model.ask(call.request, permit.ledger).await;
        let held = permit.age();
        let result = if answered.is_ok() { "answered" } else { "failed" };
        metrics::model_call(call.request.agent, model.name(), result, started.elapsed());
        entry.saw(&answered);
        self.settle_ledger(asked, call, &permit, &answered).await?;
        self.pass_on(call, &permit, held, &answered).await;
        Ok(answered)
    }

    /// An admission that is still fresh; one that was kept for too long is returned, and its message parked.
    async fn permit(
        &self,
        asked: &Asked<'_>,
        call: &Call<'_>,
        forecast: &Usage,
    ) -> Result<Permit, Unanswered> {
        let asking = asking(asked, call, forecast)?;
        if let Some(room) = call.room.filter(|room| asking.worst_case > *room) {
            let (budget, over) = (String::new(), OverBudget::Degrade);
            return Err(Unanswered::OverBudget(Spent { budget, over, room }));
        }
        let permit = match self.admitted(&asking).await {
            Ok(permit) => permit,
            Err(Refusal::OverBudget { budget, over, room }) => {
                return Err(Unanswered::OverBudget(Spent { budget, over, room }));
            }
            Err(Refusal::Unavailable(fault)) => return Err(Unanswered::Unavailable(fault)),
            Err(Refusal::Fault(fault)) => return Err(fault.into()),
        };
        if permit.is_stale() {
            self.store.refund(permit.ledger, true).await?;
            return Err(Fault::deferred(SOON, ParkReason::RateLimited).into());
        }
        Ok(permit)
    }

    /// Asks the limits, and once more after a pause that all replicas keep and that is short enough
    /// to be sat out.
    async fn admitted(&self, asking: &Asking<'_>) -> Result<Permit, Refusal> {
        match self.limits.admit(asking).await {
            Err(Refusal::Unavailable(Fault::Deferred { after, .. }))
                if after <= self.retry.longest_in_place =>
            {
                tokio::time::sleep(after + self.retry.pauses.after(1)).await;
                self.limits.admit(asking).await
            }
            admitted => admitted,
        }
    }

    /// Tells all replicas what the request taught: places that free sooner, and what the provider
    /// said. Nothing is lost when it cannot be told: places free by themselves, and the next
    /// response says it again.
    async fn pass_on(
        &self,
        call: &Call<'_>,
        permit: &Permit,
        held: Duration,
        answered: &Result<ModelResponse, ModelError>,
    ) {
        let reached = answered.as_ref().err().is_none_or(ModelError::is_from_provider);
        let word = call.choice.access.word(answered);
        let heard = Heard { arrived_within: reached.then_some(held), word };
        if heard != Heard::default()
            && let Err(error) = self.store.heard(permit.ledger, &heard).await
        {
            debug!(%error, "could not tell what a request taught");
        }
    }

    /// Charges, refunds or marks the request, at once and by itself.
    async fn settle_ledger(
        &self,
        asked: &Asked<'_>,
        call: &Call<'_>,
        permit: &Permit,
        answered: &Result<ModelResponse, ModelError>,
    ) -> Result<(), StoreError> {
        let billing = match answered {
            Ok(response) => {
                let ModelResponse { usage, tier, ref model, .. } = *response;
                Billing::Charged { usage, tier, model: model.clone() }
            }
            Err(error) => error.billing(),
        };
        let (usage, tier, answering) = match billing {
            Billing::Nothing { sent } => return self.store.refund(permit.ledger, !sent).await,
            Billing::Ambiguous => {
                asked.add(Usage::default(), NanoUsd::ZERO);
                return self.store.mark_ambiguous(permit.ledger).await;
            }
            Billing::Charged { usage, tier, model } => (usage, tier, model),
        };
        let model = call.choice.model.name();
        if tier != Tier::Total {
            call.choice.estimates.learn(model, call.request, &usage);
        }
        let cost = call.choice.prices.price(tier, &usage, jiff::Timestamp::now());
        match cost {
            Some(cost) => count_cost(model, permit, cost),
            None => call.choice.prices.note_unpriced(tier),
        }
        asked.add(usage, cost.unwrap_or(NanoUsd::ZERO));
        count_tokens(model, &usage);
        let answer = answered.as_ref().ok().map(|response| response.answer.clone());
        self.charge(permit, &Charge { usage, cost, model: answering, answer }).await
    }

    /// Charges a paid answer, for as long as the deadline lets it: what is not written down is paid
    /// for once more.
    async fn charge(&self, permit: &Permit, charge: &Charge) -> Result<(), StoreError> {
        let mut pauses = AWAY.pauses();
        let mut is_first = true;
        loop {
            match self.store.charge(permit.ledger, charge).await {
                Err(error @ StoreError::Unavailable(_)) => {
                    warn!(%error, "could not charge an answer; trying again");
                }
                // A try before may have come through unheard.
                Ok(false) if is_first => {
                    let (ledger, cost) = (permit.ledger, charge.cost.unwrap_or(NanoUsd::ZERO));
                    warn!(%ledger, %cost, "a late answer was billed whose ledger row a person had closed: the row stays as it is");
                    return Ok(());
                }
                charged => return charged.map(drop),
            }
            is_first = false;
            tokio::time::sleep(pauses.next()).await;
        }
    }
}

/// What the request asks of the limits.
fn asking<'a>(
    asked: &Asked<'a>,
    call: &'a Call<'_>,
    forecast: &Usage,
) -> Result<Asking<'a>, Fault> {
    let About { claim, message, event, .. } = *asked.about;
    let (choice, request) = (call.choice, call.request);
    let model = choice.model.name();
    let (bound, now) = (Bound::of(choice.model.as_ref(), request), jiff::Timestamp::now());
    let worst_case = choice.prices.worst_case(&bound, now);
    let Some(worst_case) = worst_case else {
        return Err(Fault::permanent(Reason::Unpriced, format_args!("{model} has no price")));
    };
    let expected = choice.prices.price(Tier::Standard, forecast, now).unwrap_or(worst_case);
    Ok(Asking {
        held: &claim.held,
        event,
        message,
        agent: request.agent,
        model,
        fingerprint: call.fingerprint,
        worst_case,
        expected: expected.min(worst_case),
        provider: ProviderNeeds {
            account: choice.endpoint.clone(),
            model: model.to_owned(),
            input: forecast.prompt(),
            output: request.max_tokens.into(),
        },
        connect_timeout: choice.connect_timeout,
        queues: asked.waits,
    })
}

/// A model that answers is worth waiting for; for one that does not, a fallback may be asked.
fn turned_away(closed: Closed) -> Unanswered {
    match closed {
        Closed::Unavailable(after) => {
            Unanswered::Unavailable(Fault::deferred(after, ParkReason::ProviderPaused))
        }
        Closed::Busy(after) => Fault::deferred(after, ParkReason::ModelBusy).into(),
    }
}

/// Counts what a request cost, and says when it was more than it should have been.
fn count_cost(model: &str, permit: &Permit, cost: NanoUsd) {
    metrics::cost(model, cost);
    if cost > permit.worst_case {
        metrics::debt(model, cost - permit.worst_case);
        warn!(model, ledger = %permit.ledger, billed = %cost, allowed = %permit.worst_case, "a request was billed above the most that it should have cost");
    }
}

fn count_tokens(model: &str, usage: &Usage) {
    let classes = [
        ("input", usage.input),
        ("output", usage.output),
        ("cache_read", usage.cache_read),
        ("cache_write_5m", usage.cache_write_5m),
        ("cache_write_1h", usage.cache_write_1h),
    ];
    for (class, count) in classes.into_iter().filter(|(_, count)| *count > 0) {
        metrics::tokens(model, class, count);
    }
}
