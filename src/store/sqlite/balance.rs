//! The proof that the ledger balances, and the rows that would break it.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::codec::Reader;
use super::{Done, SqliteStore};
use crate::domain::usage::NanoUsd;
use crate::store::LedgerFault;

statements! {
    // What no request leaves behind, whatever the counters say.
    WRONG = "select id, charged from ledger
        where charged < 0 or reserved < 0 or (state not in ('charged', 'carried') and charged <> 0)
            or (state <> 'reserved' and resolved_at is null)
        order by created_at, id limit 1";
    UNBALANCED = "with sums as (
            select s.value as key,
                sum(case l.state when 'reserved' then l.reserved else 0 end) as reserved,
                sum(case when l.state in ('charged', 'carried') then l.charged else 0 end) as charged,
                sum(case l.state when 'ambiguous' then l.reserved else 0 end) as ambiguous
            from ledger l, json_each(l.scopes) s
            group by s.value
        )
        select coalesce(c.key, r.key) as key,
            coalesce(c.reserved, 0) as counted_reserved, coalesce(r.reserved, 0) as summed_reserved,
            coalesce(c.charged, 0) as counted_charged, coalesce(r.charged, 0) as summed_charged,
            coalesce(c.ambiguous, 0) as counted_ambiguous, coalesce(r.ambiguous, 0) as summed_ambiguous
        from scopes c full outer join sums r on r.key = c.key
        where coalesce(c.reserved, 0) <> coalesce(r.reserved, 0)
            or coalesce(c.charged, 0) <> coalesce(r.charged, 0)
            or coalesce(c.ambiguous, 0) <> coalesce(r.ambiguous, 0)
        order by 1 limit 1";
    // What is not kept any more stands once in the row of no budget, and once more in each budget's.
    STANDING = "select coalesce(sum(case state when 'charged' then charged when 'refunded' then 0
            when 'carried' then case when scopes = '[]' then charged else 0 end
            else reserved end), 0) from ledger";
    // Rows that alone would explain the difference.
    SUSPECTS = "select l.id as id from ledger l
        where exists (select 1 from json_each(l.scopes) s where s.value = ?1)
            and (l.reserved = ?2 or l.charged = ?2)
        order by l.created_at, l.id limit 5";
}

impl SqliteStore {
    /// Every row for itself, and the counters of every budget against its rows. When all balance:
    /// what stands in the ledger, reserved and ambiguous rows at their worst case.
    pub(super) async fn balance(&self) -> Done<Result<NanoUsd, LedgerFault>> {
        let mut tx = self.readers.begin().await?;
        if let Some(row) = sqlx::query(WRONG).fetch_optional(&mut *tx).await? {
            return Ok(Err(wrong_row(&row)?));
        }
        if let Some(row) = sqlx::query(UNBALANCED).fetch_optional(&mut *tx).await? {
            return Ok(Err(wrong_scope(&mut tx, &row).await?));
        }
        Ok(Ok(NanoUsd(sqlx::query_scalar(STANDING).fetch_one(&mut *tx).await?)))
    }
}

fn wrong_row(row: &SqliteRow) -> Done<LedgerFault> {
    let reader = Reader::new("ledger", row);
    let id = reader.uuid("id")?;
    Ok(LedgerFault {
        scope: format!("ledger row {id}"),
        counted: reader.cost("charged")?,
        summed: NanoUsd::ZERO,
        rows: vec![id],
    })
}

async fn wrong_scope(connection: &mut SqliteConnection, row: &SqliteRow) -> Done<LedgerFault> {
    let reader = Reader::new("scopes", row);
    let mut fault = LedgerFault {
        scope: reader.get("key")?,
        counted: NanoUsd::ZERO,
        summed: NanoUsd::ZERO,
        rows: Vec::new(),
    };
    for (counted, summed) in [
        ("counted_reserved", "summed_reserved"),
        ("counted_charged", "summed_charged"),
        ("counted_ambiguous", "summed_ambiguous"),
    ] {
        (fault.counted, fault.summed) = (reader.cost(counted)?, reader.cost(summed)?);
        if fault.counted != fault.summed {
            break;
        }
    }
    let difference = fault.counted.0.saturating_sub(fault.summed.0).saturating_abs();
    let suspects = sqlx::query(SUSPECTS).bind(&fault.scope).bind(difference);
    for row in suspects.fetch_all(connection).await? {
        fault.rows.push(Reader::new("ledger", &row).uuid("id")?);
    }
    Ok(fault)
}
