//! Statements, migrations, inputs that are views, errors.

use sqlx::{Executor, PgConnection, SqlSafeStr};

use super::super::PostgresStore;
use super::super::testing::{Database, LEASE, claim, event, item, message};
use super::super::{
    admit, alerts, budgets, cache, claim as claiming, context, figures, ingest, ledger, pool,
    projections, record, report, retention, runtime, schedule, signals, suggestions,
};
use crate::domain::chat::Remark;
use crate::domain::ids::PersonId;
use crate::store::{Claimed, ContextQuery, IngestBatch, Store, StoreError};

const VIEWS: &str = "
    create schema gleaner;
    create table chats (id varchar(40) primary key, party text);
    create table posts (
        id varchar(40) primary key, chat text, author text, at timestamptz, body text, version int
    );
    create view gleaner.events as
        select 'wedding'::varchar(40) as id, null::text as tenant, 'The wedding'::text as name,
            'wedding'::text as kind, null::timestamptz as starts_at, null::text as time_zone,
            null::text as locale, 'GBP'::char(3) as currency, 1500000::int as budget;
    create view gleaner.participants as
        select 'wedding'::text as event_id, 'ana'::text as id, 'Ana'::text as name, 0 as position;
    create view gleaner.rooms as select id, party as event_id from chats;
    create view gleaner.messages as
        select id, chat as room_id, author as sender_id, at as sent_at, body as text,
            version as revision, null::timestamptz as deleted_at, null::text as detected_intent,
            null::jsonb as extracted_entities
        from posts;
    create view gleaner.vendors as
        select 'v'::text as id, 'V'::text as name, 'dj'::text as kind, null::text as area,
            null::bigint as price_from, null::text as currency, 4.5::numeric as rating;
    insert into chats values ('room', 'wedding');
    insert into posts values ('m1', 'room', 'ana', '2026-09-21T00:00:00Z', 'book a dj', 1);";

#[tokio::test]
async fn every_statement_is_prepared_by_the_real_engine() {
    let (database, store) = Database::migrated().await;
    let files = [
        admit::STATEMENTS,
        alerts::STATEMENTS,
        budgets::STATEMENTS,
        cache::STATEMENTS,
        claiming::STATEMENTS,
        context::STATEMENTS,
        figures::STATEMENTS,
        ingest::STATEMENTS,
        ledger::STATEMENTS,
        pool::STATEMENTS,
        projections::STATEMENTS,
        record::STATEMENTS,
        report::STATEMENTS,
        retention::STATEMENTS,
        runtime::STATEMENTS,
        schedule::STATEMENTS,
        signals::STATEMENTS,
        suggestions::STATEMENTS,
    ];
    let mut connection = store.pool.acquire().await.unwrap();
    for statement in files.into_iter().flatten() {
        let prepared = connection.prepare(statement.into_sql_str()).await;
        assert!(prepared.is_ok(), "{:?}\n{statement}", prepared.err());
    }
    drop(connection);
    database.drop(store).await;
}

#[tokio::test]
async fn inputs_may_be_views_over_the_applications_tables() {
    let database = Database::create().await;
    database.application().await.execute(VIEWS).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();

    let claim = claim(&store, &item(1), LEASE).await;
    let found = claim.message.unwrap();
    assert_eq!((found.text.as_str(), found.revision), ("book a dj", 1));
    let event = claim.event.unwrap();
    assert_eq!((event.tenant.as_str(), event.currency.code()), ("default", "GBP"));
    assert_eq!(event.people(), [PersonId("ana".into())]);
    let query = ContextQuery {
        event: event.clone(),
        before: (found.sent_at + jiff::SignedDuration::from_secs(1), message(9).id),
        messages: 10,
        tasks: 10,
        expenses: 10,
    };
    assert_eq!(store.context(&query).await.unwrap().messages.len(), 1);
    assert_eq!(store.vendors("dj", 3).await.unwrap().len(), 1);
    assert_eq!(store.unsettled_before(&message(1).id).await.unwrap(), 0);
    assert_eq!(store.event_report(&event.id).await.unwrap().unwrap().messages.len(), 1);
    database.drop(store).await;
}

#[tokio::test]
async fn what_was_said_before_is_read_through_views_too() {
    const MORE: &str = "
        insert into posts values ('m0', 'room', null, '2026-09-20T00:00:00Z', null, 1),
            ('m2', 'room', 'ana', '2026-09-22T00:00:00Z', 'or a band?', 1);";
    let database = Database::create().await;
    database.application().await.execute(VIEWS).await.unwrap();
    database.application().await.execute(MORE).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();
    let claim = claim(&store, &item(2), LEASE).await;
    let unknown = Remark { sender: None, text: String::new() };
    let ana = Remark { sender: Some(PersonId("ana".into())), text: "book a dj".into() };
    assert_eq!((claim.before, claim.unreadable), (vec![unknown, ana], None));
    database.drop(store).await;
}

