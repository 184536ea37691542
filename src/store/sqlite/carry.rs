//! Closed ledger rows that are not kept any more, folded into one carried row a budget.
//!
//! The carried rows of budgets and the rows that are kept sum to the budgets'
//! counters, as before; one more carried row, of no budget, keeps the sum of all
//! that was folded, so that the whole stays known when a window is dropped.

use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::codec::{self, Reader};
use super::sweep::drop_some;
use super::{Done, Micros, Write};
use crate::domain::ids::derived_uuid;
use crate::store::Swept;

/// Ledger rows that are folded, and windows that are dropped, at most in one sweep.
const MOST: usize = 500;
/// For how long a rate must not have held a place before it is forgotten.
const IDLE: Micros = 24 * 3_600_000_000;
/// What begins the name of an event's budget; its event's ID follows.
const OF_EVENT: &str = "budget:event:";

statements! {
    // What is still at work, or waits, may replay its answers.
    CLOSED = "select id from ledger l
        where state in ('charged', 'refunded') and resolved_at < ?1
            and not exists (select 1 from queue_items q
                where q.id = l.item_id and q.status in ('pending', 'processing'))
        order by resolved_at limit ?2";
    // By budget, and under no key of all; a window that is dropped needs no sum.
    SUMS = "with folded as (
            select l.* from json_each(?1) i join ledger l on l.id = i.value
        ),
        counted (key, name, id) as (
            select '', '', id from folded
            union all
            select s.key, s.name, f.id from folded f, json_each(f.scopes) v
            join scopes s on s.key = v.value
        )
        select c.key as key, coalesce(c.name, '') as name, max(f.tenant) as tenant,
            sum(f.charged) as charged, coalesce(sum(f.calls) filter (where f.state = 'charged'), 0) as calls,
            max(f.created_at) as created_at, max(f.resolved_at) as resolved_at,
            sum(f.input_tokens) as input_tokens, sum(f.output_tokens) as output_tokens,
            sum(f.cache_read_tokens) as cache_read_tokens,
            sum(f.cache_write_5m_tokens) as cache_write_5m_tokens,
            sum(f.cache_write_1h_tokens) as cache_write_1h_tokens
        from counted c join folded f on f.id = c.id
        group by 1, 2";
    CARRY = "insert into ledger (id, state, tenant, item_id, lease, revision, event_id, agent, model,
            fingerprint, scopes, rates, admitted_at, reserved, charged, calls, created_at, resolved_at,
            input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
            cache_write_1h_tokens)
        values (?1, 'carried', ?2, '-', 0, -2, ?3, '-', '-', '-', ?4, '[]', ?7, 0, ?5, ?6, ?7, ?8, ?9,
            ?10, ?11, ?12, ?13)
        on conflict (id) do update set charged = charged + ?5, calls = calls + ?6,
            admitted_at = max(admitted_at, ?7), created_at = max(created_at, ?7),
            resolved_at = max(resolved_at, ?8), input_tokens = input_tokens + ?9,
            output_tokens = output_tokens + ?10, cache_read_tokens = cache_read_tokens + ?11,
            cache_write_5m_tokens = cache_write_5m_tokens + ?12,
            cache_write_1h_tokens = cache_write_1h_tokens + ?13";
    FORGET = "delete from ledger where id in (select value from json_each(?1))";
    ENDED = "select key, charged from scopes s
        where ends_at is not null and ends_at < ?1 and reserved = 0 and ambiguous = 0
            and not exists (select 1 from lines l where l.scope = s.key)
        order by ends_at limit ?2";
    CARRIED = "select charged from ledger where id = ?1";
    DROP_WINDOW = "delete from scopes where key = ?1";
    DROP_CARRIED = "delete from ledger where id = ?1";
    DROP_RATES = "delete from scopes where key in (
            select key from scopes s
            where name is null and coalesce(instants ->> '$[#-1]', 0) < ?1
                and coalesce(instants ->> '$[#-1]', 0) + coalesce(span, 0) < ?1
                and reserved = 0 and charged = 0 and ambiguous = 0
                and not exists (select 1 from lines l where l.scope = s.key)
            limit ?2
        )";
}

/// Folds closed rows that are older.
pub(super) async fn fold_closed(tx: &mut Write, before: Micros, swept: &mut Swept) -> Done<()> {
    let query = sqlx::query_scalar(CLOSED).bind(before).bind(MOST as i64);
    let ids: Vec<String> = query.fetch_all(&mut **tx).await?;
    if ids.is_empty() {
        return Ok(());
    }
    let list = codec::json(&ids)?;
    for row in sqlx::query(SUMS).bind(&list).fetch_all(&mut **tx).await? {
        carry(tx, &row).await?;
    }
    sqlx::query(FORGET).bind(&list).execute(&mut **tx).await?;
    swept.folded += ids.len() as u64;
    swept.more |= ids.len() == MOST;
    Ok(())
}

/// Adds the sum of folded rows to their budget's carried row.
async fn carry(tx: &mut Write, row: &SqliteRow) -> Done<()> {
    let reader = Reader::new("ledger", row);
    let key: &str = reader.get("key")?;
    let event = reader.get::<&str>("name")?.strip_prefix(OF_EVENT);
    let scopes = if key.is_empty() { Vec::new() } else { vec![key] };
    let mut query = sqlx::query(CARRY)
        .bind(carried_id(key).to_string())
        .bind(event.map_or(Ok("-"), |_| reader.get("tenant"))?)
        .bind(event.unwrap_or("-"))
        .bind(codec::json(&scopes)?)
        .bind(reader.get::<i64>("charged")?)
        .bind(reader.get::<i64>("calls")?)
        .bind(reader.get::<Micros>("created_at")?)
        .bind(reader.get::<Micros>("resolved_at")?);
    for tokens in codec::classes(&reader.usage()?) {
        query = query.bind(tokens);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// The ID of a budget window's carried row.
fn carried_id(key: &str) -> Uuid {
    derived_uuid(&["carried", key])
}

/// Drops windows that ended before, with their carried rows, where all that they counted is folded.
pub(super) async fn drop_windows(tx: &mut Write, before: Micros, swept: &mut Swept) -> Done<()> {
    let mut dropped = 0;
    let query = sqlx::query(ENDED).bind(before).bind(MOST as i64);
    for row in query.fetch_all(&mut **tx).await? {
        let reader = Reader::new("scopes", &row);
        let key: &str = reader.get("key")?;
        let id = carried_id(key).to_string();
        let carried = sqlx::query_scalar(CARRIED).bind(&id).fetch_optional(&mut **tx).await?;
        if reader.get::<i64>("charged")? != carried.unwrap_or(0) {
            continue;
        }
        sqlx::query(DROP_CARRIED).bind(&id).execute(&mut **tx).await?;
        sqlx::query(DROP_WINDOW).bind(key).execute(&mut **tx).await?;
        dropped += 1;
    }
    swept.more |= dropped == MOST;
    Ok(())
}

/// Forgets rates that have held no place for long and have nobody in their line.
pub(super) async fn drop_rates(tx: &mut Write, now: Micros, swept: &mut Swept) -> Done<()> {
    drop_some(tx, DROP_RATES, now.saturating_sub(IDLE), swept).await?;
    Ok(())
}
