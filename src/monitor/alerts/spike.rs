//! The cost of the last hour against what is usual at this hour, and what drove it.

use super::Facts;
use super::numbers::{short, usd};
use crate::domain::usage::NanoUsd;
use crate::monitor::costs::share;
use crate::settings::AlertSettings;
use crate::store::Sums;

/// The last hour's cost, in dollars, and what it is held against: the multiple of the median of the
/// seven days, and never less than the least that a spike costs. `None` when there is nothing to
/// hold it against.
pub(super) fn read(facts: &Facts, settings: &AlertSettings) -> Option<(f64, f64, String)> {
    let usual = median(&facts.days);
    let multiple = usual.cost.dollars() * settings.cost_spike_factor;
    let threshold = multiple.max(settings.cost_spike_usd);
    (threshold > 0.0).then(|| (facts.hour.cost.dollars(), threshold, text(&facts.hour, &usual)))
}

/// The day in the middle by its cost; one without any where there is none.
fn median(days: &[Sums]) -> Sums {
    let mut days = days.to_vec();
    days.sort_by_key(|day| day.cost);
    days.get(days.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn text(hour: &Sums, usual: &Sums) -> String {
    let costs = format!(
        "The last hour cost {}; usual at this hour is {}, the median of seven days.",
        usd(hour.cost),
        usd(usual.cost)
    );
    let hits = format!("cache hits {} %", short(hit_rate(hour)));
    let [now, then] = [hour, usual].map(factors);
    let Some((name, grown)) = most_grown(&now, &then) else {
        let [calls, tokens, price] = now.map(|(_, factor)| factor);
        let million = price * 1e6;
        return format!(
            "{costs} It is {calls:.0} requests of {tokens:.0} tokens each, at ${million:.2} per \
             million tokens; {hits}."
        );
    };
    let all: Vec<String> = now
        .iter()
        .zip(&then)
        .map(|(now, then)| format!("{} ×{}", now.0, ratio(now.1, then.1)))
        .collect();
    format!(
        "{costs} Driven by {name} (×{}): {}; {hits} against {} %.",
        short(grown),
        all.join(", "),
        short(hit_rate(usual))
    )
}

/// Three factors whose product is the cost.
fn factors(sums: &Sums) -> [(&'static str, f64); 3] {
    let per = |part: f64, whole: u64| if whole == 0 { 0.0 } else { part / whole as f64 };
    [
        ("requests", sums.calls as f64),
        ("tokens per request", per(sums.tokens as f64, sums.calls)),
        ("cost per token", per(sums.cost.dollars(), sums.tokens)),
    ]
}

/// The factor that grew most, and by how much; `None` when there is nothing to compare with.
fn most_grown(
    now: &[(&'static str, f64)],
    then: &[(&'static str, f64)],
) -> Option<(&'static str, f64)> {
    let grown = now.iter().zip(then).map(|(now, then)| (now.0, now.1 / then.1));
    let mut grown: Vec<_> = grown.collect();
    if grown.iter().any(|(_, ratio)| !ratio.is_finite()) {
        return None;
    }
    grown.sort_by(|one, other| other.1.total_cmp(&one.1));
    grown.first().copied()
}

fn ratio(now: f64, then: f64) -> String {
    short(now / then)
}

/// Of the questions that needed an answer, those that the cache had, in percent.
pub(super) fn hit_rate(sums: &Sums) -> f64 {
    share(sums.cached, sums.questions())
}

/// Whether the last hour cost so much that the days before have to be asked.
pub(in crate::monitor) fn is_worth_asking(hour: NanoUsd, settings: &AlertSettings) -> bool {
    let least = settings.cost_spike_usd * (1.0 - settings.hysteresis);
    settings.cost_spike_factor > 0.0 && hour > NanoUsd::ZERO && hour.dollars() >= least
}
