//! Giving a claim back, or keeping it: park, release, renew.

use std::time::Duration;

use super::cache::{self, Ending};
use super::{Done, Micros, SqliteStore, Write, codec, micros};
use crate::domain::ids::{Held, ItemId};
use crate::domain::outcome::ParkReason;
use crate::fault::Park;
use crate::store::Fenced;

statements! {
    NOTE_PARK = "insert into item_history (item_id, at, what, reason, detail, lease, attempt)
        select id, ?3, 'parked', ?4, ?5, lease, attempt from queue_items
        where id = ?1 and lease = ?2 and status = 'processing'";
    PUT_BACK = "update queue_items set status = 'pending', lease_until = null, hints = 0,
            due_at = ?2, look_at = ?2, waits_for = ?3, park_reason = ?5, attempt = max(attempt - ?4, 0)
        where id = ?1";
    // Who waits for something else stands in nobody's way.
    LEAVE_LINE = "delete from lines where item_id = ?1";
    // A wait that an operator asked for is not the item's own.
    BEGIN_ANEW = "update queue_items set first_claimed_at = null where id = ?1";
    HAS_COME = "select wanted > revision from queue_items where id = ?1";
    FLIGHT_ENDS = "select q.lease_until as lease_until, f.open_at as open_at
        from flights f
        left join queue_items q on q.id = f.item_id and q.lease = f.lease and q.status = 'processing'
        where f.key = ?1";
    RENEW = "update queue_items set lease_until = ?2, look_at = ?2
        from json_each(?1) h
        where queue_items.id = h.value ->> '$.item' and queue_items.lease = h.value ->> '$.lease'
            and queue_items.status = 'processing'
        returning queue_items.id";
}

/// When a parked item is due, and what it waits for until then.
struct Wait {
    due_at: Micros,
    waits_for: Option<String>,
}

impl SqliteStore {
    pub(super) async fn park_item(&self, held: &Held, park: &Park) -> Done<Fenced> {
        let (mut tx, now) = self.write().await?;
        if !note(&mut tx, held, park.reason, park.detail.as_deref(), now).await? {
            return Ok(Fenced::Lost);
        }
        let wait = judge_wait(&mut tx, held, park, now).await?;
        let given_back = i64::from(!park.spend_attempt);
        // What it waited for is there already: then it waits for nothing, and questions wait for it.
        let reason = (wait.due_at > now).then_some(park.reason);
        put_back(&mut tx, held, &wait, given_back, reason).await?;
        if matches!(park.reason, ParkReason::BudgetSpent | ParkReason::Paused) {
            sqlx::query(BEGIN_ANEW).bind(held.item.as_str()).execute(&mut *tx).await?;
        }
        if !waits_in_line(park.reason) {
            sqlx::query(LEAVE_LINE).bind(held.item.as_str()).execute(&mut *tx).await?;
        }
        let end = if park.spend_attempt { Ending::Failed } else { Ending::GivenUp };
        cache::end_flights(&mut tx, &held.item, end, now).await?;
        tx.commit().await?;
        Ok(Fenced::Done(()))
    }

    pub(super) async fn release_items(&self, held: &[Held]) -> Done<u64> {
        let (mut tx, now) = self.write().await?;
        let mut released = 0;
        for one in held {
            if note(&mut tx, one, ParkReason::Drained, None, now).await? {
                let wait = Wait { due_at: now, waits_for: None };
                put_back(&mut tx, one, &wait, 1, None).await?;
                cache::end_flights(&mut tx, &one.item, Ending::GivenUp, now).await?;
                released += 1;
            }
        }
        tx.commit().await?;
        Ok(released)
    }

    pub(super) async fn renew_leases(&self, held: &[Held], lease: Duration) -> Done<Vec<ItemId>> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let list: Vec<_> = held
            .iter()
            .map(|one| serde_json::json!({"item": one.item, "lease": one.lease}))
            .collect();
        let (mut tx, now) = self.write().await?;
        let renewed: Vec<String> = sqlx::query_scalar(RENEW)
            .bind(codec::json(&list)?)
            .bind(now.saturating_add(micros(lease)))
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        let lost = held.iter().filter(|one| !renewed.iter().any(|id| id == one.item.as_str()));
        Ok(lost.map(|one| one.item.clone()).collect())
    }
}

/// Whether an item that is parked for this keeps its place in a line.
fn waits_in_line(reason: ParkReason) -> bool {
    matches!(reason, ParkReason::RateLimited | ParkReason::BudgetBusy | ParkReason::BudgetSpent)
}

/// An item that waits for a flight is due when the flight lands. When it landed or fell before
/// the item could be parked, nobody would wake it, so it is due at once; after a failed leader,
/// when the next may start.
async fn judge_wait(tx: &mut Write, held: &Held, park: &Park, now: Micros) -> Done<Wait> {
    let mut due_at = now.saturating_add(micros(park.after));
    if park.reason == ParkReason::MessageMissing && has_come(tx, &held.item).await? {
        due_at = now;
    }
    let Some(key) = &park.flight else { return Ok(Wait { due_at, waits_for: None }) };
    let flight: Option<(Option<Micros>, Option<Micros>)> =
        sqlx::query_as(FLIGHT_ENDS).bind(key).fetch_optional(&mut **tx).await?;
    let in_the_air = matches!(flight, Some((Some(lease_until), _)) if lease_until > now);
    if in_the_air {
        return Ok(Wait { due_at, waits_for: Some(key.clone()) });
    }
    let opens_at = flight.and_then(|(_, open_at)| open_at).unwrap_or(now).max(now);
    Ok(Wait { due_at: due_at.min(opens_at), waits_for: None })
}

/// Whether the message came while its absence was being worked on.
async fn has_come(tx: &mut Write, item: &ItemId) -> Done<bool> {
    Ok(sqlx::query_scalar(HAS_COME).bind(item.as_str()).fetch_one(&mut **tx).await?)
}

/// What is released is not parked: it waits for nothing.
async fn put_back(
    tx: &mut Write,
    held: &Held,
    wait: &Wait,
    given_back: i64,
    reason: Option<ParkReason>,
) -> Done<()> {
    sqlx::query(PUT_BACK)
        .bind(held.item.as_str())
        .bind(wait.due_at)
        .bind(&wait.waits_for)
        .bind(given_back)
        .bind(reason.map(ParkReason::name))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Writes a park into the item's history; false when the item is not ours any more.
async fn note(
    tx: &mut Write,
    held: &Held,
    reason: ParkReason,
    detail: Option<&str>,
    now: Micros,
) -> Done<bool> {
    let noted = sqlx::query(NOTE_PARK)
        .bind(held.item.as_str())
        .bind(held.lease.0)
        .bind(now)
        .bind(reason.name())
        .bind(detail)
        .execute(&mut **tx)
        .await?;
    Ok(noted.rows_affected() > 0)
}
