//! The scopes' rows: each holds all that decides about one limited thing.

use serde::Serialize;
use sqlx::sqlite::SqliteRow;

use super::codec::{self, Reader};
use super::places::Places;
use super::room::Room;
use super::{Done, Micros, Write};

statements! {
    // In the order of the list; with what an operator set for the budget.
    ASKED = "select a.value ->> '$.key' as key, s.key is not null as is_there,
            coalesce(s.instants, '[]') as instants, coalesce(s.reserved, 0) as reserved,
            coalesce(s.charged + s.ambiguous, 0) as spent, s.name, s.starts_at, s.ends_at, s.most,
            s.share, s.span, s.opens_at,
            b.name is not null as is_set, b.most as set_most
        from json_each(?1) a
        left join scopes s on s.key = a.value ->> '$.key'
        left join budget_limits b on b.name = a.value ->> '$.name'
        order by a.key";
    WRITE = "insert into scopes (key, name, starts_at, ends_at, most, share, span, reserved, instants)
        select w.value ->> '$.key', w.value ->> '$.name', w.value ->> '$.starts_at',
            w.value ->> '$.ends_at', w.value ->> '$.most', w.value ->> '$.share',
            w.value ->> '$.span', w.value ->> '$.reserved', coalesce(w.value ->> '$.instants', '[]')
        from json_each(?1) w where true
        on conflict (key) do update set name = excluded.name, starts_at = excluded.starts_at,
            ends_at = excluded.ends_at, most = excluded.most, share = excluded.share,
            span = excluded.span, reserved = reserved + excluded.reserved,
            instants = excluded.instants";
    DESCRIBE = "insert into scopes (key, name, starts_at, ends_at, most, share, span)
        select w.value ->> '$.key', w.value ->> '$.name', w.value ->> '$.starts_at',
            w.value ->> '$.ends_at', w.value ->> '$.most', w.value ->> '$.share',
            w.value ->> '$.span'
        from json_each(?1) w where true
        on conflict (key) do update set name = excluded.name, starts_at = excluded.starts_at,
            ends_at = excluded.ends_at, most = excluded.most, share = excluded.share,
            span = excluded.span";
    OPEN_BY = "update scopes set opens_at = min(coalesce(opens_at, ?2), ?2) where key = ?1";
    WAKE = "update scopes set opens_at = min(opens_at, ?2)
        where opens_at is not null and key in (select value from json_each(?1))";
    INSTANTS = "select key, instants from scopes where key = ?1";
    SET_INSTANTS = "update scopes set instants = ?2, opens_at = case when opens_at is not null
            then min(opens_at, coalesce(?3 + span, ?4)) end
        where key = ?1";
}

/// What a scope's row is asked for by: its key, and a budget's name.
#[derive(Debug, Serialize)]
pub(super) struct Asked<'a> {
    pub(super) key: &'a str,
    pub(super) name: Option<&'a str>,
}

/// What a scope's row says of what it limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Form {
    pub(super) key: String,
    /// A budget's name; a rate has none.
    pub(super) name: Option<String>,
    pub(super) starts_at: Option<Micros>,
    pub(super) ends_at: Option<Micros>,
    pub(super) most: Option<i64>,
    pub(super) share: Option<f64>,
    pub(super) span: Option<Micros>,
}

/// What an admission leaves in a scope.
#[derive(Debug, Serialize)]
pub(super) struct Admitted<'a> {
    #[serde(flatten)]
    pub(super) form: &'a Form,
    /// What is set aside.
    pub(super) reserved: i64,
    /// Of a rate, all instants from which its places are held.
    pub(super) instants: Option<Vec<Micros>>,
}

/// A scope's row.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub(super) form: Form,
    pub(super) is_there: bool,
    pub(super) instants: Vec<Micros>,
    pub(super) reserved: i64,
    /// Paid, or in doubt.
    pub(super) spent: i64,
    /// When its line is looked at; `None` when nobody waits.
    pub(super) opens_at: Option<Micros>,
}

