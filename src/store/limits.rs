//! What admission and the ledger put into a store and get out of it.
//!
//! A scope is one row that holds all that decides about it: a rate the instants
//! of its last admissions, a budget its counters. A request that finds no room
//! takes its own place in the scope's line, and is made due when its turn comes.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::domain::ids::{EventId, ItemId};
use crate::domain::usage::{NanoUsd, Usage};
use crate::settings::BudgetKind;

/// A limit on how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateScope {
    /// The scope's row: `rate:event:…`, `rate:sender:…`.
    pub key: String,
    /// Admissions per window.
    pub limit: u32,
    /// The window; a place is free again this long after its admission, plus `send_within`.
    pub window: Duration,
    /// How long after its admission a request may arrive at the endpoint: what a permit may wait
    /// before it is sent, and what a connection may take.
    pub send_within: Duration,
}

/// A limit on how much.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetScope {
    /// Its name, in all its windows: `budget:event:…`, `budget:tenant:…`, `budget:day`,
    /// `budget:month`, `budget:total`. What an operator set for it stands before `limit`.
    pub name: String,
    /// The most that a window may cost; `None` only counts.
    pub limit: Option<NanoUsd>,
    /// Whether it holds at the worst case of every request.
    pub kind: BudgetKind,
    /// Of what is left of a hard budget, the share that requests in flight may hold together; one
    /// request always may. What a crash leaves in doubt is never more.
    pub in_flight_share: f64,
    /// Whether a request that finds the window spent waits for the next one.
    pub waits: bool,
    /// Its windows around now, in order and without gaps; the database's clock picks one.
    pub windows: Vec<Window>,
}

/// A stretch of time with counters of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The scope's row: the budget's name, with the window where it has one: `budget:day:2026-11-22`.
    pub key: String,
    /// Its first instant; `None`: since ever.
    pub starts_at: Option<Timestamp>,
    /// Its end, not part of it; `None`: never.
    pub ends_at: Option<Timestamp>,
}

/// What a request takes of the provider's own limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderNeeds {
    /// The endpoint's name: what holds for the account holds for all its models.
    pub account: String,
    /// The model.
    pub model: String,
    /// Its prompt's tokens, at most.
    pub input: u64,
    /// The output tokens that are paid for.
    pub output: u64,
}

/// What one HTTP request to a model needs to be allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct AdmissionRequest {
    /// The event that asks.
    pub event: EventId,
    /// Who pays.
    pub tenant: String,
    /// The message's revision.
    pub revision: i64,
    /// When the message was sent: its place in a line.
    pub sent_at: Timestamp,
    /// The agent that asks.
    pub agent: &'static str,
    /// The model that is asked.
    pub model: String,
    /// As in [`KeptAnswer`](super::KeptAnswer).
    pub fingerprint: String,
    /// The most this request can cost.
    pub worst_case: NanoUsd,
    /// What it will cost by what was learnt: what a soft budget is asked for.
    pub expected: NanoUsd,
    /// The rate limits that must have a place.
    pub rates: Vec<RateScope>,
    /// The budgets that must have room, or only count.
    pub budgets: Vec<BudgetScope>,
    /// The provider's limits that must have room.
    pub provider: Option<ProviderNeeds>,
    /// Whether the message waits when it is refused: then it takes its place in the line.
    pub queues: bool,
}

/// What became of an admission. Where a refusal names a time, the message's turn comes then at the
/// latest, and whoever [queues](AdmissionRequest::queues) is made due sooner when it comes sooner.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// All scopes passed; the ledger row is `reserved`.
    Admitted {
        /// The ledger row.
        ledger: Uuid,
    },
    /// The provider asked all replicas for a pause, or has nothing left of its limits.
    ProviderPaused {
        /// Until that is over.
        after: Duration,
    },
    /// A rate limit is used up.
    RateLimited {
        /// The scope that refused.
        scope: String,
        /// Until its turn.
        after: Duration,
    },
    /// What is left of a hard budget is held by requests in flight; most of it comes back.
    BudgetBusy {
        /// The window's key.
        scope: String,
        /// Until its turn.
        after: Duration,
    },
    /// A budget's window is spent, and its messages [wait](BudgetScope::waits) for the next one.
    BudgetSpent {
        /// The spent window's key.
        scope: String,
        /// Until the next window begins.
        after: Duration,
    },
    /// A budget is spent, and its messages do not wait.
    OverBudget {
        /// The budget's name.
        budget: String,
        /// What a request may cost at most to be allowed, once all in flight have ended.
        room: NanoUsd,
    },
    /// The lease is not ours any more.
    Lost,
}

/// What a response cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// Its tokens.
    pub usage: Usage,
    /// Its cost; `None` when it has no price: then its row is ambiguous at the worst case, with
    /// its tokens and its answer.
    pub cost: Option<NanoUsd>,
    /// The model that answered, as the response names it.
    pub model: String,
    /// The answer, kept for replay; `None` when there is none worth keeping (a refusal).
    pub answer: Option<Value>,
}

