//! The first tier: a bounded number of entries in a bounded number of bytes.
//!
//! moka has one capacity: the bytes. An entry weighs what it takes, and no less
//! than the share of one entry of so many. So whatever fits within the weight fits
//! within both bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::Expiry;

use super::Generation;
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::CacheEntry;

/// What an entry takes beside its words: its numbers, and moka's own nodes for it.
const BESIDE: usize = 256;

/// The entries of one process.
pub(super) struct Memory {
    entries: moka::future::Cache<String, Arc<Kept>>,
    bytes: Arc<AtomicU64>,
}

/// An entry as it is kept: its answer as text, whose size is known.
struct Kept {
    answer: String,
    model: String,
    usage: Usage,
    cost: NanoUsd,
    remaining: Duration,
    generation: Generation,
}

impl Kept {
    fn of(entry: &CacheEntry, generation: Generation) -> Self {
        Self {
            answer: entry.answer.to_string(),
            model: entry.model.clone(),
            usage: entry.usage,
            cost: entry.cost,
            remaining: entry.remaining,
            generation,
        }
    }

    fn entry(&self) -> Option<CacheEntry> {
        Some(CacheEntry {
            answer: serde_json::from_str(&self.answer).ok()?,
            model: self.model.clone(),
            usage: self.usage,
            cost: self.cost,
            remaining: self.remaining,
        })
    }

    fn bytes(&self, key: &str) -> u64 {
        (key.len() + self.answer.len() + self.model.len() + BESIDE) as u64
    }
}

/// An entry leaves memory when it expires in the store.
struct UntilItExpires;

impl Expiry<String, Arc<Kept>> for UntilItExpires {
    fn expire_after_create(&self, _: &String, kept: &Arc<Kept>, _: Instant) -> Option<Duration> {
        Some(kept.remaining)
    }

    fn expire_after_update(
        &self,
        _: &String,
        kept: &Arc<Kept>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.remaining)
    }
}

impl Memory {
    /// At most so many entries, and at most so many bytes: 4 GiB, as weights have 32 bits.
    pub(super) fn new(entries: u64, bytes: u64) -> Self {
        let most = bytes.clamp(1, u32::MAX.into());
        let share = most.div_ceil(entries.max(1));
        let held = Arc::new(AtomicU64::new(0));
        let left = Arc::clone(&held);
        let entries = moka::future::Cache::builder()
            .max_capacity(most)
            .weigher(move |key: &String, kept: &Arc<Kept>| {
                u32::try_from(kept.bytes(key).max(share)).unwrap_or(u32::MAX)
            })
            .eviction_listener(move |key: Arc<String>, kept: Arc<Kept>, _| {
                left.fetch_sub(kept.bytes(&key), Ordering::Relaxed);
            })
            .expire_after(UntilItExpires)
            .build();
        Self { entries, bytes: held }
    }

    /// The entry, if it was kept in this generation.
    pub(super) async fn entry(&self, key: &str, generation: Generation) -> Option<CacheEntry> {
        let kept = self.entries.get(key).await?;
        (kept.generation == generation).then(|| kept.entry()).flatten()
    }

    /// Keeps an entry, and drops what is one too many.
    pub(super) async fn keep(&self, key: &str, entry: &CacheEntry, generation: Generation) {
        let kept = Arc::new(Kept::of(entry, generation));
        self.bytes.fetch_add(kept.bytes(key), Ordering::Relaxed);
        self.entries.insert(key.to_owned(), kept).await;
        // Else moka lets them wait for a while: the bounds would hold only later.
        self.entries.run_pending_tasks().await;
    }

    /// Drops all.
    pub(super) fn empty(&self) {
        self.entries.invalidate_all();
    }

    /// Entries and bytes.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.entries.entry_count(), self.bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Generation = Generation(0);

    fn entry(answer: &str, remaining: Duration) -> CacheEntry {
        CacheEntry {
            answer: json!(answer),
            model: "sonnet".to_owned(),
            usage: Usage::default(),
            cost: NanoUsd(1),
            remaining,
        }
    }

    async fn filled(memory: &Memory, count: usize, answer: &str) {
        for nth in 0..count {
            let key = format!("key-{nth:04}");
            memory.keep(&key, &entry(answer, Duration::from_secs(60)), NOW).await;
            // Whoever is asked for is worth keeping: the newest stays.
            memory.entry(&key, NOW).await;
        }
    }

    #[tokio::test]
    async fn there_are_never_more_entries_than_were_allowed() {
        let memory = Memory::new(10, 1_000_000);
        for nth in 1..=50 {
            filled(&memory, nth, "short").await;
            let (entries, bytes) = memory.size();
            assert!(entries <= 10 && bytes < 10 * 400, "{entries} entries in {bytes} bytes");
        }
        assert_eq!(memory.size().0, 10, "all room is used");
    }

    #[tokio::test]
    async fn there_are_never_more_bytes_than_were_allowed() {
        let memory = Memory::new(1_000, 20_000);
        let long = "long ".repeat(200);
        for nth in 1..=50 {
            filled(&memory, nth, &long).await;
            let (entries, bytes) = memory.size();
            assert!(bytes <= 20_000 && entries < 20, "{entries} entries in {bytes} bytes");
        }
        assert!(memory.size().1 > 15_000, "the room is used");
    }

    #[tokio::test]
    async fn an_entry_that_is_larger_than_all_room_is_not_kept() {
        let memory = Memory::new(10, 1_000);
        memory.keep("key", &entry(&"long ".repeat(1_000), Duration::from_secs(60)), NOW).await;
        assert!(memory.entry("key", NOW).await.is_none());
        assert_eq!(memory.size(), (0, 0));
    }

    #[tokio::test]
    async fn an_entry_that_is_kept_anew_counts_once() {
        let memory = Memory::new(10, 100_000);
        filled(&memory, 1, "the first").await;
        let once = memory.size();
        filled(&memory, 1, "the other").await;
        assert_eq!(memory.size(), once);
    }

    #[tokio::test]
    async fn an_entry_leaves_when_it_expires_in_the_store() {
        let memory = Memory::new(10, 100_000);
        memory.keep("over", &entry("old", Duration::ZERO), NOW).await;
        assert!(memory.entry("over", NOW).await.is_none());
    }
}
