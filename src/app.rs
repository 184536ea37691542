//! The process's life, as types: prepare → start → run → drain.
//!
//! Preparing finds every mistake before anything is touched; starting waits for
//! a database or broker that is not there yet, with the port already open and
//! `readyz` red; running lasts until a stop or until a part ends that must not;
//! draining ends what runs.

mod connect;
mod systemd;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::broker::{self, Broker};
use crate::cache::Cache;
use crate::delay::DelayPolicy;
use crate::detect::{Detector, LoadError};
use crate::limits::{Budgets, Limits};
use crate::model::prices::PriceBook;
use crate::model::registry::Models;
use crate::model::retry::RetryPolicy;
use crate::monitor::watch::Watch;
use crate::pipeline::{Earlier, HeldItems, PatienceSettings, Pipeline, Publisher};
use crate::scheduler::{Housekeeper, Scheduler};
use crate::settings::{DetectSettings, Mistake, Mistakes, Settings, WorkerSettings};
use crate::store::{RuntimeSettings, Store, SuggestAfter};
use crate::telemetry;
use crate::telemetry::pulse::Pulse;
use crate::web::{self, WebState};
use crate::worker::{Drained, LeaseKeeper, LeaseTerms, Worker};

/// How long the database may take to say goodbye.
const CLOSE: Duration = Duration::from_secs(5);

/// Everything that needs no network: the settings hold, the port is ours.
pub struct Prepared {
    settings: Settings,
    models: Models,
    detector: Detector,
    listener: Option<TcpListener>,
    metrics: PrometheusHandle,
    pulse: Arc<Pulse>,
}

impl Prepared {
    /// Holds the settings against what they name, and takes the port if one is wanted.
    ///
    /// # Errors
    /// All mistakes of the settings at once, or a port that is taken.
    pub async fn new(settings: Settings, with_port: bool) -> anyhow::Result<Self> {
        let (models, detector) = named(&settings)?;
        let listener =
            match with_port {
                true => Some(TcpListener::bind(&settings.http.bind).await.with_context(|| {
                    format!("http.bind: cannot listen on {}", settings.http.bind)
                })?),
                false => None,
            };
        let metrics = telemetry::metrics::install()?;
        let pulse = Arc::new(Pulse::default());
        Ok(Self { settings, models, detector, listener, metrics, pulse })
    }

    /// The address that the port is open on.
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        self.listener.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Opens the port, waits for database and broker, and starts every part; `None` when the stop came first.
    ///
    /// # Errors
    /// What waiting cannot mend: a schema of another release, a SQLite file that another process works on.
    pub async fn start(self, stop: &CancellationToken) -> anyhow::Result<Option<Running>> {
        let Self { settings, models, detector, listener, metrics, pulse } = self;
        let mut parts = Parts::default();
        let (token, budgets) = (settings.http.token.clone(), settings.budgets.clone());
        let web = WebState::new(Arc::clone(&pulse), metrics, token, Budgets::new(budgets));
        let stays_up = listener.is_some();
        if let Some(listener) = listener {
            parts.serve(listener, web.clone());
        }
        let store = connect::store(&settings.database, &pulse, stop).await.context("database")?;
        let Some(store) = store else {
            parts.end().await;
            return Ok(None);
        };
        let broker = broker::open(&settings.broker).await.context("broker")?;
        web.connected(Arc::clone(&store), Arc::clone(&broker));
        let (runtime_now, runtime) = watch::channel(store.runtime().await?);
        let pipeline = assemble(&settings, models, detector, runtime, &store, &broker);
        parts.schedule(&settings, &pipeline, &pulse, runtime_now);
        parts.keep_house(&settings, &store);
        // What ends with its chat is not there long enough to judge anything.
        if stays_up {
            parts.watch(&settings, &pipeline)?;
        }
        let keeper = parts.work(&settings, &pipeline, &pulse).await?;
        parts.notify_systemd(&pulse, &broker);
        info!(store = store.engine(), broker = broker.kind(), "started");
        Ok(Some(Running { store, broker, parts, keeper, pulse }))
    }
}

