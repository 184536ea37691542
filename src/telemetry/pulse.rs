//! Signs of life of the loops that must not stop.
//!
//! A loop beats when it makes progress, not when a timer fires: a process that
//! runs but does no work must not look alive. Waiting for a database or a broker
//! that is away is declared, and counts as alive, as a restart brings neither back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A loop that must not stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beating {
    /// Takes deliveries, or is ready to.
    Consumer,
    /// Looks for due rows.
    Scheduler,
    /// Renews the leases that are held.
    LeaseKeeper,
}

impl Beating {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Consumer, Self::Scheduler, Self::LeaseKeeper];

    /// The loop's name, for logs and probes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Scheduler => "scheduler",
            Self::LeaseKeeper => "lease_keeper",
        }
    }
}

/// Where the process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not all loops run yet.
    Starting,
    /// Takes deliveries.
    Running,
    /// Finishes what runs, takes nothing new.
    Draining,
}

impl Phase {
    /// The phase's name, for probes and pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Draining => "draining",
        }
    }
}

/// Signs of life, shared by all loops; every method is lock-free.
#[derive(Debug)]
pub struct Pulse {
    born: Instant,
    /// Milliseconds since birth, by [`Beating::ALL`]'s order.
    beats: [AtomicU64; 3],
    waiting_for_database: AtomicBool,
    waiting_for_broker: AtomicBool,
    ready: AtomicBool,
    draining: AtomicBool,
}

impl Default for Pulse {
    fn default() -> Self {
        Self::new()
    }
}

impl Pulse {
    /// The pulse of a process that is starting.
    pub fn new() -> Self {
        Self {
            born: Instant::now(),
            beats: [const { AtomicU64::new(0) }; 3],
            waiting_for_database: AtomicBool::new(false),
            waiting_for_broker: AtomicBool::new(false),
            ready: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        }
    }

    /// This pulse's clock: the time since the process began.
    pub fn now(&self) -> Duration {
        self.born.elapsed()
    }

    /// The loop made progress.
    pub fn beat(&self, who: Beating) {
        self.beat_at(who, self.now());
    }

    fn beat_at(&self, who: Beating, now: Duration) {
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.beats[who as usize].fetch_max(millis, Ordering::Relaxed);
    }

    /// The database is away, or is back.
    pub fn wait_for_database(&self, waiting: bool) {
        self.wait(&self.waiting_for_database, waiting);
    }

    /// The broker is away, or is back.
    pub fn wait_for_broker(&self, waiting: bool) {
        self.wait(&self.waiting_for_broker, waiting);
    }

    fn wait(&self, flag: &AtomicBool, waiting: bool) {
        // Who waited could not beat, so the clock starts anew before the excuse ends.
        if !waiting && flag.load(Ordering::Relaxed) {
            Beating::ALL.into_iter().for_each(|who| self.beat(who));
        }
        flag.store(waiting, Ordering::Release);
    }

    /// Whether the database is declared away.
    pub fn waiting_for_database(&self) -> bool {
        self.waiting_for_database.load(Ordering::Acquire)
    }

    /// Whether the broker is declared away.
    pub fn waiting_for_broker(&self) -> bool {
        self.waiting_for_broker.load(Ordering::Acquire)
    }

    /// All loops run; from now on they must beat.
    pub fn start(&self) {
        Beating::ALL.into_iter().for_each(|who| self.beat(who));
        self.ready.store(true, Ordering::Release);
    }

    /// Nothing new is taken any more; the supervisor's own time-out bounds it.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Where the process is in its life.
    pub fn phase(&self) -> Phase {
        if self.draining.load(Ordering::Acquire) {
            Phase::Draining
        } else if self.ready.load(Ordering::Acquire) {
            Phase::Running
        } else {
            Phase::Starting
        }
    }

    /// The loops that have not beaten for longer than `limit`; `now` is by [`Pulse::now`].
    pub fn stalled(&self, now: Duration, limit: Duration) -> Vec<Beating> {
        let silent = |who: &Beating| {
            let last = Duration::from_millis(self.beats[*who as usize].load(Ordering::Relaxed));
            now.saturating_sub(last) > limit
        };
        Beating::ALL.into_iter().filter(silent).collect()
    }

    /// Whether the process is worth keeping: it runs and makes progress, or has said why it waits.
    pub fn alive(&self, now: Duration, limit: Duration) -> bool {
        let excused = self.waiting_for_database() || self.waiting_for_broker();
        excused || self.phase() != Phase::Running || self.stalled(now, limit).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn later(pulse: &Pulse) -> Duration {
        pulse.now() + LIMIT * 2
    }

    #[test]
    fn a_loop_that_falls_silent_is_named() {
        let pulse = Pulse::new();
        pulse.start();
        let now = later(&pulse);
        pulse.beat_at(Beating::Consumer, now);
        pulse.beat_at(Beating::LeaseKeeper, now);
        assert_eq!(pulse.stalled(now, LIMIT), [Beating::Scheduler]);
        assert!(!pulse.alive(now, LIMIT));
        pulse.beat_at(Beating::Scheduler, now);
        assert!(pulse.alive(now, LIMIT));
    }

    #[test]
    fn who_has_said_that_the_database_or_broker_is_away_is_alive() {
        let pulse = Pulse::new();
        pulse.start();
        pulse.wait_for_broker(true);
        assert!(pulse.alive(later(&pulse), LIMIT));
        pulse.wait_for_broker(false);
        pulse.wait_for_database(true);
        assert!(pulse.alive(later(&pulse), LIMIT));
        pulse.wait_for_database(false);
        assert!(!pulse.alive(later(&pulse), LIMIT) && pulse.alive(pulse.now(), LIMIT));
    }

    #[test]
    fn starting_and_draining_are_no_stall() {
        let pulse = Pulse::new();
        assert_eq!(pulse.phase(), Phase::Starting);
        assert!(pulse.alive(later(&pulse), LIMIT));
        pulse.start();
        assert_eq!(pulse.phase(), Phase::Running);
        assert!(!pulse.alive(later(&pulse), LIMIT));
        pulse.drain();
        assert_eq!(pulse.phase(), Phase::Draining);
        assert!(pulse.alive(later(&pulse), LIMIT));
    }
}
