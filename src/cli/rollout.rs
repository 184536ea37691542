//! `gleaner rollout`, `pause` and `resume`: for whom Gleaner works, from now on and on all replicas.

use clap::Args;

use super::columns::{Side, dollars, table};
use crate::domain::ids::EventId;
use crate::monitor::costs::Timeframe;
use crate::monitor::rollout::{RolloutListing, SideListing};
use crate::store::{RuntimeChange, Store};

#[derive(Debug, Args)]
pub(super) struct RolloutArgs {
    /// The share of events that are worked for, 0 to 100; raising it never drops one.
    #[arg(value_parser = clap::value_parser!(u8).range(0..=100))]
    percent: Option<u8>,
    /// This event is always worked for.
    #[arg(long, value_name = "EVENT", value_parser = EventId::parse)]
    allow: Vec<EventId>,
    /// This event is never worked for, whatever else is said.
    #[arg(long, value_name = "EVENT", value_parser = EventId::parse)]
    deny: Vec<EventId>,
    /// This event goes by the percentage again.
    #[arg(long, value_name = "EVENT", value_parser = EventId::parse)]
    unlist: Vec<EventId>,
    /// Who says so; the user's name otherwise.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Over which time the figures are: today, week or month.
    #[arg(long, value_parser = Timeframe::read, default_value = "today")]
    timeframe: Timeframe,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PauseArgs {
    /// Who says so; the user's name otherwise.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &dyn Store, args: RolloutArgs) -> anyhow::Result<()> {
    let by = super::who(args.by);
    let mut named: Vec<&EventId> =
        args.allow.iter().chain(&args.deny).chain(&args.unlist).collect();
    named.sort();
    let twice = named.windows(2).find(|pair| pair[0] == pair[1]);
    if let Some([event, _]) = twice {
        anyhow::bail!("the event {event} is named twice; nothing was changed");
    }
    let unlist = args.unlist.into_iter().map(RuntimeChange::Unlist);
    let allow = args.allow.into_iter().map(RuntimeChange::Allow);
    let deny = args.deny.into_iter().map(RuntimeChange::Deny);
    let percent = args.percent.map(RuntimeChange::Rollout);
    for change in unlist.chain(allow).chain(deny).chain(percent) {
        store.change_runtime(&change, &by).await?;
    }
    let listing = RolloutListing::read(store, args.timeframe).await?;
    if args.json {
        println!("{}", serde_json::to_string(&listing)?);
    } else {
        print!("{}", page(&listing));
    }
    Ok(())
}

/// `gleaner pause` and, with `paused: false`, `gleaner resume`.
pub(super) async fn pause(store: &dyn Store, args: PauseArgs, paused: bool) -> anyhow::Result<()> {
    let by = super::who(args.by);
    let now = store.change_runtime(&RuntimeChange::Pause(paused), &by).await?;
    if args.json {
        println!("{}", serde_json::json!({ "paused": now.paused }));
    } else if now.paused {
        println!(
            "paused: no model is asked from now on. Messages are still read, those that need one \
             wait until `gleaner resume`, and offline answers go on."
        );
    } else {
        println!("resumed: models are asked again, and messages that waited have their turn.");
    }
    Ok(())
}

fn page(rollout: &RolloutListing) -> String {
    let list = |name: &str, events: &[EventId]| match events {
        [] => String::new(),
        events => {
            let events: Vec<&str> = events.iter().map(EventId::as_str).collect();
            format!("{name}: {}\n", events.join(", "))
        }
    };
    let paused = if rollout.paused { "; paused: no model is asked" } else { "" };
    format!(
        "rollout: {} % of events{paused}\n{}{}\n{}",
        rollout.percent,
        list("always", &rollout.allow),
        list("never", &rollout.deny),
        sides(rollout)
    )
}

fn sides(rollout: &RolloutListing) -> String {
    let heads =
        [(rollout.timeframe.name(), Side::Left), ("inside", Side::Right), ("outside", Side::Right)];
    let sides = [&rollout.inside, &rollout.outside];
    let row = |name: &str, cell: fn(&SideListing) -> String| {
        std::iter::once(name.to_owned()).chain(sides.map(cell)).collect::<Vec<String>>()
    };
    let rows = [
        row("events", |it| it.events.to_string()),
        row("messages", |it| it.messages.to_string()),
        row("completed", |it| it.completed.to_string()),
        row("skipped", |it| it.skipped.to_string()),
        row("failed", |it| format!("{} ({:.1} %)", it.failed, it.failed_percent)),
        row("requests to models", |it| it.model_calls.to_string()),
        row("cost", |it| dollars(it.cost.0)),
        row("cost per event", |it| dollars(it.cost_per_event.0)),
        row("settled in, p50", |it| format!("{:.1} ms", it.p50)),
        row("settled in, p95", |it| format!("{:.1} ms", it.p95)),
        row("settled in, p99", |it| format!("{:.1} ms", it.p99)),
    ];
    table(&heads, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RolloutSide;

    #[test]
    fn the_rollout_is_shown_with_its_lists_and_both_sides() {
        let inside = RolloutSide { events: 1, completed: 3, failed: 1, ..RolloutSide::default() };
        let text = page(&RolloutListing {
            percent: 25,
            allow: vec![EventId::parse("wed").unwrap()],
            deny: Vec::new(),
            paused: true,
            timeframe: Timeframe::Today,
            inside: inside.into(),
            outside: RolloutSide::default().into(),
        });
        assert!(text.starts_with("rollout: 25 % of events; paused"), "{text}");
        assert!(text.contains("always: wed\n") && !text.contains("never"), "{text}");
        assert!(text.contains("failed              1 (25.0 %)  0 (0.0 %)\n"), "{text}");
    }
}
