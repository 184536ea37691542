//! Places for requests in flight to one model at one endpoint, in this process.
//!
//! Who finds no place waits in line for a short time and is then sent away with
//! a turn of its own: waiting is parking. A place is freed when it is dropped,
//! whatever became of its request.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::concurrency::{Concurrency, Ended};
use super::headroom::{Headroom, Hold, Needs};

/// How long a request waits in line: long enough to bridge a call or a short hold, short enough
/// that its slot is soon free for messages that need no model.
const IN_LINE: Duration = Duration::from_secs(2);

/// The farthest turn that is given: who comes back then may be given another one.
const FARTHEST_TURN: Duration = Duration::from_secs(60);

/// Why a request was sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SentAway {
    /// All places were taken; its turn comes after this time.
    Busy(Duration),
    /// The provider's limits have no room before this time is over.
    Held(Duration),
}

/// The places, and who waits for one.
#[derive(Debug)]
pub(super) struct Gate {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    concurrency: Concurrency,
    hold: Hold,
    /// What the last response said, until it is passed on.
    said: Option<Headroom>,
    line: VecDeque<Waiting>,
    turns: Turns,
}

#[derive(Debug)]
struct Waiting {
    needs: Needs,
    hand_over: oneshot::Sender<Place>,
}

/// A place in flight; freed when dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    taken: Instant,
}

impl Gate {
    /// All places free.
    pub(super) fn new(cap: u32) -> Arc<Self> {
        let inner = Inner {
            concurrency: Concurrency::new(cap),
            hold: Hold::default(),
            said: None,
            line: VecDeque::new(),
            turns: Turns::default(),
        };
        Arc::new(Self { inner: Mutex::new(inner) })
    }

    /// Takes a place, in line behind those who came before.
    pub(super) async fn enter(self: &Arc<Self>, needs: Needs) -> Result<Place, SentAway> {
        let leave = now() + IN_LINE;
        let (hand_over, mut place) = oneshot::channel();
        if let Some(after) = self.queue(Waiting { needs, hand_over }, leave) {
            return Err(SentAway::Held(after));
        }
        self.move_up();
        loop {
            let wake = self.hold_ends(needs).map_or(leave, |ends| ends.min(leave));
            match tokio::time::timeout_at(wake.into(), &mut place).await {
                Ok(Ok(place)) => return Ok(place),
                // Nobody drops the line's end while it is in line.
                Ok(Err(_)) => return Err(SentAway::Busy(IN_LINE)),
                Err(_) if now() < leave => self.move_up(),
                Err(_) => {
                    place.close();
                    // It may have been handed over in the last moment.
                    return place.try_recv().map_err(|_| self.send_away(needs));
                }
            }
        }
    }

    /// Takes in what a response said of the provider's limits.
    pub(super) fn learn(self: &Arc<Self>, headroom: &Headroom) {
        let mut inner = self.lock();
        inner.hold.learn(headroom, now());
        inner.said = Some(*headroom);
        drop(inner);
        self.move_up();
    }

    /// What the last response said of the provider's limits; told once.
    pub(super) fn take_said(&self) -> Option<Headroom> {
        self.lock().said.take()
    }

    /// The most requests that may be in flight now.
    pub(super) fn limit(&self) -> u32 {
        self.lock().concurrency.limit()
    }

    /// Puts a request in line, unless the line would be left before the hold ends.
    fn queue(&self, waiting: Waiting, leave: Instant) -> Option<Duration> {
        let mut inner = self.lock();
        if let Some(ends) = inner.hold.until(waiting.needs, now()).filter(|ends| *ends > leave) {
            return Some(ends - now());
        }
        inner.line.push_back(waiting);
        None
    }

    fn hold_ends(&self, needs: Needs) -> Option<Instant> {
        self.lock().hold.until(needs, now())
    }

    /// Hands free places to those who wait, first come first served.
    fn move_up(self: &Arc<Self>) {
        loop {
            let Some(next) = self.lock().next(now()) else { return };
            // Who left in this moment gives the place back by dropping it.
            drop(next.send(Place { gate: Arc::clone(self), taken: now() }));
        }
    }

