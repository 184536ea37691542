//! How values go over the wire: instants and durations in binary, domain values as JSON.
//!
//! PostgreSQL stores no NUL character, neither in `text` nor in `jsonb`; a chat
//! or a model may well hold one, so it is replaced on the way in.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::{Oid, PgInterval};
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::types::Json;
use sqlx::{Decode, Encode, Postgres, Type};

use crate::store::{StoreError, Stored};

/// 2000-01-01T00:00:00Z, from which PostgreSQL counts, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// The fixed object IDs of `timestamptz` and of its array: a name would cost a query to resolve.
const TIMESTAMPTZ: Oid = Oid(1184);
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);

/// An instant as `timestamptz`, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant(pub(super) Timestamp);

impl Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for Instant {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
    }
}

impl Encode<'_, Postgres> for Instant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Postgres>>::encode(self.0.as_microsecond() - EPOCH, buffer)
    }
}

impl Decode<'_, Postgres> for Instant {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => {
                let micros: i64 = Decode::<Postgres>::decode(value)?;
                let micros = micros.checked_add(EPOCH).ok_or("an instant beyond all calendars")?;
                Ok(Self(Timestamp::from_microsecond(micros)?))
            }
            PgValueFormat::Text => Ok(Self(value.as_str()?.parse()?)),
        }
    }
}

/// A duration as `interval`, to the microsecond.
pub(super) fn interval(duration: Duration) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: micros(duration) }
}

/// A duration's microseconds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A duration from the database; what has run out is zero.
pub(super) fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// A count from the database; none is negative.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Tokens or a limit for a `bigint` column.
pub(super) fn bigint(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Text that PostgreSQL can store.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A value as `jsonb` that PostgreSQL can store.
pub(super) fn json(value: &impl Serialize) -> Json<Value> {
    let mut value = serde_json::to_value(value).unwrap_or(Value::Null);
    scrub(&mut value);
    Json(value)
}

fn scrub(value: &mut Value) {
    match value {
        Value::String(text) => {
            if text.contains('\0') {
                *text = plain(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                let taken = std::mem::take(fields);
                fields.extend(taken.into_iter().map(|(key, value)| (plain(&key), value)));
            }
            fields.values_mut().for_each(scrub);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads a domain value; what cannot be read names its row, and shows nothing of it.
pub(super) fn read<T: DeserializeOwned>(table: &'static str, id: &str, value: Value) -> Stored<T> {
    serde_json::from_value(value).map_err(|error| StoreError::BadRow {
        table,
        id: id.to_owned(),
        why: without_quotes(&error.to_string()),
    })
}

/// An error's text without what it quotes from the row, which may be chat text.
fn without_quotes(text: &str) -> String {
    match (text.find('"'), text.rfind('"')) {
        (Some(from), Some(to)) if from < to => format!("{}…{}", &text[..from], &text[to + 1..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_character_is_replaced_wherever_it_stands() {
        let value = serde_json::json!({"a\0": ["x\0y", {"b": "\0"}], "n": 1});
        let shown = json(&value).0.to_string();
        assert!(!shown.contains("u0000"), "{shown}");
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        let value = serde_json::json!("what a \"party\" that was");
        let error = read::<u32>("cache", "k", value).unwrap_err().to_string();
        assert!(error.contains("cache row k") && !error.contains("party"), "{error}");
    }

    #[test]
    fn a_span_that_ran_out_is_zero() {
        assert_eq!(duration(-5), Duration::ZERO);
        assert_eq!(micros(Duration::from_nanos(1_999)), 1);
    }
}
