//! An alert fires once and is resolved once, over replicas and through a crash, and is told of
//! until it is taken.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use gleaner::settings;
use gleaner::store::{self, AlertRow, Store};
use serde_json::Value;

use crate::support::completions::Completions;
use crate::support::daemon::{Daemon, gleaner};
use crate::support::http;
use crate::support::webhook::{Post, Receiver, SECRET};
use crate::support::world::{PATIENCE, World};

/// One failure within the last seconds is an alert, looked at each second; rules that a busy
/// machine could break are off.
fn watched(receiver: &Receiver) -> Vec<(String, String)> {
    let url = receiver.url();
    let pairs = [
        ("GLEANER__ALERTS__EVERY_S", "1"),
        ("GLEANER__ALERTS__WINDOW_S", "6"),
        ("GLEANER__ALERTS__FAILED_ITEMS", "1"),
        ("GLEANER__ALERTS__P95_MS", "0"),
        ("GLEANER__ALERTS__NO_ACCOUNTING_S", "0"),
        ("GLEANER__ALERTS__OLDEST_DUE_S", "0"),
        ("GLEANER__ALERTS__WEBHOOK__URL", url.as_str()),
        ("GLEANER__ALERTS__WEBHOOK__SECRET", SECRET),
        ("GLEANER__ALERTS__WEBHOOK__TIMEOUT_S", "1"),
        ("GLEANER__BROKER__CONFIRM_TIMEOUT_S", "1"),
    ];
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

fn replica(world: &World, receiver: &Receiver) -> Daemon {
    let mut environment = world.environment(&[]);
    environment.extend(watched(receiver));
    let mut daemon = Daemon::start(&environment);
    daemon.wait_for_line("started");
    daemon
}

/// The alerts, once so many of them are resolved.
async fn resolved(store: &dyn Store, count: usize) -> Vec<AlertRow> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let alerts = store.alerts(100).await.unwrap();
        if alerts.iter().filter(|alert| alert.resolved_at.is_some()).count() >= count {
            return alerts;
        }
        assert!(tokio::time::Instant::now() < until, "not resolved: {alerts:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a queue that is bound to alerts got, by its CloudEvents type.
fn by_type(events: &Completions) -> HashMap<String, Value> {
    let event = |body: &Vec<u8>| {
        let event: Value = serde_json::from_slice(body).unwrap();
        (event["type"].as_str().unwrap().to_owned(), event)
    };
    let by_type: HashMap<String, Value> = events.seen.values().map(event).collect();
    assert_eq!(by_type.len(), events.seen.len(), "one event of a kind");
    by_type
}

/// Both ends of one alert came: each with one ID, the same bytes at every try, and signed.
fn must_be_told(posts: &[Post], rule: &str) {
    let mut bodies: HashMap<&str, &[u8]> = HashMap::new();
    let mut kinds = HashSet::new();
    for post in posts {
        let message = post.verified();
        let known = bodies.entry(&post.id).or_insert(&post.body);
        assert_eq!(*known, post.body, "another try differs");
        assert_eq!(message["metadata"]["event_payload"]["rule"], rule, "{message}");
        kinds.insert(message["metadata"]["event_type"].as_str().unwrap().to_owned());
    }
    assert_eq!(bodies.len(), 2, "one notice for each end: {posts:?}");
    assert_eq!(kinds.len(), 2);
    let taken: HashSet<&str> =
        posts.iter().filter(|post| post.is_taken).map(|post| post.id.as_str()).collect();
    assert_eq!(taken.len(), 2, "both were taken");
}

async fn alert_events(world: &World) -> Completions {
    Completions::bind_to(&world.amqp, world.prefix(), "alerts", "alert.#").await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_fire_and_resolve_an_alert_once_and_tell_a_receiver_that_refused_at_first() {
    let world = World::new("alerts").await;
    let mut events = alert_events(&world).await;
    let receiver = Receiver::refusing(2, 500).await;
    let mut replicas = [replica(&world, &receiver), replica(&world, &receiver)];
    world.hint(&["nobody-wrote-this"]).await;

    let alerts = resolved(world.store.as_ref(), 1).await;
    let posts = receiver.until(2, true).await;
    events.take_until(2, PATIENCE).await;

    assert_eq!((alerts.len(), alerts[0].rule.as_str()), (1, "failed_items"), "{alerts:?}");
    assert!(posts.iter().take(2).all(|post| !post.is_taken));
    must_be_told(&posts, "failed_items");
    let events = by_type(&events);
    let (fired, end) = (&events["gleaner.alert.fired"], &events["gleaner.alert.resolved"]);
    assert_eq!(
        (&fired["subject"], &fired["data"]["key"]),
        (&"failed_items".into(), &"failed_items".into())
    );
    assert_eq!(fired["data"]["alert_id"], end["data"]["alert_id"]);
    assert_eq!((&fired["data"]["value"], &fired["data"]["threshold"]), (&1.0.into(), &1.0.into()));
    let ids: HashSet<&str> = posts.iter().map(|post| post.id.as_str()).collect();
    assert!(ids.contains(fired["id"].as_str().unwrap()), "one ID by both ways");

    let log = replicas.each_mut().map(Daemon::log).join("\n");
    assert_eq!(log.matches("alert failed_items fired").count(), 1, "{log}");
    assert_eq!(log.matches("alert failed_items is resolved").count(), 1, "{log}");
    assert!(!log.contains("a-secret-path"), "the URL is a secret");
    assert_eq!(counted(&replicas, "fired").await, 1);
    assert_eq!(counted(&replicas, "resolved").await, 1);
}

/// How often the replicas' metrics say that the alert changed.
async fn counted(replicas: &[Daemon], what: &str) -> u64 {
    let series = format!("gleaner_alerts_total{{rule=\"failed_items\",what=\"{what}\"}} ");
    let mut sum = 0;
    for replica in replicas {
        let (_, text) = http::get(replica.address(), "/metrics").await;
        let found = text.lines().find_map(|line| line.strip_prefix(&series));
        sum += found.map_or(0, |count| count.parse::<u64>().unwrap());
    }
    sum
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fires_an_alert_may_be_killed_before_it_is_told() {
    let world = World::new("alert_crash").await;
    let mut events = alert_events(&world).await;
    let receiver = Receiver::refusing(usize::MAX, 503).await;
    let mut replicas = vec![replica(&world, &receiver), replica(&world, &receiver)];
    world.hint(&["nobody-wrote-this"]).await;

    let posts = receiver.until(1, false).await;
    let by = replicas.iter_mut().position(|it| it.log().contains("alert failed_items fired"));
    replicas.remove(by.expect("one of them fired it")).kill();
    assert!(posts.iter().all(|post| !post.is_taken));
    receiver.take_all();

    let alerts = resolved(world.store.as_ref(), 1).await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    must_be_told(&receiver.until(2, true).await, "failed_items");
    events.take_until(2, PATIENCE).await;
    assert_eq!(by_type(&events).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_an_alert_fires_reaches_the_webhook_and_is_resolved_when_the_traffic_stops() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("gleaner.db").display());
    let receiver = Receiver::refusing(1, 500).await;
    let mut environment = watched(&receiver);
    environment.extend([
        ("DATABASE_URL".to_owned(), url.clone()),
        ("GLEANER__SUGGESTIONS__EVERY_S".to_owned(), "0".to_owned()),
        // No question of a new database is answered from the cache.
        ("GLEANER__ALERTS__LEAST_ITEMS".to_owned(), "1".to_owned()),
        ("GLEANER__ALERTS__HIT_RATE_PERCENT".to_owned(), "100".to_owned()),
    ]);
    let mut daemon = Daemon::start(&environment);
    daemon.wait_for_line("started");
    let chat = format!("{}/data/chats/birthday.jsonl", env!("CARGO_MANIFEST_DIR"));
    let ended = gleaner().env("DATABASE_URL", &url).args(["ingest", &chat]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");

    let settings = settings::load(None, &environment).unwrap();
    let store = store::open(&settings.database).await.unwrap();
    let alerts = resolved(store.as_ref(), 1).await;
    let hit_rate: Vec<&AlertRow> = alerts.iter().filter(|it| it.rule == "hit_rate").collect();
    assert_eq!(hit_rate.len(), 1, "{alerts:?}");
    assert!(hit_rate[0].value < 100.0 && hit_rate[0].threshold == 100.0);
    must_be_told(&receiver.until(2, true).await, "hit_rate");
    store.close().await;
}
