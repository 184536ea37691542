//! Calling: whoever waits is made due as room comes, in the order of its line.
//!
//! Room is kept for whoever is called, for a while: if it does not come for it,
//! the next has its turn. An item that waits for something else meanwhile, or is
//! being worked on, is passed over; one that is settled leaves the line.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::room::{Ahead, Room, Verdict};
use super::scopes::Scope;
use super::{Done, Micros, Write};

/// Scopes that a look takes up at most.
const MOST_SCOPES: u32 = 64;
/// Rows of a line that a look reads at most.
const MOST_READ: u32 = 512;
/// Items that a look calls from one line at most.
const MOST_CALLED: usize = 256;
/// For how long room is kept for whoever is called.
const KEPT: Micros = 5_000_000;
/// How soon a rate's line is looked at again.
const SOONEST: Micros = 50_000;
/// When a line is looked at again that nothing known makes room in.
const NEXT_LOOK: Micros = 1_000_000;

/// Rows of scopes that are there, as [`Scope::read`] reads them.
macro_rules! scopes {
    ($which:literal) => {
        concat!(
            "select key, true as is_there, instants, reserved, charged + ambiguous as spent, name,
            starts_at, ends_at, most, share, span, opens_at
        from scopes ",
            $which
        )
    };
}

statements! {
    OPENING = scopes!("where opens_at <= ?1 order by opens_at limit ?2");
    RUNNING = scopes!("where name = ?1 and coalesce(starts_at <= ?2, true)
            and coalesce(ends_at > ?2, true)
        order by starts_at desc limit 1");
    RATES = scopes!("where key in (select value from json_each(?1))");
    CALLED = "select scope, worst, rates, called_until from lines where called_until > ?1";
    WAITING = "select l.item_id, l.turn, l.worst, l.rates,
            coalesce(q.status in ('pending', 'processing'), false) as is_open,
            coalesce(l.called_until <= ?2, true) and coalesce(q.status = 'pending'
                and q.park_reason in ('rate_limited', 'budget_busy', 'budget_spent'), false) as is_callable
        from lines l left join queue_items q on q.id = l.item_id
        where l.scope = ?1 order by l.turn, l.sent_at, l.item_id limit ?3";
    DROP = "delete from lines where scope = ?1 and item_id in (select value from json_each(?2))";
    CALL = "update lines set called_until = ?3
        where scope = ?1 and item_id in (select value from json_each(?2))";
    // One that came due by itself has had its hint.
    MAKE_DUE = "update queue_items set park_reason = null, due_at = min(due_at, ?2),
            hints = case when due_at > ?2 then 0 else hints end,
            look_at = case when due_at > ?2 then ?2 else look_at end
        where id in (select value from json_each(?1))";
    LOOK_AGAIN = "update scopes set opens_at = ?2, turn = max(turn, ?3) where key = ?1";
}

/// Somebody in a line.
struct Waiting {
    item: String,
    turn: i64,
    worst: i64,
    rates: Vec<String>,
    is_open: bool,
    is_callable: bool,
}

/// Somebody for whom room is kept.
struct Called {
    scope: String,
    worst: i64,
    rates: Vec<String>,
    until: Micros,
}

/// What came of a look at a line.
struct Look {
    line: Vec<Waiting>,
    /// Who is called, by its place in what was read.
    chosen: Vec<usize>,
    /// When it is looked at again, if anybody is left.
    again: Micros,
}

/// Makes those due whose turn has come.
pub(super) async fn call_waiting(tx: &mut Write, now: Micros) -> Done<()> {
    let rows = sqlx::query(OPENING).bind(now).bind(MOST_SCOPES).fetch_all(&mut **tx).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let called = sqlx::query(CALLED).bind(now).fetch_all(&mut **tx).await?;
    let mut called = called.iter().map(Called::read).collect::<Done<Vec<_>>>()?;
    for row in &rows {
        let scope = Scope::read(row)?;
        let look = match &scope.form.name {
            Some(name) => look_at_budget(tx, &scope, name, &called, now).await?,
            None => look_at_rate(tx, &scope, &called, now).await?,
        };
        called.extend(look.chosen.iter().map(|nth| look.line[*nth].called(&scope.form.key, now)));
        finish(tx, &scope.form.key, &look, now).await?;
    }
    Ok(())
}

async fn look_at_rate(tx: &mut Write, scope: &Scope, called: &[Called], now: Micros) -> Done<Look> {
    let key = &scope.form.key;
    let line = read_line(tx, key, now).await?;
    let mut needed: Vec<_> = line.iter().flat_map(|one| &one.rates).chain([key]).collect();
    needed.sort_unstable();
    needed.dedup();
    let rows = sqlx::query(RATES).bind(codec::json(&needed)?).fetch_all(&mut **tx).await?;
    let mut free = HashMap::new();
    for row in &rows {
        let rate = Scope::read(row)?;
        let kept = called.iter().filter(|one| one.rates.contains(&rate.form.key)).count();
        if let Some(places) = rate.places(now) {
            free.insert(rate.form.key, places.free().saturating_sub(kept));
        }
    }
    let chosen = choose_by_places(&line, key, &mut free);
    let ends = called.iter().filter(|one| one.scope == *key).map(|one| one.until);
    let ends = ends.chain((!chosen.is_empty()).then_some(now + KEPT));
    let has_room = free.get(key).is_none_or(|free| *free > 0);
    let frees = scope.places(now).and_then(|places| places.first_to_free());
    let again = ends.chain(frees).chain(has_room.then_some(now + NEXT_LOOK)).min();
    let again = again.unwrap_or(now + NEXT_LOOK).max(now + SOONEST);
    Ok(Look { line, chosen, again })
}

async fn look_at_budget(
    tx: &mut Write,
    scope: &Scope,
    name: &str,
    called: &[Called],
    now: Micros,
) -> Done<Look> {
    let line = read_line(tx, &scope.form.key, now).await?;
    let running = sqlx::query(RUNNING).bind(name).bind(now).fetch_optional(&mut **tx).await?;
    // A window in which nothing was admitted yet is as empty as its limit is wide.
    let empty = Room { reserved: 0, spent: 0, ..scope.room() };
    let room = running.as_ref().map(Scope::read).transpose()?.map_or(empty, |scope| scope.room());
    let kept = called.iter().filter(|one| one.scope == scope.form.key);
    let kept = kept.fold(Ahead::default(), |kept, one| kept.and(one.worst));
    let begins = scope.form.starts_at.filter(|at| *at > now);
    let chosen = choose_by_room(&line, &room, kept, begins.is_none());
    let again = match begins {
        Some(begins) if chosen.is_empty() => begins,
        Some(_) | None => now + NEXT_LOOK,
    };
    Ok(Look { line, chosen, again })
}

/// Who is called for a rate's places: whoever finds one in all its other rates too, in order. `free`
/// is what is left of each rate, those of whoever is called taken off.
fn choose_by_places(
    line: &[Waiting],
    key: &String,
    free: &mut HashMap<String, usize>,
) -> Vec<usize> {
    let mut chosen = Vec::new();
    for (nth, one) in line.iter().enumerate().filter(|(_, one)| one.is_callable) {
        if free.get(key) == Some(&0) || chosen.len() == MOST_CALLED {
            break;
        }
        if one.rates.iter().any(|rate| free.get(rate) == Some(&0)) {
            continue;
        }
        for rate in &one.rates {
            free.entry(rate.clone()).and_modify(|free| *free -= 1);
        }
        chosen.push(nth);
    }
    chosen
}

/// Who is called for a budget's room: as many as fit beside those who are called already, in
/// order. For whom a window that has begun is spent learns of it by asking, and takes no room.
fn choose_by_room(line: &[Waiting], room: &Room, mut kept: Ahead, has_begun: bool) -> Vec<usize> {
    let mut chosen = Vec::new();
    for (nth, one) in line.iter().enumerate().filter(|(_, one)| one.is_callable) {
        if chosen.len() == MOST_CALLED {
            break;
        }
        match room.judge(one.worst, one.worst, kept) {
            Verdict::Free => kept = kept.and(one.worst),
            Verdict::Spent if has_begun => {}
            Verdict::Spent | Verdict::Busy => break,
        }
        chosen.push(nth);
    }
    chosen
}

async fn read_line(tx: &mut Write, key: &str, now: Micros) -> Done<Vec<Waiting>> {
    let query = sqlx::query(WAITING).bind(key).bind(now).bind(MOST_READ);
    let rows = query.fetch_all(&mut **tx).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("lines", row);
            Ok(Waiting {
                item: reader.get("item_id")?,
                turn: reader.get("turn")?,
                worst: reader.get("worst")?,
                rates: reader.json("rates")?,
                is_open: reader.get("is_open")?,
                is_callable: reader.get("is_callable")?,
            })
        })
        .collect()
}

