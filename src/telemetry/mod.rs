//! Logs, signs of life, and the one list of every metric.
//!
//! A log line is written once, where an outcome is settled; chat text never
//! goes into one.

pub mod metrics;
pub mod pulse;

use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::settings::{LogFormat, LogSettings};

/// Writes log lines to standard error from now on. Only the first call counts, so that tests of
/// one process may each make it.
pub fn init(settings: &LogSettings) {
    // Settings were checked when they were read; `info` is for callers that made their own.
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter).with(filter_fn(may_be_said));
    let first = match settings.format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            registry.with(lines.with_ansi(colours)).try_init()
        }
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if first.is_err() {
        tracing::debug!("log lines are written already");
    }
}

/// Whatever the level: lapin logs returned messages with their bodies, which hold what people
/// wrote, and at `trace` its frames, which hold the password too.
fn may_be_said(line: &Metadata<'_>) -> bool {
    let lapin = line.target().starts_with("lapin");
    !lapin || line.target() != "lapin::returned_messages" && *line.level() != Level::TRACE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_can_be_started_twice() {
        init(&LogSettings { level: "info".into(), format: LogFormat::Json });
        init(&LogSettings { level: "no,such=level=x".into(), format: LogFormat::Text });
    }
}