#[tokio::test]
async fn an_ingest_into_views_is_refused_and_says_why() {
    let database = Database::create().await;
    database.application().await.execute(VIEWS).await.unwrap();
    let store = database.store().await;
    store.migrate().await.unwrap();
    let batch = IngestBatch { event: event(), messages: vec![message(2)] };
    let error = store.ingest(&batch).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)) && error.to_string().contains("is a view"));
    database.drop(store).await;
}

#[tokio::test]
async fn two_migrations_at_the_same_time_lay_the_schema_once() {
    let database = Database::create().await;
    let (one, other) = (database.store().await, database.store().await);
    let (first, second) = tokio::join!(one.migrate(), other.migrate());
    first.unwrap();
    second.unwrap();
    one.migrate().await.unwrap();
    let newest = crate::store::migrations::newest(crate::store::migrations::POSTGRES);
    assert_eq!(one.check().await.unwrap().version, newest);
    let outside: i64 = sqlx::query_scalar(
        "select count(*) from pg_tables where schemaname not in ('gleaner', 'pg_catalog', 'information_schema')",
    )
    .fetch_one(&one.pool)
    .await
    .unwrap();
    assert_eq!(outside, 0, "a table was made outside the schema");
    other.close().await;
    database.drop(one).await;
}

/// Functions of the schema, as a caller names them.
async fn functions(connection: &mut PgConnection) -> Vec<String> {
    let statement = "select p.oid::regprocedure::text || ' ' || p.prorettype::regtype::text
        from pg_proc p where p.pronamespace = 'gleaner'::regnamespace order by 1";
    sqlx::query_scalar(statement).fetch_all(connection).await.unwrap()
}

#[tokio::test]
async fn functions_of_the_release_before_stay_callable() {
    const LAST_RELEASE: usize = 13;
    let database = Database::create().await;
    let mut connection = database.application().await;
    let set_up = "create schema gleaner; set search_path = gleaner, pg_temp";
    connection.execute(set_up).await.unwrap();
    let steps = crate::store::migrations::POSTGRES;
    let before = crate::store::migrations::migrator(&steps[..LAST_RELEASE]);
    before.run_direct(None, &mut connection, false).await.unwrap();
    let old = functions(&mut connection).await;
    let all = crate::store::migrations::migrator(steps);
    all.run_direct(None, &mut connection, false).await.unwrap();
    let new = functions(&mut connection).await;
    let gone: Vec<&String> = old.iter().filter(|function| !new.contains(function)).collect();
    assert!(old.len() > 40 && gone.is_empty(), "{gone:?}");
    let store = database.store().await;
    database.drop(store).await;
}

#[tokio::test]
async fn a_schema_that_nobody_laid_is_told_from_one_that_is_too_new() {
    let database = Database::create().await;
    let store = database.store().await;
    assert!(matches!(store.check().await, Err(StoreError::NotMigrated(_))));
    store.migrate().await.unwrap();

    let set = "update schema_info set version = $1, oldest_binary = $2";
    let laid = async |version: i64, oldest: &str| {
        let set = sqlx::query(set).bind(version).bind(oldest);
        set.execute(&store.pool).await.unwrap();
        store.check().await
    };
    assert!(matches!(laid(5, "0.1.0").await, Err(StoreError::NotMigrated(_))));
    assert_eq!(laid(99, "0.1.0").await.unwrap().version, 99);
    assert!(matches!(laid(99, "999.0.0").await, Err(StoreError::BinaryTooOld { .. })));
    database.drop(store).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let database = Database::create().await;
    let mut settings = database.settings();
    settings.url = "postgres://gleaner@127.0.0.1:9/gleaner".to_owned().into();
    let error = PostgresStore::connect(&settings).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    settings.schema = "a;b".into();
    let error = PostgresStore::connect(&settings).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    let store = database.store().await;
    database.drop(store).await;
}

#[tokio::test]
async fn connections_that_the_server_closed_are_replaced() {
    let (database, store) = Database::migrated().await;
    let kill = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    database.application().await.execute(kill).await.unwrap();
    // The pool may hand out each dead connection once; it holds eight at most.
    let mut answered = false;
    for _ in 0..9 {
        answered |= matches!(store.claim(&item(1), LEASE).await, Ok(Claimed::Held(_)));
    }
    assert!(answered);
    database.drop(store).await;
}
