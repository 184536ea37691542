//! Worker and scheduler on a SQLite file and a queue in process.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gleaner::broker::Broker;
use gleaner::broker::embedded::EmbeddedBroker;
use gleaner::cache::Cache;
use gleaner::delay::DelayPolicy;
use gleaner::detect::Detector;
use gleaner::domain::ids::ItemId;
use gleaner::limits::Limits;
use gleaner::model::prices::PriceBook;
use gleaner::model::registry::Models;
use gleaner::model::retry::RetryPolicy;
use gleaner::pipeline::{Earlier, HeldItems, PatienceSettings, Pipeline, Publisher};
use gleaner::scheduler::Scheduler;
use gleaner::settings::{self, Settings};
use gleaner::store::{CompletionEvent, IngestBatch, Store, SuggestAfter};
use gleaner::telemetry::pulse::Pulse;
use gleaner::worker::Worker;
use serde_json::Value;
use sqlx::Connection as _;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::world::wedding;

/// Made once: without optimisation it takes seconds.
static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

/// A running worker; it stops when this is dropped.
pub(crate) struct House {
    pipeline: Arc<Pipeline>,
    completions: broadcast::Receiver<CompletionEvent>,
    _running: JoinSet<()>,
    folder: tempfile::TempDir,
}

impl House {
    /// Opens one with these settings.
    pub(crate) async fn open(pairs: &[(String, String)]) -> Self {
        Self::open_with(pairs, 0.0, None).await
    }

    /// Opens one that asks the classifier below this confidence, and suggests.
    pub(crate) async fn open_with(
        pairs: &[(String, String)],
        threshold: f32,
        suggest_after: Option<SuggestAfter>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("gleaner.db").display());
        let pairs: Vec<_> =
            pairs.iter().cloned().chain([("DATABASE_URL".to_owned(), url)]).collect();
        let settings = settings::load(None, &pairs).unwrap();
        let store = gleaner::store::open(&settings.database).await.unwrap();
        store.migrate().await.unwrap();
        let broker = Arc::new(EmbeddedBroker::new());
        let completions = broker.completions();
        let (runtime_now, runtime) = watch::channel(store.runtime().await.unwrap());
        let built = pipeline(&settings, store, broker, runtime);
        let pipeline = Arc::new(Pipeline { threshold, suggest_after, ..built });
        let running = run(&settings, &pipeline, runtime_now).await;
        Self { pipeline, completions, _running: running, folder }
    }

    /// Somebody says something in the group of an event of its own.
    pub(crate) async fn tell(&self, event: &str, text: &str) {
        self.take(&wedding(event, &[text])).await;
    }

    /// A producer brings messages.
    pub(crate) async fn take(&self, batch: &IngestBatch) {
        let report = self.pipeline.store.ingest(batch).await.unwrap();
        let hints: Vec<ItemId> = report.new.iter().map(ItemId::from).collect();
        self.pipeline.broker.publish_hints(&hints).await.unwrap();
    }

    /// The `data` of the next completion event.
    pub(crate) async fn done(&mut self) -> Value {
        self.next().await["data"].clone()
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        let next = tokio::time::timeout(Duration::from_secs(60), self.completions.recv());
        let event = next.await.expect("it ends in time").unwrap();
        serde_json::from_slice(&event.body).unwrap()
    }

    /// Where its rows are.
    pub(crate) fn store(&self) -> &dyn Store {
        self.pipeline.store.as_ref()
    }

    /// The keys of all entries that its store's cache holds.
    pub(crate) async fn cached(&self) -> Vec<String> {
        let url = format!("sqlite:{}", self.folder.path().join("gleaner.db").display());
        let mut rows = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let keys = sqlx::query_scalar("select key from cache order by key");
        keys.fetch_all(&mut rows).await.unwrap()
    }

    /// Says something, and waits for what becomes of it.
    pub(crate) async fn say(&mut self, event: &str, text: &str) -> Value {
        self.tell(event, text).await;
        self.done().await
    }
}

fn pipeline(
    settings: &Settings,
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
    runtime: watch::Receiver<gleaner::store::RuntimeSettings>,
) -> Pipeline {
    let (limits, budgets) = (settings.limits.clone(), settings.budgets.clone());
    let unrouted = settings.events.unrouted;
    Pipeline {
        threshold: 0.0,
        suggest_after: None,
        cache: Cache::new(&settings.cache, Arc::clone(&store), runtime.clone()),
        limits: Limits::new(limits, budgets, Arc::clone(&store)),
        detector: DETECTOR.clone(),
        models: Models::new(settings, PriceBook::bundled()).unwrap(),
        retry: RetryPolicy::default(),
        runtime,
        patience: PatienceSettings {
            lease: Duration::from_secs(60),
            deadline: Duration::from_secs(60),
            attempts: settings.worker.attempts,
            backoff: DelayPolicy::new(Duration::from_millis(50), Duration::from_secs(1)),
            longest_wait: Duration::from_secs(3600),
            missing_grace: Duration::from_secs(1),
        },
        source: "/test".to_owned(),
        publisher: Publisher::new(Arc::clone(&store), Arc::clone(&broker), unrouted),
        earlier: Earlier::default(),
        store,
        broker,
    }
}

async fn run(
    settings: &Settings,
    pipeline: &Arc<Pipeline>,
    runtime: watch::Sender<gleaner::store::RuntimeSettings>,
) -> JoinSet<()> {
    let pulse = Arc::new(Pulse::default());
    let mut running = JoinSet::new();
    let scheduler = Scheduler {
        pipeline: Arc::clone(pipeline),
        settings: settings.scheduler.clone(),
        pulse: Arc::clone(&pulse),
        runtime,
    };
    running.spawn(async move { scheduler.run(CancellationToken::new()).await });
    let (held, grace) = (Arc::new(HeldItems::default()), Duration::from_secs(1));
    let worker = Worker::new(Arc::clone(pipeline), held, pulse, 8, grace);
    let deliveries = pipeline.broker.deliveries(10).await;
    running.spawn(async move {
        let never = CancellationToken::new();
        worker.run(deliveries, never.clone(), never).await;
    });
    running
}
