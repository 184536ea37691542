//! Lines: who waits for a scope, in order of (turn, `sent_at`, item).
//!
//! In a line that belongs to one event all have turn 0. In that of a budget that
//! events share they take turns: an event's messages stand one turn apart. Room is
//! kept for whoever is called, so nobody who is not comes before it.

use sqlx::Row as _;

use super::codec::{self, Reader};
use super::room::Ahead;
use super::scopes::{self, Scope};
use super::{Done, Micros, Write};
use crate::domain::ids::ItemId;

statements! {
    STANDING = "select turn, coalesce(called_until > ?3, false) as is_called
        from lines where scope = ?1 and item_id = ?2";
    // The turn of the first of its event's messages that is behind it; else one after the last.
    NEXT_TURN = "select coalesce(
            (select turn from lines where scope = ?1 and event_id = ?2 and (sent_at, item_id) > (?3, ?4)
                order by sent_at, item_id limit 1),
            (select max(turn) + 1 from lines where scope = ?1 and event_id = ?2),
            (select turn from scopes where key = ?1), 0)";
    BEHIND_CALLED = "select count(*) as count, coalesce(sum(worst), 0) as worst from lines
        where scope = ?1 and item_id <> ?4 and (turn, sent_at, item_id) < (?2, ?3, ?4)
            and called_until > ?5";
    BEHIND_ALL = "select count(*) as count, coalesce(sum(worst), 0) as worst from lines
        where scope = ?1 and item_id <> ?4
            and ((turn, sent_at, item_id) < (?2, ?3, ?4) or called_until > ?5)";
    LEAVE_OTHERS = "delete from lines where item_id = ?1 and scope <> ?2 returning scope";
    LEAVE = "delete from lines where item_id = ?1 returning scope";
    STEP_BACK = "update lines set turn = turn + 1
        where scope = ?1 and event_id = ?2 and (sent_at, item_id) > (?3, ?4)";
    JOIN = "insert into lines (scope, item_id, event_id, sent_at, turn, worst, rates)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        on conflict (scope, item_id) do update set worst = ?6, rates = ?7, called_until = null";
}

/// Whoever asks, as a line knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) item: &'a str,
    pub(super) event: &'a str,
    pub(super) sent_at: Micros,
    /// The most that its request costs.
    pub(super) worst: i64,
}

/// Where somebody stands in a line, or would.
struct Standing {
    turn: i64,
    is_there: bool,
    is_called: bool,
}

/// Who is ahead of somebody in a scope's line: those before it, and those who are called. Whoever
/// is called itself has only those ahead who are called before it.
pub(super) async fn ahead(
    tx: &mut Write,
    scope: &Scope,
    asker: &Asker<'_>,
    now: Micros,
) -> Done<Ahead> {
    if scope.opens_at.is_none() {
        return Ok(Ahead::default());
    }
    let standing = standing(tx, &scope.form.key, asker, now).await?;
    let statement = if standing.is_called { BEHIND_CALLED } else { BEHIND_ALL };
    let row = sqlx::query(statement)
        .bind(&scope.form.key)
        .bind(standing.turn)
        .bind(asker.sent_at)
        .bind(asker.item)
        .bind(now)
        .fetch_one(&mut **tx)
        .await?;
    let count = Reader::new("lines", &row).count("count")?;
    Ok(Ahead { count: usize::try_from(count).unwrap_or(usize::MAX), worst: row.try_get("worst")? })
}

/// Takes its place in a scope's line, and leaves all others; whoever stands there already keeps
/// its place, and is not called any more. The line is looked at by the instant given.
pub(super) async fn join(
    tx: &mut Write,
    key: &str,
    asker: &Asker<'_>,
    rates: &[&str],
    opens_at: Micros,
    now: Micros,
) -> Done<()> {
    let left = sqlx::query_scalar(LEAVE_OTHERS).bind(asker.item).bind(key);
    let left = left.fetch_all(&mut **tx).await?;
    wake_left(tx, left, now).await?;
    let standing = standing(tx, key, asker, now).await?;
    if is_shared(key) && !standing.is_there {
        let step_back = sqlx::query(STEP_BACK).bind(key).bind(asker.event);
        step_back.bind(asker.sent_at).bind(asker.item).execute(&mut **tx).await?;
    }
    sqlx::query(JOIN)
        .bind(key)
        .bind(asker.item)
        .bind(asker.event)
        .bind(asker.sent_at)
        .bind(standing.turn)
        .bind(asker.worst)
        .bind(codec::json(&rates)?)
        .execute(&mut **tx)
        .await?;
    scopes::open_by(tx, key, opens_at).await
}

/// An item waits no longer: it is admitted, or settled. What was kept for it is for the next.
pub(super) async fn leave(tx: &mut Write, item: &ItemId, now: Micros) -> Done<()> {
    let left = sqlx::query_scalar(LEAVE).bind(item.as_str()).fetch_all(&mut **tx).await?;
    wake_left(tx, left, now).await
}

async fn wake_left(tx: &mut Write, left: Vec<String>, now: Micros) -> Done<()> {
    if left.is_empty() {
        return Ok(());
    }
    scopes::wake(tx, &codec::json(&left)?, now).await
}

async fn standing(tx: &mut Write, key: &str, asker: &Asker<'_>, now: Micros) -> Done<Standing> {
    let row = sqlx::query(STANDING).bind(key).bind(asker.item).bind(now);
    if let Some(row) = row.fetch_optional(&mut **tx).await? {
        let (turn, is_called) = (row.try_get("turn")?, row.try_get("is_called")?);
        return Ok(Standing { turn, is_there: true, is_called });
    }
    let turn = if is_shared(key) { next_turn(tx, key, asker).await? } else { 0 };
    Ok(Standing { turn, is_there: false, is_called: false })
}

async fn next_turn(tx: &mut Write, key: &str, asker: &Asker<'_>) -> Done<i64> {
    let query = sqlx::query_scalar(NEXT_TURN).bind(key).bind(asker.event);
    Ok(query.bind(asker.sent_at).bind(asker.item).fetch_one(&mut **tx).await?)
}

/// Whether events share a scope, by its key, and so take turns.
fn is_shared(key: &str) -> bool {
    !key.starts_with("rate:") && !key.starts_with("budget:event:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_take_turns_where_they_share_a_budget() {
        for shared in ["budget:day:2026-11-22", "budget:tenant:acme:2026-11", "budget:total"] {
            assert!(is_shared(shared), "{shared}");
        }
        for own in ["rate:event:e", "rate:sender:e:Ann", "budget:event:e"] {
            assert!(!is_shared(own), "{own}");
        }
    }
}
