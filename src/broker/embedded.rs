//! The queue in process, for one process on its own.
//!
//! It keeps nothing over a restart and need not: the rows are the truth, and the
//! scheduler hints again. So a full queue refuses instead of waiting, and an ID
//! that already waits is not taken twice.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Notify, broadcast, mpsc};
use tokio::task::JoinSet;

use super::{Acker, Broker, BrokerError, BrokerHealth, Delivery, Published};
use crate::domain::ids::ItemId;
use crate::store::CompletionEvent;

/// Hints that may wait: some megabytes of IDs.
const HINTS: usize = 65_536;

/// Dead letters that are kept for inspection.
const DEAD_LETTERS: usize = 100;

/// Completion events that a slow listener may be behind.
const COMPLETIONS: usize = 1024;

/// A body that named no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The body, as it came.
    pub body: Vec<u8>,
    /// Why it is here.
    pub reason: String,
}

/// A queue in this process.
#[derive(Debug)]
pub struct EmbeddedBroker {
    state: Arc<State>,
    completions: broadcast::Sender<CompletionEvent>,
    feeder: Mutex<JoinSet<()>>,
}

#[derive(Debug, Default)]
struct State {
    hints: Mutex<Hints>,
    arrived: Notify,
    dead: Mutex<VecDeque<DeadLetter>>,
    dead_count: AtomicU64,
    consuming: AtomicBool,
    closed: AtomicBool,
    generation: AtomicU64,
    prefetch: AtomicU16,
}

#[derive(Debug)]
struct Hints {
    room: usize,
    waiting: VecDeque<ItemId>,
    known: HashSet<ItemId>,
}

impl Default for Hints {
    fn default() -> Self {
        Self { room: HINTS, waiting: VecDeque::new(), known: HashSet::new() }
    }
}

impl Hints {
    /// Takes an ID unless it waits already; `false` when there is no room.
    fn take(&mut self, item: &ItemId) -> bool {
        if self.known.contains(item) {
            return true;
        }
        if self.waiting.len() >= self.room {
            return false;
        }
        self.known.insert(item.clone());
        self.waiting.push_back(item.clone());
        true
    }

    fn next(&mut self) -> Option<ItemId> {
        let item = self.waiting.pop_front()?;
        self.known.remove(&item);
        Some(item)
    }
}

impl State {
    fn hints(&self) -> MutexGuard<'_, Hints> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> ItemId {
        loop {
            if let Some(item) = self.hints().next() {
                return item;
            }
            // One permit is kept when nobody waits yet, so no hint is overlooked.
            self.arrived.notified().await;
        }
    }

    /// Hands hints over while there is room for them.
    async fn feed(self: Arc<Self>, deliveries: mpsc::Sender<Delivery>) {
        while let Ok(room) = deliveries.reserve().await {
            let item = tokio::select! {
                item = self.next() => item,
                () = deliveries.closed() => return,
            };
            room.send(Delivery::new(item.as_str().into(), Acker::Embedded));
        }
    }
}

impl Default for EmbeddedBroker {
    fn default() -> Self {
        Self::new()
    }
}

impl EmbeddedBroker {
    /// An empty queue.
    pub fn new() -> Self {
        Self::with_room(HINTS)
    }

    /// An empty queue in which at most so many hints wait.
    pub fn with_room(hints: usize) -> Self {
        let state = State::default();
        state.hints().room = hints;
        let (completions, _) = broadcast::channel(COMPLETIONS);
        Self { state: Arc::new(state), completions, feeder: Mutex::default() }
    }

    /// Completion events from now on; who listens too slowly loses the oldest.
    pub fn completions(&self) -> broadcast::Receiver<CompletionEvent> {
        self.completions.subscribe()
    }

    /// The newest dead letters, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.dead().iter().cloned().collect()
    }

    /// How many dead letters there ever were.
    pub fn dead_letter_count(&self) -> u64 {
        self.state.dead_count.load(Ordering::Relaxed)
    }

    fn dead(&self) -> MutexGuard<'_, VecDeque<DeadLetter>> {
        self.state.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn feeder(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.feeder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<(), BrokerError> {
        match self.state.closed.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(BrokerError::Unavailable("the queue was closed".into())),
        }
    }
}

#[async_trait]
impl Broker for EmbeddedBroker {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    async fn check(&self) -> Result<String, BrokerError> {
        let waiting = self.ready().await?;
        Ok(format!("the queue in process, {waiting} waiting"))
    }

    async fn deliveries(&self, prefetch: u16) -> mpsc::Receiver<Delivery> {
        let prefetch = prefetch.max(1);
        let (deliveries, received) = mpsc::channel(usize::from(prefetch));
        let state = self.state.clone();
        let mut feeder = self.feeder();
        feeder.abort_all();
        feeder.spawn(state.feed(deliveries));
        self.state.prefetch.store(prefetch, Ordering::Relaxed);
        self.state.generation.fetch_add(1, Ordering::Relaxed);
        self.state.consuming.store(true, Ordering::Relaxed);
        received
    }

    async fn stop_consuming(&self) {
        self.state.consuming.store(false, Ordering::Relaxed);
        let mut feeder = std::mem::take(&mut *self.feeder());
        feeder.shutdown().await;
    }

    async fn publish_hints(&self, items: &[ItemId]) -> Result<(), BrokerError> {
        self.open()?;
        let refused = {
            let mut hints = self.state.hints();
            items.iter().filter(|item| !hints.take(item)).count()
        };
        self.state.arrived.notify_one();
        match refused {
            0 => Ok(()),
            _ => Err(BrokerError::Refused(format!(
                "the queue in process is full: {refused} of {} hints were not taken",
                items.len()
            ))),
        }
    }

    async fn publish_completion(
        &self,
        completion: &CompletionEvent,
    ) -> Result<Published, BrokerError> {
        self.open()?;
        // Sending fails only when nobody listens.
        let heard = self.completions.send(completion.clone()).is_ok();
        Ok(if heard { Published::Routed } else { Published::Unheard })
    }

    async fn dead_letter(&self, body: &[u8], reason: &str) -> Result<(), BrokerError> {
        self.open()?;
        self.state.dead_count.fetch_add(1, Ordering::Relaxed);
        let mut dead = self.dead();
        if dead.len() == DEAD_LETTERS {
            dead.pop_front();
        }
        dead.push_back(DeadLetter { body: body.into(), reason: reason.into() });
        Ok(())
    }

    async fn ready(&self) -> Result<u64, BrokerError> {
        self.open()?;
        Ok(self.state.hints().waiting.len() as u64)
    }

    fn health(&self) -> BrokerHealth {
        let open = self.open().is_ok();
        BrokerHealth {
            consuming: open && self.state.consuming.load(Ordering::Relaxed),
            publishing: open,
            blocked: false,
            generation: self.state.generation.load(Ordering::Relaxed),
            prefetch: self.state.prefetch.load(Ordering::Relaxed),
        }
    }

    async fn close(&self) {
        self.state.closed.store(true, Ordering::Relaxed);
        self.stop_consuming().await;
    }
}
