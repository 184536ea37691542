//! Connections, errors, migrations.
//!
//! Statements name no schema: every connection has a `search_path` of its own,
//! so the text of a statement is static and prepared once. `pg_temp` comes last
//! in it, so that nobody's temporary table stands in for one of ours.

use std::str::FromStr;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Error, PgConnection};

use super::PostgresStore;
use super::patience::Patience;
use crate::settings::DatabaseSettings;
use crate::store::{StoreCheck, StoreError, Stored, migrations};

/// How long a connection may lie idle before it is tried out.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

const CHECK: &str =
    "select current_setting('server_version'), version, oldest_binary from schema_info";
const SCHEMA_EXISTS: &str = "select to_regnamespace($1) is not null";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[CHECK, SCHEMA_EXISTS];

impl PostgresStore {
    /// Connects, and leaves the schema as it is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when no server answers or the database is not there yet: the
    /// caller tries again. [`StoreError::Refused`] when the URL, the schema's name or the
    /// password is wrong.
    pub async fn connect(settings: &DatabaseSettings) -> Stored<Self> {
        let options = connect_options(settings)?;
        let patience = Duration::from_secs(settings.acquire_timeout_s.max(1));
        // One connection by hand: the pool would say only that it waited too long.
        let probe = tokio::time::timeout(patience, PgConnection::connect_with(&options)).await;
        let probe = probe.map_err(|_| store_error(Error::PoolTimedOut))?.map_err(store_error)?;
        probe.close().await.map_err(store_error)?;
        let trust = Patience::default();
        let proving = trust.clone();
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections.max(1))
            .acquire_timeout(patience)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_release(move |connection, _| {
                let proving = proving.clone();
                Box::pin(async move { proving.proven(connection).await })
            })
            .connect_lazy_with(options);
        Ok(Self { pool, schema: settings.schema.clone(), patience: trust })
    }

    pub(super) async fn bring_up_to_date(&self) -> Stored<()> {
        let options = (*self.pool.connect_options()).clone().options([("statement_timeout", "0")]);
        let mut connection = PgConnection::connect_with(&options).await.map_err(store_error)?;
        let exists: bool = sqlx::query_scalar(SCHEMA_EXISTS)
            .bind(&self.schema)
            .fetch_one(&mut connection)
            .await
            .map_err(store_error)?;
        let mut migrator = migrations::migrator(migrations::POSTGRES);
        if !exists {
            // Only where it is missing: the statement wants a right on the database even when it
            // has nothing to do.
            migrator.create_schema(self.schema.clone());
        }
        migrator.run_direct(None, &mut connection, false).await.map_err(migrate_error)?;
        connection.close().await.map_err(store_error)
    }

    pub(super) async fn check_schema(&self) -> Stored<StoreCheck> {
        let row: Option<(String, i64, String)> =
            match sqlx::query_as(CHECK).fetch_optional(&self.pool).await {
                Err(Error::Database(error)) if error.code().as_deref() == Some("42P01") => None,
                other => other.map_err(store_error)?,
            };
        let Some((server, version, oldest_binary)) = row else {
            let why = format!("schema {} holds no tables of ours", self.schema);
            return Err(StoreError::NotMigrated(why));
        };
        let ours = migrations::newest(migrations::POSTGRES);
        if version < ours {
            let why = format!("it is at version {version}, this release wants {ours}");
            return Err(StoreError::NotMigrated(why));
        }
        if release(&oldest_binary) > release(env!("CARGO_PKG_VERSION")) {
            return Err(StoreError::BinaryTooOld { version, oldest_binary });
        }
        Ok(StoreCheck { server: format!("PostgreSQL {server}"), version, oldest_binary })
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// A release's number as parts that compare; what is no number counts as 0.
fn release(version: &str) -> [u64; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

fn connect_options(settings: &DatabaseSettings) -> Stored<PgConnectOptions> {
    let schema = &settings.schema;
    if !is_identifier(schema) {
        let why = format!(
            "database.schema {schema:?} is not 1 to 63 lower-case letters, digits and underscores"
        );
        return Err(StoreError::Refused(Error::Configuration(why.into())));
    }
    let options = PgConnectOptions::from_str(settings.url.expose_secret())
        .map_err(StoreError::Refused)?
        .application_name("gleaner")
        .options([
            ("search_path", format!("{schema},pg_temp").as_str()),
            ("timezone", "UTC"),
            // Else a statement over `unnest` is planned anew at every call.
            ("plan_cache_mode", "force_generic_plan"),
            ("jit", "off"),
            // Else each start tells that sqlx's own table is there already.
            ("client_min_messages", "warning"),
            ("statement_timeout", "30s"),
            ("idle_in_transaction_session_timeout", "60s"),
        ])
        .disable_statement_logging();
    Ok(options)
}

/// Whether a name means the same quoted and bare, and so can be put into `search_path` as it is.
fn is_identifier(name: &str) -> bool {
    let letters = |b: u8| b.is_ascii_lowercase() || b == b'_';
    (1..=63).contains(&name.len())
        && !name.starts_with("pg_")
        && name.bytes().next().is_some_and(letters)
        && name.bytes().all(|b| letters(b) || b.is_ascii_digit())
}

/// Whether the database is away, or only refused.
pub(super) fn store_error(error: Error) -> StoreError {
    if is_away(&error) { StoreError::Unavailable(error) } else { StoreError::Refused(error) }
}

fn is_away(error: &Error) -> bool {
    if let Error::Database(database) = error {
        return database.code().is_some_and(|code| passes(&code));
    }
    matches!(
        error,
        Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::PoolClosed
            | Error::WorkerCrashed
            | Error::BeginFailed
    )
}

/// SQLSTATEs of what passes by itself: lost connections, no resources, shutdown and crash, an
/// absent database, a statement that was cancelled, a standby, and lost races.
fn passes(code: &str) -> bool {
    ["08", "53", "58"].iter().any(|class| code.starts_with(class))
        || [
            "57P01", "57P02", "57P03", "57P04", "57014", "3D000", "25006", "25P03", "40001",
            "40P01", "55P03",
        ]
        .contains(&code)
}

fn migrate_error(error: MigrateError) -> StoreError {
    // The other kinds speak of the migrations themselves.
    if let MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) = &error
        && is_away(cause)
    {
        return StoreError::Unavailable(Error::Migrate(Box::new(error)));
    }
    StoreError::Migration(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_name_that_would_need_quotes_is_refused() {
        assert!(is_identifier("gleaner") && is_identifier("_g2"));
        for bad in ["", "Gleaner", "2g", "a b", "a;drop", "a\"b", "a,b", "pg_temp", &"g".repeat(64)]
        {
            assert!(!is_identifier(bad), "{bad:?} was accepted");
        }
    }

    #[test]
    fn releases_compare_by_number() {
        assert!(release("0.10.0") > release("0.9.3"));
        assert!(release("1.0.0-rc1") >= release("1.0.0"));
    }
}
