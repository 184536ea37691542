//! What comes next for a kind of event, by how many days are left.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::enrichment::{NextBase, NextStep};

const EVENTS: &str = include_str!("../../../config/knowledge/next.toml");

static BUNDLED: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let file: File = toml::from_str(EVENTS).expect("a test reads the bundled events");
    file.event
});

/// The most steps that are named.
const MOST_STEPS: usize = 6;
/// How far ahead of its day a step is named, as a part of the days that are left, and in days.
const AHEAD: (f64, i32) = (0.3, 21);
/// For how long after its day a step that was missed is still named: as a part of the days that
/// are left, and in days. Close to the event, what nobody spoke of for months was not wanted.
const MISSED: (f64, i32) = (1.5, 14);
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    event: Vec<Kind>,
}

/// One `[[event]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    /// Words of an event's kind that mean it; none fits any event.
    kinds: Vec<String>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    object: String,
    action: String,
    days_before: i32,
    reason: String,
    /// Other things by which a group has it already.
    #[serde(default)]
    covers: Vec<String>,
}

/// The steps whose time has come and that nothing known covers, the most pressing first.
pub(super) fn steps(kind: &str, days_left: Option<i32>, known: &[String]) -> NextBase {
    let mut steps: Vec<&Step> = kind_of(kind)
        .map(|kind| kind.steps.iter())
        .into_iter()
        .flatten()
        .filter(|step| is_due(step.days_before, days_left))
        .filter(|step| !is_known(step, known))
        .collect();
    steps.sort_by_key(|step| std::cmp::Reverse(step.days_before));
    let named = steps.into_iter().take(MOST_STEPS).map(|step| NextStep {
        object: step.object.clone(),
        action: step.action.clone(),
        reason: step.reason.clone(),
        days_before: step.days_before,
    });
    NextBase { steps: named.collect() }
}

/// The kind that an event's own words mean, by the longest of them; else the one that fits any.
fn kind_of(said: &str) -> Option<&'static Kind> {
    let said = words(said);
    let length = |kind: &Kind| {
        let named = kind.kinds.iter().map(|name| words(name)).filter(|name| says(&said, name));
        named.map(|name| name.len()).max().unwrap_or(0)
    };
    let meant = BUNDLED.iter().rev().max_by_key(|kind| length(kind)).filter(|it| length(it) > 0);
    meant.or_else(|| BUNDLED.iter().find(|kind| kind.kinds.is_empty()))
}

/// Whether a step's time has come, and is not long past; all before the event where its day is
/// not known.
fn is_due(days_before: i32, days_left: Option<i32>) -> bool {
    let Some(days_left) = days_left else { return days_before > 0 };
    let part =
        |(share, least): (f64, i32)| ((f64::from(days_left.max(0)) * share) as i32).max(least);
    let until = days_left - days_before;
    (-part(MISSED)..=part(AHEAD)).contains(&until) && (days_left >= 0 || days_before <= 0)
}

/// Whether a known thing names the step's own, or what covers it.
fn is_known(step: &Step, known: &[String]) -> bool {
    std::iter::once(&step.object).chain(&step.covers).any(|name| is_named(known, name))
}

/// Whether one of the things names this one, whatever else it says: "barn deposit" names the barn.
pub fn is_named(things: &[String], name: &str) -> bool {
    let name = words(name);
    things.iter().any(|thing| says(&words(thing), &name))
}

/// Whether all words of a name stand in a row in the other.
fn says(thing: &[String], name: &[String]) -> bool {
    !name.is_empty() && thing.windows(name.len()).any(|words| words == name)
}

/// Lower-case words, in the singular as far as an `s` goes.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let singular = |word: &str| match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem.to_owned(),
        _ => word.to_owned(),
    };
    words.map(singular).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::intent::ACTIONS;

    fn objects(kind: &str, days_left: i32, known: &[&str]) -> Vec<String> {
        let known: Vec<String> = known.iter().map(|thing| (*thing).to_owned()).collect();
        steps(kind, Some(days_left), &known).steps.into_iter().map(|step| step.object).collect()
    }

    #[test]
    fn every_kind_of_event_has_steps_with_known_actions() {
        assert!(BUNDLED.iter().any(|kind| kind.kinds.is_empty()), "no kind fits any event");
        for kind in BUNDLED.iter() {
            assert!(kind.steps.len() >= 10, "{:?}", kind.kinds);
            for step in &kind.steps {
                assert!(ACTIONS.contains(&step.action.as_str()), "{}", step.action);
                assert_eq!(step.object, step.object.to_lowercase());
                assert!(!step.reason.is_empty() && step.reason.len() <= 200, "{}", step.object);
            }
        }
    }

    #[test]
    fn a_year_ahead_the_venue_comes_first_and_not_the_thank_you_cards() {
        let next = objects("wedding", 360, &[]);
        assert!(next.contains(&"venue".to_owned()), "{next:?}");
        assert!(!next.iter().any(|object| object.contains("thank")), "{next:?}");
    }

    #[test]
    fn what_the_group_has_is_not_suggested_again_by_whatever_name() {
        let without = objects("wedding", 360, &["Barn deposit", "the venue"]);
        assert!(!without.contains(&"venue".to_owned()), "{without:?}");
    }

    #[test]
    fn any_event_at_any_distance_is_answered_within_bounds() {
        for kind in ["wedding", "Lachie's 50th birthday", "company offsite", "zorbing", ""] {
            for days in [-400, -30, -1, 0, 1, 7, 30, 90, 365, 2_000] {
                let next = steps(kind, Some(days), &[]).steps;
                assert!(next.len() <= MOST_STEPS);
                assert!(days >= 0 || next.iter().all(|step| step.days_before <= 0));
            }
        }
        assert!(!steps("", None, &[]).steps.is_empty());
    }
}
