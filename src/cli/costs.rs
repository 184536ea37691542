//! `gleaner costs` and `gleaner performance`: what it cost and how fast it was.

use clap::Args;

use super::columns::{Side, dollars, table};
use crate::monitor::costs::{Costs, Performance, Timeframe};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct CostsArgs {
    /// today, week or month: the last 24 hours, 7 days or 30 days; without it all three are shown.
    #[arg(long, value_parser = Timeframe::read)]
    timeframe: Option<Timeframe>,
    /// Print one JSON object; of today, where no timeframe is named.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct PerformanceArgs {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &dyn Store, args: &CostsArgs) -> anyhow::Result<()> {
    if args.json {
        let costs = Costs::read(store, args.timeframe.unwrap_or_default()).await?;
        println!("{}", serde_json::to_string(&costs)?);
        return Ok(());
    }
    let mut all = Vec::new();
    for timeframe in args.timeframe.map_or(Timeframe::ALL.to_vec(), |one| vec![one]) {
        all.push(Costs::read(store, timeframe).await?);
    }
    print!("{}\n{}", totals(&all), intents(&all));
    Ok(())
}

pub(super) async fn performance(store: &dyn Store, args: &PerformanceArgs) -> anyhow::Result<()> {
    let performance = Performance::read(store).await?;
    if args.json {
        println!("{}", serde_json::to_string(&performance)?);
    } else {
        print!("{}", speed(&performance));
    }
    Ok(())
}

/// One column a timeframe.
fn totals(all: &[Costs]) -> String {
    let mut heads = vec![("", Side::Left)];
    heads.extend(all.iter().map(|costs| (costs.timeframe.name(), Side::Right)));
    let row = |name: &str, cell: fn(&Costs) -> String| {
        let cells = all.iter().map(cell);
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<String>>()
    };
    let rows = [
        row("calls", |it| it.total_calls.to_string()),
        row("cost", |it| dollars(it.total_cost.0)),
        row("in doubt", |it| dollars(it.ambiguous_cost.0)),
        row("avoided", |it| dollars(it.avoided_cost.0)),
        row("tokens", |it| it.total_tokens.to_string()),
        row("requests to models", |it| it.model_calls.to_string()),
        row("from the cache", |it| format!("{:.1} %", it.cache_hit_rate)),
        row("average latency", |it| format!("{:.1} ms", it.avg_latency)),
    ];
    table(&heads, &rows)
}

/// Calls and cost by intent, those of all timeframes side by side.
fn intents(all: &[Costs]) -> String {
    let mut heads = vec![("intent", Side::Left)];
    for costs in all {
        heads.extend([(costs.timeframe.name(), Side::Right), ("cost", Side::Right)]);
    }
    let names = all.first().map(|costs| costs.by_intent.0.iter().map(|(name, _)| name));
    let row = |(nth, name): (usize, &String)| {
        let cells = all.iter().flat_map(|costs| {
            let intent = costs.by_intent.0[nth].1;
            [intent.count.to_string(), dollars(intent.cost.0)]
        });
        std::iter::once(name.clone()).chain(cells).collect::<Vec<String>>()
    };
    let rows: Vec<Vec<String>> = names.into_iter().flatten().enumerate().map(row).collect();
    table(&heads, &rows)
}

fn speed(performance: &Performance) -> String {
    let speed = performance.last_hour;
    let heads =
        ["last hour: calls", "average", "p50", "p95", "p99"].map(|head| (head, Side::Right));
    let times = [speed.avg_latency, speed.p50, speed.p95, speed.p99];
    let mut row = vec![speed.calls.to_string()];
    row.extend(times.map(|millis| format!("{millis:.1} ms")));
    table(&heads, &[row])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::intent::Intent;
    use crate::domain::usage::NanoUsd;
    use crate::store::{Figures, Sums};

    #[test]
    fn timeframes_stand_side_by_side() {
        let sums = Sums {
            items: 4,
            cached: 1,
            cost: NanoUsd(12_000_000),
            latency: Duration::from_millis(10),
            ..Sums::default()
        };
        let week = Figures { by_intent: vec![(Intent::TaskCreation, sums)] };
        let all =
            [Costs::of(Timeframe::Today, &Figures::default()), Costs::of(Timeframe::Week, &week)];
        let totals = totals(&all);
        assert!(totals.contains("cost                 $0.00  $0.012\n"), "{totals}");
        assert!(totals.contains("from the cache       0.0 %  25.0 %\n"), "{totals}");
        let intents = intents(&all);
        assert!(intents.contains("task_creation      0  $0.00     4  $0.012\n"), "{intents}");
    }
}
