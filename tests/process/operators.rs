//! What an operator sees and says on a running deployment: costs, speed, cache, rollout, pause.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use gleaner::broker::Broker as _;
use gleaner::domain::ids::ItemId;
use gleaner::settings;
use gleaner::store::{QueueReport, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::support::daemon::{Daemon, gleaner};
use crate::support::fake_model::FakeModel;
use crate::support::http;
use crate::support::world::{PATIENCE, World, wedding};

const PHOTOGRAPHER: &str = "Please book a photographer";

/// Each of these on both engines.
macro_rules! promises {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(&super::Deployment::on_sqlite().await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                super::$name(&super::Deployment::on_postgres().await).await;
            })*
        }
    };
}

promises! {
    a_cached_answer_is_counted_billed_nothing_and_said_what_it_avoided,
    the_port_says_the_same_as_the_command_line,
    a_cleared_cache_is_cleared_on_a_running_replica,
    the_rollout_changes_without_a_restart_and_is_compared_inside_and_outside,
    a_pause_holds_messages_until_somebody_resumes,
    what_is_no_timeframe_or_no_percentage_is_refused,
}

/// A running daemon, and an operator's terminal beside it.
struct Deployment {
    environment: Vec<(String, String)>,
    store: Arc<dyn Store>,
    daemon: Daemon,
    /// PostgreSQL, RabbitMQ and the endpoint; or the endpoint of a SQLite file.
    world: Result<World, FakeModel>,
    /// Where a SQLite file is; removed when dropped.
    _folder: TempDir,
}

impl Deployment {
    async fn on_postgres() -> Self {
        let world = World::new("operators").await;
        let environment = world.environment(&[]);
        let store = Arc::clone(&world.store);
        Self::start(environment, store, Ok(world), tempfile::tempdir().unwrap())
    }

    async fn on_sqlite() -> Self {
        let (folder, model) = (tempfile::tempdir().unwrap(), FakeModel::start().await);
        let file = format!("sqlite:{}", folder.path().join("gleaner.db").display());
        let pairs = [
            ("DATABASE_URL", file.as_str()),
            ("ANTHROPIC_API_KEY", "a-key-for-the-fake-endpoint"),
            ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", &model.url()),
            ("GLEANER__DETECT__THRESHOLD", "0"),
            ("GLEANER__SUGGESTIONS__EVERY_S", "0"),
        ];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = settings::load(None, &pairs).unwrap();
        let store = gleaner::store::open(&settings.database).await.unwrap();
        store.migrate().await.unwrap();
        Self::start(pairs.into(), store, Err(model), folder)
    }

    fn start(
        environment: Vec<(String, String)>,
        store: Arc<dyn Store>,
        world: Result<World, FakeModel>,
        folder: TempDir,
    ) -> Self {
        let mut daemon = Daemon::start(&environment);
        daemon.wait_for_line("started");
        Self { environment, store, daemon, world, _folder: folder }
    }

    fn model(&self) -> &FakeModel {
        self.world.as_ref().map_or_else(|model| model, |world| &world.model)
    }

    /// A message in an event of its own, told to the daemon.
    async fn say(&self, event: &str, text: &str) {
        let report = self.store.ingest(&wedding(event, &[text])).await.unwrap();
        if let Ok(world) = &self.world {
            let hints: Vec<ItemId> = report.new.iter().map(ItemId::from).collect();
            world.broker.publish_hints(&hints).await.unwrap();
        }
    }

