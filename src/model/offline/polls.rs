//! What speaks for and against the choices of a poll, by the things that they name.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::enrichment::{OptionView, PollBase};

const TOPICS: &str = include_str!("../../../config/knowledge/polls.toml");

static BUNDLED: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    let file: File = toml::from_str(TOPICS).expect("a test reads the bundled topics");
    file.topic
});

/// Every name of a topic between spaces, the longest first: "wine tasting" before "wine".
static NAMES: LazyLock<Vec<(String, &'static Topic)>> = LazyLock::new(|| {
    let mut names: Vec<(String, &Topic)> = BUNDLED
        .iter()
        .flat_map(|topic| topic.words.iter().map(move |name| (spaced(name), topic)))
        .collect();
    names.sort_by_key(|(name, topic)| (std::cmp::Reverse(name.len()), topic.name.as_str()));
    names
});

/// The most lines on either side of a choice.
const MOST_LINES: usize = 3;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topic: Vec<Topic>,
}

/// One `[[topic]]`: what a choice may speak of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    name: String,
    words: Vec<String>,
    /// What kind of choice it is; choices of one kind can be compared.
    about: String,
    pros: Vec<String>,
    cons: Vec<String>,
}

/// What is known of each choice; the one with the most to its favour is advised, when all are
/// known and of one kind.
pub(super) fn views(options: &[String]) -> PollBase {
    let found: Vec<Vec<&Topic>> = options.iter().map(|option| topics(option)).collect();
    let views = options.iter().zip(&found).map(|(option, topics)| view(option, topics)).collect();
    let mut base = PollBase { options: views, ..PollBase::default() };
    if let Some(best) = best(&base.options, &found) {
        base.recommendation.clone_from(&best.option);
        base.reason.clone_from(&best.pros[0]);
    }
    base
}

/// The topics that a choice names, the longest name first; a word counts for one of them.
fn topics(option: &str) -> Vec<&'static Topic> {
    let mut text = spaced(option);
    let mut found: Vec<&Topic> = Vec::new();
    for (name, topic) in NAMES.iter() {
        if !text.contains(name) {
            continue;
        }
        text = text.replacen(name, " / ", 1);
        if !found.iter().any(|known| known.name == topic.name) {
            found.push(topic);
        }
    }
    found
}

/// The words in lower case, each between spaces.
fn spaced(text: &str) -> String {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '\'');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!(" {} ", words.join(" "))
}

fn view(option: &str, topics: &[&Topic]) -> OptionView {
    let some = |lines: fn(&Topic) -> &Vec<String>| -> Vec<String> {
        topics.iter().flat_map(|topic| lines(topic)).take(MOST_LINES).cloned().collect()
    };
    OptionView {
        option: option.to_owned(),
        pros: some(|topic| &topic.pros),
        cons: some(|topic| &topic.cons),
    }
}

/// The only choice with the most to its favour, where all choices can be compared.
fn best<'a>(views: &'a [OptionView], found: &[Vec<&Topic>]) -> Option<&'a OptionView> {
    let kind = |topics: &Vec<&Topic>| topics.first().map(|topic| topic.about.clone());
    let first = kind(found.first()?)?;
    if !found.iter().all(|topics| kind(topics).as_ref() == Some(&first)) {
        return None;
    }
    let favour = |view: &OptionView| view.pros.len() as i64 - view.cons.len() as i64;
    let most = views.iter().map(favour).max()?;
    let mut leading = views.iter().filter(|view| favour(view) == most && !view.pros.is_empty());
    let only = leading.next()?;
    leading.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn of(options: &[&str]) -> PollBase {
        views(&options.iter().map(|option| (*option).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_topic_has_both_sides_and_words_of_its_own() {
        let mut seen = BTreeSet::new();
        assert!(BUNDLED.len() >= 140, "{} topics", BUNDLED.len());
        for topic in BUNDLED.iter() {
            assert!(seen.insert(topic.name.clone()), "{} stands twice", topic.name);
            assert!(!topic.pros.is_empty() && !topic.cons.is_empty(), "{}", topic.name);
        }
        let mut words = BTreeSet::new();
        for word in BUNDLED.iter().flat_map(|topic| &topic.words) {
            assert!(words.insert(word), "{word} stands for two topics");
            assert_eq!(*word, word.to_lowercase());
        }
    }

    #[test]
    fn a_known_choice_gets_both_sides_and_an_unknown_one_none() {
        let base = of(&["the buffet", "grandma's secret"]);
        assert!(!base.options[0].pros.is_empty() && !base.options[0].cons.is_empty());
        assert!(base.options[1].pros.is_empty() && base.options[1].cons.is_empty());
        assert_eq!((base.recommendation.as_str(), base.reason.as_str()), ("", ""));
    }

    #[test]
    fn an_advice_is_one_of_the_choices_and_has_its_reason() {
        for topic in BUNDLED.iter() {
            for other in BUNDLED.iter().filter(|other| other.about == topic.about) {
                let base = of(&[&topic.words[0], &other.words[0]]);
                let advised = base.options.iter().find(|view| view.option == base.recommendation);
                assert_eq!(advised.is_some(), !base.reason.is_empty());
            }
        }
    }
}
