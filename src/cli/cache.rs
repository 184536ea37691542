//! `gleaner cache`: what the answer cache holds, and how it is emptied.

use clap::{Args, Subcommand};

use super::columns::{Side, dollars, plain, table};
use crate::monitor::cache::CacheListing;
use crate::monitor::costs::Timeframe;
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show its size, its entries by prefix, and how often it was hit.
    Stats {
        /// Over which time hits are counted: today, week or month.
        #[arg(long, value_parser = Timeframe::read, default_value = "today")]
        timeframe: Timeframe,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Drop entries: from the store at once; every replica empties its memory within two seconds.
    Clear {
        /// Only those whose key begins with this: `task:florist:`.
        #[arg(required_unless_present = "all", conflicts_with = "all",
              value_parser = clap::builder::NonEmptyStringValueParser::new())]
        prefix: Option<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
}

pub(super) async fn run(store: &dyn Store, args: CacheArgs) -> anyhow::Result<()> {
    match args.action {
        Action::Stats { timeframe, json } => {
            let listing = CacheListing::read(store, timeframe).await?;
            if json {
                println!("{}", serde_json::to_string(&listing)?);
            } else {
                print!("{}", page(&listing));
            }
        }
        Action::Clear { prefix, all: _ } => {
            let dropped = store.clear_cache(&prefix.unwrap_or_default()).await?;
            let entries = if dropped == 1 { "entry" } else { "entries" };
            println!("dropped {dropped} {entries}");
        }
    }
    Ok(())
}

fn page(cache: &CacheListing) -> String {
    let mut text = format!(
        "{} entries, {} active and {} expired, {:.1} KiB\n\
         {}: {} hits and {} misses, {:.1} % hit; avoided {} and {} tokens\n",
        cache.size,
        cache.active,
        cache.expired,
        cache.bytes as f64 / 1024.0,
        cache.timeframe.name(),
        cache.hits,
        cache.misses,
        cache.hit_rate,
        dollars(cache.avoided_cost.0),
        cache.avoided_tokens,
    );
    if cache.by_prefix.is_empty() {
        return text;
    }
    let heads = [("prefix", Side::Left), ("entries", Side::Right), ("bytes", Side::Right)];
    let rows: Vec<Vec<String>> = cache
        .by_prefix
        .iter()
        .map(|it| vec![plain(&it.prefix), it.entries.to_string(), it.bytes.to_string()])
        .collect();
    text.push('\n');
    text.push_str(&table(&heads, &rows));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage::NanoUsd;
    use crate::monitor::cache::PrefixListing;
    use crate::monitor::summary::Dollars;

    #[test]
    fn the_cache_is_shown_with_its_hits_and_its_prefixes() {
        let florist = PrefixListing { prefix: "task:florist:base".into(), entries: 1, bytes: 512 };
        let text = page(&CacheListing {
            size: 3,
            active: 2,
            expired: 1,
            bytes: 2048,
            timeframe: Timeframe::Today,
            hits: 3,
            misses: 1,
            hit_rate: 75.0,
            avoided_cost: Dollars(NanoUsd(8_000_000)),
            avoided_tokens: 900,
            by_prefix: vec![florist],
        });
        assert_eq!(
            text,
            "3 entries, 2 active and 1 expired, 2.0 KiB\n\
             today: 3 hits and 1 misses, 75.0 % hit; avoided $0.008 and 900 tokens\n\n\
             prefix             entries  bytes\n\
             task:florist:base        1    512\n"
        );
    }
}
