//! Answers that were paid for once: this process's memory, then the store.
//!
//! Keys are made by the agents (`agents::Question::key`): fixed-size digests
//! behind a readable prefix. A miss takes the key's flight, so that of many who
//! ask the same at the same time one asks the model and the rest wait for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::future::Cache as Memory;

use crate::domain::ids::Held;
use crate::settings::CacheSettings;
use crate::store::{CacheEntry, CacheLookup, CacheWrite, Store, StoreError};
use crate::telemetry::metrics;

/// The two tiers.
pub struct Cache {
    memory: Memory<String, Arc<CacheEntry>>,
    store: Arc<dyn Store>,
    ttl: Duration,
}

/// An entry leaves memory when it expires in the store.
struct UntilItExpires;

impl Expiry<String, Arc<CacheEntry>> for UntilItExpires {
    fn expire_after_create(
        &self,
        _key: &String,
        entry: &Arc<CacheEntry>,
        _now: Instant,
    ) -> Option<Duration> {
        Some(entry.remaining)
    }

    fn expire_after_update(
        &self,
        _key: &String,
        entry: &Arc<CacheEntry>,
        _now: Instant,
        _left: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.remaining)
    }
}

impl Cache {
    /// An empty memory before the store's entries.
    pub fn new(settings: &CacheSettings, store: Arc<dyn Store>) -> Self {
        let memory =
            Memory::builder().max_capacity(settings.entries).expire_after(UntilItExpires).build();
        let ttl = Duration::from_millis(settings.ttl_ms);
        Self { memory, store, ttl }
    }

    /// How long a new entry stays.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Looks in memory, then in the store; a miss takes the key's flight or finds it in the air.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn look(&self, held: &Held, key: &str) -> Result<CacheLookup, StoreError> {
        if let Some(entry) = self.memory.get(key).await {
            metrics::cache_lookup("hit_memory");
            return Ok(CacheLookup::Hit(entry.as_ref().clone()));
        }
        let found = self.store.cached_or_flight(held, key).await?;
        match &found {
            CacheLookup::Hit(entry) => {
                metrics::cache_lookup("hit_store");
                self.memory.insert(key.to_owned(), Arc::new(entry.clone())).await;
            }
            CacheLookup::Leader => metrics::cache_lookup("miss"),
            CacheLookup::InFlight { .. } => metrics::cache_lookup("in_flight"),
        }
        Ok(found)
    }

    /// Keeps in memory what a record just put into the store.
    pub async fn keep(&self, write: &CacheWrite) {
        let entry = CacheEntry {
            answer: write.answer.clone(),
            model: write.model.clone(),
            usage: write.usage,
            cost: write.cost,
            remaining: write.ttl,
        };
        self.memory.insert(write.key.clone(), Arc::new(entry)).await;
    }
}
