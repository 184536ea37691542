//! How the queue is doing, as JSON and as metrics.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::broker::BrokerHealth;
use crate::store::{QueueReport, Store};
use crate::telemetry::metrics::{BrokerFigures, QueueFigures};

use super::Shown;
use super::refusal::away;

/// How long the store may take to count.
const TIME_OUT: Duration = Duration::from_secs(2);

/// The queue's figures; `None` when the store fails or takes too long.
pub(super) async fn figures(store: &dyn Store) -> Option<QueueReport> {
    tokio::time::timeout(TIME_OUT, store.queue()).await.ok()?.ok()
}

/// `/api/queue`
pub(super) async fn api_queue(State(shown): State<Shown>) -> (StatusCode, Json<Value>) {
    let Some(report) = shown.figures().await else {
        return away();
    };
    let (health, kind) = shown.state.broker();
    let phase = shown.state.pulse.phase().name();
    (StatusCode::OK, Json(as_json(&report, kind, &health, phase)))
}

fn as_json(report: &QueueReport, kind: &str, broker: &BrokerHealth, phase: &str) -> Value {
    json!({
        "pending": report.pending,
        "processing": report.processing,
        "completed": report.completed,
        "skipped": report.skipped,
        "failed": report.failed,
        "owed": report.owed,
        "oldestDueMs": millis(report.oldest_due),
        "oldestProcessingMs": millis(report.oldest_processing),
        "worker": phase,
        "broker": {
            "kind": kind,
            "consuming": broker.consuming,
            "publishing": broker.publishing,
            "blocked": broker.blocked,
            "generation": broker.generation,
            "prefetch": broker.prefetch,
        },
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The report as metrics take it.
pub(super) fn as_metrics(report: &QueueReport) -> QueueFigures {
    QueueFigures {
        items: states(report),
        owed: report.owed,
        oldest_due: report.oldest_due,
        oldest_processing: report.oldest_processing,
    }
}

/// Items by state, in the order of their life.
pub(super) fn states(report: &QueueReport) -> [(&'static str, u64); 5] {
    [
        ("pending", report.pending),
        ("processing", report.processing),
        ("completed", report.completed),
        ("skipped", report.skipped),
        ("failed", report.failed),
    ]
}

/// The broker's health as metrics take it.
pub(super) fn broker_metrics(health: &BrokerHealth) -> BrokerFigures {
    let BrokerHealth { consuming, publishing, blocked, generation, prefetch } = *health;
    BrokerFigures { consuming, publishing, blocked, generation, prefetch }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_shown_with_states_ages_and_broker() {
        let report = QueueReport {
            pending: 1,
            processing: 2,
            completed: 3,
            skipped: 4,
            failed: 5,
            owed: 6,
            oldest_due: Duration::from_millis(1500),
            oldest_processing: Duration::ZERO,
        };
        let shown = as_json(&report, "embedded", &BrokerHealth::default(), "running");
        assert_eq!(shown["oldestDueMs"], 1500);
        assert_eq!(shown["broker"]["kind"], "embedded");
        for (state, count) in states(&report) {
            assert_eq!(shown[state], count);
        }
    }
}