/// Writes what came of a look.
async fn finish(tx: &mut Write, key: &str, look: &Look, now: Micros) -> Done<()> {
    let ghosts: Vec<_> = look.line.iter().filter(|one| !one.is_open).map(|one| &one.item).collect();
    if !ghosts.is_empty() {
        let drop = sqlx::query(DROP).bind(key).bind(codec::json(&ghosts)?);
        drop.execute(&mut **tx).await?;
    }
    let chosen: Vec<_> = look.chosen.iter().map(|nth| &look.line[*nth]).collect();
    if !chosen.is_empty() {
        let items: Vec<_> = chosen.iter().map(|one| &one.item).collect();
        let items = codec::json(&items)?;
        let call = sqlx::query(CALL).bind(key).bind(&items).bind(now + KEPT);
        call.execute(&mut **tx).await?;
        sqlx::query(MAKE_DUE).bind(&items).bind(now).execute(&mut **tx).await?;
    }
    let is_read = look.line.len() < MOST_READ as usize;
    let again = (!is_read || ghosts.len() < look.line.len()).then_some(look.again);
    let turn = chosen.iter().map(|one| one.turn).max().unwrap_or(0);
    sqlx::query(LOOK_AGAIN).bind(key).bind(again).bind(turn).execute(&mut **tx).await?;
    Ok(())
}

