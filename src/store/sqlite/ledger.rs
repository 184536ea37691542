//! The ledger's states, and the counters that move with them in the same transaction.
//!
//! `reserved → charged | refunded | ambiguous`, and `ambiguous → charged` when the
//! answer comes late. Every other change is left alone, so a repeat does nothing.

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::{self, Reader};
use super::{Done, Micros, SqliteStore, Write, admit};
use crate::domain::ids::{Held, ItemId, Lease};
use crate::domain::usage::NanoUsd;
use crate::store::{AdmissionRequest, Charge, KeptAnswer, LedgerFault, Spent};

statements! {
    RESERVE = "insert into ledger (id, state, tenant, item_id, lease, revision, event_id, agent, model,
            fingerprint, scopes, rates, reserved, admitted_at, created_at)
        values (?1, 'reserved', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13)";
    ROW = "select id, state, reserved, scopes, rates, admitted_at from ledger where id = ?1";
    CHARGE = "update ledger set state = 'charged', answered_by = ?2, answer = ?3, charged = ?4,
            resolved_at = ?5, input_tokens = ?6, output_tokens = ?7, cache_read_tokens = ?8,
            cache_write_5m_tokens = ?9, cache_write_1h_tokens = ?10
        where id = ?1";
    RESOLVE = "update ledger set state = ?2, resolved_at = ?3 where id = ?1";
    MOVE = "update scopes set reserved = reserved + ?2, charged = charged + ?3, ambiguous = ambiguous + ?4
        where key in (select value from json_each(?1))";
    LOST = "select l.id as id from ledger l join queue_items q on q.id = l.item_id
        where l.state = 'reserved' and (q.status <> 'processing' or q.lease_until <= ?1) limit ?2";
    STRANDED = "select id from ledger where item_id = ?1 and lease < ?2 and state = 'reserved'";
    SPENT_ON = "select count(*) filter (where state in ('charged', 'ambiguous')) as calls,
            coalesce(sum(charged), 0) as cost,
            coalesce(sum(reserved) filter (where state = 'ambiguous'), 0) as ambiguous_cost,
            coalesce(sum(input_tokens), 0) as input_tokens,
            coalesce(sum(output_tokens), 0) as output_tokens,
            coalesce(sum(cache_read_tokens), 0) as cache_read_tokens,
            coalesce(sum(cache_write_5m_tokens), 0) as cache_write_5m_tokens,
            coalesce(sum(cache_write_1h_tokens), 0) as cache_write_1h_tokens
        from ledger where item_id = ?1 and revision = ?2";
    UNBALANCED = "with sums as (
            select s.value as key,
                sum(case l.state when 'reserved' then l.reserved else 0 end) as reserved,
                sum(case l.state when 'charged' then l.charged else 0 end) as charged,
                sum(case l.state when 'ambiguous' then l.reserved else 0 end) as ambiguous
            from ledger l, json_each(l.scopes) s
            group by s.value
        )
        select coalesce(c.key, r.key) as key,
            coalesce(c.reserved, 0) as counted_reserved, coalesce(r.reserved, 0) as summed_reserved,
            coalesce(c.charged, 0) as counted_charged, coalesce(r.charged, 0) as summed_charged,
            coalesce(c.ambiguous, 0) as counted_ambiguous, coalesce(r.ambiguous, 0) as summed_ambiguous
        from scopes c full outer join sums r on r.key = c.key
        where coalesce(c.reserved, 0) <> coalesce(r.reserved, 0)
            or coalesce(c.charged, 0) <> coalesce(r.charged, 0)
            or coalesce(c.ambiguous, 0) <> coalesce(r.ambiguous, 0)
        order by 1 limit 1";
    STANDING = "select coalesce(sum(case state when 'charged' then charged when 'refunded' then 0
            else reserved end), 0) from ledger";
}

