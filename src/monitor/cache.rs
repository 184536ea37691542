//! The cache as scripts read it: what it holds, and how often it was hit.

use serde::Serialize;

use super::costs::{Timeframe, percent};
use super::summary::Dollars;
use crate::store::{Store, Stored, Stretch};

/// The store's cache, which all replicas share. The field names and their order are a contract with
/// scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheListing {
    /// Entries.
    pub size: u64,
    /// Those that can be hit.
    pub active: u64,
    /// Those that are over and not swept yet.
    pub expired: u64,
    /// Bytes of keys and answers.
    pub bytes: u64,
    /// Over which time hits and misses are counted.
    pub timeframe: Timeframe,
    /// Messages that were answered from the cache, of this store or of a process's memory.
    pub hits: u64,
    /// Messages for which a model was asked.
    pub misses: u64,
    /// Hits, in percent of both.
    pub hit_rate: f64,
    /// What hits avoided.
    pub avoided_cost: Dollars,
    /// Tokens that hits avoided.
    pub avoided_tokens: u64,
    /// Entries by what their keys begin with, most entries first.
    pub by_prefix: Vec<PrefixListing>,
}

/// The entries under one prefix.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrefixListing {
    /// What their keys begin with: `task:florist:base`.
    pub prefix: String,
    /// How many there are.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl CacheListing {
    /// What is there now, and a timeframe's hits.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn read(store: &dyn Store, timeframe: Timeframe) -> Stored<Self> {
        let figures = store.figures(Stretch::last(timeframe.length()));
        let (report, figures) = tokio::try_join!(store.cache_report(), figures)?;
        let total = figures.total();
        let by_prefix = report.by_prefix.into_iter();
        Ok(Self {
            size: report.active + report.expired,
            active: report.active,
            expired: report.expired,
            bytes: report.bytes,
            timeframe,
            hits: total.cached,
            misses: total.asked,
            hit_rate: percent(total.cached, total.questions()),
            avoided_cost: Dollars(total.avoided_cost),
            avoided_tokens: total.avoided_tokens,
            by_prefix: by_prefix
                .map(|it| PrefixListing { prefix: it.prefix, entries: it.entries, bytes: it.bytes })
                .collect(),
        })
    }
}
