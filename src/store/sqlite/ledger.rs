//! The ledger's states, and the counters that move with them in the same transaction.
//!
//! `reserved → charged | refunded | ambiguous`, and `ambiguous → charged | refunded`
//! when the answer comes late, or a person says. Every other change is left alone, so
//! a repeat does nothing. Whatever closes a row makes room, so the lines of its scopes
//! are looked at.

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::{self, Reader};
use super::figures::{self, Change};
use super::{Done, Micros, SqliteStore, Write, micros, provider, scopes};
use crate::domain::ids::{Held, ItemId, Lease};
use crate::domain::usage::Usage;
use crate::store::{AdmissionRequest, Charge, Heard, KeptAnswer, LedgerState, Spent};

statements! {
    RESERVE = "insert into ledger (id, state, tenant, item_id, lease, revision, event_id, agent, model,
            fingerprint, scopes, rates, reserved, admitted_at, send_within, created_at)
        values (?1, 'reserved', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?13)";
    ROW = "select id, state, item_id, revision, reserved, scopes, rates, admitted_at, send_within,
            resolved_at, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
            cache_write_1h_tokens
        from ledger where id = ?1";
    CLOSE = "update ledger set state = ?2, charged = ?3, why = coalesce(?4, why), resolved_at = ?5,
            resolved_by = ?6
        where id = ?1";
    // What was answered without a price is in doubt as before, for another reason.
    UNPRICED = "update ledger set why = 'unpriced' where id = ?1";
    ANSWERED = "update ledger set answered_by = ?2, answer = ?3, input_tokens = ?4, output_tokens = ?5,
            cache_read_tokens = ?6, cache_write_5m_tokens = ?7, cache_write_1h_tokens = ?8
        where id = ?1";
    FIX_PLACES = "update ledger set send_within = null where id = ?1";
    MOVE = "update scopes set reserved = reserved + ?2, charged = charged + ?3,
            ambiguous = ambiguous + ?4
        where key in (select value from json_each(?1))";
    // What leaves doubt makes room for those, too, who wait for the window after.
    WAKE = "update scopes set opens_at = min(opens_at, ?2)
        where opens_at is not null and name in
            (select name from scopes where key in (select value from json_each(?1)))";
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
}

/// Why a row is ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Its worker died, or never said how it ended.
    Abandoned,
    /// It was sent, and no readable answer came.
    Unanswered,
    /// Its answer has no price.
    Unpriced,
}

impl Doubt {
    fn name(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Unanswered => "unanswered",
            Self::Unpriced => "unpriced",
        }
    }
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close<'a> {
    /// It is paid, so many nano-dollars; by a person's word where one is named.
    Charged(i64, Option<&'a str>),
    /// Nothing was billed.
    Refunded(Option<&'a str>),
    /// Nobody knows.
    Doubted(Doubt),
}

/// A ledger row, as far as a change of its state needs it.
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) state: LedgerState,
    item: ItemId,
    revision: i64,
    worst_case: i64,
    budgets: String,
    rates: Vec<String>,
    admitted_at: Micros,
    send_within: Option<Micros>,
    resolved_at: Option<Micros>,
    usage: Usage,
}