    fn send_away(&self, needs: Needs) -> SentAway {
        let (mut inner, now) = (self.lock(), now());
        match inner.hold.until(needs, now) {
            Some(ends) => SentAway::Held(ends - now),
            None => {
                let limit = inner.concurrency.limit();
                SentAway::Busy(inner.turns.next(limit, now))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing can panic while it is held, and its state would still be whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The next in line, with a place taken for it.
    fn next(&mut self, now: Instant) -> Option<oneshot::Sender<Place>> {
        while self.line.front().is_some_and(|waiting| waiting.hand_over.is_closed()) {
            self.line.pop_front();
        }
        let needs = self.line.front()?.needs;
        if self.hold.until(needs, now).is_some() || !self.concurrency.take() {
            return None;
        }
        self.hold.sent();
        self.line.pop_front().map(|waiting| waiting.hand_over)
    }
}

impl Place {
    /// Since when it is taken.
    pub(super) fn taken(&self) -> Instant {
        self.taken
    }

    /// Learns from what became of the request, and frees the place.
    pub(super) fn ended(self, ended: Ended) {
        let (mut inner, now) = (self.gate.lock(), now());
        inner.concurrency.learn(ended, self.taken, now);
        if ended == Ended::Answered {
            inner.turns.took(now.saturating_duration_since(self.taken));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.lock().concurrency.free();
        self.gate.move_up();
    }
}

/// When those come back who found no place: each gets a turn of its own, as calls go.
#[derive(Debug)]
struct Turns {
    /// How long a call takes, smoothed.
    call: Duration,
    /// The last turn that was given.
    last: Option<Instant>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { call: Duration::from_secs(1), last: None }
    }
}

impl Turns {
    fn took(&mut self, call: Duration) {
        self.call = (self.call * 7 + call) / 8;
    }

    fn next(&mut self, limit: u32, now: Instant) -> Duration {
        let step = self.call / limit.max(1);
        let turn = self.last.map_or(now, |last| last.max(now)) + step;
        let turn = turn.min(now + FARTHEST_TURN);
        self.last = Some(turn);
        turn - now
    }
}

/// The runtime's clock, which tests may stop.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;
    use crate::store::Left;

    const NEEDS: Needs = Needs { input: 100, output: 100 };
    const SECOND: Duration = Duration::from_secs(1);

    async fn fill(gate: &Arc<Gate>) -> Vec<Place> {
        let mut places = Vec::new();
        for _ in 0..gate.limit() {
            places.push(gate.enter(NEEDS).await.unwrap());
        }
        places
    }

    fn told(remaining: u64, reset: Duration) -> Headroom {
        Headroom { requests: Some(Left { remaining, reset }), ..Headroom::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_the_place_that_is_freed_first_come_first_served() {
        let gate = Gate::new(1);
        let place = gate.enter(NEEDS).await.unwrap();
        let mut line = JoinSet::new();
        for nth in 0..3 {
            let gate = Arc::clone(&gate);
            line.spawn(async move { gate.enter(NEEDS).await.map(|place| (nth, place)) });
            tokio::task::yield_now().await;
        }
        drop(place);
        for expected in 0..3 {
            let (nth, place) = line.join_next().await.unwrap().unwrap().unwrap();
            assert_eq!(nth, expected);
            drop(place);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_is_sent_away_with_a_turn_of_its_own() {
        let gate = Gate::new(4);
        let _places = fill(&gate).await;
        let (one, other) = tokio::join!(gate.enter(NEEDS), gate.enter(NEEDS));
        let turns = [one.unwrap_err(), other.unwrap_err()];
        for turn in [SECOND / 4, SECOND / 2] {
            assert!(turns.contains(&SentAway::Busy(turn)), "{turns:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_and_a_panic_leave_no_place_taken() {
        let gate = Gate::new(1);
        let place = gate.enter(NEEDS).await.unwrap();
        let waits = tokio::time::timeout(SECOND, gate.enter(NEEDS)).await;
        assert!(waits.is_err());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _place = place;
            panic!("out of cake")
        });
        assert!(tasks.join_next().await.unwrap().is_err());
        gate.enter(NEEDS).await.unwrap();
        assert_eq!(gate.lock().concurrency.in_flight(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_left_holds_requests_until_the_reset() {
        let gate = Gate::new(64);
        gate.learn(&told(0, SECOND));
        let began = now();
        gate.enter(NEEDS).await.unwrap();
        assert_eq!(now() - began, SECOND);
        gate.learn(&told(0, 60 * SECOND));
        assert_eq!(gate.enter(NEEDS).await.unwrap_err(), SentAway::Held(60 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_word_of_the_provider_ends_a_hold() {
        let gate = Gate::new(64);
        gate.learn(&told(1, 60 * SECOND));
        let place = gate.enter(NEEDS).await.unwrap();
        gate.learn(&told(0, SECOND + SECOND / 2));
        let (waited, ()) = tokio::join!(gate.enter(NEEDS), async {
            tokio::time::sleep(SECOND / 2).await;
            gate.learn(&told(10, 60 * SECOND));
        });
        assert!(waited.is_ok());
        drop(place);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_no_farther_than_a_minute_and_follow_the_calls() {
        let (mut turns, now) = (Turns::default(), now());
        let given: Vec<Duration> = (0..200).map(|_| turns.next(2, now)).collect();
        assert_eq!((given[0], given[1], given[199]), (SECOND / 2, SECOND, 60 * SECOND));
        for _ in 0..40 {
            turns.took(Duration::ZERO);
        }
        assert!(turns.next(2, now + 60 * SECOND) < SECOND / 10);
    }
}
