//! The circuit breaker of an endpoint and model, in this process.
//!
//! ```text
//!          k failures                    pause over: one probe
//! closed ────────────► open ──────────────────────────────────► half-open
//!    ▲                  ▲   fails: the pause doubles               │
//!    │                  └──────────────────────────────────────────┤
//!    └──────────────────── answers ────────────────────────────────┘
//! ```
//! Beside it stands the pause that a provider asked for itself, which ends by itself. What stops
//! the whole account is not this model's alone: see `account`.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{ModelError, ModelResponse};

/// How long those wait who find a probe under way.
const WHILE_PROBED: Duration = Duration::from_secs(1);

/// When a breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// How many failures in a row open it.
    pub failures: u32,
    /// The first pause.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long a probe may take before another one is let through; at least the call's time-out,
    /// because a probe whose worker stopped never reports.
    pub probe_within: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            failures: 5,
            first_pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(300),
            probe_within: Duration::from_secs(60),
        }
    }
}

/// Keeps requests from an endpoint that fails; shared by all who ask one model there.
#[derive(Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// The provider's own pause.
    paused_until: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, pause: Duration },
    HalfOpen { since: Instant, pause: Duration },
}

/// A breaker's state, for metrics and `readyz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Requests go through.
    Closed,
    /// None does.
    Open,
    /// One is trying.
    HalfOpen,
}

impl Breaker {
    /// A closed one.
    pub fn new(policy: BreakerPolicy) -> Self {
        let inner = Inner { state: State::Closed { failures: 0 }, paused_until: None };
        Self { policy, inner: Mutex::new(inner) }
    }

    /// Tells that the probe was not sent after all: the next request is one.
    pub fn unsent_at(&self, now: Instant) {
        let mut inner = self.lock();
        if let State::HalfOpen { pause, .. } = inner.state {
            inner.state = State::Open { until: now, pause };
        }
    }

    /// Its state now.
    pub fn state(&self) -> BreakerState {
        match self.lock().state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// How long a request would have to wait; `None`: it may go out.
    pub fn wait_at(&self, now: Instant) -> Option<Duration> {
        self.wait(&self.lock(), now)
    }

    /// Whether a request may go out; `Ok(true)`: it is the probe.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub fn allow_at(&self, now: Instant) -> Result<bool, Duration> {
        let mut inner = self.lock();
        if let Some(wait) = self.wait(&inner, now) {
            return Err(wait);
        }
        match inner.state {
            State::Closed { .. } => Ok(false),
            State::Open { pause, .. } | State::HalfOpen { pause, .. } => {
                inner.state = State::HalfOpen { since: now, pause };
                Ok(true)
            }
        }
    }

    fn wait(&self, inner: &Inner, now: Instant) -> Option<Duration> {
        let left = |until: Instant| (now < until).then(|| until - now);
        inner.paused_until.and_then(left).or(match inner.state {
            State::Closed { .. } => None,
            State::Open { until, .. } => left(until),
            State::HalfOpen { since, .. } => {
                left(since + self.policy.probe_within).map(|_| WHILE_PROBED)
            }
        })
    }

    /// Tells what became of a request that was allowed.
    pub fn saw_at(&self, now: Instant, result: &Result<ModelResponse, ModelError>) {
        let mut inner = self.lock();
        let error = result.as_ref().err();
        if let Some(pause) = error.and_then(asked_pause) {
            let until = now.checked_add(pause);
            inner.paused_until = inner.paused_until.max(until);
        }
        inner.state = if error.is_some_and(is_failure) {
            self.after_failure(inner.state, now)
        } else {
            State::Closed { failures: 0 }
        };
    }

