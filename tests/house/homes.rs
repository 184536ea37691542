//! Each outside crate of weight has one home, so that it can be replaced there.

use regex::Regex;

use crate::code::rust_files;
use crate::nobody_complains;

/// Crates and the only paths that may name them.
const HOMES: [(&str, &[&str], &str); 8] = [
    (
        "sqlx",
        &["src/store/"],
        "everyone else speaks to the Store trait, so both engines stay equal",
    ),
    (
        "lapin",
        &["src/broker/"],
        "everyone else speaks to the Broker trait, so both brokers stay equal",
    ),
    (
        "reqwest",
        &["src/model/", "src/monitor/webhook.rs"],
        "time-outs, proxies and TLS are set up in one place",
    ),
    ("axum", &["src/web/"], "nothing but the port knows that there is a port"),
    ("clap", &["src/cli/"], "nothing but the commands knows how it was called"),
    ("config", &["src/settings.rs", "src/settings/"], "settings are read once and handed on"),
    ("backoff", &["src/delay.rs"], "it is no longer maintained, and is to be replaced in one file"),
    (
        "anyhow",
        &["src/cli/", "src/app.rs", "src/main.rs"],
        "below the process an error says what it means by its type",
    ),
];

#[test]
fn an_outside_crate_is_named_only_in_its_home() {
    let sources = rust_files("src");
    let mut complaints = Vec::new();
    for (name, homes, reason) in HOMES {
        // `name::`, `use name;` and `#[name(`, but not `crate::name::`.
        let naming = format!(r"(?:^|[^:\w]){name}::|#\[{name}\(|\buse\s+{name}\s*;");
        let naming = Regex::new(&naming).unwrap();
        let elsewhere = |path: &str| !homes.iter().any(|home| path.starts_with(home));
        for source in sources.iter().filter(|source| elsewhere(&source.path)) {
            for found in naming.find_iter(&source.code) {
                complaints.push(format!(
                    "{}:{}: names {name}, whose home is {}: {reason}",
                    source.path,
                    source.line(found.start() + 1),
                    homes.join(" and ")
                ));
            }
        }
    }
    nobody_complains(&complaints);
}
