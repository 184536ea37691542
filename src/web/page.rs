//! The dashboard: what runs here, what it costs, how fast it is and what is wrong, at a glance.
//!
//! It is one page without a script or an asset from elsewhere, written anew every
//! few seconds. Whatever is not a fixed word or a number is escaped.

mod html;

use axum::extract::State;
use axum::response::Html;

use crate::monitor::costs::{Costs, Speed};
use crate::monitor::rollout::{RolloutListing, SideListing};
use crate::monitor::summary::Dollars;
use crate::store::{AlertRow, QueueReport};

use super::figures::{self, Overview};
use super::{Shown, queue};
use html::{escaped, row, table};

/// What there is to ask for beside the page itself.
pub(super) const PATHS: [&str; 6] =
    ["/api/queue", "/api/budgets", "/api/ledger", "/metrics", "/readyz", "/livez"];

/// How often the page is loaded anew, in seconds.
const EVERY_S: u32 = 10;

/// Alerts that are shown; the rest is counted.
const MOST_ALERTS: usize = 20;

/// `/`
pub(super) async fn page(State(shown): State<Shown>) -> Html<String> {
    let overview = shown.overview().await;
    let state = &shown.state;
    let runs = format!(
        "{} on {} and the {} queue",
        state.pulse.phase().name(),
        state.store().map_or("no store yet", |store| store.engine()),
        state.broker().1
    );
    Html(render(&runs, overview.as_ref()))
}

fn render(runs: &str, overview: Option<&Overview>) -> String {
    let sections = match overview {
        Some(overview) => sections(overview),
        None => "<section class=\"alert\"><h2>The store does not answer</h2></section>".to_owned(),
    };
    let links: String = PATHS
        .iter()
        .chain(&figures::PATHS)
        .map(|path| format!("<a href=\"{path}\">{path}</a>"))
        .collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"{EVERY_S}\"><title>Gleaner</title>\
         <style>{}</style></head><body><main><header><h1>Gleaner {}</h1><p class=\"soft\">{}</p>\
         </header><div class=\"grid\">{sections}</div><nav class=\"soft\">{links}</nav></main></body></html>\n",
        include_str!("page.css"),
        env!("CARGO_PKG_VERSION"),
        escaped(runs),
    )
}

fn sections(overview: &Overview) -> String {
    let Overview { costs, performance, queue, alerts, rollout } = overview;
    [
        open_alerts(alerts),
        tiles(costs),
        intents(costs),
        latency(&performance.last_hour),
        queued(queue),
        rolled_out(rollout),
    ]
    .concat()
}

fn section(class: &str, title: &str, body: &str) -> String {
    format!("<section class=\"{class}\"><h2>{title}</h2>{body}</section>")
}

fn open_alerts(alerts: &[AlertRow]) -> String {
    let one = |alert: &AlertRow| {
        let since = alert.fired_at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let [rule, text, since] = [&alert.rule, &alert.text, &since].map(|it| escaped(it));
        format!("<p><b>{rule}</b> {text} <span class=\"soft\">since {since}</span></p>")
    };
    let shown: String = alerts.iter().take(MOST_ALERTS).map(one).collect();
    match alerts.len() {
        0 => section("wide", "Open alerts", "<p class=\"good\">None.</p>"),
        1 => section("wide alert", "1 open alert", &shown),
        count if count <= MOST_ALERTS => {
            section("wide alert", &format!("{count} open alerts"), &shown)
        }
        count => {
            let more = format!("<p class=\"soft\">and {} more</p>", count - MOST_ALERTS);
            section("wide alert", &format!("{count} open alerts"), &(shown + &more))
        }
    }
}

