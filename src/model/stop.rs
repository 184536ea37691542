//! The date in a provider's words on a stopped account.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// Until the first date in the words that is still to come, in UTC: `2026-12-01`, `2026-12-01 at 00:00 UTC`,
/// `2026-12-01T00:00:00Z`.
pub(super) fn ends(words: &str, now: Timestamp) -> Option<Duration> {
    let starts = words.char_indices().map(|(at, _)| at);
    let instants = starts.filter_map(|at| instant(&words[at..]));
    let until = instants.filter(|instant| *instant > now).min()?;
    until.duration_since(now).try_into().ok()
}

fn instant(words: &str) -> Option<Timestamp> {
    let date = words.get(..10).filter(|date| date.as_bytes()[4] == b'-')?;
    let date: Date = date.parse().ok()?;
    let rest = &words[10..];
    let rest =
        rest.strip_prefix('T').or_else(|| rest.strip_prefix(" at ")).unwrap_or(rest.trim_start());
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(rest.len());
    // Without a time of day it is the day's beginning.
    let time: Time = rest[..digits].parse().unwrap_or(Time::midnight());
    date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_the_ways_in_which_providers_write_it() {
        let now: Timestamp = "2026-11-30T22:00:00Z".parse().unwrap();
        let hours = |words| ends(words, now).map(|until| until.as_secs_f64() / 3600.0);
        assert_eq!(hours("You will regain access on 2026-12-01 at 00:00 UTC."), Some(2.0));
        assert_eq!(hours("the limit is reached until 2026-12-01"), Some(2.0));
        assert_eq!(hours("until 2026-12-01T12:30:00Z, then again"), Some(14.5));
        assert_eq!(hours("since 2026-11-01; back on 2026-12-02."), Some(26.0));
    }

    #[test]
    fn words_without_a_date_to_come_name_none() {
        let now: Timestamp = "2026-11-30T22:00:00Z".parse().unwrap();
        for words in
            ["", "credit", "since 2026-11-01", "order 2026-13-45", "5551-23-4567 é", "später"]
        {
            assert_eq!(ends(words, now), None, "{words}");
        }
    }
}
