//! Admission: who may ask a model now, and what becomes of who may not.
//!
//! One HTTP request is one admission and one row of the ledger; a retry, a
//! repair and a fallback ask anew. The store judges on the locked rows of the
//! scopes; this room says which scopes those are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use crate::domain::chat::{Event, Message};
use crate::domain::ids::Held;
use crate::domain::outcome::{ParkReason, Reason};
use crate::domain::usage::NanoUsd;
use crate::fault::Fault;
use crate::settings::{BudgetSettings, LimitSettings};
use crate::store::{Admission, AdmissionRequest, BudgetScope, RateScope, Store};
use crate::telemetry::metrics;

/// The limits of this deployment.
pub struct Limits {
    store: Arc<dyn Store>,
    rates: LimitSettings,
    budgets: BudgetSettings,
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
}

/// The right to send one request, lent by its worst case.
#[derive(Debug)]
pub struct Permit {
    /// Its row in the ledger.
    pub ledger: Uuid,
    send_by: Instant,
}

impl Permit {
    /// Whether it was kept for too long: the place it took may be counted as free again before
    /// the endpoint sees the request.
    pub fn is_stale(&self) -> bool {
        Instant::now() > self.send_by
    }
}

/// Why a request was not admitted.
#[derive(Debug)]
pub enum Refusal {
    /// A budget has no room for it.
    OverBudget {
        /// The budget's scope.
        scope: String,
    },
    /// What the message's fault is, whatever the agent would rather do.
    Fault(Fault),
}

impl Limits {
    /// The limits that the settings name.
    pub fn new(rates: LimitSettings, budgets: BudgetSettings, store: Arc<dyn Store>) -> Self {
        Self { store, rates, budgets }
    }

    /// Asks all scopes at once.
    ///
    /// # Errors
    /// A [`Refusal`]: a full window parks to the time at which its next place frees.
    pub async fn admit(&self, asking: &Asking<'_>) -> Result<Permit, Refusal> {
        let asked_at = Instant::now();
        let admission = self.store.admit(asking.held, &self.request(asking)).await;
        match admission.map_err(|error| Refusal::Fault(error.into()))? {
            Admission::Admitted { ledger } => {
                metrics::admission("admitted");
                Ok(Permit { ledger, send_by: asked_at + self.send_within() })
            }
            Admission::RateLimited { after, .. } => {
                metrics::admission("rate_limited");
                Err(Refusal::Fault(Fault::deferred(after, ParkReason::RateLimited)))
            }
            Admission::OverBudget { scope } => {
                metrics::admission("over_budget");
                Err(Refusal::OverBudget { scope })
            }
            Admission::Lost => Err(Refusal::Fault(Fault::transient(
                "the lease was lost before the model was asked",
            ))),
        }
    }

    /// What an agent without a fallback does about a spent budget.
    pub fn refuse(scope: &str) -> Fault {
        Fault::permanent(Reason::OverBudget, format_args!("{scope} has no room for the worst case"))
    }

    fn send_within(&self) -> Duration {
        Duration::from_millis(self.rates.send_within_ms)
    }

    fn request(&self, asking: &Asking<'_>) -> AdmissionRequest {
        AdmissionRequest {
            event: asking.event.id.clone(),
            tenant: asking.event.tenant.clone(),
            revision: asking.message.revision,
            agent: asking.agent,
            model: asking.model.to_owned(),
            fingerprint: asking.fingerprint.to_owned(),
            worst_case: asking.worst_case,
            rates: self.rate_scopes(asking),
            budgets: self.budget_scopes(asking),
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
        let scope =
            |(key, limit)| RateScope { key, limit, window, send_within: self.send_within() };
        limits.into_iter().filter(|(_, limit)| *limit > 0).map(scope).collect()
    }

    fn budget_scopes(&self, asking: &Asking<'_>) -> Vec<BudgetScope> {
        let budgets = [
            (format!("budget:event:{}", asking.event.id), self.budgets.event_usd),
            ("budget:total".to_owned(), self.budgets.total_usd),
        ];
        let scope = |(key, dollars)| BudgetScope { key, limit: NanoUsd::from_dollars(dollars) };
        budgets.into_iter().filter(|(_, dollars)| *dollars > 0.0).map(scope).collect()
    }
}
