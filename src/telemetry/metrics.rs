//! Every metric, in one list, and the functions that count.
//!
//! A label's values are few and known beforehand: names of outcomes, reasons,
//! agents and models; never an ID, never chat text. `tests` holds the list and
//! the functions together.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::domain::intent::Intent;
use crate::domain::outcome::{Outcome, ParkReason};
use crate::domain::usage::NanoUsd;

/// How a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Seconds, in buckets.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name as Prometheus reads it.
    pub name: &'static str,
    /// How it counts.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub help: &'static str,
}

macro_rules! list {
    ($($constant:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(const $constant: Metric = Metric {
            name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help,
        };)*

        /// Every metric that there is.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

list! {
    SETTLED: Counter "gleaner_messages_settled_total" ["outcome", "intent"]
        "Messages that ended, by outcome and detected intent";
    MESSAGE_SECONDS: Histogram "gleaner_message_seconds" ["outcome"]
        "Time from claim to end, without parked time";
    STAGE_SECONDS: Histogram "gleaner_stage_seconds" ["stage"]
        "Time in each stage of a message's way";
    PARKED: Counter "gleaner_messages_parked_total" ["reason"]
        "Messages put back to wait, by reason";
    LEASES_LOST: Counter "gleaner_leases_lost_total" []
        "Claims whose lease another worker took; nothing was written for them";
    ACKS_TOO_LATE: Counter "gleaner_acks_too_late_total" []
        "Deliveries whose acknowledgement came too late; the broker hands them over again";
    HINTS: Counter "gleaner_hints_published_total" []
        "Message IDs that the scheduler published to the work queue";
    DEAD_LETTERED: Counter "gleaner_dead_lettered_total" ["reason"]
        "Deliveries that named no message, by what was wrong with them";
    UNROUTED: Counter "gleaner_completions_unrouted_total" []
        "Completion events that no queue was bound for";
    MODEL_CALLS: Counter "gleaner_model_calls_total" ["agent", "model", "result"]
        "HTTP requests to a model, by what came back";
    MODEL_SECONDS: Histogram "gleaner_model_call_seconds" ["agent", "model"]
        "Time of one request to a model";
    ENDPOINT_STOPPED: Gauge "gleaner_endpoint_stopped" ["endpoint"]
        "1 while a model endpoint does not serve our account: credit, spend cap, key or permission";
    BREAKER_OPEN: Gauge "gleaner_model_breaker_open" ["endpoint", "model"]
        "1 while a model's circuit breaker lets nothing or one probe through";
    CONCURRENCY: Gauge "gleaner_model_concurrency" ["endpoint", "model"]
        "Requests that may be in flight to a model now, as learnt from its answers";
    TOKENS: Counter "gleaner_tokens_total" ["model", "class"]
        "Tokens, in disjoint classes";
    COST: Counter "gleaner_cost_nano_usd_total" ["model"]
        "What model calls cost, in billionths of a US dollar";
    DEBT: Counter "gleaner_debt_nano_usd_total" ["model"]
        "What was billed above the most that requests should have cost, in billionths of a US dollar";
    CACHE: Counter "gleaner_cache_lookups_total" ["result"]
        "Looks into the answer cache, by what was found";
    CACHE_ENTRIES: Gauge "gleaner_cache_memory_entries" []
        "Answers that this process keeps in memory";
    CACHE_BYTES: Gauge "gleaner_cache_memory_bytes" []
        "Bytes of the answers that this process keeps in memory, with their keys";
    UNPRICED: Counter "gleaner_model_unpriced_total" ["model"]
        "Billed responses without a price; they count at what was set aside until somebody resolves them";
    ADMISSIONS: Counter "gleaner_admissions_total" ["result"]
        "Requests to be allowed a model call, by answer";
    ALERTS_OPEN: Gauge "gleaner_alerts_open" ["rule"]
        "Alerts that fired and are not resolved, of all replicas";
    ALERTS: Counter "gleaner_alerts_total" ["rule", "what"]
        "Alerts that this replica fired or resolved for all";
    SLOTS: Gauge "gleaner_slots" []
        "Messages that may be worked on at the same time";
    SLOTS_BUSY: Gauge "gleaner_slots_busy" []
        "Messages that are worked on now";
    ITEMS: Gauge "gleaner_queue_items" ["status"]
        "Queue items in each state, of all replicas";
    OWED: Gauge "gleaner_completions_owed" []
        "Ended messages whose completion event is not confirmed";
    OLDEST_DUE: Gauge "gleaner_oldest_due_seconds" []
        "For how long the longest due message has been due";
    OLDEST_PROCESSING: Gauge "gleaner_oldest_processing_seconds" []
        "For how long the longest claim has been held";
    STORE_UP: Gauge "gleaner_store_up" []
        "1 when the queue's figures are fresh, 0 when the store did not answer";
    BROKER_CONSUMING: Gauge "gleaner_broker_consuming" []
        "1 while deliveries can arrive";
    BROKER_PUBLISHING: Gauge "gleaner_broker_publishing" []
        "1 while publishes can be confirmed";
    BROKER_BLOCKED: Gauge "gleaner_broker_blocked" []
        "1 while the broker blocks publishers";
    BROKER_GENERATION: Gauge "gleaner_broker_generation" []
        "How often the consuming side was built; 1 is the first connection";
    BROKER_PREFETCH: Gauge "gleaner_broker_prefetch" []
        "The prefetch that the broker confirmed";
    BUILD: Gauge "gleaner_build_info" ["version"]
        "1, with the version that runs";
}

/// From a cached answer's milliseconds to a call's time-out.
const BUCKETS: [f64; 14] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 15.0, 60.0];

/// How often the samples of histograms are put into their buckets when nobody asks for them.
const UPKEEP: Duration = Duration::from_secs(5);

static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Counts from now on; the handle renders. A second call returns the first one's handle.
///
/// # Errors
/// When another recorder of this process counts already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*installed {
        return Ok(handle.clone());
    }
    let handle = builder()?.install_recorder()?;
    describe();
    keep_up(handle.clone());
    *installed = Some(handle.clone());
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    let every = Matcher::Prefix("gleaner_".into());
    PrometheusBuilder::new().set_buckets_for_metric(every, &BUCKETS)
}

