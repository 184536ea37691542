//! The endpoint's own bill and clock.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use gleaner::domain::usage::{NanoUsd, Tier, Usage};
use gleaner::model::prices::PriceBook;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::asked::Asked;

/// How long a prompt prefix stays in the cache.
const CACHED_FOR: Duration = Duration::from_secs(300);

/// A request that arrived.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Seen {
    /// When, by the wall clock.
    pub(crate) at: Timestamp,
    /// When, by the steady clock.
    #[serde(skip)]
    pub(crate) instant: Instant,
    /// Where.
    pub(crate) path: String,
    /// The model that was asked.
    pub(crate) model: String,
    /// The ID that it came under: its row's in the ledger.
    pub(crate) request_id: Option<Uuid>,
    /// The event that the prompt names, if it names one.
    pub(crate) event: Option<String>,
    /// The body.
    pub(crate) body: Value,
    /// The status that it was answered with; `None` while it hangs, and when it was cut.
    pub(crate) status: Option<u16>,
    /// Its tokens, if it is billed.
    pub(crate) usage: Option<Usage>,
    /// What is billed for it; `None` when nothing is, or no price is known.
    pub(crate) cost: Option<NanoUsd>,
}

/// What all requests cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Bill {
    /// Requests that arrived.
    pub(crate) requests: usize,
    /// Requests that are billed.
    pub(crate) billed: usize,
    /// Billed requests to a model without a price.
    pub(crate) unpriced: usize,
    /// Tokens of the billed ones.
    pub(crate) usage: Usage,
    /// The sum in nano-dollars.
    pub(crate) nano_usd: i64,
}

/// All requests, and the prompt cache.
#[derive(Debug, Default)]
pub(super) struct Book {
    seen: Vec<Seen>,
    cached: HashMap<(String, String), Instant>,
}

impl Book {
    /// Notes a request; its place in the book is returned.
    pub(super) fn note(
        &mut self,
        path: &str,
        asked: &Asked,
        request_id: Option<Uuid>,
        body: Value,
    ) -> usize {
        self.seen.push(Seen {
            at: Timestamp::now(),
            instant: Instant::now(),
            path: path.into(),
            model: asked.model.clone(),
            request_id,
            event: asked.event(),
            body,
            status: None,
            usage: None,
            cost: None,
        });
        self.seen.len() - 1
    }

    pub(super) fn answered(&mut self, place: usize, status: u16) {
        if let Some(seen) = self.seen.get_mut(place) {
            seen.status = Some(status);
        }
    }

    /// Bills a request in a tier, and returns its usage with what the prompt cache took or gave.
    pub(super) fn charge(&mut self, place: usize, asked: &Asked, output: u64, tier: Tier) -> Usage {
        let usage = self.used(asked, output);
        if let Some(seen) = self.seen.get_mut(place) {
            seen.cost = PriceBook::bundled().price(&asked.model, tier, &usage, seen.at);
            seen.usage = Some(usage);
        }
        usage
    }

    /// Bills a request for its tokens in all, at the price for totals of that name.
    pub(super) fn charge_total(&mut self, place: usize, total: u64, price: &str) {
        if let Some(seen) = self.seen.get_mut(place) {
            seen.cost = PriceBook::bundled().total(price).map(|price| price.of(total));
            seen.usage = Some(Usage { input: total, ..Usage::default() });
        }
    }

    fn used(&mut self, asked: &Asked, output: u64) -> Usage {
        let book = PriceBook::bundled();
        let least = book.capabilities(&asked.model, asked.protocol).cache_min_prefix;
        let prompt = asked.prompt_tokens();
        let mut usage = Usage { input: prompt, output, ..Usage::default() };
        if let Some(prefix) = &asked.cacheable {
            let tokens = super::asked::tokens(prefix);
            if least > 0 && tokens >= least {
                let key = (asked.model.clone(), prefix.clone());
                let before = self.cached.insert(key, Instant::now());
                let hit = before.is_some_and(|before| before.elapsed() < CACHED_FOR);
                let class = if hit { &mut usage.cache_read } else { &mut usage.cache_write_5m };
                *class = tokens;
                usage.input = prompt - tokens;
            }
        }
        usage
    }

    pub(super) fn requests(&self) -> &[Seen] {
        &self.seen
    }

    pub(super) fn bill(&self) -> Bill {
        let mut bill = Bill { requests: self.seen.len(), ..Bill::default() };
        for seen in &self.seen {
            let Some(usage) = seen.usage else { continue };
            bill.billed += 1;
            bill.usage += usage;
            match seen.cost {
                Some(cost) => bill.nano_usd += cost.0,
                None => bill.unpriced += 1,
            }
        }
        bill
    }

    pub(super) fn most_within(&self, window: Duration, event: Option<&str>) -> usize {
        let counts = |seen: &&Seen| event.is_none() || seen.event.as_deref() == event;
        let mut instants: Vec<_> =
            self.seen.iter().filter(counts).map(|seen| seen.instant).collect();
        instants.sort_unstable();
        let mut first = 0;
        let mut most = 0;
        for (last, instant) in instants.iter().enumerate() {
            while *instant - instants[first] >= window {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
