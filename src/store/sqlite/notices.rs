//! Notices: what is to be told, until it was taken or a day is over.

use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::Reader;
use super::{Done, Micros, SqliteStore, Write, micros};
use crate::store::{Channel, CompletionEvent, DueNotice, Notice};

/// Two tries are never further apart than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// For how long a notice is told.
const TOLD_FOR: Micros = 24 * 3_600_000_000;

statements! {
    PUT = "insert into notices (channel, id, kind, routing_key, body, look_at, created_at)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?6) on conflict (channel, id) do nothing";
    GIVE_UP = "update notices set look_at = null where look_at is not null and created_at < ?1";
    DUE = "select channel, id, kind, routing_key, body, tries from notices
        where look_at is not null and look_at <= ?1
        -- A webhook that hangs must not hold events up.
        order by channel, look_at, id limit ?2";
    MOVE_AHEAD = "update notices
        set look_at = ?3 + min(?4 << min(tries, 20), ?5), tries = tries + 1
        where channel = ?1 and id = ?2";
    CONFIRM = "update notices set confirmed_at = ?3, look_at = null
        where channel = ?1 and id = ?2 and confirmed_at is null";
}

impl SqliteStore {
    pub(super) async fn look_at_notices(&self, first: Duration, most: u32) -> Done<Vec<DueNotice>> {
        let (mut tx, now) = self.write().await?;
        sqlx::query(GIVE_UP).bind(now.saturating_sub(TOLD_FOR)).execute(&mut *tx).await?;
        let rows = sqlx::query(DUE).bind(now).bind(most).fetch_all(&mut *tx).await?;
        let due = rows.iter().map(due).collect::<Done<Vec<_>>>()?;
        for DueNotice { notice, .. } in &due {
            sqlx::query(MOVE_AHEAD)
                .bind(notice.channel.name())
                .bind(notice.event.id.to_string())
                .bind(now)
                .bind(micros(first.min(LONGEST_PAUSE)))
                .bind(micros(LONGEST_PAUSE))
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(due)
    }

    pub(super) async fn confirm_told(&self, channel: Channel, id: Uuid) -> Done<()> {
        let (mut tx, now) = self.write().await?;
        let query = sqlx::query(CONFIRM).bind(channel.name()).bind(id.to_string()).bind(now);
        query.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Writes what is to be told from now on.
pub(super) async fn put(tx: &mut Write, notices: &[Notice], now: Micros) -> Done<()> {
    for Notice { channel, event } in notices {
        sqlx::query(PUT)
            .bind(channel.name())
            .bind(event.id.to_string())
            .bind(&event.kind)
            .bind(&event.routing_key)
            .bind(&event.body)
            .bind(now)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

fn due(row: &SqliteRow) -> Done<DueNotice> {
    let reader = Reader::new("notices", row);
    let event = CompletionEvent {
        id: reader.uuid("id")?,
        kind: reader.get("kind")?,
        routing_key: reader.get("routing_key")?,
        body: reader.get("body")?,
    };
    let notice = Notice { channel: reader.named("channel", Channel::named)?, event };
    Ok(DueNotice { notice, tries: reader.get("tries")? })
}
