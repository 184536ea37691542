//! What a failed request earns: another try, a repair, a pause, or the end.
//!
//! A pure policy for the pipeline, the one who retries. Every further request
//! needs an admission of its own, also the one after [`Verdict::Again`].

use std::time::Duration;

use super::{Billing, ModelError};
use crate::delay::DelayPolicy;
use crate::domain::outcome::Reason;

/// How patient the pipeline is with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Requests in place, the first one included.
    pub tries: u32,
    /// Requests in place when each may have been billed without an answer.
    pub unsure_tries: u32,
    /// The pauses between them, where the provider asks for none.
    pub pauses: DelayPolicy,
    /// The longest `retry-after` that is waited for in place; a longer one parks.
    pub longest_in_place: Duration,
    /// How long to leave a provider alone that limits the rate and does not say until when.
    pub rate_pause: Duration,
    /// How long to leave an account alone that is stopped.
    pub account_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 3,
            unsure_tries: 2,
            pauses: DelayPolicy::new(Duration::from_millis(500), Duration::from_secs(8)),
            longest_in_place: Duration::from_secs(5),
            rate_pause: Duration::from_secs(15),
            account_pause: Duration::from_secs(60),
        }
    }
}

/// What a failed request earns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Another request after a pause, in place.
    Again {
        /// The pause.
        after: Duration,
    },
    /// One further request that says what was wrong with the answer. The pipeline grants one per
    /// run; after that the reason is [`Reason::AnswerInvalid`].
    Repair,
    /// The provider asked for a pause that is too long to sit out: the message is parked for it,
    /// the attempt given back.
    Park {
        /// The pause.
        after: Duration,
        /// Whether the whole account is stopped and a person must act: worth an alert.
        account: bool,
    },
    /// The tries in place are used up: the attempt is spent and the item backs off.
    SpendAttempt,
    /// It will never work.
    GiveUp(Reason),
}

impl Verdict {
    /// Whether the model is unavailable for now: where an agent says `on_unavailable =
    /// fallback`, the offline model answers instead.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Park { .. } | Self::SpendAttempt => true,
            Self::Again { .. } | Self::Repair | Self::GiveUp(_) => false,
        }
    }
}

/// What an error earns after that many requests in place; the first request is 1.
pub fn verdict(error: &ModelError, tries: u32, policy: &RetryPolicy) -> Verdict {
    match error {
        ModelError::RateLimited { retry_after: Some(after) }
        | ModelError::Overloaded { retry_after: Some(after) } => {
            if *after <= policy.longest_in_place && tries < policy.tries {
                // A little later than asked, so that those who waited do not all come at once.
                Verdict::Again { after: *after + policy.pauses.after(1) }
            } else {
                Verdict::Park { after: *after, account: false }
            }
        }
        ModelError::RateLimited { retry_after: None } if tries >= policy.tries => {
            Verdict::Park { after: policy.rate_pause, account: false }
        }
        ModelError::RateLimited { retry_after: None }
        | ModelError::Overloaded { retry_after: None }
        | ModelError::NotConnected(_)
        | ModelError::TimedOut(_)
        | ModelError::Cut(_)
        | ModelError::Server { .. }
        | ModelError::Unreadable(_) => again(error, tries, policy),
        ModelError::AccountStopped { retry_after, .. } => {
            Verdict::Park { after: retry_after.unwrap_or(policy.account_pause), account: true }
        }
        ModelError::ModelMissing(_) => {
            Verdict::Park { after: policy.account_pause, account: false }
        }
        ModelError::OnlyLater(error) => verdict(error, u32::MAX, policy),
        ModelError::Rejected { .. } | ModelError::TooLong { .. } => {
            Verdict::GiveUp(Reason::RequestRejected)
        }
        ModelError::Refused { .. } => Verdict::GiveUp(Reason::Refused),
        ModelError::Unusable { .. } => Verdict::Repair,
    }
}

