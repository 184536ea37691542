//! What `demo` and `ingest` share: wait until a chat is settled, then sum it up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio_util::sync::CancellationToken;

use super::render::{self, Page};
use crate::context::{self, Level};
use crate::domain::ids::EventId;
use crate::domain::usage::{NanoUsd, Tier, Usage};
use crate::model::estimate::Estimate;
use crate::model::prices::PriceBook;
use crate::monitor::summary::{self, Summary};
use crate::settings::Settings;
use crate::store::{EventReport, Store, StoreError};

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long the database may be away meanwhile.
const HICCUP: Duration = Duration::from_secs(30);

/// Shows the progress until every message of the event is settled; `false` when the stop came first.
pub(super) async fn wait(
    store: &dyn Store,
    event: &EventId,
    stop: &CancellationToken,
) -> anyhow::Result<bool> {
    let bar = render::progress_bar(0);
    let mut answered = Instant::now();
    loop {
        let progress = match store.progress(event).await {
            Err(StoreError::Unavailable(_)) if answered.elapsed() < HICCUP => {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => continue,
                    () = stop.cancelled() => return Ok(false),
                }
            }
            progress => progress?,
        };
        answered = Instant::now();
        bar.set_length(progress.total);
        bar.set_position(progress.settled);
        if progress.settled >= progress.total {
            bar.finish_and_clear();
            return Ok(true);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {
                bar.abandon();
                return Ok(false);
            }
        }
    }
}

/// How soon an event's suggestion run follows its last message here, in seconds: nobody goes on
/// talking in a file.
pub(super) const QUIET_S: u64 = 1;

/// The longest wait for a suggestion run that is about to begin.
const SOON: Duration = Duration::from_secs(10);

/// Waits for the event's suggestion run, if one is about to begin; one that is due later is not
/// worth a wait.
pub(super) async fn wait_for_suggestions(
    store: &dyn Store,
    event: &EventId,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let until = Instant::now() + SOON;
    while let Some(due) = store.suggestions_pending(event).await? {
        if Instant::now() + due > until {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => break,
        }
    }
    Ok(())
}

/// The event's summary as it stands, and its report.
pub(super) async fn sum_up(
    store: &Arc<dyn Store>,
    settings: &Settings,
    event: &EventId,
    started: Instant,
) -> anyhow::Result<(Summary, EventReport)> {
    let report =
        store.event_report(event).await?.ok_or_else(|| anyhow!("event {event} has no row"))?;
    let summary = Summary::of(&report, naive_cost(settings, &report)?, started.elapsed());
    Ok((summary, report))
}

/// What one full-context call per message would have cost at the model that the query answerer
/// would ask, or else any agent does.
fn naive_cost(settings: &Settings, report: &EventReport) -> anyhow::Result<Option<NanoUsd>> {
    let prices = PriceBook::of(&settings.prices)?;
    let agent = settings.agents.get("query_answerer").or_else(|| settings.agents.values().next());
    let model = agent.map(|agent| agent.model.as_str()).context("no agent is configured")?;
    let now = jiff::Timestamp::now();
    let tokens = |message: &_, rows: &_| {
        let high = &Estimate::HIGH;
        u64::from(context::assemble(Level::Full, &report.event, message, rows, high).tokens)
    };
    let price = |usage: &Usage| prices.price(model, Tier::Standard, usage, now);
    Ok(summary::naive_cost(report, tokens, price))
}

/// Prints it: for a person, or as one JSON object.
pub(super) fn print(summary: &Summary, report: &EventReport, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
    } else {
        print!("{}", render::summary(summary, &report.event, Page::of_stdout()));
    }
    for (message, reason) in &report.failed {
        eprintln!("gleaner: message {message} failed: {}", reason.name());
    }
    Ok(())
}
