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

statements! {
    MINE = "select scope, turn, rates, coalesce(called_until > ?2, false) as is_called
        from lines where item_id = ?1";
    // The turn of the first of its event's messages that is behind it; else one behind its last.
    // None that is over, unless its event waits already.
    NEXT_TURN = "select coalesce(
            (select turn from lines
                where scope = ?1 and event_id = ?2 and (sent_at, item_id) > (?3, ?4)
                    and coalesce(called_until <= ?5, true)
                order by sent_at, item_id limit 1),
            case when of_event.waits then of_event.last + 1
                else max(coalesce(of_event.last + 1, 0), coalesce((select turn from scopes where key = ?1), 0))
            end)
        from (select max(turn) as last, max(coalesce(called_until <= ?5, true)) as waits
            from lines where scope = ?1 and event_id = ?2) of_event";
    AHEAD = "select count(*) as count, coalesce(sum(worst), 0) as worst from lines
        where scope = ?1 and item_id <> ?4
            and ((turn, sent_at, item_id) < (?2, ?3, ?4) or called_until > ?5)";
    // On their way to a place of this rate from another line.
    ON_THEIR_WAY = "select count(*) as count from lines
        where called_until > ?3 and scope <> ?1 and item_id <> ?2
            and exists (select 1 from json_each(rates) r where r.value = ?1)";
    STEP_BACK = "update lines set turn = turn + 1
        where scope = ?1 and event_id = ?2 and (sent_at, item_id) > (?3, ?4)
            and coalesce(called_until <= ?5, true)";
    JOIN = "insert into lines (scope, item_id, event_id, sent_at, turn, worst, rates)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    STAY = "update lines set worst = ?3, rates = ?4, called_until = null
        where scope = ?1 and item_id = ?2";
    LEAVE = "delete from lines where item_id = ?1 returning scope";
}

/// Whoever asks, as a line knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) item: &'a str,
    pub(super) event: &'a str,
    pub(super) sent_at: Micros,
    /// The most that its request costs; in the line of a soft budget, what it will likely cost.
    pub(super) worst: i64,
}

/// Where an item stands; it stands in one line at most.
#[derive(Debug)]
pub(super) struct Standing {
    scope: String,
    turn: i64,
    rates: Vec<String>,
    is_called: bool,
}

/// Where an item stands now.
pub(super) async fn standing(tx: &mut Write, item: &str, now: Micros) -> Done<Option<Standing>> {
    let row = sqlx::query(MINE).bind(item).bind(now).fetch_optional(&mut **tx).await?;
    let Some(row) = row else { return Ok(None) };
    let reader = Reader::new("lines", &row);
    Ok(Some(Standing {
        scope: reader.get("scope")?,
        turn: reader.get("turn")?,
        rates: reader.json("rates")?,
        is_called: reader.get("is_called")?,
    }))
}

/// Who is ahead of somebody in a scope's line: those before it, and those who are called. Nobody is
/// ahead of one that is called itself: what it needs was kept for it.
pub(super) async fn ahead(
    tx: &mut Write,
    scope: &Scope,
    asker: &Asker<'_>,
    standing: Option<&Standing>,
    now: Micros,
) -> Done<Ahead> {
    let key = &scope.form.key;
    let is_kept = |s: &Standing| s.is_called && (s.scope == *key || s.rates.contains(key));
    if scope.opens_at.is_none() || standing.is_some_and(is_kept) {
        return Ok(Ahead::default());
    }
    let turn = match standing {
        Some(standing) if standing.scope == *key => standing.turn,
        Some(_) | None => next_turn(tx, key, asker, now).await?,
    };
    let row = sqlx::query(AHEAD)
        .bind(key)
        .bind(turn)
        .bind(asker.sent_at)
        .bind(asker.item)
        .bind(now)
        .fetch_one(&mut **tx)
        .await?;
    let mut count = Reader::new("lines", &row).count("count")?;
    if scope.form.name.is_none() {
        let others = sqlx::query(ON_THEIR_WAY).bind(key).bind(asker.item).bind(now);
        count += Reader::new("lines", &others.fetch_one(&mut **tx).await?).count("count")?;
    }
    Ok(Ahead { count: usize::try_from(count).unwrap_or(usize::MAX), worst: row.try_get("worst")? })
}

/// Takes its place in a scope's line, and leaves any other; whoever stands there already keeps its
/// place, and is not called any more. The line is looked at by the instant given.
pub(super) async fn join(
    tx: &mut Write,
    key: &str,
    asker: &Asker<'_>,
    standing: Option<&Standing>,
    rates: &[&str],
    opens_at: Micros,
    now: Micros,
) -> Done<()> {
    let rates = codec::json(&rates)?;
    if standing.is_some_and(|standing| standing.scope == key) {
        let stay = sqlx::query(STAY).bind(key).bind(asker.item).bind(asker.worst).bind(rates);
        stay.execute(&mut **tx).await?;
        return scopes::open_by(tx, key, opens_at).await;
    }
    if standing.is_some() {
        leave(tx, asker.item, now).await?;
    }
    let turn = next_turn(tx, key, asker, now).await?;
    if takes_turns(key) {
        let step_back = sqlx::query(STEP_BACK).bind(key).bind(asker.event);
        let step_back = step_back.bind(asker.sent_at).bind(asker.item).bind(now);
        step_back.execute(&mut **tx).await?;
    }
    sqlx::query(JOIN)
        .bind(key)
        .bind(asker.item)
        .bind(asker.event)
        .bind(asker.sent_at)
        .bind(turn)
        .bind(asker.worst)
        .bind(rates)
        .execute(&mut **tx)
        .await?;
    scopes::open_by(tx, key, opens_at).await
}

/// An item waits no longer. What was kept for it is for the next.
pub(super) async fn leave(tx: &mut Write, item: &str, now: Micros) -> Done<()> {
    let left = sqlx::query_scalar(LEAVE).bind(item).fetch_all(&mut **tx).await?;
    let left: Vec<String> = left;
    if left.is_empty() {
        return Ok(());
    }
    scopes::wake(tx, &codec::json(&left)?, now).await
}

async fn next_turn(tx: &mut Write, key: &str, asker: &Asker<'_>, now: Micros) -> Done<i64> {
    if !takes_turns(key) {
        return Ok(0);
    }
    let query = sqlx::query_scalar(NEXT_TURN).bind(key).bind(asker.event);
    let query = query.bind(asker.sent_at).bind(asker.item).bind(now);
    Ok(query.fetch_one(&mut **tx).await?)
}

/// Whether events share a scope, by its key, and so take turns in its line.
fn takes_turns(key: &str) -> bool {
    key.starts_with("budget:") && !key.starts_with("budget:event:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_take_turns_where_they_share_a_budget() {
        for shared in ["budget:day:2026-11-22", "budget:tenant:acme:2026-11", "budget:total"] {
            assert!(takes_turns(shared), "{shared}");
        }
        for own in ["rate:event:e", "rate:sender:e:Ann", "budget:event:e"] {
            assert!(!takes_turns(own), "{own}");
        }
    }
}