/// What the settings name files for: prices, rules, weights.
fn named(settings: &Settings) -> Result<(Models, Detector), Mistakes> {
    let prices = PriceBook::of(&settings.prices);
    let models = prices.and_then(|prices| Models::new(settings, prices).map_err(Mistakes));
    match (models, detector(&settings.detect)) {
        (Ok(models), Ok(detector)) => Ok((models, detector)),
        (Err(mistakes), Ok(_)) => Err(mistakes),
        (Ok(_), Err(mistake)) => Err(Mistakes(vec![mistake])),
        (Err(Mistakes(mut mistakes)), Err(mistake)) => {
            mistakes.push(mistake);
            Err(Mistakes(mistakes))
        }
    }
}

fn detector(settings: &DetectSettings) -> Result<Detector, Mistake> {
    Detector::load(settings).map_err(|LoadError { path, why }| {
        let is_rules = settings.rules.as_ref() == Some(&path);
        let key = if is_rules { "detect.rules" } else { "detect.weights" }.to_owned();
        Mistake { key, layer: path.display().to_string(), problem: format!("does not load: {why}") }
    })
}

/// The pipeline from its settings.
fn assemble(
    settings: &Settings,
    models: Models,
    detector: Detector,
    runtime: watch::Receiver<RuntimeSettings>,
    store: &Arc<dyn Store>,
    broker: &Arc<dyn Broker>,
) -> Arc<Pipeline> {
    let (limits, budgets) = (settings.limits.clone(), settings.budgets.clone());
    let unrouted = settings.events.unrouted;
    Arc::new(Pipeline {
        cache: Cache::new(&settings.cache, Arc::clone(store), runtime.clone()),
        limits: Limits::new(limits, budgets, Arc::clone(store)),
        detector,
        threshold: settings.detect.threshold,
        models,
        retry: RetryPolicy::default(),
        runtime,
        patience: patience(&settings.worker),
        suggest_after: SuggestAfter::of(&settings.suggestions),
        source: settings.events.source.clone(),
        publisher: Publisher::new(Arc::clone(store), Arc::clone(broker), unrouted),
        earlier: Earlier::default(),
        store: Arc::clone(store),
        broker: Arc::clone(broker),
    })
}

fn patience(worker: &WorkerSettings) -> PatienceSettings {
    PatienceSettings {
        lease: Duration::from_secs(worker.lease_s),
        deadline: Duration::from_secs(worker.deadline_s),
        attempts: worker.attempts,
        backoff: DelayPolicy::new(
            Duration::from_millis(worker.backoff_first_ms),
            Duration::from_secs(worker.backoff_longest_s),
        ),
        longest_wait: Duration::from_secs(worker.longest_wait_s),
        missing_grace: Duration::from_secs(worker.missing_grace_s),
    }
}

/// The parts that run side by side, and what ends them.
#[derive(Default)]
struct Parts {
    running: JoinSet<(&'static str, anyhow::Result<()>)>,
    /// Ends the scheduler and the worker's intake.
    stop: CancellationToken,
    /// Ends the worker's grace.
    at_once: CancellationToken,
    /// Ends what must outlive the worker: the port, systemd's watchdog.
    last: CancellationToken,
    drained: Option<tokio::sync::oneshot::Receiver<Drained>>,
}

impl Parts {
    fn spawn(
        &mut self,
        name: &'static str,
        part: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.running.spawn(async move { (name, part.await) });
    }

    fn serve(&mut self, listener: TcpListener, web: WebState) {
        let stop = self.last.clone().cancelled_owned();
        self.spawn("web", async move {
            web::serve(listener, web::router(web), stop).await.context("the port broke")
        });
    }

    fn schedule(
        &mut self,
        settings: &Settings,
        pipeline: &Arc<Pipeline>,
        pulse: &Arc<Pulse>,
        runtime: watch::Sender<RuntimeSettings>,
    ) {
        let scheduler = Scheduler {
            pipeline: Arc::clone(pipeline),
            settings: settings.scheduler.clone(),
            pulse: Arc::clone(pulse),
            runtime,
        };
        let stop = self.stop.clone();
        self.spawn("scheduler", async move {
            scheduler.run(stop).await;
            Ok(())
        });
    }

    fn keep_house(&mut self, settings: &Settings, store: &Arc<dyn Store>) {
        let housekeeper = Housekeeper::new(Arc::clone(store), settings);
        let stop = self.stop.clone();
        self.spawn("housekeeper", async move {
            housekeeper.run(stop).await;
            Ok(())
        });
    }

