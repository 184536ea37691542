//! What the requests to one model at one endpoint cost: by the price book, by the endpoint's price
//! for totals, and what the settings say of a model that has no price.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tracing::warn;

use super::Bound;
use super::prices::{PriceBook, TotalPrice};
use crate::domain::usage::{NanoUsd, Tier, Usage};
use crate::settings::Unpriced;
use crate::telemetry::metrics;

/// What the requests to one model at one endpoint cost.
#[derive(Debug)]
pub struct Pricing {
    book: Arc<PriceBook>,
    /// As the settings name it.
    model: String,
    /// For responses that report a total alone, where the endpoint's settings name a price.
    total: Option<TotalPrice>,
    unpriced: Unpriced,
    has_warned: AtomicBool,
}

impl Pricing {
    /// The prices of a model.
    pub fn new(
        book: Arc<PriceBook>,
        model: &str,
        total: Option<TotalPrice>,
        unpriced: Unpriced,
    ) -> Self {
        let has_warned = AtomicBool::new(false);
        Self { book, model: model.to_owned(), total, unpriced, has_warned }
    }

    /// What is set aside for a request: the most that it can cost, or for a model without a price,
    /// where the settings let it be asked, the dearest that is known of any. `None`: it is not asked.
    pub fn worst_case(&self, bound: &Bound, at: Timestamp) -> Option<NanoUsd> {
        let listed = self.book.worst_case(&self.model, bound, at);
        let total = self.total.map(|price| price.of(bound.prompt.saturating_add(bound.output)));
        // Which of the two a response is billed by, only the response says.
        listed.max(total).or_else(|| match self.unpriced {
            Unpriced::Block => None,
            Unpriced::Alert => self.book.dearest(bound, at),
        })
    }

    /// What a response cost; `None` when that is not known, which is never nothing.
    pub fn price(&self, tier: Tier, usage: &Usage, at: Timestamp) -> Option<NanoUsd> {
        match tier {
            Tier::Total => self.total.map(|price| price.of(usage.total())),
            Tier::Standard
            | Tier::Us
            | Tier::Batch
            | Tier::Flex
            | Tier::Priority
            | Tier::Unknown => self.book.price(&self.model, tier, usage, at),
        }
    }

    /// Whether a request's worst case is known.
    pub fn is_known(&self, at: Timestamp) -> bool {
        self.total.is_some() || self.book.has_price(&self.model, at)
    }

    /// Whether the settings let a model be asked whose price is not known.
    pub fn counts_unpriced(&self) -> bool {
        self.unpriced == Unpriced::Alert
    }

    /// Counts a billed response without a price, and warns of the first.
    pub fn note_unpriced(&self, tier: Tier) {
        metrics::unpriced(&self.model);
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            warn!(
                model = self.model,
                ?tier,
                "a response has no price: its ledger row counts at what was set aside until \
                 `gleaner ledger resolve` says what it cost"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Terms;

    const BOUND: Bound = Bound {
        prompt: 1_000,
        output: 100,
        terms: Terms { tiers: &[Tier::Standard], writes_cache: false },
    };

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn pricing(model: &str, total: &str, unpriced: Unpriced) -> Pricing {
        let book = PriceBook::bundled();
        let total = book.total(total);
        Pricing::new(book, model, total, unpriced)
    }

    #[test]
    fn a_model_without_a_price_is_blocked_or_counted_at_the_dearest_of_all() {
        let blocked = pricing("claude-next", "", Unpriced::Block);
        assert_eq!(blocked.worst_case(&BOUND, now()), None);
        assert!(!blocked.is_known(now()) && !blocked.counts_unpriced());
        let alerted = pricing("claude-next", "", Unpriced::Alert);
        let dearest = alerted.worst_case(&BOUND, now()).unwrap();
        for model in PriceBook::bundled().models() {
            let known = PriceBook::bundled().worst_case(model, &BOUND, now());
            assert!(known.is_none_or(|known| known <= dearest), "{model}");
        }
        let used = Usage { input: 1, ..Usage::default() };
        assert_eq!(alerted.price(Tier::Standard, &used, now()), None);
    }

    #[test]
    fn a_total_has_the_price_that_the_endpoint_names_and_otherwise_none() {
        let total = Usage { input: 2_500, ..Usage::default() };
        let named = pricing("llama-9", "per_1k_tokens", Unpriced::Block);
        assert_eq!(named.price(Tier::Total, &total, now()), Some(NanoUsd(7_500_000)));
        assert_eq!(named.price(Tier::Standard, &total, now()), None);
        for model in ["llama-9", "claude-sonnet-5-5"] {
            let unnamed = pricing(model, "", Unpriced::Block);
            assert_eq!(unnamed.price(Tier::Total, &total, now()), None, "{model}");
        }
    }

    #[test]
    fn the_worst_case_is_the_dearer_of_the_models_price_and_the_totals() {
        let total = NanoUsd(1_100 * 3_000);
        let local = pricing("llama-9", "per_1k_tokens", Unpriced::Block);
        assert_eq!(local.worst_case(&BOUND, now()), Some(total));
        let cheap = pricing("claude-haiku-5-5", "per_1k_tokens", Unpriced::Block);
        assert_eq!(cheap.worst_case(&BOUND, now()), Some(total));
        let dear = pricing("claude-opus-5", "per_1k_tokens", Unpriced::Block);
        assert_eq!(dear.worst_case(&BOUND, now()), Some(NanoUsd(5_000_000 + 2_500_000)));
    }
}
