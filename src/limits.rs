//! Admission: who may ask a model now, and what becomes of who may not.
//!
//! One HTTP request is one admission and one row of the ledger; a retry, a
//! repair and a fallback ask anew. The store judges on the locked rows of the
//! scopes; this room says which scopes those are.

mod budgets;

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::chat::{Event, Message};
use crate::domain::ids::Held;
use crate::domain::outcome::{ParkReason, Reason};
use crate::domain::usage::NanoUsd;
use crate::fault::Fault;
use crate::settings::{BudgetSettings, LimitSettings, OverBudget};
use crate::store::{Admission, AdmissionRequest, ProviderNeeds, RateScope, Store};
use crate::telemetry::metrics;

pub use budgets::{BudgetName, Budgets, Span};

/// The limits of this deployment.
pub struct Limits {
    store: Arc<dyn Store>,
    rates: LimitSettings,
    budgets: Budgets,
}

/// What one request wants to be admitted for.
#[derive(Debug)]
pub struct Asking<'a> {
    /// The claim under which it is asked.
    pub held: &'a Held,
    /// The event.
    pub event: &'a Event,
    /// The message.
    pub message: &'a Message,
    /// The agent.
    pub agent: &'static str,
    /// The model.
    pub model: &'a str,
    /// The question's fingerprint.
    pub fingerprint: &'a str,
    /// The most the request can cost.
    pub worst_case: NanoUsd,
    /// What it will likely cost.
    pub expected: NanoUsd,
    /// What it takes of the provider's limits.
    pub provider: ProviderNeeds,
    /// How long a connection to the endpoint may take: a request that was sent in time may arrive
    /// that much later.
    pub connect_timeout: Duration,
    /// Whether its message waits when it is refused.
    pub queues: bool,
}

/// The right to send one request, lent by its worst case.
#[derive(Debug)]
pub struct Permit {
    /// Its row in the ledger.
    pub ledger: Uuid,
    /// The most that the request should cost.
    pub worst_case: NanoUsd,
    asked_at: Instant,
    send_by: Instant,
}

impl Permit {
    /// Whether it was kept for too long: the place it took may be counted as free again before
    /// the endpoint sees the request.
    pub fn is_stale(&self) -> bool {
        Instant::now() > self.send_by
    }

    /// How long ago it was asked for: no shorter than since its place was taken.
    pub fn age(&self) -> Duration {
        self.asked_at.elapsed()
    }
}

/// Why a request was not admitted.
#[derive(Debug)]
pub enum Refusal {
    /// The provider asked all replicas for a pause; somebody else may be asked.
    Unavailable(Fault),
    /// A budget is spent: what costs no more than the room may still be asked.
    OverBudget {
        /// The budget's scope.
        budget: String,
        /// What its settings do about it: [`OverBudget::Degrade`] or [`OverBudget::Refuse`].
        over: OverBudget,
        /// What a request may cost at most.
        room: NanoUsd,
    },
    /// What the message's fault is, whatever the agent would rather do.
    Fault(Fault),
}

impl Limits {
    /// The limits that the settings name.
    pub fn new(rates: LimitSettings, budgets: BudgetSettings, store: Arc<dyn Store>) -> Self {
        Self { store, rates, budgets: Budgets::new(budgets) }
    }

    /// Asks all scopes at once.
    ///
    /// # Errors
    /// A [`Refusal`]: a full window parks to the message's own place in the line.
    pub async fn admit(&self, asking: &Asking<'_>) -> Result<Permit, Refusal> {
        let asked_at = Instant::now();
        let admission = self.store.admit(asking.held, &self.request(asking)).await;
        let admission = admission.map_err(|error| Refusal::Fault(error.into()))?;
        metrics::admission(verdict(&admission));
        let parked = |after, reason| Refusal::Fault(Fault::deferred(after, reason));
        Err(match admission {
            Admission::Admitted { ledger } => {
                let (worst_case, send_by) = (asking.worst_case, asked_at + self.send_within());
                return Ok(Permit { ledger, worst_case, asked_at, send_by });
            }
            Admission::ProviderPaused { after } => {
                Refusal::Unavailable(Fault::deferred(after, ParkReason::ProviderPaused))
            }
            Admission::RateLimited { after, .. } => parked(after, ParkReason::RateLimited),
            Admission::BudgetBusy { after, .. } => parked(after, ParkReason::BudgetBusy),
            Admission::BudgetSpent { after, .. } => parked(after, ParkReason::BudgetSpent),
            Admission::OverBudget { budget, room } => {
                Refusal::OverBudget { over: self.budgets.over(&budget), budget, room }
            }
            Admission::Lost => {
                Refusal::Fault(Fault::transient("the lease was lost before the model was asked"))
            }
        })
    }

    /// The fault of a message for which a spent budget has no room, and nothing cheaper is to be had.
    pub fn refuse(budget: &str) -> Fault {
        Fault::permanent(
            Reason::OverBudget,
            format_args!("{budget} has no room for the worst case"),
        )
    }

    fn send_within(&self) -> Duration {
        Duration::from_millis(self.rates.send_within_ms)
    }

    fn request(&self, asking: &Asking<'_>) -> AdmissionRequest {
        AdmissionRequest {
            event: asking.event.id.clone(),
            tenant: asking.event.tenant.clone(),
            revision: asking.message.revision,
            sent_at: asking.message.sent_at,
            agent: asking.agent,
            model: asking.model.to_owned(),
            fingerprint: asking.fingerprint.to_owned(),
            worst_case: asking.worst_case,
            expected: asking.expected,
            rates: self.rate_scopes(asking),
            budgets: self.budgets.scopes(asking.event, jiff::Timestamp::now()),
            provider: Some(asking.provider.clone()),
            queues: asking.queues,
        }
    }

    fn rate_scopes(&self, asking: &Asking<'_>) -> Vec<RateScope> {
        let event = asking.event.id.as_str();
        let limits = [
            (format!("rate:event:{event}"), self.rates.event_per_window),
            (
                format!("rate:sender:{event}:{}", asking.message.sender),
                self.rates.sender_per_window,
            ),
        ];
        let window = Duration::from_secs(self.rates.window_s);
        let send_within = self.send_within() + asking.connect_timeout;
        let scope = |(key, limit)| RateScope { key, limit, window, send_within };
        limits.into_iter().filter(|(_, limit)| *limit > 0).map(scope).collect()
    }
}

fn verdict(admission: &Admission) -> &'static str {
    match admission {
        Admission::Admitted { .. } => "admitted",
        Admission::ProviderPaused { .. } => "provider_paused",
        Admission::RateLimited { .. } => "rate_limited",
        Admission::BudgetBusy { .. } => "budget_busy",
        Admission::BudgetSpent { .. } => "budget_spent",
        Admission::OverBudget { .. } => "over_budget",
        Admission::Lost => "lost",
    }
}
