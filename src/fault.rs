//! What went wrong, said as what becomes of the queue item.
//!
//! Three kinds and no more. What each settles to is one pure function, so the
//! policy is read and tested without a broker.

use std::fmt;
use std::time::Duration;

use crate::domain::outcome::{ParkReason, Reason};

/// The error beneath a passing fault.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the work on an item stopped.
#[derive(Debug)]
pub enum Fault {
    /// It cannot run now, and it is nobody's failure: parked, the attempt given back.
    Deferred {
        /// For how long.
        after: Duration,
        /// Why.
        reason: ParkReason,
        /// The cache key whose flight it waits for, if that is why.
        flight: Option<String>,
    },
    /// Something failed that may work later: parked with backoff, the attempt spent.
    Transient(Source),
    /// It will never work.
    Permanent {
        /// Which of the closed list of reasons.
        reason: Reason,
        /// What was seen, for the log and the history; never chat text.
        detail: String,
    },
}

impl Fault {
    /// Parks for a while without spending the attempt.
    pub fn deferred(after: Duration, reason: ParkReason) -> Self {
        Self::Deferred { after, reason, flight: None }
    }

    /// Something that may work later.
    pub fn transient(error: impl Into<Source>) -> Self {
        Self::Transient(error.into())
    }

    /// Fails for good.
    pub fn permanent(reason: Reason, detail: impl fmt::Display) -> Self {
        Self::Permanent { reason, detail: detail.to_string() }
    }
}

/// What is written for an item whose work stopped.
#[derive(Debug, PartialEq)]
pub enum Settlement {
    /// Back to `pending`, due later.
    Park(Park),
    /// Ends as `failed`.
    Fail {
        /// Why.
        reason: Reason,
        /// What was seen.
        detail: String,
    },
}

/// How an item is put back.
#[derive(Debug, Clone, PartialEq)]
pub struct Park {
    /// Until it is due; the store adds it to its own clock.
    pub after: Duration,
    /// Why, for the item's history.
    pub reason: ParkReason,
    /// Whether this attempt counts.
    pub spend_attempt: bool,
    /// What was seen; never chat text.
    pub detail: Option<String>,
    /// The flight that makes the item due at once when it lands.
    pub flight: Option<String>,
}

/// How far an item has come with its patience.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The attempt that just ended; the first is 1.
    pub attempt: u32,
    /// How many attempts there are.
    pub attempts: u32,
    /// How long ago its first claim was, since it was last opened.
    pub age: Duration,
    /// How long an item may be put back in all.
    pub longest_wait: Duration,
    /// The pause that a passing fault earns now.
    pub backoff: Duration,
}

/// The whole policy: what a fault settles to.
pub fn settle(fault: Fault, patience: &Patience) -> Settlement {
    let waited_too_long = patience.age >= patience.longest_wait;
    match fault {
        Fault::Permanent { reason, detail } => Settlement::Fail { reason, detail },
        Fault::Transient(error) if patience.attempt >= patience.attempts => {
            Settlement::Fail { reason: Reason::AttemptsExhausted, detail: format!("{error}") }
        }
        Fault::Transient(error) => Settlement::Park(Park {
            after: patience.backoff,
            reason: ParkReason::Retry,
            spend_attempt: true,
            detail: Some(format!("{error}")),
            flight: None,
        }),
        Fault::Deferred { reason, .. } if waited_too_long && !is_asked_for(reason) => {
            Settlement::Fail {
                reason: Reason::WaitedTooLong,
                detail: format!("still {} after {} s", reason.name(), patience.age.as_secs()),
            }
        }
        Fault::Deferred { after, reason, flight } => {
            // No pause is longer than the patience that is left, where that counts.
            let left = patience.longest_wait.saturating_sub(patience.age);
            let after = if is_asked_for(reason) { after } else { after.min(left) };
            Settlement::Park(Park { after, reason, spend_attempt: false, detail: None, flight })
        }
    }
}

/// Whether the operator asked for the wait: a drain, a pause or a budget whose messages are to
/// wait for its next window is nothing to lose patience with.
fn is_asked_for(reason: ParkReason) -> bool {
    matches!(reason, ParkReason::Drained | ParkReason::Paused | ParkReason::BudgetSpent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(attempt: u32, age_hours: u64) -> Patience {
        Patience {
            attempt,
            attempts: 5,
            age: Duration::from_secs(age_hours * 3600),
            longest_wait: Duration::from_secs(24 * 3600),
            backoff: Duration::from_secs(7),
        }
    }

    #[test]
    fn a_deferred_item_keeps_its_attempt() {
        let fault = Fault::deferred(Duration::from_secs(3), ParkReason::RateLimited);
        let Settlement::Park(park) = settle(fault, &patience(5, 1)) else { panic!("not parked") };
        assert!(!park.spend_attempt);
        assert_eq!(park.after, Duration::from_secs(3));
    }

    #[test]
    fn a_passing_fault_backs_off_until_the_last_attempt_fails() {
        let fault = || Fault::transient("overloaded");
        let Settlement::Park(park) = settle(fault(), &patience(4, 1)) else { panic!("not parked") };
        assert!(park.spend_attempt && park.after == Duration::from_secs(7));
        let Settlement::Fail { reason, .. } = settle(fault(), &patience(5, 1)) else {
            panic!("not failed")
        };
        assert_eq!(reason, Reason::AttemptsExhausted);
    }

    #[test]
    fn an_item_parked_for_a_day_fails_unless_the_operator_asked_for_it() {
        let late =
            settle(Fault::deferred(Duration::ZERO, ParkReason::RateLimited), &patience(1, 25));
        assert!(matches!(late, Settlement::Fail { reason: Reason::WaitedTooLong, .. }));
        let drained =
            settle(Fault::deferred(Duration::ZERO, ParkReason::Drained), &patience(1, 25));
        assert!(matches!(drained, Settlement::Park(_)));
        let pause = Duration::from_secs(30);
        let paused = settle(Fault::deferred(pause, ParkReason::Paused), &patience(1, 25));
        let Settlement::Park(park) = paused else { panic!("not parked: {paused:?}") };
        assert_eq!(park.after, pause);
        let month = Duration::from_secs(20 * 24 * 3600);
        let spent = settle(Fault::deferred(month, ParkReason::BudgetSpent), &patience(1, 2));
        let Settlement::Park(park) = spent else { panic!("not parked: {spent:?}") };
        assert_eq!(park.after, month, "until the next month, however far");
    }

    #[test]
    fn a_pause_ends_with_the_longest_wait() {
        let days = Duration::from_secs(3 * 24 * 3600);
        let fault = Fault::deferred(days, ParkReason::ProviderPaused);
        let Settlement::Park(park) = settle(fault, &patience(1, 23)) else { panic!("not parked") };
        assert_eq!(park.after, Duration::from_secs(3600));
    }

    #[test]
    fn a_permanent_fault_fails_at_the_first_attempt() {
        let fault = Fault::permanent(Reason::Refused, "cyber");
        assert_eq!(
            settle(fault, &patience(1, 0)),
            Settlement::Fail { reason: Reason::Refused, detail: "cyber".into() }
        );
    }
}
