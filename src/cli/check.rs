//! `gleaner check`: the effective settings, each connection, and on demand the ledger.

use std::process::ExitCode;

use clap::Args;

use crate::broker;
use crate::model::prices::PriceBook;
use crate::model::registry::{Assigned, Models};
use crate::settings::{self, Mistakes, Settings};
use crate::store::{self, Store};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Prove that the ledger balances with the budgets' counters.
    #[arg(long)]
    ledger: bool,
}

pub(super) async fn run(settings: &Settings, args: CheckArgs) -> anyhow::Result<ExitCode> {
    println!("{}", settings::masked(settings).trim_end());
    println!();
    let models = Models::new(settings, PriceBook::of(&settings.prices)?).map_err(Mistakes)?;
    let mut sound = true;
    for assigned in models.iter() {
        sound &= check_chain(assigned).await;
    }
    match check_store(settings, args).await {
        Ok(lines) => lines.iter().for_each(|line| println!("ok      {line}")),
        Err(error) => {
            sound = false;
            println!("FAILED  database: {error:#}");
        }
    }
    match check_broker(settings).await {
        Ok(line) => println!("ok      broker: {line}"),
        Err(error) => {
            sound = false;
            println!("FAILED  broker: {error:#}");
        }
    }
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tries whom an agent asks, in order; whether all of them can be asked.
async fn check_chain(assigned: &Assigned) -> bool {
    let mut sound = true;
    for (nth, choice) in assigned.chain().enumerate() {
        let verb = if nth == 0 { "asks" } else { "then asks" };
        let (model, endpoint) = (choice.model.name(), &choice.endpoint);
        let at = if choice.model.is_free() { String::new() } else { format!(" at {endpoint}") };
        let who = format!("agent {}: {verb} {model}{at}", assigned.agent);
        if !choice.is_asked() {
            sound = false;
            println!("FAILED  {who}; it has no price, so what it is asked ends as `unpriced`");
        } else if !choice.has_price() {
            println!("warning {who}; it has no price, so all that it answers waits to be resolved");
        }
        match choice.model.reach().await {
            Ok(said) => println!("ok      {who}; {said}"),
            Err(error) => {
                sound = false;
                println!("FAILED  {who}; {error}");
            }
        }
    }
    sound
}

async fn check_store(settings: &Settings, args: CheckArgs) -> anyhow::Result<Vec<String>> {
    let store = store::open(&settings.database).await?;
    let checked = lines(store.as_ref(), args).await;
    store.close().await;
    checked
}

async fn lines(store: &dyn Store, args: CheckArgs) -> anyhow::Result<Vec<String>> {
    let check = store.check().await?;
    let mut lines = vec![format!("database: {}, schema version {}", check.server, check.version)];
    if args.ledger {
        match store.ledger_balances().await? {
            Ok(sum) => lines.push(format!("ledger: it balances at {sum}")),
            Err(fault) => anyhow::bail!(
                "the ledger does not balance: {} counts {}, its rows sum to {}",
                fault.scope,
                fault.counted,
                fault.summed
            ),
        }
    }
    Ok(lines)
}

async fn check_broker(settings: &Settings) -> anyhow::Result<String> {
    let broker = broker::open(&settings.broker).await?;
    let checked = broker.check().await;
    broker.close().await;
    Ok(checked?)
}
