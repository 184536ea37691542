//! The cache as operators see it: what is in it, and what they have dropped.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::codec::Reader;
use super::{Done, SqliteStore, runtime};
use crate::store::{CachePrefix, CacheReport};

/// Entries that a trim drops at most.
const TRIMMED: u32 = 1_000;

statements! {
    SIZES = "select count(*) filter (where expires_at > ?1) as active,
            count(*) filter (where expires_at <= ?1) as expired, coalesce(sum(bytes), 0) as bytes
        from cache";
    // A key is a readable prefix and a digest of 32 hexadecimal digits.
    BY_PREFIX = "select case when substr(key, -33) glob ':*' and substr(key, -32) not glob '*[^0-9a-f]*'
                then substr(key, 1, length(key) - 33) else key end as prefix,
            count(*) as entries, sum(bytes) as bytes
        from cache group by 1 order by 2 desc, 1 limit 50";
    CLEAR = "delete from cache where substr(key, 1, length(?1)) = ?1";
    SOONEST = "select key, bytes from cache order by expires_at, bytes, key limit ?1";
    DROP = "delete from cache where key in (select value from json_each(?1))";
}

impl SqliteStore {
    pub(super) async fn report_cache(&self) -> Done<CacheReport> {
        let mut tx = self.readers.begin().await?;
        let now = Timestamp::now().as_microsecond();
        let row = sqlx::query(SIZES).bind(now).fetch_one(&mut *tx).await?;
        let sizes = Reader::new("cache", &row);
        let by_prefix = sqlx::query(BY_PREFIX).fetch_all(&mut *tx).await?;
        Ok(CacheReport {
            active: sizes.count("active")?,
            expired: sizes.count("expired")?,
            bytes: sizes.count("bytes")?,
            by_prefix: by_prefix.iter().map(prefix).collect::<Done<_>>()?,
        })
    }

    pub(super) async fn drop_entries(&self, prefix: &str) -> Done<u64> {
        let (mut tx, now) = self.write().await?;
        let dropped = sqlx::query(CLEAR).bind(prefix).execute(&mut *tx).await?;
        runtime::next_generation(&mut tx, now).await?;
        tx.commit().await?;
        Ok(dropped.rows_affected())
    }

    pub(super) async fn trim_entries(&self, entries: u64, bytes: u64) -> Done<u64> {
        let (mut tx, now) = self.write().await?;
        let row = sqlx::query(SIZES).bind(now).fetch_one(&mut *tx).await?;
        let sizes = Reader::new("cache", &row);
        let mut left = (sizes.count("active")? + sizes.count("expired")?, sizes.count("bytes")?);
        if left.0 <= entries && left.1 <= bytes {
            return Ok(0);
        }
        let mut dropped = Vec::new();
        for row in sqlx::query(SOONEST).bind(TRIMMED).fetch_all(&mut *tx).await? {
            if left.0 <= entries && left.1 <= bytes {
                break;
            }
            let reader = Reader::new("cache", &row);
            dropped.push(reader.get::<String>("key")?);
            left = (left.0 - 1, left.1 - reader.count("bytes")?);
        }
        sqlx::query(DROP).bind(super::codec::json(&dropped)?).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(dropped.len() as u64)
    }
}

fn prefix(row: &SqliteRow) -> Done<CachePrefix> {
    let reader = Reader::new("cache", row);
    Ok(CachePrefix {
        prefix: reader.get("prefix")?,
        entries: reader.count("entries")?,
        bytes: reader.count("bytes")?,
    })
}
