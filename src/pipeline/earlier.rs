//! How long questions have waited for the earlier messages of their room.
//!
//! An item's age would not do: after an outage, or behind a long queue, every
//! item is old before it is first looked at.

use std::time::{Duration, Instant};

use moka::future::Cache;

use crate::domain::ids::MessageId;

/// The longest such wait.
const LONGEST: Duration = Duration::from_secs(30);
/// How many waits are remembered at most; a forgotten one begins anew.
const MOST: u64 = 10_000;

/// When this process first met the questions that wait.
pub struct Earlier(Cache<MessageId, Instant>);

impl Default for Earlier {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(LONGEST * 4).build())
    }
}

impl Earlier {
    /// Whether a question may still wait; its first wait begins now.
    pub(super) async fn may_wait(&self, question: &MessageId) -> bool {
        self.may_wait_at(Instant::now(), question).await
    }

    async fn may_wait_at(&self, now: Instant, question: &MessageId) -> bool {
        let met = self.0.get_with(question.clone(), async { now }).await;
        now.duration_since(met) < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_question_waits_half_a_minute_from_when_it_was_first_met() {
        let (earlier, now) = (Earlier::default(), Instant::now());
        let question = MessageId::parse("m-1").unwrap();
        assert!(earlier.may_wait_at(now, &question).await);
        assert!(earlier.may_wait_at(now + LONGEST / 2, &question).await);
        assert!(!earlier.may_wait_at(now + LONGEST, &question).await);
        assert!(earlier.may_wait_at(now + LONGEST, &MessageId::parse("m-2").unwrap()).await);
    }
}
