//! The migrations of both engines, embedded in the binary.
//!
//! They are listed by hand rather than by sqlx's macro, whose crate would build
//! both database drivers a second time for the compiler's own use.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, description and text of a file in `migrations/`.
pub(super) type Step = (i64, &'static str, &'static str);

/// PostgreSQL's, in order.
pub(super) const POSTGRES: &[Step] = &[
    (1, "inputs", include_str!("../../migrations/postgres/0001_inputs.sql")),
    (2, "queue", include_str!("../../migrations/postgres/0002_queue.sql")),
    (3, "money", include_str!("../../migrations/postgres/0003_money.sql")),
    (4, "answers", include_str!("../../migrations/postgres/0004_answers.sql")),
    (5, "queue functions", include_str!("../../migrations/postgres/0005_queue_functions.sql")),
    (6, "money functions", include_str!("../../migrations/postgres/0006_money_functions.sql")),
    (7, "record functions", include_str!("../../migrations/postgres/0007_record_functions.sql")),
    (8, "suggestions", include_str!("../../migrations/postgres/0008_suggestions.sql")),
    (9, "limits", include_str!("../../migrations/postgres/0009_limits.sql")),
    (10, "admission", include_str!("../../migrations/postgres/0010_admission.sql")),
    (11, "lines", include_str!("../../migrations/postgres/0011_lines.sql")),
    (12, "ledger", include_str!("../../migrations/postgres/0012_ledger.sql")),
    (13, "patience", include_str!("../../migrations/postgres/0013_patience.sql")),
    (14, "figures", include_str!("../../migrations/postgres/0014_figures.sql")),
    (15, "sums", include_str!("../../migrations/postgres/0015_sums.sql")),
    (16, "stretches", include_str!("../../migrations/postgres/0016_stretches.sql")),
    (17, "alerts", include_str!("../../migrations/postgres/0017_alerts.sql")),
    (18, "retention", include_str!("../../migrations/postgres/0018_retention.sql")),
];

/// SQLite's, in order; one that both engines have bears the same number in both.
pub(super) const SQLITE: &[Step] = &[
    (1, "schema", include_str!("../../migrations/sqlite/0001_schema.sql")),
    (8, "suggestions", include_str!("../../migrations/sqlite/0008_suggestions.sql")),
    (9, "limits", include_str!("../../migrations/sqlite/0009_limits.sql")),
    (14, "figures", include_str!("../../migrations/sqlite/0014_figures.sql")),
];

/// The version that the steps bring a schema to.
pub(super) fn newest(steps: &[Step]) -> i64 {
    steps.iter().map(|(version, ..)| *version).max().unwrap_or(0)
}

/// A migrator that leaves alone what a newer release has laid: whether this binary may work on it
/// is judged by the version check.
pub(super) fn migrator(steps: &[Step]) -> Migrator {
    let migration = |(version, description, sql): &Step| {
        let kind = MigrationType::Simple;
        Migration::new(*version, Cow::Borrowed(*description), kind, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(steps.iter().map(migration).collect());
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_file_is_listed_in_its_place() {
        for (engine, steps) in [("postgres", POSTGRES), ("sqlite", SQLITE)] {
            let folder = format!("{}/migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let listed: Vec<String> = steps
                .iter()
                .map(|(version, name, _)| format!("{version:04}_{}.sql", name.replace(' ', "_")))
                .collect();
            assert_eq!(files, listed);
        }
    }
}
