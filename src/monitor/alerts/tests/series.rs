//! What holds for any series of values: an alert fires once, and is resolved somewhere else.

use proptest::prelude::*;

use super::*;

/// Facts in which the rule's value is near this multiple of its threshold.
fn facts(rule: Rule, multiple: f64) -> Facts {
    let mut facts = quiet();
    let signals = &mut facts.signals;
    let of = |threshold: f64| Duration::from_secs_f64(threshold * multiple);
    match rule {
        Rule::CostSpike => facts.hour.cost = dollars(multiple),
        Rule::Budget => {
            facts.budgets.push(super::money::budget("budget:total", "", 8.0 * multiple, 10.0))
        }
        Rule::Latency => facts.latencies = latencies(3_000.0 * multiple, 50).latencies,
        Rule::HitRate => {
            facts.window.cached = (500.0 * multiple) as u64;
            facts.window.asked = 1_000 - facts.window.cached.min(1_000);
        }
        Rule::ErrorRate => {
            // Failures by their rate alone: their number is another rule's.
            signals.failed = (50.0 * multiple) as u64;
            facts.window.items = 1_000 - signals.failed.min(1_000);
        }
        Rule::FailedItems => signals.failed = (10.0 * multiple).round() as u64,
        Rule::AmbiguousSpend => signals.ambiguous = dollars(multiple),
        Rule::UnpricedSpend => signals.unpriced_rows = multiple as u64,
        Rule::ProviderPaused if multiple < 0.5 => {}
        Rule::ProviderPaused => signals.paused_providers.push(("p".to_owned(), of(60.0))),
        Rule::NoAccounting => {
            signals.oldest_processing = of(600.0);
            signals.accounted = None;
        }
        Rule::QueueOldest => signals.oldest_due = of(300.0),
    }
    facts
}

/// What a store would do with the changes: the open alert of a rule, and how often it changed.
fn walk(rule: Rule, hysteresis: f64, multiples: &[f64]) -> Result<(), TestCaseError> {
    let settings =
        AlertSettings { hysteresis, budget_percent: vec![80], no_accounting_s: 600, ..limits() };
    let mut open: Vec<AlertRow> = Vec::new();
    let mut fired_at_values = Vec::new();
    for multiple in multiples {
        let facts = facts(rule, *multiple);
        for change in judge(&facts, &settings, &open, &TELLING) {
            match change {
                AlertChange::Fire { alert, .. } => {
                    let twice = open.iter().any(|other| other.key == alert.key);
                    prop_assert!(!twice, "{} fired twice", alert.key);
                    if Rule::named(&alert.rule) == Some(rule) {
                        fired_at_values.push(*multiple);
                    }
                    open.push(alert);
                }
                AlertChange::Resolve { id, .. } => {
                    let place = open.iter().position(|alert| alert.id == id);
                    let Some(place) = place else {
                        return Err(TestCaseError::fail("resolved what is not open"));
                    };
                    let alert = open.remove(place);
                    let same = fired_at_values.contains(multiple);
                    let ours = Rule::named(&alert.rule) == Some(rule);
                    prop_assert!(
                        !(ours && same),
                        "{} fired and was resolved at {multiple}",
                        alert.key
                    );
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_alert_fires_twice_without_being_resolved_nor_is_resolved_at_a_value_that_fires(
        rule in prop::sample::select(Rule::ALL.to_vec()),
        hysteresis in prop_oneof![Just(0.0), Just(0.1), 0.0..0.9f64],
        // Coarse, so that values repeat and meet the thresholds exactly.
        multiples in prop::collection::vec((0u32..=40).prop_map(|n| f64::from(n) / 20.0), 1..60),
    ) {
        walk(rule, hysteresis, &multiples)?;
    }
}
