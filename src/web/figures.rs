//! What it costs, how fast it is, what the cache holds, for whom Gleaner works and what is wrong:
//! for scripts, and for the page that shows them together.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::monitor::cache::CacheListing;
use crate::monitor::costs::{Costs, Performance, Timeframe};
use crate::monitor::rollout::RolloutListing;
use crate::store::{AlertRow, QueueReport, RolloutReport, Store, Stored};

use super::Shown;
use super::refusal::{Refusal, away, bad_request};

/// What there is to ask for.
pub(super) const PATHS: [&str; 5] =
    ["/api/costs", "/api/performance", "/api/cache", "/api/rollout", "/api/alerts"];

/// Resolved alerts that are told beside the open ones.
const RESOLVED: u32 = 50;

/// An answer, its fields in their order, or what stands in its way.
type Answer = Result<Response, Refusal>;

/// Which timeframe a request asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    timeframe: Option<String>,
}

/// A request's query, as axum reads it.
type Said = Result<Query<Asked>, QueryRejection>;

/// The timeframe; today where none is named.
fn read(asked: Said) -> Result<Timeframe, Refusal> {
    let named = match asked {
        Ok(Query(Asked { timeframe })) => timeframe.filter(|name| !name.is_empty()),
        Err(bad) => return Err(bad_request(&bad.body_text())),
    };
    let timeframe = named.map_or(Ok(Timeframe::default()), |name| Timeframe::read(&name));
    timeframe.map_err(|unknown| bad_request(&unknown.to_string()))
}

fn store(shown: &Shown) -> Result<Arc<dyn Store>, Refusal> {
    shown.state.store().ok_or_else(away)
}

/// What the store said, written.
fn told<T: Serialize>(seen: Stored<T>) -> Answer {
    Ok(Json(seen.map_err(|_| away())?).into_response())
}

/// `GET /api/costs?timeframe=`
pub(super) async fn api_costs(State(shown): State<Shown>, asked: Said) -> Answer {
    let timeframe = read(asked)?;
    told(Costs::read(store(&shown)?.as_ref(), timeframe).await)
}

/// `GET /api/performance`
pub(super) async fn api_performance(State(shown): State<Shown>) -> Answer {
    told(Performance::read(store(&shown)?.as_ref()).await)
}

/// `GET /api/cache?timeframe=`
pub(super) async fn api_cache(State(shown): State<Shown>, asked: Said) -> Answer {
    let timeframe = read(asked)?;
    told(CacheListing::read(store(&shown)?.as_ref(), timeframe).await)
}

/// `GET /api/rollout?timeframe=`
pub(super) async fn api_rollout(State(shown): State<Shown>, asked: Said) -> Answer {
    let timeframe = read(asked)?;
    told(RolloutListing::read(store(&shown)?.as_ref(), timeframe).await)
}

/// `GET /api/alerts`: the open ones, then those resolved last
pub(super) async fn api_alerts(State(shown): State<Shown>) -> Answer {
    let alerts = store(&shown)?.alerts(RESOLVED).await;
    told(alerts.map(|alerts| json!({ "alerts": alerts })))
}

/// All that the page shows of the store.
#[derive(Debug, Clone)]
pub(super) struct Overview {
    pub(super) costs: Vec<Costs>,
    pub(super) performance: Performance,
    pub(super) queue: QueueReport,
    pub(super) alerts: Vec<AlertRow>,
    pub(super) rollout: RolloutListing,
}

/// The overview, with how the queue does and what came of the rollout; `None` when the store fails.
pub(super) async fn overview(
    store: &dyn Store,
    queue: QueueReport,
    report: RolloutReport,
) -> Option<Overview> {
    let costs = futures::future::try_join_all(Timeframe::ALL.map(|it| Costs::read(store, it)));
    let looked =
        tokio::try_join!(costs, Performance::read(store), store.alerts(0), store.runtime());
    let (costs, performance, alerts, settings) = looked.ok()?;
    let rollout = RolloutListing::of(settings, Timeframe::Today, report);
    Some(Overview { costs, performance, queue, alerts, rollout })
}

/// What came of the rollout today.
pub(super) async fn rollout_report(store: &dyn Store) -> Option<RolloutReport> {
    store.rollout_report(Timeframe::Today.length()).await.ok()
}
