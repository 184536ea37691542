//! `gleaner ingest`: one's own chat through the pipeline.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use secrecy::ExposeSecret;

use super::{chat, signals::Stop};
use crate::app::Prepared;
use crate::broker;
use crate::domain::ids::{EventId, ItemId};
use crate::ingest::{self, ChatFile, DateOrder, IngestError, IngestOptions, Notes};
use crate::settings::Settings;
use crate::store::{self, Store, StoreError};

#[derive(Debug, Args)]
pub(super) struct IngestArgs {
    /// A JSON Lines chat, or a WhatsApp export.
    file: PathBuf,
    /// The event's ID, instead of the header's; it prefixes the message IDs.
    #[arg(long, value_name = "ID", value_parser = EventId::parse)]
    event: Option<EventId>,
    /// Write the rows and publish the IDs, and do not wait for the answers.
    #[arg(long)]
    no_wait: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
    /// Ask a model for every answer, whatever the cache holds; where other processes do the work,
    /// their own `cache.bypass` says that.
    #[arg(long)]
    no_cache: bool,
    /// WhatsApp: what the event is called; the file's name otherwise.
    #[arg(long)]
    name: Option<String>,
    /// WhatsApp: when the event begins, such as 2026-06-06T12:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    starts_at: Option<String>,
    /// WhatsApp: what a bare amount is in, such as GBP.
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// WhatsApp: the group's budget, in major units.
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<f64>,
    /// WhatsApp: the time zone that the export was made in, such as Europe/London.
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// WhatsApp: how dates are written, where the file leaves it open.
    #[arg(long, value_name = "ORDER")]
    date_order: Option<DateOrder>,
}

impl IngestArgs {
    fn options(&self) -> IngestOptions {
        IngestOptions {
            event: self.event.clone(),
            name: self.name.clone(),
            starts_at: self.starts_at.clone(),
            currency: self.currency.clone(),
            budget: self.budget,
            time_zone: self.time_zone.clone(),
            date_order: self.date_order,
        }
    }
}

