//! How many requests may be in flight: additive growth, multiplicative decrease.
//!
//! A pure state machine. It starts low and doubles with each round of answers
//! until the provider first says "too many"; from then on it grows by one a
//! round. It halves at most once per round trip: requests that were under way
//! when it halved say nothing new.

use std::time::Instant;

/// Where it starts.
const START: u32 = 4;

/// What a finished request says about the number in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The endpoint had room for it.
    Answered,
    /// There were too many: 429, 529 or 503.
    TooMany,
    /// It says nothing of room.
    Neither,
}

/// The limit, and what is in flight.
#[derive(Debug, Clone)]
pub(super) struct Concurrency {
    cap: u32,
    limit: u32,
    in_flight: u32,
    /// Answers in this round, while the limit was used.
    answers: u32,
    /// When it last halved.
    halved: Option<Instant>,
}

impl Concurrency {
    /// Starts low; never more than `cap`, and never less than 1.
    pub(super) fn new(cap: u32) -> Self {
        let cap = cap.max(1);
        Self { cap, limit: START.min(cap), in_flight: 0, answers: 0, halved: None }
    }

    /// The most that may be in flight now.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// How many are.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Takes a place, if one is free.
    pub(super) fn take(&mut self) -> bool {
        let free = self.in_flight < self.limit;
        self.in_flight += u32::from(free);
        free
    }

    /// Frees a place.
    pub(super) fn free(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Learns from a request whose place is still taken.
    pub(super) fn learn(&mut self, ended: Ended, started: Instant, now: Instant) {
        if self.halved.is_some_and(|halved| started < halved) {
            return;
        }
        match ended {
            Ended::Answered => self.grow(),
            Ended::TooMany => {
                self.limit = (self.limit / 2).max(1);
                self.halved = Some(now);
                self.answers = 0;
            }
            Ended::Neither => {}
        }
    }

    /// An answer only says that there is room for as many as there were.
    fn grow(&mut self) {
        if self.in_flight < self.limit {
            return;
        }
        self.answers += 1;
        let round = if self.halved.is_none() { 1 } else { self.limit };
        if self.answers >= round {
            self.answers = 0;
            self.limit = (self.limit + 1).min(self.cap);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const ROUND: Duration = Duration::from_millis(100);

    /// Fills it, and ends all that are in flight, as an endpoint with so much room would; the
    /// number that were too many.
    fn round(concurrency: &mut Concurrency, room: u32, now: &mut Instant) -> u32 {
        let started = *now;
        while concurrency.take() {}
        *now += ROUND;
        let in_flight = concurrency.in_flight();
        for nth in 0..in_flight {
            let ended = if nth < room { Ended::Answered } else { Ended::TooMany };
            concurrency.learn(ended, started, *now);
        }
        // All free their places after the last one ended, as if they came in one packet.
        (0..in_flight).for_each(|_| concurrency.free());
        in_flight.saturating_sub(room)
    }

    #[test]
    fn it_starts_low_and_doubles_until_the_first_too_many() {
        let (mut concurrency, mut now) = (Concurrency::new(64), Instant::now());
        let mut limits = vec![concurrency.limit()];
        for _ in 0..4 {
            concurrency.in_flight = 0;
            let started = now;
            (0..concurrency.limit()).for_each(|_| assert!(concurrency.take()));
            now += ROUND;
            for _ in 0..limits.last().copied().unwrap() {
                // Whoever waits takes the place that is freed.
                concurrency.learn(Ended::Answered, started, now);
                concurrency.free();
                while concurrency.take() {}
            }
            limits.push(concurrency.limit());
        }
        assert_eq!(limits, [4, 8, 16, 32, 64]);
    }

    #[test]
    fn it_halves_once_per_round_trip_and_grows_back_by_one_a_round() {
        let (mut concurrency, now) = (Concurrency::new(64), Instant::now());
        concurrency.limit = 16;
        while concurrency.take() {}
        for _ in 0..10 {
            concurrency.learn(Ended::TooMany, now, now + ROUND);
        }
        assert_eq!(concurrency.limit(), 8);
        (0..16).for_each(|_| concurrency.free());
        let mut now = now + 2 * ROUND;
        for limit in [9, 10, 11] {
            round(&mut concurrency, 100, &mut now);
            assert_eq!(concurrency.limit(), limit);
        }
    }

    #[test]
    fn it_settles_around_the_endpoints_room() {
        let (mut concurrency, mut now) = (Concurrency::new(64), Instant::now());
        let (mut sent, mut refused, mut limits) = (0, 0, Vec::new());
        for _ in 0..200 {
            sent += concurrency.limit();
            refused += round(&mut concurrency, 5, &mut now);
            limits.push(concurrency.limit());
        }
        assert!(refused * 10 < sent, "{refused} of {sent}");
        assert!(limits[10..].iter().all(|limit| (2..=6).contains(limit)), "{limits:?}");
    }

    #[test]
    fn a_limit_that_is_not_used_does_not_grow() {
        let (mut concurrency, now) = (Concurrency::new(64), Instant::now());
        for _ in 0..100 {
            assert!(concurrency.take());
            concurrency.learn(Ended::Answered, now, now + ROUND);
            concurrency.free();
        }
        assert_eq!(concurrency.limit(), 4);
    }

    #[test]
    fn the_last_place_is_never_taken_away() {
        let (mut concurrency, mut now) = (Concurrency::new(3), Instant::now());
        for _ in 0..5 {
            round(&mut concurrency, 0, &mut now);
        }
        assert_eq!(concurrency.limit(), 1);
        assert_eq!(Concurrency::new(0).limit(), 1);
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Take,
        End(Ended),
        Pass(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let ended = prop_oneof![
            4 => Just(Ended::Answered),
            1 => Just(Ended::TooMany),
            1 => Just(Ended::Neither),
        ];
        let step = prop_oneof![
            4 => Just(Step::Take),
            3 => ended.prop_map(Step::End),
            1 => (0..500u64).prop_map(Step::Pass),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        #[test]
        fn no_place_is_given_beyond_the_limit_and_the_limit_keeps_its_bounds(
            cap in 1..40u32,
            steps in steps(),
        ) {
            let (mut concurrency, mut now) = (Concurrency::new(cap), Instant::now());
            let mut started = std::collections::VecDeque::new();
            for step in steps {
                match step {
                    Step::Take => {
                        let (before, limit) = (concurrency.in_flight(), concurrency.limit());
                        let taken = concurrency.take();
                        prop_assert_eq!(taken, before < limit);
                        if taken {
                            started.push_back(now);
                        }
                    }
                    Step::End(ended) => {
                        let Some(started) = started.pop_front() else { continue };
                        concurrency.learn(ended, started, now);
                        concurrency.free();
                    }
                    Step::Pass(millis) => now += Duration::from_millis(millis),
                }
                prop_assert!((1..=cap).contains(&concurrency.limit()));
                prop_assert_eq!(concurrency.in_flight() as usize, started.len());
            }
        }

        #[test]
        fn it_grows_back_after_whatever_happened(steps in steps()) {
            let (mut concurrency, mut now) = (Concurrency::new(20), Instant::now());
            for step in steps {
                match step {
                    Step::Take => drop(concurrency.take()),
                    Step::End(ended) => concurrency.learn(ended, now, now),
                    Step::Pass(millis) => now += Duration::from_millis(millis),
                }
            }
            concurrency.in_flight = 0;
            now += ROUND;
            for _ in 0..20 {
                round(&mut concurrency, 100, &mut now);
            }
            prop_assert_eq!(concurrency.limit(), 20);
        }
    }
}
