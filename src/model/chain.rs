//! Whom an agent asks, in order: its model, then the fallbacks.

use std::sync::Arc;
use std::time::Duration;

use super::access::Access;
use super::estimate::TokenEstimates;
use super::pricing::Pricing;
use super::{Model, offline};

/// What an agent asks.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The agent.
    pub agent: &'static str,
    /// Its model, under whose name answers are cached.
    pub primary: Choice,
    /// Who is asked when the primary cannot be, in this order. With none that is free the message
    /// waits when nobody can be asked.
    pub fallbacks: Vec<Choice>,
    /// Who is asked when a budget has no room for the primary, in this order.
    pub cheaper: Vec<Choice>,
    /// The most output tokens that are paid for.
    pub max_tokens: u32,
}

impl Assigned {
    /// All who may be asked, in order.
    pub fn chain(&self) -> impl Iterator<Item = &Choice> {
        std::iter::once(&self.primary).chain(&self.fallbacks)
    }
}

/// A model at an endpoint, as one of those an agent may ask.
#[derive(Clone)]
pub struct Choice {
    /// The endpoint's name in the settings; `offline` where no key is set.
    pub endpoint: String,
    /// The model.
    pub model: Arc<dyn Model>,
    /// The way to it, shared by all agents that ask this model at this endpoint.
    pub access: Arc<Access>,
    /// What it costs there.
    pub prices: Arc<Pricing>,
    /// How long a connection to it may take to be made.
    pub connect_timeout: Duration,
    /// How many tokens its prompts are; shared by all choices, learnt for each model.
    pub estimates: Arc<TokenEstimates>,
}

impl Choice {
    /// Whether it is the same model at the same endpoint.
    pub fn is(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint && self.model.name() == other.model.name()
    }

    /// Whether what its requests cost is known beforehand.
    pub fn has_price(&self) -> bool {
        self.model.is_free() || self.prices.is_known(jiff::Timestamp::now())
    }

    /// Whether it is asked at all; the settings may block one without a price.
    pub fn is_asked(&self) -> bool {
        self.has_price() || self.prices.counts_unpriced()
    }
}

impl std::fmt::Debug for Choice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Choice")
            .field("endpoint", &self.endpoint)
            .field("model", &self.model.name())
            .finish_non_exhaustive()
    }
}

/// An entry of `agents.NAME.fallbacks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// The offline model.
    Offline,
    /// A model at an endpoint.
    At { endpoint: &'a str, model: &'a str },
}

impl<'a> Entry<'a> {
    /// Reads `offline` or `ENDPOINT:MODEL`; the model's name may hold colons too.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        if text.trim() == offline::NAME {
            return Some(Self::Offline);
        }
        let (endpoint, model) = text.split_once(':')?;
        let (endpoint, model) = (endpoint.trim(), model.trim());
        (!endpoint.is_empty() && !model.is_empty()).then_some(Self::At { endpoint, model })
    }
}

impl std::fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Offline => f.write_str(offline::NAME),
            Self::At { endpoint, model } => write!(f, "{endpoint}:{model}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_is_offline_or_a_model_at_an_endpoint() {
        assert_eq!(Entry::read(" offline "), Some(Entry::Offline));
        let at = |endpoint, model| Some(Entry::At { endpoint, model });
        assert_eq!(Entry::read("openai:gpt-6-sol"), at("openai", "gpt-6-sol"));
        assert_eq!(Entry::read("local: llama3:8b"), at("local", "llama3:8b"));
        for wrong in ["", "openai", ":gpt", "openai:", "offline,openai"] {
            assert_eq!(Entry::read(wrong), None, "{wrong}");
        }
    }
}
