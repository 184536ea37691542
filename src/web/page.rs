//! A plain page that says what runs here and where to look further.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Html;

use crate::store::QueueReport;

use super::{Shown, queue};

/// What there is to ask for.
pub(super) const PATHS: [&str; 7] =
    ["/", "/api/queue", "/api/budgets", "/api/ledger", "/metrics", "/readyz", "/livez"];

/// `/`
pub(super) async fn page(State(shown): State<Shown>) -> Html<String> {
    let figures = shown.figures().await;
    let state = &shown.state;
    let runs = format!(
        "{} on {} and the {} queue",
        state.pulse.phase().name(),
        state.store().map_or("no store yet", |store| store.engine()),
        state.broker().1
    );
    Html(render(&runs, figures.as_ref()))
}

/// Only fixed words and numbers go into the page, so there is nothing to escape.
fn render(runs: &str, figures: Option<&QueueReport>) -> String {
    let mut rows = String::new();
    for (state, count) in figures.map(queue::states).into_iter().flatten() {
        row(&mut rows, state, &count.to_string());
    }
    match figures {
        Some(report) => {
            row(&mut rows, "completion events owed", &report.owed.to_string());
            row(&mut rows, "oldest due", &format!("{} s", report.oldest_due.as_secs()));
        }
        None => row(&mut rows, "the store", "does not answer"),
    }
    let links: String =
        PATHS[1..].iter().map(|path| format!("<li><a href=\"{path}\">{path}</a></li>")).collect();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Gleaner</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}}\
         td{{padding:.2rem 1.5rem .2rem 0}}td+td{{text-align:right}}</style></head><body>\
         <h1>Gleaner {}</h1><p>{runs}.</p><table>{rows}</table><ul>{links}</ul></body></html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn row(rows: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    write!(rows, "<tr><td>{name}</td><td>{value}</td></tr>").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_page_says_how_the_queue_is_and_where_to_look() {
        let report = QueueReport {
            pending: 17,
            processing: 0,
            completed: 0,
            skipped: 0,
            failed: 0,
            owed: 3,
            oldest_due: Duration::from_secs(9),
            oldest_processing: Duration::ZERO,
        };
        let page = render("running on sqlite and the embedded queue", Some(&report));
        assert!(page.contains("<td>pending</td><td>17</td>"));
        assert!(PATHS[1..].iter().all(|path| page.contains(&format!("href=\"{path}\""))));
    }

    #[test]
    fn the_page_says_when_the_store_does_not_answer() {
        assert!(render("running", None).contains("does not answer"));
    }
}