    fn after_failure(&self, state: State, now: Instant) -> State {
        let open = |pause: Duration| {
            let pause = pause.min(self.policy.longest_pause);
            State::Open { until: now + pause, pause }
        };
        match state {
            State::Closed { failures } if failures + 1 < self.policy.failures => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => open(self.policy.first_pause),
            State::HalfOpen { pause, .. } => open(pause.saturating_mul(2)),
            // A request from before it opened: nothing new.
            State::Open { .. } => state,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // Nothing can panic while it is held, and its state would still be whole.
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether the endpoint failed, rather than answered something unwelcome.
fn is_failure(error: &ModelError) -> bool {
    match error {
        ModelError::NotConnected(_)
        | ModelError::TimedOut(_)
        | ModelError::Cut(_)
        | ModelError::Overloaded { .. }
        | ModelError::Server { .. }
        | ModelError::Unreadable(_) => true,
        ModelError::RateLimited { .. }
        | ModelError::AccountStopped { .. }
        | ModelError::ModelMissing(_)
        | ModelError::Rejected { .. }
        | ModelError::TooLong { .. }
        | ModelError::Refused { .. }
        | ModelError::Unusable { .. } => false,
        ModelError::OnlyLater(error) => is_failure(error),
    }
}

/// The pause that the provider asked for: nobody else needs to be told the same. A stopped account
/// is not this model's alone, and has its own pause.
fn asked_pause(error: &ModelError) -> Option<Duration> {
    match error {
        ModelError::RateLimited { retry_after } | ModelError::Overloaded { retry_after } => {
            *retry_after
        }
        ModelError::ModelMissing(_) => Some(super::retry::RetryPolicy::default().account_pause),
        ModelError::OnlyLater(error) => asked_pause(error),
        ModelError::NotConnected(_)
        | ModelError::TimedOut(_)
        | ModelError::Cut(_)
        | ModelError::Server { .. }
        | ModelError::AccountStopped { .. }
        | ModelError::Rejected { .. }
        | ModelError::TooLong { .. }
        | ModelError::Refused { .. }
        | ModelError::Unusable { .. }
        | ModelError::Unreadable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::usage::{Tier, Usage};

    const SECOND: Duration = Duration::from_secs(1);

    fn answered() -> Result<ModelResponse, ModelError> {
        let (model, usage) = ("m".into(), Usage::default());
        Ok(ModelResponse { model, answer: json!({}), usage, tier: Tier::Standard })
    }

    fn failed() -> Result<ModelResponse, ModelError> {
        Err(ModelError::Overloaded { retry_after: None })
    }

    /// A breaker that has just opened for five seconds, and when.
    fn opened() -> (Breaker, Instant) {
        let (breaker, now) = (Breaker::new(BreakerPolicy::default()), Instant::now());
        for _ in 0..5 {
            assert!(breaker.allow_at(now).is_ok());
            breaker.saw_at(now, &failed());
        }
        (breaker, now)
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::new(BreakerPolicy::default()), Instant::now());
        for _ in 0..4 {
            breaker.saw_at(now, &failed());
        }
        breaker.saw_at(now, &answered());
        for _ in 0..4 {
            breaker.saw_at(now, &failed());
        }
        assert!(breaker.allow_at(now).is_ok());
        breaker.saw_at(now, &failed());
        assert_eq!(breaker.allow_at(now), Err(5 * SECOND));
        assert_eq!(breaker.state(), BreakerState::Open);
    }

    #[test]
    fn after_the_pause_one_probe_goes_out_and_its_answer_closes() {
        let (breaker, now) = opened();
        let later = now + 5 * SECOND;
        assert!(breaker.allow_at(later).is_ok());
        assert_eq!(breaker.allow_at(later), Err(WHILE_PROBED));
        breaker.saw_at(later, &answered());
        assert!(breaker.allow_at(later).is_ok());
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn a_probe_that_fails_doubles_the_pause_up_to_the_longest() {
        let (breaker, mut now) = opened();
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            assert_eq!(breaker.allow_at(now), Err(pause * SECOND));
            now += pause * SECOND;
            assert!(breaker.allow_at(now).is_ok());
            breaker.saw_at(now, &failed());
        }
    }

    #[test]
    fn a_probe_that_never_reports_is_followed_by_another() {
        let (breaker, now) = opened();
        assert!(breaker.allow_at(now + 5 * SECOND).is_ok());
        assert_eq!(breaker.allow_at(now + 64 * SECOND), Err(WHILE_PROBED));
        assert!(breaker.allow_at(now + 65 * SECOND).is_ok());
    }

    #[test]
    fn a_probe_that_was_not_sent_leaves_its_place_to_the_next() {
        let (breaker, now) = opened();
        let later = now + 5 * SECOND;
        assert!(breaker.allow_at(later).is_ok());
        breaker.unsent_at(later);
        assert!(breaker.allow_at(later).is_ok());
        assert_eq!(breaker.allow_at(later), Err(WHILE_PROBED));
    }

    #[test]
    fn failures_of_requests_from_before_it_opened_change_nothing() {
        let (breaker, now) = opened();
        breaker.saw_at(now + SECOND, &failed());
        assert_eq!(breaker.allow_at(now + SECOND), Err(4 * SECOND));
    }

    #[test]
    fn a_pause_that_the_provider_asked_for_holds_for_all_and_ends_by_itself() {
        let (breaker, now) = (Breaker::new(BreakerPolicy::default()), Instant::now());
        breaker.saw_at(now, &Err(ModelError::RateLimited { retry_after: Some(300 * SECOND) }));
        assert_eq!(breaker.allow_at(now + SECOND), Err(299 * SECOND));
        // A request that was under way answers; the pause stays.
        breaker.saw_at(now + SECOND, &answered());
        assert_eq!(breaker.allow_at(now + 2 * SECOND), Err(298 * SECOND));
        assert!(breaker.allow_at(now + 300 * SECOND).is_ok());
        assert!(breaker.allow_at(now + 300 * SECOND).is_ok());
    }

    #[test]
    fn a_refusal_is_no_failure_of_the_endpoint() {
        let (breaker, now) = (Breaker::new(BreakerPolicy::default()), Instant::now());
        let refused = ModelError::Refused {
            category: "bio".into(),
            usage: Usage::default(),
            tier: Tier::Standard,
            model: "m".into(),
        };
        for _ in 0..20 {
            breaker.saw_at(now, &Err(refused.clone()));
        }
        assert!(breaker.allow_at(now).is_ok());
    }
}
