//! The way to one model at one endpoint, shared by all who ask it: the account,
//! the breaker, the places in flight and what is left of the provider's limits.
//!
//! All of it is this process's own view; what a request taught is passed on to
//! the other replicas as a [`ProviderWord`].

use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::breaker::{Breaker, BreakerPolicy, BreakerState};
use super::concurrency::Ended;
use super::gate::{Gate, Place, SentAway, now};
use super::headroom::LONGEST_HOLD;
use super::{ModelError, ModelResponse};
use crate::store::{Left, ProviderWord};
use crate::telemetry::metrics;

pub use super::headroom::Needs;

/// How long a 429 that does not say until when keeps all replicas back.
const UNSAID_PAUSE: Duration = Duration::from_secs(1);

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

    /// What a request taught of the provider's limits, for the other replicas; `None`: nothing.
    pub fn word(&self, result: &Result<ModelResponse, ModelError>) -> Option<ProviderWord> {
        let said = self.gate.take_said().unwrap_or_default();
        // Nobody hears of the end of a pause in which nobody asks: then one goes out and asks anew.
        let bounded = |pause: Duration| pause.min(LONGEST_HOLD);
        let left = |left: Left| Left { reset: bounded(left.reset), ..left };
        let word = ProviderWord {
            account_pause: self.account.wait_at(now()).map(bounded),
            model_pause: result.as_ref().err().and_then(asked_pause).map(bounded),
            requests: said.requests.map(left),
            input: said.input.map(left),
            output: said.output.map(left),
            ..ProviderWord::default()
        };
        let (account, model) = (self.account.endpoint().to_owned(), self.model.clone());
        (word != ProviderWord::default()).then_some(ProviderWord { account, model, ..word })
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

/// How long the provider asked to be left alone by everybody who asks this model.
fn asked_pause(error: &ModelError) -> Option<Duration> {
    match error {
        ModelError::RateLimited { retry_after } => Some(retry_after.unwrap_or(UNSAID_PAUSE)),
        ModelError::Overloaded { retry_after } => *retry_after,
        ModelError::OnlyLater(error) => asked_pause(error),
        ModelError::NotConnected(_)
        | ModelError::TimedOut(_)
        | ModelError::Cut(_)
        | ModelError::Server { .. }
        | ModelError::AccountStopped { .. }
        | ModelError::ModelMissing(_)
        | ModelError::Rejected { .. }
        | ModelError::TooLong { .. }
        | ModelError::Refused { .. }
        | ModelError::Unusable { .. }
        | ModelError::Unreadable(_) => None,
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
