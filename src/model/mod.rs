//! Language models behind one trait: Anthropic, OpenAI-compatible endpoints, and `offline`.
//!
//! A model makes exactly one attempt for one request; who retries is the
//! pipeline, because every HTTP request needs an admission of its own.

pub mod capabilities;
mod table;
pub mod prices;
pub mod estimate;
mod regression;
mod bound;
pub mod pricing;
pub mod retry;
pub mod breaker;
mod concurrency;
mod headroom;
mod gate;
mod account;
pub mod access;
mod schema;
mod canonical;
pub(crate) mod http;
mod stop;
mod failure;
mod brief;
pub mod anthropic;
pub mod openai;
pub mod offline;
mod chain;
pub mod registry;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::usage::{Tier, Usage};
pub use bound::{Bound, Terms};
pub use canonical::canonical;

pub use brief::Brief;

/// A request to a model: a prompt, data, and the shape of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// The agent that asks, as metrics name it.
    pub agent: &'static str,
    /// The system prompt: ours alone, never chat text.
    pub system: String,
    /// The event's own facts, delimited: the same bytes in all requests of an event, so that a
    /// provider may cache the prompt up to their end. Empty where no event is known.
    pub facts: String,
    /// The rest of the data: rows, the message and the question, delimited.
    pub user: String,
    /// The same facts, typed, for a model that reads no prose.
    pub brief: Brief,
    /// The JSON schema of the answer.
    pub schema: Value,
    /// The most output tokens that are paid for.
    pub max_tokens: u32,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelResponse {
    /// The model as the response names it.
    pub model: String,
    /// The structured answer; not yet held against the schema.
    pub answer: Value,
    /// Its tokens.
    pub usage: Usage,
    /// At which prices they are billed.
    pub tier: Tier,
}

/// Why a model did not answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// No connection: nothing was sent.
    #[error("cannot connect to the model's endpoint: {0}")]
    NotConnected(String),
    /// Sent, and no whole answer came in time.
    #[error("the model did not answer within {0:?}")]
    TimedOut(Duration),
    /// Sent, and the connection broke before the answer was whole.
    #[error("the connection broke before the answer was whole: {0}")]
    Cut(String),
    /// 429.
    #[error("the provider limits the rate{}", .retry_after.map(|d| format!(", retry after {} s", d.as_secs())).unwrap_or_default())]
    RateLimited {
        /// When the provider said to come back.
        retry_after: Option<Duration>,
    },
    /// 529 or 503.
    #[error("the provider is overloaded")]
    Overloaded {
        /// When the provider said to come back.
        retry_after: Option<Duration>,
    },
    /// Another 5xx, 408 or 409; `explained` when it came with the provider's error body.
    #[error("the provider failed with status {status}: {message}")]
    Server {
        /// The HTTP status.
        status: u16,
        /// Whether the provider's error body came along.
        explained: bool,
        /// What the provider said.
        message: String,
    },
    /// Credit, spend cap, key or permission: no model of the endpoint answers until a person acts.
    #[error("the provider does not serve this account: {message}")]
    AccountStopped {
        /// What the provider said.
        message: String,
        /// Until the date that it named, if it did.
        retry_after: Option<Duration>,
    },
    /// The endpoint has no such model; its other models may answer.
    #[error("the endpoint has no such model: {0}")]
    ModelMissing(String),
    /// A passing failure of which the provider says that another try in place is of no use.
    #[error("{0}")]
    OnlyLater(Box<ModelError>),
    /// The request itself is wrong.
    #[error("the provider rejected the request with status {status}: {message}")]
    Rejected {
        /// The HTTP status.
        status: u16,
        /// What the provider said.
        message: String,
    },
    /// The request cannot fit the model's context window, and was not sent.
    #[error(
        "the prompt of at least {prompt} tokens and {max_tokens} tokens of answer do not fit the model's context window of {window}"
    )]
    TooLong {
        /// The least that the prompt can come to, in tokens.
        prompt: u64,
        /// The most output tokens that were asked for.
        max_tokens: u32,
        /// The window, in tokens.
        window: u64,
    },
    /// The model refused; billed.
    #[error("the model refused ({category})")]
    Refused {
        /// The provider's category.
        category: String,
        /// What it cost.
        usage: Usage,
        /// At which prices.
        tier: Tier,
        /// The model as the response names it.
        model: String,
    },
    /// A readable, billed response without a usable answer: cut at `max_tokens`, an unknown stop
    /// reason, or text where JSON was due.
    #[error("the model's answer is unusable: {why}")]
    Unusable {
        /// What is wrong with it.
        why: String,
        /// What it cost.
        usage: Usage,
        /// At which prices.
        tier: Tier,
        /// The model as the response names it.
        model: String,
    },
    /// A 200 whose body cannot be read: it may have been billed.
    #[error("the endpoint answered what cannot be read: {0}")]
    Unreadable(String),
}

