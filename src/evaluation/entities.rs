//! How often each entity is as labelled, over the messages whose intent was found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::figures::{Judged, Rate};
use super::labelled::Labelled;
use crate::domain::intent::{Entities, ExpenseEntities, PollEntities, QueryEntities, TaskEntities};

/// The rates of all entities, intent by intent.
pub(super) fn rates(rows: &[Labelled], judged: &[Judged]) -> Vec<(&'static str, Rate)> {
    let mut counts: BTreeMap<usize, (&'static str, usize, usize)> = BTreeMap::new();
    for (row, judged) in rows.iter().zip(judged).filter(|(row, judged)| judged.is_right(row)) {
        for (place, name, same) in compare(&row.entities, &judged.detection.entities) {
            let count = counts.entry(place).or_insert((name, 0, 0));
            count.1 += usize::from(same);
            count.2 += 1;
        }
    }
    counts.into_values().map(|(name, same, all)| (name, Rate::of(same, all))).collect()
}

/// Each entity's place in the report, its name, and whether it is as labelled.
type Compared = Vec<(usize, &'static str, bool)>;

fn compare(said: &Value, found: &Entities) -> Compared {
    match found {
        Entities::Task(task) => compare_task(said, task),
        Entities::Expense(expense) => compare_expense(said, expense),
        Entities::Poll(poll) => compare_poll(said, poll),
        Entities::Query(query) => compare_query(said, query),
        Entities::None => Vec::new(),
    }
}

fn compare_task(said: &Value, found: &TaskEntities) -> Compared {
    let name = |key: &str| said[key].as_str().map(str::to_lowercase);
    let lower = |it: &Option<String>| it.as_deref().map(str::to_lowercase);
    vec![
        (0, "task object", name("object").as_deref() == Some(&found.object)),
        (1, "task action", name("action").as_deref() == Some(&found.action)),
        (2, "task assignee", name("assignee") == lower(&found.assignee)),
        (3, "task due", name("due") == lower(&found.due)),
    ]
}

fn compare_expense(said: &Value, found: &ExpenseEntities) -> Compared {
    let name = |key: &str| said[key].as_str().map(str::to_lowercase);
    let lower = |it: &Option<String>| it.as_deref().map(str::to_lowercase);
    let cents = |amount: f64| (amount * 100.0).round();
    let amount = said["amount"].as_f64().is_some_and(|it| cents(it) == cents(found.amount));
    let people: Option<BTreeSet<String>> = said["split_between"]
        .as_array()
        .map(|people| people.iter().filter_map(Value::as_str).map(str::to_lowercase).collect());
    let split = found.split_between.as_ref();
    let split: Option<BTreeSet<String>> =
        split.map(|people| people.iter().map(|person| person.to_lowercase()).collect());
    vec![
        (4, "expense amount", amount),
        (5, "expense currency", name("currency") == lower(&found.currency)),
        (6, "expense category", name("category") == lower(&found.category)),
        (7, "expense paid_by", name("paid_by") == lower(&found.paid_by)),
        (8, "expense split_between", people == split),
        (9, "expense what, loosely", alike(said["what"].as_str(), found.what.as_deref())),
    ]
}

fn compare_poll(said: &Value, found: &PollEntities) -> Compared {
    let labelled: BTreeSet<String> = said["options"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(plain)
        .collect();
    let options: BTreeSet<String> = found.options.iter().map(|option| plain(option)).collect();
    let question = said["question"].as_str().map(plain) == Some(plain(&found.question));
    vec![(10, "poll options, as a set", labelled == options), (11, "poll question", question)]
}

fn compare_query(said: &Value, found: &QueryEntities) -> Compared {
    let topic = said["topic"].as_str() == Some(&found.topic);
    let subject = alike(said["subject"].as_str(), found.subject.as_deref());
    vec![(12, "query topic", topic), (13, "query subject, loosely", subject)]
}

/// Lower case, without articles and marks.
fn plain(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | ':' | '.' | '£' | '€' | '$'))
        .filter(|word| !matches!(*word, "" | "the" | "a" | "an"));
    words.collect::<Vec<_>>().join(" ")
}

/// Whether both are silent, or share a word.
fn alike(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one.map(plain), other.map(plain)) else {
        return one.is_none() && other.is_none();
    };
    let singular = |word: &str| word.trim_end_matches('s').to_owned();
    let words: BTreeSet<String> = one.split(' ').map(singular).collect();
    one == other || other.split(' ').any(|word| word.len() > 2 && words.contains(&singular(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noun_phrases_are_alike_when_they_share_a_word() {
        assert!(alike(Some("barn balance"), Some("the barns")));
        assert!(!alike(Some("cake"), Some("dj")));
        assert!(alike(None, None));
        assert!(!alike(Some("cake"), None));
    }

    #[test]
    fn options_are_compared_as_a_set_without_articles() {
        let said = serde_json::json!({"question": "Which?", "options": ["the hall", "barn"]});
        let found = PollEntities {
            question: "which".into(),
            options: vec!["Barn".into(), "hall".into()],
            keys: Vec::new(),
        };
        assert!(compare_poll(&said, &found).iter().all(|(_, _, same)| *same));
    }
}
