//! `gleaner alerts`: what is wrong now, and what was.

use clap::Args;

use super::columns::{Side, instant, plain, table};
use crate::store::{AlertRow, Store};

#[derive(Debug, Args)]
pub(super) struct AlertsArgs {
    /// So many resolved ones, too, the newest first.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    resolved: u32,
    /// Print them as one JSON list.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(store: &dyn Store, args: &AlertsArgs) -> anyhow::Result<()> {
    let alerts = store.alerts(args.resolved).await?;
    if args.json {
        println!("{}", serde_json::to_string(&alerts)?);
    } else {
        print!("{}", page(&alerts));
    }
    Ok(())
}

fn page(alerts: &[AlertRow]) -> String {
    let open = alerts.iter().filter(|alert| alert.resolved_at.is_none()).count();
    if alerts.is_empty() {
        return "no open alerts\n".to_owned();
    }
    let heads = ["fired", "resolved", "rule", ""].map(|head| (head, Side::Left));
    let rows: Vec<Vec<String>> = alerts
        .iter()
        .map(|alert| {
            let resolved = alert.resolved_at.map_or_else(|| "open".to_owned(), instant);
            vec![instant(alert.fired_at), resolved, plain(&alert.rule), plain(&alert.text)]
        })
        .collect();
    format!("{}\n{open} open\n", table(&heads, &rows))
}