/// What an unanswered request means for the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Billing {
    /// Nothing was billed. `sent` says whether the endpoint counted a request.
    Nothing {
        /// Whether the request reached the endpoint.
        sent: bool,
    },
    /// It was billed, and for what.
    Charged {
        /// Its tokens.
        usage: Usage,
        /// At which prices.
        tier: Tier,
        /// The model as the response names it.
        model: String,
    },
    /// Nobody knows.
    Ambiguous,
}

impl ModelError {
    /// What the error means for the ledger.
    pub fn billing(&self) -> Billing {
        match self {
            Self::NotConnected(_) | Self::TooLong { .. } => Billing::Nothing { sent: false },
            Self::RateLimited { .. }
            | Self::Overloaded { .. }
            | Self::AccountStopped { .. }
            | Self::ModelMissing(_)
            | Self::Rejected { .. }
            | Self::Server { explained: true, .. } => Billing::Nothing { sent: true },
            Self::OnlyLater(error) => error.billing(),
            Self::Refused { usage, tier, model, .. }
            | Self::Unusable { usage, tier, model, .. } => {
                Billing::Charged { usage: *usage, tier: *tier, model: model.clone() }
            }
            Self::TimedOut(_)
            | Self::Cut(_)
            | Self::Unreadable(_)
            | Self::Server { explained: false, .. } => Billing::Ambiguous,
        }
    }

    /// Whether the account is stopped, and for how long where the provider said so.
    fn account_stop(&self) -> Option<Option<Duration>> {
        match self {
            Self::AccountStopped { retry_after, .. } => Some(*retry_after),
            Self::OnlyLater(error) => error.account_stop(),
            Self::NotConnected(_)
            | Self::TimedOut(_)
            | Self::Cut(_)
            | Self::RateLimited { .. }
            | Self::Overloaded { .. }
            | Self::Server { .. }
            | Self::ModelMissing(_)
            | Self::Rejected { .. }
            | Self::TooLong { .. }
            | Self::Refused { .. }
            | Self::Unusable { .. }
            | Self::Unreadable(_) => None,
        }
    }

    /// Whether it is the provider's own word, so that it knew the account.
    pub(crate) fn is_from_provider(&self) -> bool {
        match self.billing() {
            Billing::Nothing { sent } => sent,
            Billing::Charged { .. } => true,
            Billing::Ambiguous => false,
        }
    }
}

/// A language model at one endpoint.
#[async_trait]
pub trait Model: Send + Sync + 'static {
    /// The model's name as settings and the price book have it.
    fn name(&self) -> &str;

    /// Whether an answer costs nothing and takes no place: only `offline` is.
    fn is_free(&self) -> bool;

    /// Whether the endpoint answers and takes the key, in words for a person; costs nothing.
    ///
    /// # Errors
    /// [`ModelError::NotConnected`] or [`ModelError::AccountStopped`].
    async fn reach(&self) -> Result<String, ModelError>;

    /// At which prices a request can be billed.
    fn terms(&self, request: &ModelRequest) -> Terms;

    /// Makes one attempt; its ID goes along, so that a gateway's log can be held against the ledger.
    ///
    /// # Errors
    /// [`ModelError`], which also says what became of the money.
    async fn ask(&self, request: &ModelRequest, id: Uuid) -> Result<ModelResponse, ModelError>;
}
