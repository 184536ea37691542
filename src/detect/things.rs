//! Things and actions: vendor nouns with their canonical names, verbs as the closed list of actions.

use std::ops::Range;

use super::lexicon::{Lexicon, Meaning};
use super::phrases::{Hit, Token};
use super::text::{Text, singular};
use super::words;

/// A thing that the lexicon knows, in a text.
#[derive(Debug, Clone)]
pub(super) struct Thing<'l> {
    /// Its canonical name.
    pub(super) name: &'l str,
    /// The expense category it belongs to, if any.
    pub(super) category: Option<&'l str>,
    /// What is usually done about it, where its category does not say.
    pub(super) usual: Option<&'l str>,
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

/// The thing that a verb is about: the first after it in its sentence, else the last before it, else the first of all.
pub(super) fn object_of<'a, 'l>(
    text: &Text<'_>,
    things: &'a [Thing<'l>],
    action: Option<&Action<'_>>,
) -> Option<&'a Thing<'l>> {
    let Some(action) = action else { return things.first() };
    let end = text.folded()[action.span.end..]
        .find(['.', '!', '?', '\n'])
        .map_or(text.folded().len(), |at| action.span.end + at);
    things
        .iter()
        .find(|thing| thing.span.start >= action.span.end && thing.span.start < end)
        .or_else(|| things.iter().rev().find(|thing| thing.span.end <= action.span.start))
        .or_else(|| things.first())
}

/// A noun phrase after this place for things that the lexicon does not know: "the do not play list".
pub(super) fn noun_after(text: &Text<'_>, offset: usize) -> Option<String> {
    let mut at = text.word_from(offset);
    let mut skipped = 0;
    let numeral = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    while (words::is_function(text.word(at))
        || numeral(text.word(at))
        || words::DAYS.contains(&text.word(at)))
        && skipped < 6
    {
        at += 1;
        skipped += 1;
    }
    let first = text.words().get(at)?.clone();
    let mut end = at + 1;
    while end < at + 2 && joins(text, end) {
        end += 1;
    }
    let last = text.words().get(end - 1)?;
    let phrase = &text.folded()[first.start..last.end];
    let usable = phrase.chars().any(char::is_alphabetic);
    usable.then(|| singular(phrase))
}

/// Whether the word continues the noun phrase that ends before it.
fn joins(text: &Text<'_>, at: usize) -> bool {
    let (Some(before), Some(word)) = (text.words().get(at - 1), text.words().get(at)) else {
        return false;
    };
    let gap = &text.folded()[before.end..word.start];
    let it = text.word(at);
    (gap == " " || gap == "-")
        && !words::is_function(it)
        && !words::DAYS.contains(&it)
        && !it.starts_with(|c: char| c.is_ascii_digit())
        && !matches!(
            it,
            "tomorrow" | "today" | "tonight" | "tmrw" | "thx" | "thanks" | "asap" | "x"
        )
}

/// What an expense was for: the thing as written, with the word that says which part of its price.
pub(super) fn what(text: &Text<'_>, thing: &Thing<'_>, things: &[Thing<'_>]) -> String {
    const ANYWHERE: &[&str] = &["deposit", "balance", "advance"];
    const BEHIND: &[&str] = &["hire", "rental", "fee", "fees", "invoice", "bill", "materials"];
    let at = text.word_from(thing.span.start);
    let mut start = thing.span.start;
    let before = at.checked_sub(1).and_then(|at| text.words().get(at));
    if let Some(before) = before
        && &text.folded()[before.end..thing.span.start] == " "
        && is_attribute(text, before)
    {
        start = before.start;
    }
    let end = second(text, thing, things).unwrap_or(thing.span.end);
    let own = text
        .said(start..end)
        .trim_end_matches("'s")
        .to_lowercase()
        .replace('&', "and")
        .replace(" n ", " and ");
    let said = |word: &&&str| {
        let is_it =
            |range: &Range<usize>| text.folded()[range.clone()].split('\'').next() == Some(**word);
        text.words().iter().any(is_it) && !own.contains(**word)
    };
    let behind = BEHIND.iter().find(|word| text.word_after(end) == **word);
    match ANYWHERE.iter().find(said).or(behind) {
        Some(part) => format!("{own} {part}"),
        None => own,
    }
}

/// Where a second thing ends that is named in one breath: "napkins and paper plates".
fn second(text: &Text<'_>, thing: &Thing<'_>, things: &[Thing<'_>]) -> Option<usize> {
    let next = things.iter().find(|other| other.span.start > thing.span.end)?;
    let between = &text.folded()[thing.span.end..next.span.start];
    matches!(between.trim(), "and" | "n" | "&").then_some(next.span.end)
}

fn is_attribute(text: &Text<'_>, before: &Range<usize>) -> bool {
    let word = &text.folded()[before.clone()];
    const VERBS: &[&str] = &[
        "paid", "cost", "costs", "spent", "booked", "bought", "hired", "ordered", "quid",
        "dollars", "pounds", "bucks", "euros", "rupees", "gave", "got",
    ];
    word.chars().all(char::is_alphabetic)
        && !words::is_function(word)
        && !VERBS.contains(&word)
        && !words::DAYS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon::bundled;

    #[test]
    fn things_have_one_name_and_a_category() {
        let lexicon = bundled();
        for (text, name, category) in [
            ("book the village hall", "venue", "venue"),
            ("need two portaloos", "toilet", "equipment"),
            ("hair & makeup lady", "makeup artist", "other"),
            ("a marquee", "marquee", "equipment"),
            ("the coach is late", "transport", "transport"),
        ] {
            let text = Text::new(text);
            let found = things(&text, &lexicon);
            assert_eq!((found[0].name, found[0].category), (name, Some(category)));
        }
    }

    #[test]
    fn verbs_are_read_as_the_closed_list() {
        let lexicon = bundled();
        for (text, name) in [
            ("ring the DJ", "contact"),
            ("pick up the cake", "collect"),
            ("look into it", "check"),
            ("hire a skip", "book"),
            ("order the cake", "buy"),
        ] {
            let text = Text::new(text);
            assert_eq!(actions(&text, &lexicon)[0].name, name);
        }
    }

    #[test]
    fn an_unknown_thing_is_the_noun_after_the_verb() {
        let text = Text::new("please iron the napkin rings by friday");
        assert_eq!(noun_after(&text, 11).as_deref(), Some("napkin ring"));
    }
}
