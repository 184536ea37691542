//! Opening the file, laying the schema, and judging its version.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{Done, SqliteStore, Trouble};
use crate::settings::DatabaseSettings;
use crate::store::{StoreCheck, StoreError, Stored, migrations};

/// How long a statement waits for another process to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

statements! {
    SCHEMA_LAID = "select count(*) from sqlite_schema where type = 'table' and name = 'schema_info'";
    SCHEMA = "select version, oldest_binary, sqlite_version() as server from schema_info";
}

impl SqliteStore {
    /// Opens the file that `sqlite:PATH` names, readable and writable for its owner alone when it
    /// is made now. The schema is not touched.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the file cannot be opened or the URL names none: no wait mends
    /// that. [`StoreError::Unavailable`] when another process has it locked for too long.
    pub async fn open(settings: &DatabaseSettings) -> Stored<Self> {
        Ok(Self::open_file(settings).await?)
    }

    async fn open_file(settings: &DatabaseSettings) -> Done<Self> {
        let path = path_of(settings.url.expose_secret())?;
        make_private(&path).map_err(|error| cannot_open(&path, &error))?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let acquire = Duration::from_secs(settings.acquire_timeout_s);
        let pool = SqlitePoolOptions::new()
            .acquire_timeout(acquire)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false);
        let writer = pool.clone().max_connections(1).connect_with(options.clone()).await;
        let writer = writer.map_err(|error| cannot_connect(&path, error))?;
        let readers = pool
            .max_connections(settings.connections.max(1))
            .connect_lazy_with(options.pragma("query_only", "on"));
        Ok(Self { path, writer, readers, seat: Mutex::new(None) })
    }

    /// Lays what is missing, in one transaction that holds the write lock: two processes that
    /// migrate at once do so one after the other.
    pub(super) async fn lay_schema(&self) -> Done<()> {
        let (mut tx, _) = self.write().await?;
        let migrator = migrations::migrator(migrations::SQLITE);
        migrator.run_direct(None, &mut *tx, false).await.map_err(StoreError::Migration)?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn check_schema(&self) -> Done<StoreCheck> {
        let laid: i64 = sqlx::query_scalar(SCHEMA_LAID).fetch_one(&self.readers).await?;
        if laid == 0 {
            return Err(StoreError::NotMigrated("it has no tables".to_owned()).into());
        }
        let row = sqlx::query(SCHEMA).fetch_one(&self.readers).await?;
        let check = StoreCheck {
            server: format!("SQLite {}", row.try_get::<String, _>("server")?),
            version: row.try_get("version")?,
            oldest_binary: row.try_get("oldest_binary")?,
        };
        judge(check, env!("CARGO_PKG_VERSION")).map_err(Into::into)
    }
}

/// Whether a binary of that release may work on the schema.
fn judge(check: StoreCheck, binary: &str) -> Stored<StoreCheck> {
    let ours = migrations::newest(migrations::SQLITE);
    if check.version < ours {
        let found = format!("it is at version {}, not {ours}", check.version);
        return Err(StoreError::NotMigrated(found));
    }
    if release(binary) < release(&check.oldest_binary) {
        let StoreCheck { version, oldest_binary, .. } = check;
        return Err(StoreError::BinaryTooOld { version, oldest_binary });
    }
    Ok(check)
}

/// A release as numbers that compare: `1.10.0` is later than `1.9.3`.
fn release(version: &str) -> Vec<u64> {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// The path in `sqlite:PATH`; `sqlite://PATH` names the same file.
fn path_of(url: &str) -> Done<PathBuf> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) if !path.is_empty() && !path.starts_with(':') => Ok(PathBuf::from(path)),
        Some(_) | None => {
            let why = "a SQLite URL names a file: sqlite:PATH";
            Err(StoreError::Refused(sqlx::Error::Configuration(why.into())).into())
        }
    }
}

/// Why a file, or the folder that its log goes into, is of no use.
pub(super) fn cannot_open(path: &Path, why: &dyn std::fmt::Display) -> StoreError {
    let why = format!("cannot open {}: {why}", path.display());
    StoreError::Refused(sqlx::Error::Configuration(why.into()))
}

/// A file that is locked will be free again; whatever else SQLite says of it stays as it is.
fn cannot_connect(path: &Path, error: sqlx::Error) -> StoreError {
    const LOCKED: [i64; 2] = [5, 6];
    let code = error.as_database_error().and_then(|refusal| refusal.code()?.parse::<i64>().ok());
    if code.is_some_and(|code| !LOCKED.contains(&(code & 0xff))) {
        return cannot_open(path, &error);
    }
    Trouble::from(error).into()
}

/// Makes the file for its owner alone; SQLite gives its `-wal` and `-shm` the same mode.
pub(super) fn make_private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: i64, oldest_binary: &str) -> StoreCheck {
        StoreCheck { server: "SQLite".into(), version, oldest_binary: oldest_binary.into() }
    }

    #[test]
    fn a_schema_refuses_only_binaries_older_than_it_names() {
        let ours = migrations::newest(migrations::SQLITE);
        assert!(judge(check(ours, "0.9.0"), "0.10.0").is_ok());
        let refused = judge(check(ours, "0.10.0"), "0.9.9");
        assert!(matches!(refused, Err(StoreError::BinaryTooOld { .. })));
        assert!(matches!(judge(check(0, "0.1.0"), "0.1.0"), Err(StoreError::NotMigrated(_))));
    }

    #[test]
    fn a_url_names_a_file() {
        assert_eq!(path_of("sqlite:a/b.db").ok(), Some(PathBuf::from("a/b.db")));
        assert_eq!(path_of("sqlite:///a/b.db").ok(), Some(PathBuf::from("/a/b.db")));
        for bad in ["sqlite:", "sqlite::memory:", "postgres://x/y"] {
            assert!(path_of(bad).is_err(), "{bad} was accepted");
        }
    }
}
