//! The command line: one file a command, each thin.
//!
//! Results go to standard output, all else to standard error. Exit codes:
//! 0 clean, 1 failed, 2 usage or settings.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is where the program speaks to a person"
)]

mod alerts;
mod budget;
mod cache;
mod chat;
mod check;
mod columns;
mod costs;
mod demo;
mod detect;
mod eval;
mod ingest;
mod knowledge;
mod ledger;
mod migrate;
mod outcomes;
pub mod render;
mod rollout;
mod run;
mod signals;
mod suggestions;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::ingest::IngestError;
use crate::settings::{self, Mistakes, Settings};
use crate::store::{self, Store};

/// Turns the chat of a group that plans an event into tasks, expenses, polls and answers.
#[derive(Debug, Parser)]
#[command(name = "gleaner", version, max_term_width = 100)]
struct Cli {
    /// Settings that override the defaults; the environment overrides both.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a bundled group chat through the whole pipeline, without any server.
    Demo(demo::DemoArgs),
    /// Run a chat file through the pipeline: JSON Lines, or a WhatsApp export.
    Ingest(ingest::IngestArgs),
    /// Say what each message of a JSON Lines file is for, without a model.
    Detect(detect::DetectArgs),
    /// Say how often detection is right on labelled messages, or what comes of whole chats.
    Eval(eval::EvalArgs),
    /// Learn the weights of detection from labelled messages.
    Train(train::TrainArgs),
    /// Work as a daemon until stopped.
    Run,
    /// Bring the database's schema up to date.
    Migrate,
    #[command(flatten)]
    Operate(Operate),
    /// Print the effective settings and which budgets hold, and try each connection.
    Check(check::CheckArgs),
}

/// What operators ask and say, through the store alone.
#[derive(Debug, Subcommand)]
enum Operate {
    /// List what groups may do next, or dismiss one of it.
    Suggestions(suggestions::SuggestionsArgs),
    /// Show what it cost, what the cache avoided, and by which intent.
    Costs(costs::CostsArgs),
    /// Show how long answers took in the last hour.
    Performance(costs::PerformanceArgs),
    /// Show what was paid and what is in doubt, or close what is in doubt.
    Ledger(ledger::LedgerArgs),
    /// Show how far each budget is, or change its limit for all replicas at once.
    Budget(budget::BudgetArgs),
    /// Show what the answer cache holds and how often it is hit, or empty it.
    Cache(cache::CacheArgs),
    /// Show for which share of events Gleaner works and what came of it, or change that.
    Rollout(rollout::RolloutArgs),
    /// Ask no model from now on, on all replicas; messages that need one wait, offline answers go on.
    Pause(rollout::PauseArgs),
    /// Ask models again.
    Resume(rollout::PauseArgs),
    /// List what is wrong now.
    Alerts(alerts::AlertsArgs),
}

/// Reads the arguments, runs the command, prints the error: all that `main` does.
pub fn main() -> ExitCode {
    // Where, and not in which words: those may quote a message.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        eprintln!("gleaner: panicked at {place}");
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows which stream is theirs.
            let usage = error.use_stderr();
            error.print().ok();
            return if usage { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match dispatch(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gleaner: {error:#}");
            let option = error.downcast_ref::<IngestError>();
            let usage = matches!(option, Some(IngestError::BadOption { .. }))
                || error.downcast_ref::<Mistakes>().is_some();
            if usage { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let environment: Vec<(String, String)> = std::env::vars().collect();
    let read =
        |environment: &[(String, String)]| settings::load(cli.config.as_deref(), environment);
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match cli.command {
        Command::Demo(args) => {
            let settings = demo::settings(read(&demo::without_servers(&environment))?);
            runtime()?.block_on(demo::run(settings, &args))
        }
        Command::Ingest(args) => {
            let settings = read(&environment)?;
            runtime()?.block_on(ingest::run(settings, &args))
        }
        Command::Detect(args) => detect::run(&args, &read(&environment)?.detect),
        Command::Eval(args) if args.outcomes => {
            let mut settings = read(&demo::without_servers(&environment))?;
            args.knowledge.choose(&mut settings.detect);
            runtime()?.block_on(outcomes::run(settings, &args.files, args.json))
        }
        Command::Eval(args) => eval::run(&args, &read(&environment)?.detect),
        Command::Train(args) => train::run(&args, &read(&environment)?.detect),
        Command::Run => runtime()?.block_on(run::run(with_log(read(&environment)?))),
        Command::Migrate => runtime()?.block_on(migrate::run(&with_log(read(&environment)?))),
        Command::Operate(command) => runtime()?.block_on(operate(read(&environment)?, command)),
        Command::Check(args) => runtime()?.block_on(check::run(&read(&environment)?, args)),
    }
}

/// Runs an operator's command on the store that the settings name, once its schema is known to fit.
async fn operate(settings: Settings, command: Operate) -> anyhow::Result<ExitCode> {
    let store = store::open(&settings.database).await?;
    let done = match store.check().await {
        Ok(_) => operate_on(store.as_ref(), &settings, command).await,
        Err(unfit) => Err(unfit.into()),
    };
    store.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn operate_on(
    store: &dyn Store,
    settings: &Settings,
    command: Operate,
) -> anyhow::Result<()> {
    match command {
        Operate::Suggestions(args) => suggestions::run(store, args).await,
        Operate::Costs(args) => costs::run(store, &args).await,
        Operate::Performance(args) => costs::performance(store, &args).await,
        Operate::Ledger(args) => ledger::run(store, args).await,
        Operate::Budget(args) => budget::run(store, settings, args).await,
        Operate::Cache(args) => cache::run(store, args).await,
        Operate::Rollout(args) => rollout::run(store, args).await,
        Operate::Pause(args) => rollout::pause(store, args, true).await,
        Operate::Resume(args) => rollout::pause(store, args, false).await,
        Operate::Alerts(args) => alerts::run(store, &args).await,
    }
}

/// Who acts: as said, or else the user's name.
fn who(said: Option<String>) -> String {
    let user = std::env::var("USER").ok();
    let name = [said, user].into_iter().flatten().find(|name| !name.trim().is_empty());
    name.map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// The settings, once logging is as they say.
fn with_log(settings: Settings) -> Settings {
    crate::telemetry::init(&settings.log);
    settings
}