impl SqliteStore {
    pub(super) async fn charge_row(&self, id: Uuid, charge: &Charge) -> Done<bool> {
        let (mut tx, now) = self.write().await?;
        let Some(row) = load(&mut tx, id).await? else { return Ok(false) };
        match (row.state, charge.cost) {
            (LedgerState::Charged | LedgerState::Refunded | LedgerState::Carried, _) => {
                return Ok(false);
            }
            (LedgerState::Reserved | LedgerState::Ambiguous, Some(cost)) => {
                close(&mut tx, &row, Close::Charged(cost.0, None), now).await?;
            }
            (LedgerState::Reserved, None) => {
                close(&mut tx, &row, Close::Doubted(Doubt::Unpriced), now).await?;
            }
            (LedgerState::Ambiguous, None) => {
                sqlx::query(UNPRICED).bind(id.to_string()).execute(&mut *tx).await?;
            }
        }
        keep_answer(&mut tx, &row, charge).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub(super) async fn refund_row(&self, id: Uuid, place: bool) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let Some(row) = load_reserved(&mut tx, id).await? else { return Ok(()) };
        close(&mut tx, &row, Close::Refunded(None), now).await?;
        if place {
            move_places(&mut tx, &row, None, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn mark_row_ambiguous(&self, id: Uuid) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let Some(row) = load_reserved(&mut tx, id).await? else { return Ok(()) };
        close(&mut tx, &row, Close::Doubted(Doubt::Unanswered), now).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn take_in(&self, id: Uuid, heard: &Heard) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        if let Some(arrived_within) = heard.arrived_within
            && let Some(row) = load(&mut tx, id).await?
            && let Some(send_within) = row.send_within
        {
            let sooner = send_within.saturating_sub(micros(arrived_within));
            if sooner > 0 {
                let to = row.admitted_at.saturating_sub(sooner);
                move_places(&mut tx, &row, Some(to), now).await?;
            }
        }
        if let Some(word) = &heard.word {
            provider::note(&mut tx, word, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Writes the row of an admission, which counts in those windows. Its instant is the one its
/// places were taken at.
pub(super) async fn reserve(
    tx: &mut Write,
    held: &Held,
    request: &AdmissionRequest,
    windows: &[&str],
    at: Micros,
) -> Done<Uuid> {
    let id = Uuid::new_v4();
    let rates: Vec<_> = request.rates.iter().map(|rate| &rate.key).collect();
    // A place must never free too soon, so the shortest holds for all.
    let send_within = request.rates.iter().map(|rate| micros(rate.send_within)).min();
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
        .bind(codec::json(&windows)?)
        .bind(codec::json(&rates)?)
        .bind(request.worst_case.0)
        .bind(at)
        .bind(send_within)
        .execute(&mut **tx)
        .await?;
    Ok(id)
}

/// What earlier claims of an item left reserved is ambiguous: nobody knows whether it was sent.
pub(super) async fn strand(tx: &mut Write, held: &Held, now: Micros) -> Done<()> {
    let query = sqlx::query(STRANDED).bind(held.item.as_str()).bind(held.lease.0);
    let rows = query.fetch_all(&mut **tx).await?;
    abandon(tx, &rows, now).await
}

/// The same for items that nobody claims for long; of so many rows at most.
pub(super) async fn abandon_lost(tx: &mut Write, most: u32, now: Micros) -> Done<()> {
    let rows = sqlx::query(LOST).bind(now).bind(most).fetch_all(&mut **tx).await?;
    abandon(tx, &rows, now).await
}

/// Whatever an item still has reserved when it is settled is ambiguous too.
pub(super) async fn doubt_rest(tx: &mut Write, held: &Held, now: Micros) -> Done<()> {
    let next = Held { item: held.item.clone(), lease: Lease(held.lease.0.saturating_add(1)) };
    strand(tx, &next, now).await
}

async fn abandon(tx: &mut Write, rows: &[SqliteRow], now: Micros) -> Done<()> {
    for row in rows {
        let id = Reader::new("ledger", row).uuid("id")?;
        if let Some(row) = load_reserved(tx, id).await? {
            close(tx, &row, Close::Doubted(Doubt::Abandoned), now).await?;
        }
    }
    Ok(())
}

/// The row of that ID.
pub(super) async fn load(tx: &mut Write, id: Uuid) -> Done<Option<Row>> {
    let row = sqlx::query(ROW).bind(id.to_string()).fetch_optional(&mut **tx).await?;
    let Some(row) = row else { return Ok(None) };
    let reader = Reader::new("ledger", &row);
    Ok(Some(Row {
        id,
        state: reader.named("state", LedgerState::named)?,
        item: reader.item("item_id")?,
        revision: reader.get("revision")?,
        worst_case: reader.get("reserved")?,
        budgets: reader.get("scopes")?,
        rates: reader.json("rates")?,
        admitted_at: reader.get("admitted_at")?,
        send_within: reader.get("send_within")?,
        resolved_at: reader.get("resolved_at")?,
        usage: reader.usage()?,
    }))
}

async fn load_reserved(tx: &mut Write, id: Uuid) -> Done<Option<Row>> {
    Ok(load(tx, id).await?.filter(|row| row.state == LedgerState::Reserved))
}

/// Brings a row that is reserved or ambiguous to its next state, with the counters of its budgets,
/// and with its message's figures where those counted it as ambiguous.
pub(super) async fn close(tx: &mut Write, row: &Row, how: Close<'_>, now: Micros) -> Done<()> {
    let (state, charged, why, by) = match how {
        Close::Charged(cost, by) => (LedgerState::Charged, cost, None, by),
        Close::Refunded(by) => (LedgerState::Refunded, 0, None, by),
        Close::Doubted(doubt) => (LedgerState::Ambiguous, 0, Some(doubt.name()), None),
    };
    sqlx::query(CLOSE)
        .bind(row.id.to_string())
        .bind(state.name())
        .bind(charged)
        .bind(why)
        .bind(now)
        .bind(by)
        .execute(&mut **tx)
        .await?;
    let moves = moves(row.state, state, row.worst_case, charged);
    let mut query = sqlx::query(MOVE).bind(&row.budgets);
    for by in moves {
        query = query.bind(by);
    }
    query.execute(&mut **tx).await?;
    if row.state == LedgerState::Ambiguous {
        sqlx::query(WAKE).bind(&row.budgets).bind(now).execute(&mut **tx).await?;
        return restate(
            tx,
            row,
            Change { cost: charged, in_doubt: -row.worst_case, tokens: [0; 5] },
        )
        .await;
    }
    scopes::wake(tx, &row.budgets, now).await
}

/// What a change of state adds to the counters of what is reserved, charged and ambiguous.
fn moves(from: LedgerState, to: LedgerState, worst_case: i64, charged: i64) -> [i64; 3] {
    let amounts = |state| match state {
        LedgerState::Reserved => [worst_case, 0, 0],
        LedgerState::Charged | LedgerState::Carried => [0, charged, 0],
        LedgerState::Refunded => [0, 0, 0],
        LedgerState::Ambiguous => [0, 0, worst_case],
    };
    let (before, after) = (amounts(from), amounts(to));
    [0, 1, 2].map(|counter| after[counter] - before[counter])
}

/// Has a row's places count from another instant, or gives them back; for good. Their lines are
/// looked at when they free.
async fn move_places(tx: &mut Write, row: &Row, to: Option<Micros>, now: Micros) -> Done<()> {
    for key in &row.rates {
        scopes::move_place(tx, key, row.admitted_at, to, now).await?;
    }
    sqlx::query(FIX_PLACES).bind(row.id.to_string()).execute(&mut **tx).await?;
    Ok(())
}

async fn keep_answer(tx: &mut Write, row: &Row, charge: &Charge) -> Done<()> {
    let answer = charge.answer.as_ref().map(codec::json).transpose()?;
    let query = sqlx::query(ANSWERED).bind(row.id.to_string());
    let mut query = query.bind(&charge.model).bind(answer);
    let (known, told) = (codec::classes(&row.usage), codec::classes(&charge.usage));
    for tokens in told {
        query = query.bind(tokens);
    }
    query.execute(&mut **tx).await?;
    if row.state != LedgerState::Ambiguous {
        return Ok(());
    }
    let tokens = [0, 1, 2, 3, 4].map(|class| told[class] - known[class]);
    restate(tx, row, Change { tokens, ..Change::default() }).await
}

/// Has the figures of a message follow one of its rows that was in doubt.
async fn restate(tx: &mut Write, row: &Row, change: Change) -> Done<()> {
    let in_doubt_since = row.resolved_at.unwrap_or(row.admitted_at);
    figures::restate(tx, (&row.item, row.revision), in_doubt_since, change).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_follow_a_row_from_state_to_state() {
        use LedgerState::{Ambiguous, Charged, Refunded, Reserved};
        assert_eq!(moves(Reserved, Charged, 400, 450), [-400, 450, 0]);
        assert_eq!(moves(Reserved, Ambiguous, 400, 0), [-400, 0, 400]);
        assert_eq!(moves(Reserved, Refunded, 400, 0), [-400, 0, 0]);
        assert_eq!(moves(Ambiguous, Charged, 400, 150), [0, 150, -400]);
        assert_eq!(moves(Ambiguous, Refunded, 400, 0), [0, 0, -400]);
    }
}
