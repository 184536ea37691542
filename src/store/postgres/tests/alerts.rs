//! Alerts, duties and changes at run time, asked for by many connections at the same time.

use std::time::Duration;

use uuid::Uuid;

use super::super::testing::{Database, LEASE, NOW};
use crate::domain::ids::EventId;
use crate::store::{AlertChange, AlertRow, Channel, CompletionEvent, Notice, RuntimeChange, Store};

fn fire(key: &str) -> AlertChange {
    let alert = AlertRow {
        id: Uuid::new_v4(),
        key: key.to_owned(),
        rule: "p95".to_owned(),
        text: "slow".to_owned(),
        value: 4_000.5,
        threshold: 3_000.0,
        fired_at: jiff::Timestamp::from_second(1_790_000_000).unwrap(),
        resolved_at: None,
    };
    let notices = Channel::ALL.map(|channel| Notice {
        channel,
        event: CompletionEvent {
            id: alert.id,
            kind: "gleaner.alert.fired".to_owned(),
            routing_key: "alert.fired.p95".to_owned(),
            body: b"{}".to_vec(),
        },
    });
    AlertChange::Fire { alert, notices: notices.into() }
}

#[tokio::test]
async fn an_alert_that_many_fire_and_resolve_at_once_comes_out_once() {
    let (database, store) = Database::migrated().await;
    let firing = (0..8).map(|nth| {
        // In either order.
        let mut changes = vec![fire("one"), fire("other")];
        changes.rotate_left(nth % 2);
        let store = &store;
        async move { store.change_alerts(&changes).await.unwrap() }
    });
    let fired: Vec<AlertRow> =
        futures::future::join_all(firing).await.into_iter().flatten().collect();
    assert_eq!(fired.len(), 2);
    assert_eq!(store.alerts(0).await.unwrap().len(), 2);
    let told = futures::future::join_all((0..4).map(|_| store.due_notices(LEASE, 100))).await;
    let told: usize = told.into_iter().map(|due| due.unwrap().len()).sum();
    assert_eq!(told, 4);

    let at = jiff::Timestamp::now();
    let ends = [AlertChange::Resolve { id: fired[0].id, at, notices: Vec::new() }];
    let resolving = futures::future::join_all((0..8).map(|_| store.change_alerts(&ends))).await;
    let resolved: usize = resolving.into_iter().map(|rows| rows.unwrap().len()).sum();
    assert_eq!(resolved, 1);
    assert_eq!(store.change_alerts(&[fire(&fired[0].key)]).await.unwrap().len(), 1);
    database.drop(store).await;
}

#[tokio::test]
async fn a_duty_is_taken_by_one_of_many_and_by_the_next_once_it_is_over() {
    let (database, store) = Database::migrated().await;
    for every in [NOW, LEASE] {
        let taking = futures::future::join_all((0..8).map(|_| store.take_duty("alerts", every)));
        let taken = taking.await.into_iter().filter(|taken| *taken.as_ref().unwrap()).count();
        assert!(taken == 1 || every == NOW, "{taken} took it");
    }
    assert!(!store.take_duty("alerts", Duration::from_secs(1)).await.unwrap());
    assert!(store.take_duty("sweep", LEASE).await.unwrap());
    database.drop(store).await;
}

#[tokio::test]
async fn changes_at_run_time_that_meet_all_hold() {
    let (database, store) = Database::migrated().await;
    let events: Vec<EventId> =
        (0..12).map(|n| EventId::parse(&format!("event{n}")).unwrap()).collect();
    let changing = events.iter().map(|event| {
        let change = RuntimeChange::Allow(event.clone());
        let store = &store;
        async move {
            store.clear_cache("task:").await.unwrap();
            store.change_runtime(&change, "ana").await.unwrap()
        }
    });
    futures::future::join_all(changing).await;
    let now = store.change_runtime(&RuntimeChange::Rollout(25), "ben").await.unwrap();
    assert_eq!(store.runtime().await.unwrap(), now);
    assert_eq!((now.allow.len(), now.rollout_percent, now.cache_generation), (12, 25, 12));
    let by: String = sqlx::query_scalar("select changed_by from settings where key = 'runtime'")
        .fetch_one(&store.pool)
        .await
        .unwrap();
    assert_eq!(by, "ben");
    database.drop(store).await;
}