/// What a request that was sent taught, told after its row was closed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heard {
    /// How long after its admission was asked for it had surely reached the endpoint. Its rates'
    /// places free that long after its admission and a window, when that is sooner than
    /// [`send_within`](RateScope::send_within) has it. `None`: nobody knows.
    pub arrived_within: Option<Duration>,
    /// What the provider said of its limits, for all replicas.
    pub word: Option<ProviderWord>,
}

/// What a provider said of its limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderWord {
    /// The endpoint's name.
    pub account: String,
    /// The model.
    pub model: String,
    /// Nothing is to be sent to the whole account for so long.
    pub account_pause: Option<Duration>,
    /// Nothing is to be sent to the model for so long.
    pub model_pause: Option<Duration>,
    /// Requests that are left; what is not named stays as it was.
    pub requests: Option<Left>,
    /// Input tokens that are left.
    pub input: Option<Left>,
    /// Output tokens that are left.
    pub output: Option<Left>,
}

/// What is left of one of a provider's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Requests, or tokens rounded by the provider.
    pub remaining: u64,
    /// Until the limit is whole again.
    pub reset: Duration,
}

/// The state of a ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Admitted; its worst case is set aside.
    Reserved,
    /// Paid, for what it cost.
    Charged,
    /// Nothing was billed.
    Refunded,
    /// Nobody knows what was billed: it counts at its worst case until somebody says.
    Ambiguous,
    /// The sum of a budget window's rows that are not kept any more.
    Carried,
}

impl LedgerState {
    /// All states.
    pub const ALL: [Self; 5] =
        [Self::Reserved, Self::Charged, Self::Refunded, Self::Ambiguous, Self::Carried];

    /// The state's name in rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Charged => "charged",
            Self::Refunded => "refunded",
            Self::Ambiguous => "ambiguous",
            Self::Carried => "carried",
        }
    }

    /// The state of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which ledger rows are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// Only those in this state.
    pub state: Option<LedgerState>,
    /// Only those of this event.
    pub event: Option<EventId>,
    /// Only those whose bill was above what was reserved.
    pub debt: bool,
    /// At most so many.
    pub limit: u32,
}

/// A row of the ledger: one HTTP request to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    /// Its ID, which the request carried to the endpoint too.
    pub id: Uuid,
    /// Its state.
    pub state: LedgerState,
    /// Who pays.
    pub tenant: String,
    /// The item that asked.
    pub item: ItemId,
    /// The event that asked.
    pub event: EventId,
    /// The agent that asked.
    pub agent: String,
    /// The model that was asked.
    pub model: String,
    /// The worst case that was set aside.
    pub reserved: NanoUsd,
    /// What it cost; 0 unless charged.
    pub charged: NanoUsd,
    /// Its tokens, where they are known.
    pub usage: Usage,
    /// Why it is ambiguous: `abandoned` (its worker died), `unanswered` or `unpriced`.
    pub why: Option<String>,
    /// The windows that it counts in.
    pub scopes: Vec<String>,
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// When it left `reserved`.
    pub resolved_at: Option<Timestamp>,
    /// Who closed it, where a person did.
    pub resolved_by: Option<String>,
}

impl LedgerRow {
    /// What was billed above what the request allowed; a carried row tells of none.
    pub fn debt(&self) -> NanoUsd {
        if self.state == LedgerState::Carried {
            return NanoUsd::ZERO;
        }
        NanoUsd((self.charged.0 - self.reserved.0).max(0))
    }
}

/// What became of a person's word on an ambiguous row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    /// It is charged now; at a cost of 0, refunded.
    Closed,
    /// It is not ambiguous but this.
    NotAmbiguous(LedgerState),
    /// There is no such row.
    Unknown,
}

/// The counters of a budget's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetWindow {
    /// The budget's name.
    pub name: String,
    /// The window's key.
    pub key: String,
    /// Set aside for requests in flight, at their worst case.
    pub reserved: NanoUsd,
    /// Paid.
    pub charged: NanoUsd,
    /// Held for what nobody knows.
    pub ambiguous: NanoUsd,
    /// Messages that wait in its line.
    pub waiting: u64,
    /// Whether it is the one that runs now.
    pub is_current: bool,
}

/// What an operator set for a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetOverride {
    /// The budget's name.
    pub name: String,
    /// The most that a window may cost; `None`: no limit.
    pub limit: Option<NanoUsd>,
    /// Who set it.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

/// What an operator does about a budget's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetChange {
    /// It is this from now on, whatever the settings say; 0 admits nothing.
    Limit(NanoUsd),
    /// There is none.
    Lift,
    /// It is what the settings say.
    Default,
}

/// A ledger that does not balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFault {
    /// The scope whose counters differ from its rows, or the row that is wrong in itself.
    pub scope: String,
    /// What the counters say.
    pub counted: NanoUsd,
    /// What the rows sum to.
    pub summed: NanoUsd,
    /// Ledger rows that would explain the difference, or that hold what no request leaves.
    pub rows: Vec<Uuid>,
}
