//! The ledger as scripts read it: one object a row, the same on the command line and the port.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::domain::ids::{EventId, ItemId};
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{LedgerRow, LedgerState};

/// How many rows are listed when nobody says.
pub const LISTED: u32 = 50;
/// The most rows that are listed at once.
pub const MOST_LISTED: u32 = 10_000;

/// An amount of US dollars, told twice and exactly: `{"usd": "0.012000000", "nano_usd": 12000000}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dollars(pub NanoUsd);

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Both {
            usd: String,
            nano_usd: i64,
        }
        let nano_usd = self.0.0;
        // The decimal text is what people read, without its sign of currency.
        Both { usd: self.0.to_string().replacen('$', "", 1), nano_usd }.serialize(to)
    }
}

/// A name that is no state of a ledger row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{shown:?} is no state of the ledger; there are reserved, charged, refunded, ambiguous and carried"
)]
pub struct UnknownState {
    shown: String,
}

/// Reads a state as people and scripts write it.
///
/// # Errors
/// [`UnknownState`], which lists them all.
pub fn read_state(text: &str) -> Result<LedgerState, UnknownState> {
    LedgerState::named(text).ok_or_else(|| UnknownState { shown: text.chars().take(40).collect() })
}

/// A row of the ledger with all that is kept of it. The field names and their order are a contract
/// with scripts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LedgerListing {
    /// Its ID, by which it can be resolved.
    pub id: Uuid,
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// Its state.
    pub state: LedgerState,
    /// Why it is ambiguous: `abandoned`, `unanswered` or `unpriced`.
    pub why: Option<String>,
    /// Who pays.
    pub tenant: String,
    /// The event that asked.
    pub event_id: EventId,
    /// The message, or the suggestion run, that asked.
    pub item_id: ItemId,
    /// The agent that asked.
    pub agent: String,
    /// The model that was asked.
    pub model: String,
    /// The worst case that was set aside when it was admitted, whatever its state is now.
    pub reserved: Dollars,
    /// What it cost; 0 unless charged.
    pub charged: Dollars,
    /// What of its cost was above what was reserved.
    pub debt: Dollars,
    /// Its tokens, where they are known.
    pub usage: Usage,
    /// The windows of the budgets that it counts in.
    pub scopes: Vec<String>,
    /// When it left `reserved`.
    pub resolved_at: Option<Timestamp>,
    /// Who closed it, where a person did.
    pub resolved_by: Option<String>,
}

impl From<LedgerRow> for LedgerListing {
    fn from(row: LedgerRow) -> Self {
        let debt = Dollars(row.debt());
        Self {
            id: row.id,
            admitted_at: row.admitted_at,
            state: row.state,
            why: row.why,
            tenant: row.tenant,
            event_id: row.event,
            item_id: row.item,
            agent: row.agent,
            model: row.model,
            reserved: Dollars(row.reserved),
            charged: Dollars(row.charged),
            debt,
            usage: row.usage,
            scopes: row.scopes,
            resolved_at: row.resolved_at,
            resolved_by: row.resolved_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_amount_is_told_exactly_as_text_and_as_an_integer() {
        for (nanos, usd) in [(12_000_001, "0.012000001"), (-5, "-0.000000005"), (0, "0.000000000")]
        {
            let told = serde_json::to_value(Dollars(NanoUsd(nanos))).unwrap();
            assert_eq!(told, json!({"usd": usd, "nano_usd": nanos}));
        }
    }

    #[test]
    fn a_state_is_read_by_its_name_and_an_unknown_one_lists_them_all() {
        let said = read_state("lost").unwrap_err().to_string();
        for state in LedgerState::ALL {
            assert_eq!(read_state(state.name()), Ok(state));
            assert!(said.contains(state.name()), "{said}");
        }
    }

    #[test]
    fn scripts_read_a_row_by_these_names() {
        let row = LedgerRow {
            id: Uuid::nil(),
            state: LedgerState::Charged,
            tenant: "acme".to_owned(),
            item: ItemId::parse("m-1").unwrap(),
            event: EventId::parse("wed").unwrap(),
            agent: "task_enricher".to_owned(),
            model: "sonnet".to_owned(),
            reserved: NanoUsd(400),
            charged: NanoUsd(450),
            usage: Usage { input: 7, ..Usage::default() },
            why: None,
            scopes: vec!["budget:day:2026-11-22".to_owned()],
            admitted_at: Timestamp::UNIX_EPOCH,
            resolved_at: Some(Timestamp::UNIX_EPOCH),
            resolved_by: None,
        };
        let told = serde_json::to_value(LedgerListing::from(row)).unwrap();
        assert_eq!((&told["state"], &told["item_id"]), (&json!("charged"), &json!("m-1")));
        assert_eq!(told["debt"], json!({"usd": "0.000000050", "nano_usd": 50}));
        assert_eq!((&told["usage"]["input"], &told["why"]), (&json!(7), &json!(null)));
        assert_eq!(told["admitted_at"], "1970-01-01T00:00:00Z");
    }
}