/// Empties the histograms' buffers, which would grow for ever where nobody scrapes. Like the
/// recorder it lives as long as the process, so it is a thread and not a task with an owner.
fn keep_up(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            std::thread::sleep(UPKEEP);
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics".into()).spawn(upkeep) {
        tracing::warn!(%error, "metrics are only kept up when they are read");
    }
}

/// Says what each metric tells, and shows counters without labels at 0.
fn describe() {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, metric.help),
        }
        if metric.kind == Kind::Counter && metric.labels.is_empty() {
            counter!(metric.name).increment(0);
        }
    }
    gauge!(BUILD.name, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// A message ended.
pub fn settled(outcome: Outcome, intent: Option<Intent>, latency: Duration) {
    let intent = intent.map_or("unknown", Intent::name);
    counter!(SETTLED.name, "outcome" => outcome.name(), "intent" => intent).increment(1);
    histogram!(MESSAGE_SECONDS.name, "outcome" => outcome.name()).record(latency);
}

/// A stage of a message's way was walked.
pub fn stage(stage: &'static str, took: Duration) {
    histogram!(STAGE_SECONDS.name, "stage" => stage).record(took);
}

/// A message was put back to wait.
pub fn parked(reason: ParkReason) {
    counter!(PARKED.name, "reason" => reason.name()).increment(1);
}

/// A claim's lease went to another worker.
pub fn lease_lost() {
    counter!(LEASES_LOST.name).increment(1);
}

/// An acknowledgement came too late.
pub fn ack_too_late() {
    counter!(ACKS_TOO_LATE.name).increment(1);
}

/// Hints were published.
pub fn hints_published(count: u64) {
    counter!(HINTS.name).increment(count);
}

/// A delivery named no message.
pub fn dead_lettered(reason: &'static str) {
    counter!(DEAD_LETTERED.name, "reason" => reason).increment(1);
}

/// No queue was bound for a completion event.
pub fn unrouted() {
    counter!(UNROUTED.name).increment(1);
}

/// A request to a model came back. `model` is the name in the settings, not the response's.
pub fn model_call(agent: &'static str, model: &str, result: &'static str, latency: Duration) {
    let model = model.to_owned();
    counter!(MODEL_CALLS.name, "agent" => agent, "model" => model.clone(), "result" => result)
        .increment(1);
    histogram!(MODEL_SECONDS.name, "agent" => agent, "model" => model).record(latency);
}

/// An endpoint serves our account, or does not.
pub fn endpoint_stopped(endpoint: &str, stopped: bool) {
    gauge!(ENDPOINT_STOPPED.name, "endpoint" => endpoint.to_owned()).set(f64::from(stopped));
}

/// How a model at an endpoint can be asked now.
pub fn model_access(endpoint: &str, model: &str, breaker_open: bool, concurrency: u32) {
    let labels = [("endpoint", endpoint.to_owned()), ("model", model.to_owned())];
    gauge!(BREAKER_OPEN.name, &labels).set(f64::from(breaker_open));
    gauge!(CONCURRENCY.name, &labels).set(f64::from(concurrency));
}

/// Tokens of one class were used. `model` is the name in the settings.
pub fn tokens(model: &str, class: &'static str, count: u64) {
    counter!(TOKENS.name, "model" => model.to_owned(), "class" => class).increment(count);
}

/// Money was spent. `model` is the name in the settings.
pub fn cost(model: &str, cost: NanoUsd) {
    let nanos = u64::try_from(cost.0).unwrap_or(0);
    counter!(COST.name, "model" => model.to_owned()).increment(nanos);
}

/// A request was billed above the most that it should have cost.
pub fn debt(model: &str, above: NanoUsd) {
    let nanos = u64::try_from(above.0).unwrap_or(0);
    counter!(DEBT.name, "model" => model.to_owned()).increment(nanos);
}

/// A billed response has no price. `model` is the name in the settings.
pub fn unpriced(model: &str) {
    counter!(UNPRICED.name, "model" => model.to_owned()).increment(1);
}

/// The answer cache was asked.
pub fn cache_lookup(result: &'static str) {
    counter!(CACHE.name, "result" => result).increment(1);
}

/// What this process's memory holds of the answer cache.
pub fn cache_memory(entries: u64, bytes: u64) {
    gauge!(CACHE_ENTRIES.name).set(entries as f64);
    gauge!(CACHE_BYTES.name).set(bytes as f64);
}

/// A model call was allowed or refused.
pub fn admission(result: &'static str) {
    counter!(ADMISSIONS.name, "result" => result).increment(1);
}

/// So many alerts of a rule are open.
pub fn alerts_open(rule: &'static str, count: u64) {
    gauge!(ALERTS_OPEN.name, "rule" => rule).set(count as f64);
}

/// An alert was `fired` or `resolved` here.
pub fn alert_changed(rule: &'static str, what: &'static str) {
    counter!(ALERTS.name, "rule" => rule, "what" => what).increment(1);
}

/// How many slots are busy, of how many.
pub fn slots(busy: u16, total: u16) {
    gauge!(SLOTS_BUSY.name).set(f64::from(busy));
    gauge!(SLOTS.name).set(f64::from(total));
}

/// The queue's figures, as a store reports them.
#[derive(Debug, Clone, Copy)]
pub struct QueueFigures {
    /// Items by state: `pending`, `processing`, `completed`, `skipped`, `failed`.
    pub items: [(&'static str, u64); 5],
    /// Final items whose completion event is not confirmed.
    pub owed: u64,
    /// For how long the longest due item has been due.
    pub oldest_due: Duration,
    /// For how long the longest claim has been held.
    pub oldest_processing: Duration,
}

/// The queue's figures; `None` when the store did not answer, and the old ones stand.
pub fn queue(figures: Option<&QueueFigures>) {
    gauge!(STORE_UP.name).set(f64::from(u8::from(figures.is_some())));
    let Some(figures) = figures else { return };
    for (status, count) in figures.items {
        gauge!(ITEMS.name, "status" => status).set(count as f64);
    }
    gauge!(OWED.name).set(figures.owed as f64);
    gauge!(OLDEST_DUE.name).set(figures.oldest_due.as_secs_f64());
    gauge!(OLDEST_PROCESSING.name).set(figures.oldest_processing.as_secs_f64());
}

/// A broker's health, as the broker reports it.
#[derive(Debug, Clone, Copy)]
pub struct BrokerFigures {
    /// Whether deliveries can arrive.
    pub consuming: bool,
    /// Whether publishes can be confirmed.
    pub publishing: bool,
    /// Whether the broker blocks publishers.
    pub blocked: bool,
    /// How often the consuming side was built.
    pub generation: u64,
    /// The prefetch that the broker confirmed.
    pub prefetch: u16,
}

/// The broker's health.
pub fn broker(figures: &BrokerFigures) {
    let flag = |yes: bool| f64::from(u8::from(yes));
    gauge!(BROKER_CONSUMING.name).set(flag(figures.consuming));
    gauge!(BROKER_PUBLISHING.name).set(flag(figures.publishing));
    gauge!(BROKER_BLOCKED.name).set(flag(figures.blocked));
    gauge!(BROKER_GENERATION.name).set(figures.generation as f64);
    gauge!(BROKER_PREFETCH.name).set(f64::from(figures.prefetch));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Calls every function once.
    fn count_everything() {
        let second = Duration::from_secs(1);
        settled(Outcome::Completed, Some(Intent::Query), second);
        stage("claim", second);
        parked(ParkReason::RateLimited);
        lease_lost();
        ack_too_late();
        hints_published(3);
        dead_lettered("not_an_id");
        unrouted();
        model_call("task_enricher", "offline", "answered", second);
        endpoint_stopped("anthropic", true);
        model_access("anthropic", "claude-sonnet-5-5", false, 4);
        tokens("offline", "input", 7);
        cost("offline", NanoUsd(54_399_000));
        debt("offline", NanoUsd(1));
        cache_lookup("hit");
        cache_memory(3, 4_096);
        unpriced("claude-next");
        admission("admitted");
        alerts_open("latency", 1);
        alert_changed("latency", "fired");
        slots(3, 32);
        let items =
            [("pending", 4), ("processing", 1), ("completed", 9), ("skipped", 2), ("failed", 0)];
        queue(Some(&QueueFigures {
            items,
            owed: 1,
            oldest_due: second,
            oldest_processing: second,
        }));
        broker(&BrokerFigures {
            consuming: true,
            publishing: true,
            blocked: false,
            generation: 2,
            prefetch: 40,
        });
    }

    fn rendered() -> String {
        let recorder = builder().unwrap().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe();
            count_everything();
        });
        handle.render()
    }

    /// The list's name of a sample's, whose histograms come in three series.
    fn name_of(sample: &str) -> &str {
        let parts = ["_bucket", "_sum", "_count"].into_iter();
        let whole = parts.filter_map(|part| sample.strip_suffix(part)).find(|name| {
            ALL.iter().any(|metric| metric.kind == Kind::Histogram && metric.name == *name)
        });
        whole.unwrap_or(sample)
    }

    #[test]
    fn every_metric_is_described_and_rendered_with_exactly_its_labels() {
        let text = rendered();
        let mut seen: BTreeSet<(&str, Vec<&str>)> = BTreeSet::new();
        for sample in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let series = sample.rsplit_once(' ').unwrap().0;
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split(',');
            let labels = labels.filter_map(|label| Some(label.split_once('=')?.0));
            let mut labels: Vec<&str> = labels.filter(|label| *label != "le").collect();
            labels.sort_unstable();
            seen.insert((name_of(name), labels));
        }
        let listed = ALL.iter().map(|metric| {
            let mut labels = metric.labels.to_vec();
            labels.sort_unstable();
            (metric.name, labels)
        });
        assert_eq!(seen, listed.collect());
        for metric in ALL {
            let help = format!("# HELP {} {}", metric.name, metric.help);
            assert!(text.contains(&help), "{} is not described", metric.name);
        }
    }

    #[test]
    fn a_cost_is_counted_to_the_nano_dollar() {
        assert!(rendered().contains("gleaner_cost_nano_usd_total{model=\"offline\"} 54399000"));
    }

    #[test]
    fn metrics_can_be_installed_twice() {
        assert!(install().is_ok() && install().is_ok());
    }
}
