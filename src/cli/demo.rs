//! `gleaner demo`: a bundled chat through the whole pipeline, without any server.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{chat, signals::Stop};
use crate::app::Prepared;
use crate::ingest::{self, IngestOptions};
use crate::settings::Settings;

/// The bundled chat: a wedding, without any labels.
const CHAT: &str = include_str!("../../config/demo/wedding.jsonl");
/// The most that a demo may cost, whatever the settings say.
const CAP_USD: f64 = 0.50;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// End after the summary instead of staying up.
    #[arg(long)]
    once: bool,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
    /// Ask a model for every answer, whatever the cache holds.
    #[arg(long)]
    no_cache: bool,
}

/// The environment without anything that names a stranger's database or broker.
pub(super) fn without_servers(environment: &[(String, String)]) -> Vec<(String, String)> {
    let names = ["DATABASE_URL", "AMQP_URL", "GLEANER__DATABASE__", "GLEANER__BROKER__"];
    environment
        .iter()
        .filter(|(key, _)| !names.iter().any(|name| key.starts_with(name)))
        .cloned()
        .collect()
}

/// A chat log is not traffic, so the per-minute limits are lifted; the budget is not.
pub(super) fn settings(mut settings: Settings) -> Settings {
    settings.limits.event_per_window = 0;
    settings.limits.sender_per_window = 0;
    settings.budgets.total.usd = CAP_USD;
    // One process that nobody kills leaves nothing in doubt, and a person waits for it.
    settings.budgets.in_flight_share = 1.0;
    settings.suggestions.quiet_s = settings.suggestions.quiet_s.min(chat::QUIET_S);
    // One chat is no traffic: what it costs stands in its summary.
    settings.alerts.every_s = 0;
    settings.broker.url = SecretString::default();
    settings.log.level = "warn".to_owned();
    settings
}

pub(super) async fn run(mut settings: Settings, args: &DemoArgs) -> anyhow::Result<ExitCode> {
    crate::telemetry::init(&settings.log);
    let asked = Stop::listen()?;
    let folder = std::env::temp_dir().join(format!("gleaner-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    settings.database.url = format!("sqlite:{}", folder.join("demo.db").display()).into();
    settings.cache.bypass |= args.no_cache;
    let ended = play(settings, args, &asked).await;
    // The folder holds nothing but the demo's own file.
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    ended
}

async fn play(settings: Settings, args: &DemoArgs, asked: &Stop) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    say_the_cost(&settings);
    let file = ingest::read_bytes(CHAT.as_bytes(), "demo", &IngestOptions::default())
        .context("the bundled chat")?;
    let event = file.batch.event.id.clone();
    let prepared = prepare(&settings, !args.once).await?;
    let address = prepared.address();
    let Some(mut running) = prepared.start(&asked.stop).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    running.store().ingest(&file.batch).await?;
    let settled = chat::wait(running.store().as_ref(), &event, &asked.stop).await?;
    if settled {
        chat::wait_for_suggestions(running.store().as_ref(), &event, &asked.stop).await?;
        let (summary, report) = chat::sum_up(running.store(), &settings, &event, started).await?;
        chat::print(&summary, &report, args.json)?;
    }
    if let (Some(address), false) = (address, args.once) {
        eprintln!("\nGleaner stays up at http://{address} until Ctrl-C.");
        running.run(&asked.stop).await?;
    }
    running.drain(&asked.at_once).await;
    Ok(ExitCode::SUCCESS)
}

/// Another program may have the usual port; a demo takes any.
async fn prepare(settings: &Settings, with_port: bool) -> anyhow::Result<Prepared> {
    match Prepared::new(settings.clone(), with_port).await {
        Err(error) if with_port && error.downcast_ref::<std::io::Error>().is_some() => {
            let mut settings = settings.clone();
            settings.http.bind = "127.0.0.1:0".to_owned();
            Prepared::new(settings, true).await
        }
        prepared => prepared,
    }
}

/// Before the first call: which model, and the most it can cost.
fn say_the_cost(settings: &Settings) {
    let key = settings.endpoints.get("anthropic").map(|endpoint| endpoint.api_key.expose_secret());
    if key.is_none_or(str::is_empty) {
        eprintln!("No ANTHROPIC_API_KEY: answers come from the knowledge base, free of cost.");
        return;
    }
    let mut models: Vec<&str> =
        settings.agents.values().map(|agent| agent.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    eprintln!("Asking {}; this demo can cost ${CAP_USD:.2} at the most.", models.join(", "));
}