/// The figures that matter most: today's large, the week's and the month's beneath.
fn tiles(costs: &[Costs]) -> String {
    let tile = |name: &str, cell: fn(&Costs) -> String| {
        let [today, rest @ ..] = costs else { return String::new() };
        let told = |costs: &Costs| format!("{} {}", costs.timeframe.name(), cell(costs));
        let rest = rest.iter().map(told).collect::<Vec<_>>().join(" · ");
        let body = format!("<p class=\"figure\">{}</p><p class=\"soft\">{rest}</p>", cell(today));
        section("tile", name, &body)
    };
    let tiles = [
        tile("Total calls", |it| it.total_calls.to_string()),
        tile("Total cost", |it| dollars(it.total_cost)),
        tile("Average latency", |it| millis(it.avg_latency)),
        tile("Cache hit rate", |it| format!("{:.1} %", it.cache_hit_rate)),
        tile("Avoided by the cache", |it| dollars(it.avoided_cost)),
        tile("In doubt", |it| dollars(it.ambiguous_cost)),
    ];
    format!("<div class=\"wide tiles\">{}</div>", tiles.concat())
}

/// Calls of each intent, with what they cost beneath.
fn intents(costs: &[Costs]) -> String {
    let Some(first) = costs.first() else { return String::new() };
    let names = first.by_intent.0.iter().map(|(name, _)| name);
    let rows: Vec<String> = names
        .enumerate()
        .map(|(nth, name)| {
            let cells = costs.iter().map(|costs| {
                let intent = costs.by_intent.0[nth].1;
                let cost = dollars(intent.cost);
                format!("{} <span class=\"soft\">{cost}</span>", intent.count)
            });
            let name = escaped(&name.replace('_', " "));
            row(&std::iter::once(name).chain(cells).collect::<Vec<String>>())
        })
        .collect();
    section("", "By intent", &table(&["calls and cost", "today", "week", "month"], &rows))
}

fn latency(speed: &Speed) -> String {
    let rows = [
        row(&["Calls".to_owned(), speed.calls.to_string()]),
        row(&["Average".to_owned(), millis(speed.avg_latency)]),
        row(&["p50".to_owned(), millis(speed.p50)]),
        row(&["p95".to_owned(), millis(speed.p95)]),
        row(&["p99".to_owned(), millis(speed.p99)]),
    ];
    section("", "Latency in the last hour", &table(&["", "last hour"], &rows))
}

fn queued(report: &QueueReport) -> String {
    let mut rows: Vec<String> = queue::states(report)
        .iter()
        .map(|(state, count)| row(&[(*state).to_owned(), count.to_string()]))
        .collect();
    rows.push(row(&["completion events owed".to_owned(), report.owed.to_string()]));
    let age = |time: std::time::Duration| format!("{} s", time.as_secs());
    rows.push(row(&["oldest due".to_owned(), age(report.oldest_due)]));
    rows.push(row(&["longest at work".to_owned(), age(report.oldest_processing)]));
    section("", "Queue", &table(&["state", "messages"], &rows))
}

fn rolled_out(rollout: &RolloutListing) -> String {
    let lists = format!("{} always, {} never", rollout.allow.len(), rollout.deny.len());
    let paused = if rollout.paused {
        "<p class=\"bad\">Paused: no model is asked until somebody resumes.</p>"
    } else {
        ""
    };
    let bar = format!("<div class=\"bar\"><i style=\"width:{}%\"></i></div>", rollout.percent);
    let sides = [&rollout.inside, &rollout.outside];
    let line = |name: &str, cell: fn(&SideListing) -> String| {
        row(&std::iter::once(name.to_owned()).chain(sides.map(cell)).collect::<Vec<String>>())
    };
    let rows = [
        line("Events", |it| it.events.to_string()),
        line("Messages", |it| it.messages.to_string()),
        line("Failed", |it| format!("{:.1} %", it.failed_percent)),
        line("Cost per event", |it| dollars(it.cost_per_event)),
        line("Settled in, p95", |it| millis(it.p95)),
    ];
    let said = format!("<p>{} % of events; {lists}</p>{bar}{paused}", rollout.percent);
    section("", "Rollout", &(said + &table(&["today", "inside", "outside"], &rows)))
}

/// To the cent; below a dollar to a hundredth of one.
fn dollars(amount: Dollars) -> String {
    let dollars = amount.0.dollars();
    if dollars.abs() < 1.0 && amount != Dollars::default() {
        format!("${dollars:.4}")
    } else {
        format!("${dollars:.2}")
    }
}

fn millis(millis: f64) -> String {
    if millis < 10.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

#[cfg(test)]
mod tests;
