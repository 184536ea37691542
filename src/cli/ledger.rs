//! `gleaner ledger`: what each request to a model cost, and what nobody knows yet.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::columns::{Side, dollars, instant, plain, table};
use crate::domain::ids::EventId;
use crate::domain::usage::NanoUsd;
use crate::monitor::ledger::{Dollars, LISTED, LedgerListing, MOST_LISTED, read_state};
use crate::store::{LedgerQuery, LedgerState, Resolved, Store};

#[derive(Debug, Args)]
pub(super) struct LedgerArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List its rows, the newest first: one HTTP request to a model each.
    List(ListArgs),
    /// Say what an ambiguous request cost, as the provider's bill has it.
    Resolve {
        /// The row's ID, as the list names it.
        id: Uuid,
        /// What was billed, in US dollars to the nano-dollar; 0: nothing.
        #[arg(long, value_name = "USD", value_parser = NanoUsd::parse, allow_negative_numbers = true)]
        cost: NanoUsd,
        /// Who says so; the user's name otherwise.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those in this state: reserved, charged, refunded, ambiguous or carried.
    #[arg(long, value_name = "STATE", value_parser = read_state)]
    state: Option<LedgerState>,
    /// Only those of one event.
    #[arg(long, value_name = "ID", value_parser = EventId::parse)]
    event: Option<EventId>,
    /// Only those whose bill was above what was reserved.
    #[arg(long)]
    debt: bool,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = LISTED,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_LISTED)))]
    limit: u32,
    /// Print them as one JSON list.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &dyn Store, args: LedgerArgs) -> anyhow::Result<()> {
    match args.action {
        Action::List(args) => list(store, args).await,
        Action::Resolve { id, cost, by } => resolve(store, id, cost, &super::who(by)).await,
    }
}

async fn list(store: &dyn Store, args: ListArgs) -> anyhow::Result<()> {
    let ListArgs { state, event, debt, limit, json } = args;
    let rows = store.ledger(&LedgerQuery { state, event, debt, limit }).await?;
    let listed: Vec<LedgerListing> = rows.into_iter().map(Into::into).collect();
    if json {
        println!("{}", serde_json::to_string(&listed)?);
    } else {
        print!("{}", page(&listed, limit));
    }
    Ok(())
}

async fn resolve(store: &dyn Store, id: Uuid, cost: NanoUsd, by: &str) -> anyhow::Result<()> {
    match store.resolve(id, cost, by).await? {
        Resolved::Closed if cost == NanoUsd::ZERO => println!("refunded {id}: it cost nothing"),
        Resolved::Closed => {
            println!("charged {id} at {}", dollars(cost));
            if let Some(row) = debt_of(store, id).await? {
                let (reserved, debt) = (dollars(row.reserved.0), dollars(row.debt.0));
                eprintln!(
                    "gleaner: warning: {debt} of it is debt: only {reserved} had been reserved, \
                     so its budgets may be passed by that"
                );
            }
        }
        Resolved::NotAmbiguous(state) => anyhow::bail!(
            "the ledger row {id} is {}, not ambiguous; nothing was changed",
            state.name()
        ),
        Resolved::Unknown => anyhow::bail!("no ledger row has the ID {id}"),
    }
    Ok(())
}

/// The row, if its bill was above what was reserved. Such rows are few.
async fn debt_of(store: &dyn Store, id: Uuid) -> anyhow::Result<Option<LedgerListing>> {
    let query = LedgerQuery { debt: true, limit: MOST_LISTED, ..LedgerQuery::default() };
    let rows = store.ledger(&query).await?;
    Ok(rows.into_iter().find(|row| row.id == id).map(Into::into))
}

/// The rows and their sums, for people.
fn page(listed: &[LedgerListing], limit: u32) -> String {
    if listed.is_empty() {
        return "no such rows\n".to_owned();
    }
    let left = |name| (name, Side::Left);
    let heads = [
        left("ID"),
        left("when"),
        left("state"),
        left("why"),
        left("agent"),
        left("model"),
        ("reserved", Side::Right),
        ("charged", Side::Right),
        left("item"),
    ];
    let rows: Vec<Vec<String>> = listed.iter().map(cells).collect();
    let mut text = table(&heads, &rows);
    text.push('\n');
    text.push_str(&sums(listed));
    if listed.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
        text.push_str(&format!("the newest {limit}; --limit shows more, up to {MOST_LISTED}\n"));
    }
    text
}

fn cells(row: &LedgerListing) -> Vec<String> {
    let charged = match row.state {
        LedgerState::Charged | LedgerState::Carried => row.charged.0.to_string(),
        LedgerState::Refunded => NanoUsd::ZERO.to_string(),
        // Not known yet is not 0.
        LedgerState::Reserved | LedgerState::Ambiguous => "-".to_owned(),
    };
    vec![
        row.id.to_string(),
        instant(row.admitted_at),
        row.state.name().to_owned(),
        row.why.clone().unwrap_or_else(|| "-".to_owned()),
        plain(&row.agent),
        plain(&row.model),
        row.reserved.0.to_string(),
        charged,
        row.item_id.to_string(),
    ]
}

