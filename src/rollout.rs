//! Which events Gleaner works for.
//!
//! Results belong to the group, so the rollout goes by event. Each event has a
//! fixed place among a hundred, by a hash of its ID alone: the same on every
//! replica and after every restart, and a higher percentage only adds events.

use crate::domain::ids::EventId;
use crate::store::RuntimeSettings;

/// Whether Gleaner works for an event. The deny list beats the allow list, and both beat the percentage.
pub fn inside(event: &EventId, settings: &RuntimeSettings) -> bool {
    if settings.deny.contains(event) {
        return false;
    }
    settings.allow.contains(event) || place(event) < settings.rollout_percent
}

/// The event's place, 0 to 99. It must never change: events would drop out of a running rollout.
fn place(event: &EventId) -> u8 {
    let mut hasher = blake3::Hasher::new_derive_key("gleaner rollout 1");
    hasher.update(event.as_str().as_bytes());
    let mut first = [0u8; 8];
    hasher.finalize_xof().fill(&mut first);
    (u64::from_le_bytes(first) % 100) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(id: &str) -> EventId {
        EventId::parse(id).unwrap()
    }

    fn at(rollout_percent: u8) -> RuntimeSettings {
        RuntimeSettings { rollout_percent, ..RuntimeSettings::default() }
    }

    proptest! {
        #[test]
        fn raising_the_percentage_never_drops_an_event(id in "[!-~]{1,128}", low in 0u8..=100, high in 0u8..=100) {
            let (low, high) = (low.min(high), low.max(high));
            let event = event(&id);
            prop_assert!(!inside(&event, &at(low)) || inside(&event, &at(high)));
        }

        #[test]
        fn nought_is_nobody_and_a_hundred_is_everybody(id in "[!-~]{1,128}") {
            prop_assert!(!inside(&event(&id), &at(0)));
            prop_assert!(inside(&event(&id), &at(100)));
        }
    }

    #[test]
    fn a_percentage_takes_about_that_share_of_events() {
        for percent in [10u8, 50] {
            let taken = (0..10_000).filter(|n| inside(&event(&format!("evt-{n}")), &at(percent)));
            let share = taken.count() as f64 / 100.0;
            assert!((share - f64::from(percent)).abs() < 1.5, "{percent} % took {share} %");
        }
    }

    #[test]
    fn the_deny_list_beats_the_allow_list_and_both_beat_the_percentage() {
        let listed = |allow: &[&str], deny: &[&str], percent| RuntimeSettings {
            allow: allow.iter().map(|id| event(id)).collect(),
            deny: deny.iter().map(|id| event(id)).collect(),
            ..at(percent)
        };
        assert!(inside(&event("a"), &listed(&["a"], &[], 0)));
        assert!(!inside(&event("a"), &listed(&[], &["a"], 100)));
        assert!(!inside(&event("a"), &listed(&["a"], &["a"], 100)));
    }

    #[test]
    fn the_place_of_an_event_is_fixed_for_ever() {
        let places: Vec<u8> =
            ["evt-1", "evt-2", "wedding"].iter().map(|id| place(&event(id))).collect();
        assert_eq!(places, [94, 22, 72]);
    }
}