impl Scope {
    pub(super) fn read(row: &SqliteRow) -> Done<Self> {
        let reader = Reader::new("scopes", row);
        Ok(Self {
            form: Form {
                key: reader.get("key")?,
                name: reader.get("name")?,
                starts_at: reader.get("starts_at")?,
                ends_at: reader.get("ends_at")?,
                most: reader.get("most")?,
                share: reader.get("share")?,
                span: reader.get("span")?,
            },
            is_there: reader.get("is_there")?,
            instants: reader.json("instants")?,
            reserved: reader.get("reserved")?,
            spent: reader.get("spent")?,
            opens_at: reader.get("opens_at")?,
        })
    }

    /// A budget's room, by the limit that its form names.
    pub(super) fn room(&self) -> Room {
        let Form { most, share, .. } = self.form;
        Room { limit: most, share, reserved: self.reserved, spent: self.spent }
    }

    /// A rate's places; `None` when it was never asked for one.
    pub(super) fn places(&self, now: Micros) -> Option<Places> {
        let limit = u32::try_from(self.form.most?).unwrap_or(u32::MAX);
        Some(Places::at(now, self.instants.clone(), limit, self.form.span?))
    }
}

/// What an operator set for a budget: the outer `None` is nothing.
pub(super) type SetLimit = Option<Option<i64>>;

/// The rows of those keys, in their order, each with what an operator set for it.
pub(super) async fn load(tx: &mut Write, asked: &[Asked<'_>]) -> Done<Vec<(Scope, SetLimit)>> {
    let rows = sqlx::query(ASKED).bind(codec::json(&asked)?).fetch_all(&mut **tx).await?;
    rows.iter()
        .map(|row| {
            let reader = Reader::new("budget_limits", row);
            let set = reader.get::<bool>("is_set")?.then(|| reader.get("set_most")).transpose()?;
            Ok((Scope::read(row)?, set))
        })
        .collect()
}

/// Writes what an admission leaves in its scopes.
pub(super) async fn write(tx: &mut Write, admitted: &[Admitted<'_>]) -> Done<()> {
    sqlx::query(WRITE).bind(codec::json(&admitted)?).execute(&mut **tx).await?;
    Ok(())
}

/// Writes what scopes are, and nothing that counts.
pub(super) async fn describe(tx: &mut Write, forms: &[&Form]) -> Done<()> {
    sqlx::query(DESCRIBE).bind(codec::json(&forms)?).execute(&mut **tx).await?;
    Ok(())
}

/// Has a scope's line looked at by then, at the latest.
pub(super) async fn open_by(tx: &mut Write, key: &str, by: Micros) -> Done<()> {
    sqlx::query(OPEN_BY).bind(key).bind(by).execute(&mut **tx).await?;
    Ok(())
}

/// The same for several, given as JSON, where anybody waits.
pub(super) async fn wake(tx: &mut Write, keys: &str, by: Micros) -> Done<()> {
    sqlx::query(WAKE).bind(keys).bind(by).execute(&mut **tx).await?;
    Ok(())
}

/// Has the place that counts from exactly that instant count from another, or gives it back. Who
/// waits is looked at when it frees. Does nothing where there is no such place.
pub(super) async fn move_place(
    tx: &mut Write,
    key: &str,
    from: Micros,
    to: Option<Micros>,
    now: Micros,
) -> Done<()> {
    let Some(row) = sqlx::query(INSTANTS).bind(key).fetch_optional(&mut **tx).await? else {
        return Ok(());
    };
    let mut instants: Vec<Micros> = Reader::new("scopes", &row).json("instants")?;
    let Some(place) = instants.iter().position(|at| *at == from) else { return Ok(()) };
    instants.swap_remove(place);
    instants.extend(to);
    instants.sort_unstable();
    let query = sqlx::query(SET_INSTANTS).bind(key).bind(codec::json(&instants)?);
    query.bind(to).bind(now).execute(&mut **tx).await?;
    Ok(())
}