pub(super) async fn run(settings: Settings, args: &IngestArgs) -> anyhow::Result<ExitCode> {
    let file = ingest::read(&args.file, &args.options()).map_err(|error| match error {
        // These say by themselves what they are about.
        IngestError::Unreadable { .. } | IngestError::BadOption { .. } => error.into(),
        IngestError::NotAChat(_) | IngestError::BadHeader { .. } => {
            anyhow::Error::new(error).context(args.file.display().to_string())
        }
    })?;
    say_what_was_left_out(&file);
    let asked = Stop::listen()?;
    let settled = if settings.broker.url.expose_secret().is_empty() {
        in_process(settings, args, &file, &asked).await?
    } else {
        through_the_queue(&settings, args, &file, &asked).await?
    };
    let clean = settled && file.broken.is_empty();
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say_what_was_left_out(file: &ChatFile) {
    for broken in &file.broken {
        eprintln!("gleaner: line {}: {}", broken.line, broken.why);
    }
    let Notes { system, media, deleted, assumed } = &file.notes;
    for sentence in assumed {
        eprintln!("gleaner: {sentence}");
    }
    if system + media + deleted > 0 {
        eprintln!(
            "gleaner: left out {system} system lines, {media} media notes, {deleted} deleted messages"
        );
    }
}

/// The embedded default: this process does the work, unless another one is at it already.
async fn in_process(
    mut settings: Settings,
    args: &IngestArgs,
    file: &ChatFile,
    asked: &Stop,
) -> anyhow::Result<bool> {
    settings.cache.bypass |= args.no_cache;
    // A chat log is not traffic; budgets stay.
    settings.limits.event_per_window = 0;
    settings.limits.sender_per_window = 0;
    settings.suggestions.quiet_s = settings.suggestions.quiet_s.min(chat::QUIET_S);
    settings.log.level = "warn".to_owned();
    crate::telemetry::init(&settings.log);
    let started = Instant::now();
    let running = match Prepared::new(settings.clone(), false).await?.start(&asked.stop).await {
        Ok(Some(running)) => running,
        Ok(None) => return Ok(false),
        Err(error) => match error.downcast_ref::<StoreError>() {
            Some(StoreError::AnotherWorker(_)) => {
                return beside_a_worker(&settings, args, file, asked).await;
            }
            _ => return Err(error),
        },
    };
    let report = say_what_is_new(file, running.store()).await?;
    hint(running.broker().as_ref(), &report).await;
    let settled = finish(&settings, args, file, running.store(), asked, started).await;
    running.drain(&asked.at_once).await;
    settled
}

/// A daemon works on the same file: write the rows, it sees them within a second.
async fn beside_a_worker(
    settings: &Settings,
    args: &IngestArgs,
    file: &ChatFile,
    asked: &Stop,
) -> anyhow::Result<bool> {
    let started = Instant::now();
    say_whose_cache(args);
    let store = store::open(&settings.database).await?;
    say_what_is_new(file, &store).await?;
    let settled = finish(settings, args, file, &store, asked, started).await;
    store.close().await;
    settled
}

/// Production engines: write the rows, publish the IDs, and let the replicas work.
async fn through_the_queue(
    settings: &Settings,
    args: &IngestArgs,
    file: &ChatFile,
    asked: &Stop,
) -> anyhow::Result<bool> {
    crate::telemetry::init(&settings.log);
    let started = Instant::now();
    say_whose_cache(args);
    let store = store::open(&settings.database).await?;
    store.check().await?;
    let broker = broker::open(&settings.broker).await?;
    let report = say_what_is_new(file, &store).await?;
    hint(broker.as_ref(), &report).await;
    let settled = finish(settings, args, file, &store, asked, started).await;
    broker.close().await;
    store.close().await;
    settled
}

fn say_whose_cache(args: &IngestArgs) {
    if args.no_cache {
        eprintln!("gleaner: --no-cache has no say here: the workers' own cache.bypass holds");
    }
}

/// Publishes the IDs of what is new; PostgreSQL's scheduler would take its time to find the rows.
async fn hint(broker: &dyn broker::Broker, report: &store::IngestReport) {
    let hints: Vec<ItemId> = report.new.iter().map(ItemId::from).collect();
    if let Err(error) = publish(broker, &hints).await {
        eprintln!(
            "gleaner: the IDs are not published ({error}); the scheduler finds the rows within a minute"
        );
    }
}

/// The broker's supervisor may still be connecting: a few tries, then the scheduler's turn.
async fn publish(broker: &dyn broker::Broker, hints: &[ItemId]) -> Result<(), broker::BrokerError> {
    let policy = crate::delay::DelayPolicy::new(
        std::time::Duration::from_millis(200),
        std::time::Duration::from_secs(2),
    );
    let mut pauses = policy.pauses();
    let mut tries = 0;
    loop {
        tries += 1;
        match broker.publish_hints(hints).await {
            Err(_) if tries < 10 => tokio::time::sleep(pauses.next()).await,
            published => return published,
        }
    }
}

async fn say_what_is_new(
    file: &ChatFile,
    store: &Arc<dyn Store>,
) -> anyhow::Result<store::IngestReport> {
    let report = store.ingest(&file.batch).await?;
    eprintln!(
        "{}: {} new messages, {} known",
        file.batch.event.name,
        report.new.len(),
        report.known
    );
    Ok(report)
}

async fn finish(
    settings: &Settings,
    args: &IngestArgs,
    file: &ChatFile,
    store: &Arc<dyn Store>,
    asked: &Stop,
    started: Instant,
) -> anyhow::Result<bool> {
    if args.no_wait {
        return Ok(true);
    }
    let event = &file.batch.event.id;
    if !chat::wait(store.as_ref(), event, &asked.stop).await? {
        return Ok(false);
    }
    chat::wait_for_suggestions(store.as_ref(), event, &asked.stop).await?;
    let (summary, report) = chat::sum_up(store, settings, event, started).await?;
    chat::print(&summary, &report, args.json)?;
    Ok(true)
}