/// A ledger row, as far as a change of its state needs it.
struct Row {
    id: Uuid,
    state: String,
    worst_case: i64,
    budgets: String,
    rates: Vec<String>,
    admitted_at: Micros,
}

impl SqliteStore {
    pub(super) async fn charge_row(&self, id: Uuid, charge: &Charge) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let Some(row) = load(&mut tx, id).await? else { return Ok(()) };
        match row.state.as_str() {
            "reserved" => {
                move_counters(
                    &mut tx,
                    &row,
                    [-row.worst_case, charge.cost.unwrap_or(NanoUsd::ZERO).0, 0],
                )
                .await?
            }
            "ambiguous" => {
                move_counters(
                    &mut tx,
                    &row,
                    [0, charge.cost.unwrap_or(NanoUsd::ZERO).0, -row.worst_case],
                )
                .await?
            }
            _ => return Ok(()),
        }
        let answer = charge.answer.as_ref().map(codec::json).transpose()?;
        let mut query = sqlx::query(CHARGE)
            .bind(row.id.to_string())
            .bind(&charge.model)
            .bind(answer)
            .bind(charge.cost.unwrap_or(NanoUsd::ZERO).0)
            .bind(now);
        for tokens in codec::classes(&charge.usage) {
            query = query.bind(tokens);
        }
        query.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn refund_row(&self, id: Uuid, place: bool) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let Some(row) = load(&mut tx, id).await?.filter(|row| row.state == "reserved") else {
            return Ok(());
        };
        move_counters(&mut tx, &row, [-row.worst_case, 0, 0]).await?;
        if place {
            for key in &row.rates {
                admit::return_place(&mut tx, key, row.admitted_at).await?;
            }
        }
        resolve(&mut tx, row.id, "refunded", now).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn mark_row_ambiguous(&self, id: Uuid) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        doubt(&mut tx, id, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The counters of every budget against its rows. When all balance: what stands in the
    /// ledger, reserved and ambiguous rows at their worst case.
    pub(super) async fn balance(&self) -> Done<Result<NanoUsd, LedgerFault>> {
        let mut tx = self.readers.begin().await?;
        let row = sqlx::query(UNBALANCED).fetch_optional(&mut *tx).await?;
        let Some(row) = row else {
            return Ok(Ok(NanoUsd(sqlx::query_scalar(STANDING).fetch_one(&mut *tx).await?)));
        };
        let reader = Reader::new("scopes", &row);
        let mut fault = LedgerFault {
            scope: reader.get("key")?,
            counted: NanoUsd::ZERO,
            summed: NanoUsd::ZERO,
            rows: Vec::new(),
        };
        for (counted, summed) in [
            ("counted_reserved", "summed_reserved"),
            ("counted_charged", "summed_charged"),
            ("counted_ambiguous", "summed_ambiguous"),
        ] {
            (fault.counted, fault.summed) = (reader.cost(counted)?, reader.cost(summed)?);
            if fault.counted != fault.summed {
                break;
            }
        }
        Ok(Err(fault))
    }
}

/// Writes the row of an admission. Its instant is the one its places were taken at.
pub(super) async fn reserve(
    tx: &mut Write,
    id: Uuid,
    held: &Held,
    request: &AdmissionRequest,
    now: Micros,
) -> Done<()> {
    let budgets: Vec<_> = request.budgets.iter().map(|budget| budget.key_now()).collect();
    let rates: Vec<_> = request.rates.iter().map(|rate| &rate.key).collect();
    sqlx::query(RESERVE)
        .bind(id.to_string())
        .bind(&request.tenant)
        .bind(held.item.as_str())
        .bind(held.lease.0)
        .bind(request.revision)
        .bind(request.event.as_str())
        .bind(request.agent)
        .bind(&request.model)
        .bind(&request.fingerprint)
        .bind(codec::json(&budgets)?)
        .bind(codec::json(&rates)?)
        .bind(request.worst_case.0)
        .bind(now)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// What earlier claims of an item left reserved is ambiguous: nobody knows whether it was sent.
pub(super) async fn strand(tx: &mut Write, held: &Held, now: Micros) -> Done<()> {
    let rows = sqlx::query(STRANDED)
        .bind(held.item.as_str())
        .bind(held.lease.0)
        .fetch_all(&mut **tx)
        .await?;
    for row in &rows {
        doubt(tx, Reader::new("ledger", row).uuid("id")?, now).await?;
    }
    Ok(())
}

/// The same for items that nobody claims for long; of so many rows at most.
pub(super) async fn abandon_lost(tx: &mut Write, most: u32, now: Micros) -> Done<()> {
    let rows = sqlx::query(LOST).bind(now).bind(most).fetch_all(&mut **tx).await?;
    for row in &rows {
        doubt(tx, Reader::new("ledger", row).uuid("id")?, now).await?;
    }
    Ok(())
}

/// Whatever an item still has reserved when it is settled is ambiguous too.
pub(super) async fn doubt_rest(tx: &mut Write, held: &Held, now: Micros) -> Done<()> {
    let next = Held { item: held.item.clone(), lease: Lease(held.lease.0.saturating_add(1)) };
    strand(tx, &next, now).await
}

async fn doubt(tx: &mut Write, id: Uuid, now: Micros) -> Done<()> {
    let Some(row) = load(tx, id).await?.filter(|row| row.state == "reserved") else {
        return Ok(());
    };
    move_counters(tx, &row, [-row.worst_case, 0, row.worst_case]).await?;
    resolve(tx, row.id, "ambiguous", now).await
}

async fn load(tx: &mut Write, id: Uuid) -> Done<Option<Row>> {
    let row = sqlx::query(ROW).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    let Some(row) = row else { return Ok(None) };
    let reader = Reader::new("ledger", &row);
    Ok(Some(Row {
        id,
        state: reader.get("state")?,
        worst_case: reader.get("reserved")?,
        budgets: reader.get("scopes")?,
        rates: reader.json("rates")?,
        admitted_at: reader.get("admitted_at")?,
    }))
}

/// Adds to reserved, charged and ambiguous of all budgets of the row.
async fn move_counters(tx: &mut Write, row: &Row, by: [i64; 3]) -> Done<()> {
    let [reserved, charged, ambiguous] = by;
    sqlx::query(MOVE)
        .bind(&row.budgets)
        .bind(reserved)
        .bind(charged)
        .bind(ambiguous)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn resolve(tx: &mut Write, id: Uuid, state: &str, now: Micros) -> Done<()> {
    sqlx::query(RESOLVE).bind(id.to_string()).bind(state).bind(now).execute(&mut **tx).await?;
    Ok(())
}

/// An answer that was paid for.
pub(super) fn kept(row: &SqliteRow) -> Done<KeptAnswer> {
    let reader = Reader::new("ledger", row);
    Ok(KeptAnswer {
        fingerprint: reader.get("fingerprint")?,
        model: reader.get("model")?,
        answer: reader.json("answer")?,
    })
}

/// What all runs of a message's revision were charged.
pub(super) async fn spent_on(tx: &mut Write, item: &ItemId, revision: i64) -> Done<Spent> {
    spent(&sums_of(tx, item, revision).await?)
}

/// The sums behind it, with what is ambiguous.
pub(super) async fn sums_of(tx: &mut Write, item: &ItemId, revision: i64) -> Done<SqliteRow> {
    Ok(sqlx::query(SPENT_ON).bind(item.as_str()).bind(revision).fetch_one(&mut **tx).await?)
}

/// Calls, tokens and cost, under their columns' names.
pub(super) fn spent(row: &SqliteRow) -> Done<Spent> {
    let reader = Reader::new("ledger", row);
    Ok(Spent { calls: reader.get("calls")?, usage: reader.usage()?, cost: reader.cost("cost")? })
}
