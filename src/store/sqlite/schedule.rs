//! The scheduler's look at the rows.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::{Done, SqliteStore, cache, calling, ledger, micros};
use crate::domain::ids::ItemId;
use crate::store::Due;

/// Rows that a tick sweeps at most, of each kind.
const SWEPT: u32 = 100;
/// Hints are never further apart than this.
const LONGEST_HINT_PAUSE: Duration = Duration::from_secs(3600);

statements! {
    // A lease that was renewed since is passed over; its row is looked at when it ends.
    TICK = "select id, status, completion_id, completion_kind, routing_key, body,
            confirmed_at is not null as is_confirmed
        from queue_items
        where look_at is not null and look_at <= ?1
            and (status <> 'processing' or lease_until <= ?1)
        order by look_at limit ?2";
    TICK_WITHOUT_SECOND_HINTS = "select id, status, completion_id, completion_kind,
            routing_key, body, confirmed_at is not null as is_confirmed
        from queue_items
        where look_at is not null and (hints = 0 or status <> 'pending') and look_at <= ?1
            and (status <> 'processing' or lease_until <= ?1)
        order by look_at limit ?2";
    MOVE_AHEAD = "update queue_items
        set hints = hints + 1, look_at = case
            when status in ('pending', 'processing') or confirmed_at is null
            then ?2 + min(?3 << min(hints, 20), ?4)
        end
        where id in (select value from json_each(?1))";
}

impl SqliteStore {
    pub(super) async fn look(
        &self,
        window: u32,
        hint_after: Duration,
        second_hints: bool,
    ) -> Done<Vec<Due>> {
        let (mut tx, now) = self.write().await?;
        let statement = if second_hints { TICK } else { TICK_WITHOUT_SECOND_HINTS };
        calling::call_waiting(&mut tx, now).await?;
        ledger::abandon_lost(&mut tx, SWEPT, now).await?;
        let rows = sqlx::query(statement).bind(now).bind(window).fetch_all(&mut *tx).await?;
        if rows.is_empty() {
            cache::sweep(&mut tx, SWEPT, now).await?;
            tx.commit().await?;
            return Ok(Vec::new());
        }
        let ids = rows
            .iter()
            .map(|row| Reader::new("queue_items", row).item("id"))
            .collect::<Done<Vec<ItemId>>>()?;
        sqlx::query(MOVE_AHEAD)
            .bind(codec::json(&ids)?)
            .bind(now)
            .bind(micros(hint_after.min(LONGEST_HINT_PAUSE)))
            .bind(micros(LONGEST_HINT_PAUSE))
            .execute(&mut *tx)
            .await?;
        let due = rows.iter().filter_map(|row| due(row).transpose()).collect::<Done<Vec<_>>>()?;
        tx.commit().await?;
        Ok(due)
    }
}

/// What a row is due for; nothing when it is settled and owes nothing.
fn due(row: &SqliteRow) -> Done<Option<Due>> {
    let reader = Reader::new("queue_items", row);
    Ok(match reader.get::<&str>("status")? {
        "pending" | "processing" => Some(Due::Hint(reader.item("id")?)),
        _ if reader.get::<bool>("is_confirmed")? => None,
        _ => Some(Due::Owed(codec::owed(row)?)),
    })
}