    /// Waits until the queue is as wanted.
    async fn queue(&self, wanted: impl Fn(&QueueReport) -> bool) -> QueueReport {
        let until = Instant::now() + PATIENCE;
        loop {
            let queue = self.store.queue().await.unwrap();
            if wanted(&queue) {
                return queue;
            }
            assert!(Instant::now() < until, "the queue stays {queue:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A message, and its end.
    async fn settled(&self, event: &str, text: &str) -> QueueReport {
        self.say(event, text).await;
        self.queue(|queue| queue.pending + queue.processing == 0).await
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let environment = self.environment.iter().cloned();
        gleaner().args(arguments).envs(environment).env("USER", "ana").output().unwrap()
    }

    fn said(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments);
        assert!(ended.status.success(), "{arguments:?}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.said(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// Whether a message was parked because of a pause.
    async fn has_paused(&self) -> bool {
        let (_, metrics) = http::get(self.daemon.address(), "/metrics").await;
        metrics
            .lines()
            .any(|line| line.starts_with("gleaner_messages_parked_total{reason=\"paused\"}"))
    }

    /// Waits until one more request was made, or a message parked; how many requests there were.
    async fn asked_or_paused(&self, before: usize) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            let asked = self.model().requests().len();
            if asked > before || self.has_paused().await {
                return asked;
            }
            assert!(Instant::now() < until, "neither asked nor parked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = http::get(self.daemon.address(), path).await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

async fn a_cached_answer_is_counted_billed_nothing_and_said_what_it_avoided(on: &Deployment) {
    on.settled("first", PHOTOGRAPHER).await;
    on.settled("second", PHOTOGRAPHER).await;
    assert_eq!(on.model().requests().len(), 1);
    let costs = on.json(&["costs", "--timeframe", "week"]);
    let billed = on.model().billed().dollars();
    assert_eq!((&costs["timeframe"], &costs["totalCalls"]), (&json!("week"), &json!(2)));
    assert_eq!((&costs["cacheHitRate"], &costs["modelCalls"]), (&json!(50.0), &json!(1)));
    assert_eq!((&costs["totalCost"], &costs["avoidedCost"]), (&json!(billed), &json!(billed)));
    assert_eq!(costs["totalTokens"], costs["avoidedTokens"]);
    assert_eq!(costs["byIntent"]["task_creation"]["count"], 2);
    assert_eq!(costs["byIntent"]["task_creation"]["cost"], json!(billed));
    let hour = &on.json(&["performance"])["lastHour"];
    assert_eq!(hour["calls"], 2);
    assert!(hour["p99"].as_f64().unwrap() >= hour["p50"].as_f64().unwrap(), "{hour}");
    let cache = on.json(&["cache", "stats"]);
    assert_eq!((&cache["size"], &cache["active"]), (&json!(1), &json!(1)));
    assert_eq!((&cache["hits"], &cache["misses"]), (&json!(1), &json!(1)));
    assert_eq!(cache["byPrefix"][0]["prefix"], "task:photographer:base");
    for (command, shown) in [("costs", "task_creation"), ("performance", "p95")] {
        assert!(on.said(&[command]).contains(shown));
    }
}

async fn the_port_says_the_same_as_the_command_line(on: &Deployment) {
    on.settled("first", PHOTOGRAPHER).await;
    for (path, command) in [
        ("/api/costs?timeframe=month", &["costs", "--timeframe", "month"][..]),
        ("/api/costs", &["costs"]),
        ("/api/performance", &["performance"]),
        ("/api/cache", &["cache", "stats"]),
        ("/api/rollout", &["rollout"]),
    ] {
        assert_eq!(on.get(path).await, (200, on.json(command)), "{path}");
    }
    assert_eq!(on.get("/api/alerts").await.0, 200);
    let (status, said) = on.get("/api/costs?timeframe=year").await;
    assert_eq!(status, 400);
    assert!(said["error"].as_str().unwrap().contains("today, week and month"), "{said}");
    let (status, page) = http::get(on.daemon.address(), "/").await;
    assert_eq!(status, 200);
    assert!(page.contains("Total calls</h2><p class=\"figure\">1</p>"), "{page}");
}

async fn a_cleared_cache_is_cleared_on_a_running_replica(on: &Deployment) {
    on.settled("first", PHOTOGRAPHER).await;
    assert_eq!(on.said(&["cache", "clear", "expense:"]), "dropped 0 entries\n");
    assert_eq!(on.said(&["cache", "clear", "task:photographer:"]), "dropped 1 entry\n");
    // Its memory follows within two seconds; then the question is asked anew.
    let until = Instant::now() + PATIENCE;
    for number in 0.. {
        on.settled(&format!("later-{number}"), PHOTOGRAPHER).await;
        if on.model().requests().len() > 1 {
            break;
        }
        assert!(Instant::now() < until, "it still answers from memory");
    }
    assert_eq!(on.json(&["cache", "stats"])["size"], 1);
}

async fn the_rollout_changes_without_a_restart_and_is_compared_inside_and_outside(on: &Deployment) {
    on.settled("first", PHOTOGRAPHER).await;
    on.said(&["rollout", "0", "--allow", "chosen"]);
    let until = Instant::now() + PATIENCE;
    for number in 0.. {
        if on.settled(&format!("other-{number}"), PHOTOGRAPHER).await.skipped > 0 {
            break;
        }
        assert!(Instant::now() < until, "the rollout is still as it was");
    }
    let before = on.json(&["rollout"]);
    on.settled("chosen", PHOTOGRAPHER).await;
    let after = on.json(&["rollout"]);
    assert_eq!((&after["percent"], &after["allow"]), (&json!(0), &json!(["chosen"])));
    let events = |shown: &Value, side: &str| shown[side]["events"].as_u64().unwrap();
    assert_eq!(events(&after, "inside"), events(&before, "inside") + 1);
    assert_eq!(events(&after, "outside"), 1);
    assert_eq!(after["outside"]["skipped"], 1);
    assert_eq!(after["outside"]["cost"], 0);
    assert_eq!(after["inside"]["cost"], json!(on.model().billed().dollars()));
    let unlisted = on.json(&["rollout", "100", "--unlist", "chosen", "--deny", "never"]);
    assert_eq!((&unlisted["allow"], &unlisted["deny"]), (&json!([]), &json!(["never"])));
}

async fn a_pause_holds_messages_until_somebody_resumes(on: &Deployment) {
    assert_eq!(on.json(&["pause"]), json!({ "paused": true }));
    // Within two seconds the replica knows; until then messages are answered.
    let until = Instant::now() + PATIENCE;
    let mut asked = 0;
    while !on.has_paused().await {
        assert!(Instant::now() < until, "it is not paused");
        on.say(&format!("held-{asked}"), &format!("Please book the bus number {asked}")).await;
        asked = on.asked_or_paused(asked).await;
    }
    assert!(on.said(&["rollout"]).contains("paused: no model is asked"));
    assert_eq!(on.queue(|queue| queue.processing == 0).await.pending, 1);
    assert!(on.said(&["resume"]).starts_with("resumed"));
    on.queue(|queue| queue.pending + queue.processing == 0).await;
    assert_eq!(on.model().requests().len(), asked + 1);
}

async fn what_is_no_timeframe_or_no_percentage_is_refused(on: &Deployment) {
    for (wrong, said) in [
        (&["costs", "--timeframe", "year"][..], "today, week and month"),
        (&["rollout", "101"], "0..=100"),
        (&["rollout", "--allow", "two words"], "event ID"),
        (&["cache", "clear"], "required"),
    ] {
        let ended = on.run(wrong);
        let complaint = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{complaint}");
        assert!(complaint.contains(said), "{complaint}");
    }
}