impl Waiting {
    fn called(&self, scope: &str, now: Micros) -> Called {
        let (scope, until) = (scope.to_owned(), now + KEPT);
        Called { scope, worst: self.worst, rates: self.rates.clone(), until }
    }
}

impl Called {
    fn read(row: &SqliteRow) -> Done<Self> {
        let reader = Reader::new("lines", row);
        Ok(Self {
            scope: reader.get("scope")?,
            worst: reader.get("worst")?,
            rates: reader.json("rates")?,
            until: reader.get("called_until")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(rates: &[&str], worst: i64, is_callable: bool) -> Waiting {
        let rates = rates.iter().map(|rate| (*rate).to_owned()).collect();
        Waiting { item: "m".into(), turn: 0, worst, rates, is_open: true, is_callable }
    }

    fn free(rates: &[(&str, usize)]) -> HashMap<String, usize> {
        rates.iter().map(|(rate, free)| ((*rate).to_owned(), *free)).collect()
    }

    #[test]
    fn as_many_are_called_as_there_are_places() {
        let line: Vec<_> = (0..5).map(|nth| waiting(&["e"], 1, nth != 1)).collect();
        let chosen = choose_by_places(&line, &"e".to_owned(), &mut free(&[("e", 2)]));
        assert_eq!(chosen, [0, 2]);
        assert!(choose_by_places(&line, &"e".to_owned(), &mut free(&[("e", 0)])).is_empty());
    }

    #[test]
    fn whoever_has_no_place_elsewhere_is_passed_over() {
        let rates = [["e", "ann"], ["e", "ann"], ["e", "ben"], ["e", "new"]];
        let line = rates.map(|rates| waiting(&rates, 1, true));
        let mut free = free(&[("e", 9), ("ann", 1), ("ben", 0)]);
        assert_eq!(choose_by_places(&line, &"e".to_owned(), &mut free), [0, 3]);
    }

    #[test]
    fn a_budgets_line_is_called_in_order_as_far_as_its_room_goes() {
        let line = [30, 40, 50, 1].map(|worst| waiting(&[], worst, true));
        let room = Room { limit: Some(100), share: Some(1.0), reserved: 0, spent: 10 };
        assert_eq!(choose_by_room(&line, &room, Ahead::default(), true), [0, 1]);
        let kept = Ahead { count: 1, worst: 70 };
        assert!(choose_by_room(&line, &room, kept, true).is_empty(), "nobody overtakes");
    }

    #[test]
    fn whoever_can_never_pay_learns_of_it_in_a_window_that_has_begun() {
        let line = [200, 40].map(|worst| waiting(&[], worst, true));
        let room = Room { limit: Some(100), share: Some(1.0), reserved: 0, spent: 10 };
        assert_eq!(choose_by_room(&line, &room, Ahead::default(), true), [0, 1]);
        assert!(choose_by_room(&line, &room, Ahead::default(), false).is_empty());
    }
}
