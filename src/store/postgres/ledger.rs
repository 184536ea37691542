//! The ledger: how its rows are closed, what they tell, and whether all balances.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::PostgresStore;
use super::admit::model_key;
use super::claim::item_id;
use super::codec::{Instant, bigint, count, interval, json, plain};
use super::pool::store_error;
use crate::domain::ids::EventId;
use crate::domain::usage::{NanoUsd, Usage};
use crate::store::{
    Charge, Heard, LedgerFault, LedgerQuery, LedgerRow, LedgerState, Left, ProviderWord, Resolved,
    StoreError, Stored,
};

// Whether the row was open just before: what a person closed stays as he closed it.
const CHARGE: &str = "
    select charge_ledger_row($1, $2, $3, $4, $5, $6, $7, $8, $9),
        exists (select from ledger l where l.id = $1 and l.state in ('reserved', 'ambiguous'))
            as was_open";
const REFUND: &str = "select refund_ledger_row($1, $2)";
const MARK_AMBIGUOUS: &str = "select leave_ledger_row_ambiguous($1)";
const HEAR: &str = "select hear($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const RESOLVE: &str = "select resolve_ledger_row($1, $2, $3)";

const ROWS: &str = "
    select id, state, tenant, item_id, event_id, agent, model, reserved, charged, input_tokens,
        output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, why, scopes,
        admitted_at, resolved_at, resolved_by
    from ledger
    where ($1::text is null or state = $1) and ($2::text is null or event_id = $2)
        and (not $3 or (charged > reserved and state <> 'carried'))
    order by created_at desc, id desc limit $4";

// One that is wrong in itself: an amount that its state does not have.
const BAD_ROW: &str = "
    select id, charged,
        case when state in ('charged', 'carried') then greatest(charged, 0) else 0 end
    from ledger
    where reserved < 0 or charged < 0 or (charged <> 0 and state not in ('charged', 'carried'))
        or (resolved_at is null) <> (state = 'reserved')
    order by created_at, id limit 1";

// One statement, and so one snapshot: counters and rows are of the same moment. Of the counters, the
// first that differs.
const IMBALANCE: &str = "
    with parts as (
        select scope,
            sum(reserved) filter (where state = 'reserved') as reserved,
            sum(charged) as charged,
            sum(reserved) filter (where state = 'ambiguous') as ambiguous
        from ledger, unnest(scopes) scope
        group by scope
    ), compared as (
        select coalesce(s.key, p.scope) as scope, c.place, c.counted,
            coalesce(c.summed, 0)::bigint as summed
        from scopes s full join parts p on p.scope = s.key,
        lateral (values
            (1, coalesce(s.reserved, 0), p.reserved),
            (2, coalesce(s.charged, 0), p.charged),
            (3, coalesce(s.ambiguous, 0), p.ambiguous)
        ) c (place, counted, summed)
    ), wrong as (
        select scope, counted, summed from compared where counted <> summed
        order by scope, place limit 1
    )
    select scope, counted, summed, array(
        select l.id from ledger l
        where l.scopes @> array[w.scope] and abs(w.counted - w.summed) in (l.reserved, l.charged)
        order by l.created_at desc, l.id desc limit 5
    )
    from wrong w";
// Of the rows that carry sums, the one of all budgets.
const TOTAL: &str = "
    select coalesce(sum(
        charged + case when state in ('reserved', 'ambiguous') then reserved else 0 end
    ), 0)::bigint
    from ledger where state <> 'carried' or scopes = '{}'";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[CHARGE, REFUND, MARK_AMBIGUOUS, HEAR, RESOLVE, ROWS, BAD_ROW, IMBALANCE, TOTAL];

impl PostgresStore {
    pub(super) async fn charge_call(&self, ledger: Uuid, charge: &Charge) -> Stored<bool> {
        let usage = &charge.usage;
        let answer: Option<Json<serde_json::Value>> = charge.answer.as_ref().map(json);
        let row = sqlx::query(CHARGE)
            .bind(ledger)
            .bind(charge.cost.map(|cost| cost.0))
            .bind(bigint(usage.input))
            .bind(bigint(usage.output))
            .bind(bigint(usage.cache_read))
            .bind(bigint(usage.cache_write_5m))
            .bind(bigint(usage.cache_write_1h))
            .bind(&charge.model)
            .bind(answer)
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        row.try_get("was_open").map_err(store_error)
    }

