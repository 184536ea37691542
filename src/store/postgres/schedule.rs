//! What the scheduler does: rows whose time to be looked at has come, and
//! confirmed completion events.

use std::time::Duration;

use sqlx::Row;
use uuid::Uuid;

use super::PostgresStore;
use super::claim::{item_id, owed_event};
use super::codec::interval;
use super::pool::store_error;
use crate::domain::ids::ItemId;
use crate::store::{Due, Stored};

/// Lines that a tick looks at, at most.
const LOOKED_AT: i32 = 64;
/// Rows that a tick sweeps at most, of each kind.
const SWEPT: i32 = 100;

// `now()` and not `clock_timestamp()`, which no index can answer; in a statement of its own they
// are the same moment. A hint's pause doubles with each, up to an hour.
macro_rules! tick {
    ($which:literal) => {
        concat!(
            "
    with due as (
        select id, look_at from queue_items
        where look_at <= now() and (status <> 'processing' or lease_until <= now())",
            $which,
            "
        order by look_at limit $1 for update skip locked
    ), seen as (
        update queue_items q
        set hints = q.hints + 1,
            look_at = case when q.status in ('pending', 'processing') or q.confirmed_at is null then
                now() + least($2::interval * power(2, least(q.hints, 20)), interval '1 hour')
            end
        from due where q.id = due.id
        returning q.*, due.look_at as was
    )
    select id,
        case when status not in ('pending', 'processing') and confirmed_at is null
            then completion_id end as completion_id,
        completion_kind, routing_key, body
    from seen where look_at is not null order by was, id"
        )
    };
}

const TICK: &str = tick!("");
const TICK_WITHOUT_SECOND_HINTS: &str = tick!(" and (hints = 0 or status <> 'pending')");

const CALL: &str = "select call_waiting($1)";
const ABANDON: &str = "select abandon_lost_reservations($1)";

// As arrays, so that each row is found by its key.
const DROP_EXPIRED: &str = "
    delete from cache where key = any(array(
        select c.key from cache c where c.expires_at <= now()
        order by c.expires_at limit $1 for update skip locked
    ))";

// A flight that nobody flies keeps its count of failures for the next leader, but not for ever.
const DROP_FLIGHTS: &str = "
    delete from flights where key = any(array(
        select f.key from flights f
        where f.open_at <= now() - interval '1 hour' and flight_until(f) is null
        order by f.open_at limit $1 for update skip locked
    ))";

const CONFIRM: &str = "select confirm_completion($1, $2)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[TICK, TICK_WITHOUT_SECOND_HINTS, CALL, ABANDON, DROP_EXPIRED, DROP_FLIGHTS, CONFIRM];

impl PostgresStore {
    pub(super) async fn take_due(
        &self,
        window: u32,
        hint_after: Duration,
        second_hints: bool,
    ) -> Stored<Vec<Due>> {
        // First, so that who is called is hinted by this same tick.
        self.sweep(CALL, LOOKED_AT).await?;
        // Before the rows are moved ahead: a failure after it would lose them.
        self.sweep(ABANDON, SWEPT).await?;
        let statement = if second_hints { TICK } else { TICK_WITHOUT_SECOND_HINTS };
        let rows = sqlx::query(statement)
            .bind(i64::from(window))
            .bind(interval(hint_after))
            .fetch_all(self.pool())
            .await
            .map_err(store_error)?;
        if rows.is_empty() {
            self.sweep(DROP_EXPIRED, SWEPT).await?;
            self.sweep(DROP_FLIGHTS, SWEPT).await?;
        }
        let mut due = Vec::with_capacity(rows.len());
        for row in &rows {
            let id: String = row.try_get("id").map_err(store_error)?;
            let item = item_id(&id)?;
            due.push(match owed_event(&item, row)? {
                Some(owed) => Due::Owed(owed),
                None => Due::Hint(item),
            });
        }
        Ok(due)
    }

    async fn sweep(&self, statement: &'static str, most: i32) -> Stored<()> {
        let sweep = sqlx::query(statement).bind(most).execute(self.pool());
        sweep.await.map_err(store_error)?;
        Ok(())
    }

    pub(super) async fn confirm_completion(&self, item: &ItemId, completion: Uuid) -> Stored<()> {
        let confirm = sqlx::query(CONFIRM).bind(item.as_str()).bind(completion);
        confirm.execute(self.pool()).await.map_err(store_error)?;
        Ok(())
    }
}
