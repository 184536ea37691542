//! An endpoint as all its models share it: one account, one key, one credit.
//!
//! A stop of the account pauses every model and agent there. When the pause is
//! over one request tries; if the account is still stopped, the pause doubles.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::{ModelError, ModelResponse};
use crate::telemetry::metrics;

/// The first pause of an account that does not say until when it is stopped.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause that nobody asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The longest pause that the provider can ask for: a person may act sooner than it says.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3600);

/// How long those wait who find another one trying.
const WHILE_TRIED: Duration = Duration::from_secs(1);

/// An endpoint, shared by all its models.
#[derive(Debug)]
pub struct Account {
    endpoint: String,
    /// How long a request that tries may take before another one does.
    try_within: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Served,
    Stopped {
        since: Instant,
        until: Instant,
        pause: Duration,
    },
    /// One request is out to see whether it is served again.
    Tried {
        since: Instant,
        stopped: Instant,
        pause: Duration,
    },
}

impl Account {
    /// One that is served.
    pub(super) fn new(endpoint: &str, call_timeout: Duration) -> Self {
        let state = Mutex::new(State::Served);
        Self { endpoint: endpoint.to_owned(), try_within: call_timeout, state }
    }

    /// The endpoint's name in the settings.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether it is known to be stopped.
    pub fn is_stopped(&self) -> bool {
        !matches!(*self.lock(), State::Served)
    }

    /// How long a request would have to wait.
    pub(super) fn wait_at(&self, now: Instant) -> Option<Duration> {
        match *self.lock() {
            State::Served => None,
            State::Stopped { until, .. } => (now < until).then(|| until - now),
            State::Tried { since, .. } => (now < since + self.try_within).then_some(WHILE_TRIED),
        }
    }

    /// Whether a request may go out; `Ok(true)`: it is the one that tries.
    pub(super) fn allow_at(&self, now: Instant) -> Result<bool, Duration> {
        if let Some(after) = self.wait_at(now) {
            return Err(after);
        }
        let mut state = self.lock();
        match *state {
            State::Served => Ok(false),
            State::Stopped { since: stopped, pause, .. } | State::Tried { stopped, pause, .. } => {
                *state = State::Tried { since: now, stopped, pause };
                Ok(true)
            }
        }
    }

    /// The request that tried was not sent: the next one tries.
    pub(super) fn untried(&self, now: Instant) {
        self.untried_by(now, now);
    }

    /// A request that says nothing of the account; if it was the one that tried, the next one does.
    fn untried_by(&self, started: Instant, now: Instant) {
        let mut state = self.lock();
        if let State::Tried { since, stopped, pause } = *state
            && started >= since
        {
            *state = State::Stopped { since: stopped, until: now, pause };
        }
    }

    /// Takes in what became of a request that was sent at `started`.
    pub(super) fn saw_at(
        &self,
        started: Instant,
        now: Instant,
        result: &Result<ModelResponse, ModelError>,
    ) {
        match result {
            Err(error) => match error.account_stop() {
                Some(asked) => self.stop(asked, now, error),
                None if error.is_from_provider() => self.serve(started),
                None => self.untried_by(started, now),
            },
            Ok(_) => self.serve(started),
        }
    }

    /// Stops it; warned of once, however many requests find out.
    fn stop(&self, asked: Option<Duration>, now: Instant, error: &ModelError) {
        let mut state = self.lock();
        let (since, pause, is_new) = match *state {
            State::Served => (now, FIRST_PAUSE, true),
            // Requests from before it stopped: nothing new, but for a date.
            State::Stopped { since, pause, .. } => (since, pause, false),
            State::Tried { stopped, pause, .. } => {
                (stopped, pause.saturating_mul(2).min(LONGEST_PAUSE), false)
            }
        };
        let until = now + asked.map_or(pause, |asked| asked.min(LONGEST_ASKED));
        let until = match *state {
            State::Stopped { until: before, .. } => until.max(before),
            State::Served | State::Tried { .. } => until,
        };
        *state = State::Stopped { since, until, pause };
        drop(state);
        if is_new {
            let endpoint = &self.endpoint;
            metrics::endpoint_stopped(endpoint, true);
            warn!(endpoint, %error, pause_s = (until - now).as_secs(),
                  "endpoint {endpoint} does not serve this account: nothing is asked there until the pause is over");
        }
    }

