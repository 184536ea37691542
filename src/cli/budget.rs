//! `gleaner budget`: how far each budget is, and its limit for all replicas at once.

use clap::{Args, Subcommand};

use super::render::budgets::{block, overview};
use crate::domain::ids::EventId;
use crate::domain::usage::NanoUsd;
use crate::limits::{BudgetName, Budgets};
use crate::monitor::budgets::{self, BudgetListing};
use crate::settings::Settings;
use crate::store::{BudgetChange, Store};

#[derive(Debug, Args)]
pub(super) struct BudgetArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show budgets: their limits and who set them, what is spent, in flight, in doubt and left.
    Show {
        /// day, month, total, tenant:NAME or event:ID; without one day, month, total, all tenants,
        /// the most spent events and those whose limit was set.
        #[arg(value_parser = scope)]
        scope: Option<BudgetName>,
        /// Print them as one JSON list.
        #[arg(long)]
        json: bool,
    },
    /// Set a budget's limit, from now on and whatever the settings say.
    Set {
        /// day, month, total, tenant:NAME or event:ID.
        #[arg(value_parser = scope)]
        scope: BudgetName,
        /// The most that a window may cost in US dollars, 0 to admit nothing; `none` lifts the
        /// limit, `default` goes back to the settings.
        #[arg(value_name = "USD|none|default", value_parser = change, allow_negative_numbers = true)]
        limit: BudgetChange,
        /// Who sets it; the user's name otherwise.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

fn scope(text: &str) -> Result<BudgetName, String> {
    let forms = "a budget is day, month, total, tenant:NAME or event:ID";
    let name = BudgetName::read(text).ok_or(forms)?;
    if let BudgetName::Event(id) = &name {
        EventId::parse(id).map_err(|bad| bad.to_string())?;
    }
    Ok(name)
}

fn change(text: &str) -> Result<BudgetChange, String> {
    match text {
        "none" => Ok(BudgetChange::Lift),
        "default" => Ok(BudgetChange::Default),
        amount => NanoUsd::parse(amount)
            .map(BudgetChange::Limit)
            .map_err(|bad| format!("{bad}; or none, or default")),
    }
}

pub(super) async fn run(
    store: &dyn Store,
    settings: &Settings,
    args: BudgetArgs,
) -> anyhow::Result<()> {
    let budgets = &Budgets::new(settings.budgets.clone());
    match args.action {
        Action::Show { scope, json } => {
            let listed = match &scope {
                Some(name) => vec![budgets::one(store, budgets, name).await?],
                None => budgets::overview(store, budgets).await?,
            };
            match (&listed[..], scope) {
                _ if json => println!("{}", serde_json::to_string(&listed)?),
                ([one], Some(_)) => print!("{}", block(one)),
                (all, _) => print!("{}", overview(all)),
            }
        }
        Action::Set { scope, limit, by } => {
            let by = super::who(by);
            store.set_budget(&scope.scope(), limit, &by).await?;
            let now = budgets::one(store, budgets, &scope).await?;
            println!("{}", told(&now, limit));
            note_unknown(store, &scope).await?;
            print!("\n{}", block(&now));
        }
    }
    Ok(())
}

/// What a change means.
fn told(now: &BudgetListing, change: BudgetChange) -> String {
    let budget = &now.budget;
    match change {
        BudgetChange::Limit(NanoUsd::ZERO) => {
            format!("{budget} admits nothing from now on, until its limit is changed again")
        }
        BudgetChange::Limit(limit) => {
            format!("{budget} is limited to {} from now on", super::columns::dollars(limit))
        }
        BudgetChange::Lift => format!("{budget} has no limit from now on; it still counts"),
        BudgetChange::Default => format!("{budget} is what the settings say from now on"),
    }
}

/// A limit may be set before its event comes; but a name that was mistyped should not pass for that.
async fn note_unknown(store: &dyn Store, scope: &BudgetName) -> anyhow::Result<()> {
    if let BudgetName::Event(id) = scope
        && store.progress(&EventId::parse(id)?).await?.total == 0
    {
        eprintln!("gleaner: no message of the event {id} is known yet");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_one_of_five_forms() {
        assert_eq!(scope("event:wed"), Ok(BudgetName::Event("wed".to_owned())));
        assert_eq!(scope("month"), Ok(BudgetName::Month));
        for wrong in ["week", "event:", "event:two words", "tenant"] {
            let said = scope(wrong).unwrap_err();
            assert!(said.contains("event:ID") || said.contains("event ID"), "{said}");
        }
    }

    #[test]
    fn a_limit_is_an_amount_none_or_default() {
        assert_eq!(change("none"), Ok(BudgetChange::Lift));
        assert_eq!(change("default"), Ok(BudgetChange::Default));
        assert_eq!(change("0"), Ok(BudgetChange::Limit(NanoUsd::ZERO)));
        assert_eq!(change("2.5"), Ok(BudgetChange::Limit(NanoUsd(2_500_000_000))));
        assert!(change("-1").unwrap_err().contains("or none, or default"));
    }
}