/// A passing failure: another try while there are some, fewer when each may cost money.
fn again(error: &ModelError, tries: u32, policy: &RetryPolicy) -> Verdict {
    let most = match error.billing() {
        Billing::Ambiguous => policy.unsure_tries,
        Billing::Nothing { .. } | Billing::Charged { .. } => policy.tries,
    };
    if tries < most {
        Verdict::Again { after: policy.pauses.after(tries) }
    } else {
        Verdict::SpendAttempt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage::{Tier, Usage};

    fn of(error: ModelError, tries: u32) -> Verdict {
        verdict(&error, tries, &RetryPolicy::default())
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn a_passing_failure_is_tried_again_until_the_attempt_is_spent() {
        let failures = [
            ModelError::NotConnected("refused".into()),
            ModelError::Overloaded { retry_after: None },
            ModelError::Server { status: 500, explained: true, message: String::new() },
        ];
        for error in failures {
            assert!(matches!(of(error.clone(), 1), Verdict::Again { .. }), "{error:?}");
            assert!(matches!(of(error.clone(), 2), Verdict::Again { .. }), "{error:?}");
            assert_eq!(of(error, 3), Verdict::SpendAttempt);
        }
    }

    #[test]
    fn what_may_have_been_billed_is_tried_once_more_only() {
        let failures = [
            ModelError::TimedOut(Duration::from_secs(60)),
            ModelError::Cut("reset".into()),
            ModelError::Unreadable("nonsense".into()),
            ModelError::Server { status: 502, explained: false, message: String::new() },
        ];
        for error in failures {
            assert!(matches!(of(error.clone(), 1), Verdict::Again { .. }), "{error:?}");
            assert_eq!(of(error, 2), Verdict::SpendAttempt);
        }
    }

    #[test]
    fn a_short_wait_is_sat_out_and_a_long_one_parks_for_all_of_it() {
        let Verdict::Again { after } = of(ModelError::RateLimited { retry_after: seconds(5) }, 1)
        else {
            panic!("not sat out")
        };
        assert!(after >= Duration::from_secs(5) && after < Duration::from_secs(6), "{after:?}");
        for days in [300, 3 * 86_400] {
            for error in [
                ModelError::RateLimited { retry_after: seconds(days) },
                ModelError::Overloaded { retry_after: seconds(days) },
            ] {
                let parked = Verdict::Park { after: Duration::from_secs(days), account: false };
                assert_eq!(of(error, 1), parked);
            }
        }
    }

    #[test]
    fn a_rate_limit_never_spends_the_attempt() {
        for retry_after in [None, seconds(1)] {
            let verdict = of(ModelError::RateLimited { retry_after }, 3);
            assert!(matches!(verdict, Verdict::Park { account: false, .. }), "{verdict:?}");
        }
    }

    #[test]
    fn a_stopped_account_is_left_alone_for_a_minute() {
        let stopped = |retry_after| {
            of(ModelError::AccountStopped { message: "credit".into(), retry_after }, 1)
        };
        let verdict = stopped(None);
        assert_eq!(verdict, Verdict::Park { after: Duration::from_secs(60), account: true });
        assert!(verdict.is_unavailable());
        let until = Duration::from_secs(7200);
        assert_eq!(stopped(Some(until)), Verdict::Park { after: until, account: true });
    }

    #[test]
    fn what_the_provider_says_not_to_try_again_is_left_for_later() {
        let later = |error| of(ModelError::OnlyLater(Box::new(error)), 1);
        let server = ModelError::Server { status: 500, explained: true, message: String::new() };
        assert_eq!(later(server), Verdict::SpendAttempt);
        let limited = later(ModelError::RateLimited { retry_after: seconds(1) });
        assert_eq!(limited, Verdict::Park { after: Duration::from_secs(1), account: false });
    }

    #[test]
    fn what_will_never_work_is_given_up_and_a_bad_answer_repaired() {
        let (usage, tier, model) = (Usage::default(), Tier::Standard, String::from("m"));
        let rejected = ModelError::Rejected { status: 400, message: String::new() };
        assert_eq!(of(rejected, 1), Verdict::GiveUp(Reason::RequestRejected));
        let refused =
            ModelError::Refused { category: "bio".into(), usage, tier, model: model.clone() };
        assert_eq!(of(refused, 1), Verdict::GiveUp(Reason::Refused));
        let unusable = ModelError::Unusable { why: String::new(), usage, tier, model };
        assert_eq!(of(unusable, 1), Verdict::Repair);
    }
}
