//! The way to one model at one endpoint, shared by all who ask it: the account,
//! the breaker, the places in flight and what is left of the provider's limits.
//!
//! All of it is this process's own view. Each part takes what it learns as
//! plain values, so that replicas may one day tell each other.

use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::breaker::{Breaker, BreakerPolicy, BreakerState};
use super::concurrency::Ended;
use super::gate::{Gate, Place, SentAway, now};
use super::{ModelError, ModelResponse};
use crate::telemetry::metrics;

pub use super::headroom::Needs;

/// The way to one model at one endpoint.
#[derive(Debug)]
pub struct Access {
    model: String,
    account: Arc<Account>,
    breaker: Breaker,
    gate: Arc<Gate>,
}

/// Why a request may not go out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The model is unavailable for this long: stopped, failing, or out of the provider's limits.
    Unavailable(Duration),
    /// It answers, and all places in flight are taken; the request's turn comes after this time.
    Busy(Duration),
}

/// The right to send one request; given back when dropped.
#[derive(Debug)]
pub struct Entry<'a> {
    access: &'a Access,
    /// Taken until the request has ended.
    place: Option<Place>,
    tries_account: bool,
    probes: bool,
}

impl Access {
    /// The way to a model of an account.
    pub(super) fn new(
        model: &str,
        account: Arc<Account>,
        policy: BreakerPolicy,
        concurrency: u32,
    ) -> Self {
        let (breaker, gate) = (Breaker::new(policy), Gate::new(concurrency));
        Self { model: model.to_owned(), account, breaker, gate }
    }

    /// The right to send one request, at once or after a short time in line.
    ///
    /// # Errors
    /// When it cannot be had now, and how long to wait.
    pub async fn enter(&self, needs: Needs) -> Result<Entry<'_>, Closed> {
        if let Some(after) = self.wait() {
            return Err(Closed::Unavailable(after));
        }
        let place = self.gate.enter(needs).await.map_err(|sent_away| match sent_away {
            SentAway::Busy(after) => Closed::Busy(after),
            SentAway::Held(after) => Closed::Unavailable(after),
        })?;
        // Asked again: those before it in line may have met a stop or an open breaker.
        let tries_account = self.account.allow_at(now()).map_err(Closed::Unavailable)?;
        let mut entry = Entry { access: self, place: Some(place), tries_account, probes: false };
        entry.probes = self.breaker.allow_at(now()).map_err(Closed::Unavailable)?;
        Ok(entry)
    }

    /// The endpoint's account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The breaker's state.
    pub fn breaker(&self) -> BreakerState {
        self.breaker.state()
    }

    /// The most requests that may be in flight now.
    pub fn concurrency(&self) -> u32 {
        self.gate.limit()
    }

    /// Whom responses tell what is left of the provider's limits.
    pub(super) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gate)
    }

    /// How long a request would have to wait, whatever is in flight.
    fn wait(&self) -> Option<Duration> {
        let now = now();
        self.account.wait_at(now).max(self.breaker.wait_at(now))
    }

    fn count(&self) {
        let open = self.breaker.state() != BreakerState::Closed;
        let endpoint = self.account.endpoint();
        metrics::endpoint_stopped(endpoint, self.account.is_stopped());
        metrics::model_access(endpoint, &self.model, open, self.gate.limit());
    }
}

impl Entry<'_> {
    /// Tells what became of the request; its place is free again.
    pub fn saw(mut self, result: &Result<ModelResponse, ModelError>) {
        let Some(place) = self.place.take() else { return };
        self.access.account.saw_at(place.taken(), now(), result);
        self.access.breaker.saw_at(now(), result);
        place.ended(ended(result));
        self.access.count();
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if self.place.is_none() {
            return;
        }
        if self.tries_account {
            self.access.account.untried(now());
        }
        if self.probes {
            self.access.breaker.unsent_at(now());
        }
    }
}

/// What a result says of the number in flight.
fn ended(result: &Result<ModelResponse, ModelError>) -> Ended {
    match result {
        Ok(_) => Ended::Answered,
        Err(error) => ended_by(error),
    }
}

fn ended_by(error: &ModelError) -> Ended {
    match error {
        ModelError::RateLimited { .. } | ModelError::Overloaded { .. } => Ended::TooMany,
        ModelError::Refused { .. } | ModelError::Unusable { .. } => Ended::Answered,
        ModelError::OnlyLater(error) => ended_by(error),
        ModelError::NotConnected(_)
        | ModelError::TimedOut(_)
        | ModelError::Cut(_)
        | ModelError::Server { .. }
        | ModelError::AccountStopped { .. }
        | ModelError::ModelMissing(_)
        | ModelError::Rejected { .. }
        | ModelError::TooLong { .. }
        | ModelError::Unreadable(_) => Ended::Neither,
    }
}
