//! `gleaner check`: the effective settings, each connection, and on demand the ledger.

use std::process::ExitCode;

use clap::Args;

use super::render::budgets::holds;
use crate::broker;
use crate::domain::usage::NanoUsd;
use crate::limits::{BudgetName, Budgets};
use crate::model::prices::PriceBook;
use crate::model::registry::{Assigned, Models};
use crate::monitor::budgets;
use crate::settings::{self, Mistakes, Settings};
use crate::store::{self, LedgerFault, Store};

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
        Ok(found) => {
            for line in found {
                sound &= line.is_ok();
                match line {
                    Ok(line) => println!("ok      {line}"),
                    Err(line) => println!("FAILED  {line}"),
                }
            }
        }
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

/// What was found: `Err` for what is not as it should be.
type Found = Vec<Result<String, String>>;

async fn check_store(settings: &Settings, args: CheckArgs) -> anyhow::Result<Found> {
    let store = store::open(&settings.database).await?;
    let budgets = Budgets::new(settings.budgets.clone());
    let checked = found(store.as_ref(), &budgets, args).await;
    store.close().await;
    checked
}

async fn found(store: &dyn Store, budgets: &Budgets, args: CheckArgs) -> anyhow::Result<Found> {
    let check = store.check().await?;
    let mut found =
        vec![Ok(format!("database: {}, schema version {}", check.server, check.version))];
    found.extend(holding(store, budgets).await?.into_iter().map(Ok));
    if args.ledger {
        found.push(match store.ledger_balances().await? {
            Ok(sum) => Ok(format!("ledger: it balances at {sum}")),
            Err(fault) => Err(fault_line(&fault)),
        });
    }
    Ok(found)
}

/// Which budgets hold, each with what becomes of messages when it is spent.
async fn holding(store: &dyn Store, budgets: &Budgets) -> anyhow::Result<Vec<String>> {
    let overrides = store.budget_overrides().await?;
    let mut lines = Vec::new();
    for name in [BudgetName::Event("ID".to_owned()), BudgetName::Tenant("NAME".to_owned())] {
        let family = |scope: &str| match (BudgetName::of_scope(scope), &name) {
            (Some(BudgetName::Event(_)), BudgetName::Event(_))
            | (Some(BudgetName::Tenant(_)), BudgetName::Tenant(_)) => true,
            (Some(_), _) | (None, _) => false,
        };
        let own = overrides.iter().filter(|it| family(&it.name)).count();
        let more = match own {
            0 => String::new(),
            own => format!("; {own} with a limit that an operator set"),
        };
        lines.push(format!("{}{more}", holds(&budgets::by_settings(budgets, &name))));
    }
    for name in [BudgetName::Day, BudgetName::Month, BudgetName::Total] {
        lines.push(holds(&budgets::one(store, budgets, &name).await?));
    }
    Ok(lines)
}

/// Where the ledger does not balance, by how much, and which rows to look at.
fn fault_line(fault: &LedgerFault) -> String {
    let LedgerFault { scope, counted, summed, rows } = fault;
    // A row's fault names the row and no scope of a budget.
    if scope.starts_with("ledger row") {
        return format!(
            "ledger: {scope} is wrong in itself: its state and its amounts cannot go together"
        );
    }
    let off = NanoUsd(counted.0.saturating_sub(summed.0).saturating_abs());
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    let which = match &rows[..] {
        [] => "no single row explains it".to_owned(),
        [row] => format!("look at the ledger row {row}"),
        rows => format!("any of these ledger rows would explain it: {}", rows.join(", ")),
    };
    format!(
        "ledger: it does not balance: {scope} counts {counted}, its rows sum to {summed}, \
         a difference of {off}; {which}"
    )
}

async fn check_broker(settings: &Settings) -> anyhow::Result<String> {
    let broker = broker::open(&settings.broker).await?;
    let checked = broker.check().await;
    broker.close().await;
    Ok(checked?)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_ledger_that_does_not_balance_is_told_with_the_rows_that_explain_it() {
        let fault = |rows| LedgerFault {
            scope: "budget:day:2026-11-22".to_owned(),
            counted: NanoUsd(300),
            summed: NanoUsd(1_000_000_200),
            rows,
        };
        let said = "ledger: it does not balance: budget:day:2026-11-22 counts $0.000000300, \
                    its rows sum to $1.000000200, a difference of $0.999999900; ";
        let id = Uuid::nil();
        for (rows, which) in [
            (vec![], "no single row explains it".to_owned()),
            (vec![id], format!("look at the ledger row {id}")),
            (vec![id, id], format!("any of these ledger rows would explain it: {id}, {id}")),
        ] {
            assert_eq!(fault_line(&fault(rows)), format!("{said}{which}"));
        }
        let row = LedgerFault { scope: format!("ledger row {id}"), ..fault(vec![id]) };
        assert!(
            fault_line(&row).starts_with(&format!("ledger: ledger row {id} is wrong in itself"))
        );
    }
}
