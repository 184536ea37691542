//! Answers that were paid for once: this process's memory, then the store.
//!
//! Keys are made by the agents (`agents::Question::key`): fixed-size digests
//! behind a readable prefix. A miss takes the key's flight, so that of many who
//! ask the same at the same time one asks the model and the rest wait for it.

mod memory;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::ids::Held;
use crate::settings::CacheSettings;
use crate::store::{CacheEntry, CacheLookup, CacheWrite, RuntimeSettings, Store, StoreError};
use crate::telemetry::metrics;

use memory::Memory;

/// How often the cache had been cleared when something began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

/// The two tiers.
pub struct Cache {
    memory: Memory,
    store: Arc<dyn Store>,
    ttl: Duration,
    bypass: bool,
    runtime: watch::Receiver<RuntimeSettings>,
    /// The generation that memory was last emptied for.
    emptied: AtomicU64,
}

impl Cache {
    /// An empty memory before the store's entries; it is emptied when `runtime` says that the cache
    /// was cleared.
    pub fn new(
        settings: &CacheSettings,
        store: Arc<dyn Store>,
        runtime: watch::Receiver<RuntimeSettings>,
    ) -> Self {
        let emptied = AtomicU64::new(runtime.borrow().cache_generation);
        Self {
            memory: Memory::new(settings.entries, settings.bytes),
            store,
            ttl: Duration::from_millis(settings.ttl_ms),
            bypass: settings.bypass,
            runtime,
            emptied,
        }
    }

    /// How long a new entry stays.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// The generation now. What a process kept under an earlier one is gone from here on.
    pub fn generation(&self) -> Generation {
        let now = self.runtime.borrow().cache_generation;
        if self.emptied.swap(now, Ordering::AcqRel) != now {
            self.memory.empty();
        }
        Generation(now)
    }

    /// Looks in memory, then in the store; a miss takes the key's flight or finds it in the air.
    /// With `cache.bypass` nothing is looked up and no flight is taken: whoever asks leads.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn look(&self, held: &Held, key: &str) -> Result<CacheLookup, StoreError> {
        if self.bypass {
            metrics::cache_lookup("bypass");
            return Ok(CacheLookup::Leader);
        }
        // Before the store is asked: what it says now may be cleared by the time it is heard.
        let generation = self.generation();
        if let Some(entry) = self.memory.entry(key, generation).await {
            metrics::cache_lookup("hit_memory");
            return Ok(CacheLookup::Hit(entry));
        }
        let found = self.store.cached_or_flight(held, key).await?;
        match &found {
            CacheLookup::Hit(entry) => {
                metrics::cache_lookup("hit_store");
                self.remember(key, entry, generation).await;
            }
            CacheLookup::Leader => metrics::cache_lookup("miss"),
            CacheLookup::InFlight { .. } => metrics::cache_lookup("in_flight"),
        }
        Ok(found)
    }

    /// Keeps in memory what a record just put into the store. `generation` is from before that
    /// record: a clearing since then took the store's entry along.
    pub async fn keep(&self, write: &CacheWrite, generation: Generation) {
        let entry = CacheEntry {
            answer: write.answer.clone(),
            model: write.model.clone(),
            usage: write.usage,
            cost: write.cost,
            remaining: write.ttl,
        };
        self.remember(&write.key, &entry, generation).await;
    }

    async fn remember(&self, key: &str, entry: &CacheEntry, generation: Generation) {
        if generation == self.generation() {
            self.memory.keep(key, entry, generation).await;
        }
        let (entries, bytes) = self.memory.size();
        metrics::cache_memory(entries, bytes);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::usage::{NanoUsd, Usage};
    use crate::settings;

    struct Stage {
        cache: Cache,
        runtime: watch::Sender<RuntimeSettings>,
        _folder: tempfile::TempDir,
    }

    async fn stage() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("cache.db").display());
        let settings = settings::load(None, &[("DATABASE_URL".to_owned(), url)]).unwrap();
        let store = crate::store::open(&settings.database).await.unwrap();
        let (runtime, told) = watch::channel(RuntimeSettings::default());
        Stage { cache: Cache::new(&settings.cache, store, told), runtime, _folder: folder }
    }

    fn write(key: &str) -> CacheWrite {
        CacheWrite {
            key: key.to_owned(),
            event: None,
            answer: json!({"advice": ["Taste it"]}),
            model: "sonnet".to_owned(),
            usage: Usage::default(),
            cost: NanoUsd(7),
            ttl: Duration::from_secs(60),
        }
    }

    impl Stage {
        async fn kept(&self, key: &str) -> Option<CacheEntry> {
            self.cache.memory.entry(key, self.cache.generation()).await
        }

        fn clear(&self) {
            self.runtime.send_modify(|runtime| runtime.cache_generation += 1);
        }
    }

    #[tokio::test]
    async fn what_a_record_wrote_is_found_in_memory_as_it_was() {
        let stage = stage().await;
        let before = stage.cache.generation();
        stage.cache.keep(&write("task:dj:base:1"), before).await;
        let kept = stage.kept("task:dj:base:1").await.unwrap();
        assert_eq!((kept.answer, kept.cost), (write("").answer, NanoUsd(7)));
    }

    #[tokio::test]
    async fn a_new_generation_empties_memory() {
        let stage = stage().await;
        stage.cache.keep(&write("one"), stage.cache.generation()).await;
        stage.clear();
        assert_eq!(stage.kept("one").await, None);
        stage.cache.keep(&write("two"), stage.cache.generation()).await;
        assert!(stage.kept("two").await.is_some());
        assert_eq!(stage.cache.memory.size().0, 1, "the old entry takes no room");
    }

    #[tokio::test]
    async fn a_look_up_that_began_before_a_clearing_puts_nothing_back() {
        let stage = stage().await;
        let began = stage.cache.generation();
        stage.clear();
        stage.cache.keep(&write("one"), began).await;
        assert_eq!(stage.kept("one").await, None);
    }

    #[tokio::test]
    async fn what_comes_late_between_two_looks_is_not_found_either() {
        let stage = stage().await;
        let began = stage.cache.generation();
        let write = write("one");
        let entry = CacheEntry {
            answer: write.answer,
            model: write.model,
            usage: write.usage,
            cost: write.cost,
            remaining: write.ttl,
        };
        stage.clear();
        let now = stage.cache.generation();
        // As if the clearing had come after the check and before the entry.
        stage.cache.memory.keep("one", &entry, began).await;
        assert_eq!(stage.cache.memory.entry("one", now).await, None);
    }
}