    fn watch(&mut self, settings: &Settings, pipeline: &Arc<Pipeline>) -> anyhow::Result<()> {
        let watch = Watch::new(settings, pipeline).context("alerts.webhook")?;
        let stop = self.stop.clone();
        self.spawn("watch", async move {
            watch.run(stop).await;
            Ok(())
        });
        Ok(())
    }

    async fn work(
        &mut self,
        settings: &Settings,
        pipeline: &Arc<Pipeline>,
        pulse: &Arc<Pulse>,
    ) -> anyhow::Result<LeaseKeeper> {
        let held = Arc::new(HeldItems::default());
        let terms = LeaseTerms {
            lease: Duration::from_secs(settings.worker.lease_s),
            every: Duration::from_secs(settings.worker.renew_every_s),
        };
        let keeper =
            LeaseKeeper::start(&settings.database, terms, Arc::clone(&held), Arc::clone(pulse))
                .context("cannot start the lease keeper")?;
        let slots = settings.worker.slots;
        let grace = Duration::from_secs(settings.worker.drain_grace_s);
        let worker = Worker::new(Arc::clone(pipeline), held, Arc::clone(pulse), slots, grace);
        let deliveries = pipeline.broker.deliveries(slots + slots.div_ceil(4)).await;
        let (stop, at_once) = (self.stop.clone(), self.at_once.clone());
        let (say, drained) = tokio::sync::oneshot::channel();
        self.drained = Some(drained);
        self.spawn("worker", async move {
            let drained = worker.run(deliveries, stop, at_once).await;
            // Nobody listens when the process is already on its way out.
            say.send(drained).ok();
            Ok(())
        });
        Ok(keeper)
    }

    fn notify_systemd(&mut self, pulse: &Arc<Pulse>, broker: &Arc<dyn Broker>) {
        let (pulse, broker, last) = (Arc::clone(pulse), Arc::clone(broker), self.last.clone());
        self.spawn("systemd", async move {
            systemd::notify(&pulse, broker.as_ref(), &last).await;
            Ok(())
        });
    }

    /// Ends all parts and waits for them.
    async fn end(mut self) {
        self.stop.cancel();
        self.last.cancel();
        while let Some(ended) = self.running.join_next().await {
            match ended {
                Ok((_, Ok(()))) => {}
                Ok((part, Err(failed))) => {
                    error!(part, error = format!("{failed:#}"), "{part} failed")
                }
                Err(join) => error!(error = %join, "a part panicked"),
            }
        }
    }
}

/// A process that works.
pub struct Running {
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
    parts: Parts,
    keeper: LeaseKeeper,
    pulse: Arc<Pulse>,
}

impl Running {
    /// Its store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Its broker.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// Runs until the stop, or until a part ends that must not.
    ///
    /// # Errors
    /// The part that ended, and why.
    pub async fn run(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = self.parts.running.join_next() => match ended {
                Some(Ok((part, Ok(())))) => Err(anyhow!("{part} ended by itself")),
                Some(Ok((part, Err(failed)))) => Err(failed.context(format!("{part} failed"))),
                Some(Err(join)) => Err(anyhow!("a part panicked: {join}")),
                None => Err(anyhow!("no part is running")),
            },
        }
    }

    /// Takes nothing new and ends what runs within the grace; `at_once` ends the grace.
    pub async fn drain(self, at_once: &CancellationToken) -> Drained {
        let Self { store, broker, mut parts, keeper, pulse } = self;
        info!("draining: nothing new is taken");
        pulse.drain();
        parts.stop.cancel();
        let drained = parts.drained.take();
        let drained = async move {
            match drained {
                Some(drained) => drained.await.unwrap_or(Drained { released: 0 }),
                None => Drained { released: 0 },
            }
        };
        tokio::pin!(drained);
        let drained = tokio::select! {
            drained = &mut drained => drained,
            () = at_once.cancelled() => {
                parts.at_once.cancel();
                drained.await
            }
        };
        parts.end().await;
        drop(keeper);
        broker.close().await;
        if tokio::time::timeout(CLOSE, store.close()).await.is_err() {
            info!("the database was left without goodbye");
        }
        info!(
            released = drained.released,
            "stopped; {} unfinished items were put back", drained.released
        );
        drained
    }
}