    /// An answer from after the stop means that it is over.
    fn serve(&self, started: Instant) {
        let mut state = self.lock();
        let stopped = match *state {
            State::Served => return,
            State::Stopped { since, .. } => since,
            State::Tried { stopped, .. } => stopped,
        };
        if started <= stopped {
            return;
        }
        *state = State::Served;
        drop(state);
        metrics::endpoint_stopped(&self.endpoint, false);
        info!(endpoint = self.endpoint, "endpoint {} serves this account again", self.endpoint);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing can panic while it is held, and its state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::usage::{Tier, Usage};

    const SECOND: Duration = Duration::from_secs(1);

    fn account() -> (Account, Instant) {
        (Account::new("anthropic", 60 * SECOND), Instant::now())
    }

    fn stopped(retry_after: Option<Duration>) -> Result<ModelResponse, ModelError> {
        Err(ModelError::AccountStopped { message: "credit".into(), retry_after })
    }

    fn answered() -> Result<ModelResponse, ModelError> {
        let (model, usage) = ("m".into(), Usage::default());
        Ok(ModelResponse { model, answer: json!({}), usage, tier: Tier::Standard })
    }

    #[test]
    fn a_stop_holds_for_all_and_then_one_tries() {
        let (account, now) = account();
        assert_eq!(account.allow_at(now), Ok(false));
        account.saw_at(now, now, &stopped(None));
        assert_eq!(account.allow_at(now + SECOND), Err(59 * SECOND));
        let later = now + 60 * SECOND;
        assert_eq!(account.allow_at(later), Ok(true));
        assert_eq!(account.allow_at(later), Err(WHILE_TRIED));
        account.saw_at(later, later + SECOND, &answered());
        assert_eq!(account.allow_at(later + SECOND), Ok(false));
        assert!(!account.is_stopped());
    }

    #[test]
    fn an_account_that_stays_stopped_is_tried_ever_less_often() {
        let (account, mut now) = account();
        account.saw_at(now, now, &stopped(None));
        for pause in [60, 120, 240, 480, 900, 900] {
            assert_eq!(account.allow_at(now), Err(pause * SECOND));
            now += pause * SECOND;
            assert_eq!(account.allow_at(now), Ok(true));
            account.saw_at(now, now, &stopped(None));
        }
    }

    #[test]
    fn a_date_that_the_provider_names_is_waited_for() {
        let (account, now) = account();
        account.saw_at(now, now, &stopped(Some(7200 * SECOND)));
        assert_eq!(account.allow_at(now), Err(7200 * SECOND));
        let (account, now) = self::account();
        account.saw_at(now, now, &stopped(Some(90 * 86_400 * SECOND)));
        assert_eq!(account.allow_at(now), Err(LONGEST_ASKED));
    }

    #[test]
    fn requests_from_before_the_stop_neither_end_nor_lengthen_it() {
        let (account, now) = account();
        let stop = now + SECOND;
        account.saw_at(now, stop, &stopped(None));
        account.saw_at(now, stop + SECOND, &answered());
        assert!(account.is_stopped());
        account.saw_at(now, stop, &stopped(None));
        assert_eq!(account.allow_at(stop), Err(60 * SECOND));
    }

    #[test]
    fn a_try_that_was_not_sent_or_never_reports_is_followed_by_another() {
        let (account, now) = account();
        account.saw_at(now, now, &stopped(None));
        let later = now + 60 * SECOND;
        assert_eq!(account.allow_at(later), Ok(true));
        account.untried(later);
        assert_eq!(account.allow_at(later), Ok(true));
        assert_eq!(account.allow_at(later + 60 * SECOND), Ok(true));
    }

    #[test]
    fn a_connection_that_fails_says_nothing_of_the_account() {
        let (account, now) = account();
        account.saw_at(now, now, &stopped(None));
        let later = now + 60 * SECOND;
        assert_eq!(account.allow_at(later), Ok(true));
        account.saw_at(later, later, &Err(ModelError::NotConnected("refused".into())));
        assert!(account.is_stopped());
        assert_eq!(account.allow_at(later), Ok(true));
    }
}