/// What the rows come to, each state by itself: what is set aside is not what was paid.
fn sums(listed: &[LedgerListing]) -> String {
    let of = |state: LedgerState| listed.iter().filter(move |row| row.state == state);
    let sum = |state, amount: fn(&LedgerListing) -> Dollars| -> String {
        of(state).map(|row| amount(row).0).sum::<NanoUsd>().to_string()
    };
    let debt: NanoUsd = listed.iter().map(|row| row.debt.0).sum();
    let paid = match debt {
        NanoUsd::ZERO => "paid".to_owned(),
        debt => format!("paid; {} of it debt, above what was reserved", dollars(debt)),
    };
    let lines = [
        (LedgerState::Reserved, "set aside for requests in flight".to_owned()),
        (LedgerState::Charged, paid),
        (LedgerState::Refunded, "not billed".to_owned()),
        (LedgerState::Ambiguous, "held until somebody says what was billed".to_owned()),
        (LedgerState::Carried, "paid by rows that are not kept, once for each budget".to_owned()),
    ];
    let rows: Vec<Vec<String>> = lines
        .into_iter()
        .map(|(state, meaning)| {
            let counted = match state {
                LedgerState::Reserved | LedgerState::Ambiguous => sum(state, |row| row.reserved),
                LedgerState::Charged | LedgerState::Refunded | LedgerState::Carried => {
                    sum(state, |row| row.charged)
                }
            };
            vec![of(state).count().to_string(), state.name().to_owned(), counted, meaning]
        })
        .filter(|cells| cells[0] != "0")
        .collect();
    let heads =
        [("rows", Side::Right), ("state", Side::Left), ("sum", Side::Right), ("", Side::Left)];
    table(&heads, &rows)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::ids::ItemId;
    use crate::domain::usage::Usage;

    fn row(state: LedgerState, reserved: i64, charged: i64) -> LedgerListing {
        LedgerListing {
            id: Uuid::nil(),
            admitted_at: Timestamp::UNIX_EPOCH,
            state,
            why: (state == LedgerState::Ambiguous).then(|| "abandoned".to_owned()),
            tenant: "acme".to_owned(),
            event_id: EventId::parse("wed").unwrap(),
            item_id: ItemId::parse("m-1").unwrap(),
            agent: "poll_enricher".to_owned(),
            model: "son\u{1b}net".to_owned(),
            reserved: Dollars(NanoUsd(reserved)),
            charged: Dollars(NanoUsd(charged)),
            debt: Dollars(NanoUsd((charged - reserved).max(0))),
            usage: Usage::default(),
            scopes: Vec::new(),
            resolved_at: None,
            resolved_by: None,
        }
    }

    #[test]
    fn rows_are_listed_with_a_sum_for_each_state() {
        let rows = [
            row(LedgerState::Ambiguous, 15_000_000, 0),
            row(LedgerState::Charged, 1_000_000, 1_000_001),
            row(LedgerState::Charged, 9_000_000, 2_000_000),
            row(LedgerState::Reserved, 7, 0),
        ];
        let id = Uuid::nil();
        let expected = format!(
            "\
ID{gap}when                  state      why        agent          model        reserved       charged  item
{id}  1970-01-01 00:00:00Z  ambiguous  abandoned  poll_enricher  son net  $0.015000000             -  m-1
{id}  1970-01-01 00:00:00Z  charged    -          poll_enricher  son net  $0.001000000  $0.001000001  m-1
{id}  1970-01-01 00:00:00Z  charged    -          poll_enricher  son net  $0.009000000  $0.002000000  m-1
{id}  1970-01-01 00:00:00Z  reserved   -          poll_enricher  son net  $0.000000007             -  m-1

rows  state               sum
   1  reserved   $0.000000007  set aside for requests in flight
   2  charged    $0.003000001  paid; $0.000000001 of it debt, above what was reserved
   1  ambiguous  $0.015000000  held until somebody says what was billed
",
            gap = " ".repeat(36)
        );
        assert_eq!(page(&rows, 50), expected);
    }

    #[test]
    fn a_list_that_is_cut_says_so_and_an_empty_one_too() {
        let rows = [row(LedgerState::Refunded, 5, 0)];
        let text = page(&rows, 1);
        assert!(text.contains("   1  refunded  $0.000000000  not billed"), "{text}");
        assert!(text.ends_with("the newest 1; --limit shows more, up to 10000\n"), "{text}");
        assert_eq!(page(&[], 50), "no such rows\n");
    }
}
