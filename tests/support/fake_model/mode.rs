//! What the endpoint can be told to do with a request.

use serde::Deserialize;
use serde_json::Value;

/// What to do with a request; as JSON `{"mode": "slow", "ms": 500}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub(crate) enum Mode {
    /// A valid answer for the schema: the same one for the same schema.
    Answer,
    /// This answer, whether it fits or not.
    AnswerWith {
        /// The answer.
        answer: Value,
    },
    /// A valid answer, late.
    Slow {
        /// By how many milliseconds.
        ms: u64,
    },
    /// A valid answer, late, billed as if it were as long as a real one: this endpoint's are short.
    Long {
        /// How many tokens long, if there is room for them.
        tokens: u64,
        /// Late by how many milliseconds.
        ms: u64,
    },
    /// 429.
    RateLimit {
        /// When to come back.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// 529.
    Overload {
        /// When to come back.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// 500.
    ServerError {
        /// Whether the provider's error body comes along.
        #[serde(default)]
        explained: bool,
    },
    /// Never answers, and keeps the connection.
    Hang,
    /// Half an answer, then the connection breaks.
    Cut,
    /// A 200 that is of no use.
    Nonsense {
        /// In what way.
        #[serde(default)]
        kind: Nonsense,
    },
    /// The model refuses.
    Refuse,
    /// The answer is cut at `max_tokens`.
    MaxTokens,
    /// The provider does not serve the account.
    AccountStopped {
        /// Why.
        #[serde(default)]
        how: Stopped,
        /// When to come back.
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// 404, there is no such model.
    NoModel,
    /// A valid answer, late; 429 for whoever comes while so many are in flight.
    Room {
        /// How many at once.
        places: usize,
        /// Late by how many milliseconds.
        ms: u64,
    },
    /// A valid answer with headers that say what is left of so many requests a window; 429 beyond.
    Window {
        /// How many in a window.
        requests: u64,
        /// The window's length in milliseconds.
        ms: u64,
    },
    /// A valid answer without usage.
    EmptyUsage,
    /// A valid answer in a service tier, as the response calls it; billed at that tier's price.
    Tier {
        /// Its name.
        tier: String,
    },
    /// A valid answer whose usage is one total, without classes.
    Total {
        /// The name of the price that it is billed at; one that is not known bills nothing.
        price: String,
    },
    /// This body under status 200, as a provider once sent it; nothing is billed.
    Recorded {
        /// The body.
        body: Value,
    },
    /// What the prompt's data demands, where it holds one of these; else a faithful answer.
    Obey {
        /// What is obeyed.
        orders: Vec<Order>,
    },
}

/// An order that stands among a prompt's data.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Order {
    /// What the prompt holds of it.
    pub(crate) mark: String,
    /// A field that only the answers have that it is aimed at.
    pub(crate) field: String,
    /// What a model answers that obeys; a text is said as it is.
    pub(crate) answer: Value,
}

/// How a response says when to come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryAfter {
    /// Not at all.
    #[default]
    None,
    /// `retry-after` in seconds.
    Seconds(u64),
    /// `retry-after` as the HTTP date that many seconds ahead.
    Date(u64),
    /// `retry-after-ms`.
    Ms(u64),
}

/// How a 200 can be of no use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Nonsense {
    /// The body is a web page.
    #[default]
    Page,
    /// The body is an error.
    Error,
    /// The answer is prose.
    Prose,
    /// The answer is JSON that does not fit the schema.
    Schema,
}

/// Why an account is not served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stopped {
    /// 400, the credit is used up.
    #[default]
    Credit,
    /// 429, the spend limit is reached.
    SpendLimit,
    /// 401, the key is wrong.
    Key,
}
