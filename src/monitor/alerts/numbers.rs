//! Numbers as alerts say them.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::usage::NanoUsd;

/// Dollars and cents; below ten cents, hundredths of a cent.
pub(super) fn usd(cost: NanoUsd) -> String {
    let dollars = cost.dollars();
    if dollars.abs() < 0.1 && cost != NanoUsd::ZERO {
        format!("${dollars:.4}")
    } else {
        format!("${dollars:.2}")
    }
}

/// At most one decimal, and none where it is 0.
pub(super) fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Seconds, minutes, hours or days: the largest of them that leaves two at least.
pub(super) fn time(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [(86_400, "days"), (3_600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    match unit {
        Some((unit, name)) => format!("{} {name}", short(seconds as f64 / unit as f64)),
        None => format!("{seconds} s"),
    }
}

/// A moment, to the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_times_are_as_short_as_they_can_be() {
        assert_eq!(usd(NanoUsd(12_345_000_000)), "$12.35");
        assert_eq!(usd(NanoUsd(1_234_000)), "$0.0012");
        assert_eq!(usd(NanoUsd::ZERO), "$0.00");
        assert_eq!((short(80.0), short(6.25)), ("80".to_owned(), "6.2".to_owned()));
        let said = [90, 900, 5_400, 7_200, 172_800].map(|s| time(Duration::from_secs(s)));
        assert_eq!(said, ["90 s", "15 min", "90 min", "2 h", "2 days"]);
    }
}
