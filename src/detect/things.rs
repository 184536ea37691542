//! Things and actions: vendor nouns with their canonical names, verbs as the closed list of actions.

mod classes;
mod nouns;
mod object;
mod paid;
mod rank;

use std::ops::Range;

use super::lexicon::{Lexicon, Meaning};
use super::phrases::{Hit, Token};
use super::text::Text;

pub(super) use object::{Order, order};
pub(super) use paid::{Paid, paid_for};

/// A thing that the lexicon knows, in a text.
#[derive(Debug, Clone)]
pub(super) struct Thing<'l> {
    /// Its canonical name.
    pub(super) name: &'l str,
    /// The expense category it belongs to, if any.
    pub(super) category: Option<&'l str>,
    /// What is usually done about it, where its category does not say.
    pub(super) usual: Option<&'l str>,
    /// Whether it is named in passing where another thing stands beside it.
    pub(super) weak: bool,
    /// Where it stands in the folded text.
    pub(super) span: Range<usize>,
}

/// A verb of the closed list, in a text.
#[derive(Debug, Clone)]
pub(super) struct Action<'l> {
    /// Its name in the closed list.
    pub(super) name: &'l str,
    /// Where the verb stands in the folded text.
    pub(super) span: Range<usize>,
}

/// All known things and verbs, each in the order in which they stand.
pub(super) fn find<'l>(
    text: &Text<'_>,
    words: &[Token<'_>],
    lexicon: &'l Lexicon,
) -> (Vec<Thing<'l>>, Vec<Action<'l>>) {
    let (mut things, mut actions) = (Vec::new(), Vec::new());
    for (meaning, hit) in lexicon.words(words) {
        match meaning {
            Meaning::Thing(entry) => things.push((entry, hit)),
            Meaning::Action(name) => actions.push((name, hit)),
        }
    }
    let place = |hit: Hit| text.words()[hit.start].start..text.words()[hit.end - 1].end;
    let actions: Vec<(&str, Hit)> = longest(actions);
    let is_verb = |hit: Hit| {
        const BEFORE: &[&str] = &[
            "", "i'll", "will", "to", "can", "could", "you", "please", "pls", "plz", "someone",
            "somebody", "u", "and", "gonna", "i", "shall", "would", "must", "should",
        ];
        // "I'll ring the hall" has no ring in it.
        actions.iter().any(|(_, verb)| verb.start == hit.start && verb.end >= hit.end)
            && BEFORE.contains(&hit.start.checked_sub(1).map_or("", |at| text.word(at)))
    };
    let things = longest(things)
        .into_iter()
        .filter(|(_, hit)| !is_verb(*hit))
        .map(|(entry, hit)| Thing {
            name: &entry.name,
            category: entry.category.as_deref(),
            usual: entry.usual.as_deref(),
            weak: entry.weak,
            span: place(hit),
        })
        .collect();
    let actions = actions.iter().map(|(name, hit)| Action { name, span: place(*hit) }).collect();
    (things, actions)
}

/// The longest at each place; none overlaps another.
fn longest<T: Copy>(mut found: Vec<(T, Hit)>) -> Vec<(T, Hit)> {
    found.sort_by_key(|(_, hit)| (hit.start, usize::MAX - hit.end));
    let mut read = 0;
    found.retain(|(_, hit)| {
        let free = hit.start >= read;
        read = if free { hit.end } else { read };
        free
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon::bundled;
    use crate::detect::tokens::plain;

    fn found(said: &str) -> (Vec<(String, String)>, Vec<String>) {
        let lexicon = bundled();
        let text = Text::new(said);
        let words = plain(&text, lexicon.book());
        let (things, actions) = find(&text, &words, lexicon);
        let things = things
            .iter()
            .map(|thing| (thing.name.to_owned(), thing.category.unwrap_or("").to_owned()));
        (things.collect(), actions.iter().map(|action| action.name.to_owned()).collect())
    }

    #[test]
    fn things_have_one_name_and_a_category() {
        for (said, name, category) in [
            ("book the village hall", "venue", "venue"),
            ("need two portaloos", "toilet", "equipment"),
            ("hair & makeup lady", "makeup artist", "other"),
            ("a marquee", "marquee", "equipment"),
            ("the coach is late", "transport", "transport"),
            ("the ferry's in", "transport", "transport"),
            ("a biryani for forty", "food", "catering"),
        ] {
            assert_eq!(found(said).0[0], (name.to_owned(), category.to_owned()), "{said}");
        }
    }

    #[test]
    fn verbs_are_read_as_the_closed_list() {
        for (said, name) in [
            ("ring the DJ", "contact"),
            ("pick up the cake", "collect"),
            ("look into it", "check"),
            ("hire a skip", "book"),
            ("order the cake", "buy"),
            ("give the vicar a bell", "contact"),
            ("call off the clown", "cancel"),
        ] {
            assert_eq!(found(said).1[0], name, "{said}");
        }
    }
}
