//! The daemon's own port: a dashboard, and what it shows as JSON; probes and metrics; the queue,
//! suggestions, budgets and the ledger.
//!
//! With a token set, all but `/livez`, `/readyz` and `/metrics` demand it; those
//! three hold no IDs and no text. Every request has a time-out and a small body.

mod auth;
mod figures;
mod health;
mod money;
mod page;
mod queue;
mod recent;
mod refusal;
mod suggestions;

use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, BrokerHealth};
use crate::limits::Budgets;
use crate::store::{QueueReport, RolloutReport, Store};
use crate::telemetry::metrics;
use crate::telemetry::pulse::Pulse;

use figures::Overview;
use recent::Recent;

/// The largest body that is read.
const LARGEST_BODY: usize = 64 * 1024;

/// How long a request may take.
const TIME_OUT: Duration = Duration::from_secs(10);

/// How long open connections may hold up the end of the process.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// For how long the queue's figures are fresh: scrapes and open pages share one look at the store.
const FIGURES_FRESH: Duration = Duration::from_secs(3);

/// For how long the rollout's figures are fresh: they are counted row by row.
const ROLLOUT_FRESH: Duration = Duration::from_secs(60);

/// For how long a check of the store is fresh.
const CHECK_FRESH: Duration = Duration::from_secs(1);

/// What the port shows. The port is open before database and broker are there.
#[derive(Clone)]
pub struct WebState {
    engines: Arc<OnceLock<Engines>>,
    pulse: Arc<Pulse>,
    metrics: PrometheusHandle,
    token: SecretString,
    budgets: Arc<Budgets>,
}

/// Where the truth is kept, and the queue.
struct Engines {
    store: Arc<dyn Store>,
    broker: Arc<dyn Broker>,
}

impl WebState {
    /// Without engines yet. An empty token means that none is demanded, which the settings allow on
    /// loopback alone.
    pub fn new(
        pulse: Arc<Pulse>,
        metrics: PrometheusHandle,
        token: SecretString,
        budgets: Budgets,
    ) -> Self {
        Self { engines: Arc::default(), pulse, metrics, token, budgets: Arc::new(budgets) }
    }

    /// The engines are there: from now on they are asked. Once is enough; later ones are ignored.
    pub fn connected(&self, store: Arc<dyn Store>, broker: Arc<dyn Broker>) {
        self.engines.get_or_init(|| Engines { store, broker });
    }

    /// The queue's health and kind; nothing works before it is there.
    fn broker(&self) -> (BrokerHealth, &'static str) {
        self.engines.get().map_or((BrokerHealth::default(), "none yet"), |engines| {
            (engines.broker.health(), engines.broker.kind())
        })
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        self.engines.get().map(|engines| Arc::clone(&engines.store))
    }
}

/// The state, with what was seen lately.
#[derive(Clone)]
struct Shown {
    state: WebState,
    figures: Arc<Recent<QueueReport>>,
    overview: Arc<Recent<Overview>>,
    rollout: Arc<Recent<RolloutReport>>,
    store: Arc<Recent<health::StoreState>>,
}

impl Shown {
    /// The queue's figures; `None` when the store does not answer in time.
    async fn figures(&self) -> Option<QueueReport> {
        let store = self.state.store()?;
        self.figures
            .get(FIGURES_FRESH, || async move { queue::figures(store.as_ref()).await })
            .await
    }

    /// What the page shows; `None` when the store does not answer in time.
    async fn overview(&self) -> Option<Overview> {
        let store = self.state.store()?;
        let reported = self.rollout.get(ROLLOUT_FRESH, || figures::rollout_report(store.as_ref()));
        let (report, queue) = (reported.await?, self.figures().await?);
        self.overview.get(FIGURES_FRESH, || figures::overview(store.as_ref(), queue, report)).await
    }

    /// The store's state.
    async fn store(&self) -> health::StoreState {
        let Some(store) = self.state.store() else { return Err("unavailable") };
        let look = || async move { Some(health::store_state(store.as_ref()).await) };
        self.store.get(CHECK_FRESH, look).await.unwrap_or(Err("unavailable"))
    }
}

/// All routes.
pub fn router(state: WebState) -> Router {
    let shown = Shown {
        state,
        figures: Arc::new(Recent::default()),
        overview: Arc::new(Recent::default()),
        rollout: Arc::new(Recent::default()),
        store: Arc::new(Recent::default()),
    };
    let guarded = Router::new()
        .route("/", get(page::page))
        .route("/api/costs", get(figures::api_costs))
        .route("/api/performance", get(figures::api_performance))
        .route("/api/cache", get(figures::api_cache))
        .route("/api/rollout", get(figures::api_rollout))
        .route("/api/alerts", get(figures::api_alerts))
        .route("/api/queue", get(queue::api_queue))
        .route("/api/budgets", get(money::api_budgets))
        .route("/api/ledger", get(money::api_ledger))
        .route(suggestions::PATHS[0], get(suggestions::of_event))
        .route(suggestions::PATHS[1], post(suggestions::dismiss))
        .route_layer(middleware::from_fn_with_state(shown.clone(), demand_token));
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(render_metrics))
        .merge(guarded)
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(middleware::from_fn(bounded))
        .with_state(shown)
}

/// Answers until `shutdown` ends; then finishes what is open, for a few seconds at most.
///
/// # Errors
/// When the listener breaks.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let stopped = CancellationToken::new();
    let stopping = stopped.clone();
    let graceful = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        stopping.cancel();
    });
    let too_long = async {
        stopped.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        ended = async { graceful.await } => ended,
        () = too_long => Ok(()),
    }
}

async fn demand_token(State(shown): State<Shown>, request: Request, next: Next) -> Response {
    let sent = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let token = &shown.state.token;
    // A browser sends a password that it knows by itself, also when another site has it ask: so
    // a password only reads.
    let reads = request.method().is_safe() && auth::knows_password(token, sent);
    if reads || auth::allows(token, sent) {
        return next.run(request).await;
    }
    let problem = json!({ "error": "this needs the header `Authorization: Bearer TOKEN`" });
    let challenges = AppendHeaders([
        (header::WWW_AUTHENTICATE, "Bearer"),
        (header::WWW_AUTHENTICATE, "Basic realm=\"Gleaner\", charset=\"UTF-8\""),
    ]);
    (StatusCode::UNAUTHORIZED, challenges, Json(problem)).into_response()
}

/// Bounds a request's time, and keeps browsers from guessing types and caching figures.
async fn bounded(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 3] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    let answer = tokio::time::timeout(TIME_OUT, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| {
        let problem = json!({ "error": "no answer in time" });
        (StatusCode::SERVICE_UNAVAILABLE, Json(problem)).into_response()
    });
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn render_metrics(State(shown): State<Shown>) -> Response {
    let figures = shown.figures().await;
    metrics::queue(figures.as_ref().map(queue::as_metrics).as_ref());
    metrics::broker(&queue::broker_metrics(&shown.state.broker().0));
    let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (text, shown.state.metrics.render()).into_response()
}

async fn nothing_here() -> Response {
    let pages = ["/"].iter().chain(&page::PATHS).chain(&figures::PATHS);
    let paths: Vec<_> = pages.chain(&suggestions::PATHS).collect();
    let problem = json!({ "error": "there is nothing at this path", "paths": paths });
    (StatusCode::NOT_FOUND, Json(problem)).into_response()
}

async fn wrong_method() -> Response {
    let problem = json!({ "error": "this path does not take that method" });
    (StatusCode::METHOD_NOT_ALLOWED, Json(problem)).into_response()
}