    pub(super) async fn refund_call(&self, ledger: Uuid, place: bool) -> Stored<()> {
        let refund = sqlx::query(REFUND).bind(ledger).bind(place);
        refund.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn leave_call_ambiguous(&self, ledger: Uuid) -> Stored<()> {
        let mark = sqlx::query(MARK_AMBIGUOUS).bind(ledger);
        mark.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn hear(&self, ledger: Uuid, heard: &Heard) -> Stored<()> {
        let nothing = ProviderWord::default();
        let word = heard.word.as_ref();
        let ProviderWord { account, model, account_pause, model_pause, requests, input, output } =
            word.unwrap_or(&nothing);
        let query = sqlx::query(HEAR)
            .bind(ledger)
            .bind(heard.arrived_within.map(interval))
            .bind(word.is_some().then_some(account))
            .bind(account_pause.map(interval))
            .bind(model_key(account, model))
            .bind(model_pause.map(interval));
        let limits = [requests, input, output];
        let told = limits.into_iter().fold(query, |query, left: &Option<Left>| {
            query
                .bind(left.map(|left| bigint(left.remaining)))
                .bind(left.map(|left| interval(left.reset)))
        });
        told.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn resolve_call(
        &self,
        ledger: Uuid,
        cost: NanoUsd,
        by: &str,
    ) -> Stored<Resolved> {
        let verdict: Option<String> = sqlx::query_scalar(RESOLVE)
            .bind(ledger)
            .bind(cost.0)
            .bind(plain(by))
            .fetch_one(self.pool())
            .await
            .map_err(store_error)?;
        Ok(match verdict.as_deref() {
            None => Resolved::Unknown,
            Some("closed") => Resolved::Closed,
            Some(name) => Resolved::NotAmbiguous(state(name, &ledger.to_string())?),
        })
    }

    pub(super) async fn ledger_rows(&self, query: &LedgerQuery) -> Stored<Vec<LedgerRow>> {
        let rows = sqlx::query(ROWS)
            .bind(query.state.map(LedgerState::name))
            .bind(query.event.as_ref().map(EventId::as_str))
            .bind(query.debt)
            .bind(i64::from(query.limit))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        rows.iter().map(ledger_row).collect()
    }

    pub(super) async fn balance(&self) -> Stored<Result<NanoUsd, LedgerFault>> {
        let bad: Option<(Uuid, i64, i64)> =
            sqlx::query_as(BAD_ROW).fetch_optional(self.pool()).await.map_err(store_error)?;
        if let Some((id, counted, summed)) = bad {
            return Ok(Err(fault(format!("ledger row {id}"), counted, summed, vec![id])));
        }
        let wrong: Option<(String, i64, i64, Vec<Uuid>)> =
            sqlx::query_as(IMBALANCE).fetch_optional(self.pool()).await.map_err(store_error)?;
        if let Some((scope, counted, summed, rows)) = wrong {
            return Ok(Err(fault(scope, counted, summed, rows)));
        }
        let total: i64 =
            sqlx::query_scalar(TOTAL).fetch_one(self.pool()).await.map_err(store_error)?;
        Ok(Ok(NanoUsd(total)))
    }
}

fn fault(scope: String, counted: i64, summed: i64, rows: Vec<Uuid>) -> LedgerFault {
    LedgerFault { scope, counted: NanoUsd(counted), summed: NanoUsd(summed), rows }
}

fn ledger_row(row: &PgRow) -> Stored<LedgerRow> {
    let id: Uuid = row.try_get("id").map_err(store_error)?;
    let key = id.to_string();
    let text = |column| -> Stored<String> { row.try_get(column).map_err(store_error) };
    let cost =
        |column| -> Stored<NanoUsd> { Ok(NanoUsd(row.try_get(column).map_err(store_error)?)) };
    let at = |column| -> Stored<Option<Timestamp>> {
        let at: Option<Instant> = row.try_get(column).map_err(store_error)?;
        Ok(at.map(|Instant(at)| at))
    };
    Ok(LedgerRow {
        id,
        state: state(&text("state")?, &key)?,
        tenant: text("tenant")?,
        item: item_id(&text("item_id")?)?,
        event: EventId::parse(&text("event_id")?).map_err(|error| bad_row(&key, error))?,
        agent: text("agent")?,
        model: text("model")?,
        reserved: cost("reserved")?,
        charged: cost("charged")?,
        usage: usage(row)?,
        why: row.try_get("why").map_err(store_error)?,
        scopes: row.try_get("scopes").map_err(store_error)?,
        admitted_at: at("admitted_at")?.ok_or_else(|| bad_row(&key, "it was never admitted"))?,
        resolved_at: at("resolved_at")?,
        resolved_by: row.try_get("resolved_by").map_err(store_error)?,
    })
}

/// The classes of tokens, under their columns' names.
pub(super) fn usage(row: &PgRow) -> Stored<Usage> {
    let tokens = |column| -> Stored<u64> { Ok(count(row.try_get(column).map_err(store_error)?)) };
    Ok(Usage {
        input: tokens("input_tokens")?,
        output: tokens("output_tokens")?,
        cache_read: tokens("cache_read_tokens")?,
        cache_write_5m: tokens("cache_write_5m_tokens")?,
        cache_write_1h: tokens("cache_write_1h_tokens")?,
    })
}

fn state(name: &str, id: &str) -> Stored<LedgerState> {
    LedgerState::named(name).ok_or_else(|| bad_row(id, format_args!("it is {name}")))
}

fn bad_row(id: &str, why: impl std::fmt::Display) -> StoreError {
    StoreError::BadRow { table: "ledger", id: id.to_owned(), why: why.to_string() }
}
