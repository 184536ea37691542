//! Whether the process is worth keeping, and whether it works.
//!
//! `/livez` asks for progress, never for a database or a broker: an outage must
//! not restart the fleet. `/readyz` asks for all of it. Neither says why in words
//! of a driver, as both are open to everyone.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::broker::BrokerHealth;
use crate::store::{Store, StoreError};
use crate::telemetry::pulse::{Beating, Phase};

use super::Shown;

/// How long a loop may be silent. The slowest beats every 15 s, with the leases.
const SILENCE: Duration = Duration::from_secs(60);

/// How long the store may take to answer a check.
const STORE_TIME_OUT: Duration = Duration::from_secs(2);

/// How the store answered a check: `Ok` with its engine, or what is wrong in a word.
pub(super) type StoreState = Result<&'static str, &'static str>;

/// Asks the store whether it works.
pub(super) async fn store_state(store: &dyn Store) -> StoreState {
    match tokio::time::timeout(STORE_TIME_OUT, store.check()).await {
        Err(_) => Err("no_answer"),
        Ok(Ok(_)) => Ok(store.engine()),
        Ok(Err(error)) => Err(word(&error)),
    }
}

fn word(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Refused(_) | StoreError::BadRow { .. } => "refused",
        StoreError::BinaryTooOld { .. } => "binary_too_old",
        StoreError::NotMigrated(_) | StoreError::Migration(_) => "not_migrated",
        StoreError::AnotherWorker(_) => "another_worker",
    }
}

/// `/livez`: 200 while the process makes progress or has said why it waits.
pub(super) async fn livez(State(shown): State<Shown>) -> (StatusCode, Json<Value>) {
    let pulse = &shown.state.pulse;
    let now = pulse.now();
    let alive = pulse.alive(now, SILENCE);
    let stalled = if alive { Vec::new() } else { pulse.stalled(now, SILENCE) };
    let stalled: Vec<&str> = stalled.into_iter().map(Beating::name).collect();
    let body = json!({
        "alive": alive,
        "phase": pulse.phase().name(),
        "waiting_for_database": pulse.waiting_for_database(),
        "waiting_for_broker": pulse.waiting_for_broker(),
        "stalled": stalled,
    });
    (status(alive), Json(body))
}

/// `/readyz`: 200 while messages can be worked on.
pub(super) async fn readyz(State(shown): State<Shown>) -> (StatusCode, Json<Value>) {
    let store = shown.store().await;
    let (health, kind) = shown.state.broker();
    let (ready, body) = readiness(store, &health, kind, shown.state.pulse.phase());
    (status(ready), Json(body))
}

fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Whether all parts work, and each part's state.
fn readiness(
    store: StoreState,
    broker: &BrokerHealth,
    kind: &'static str,
    phase: Phase,
) -> (bool, Value) {
    let ready = store.is_ok() && broker.consuming && phase == Phase::Running;
    let store = match store {
        Ok(engine) => json!({ "ok": true, "engine": engine }),
        Err(problem) => json!({ "ok": false, "problem": problem }),
    };
    let broker = json!({
        "ok": broker.consuming,
        "kind": kind,
        "consuming": broker.consuming,
        "publishing": broker.publishing,
        "blocked": broker.blocked,
    });
    let worker = json!({ "ok": phase == Phase::Running, "phase": phase.name() });
    (ready, json!({ "ready": ready, "store": store, "broker": broker, "worker": worker }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSUMING: BrokerHealth = BrokerHealth {
        consuming: true,
        publishing: true,
        blocked: false,
        generation: 1,
        prefetch: 40,
    };

    #[test]
    fn ready_means_that_every_part_works() {
        let (ready, body) = readiness(Ok("postgres"), &CONSUMING, "rabbitmq", Phase::Running);
        assert!(ready && body["ready"] == true && body["store"]["engine"] == "postgres");
        let cut = BrokerHealth { consuming: false, ..CONSUMING };
        let parts = [
            ("store", readiness(Err("no_answer"), &CONSUMING, "rabbitmq", Phase::Running)),
            ("broker", readiness(Ok("sqlite"), &cut, "rabbitmq", Phase::Running)),
            ("worker", readiness(Ok("sqlite"), &CONSUMING, "embedded", Phase::Draining)),
            ("worker", readiness(Ok("sqlite"), &CONSUMING, "embedded", Phase::Starting)),
        ];
        for (part, (ready, body)) in parts {
            assert!(!ready, "{part} does not work");
            for name in ["store", "broker", "worker"] {
                assert_eq!(body[name]["ok"], name != part, "{body}");
            }
        }
    }

    #[test]
    fn an_error_is_told_in_a_word_that_holds_no_secret() {
        let error = StoreError::AnotherWorker("/home/ann/secret.db".into());
        assert_eq!(word(&error), "another_worker");
    }
}
