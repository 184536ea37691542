//! A fresh database for each test, on the server that `make test` starts.

use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use uuid::Uuid;

use super::PostgresStore;
use crate::domain::chat::{Event, Message, Participant};
use crate::domain::enrichment::Contribution;
use crate::domain::ids::{EventId, Held, ItemId, MessageId, PersonId, RoomId, derived_uuid};
use crate::domain::intent::Detection;
use crate::domain::money::Currency;
use crate::domain::outcome::Outcome;
use crate::domain::usage::NanoUsd;
use crate::settings::{BudgetKind, DatabaseSettings};
use crate::store::{
    AdmissionRequest, BudgetScope, Claim, Claimed, CompletionEvent, IngestBatch, RateScope, Record,
    Store,
};

pub(super) const LEASE: Duration = Duration::from_secs(60);
pub(super) const NOW: Duration = Duration::ZERO;

/// A database of its own, without our schema yet.
pub(super) struct Database {
    server: PgConnectOptions,
    name: String,
    url: String,
}

impl Database {
    pub(super) async fn create() -> Self {
        let Ok(url) = std::env::var("GLEANER_TEST_POSTGRES") else {
            panic!("GLEANER_TEST_POSTGRES names no server: run it through make test");
        };
        let server = PgConnectOptions::from_str(&url).unwrap();
        let name = format!("unit_{}", Uuid::new_v4().simple());
        let create = format!("create database {name}");
        let mut connection = server.connect().await.unwrap();
        connection.execute(AssertSqlSafe(create)).await.unwrap();
        connection.close().await.unwrap();
        let (before, _) = url.rsplit_once('/').unwrap();
        let url = format!("{before}/{name}");
        Self { server, name, url }
    }

    pub(super) fn settings(&self) -> DatabaseSettings {
        DatabaseSettings {
            url: SecretString::from(self.url.clone()),
            schema: "gleaner".into(),
            connections: 8,
            acquire_timeout_s: 10,
            migrate_at_start: true,
        }
    }

    pub(super) async fn store(&self) -> PostgresStore {
        PostgresStore::connect(&self.settings()).await.unwrap()
    }

    pub(super) async fn migrated() -> (Self, PostgresStore) {
        let database = Self::create().await;
        let store = database.store().await;
        store.migrate().await.unwrap();
        (database, store)
    }

    /// A connection that names every schema, as an application's is.
    pub(super) async fn application(&self) -> PgConnection {
        PgConnectOptions::from_str(&self.url).unwrap().connect().await.unwrap()
    }

    pub(super) async fn drop(self, store: PostgresStore) {
        store.close().await;
        let drop = format!("drop database {} with (force)", self.name);
        let mut connection = self.server.connect().await.unwrap();
        connection.execute(AssertSqlSafe(drop)).await.unwrap();
    }
}

pub(super) fn event() -> Event {
    Event {
        id: EventId::parse("wedding").unwrap(),
        tenant: "acme".into(),
        name: "The wedding".into(),
        kind: "wedding".into(),
        starts_at: Some("2027-06-19T14:00:00Z".parse().unwrap()),
        time_zone: "Europe/London".into(),
        locale: "en-GB".into(),
        currency: Currency::parse("GBP").unwrap(),
        budget: Some(1_500_000),
        participants: ["ana", "ben"]
            .map(|name| Participant { id: PersonId(name.into()), name: name.to_uppercase() })
            .into(),
    }
}

/// The nth message of the event's one room, sent at its nth second.
pub(super) fn message(n: u32) -> Message {
    Message {
        id: MessageId::parse(&format!("m{n}")).unwrap(),
        room: RoomId::parse("room").unwrap(),
        sender: PersonId("ana".into()),
        sent_at: jiff::Timestamp::from_second(1_790_000_000 + i64::from(n)).unwrap(),
        text: format!("message {n}"),
        revision: 1,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    }
}

pub(super) async fn ingest(store: &PostgresStore, numbers: std::ops::Range<u32>) {
    let batch = IngestBatch { event: event(), messages: numbers.map(message).collect() };
    store.ingest(&batch).await.unwrap();
}

pub(super) fn item(n: u32) -> ItemId {
    ItemId::from(&message(n).id)
}

pub(super) async fn claim(store: &PostgresStore, item: &ItemId, lease: Duration) -> Claim {
    let claimed = store.claim(item, lease).await.unwrap();
    let Claimed::Held(claim) = claimed else { panic!("{item} was not claimed: {claimed:?}") };
    *claim
}

/// What settles a claimed item with the given outcome and contribution.
pub(super) fn record(claim: &Claim, outcome: Outcome, contribution: Contribution) -> Record {
    let Held { item, lease } = &claim.held;
    Record {
        outcome,
        reason: None,
        detail: None,
        message: claim.message.clone(),
        event: claim.event.clone(),
        detection: Some(Detection::none(0.9)),
        answered: None,
        contribution,
        metric: None,
        cache: None,
        suggest: None,
        run: None,
        completion: Some(CompletionEvent {
            id: derived_uuid(&[item.as_str(), &lease.0.to_string()]),
            kind: format!("gleaner.message.{}", outcome.name()),
            routing_key: format!("message.{}.unknown", outcome.name()),
            body: json!({"item": item.as_str()}).to_string().into_bytes(),
        }),
    }
}

/// The completion event that a record owes.
pub(super) fn told(record: &Record) -> CompletionEvent {
    record.completion.clone().unwrap()
}

/// A request that one rate limit and one budget judge.
pub(super) fn request(rate: u32, budget: i64) -> AdmissionRequest {
    AdmissionRequest {
        event: event().id,
        tenant: "acme".into(),
        revision: 1,
        sent_at: jiff::Timestamp::UNIX_EPOCH,
        agent: "task_enricher",
        model: "a-model".into(),
        fingerprint: "f".into(),
        worst_case: NanoUsd(10),
        expected: NanoUsd(10),
        provider: None,
        queues: false,
        rates: vec![RateScope {
            key: "rate:event:wedding".into(),
            limit: rate,
            window: Duration::from_secs(60),
            send_within: Duration::from_secs(2),
        }],
        budgets: vec![BudgetScope {
            name: "budget:event:wedding".into(),
            limit: Some(NanoUsd(budget)),
            kind: BudgetKind::Hard,
            in_flight_share: 1.0,
            waits: false,
            windows: vec![crate::store::Window {
                key: "budget:event:wedding".into(),
                starts_at: None,
                ends_at: None,
            }],
        }],
    }
}
