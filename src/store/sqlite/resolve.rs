//! The ledger as people see it, and what they say of rows that nobody knows about.

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::Reader;
use super::ledger::{self, Close};
use super::{Done, SqliteStore};
use crate::domain::usage::NanoUsd;
use crate::store::{LedgerQuery, LedgerRow, LedgerState, Resolved};

statements! {
    NEWEST = "select id, state, tenant, item_id, event_id, agent, model, reserved, charged, why, scopes,
            admitted_at, resolved_at, resolved_by, input_tokens, output_tokens, cache_read_tokens,
            cache_write_5m_tokens, cache_write_1h_tokens
        from ledger
        where (?1 is null or state = ?1) and (?2 is null or event_id = ?2)
            and (not ?3 or charged > reserved)
        order by created_at desc, id desc limit ?4";
}

impl SqliteStore {
    pub(super) async fn list_ledger(&self, query: &LedgerQuery) -> Done<Vec<LedgerRow>> {
        let rows = sqlx::query(NEWEST)
            .bind(query.state.map(LedgerState::name))
            .bind(query.event.as_ref().map(|event| event.as_str()))
            .bind(query.debt)
            .bind(query.limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(ledger_row).collect()
    }

    pub(super) async fn resolve_row(&self, id: Uuid, cost: NanoUsd, by: &str) -> Done<Resolved> {
        let (mut tx, now) = self.write().await?;
        let Some(row) = ledger::load(&mut tx, id).await? else { return Ok(Resolved::Unknown) };
        if row.state != LedgerState::Ambiguous {
            return Ok(Resolved::NotAmbiguous(row.state));
        }
        let how = match cost {
            NanoUsd::ZERO => Close::Refunded(Some(by)),
            NanoUsd(cost) => Close::Charged(cost, Some(by)),
        };
        ledger::close(&mut tx, &row, how, now).await?;
        tx.commit().await?;
        Ok(Resolved::Closed)
    }
}

fn ledger_row(row: &SqliteRow) -> Done<LedgerRow> {
    let reader = Reader::new("ledger", row);
    Ok(LedgerRow {
        id: reader.uuid("id")?,
        state: reader.named("state", LedgerState::named)?,
        tenant: reader.get("tenant")?,
        item: reader.item("item_id")?,
        event: reader.event_id("event_id")?,
        agent: reader.get("agent")?,
        model: reader.get("model")?,
        reserved: reader.cost("reserved")?,
        charged: reader.cost("charged")?,
        usage: reader.usage()?,
        why: reader.get("why")?,
        scopes: reader.json("scopes")?,
        admitted_at: reader.instant("admitted_at")?,
        resolved_at: reader.instant_if_any("resolved_at")?,
        resolved_by: reader.get("resolved_by")?,
    })
}
