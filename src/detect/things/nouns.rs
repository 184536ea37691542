//! Noun phrases: the things that the lexicon knows and those it does not, as what a task may be about.

use std::ops::Range;

use super::Thing;
use super::classes::{is_head, is_part, is_plain, is_seller, may_be_noun};
use crate::detect::text::{Text, singular};
use crate::detect::words;

/// How well a noun is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::detect) enum Standing {
    /// By its place in the sentence alone.
    Guessed,
    /// By the lexicon, as something named in passing.
    Passing,
    /// By the lexicon.
    Known,
}

/// A noun phrase, by the name its task would have.
#[derive(Debug, Clone)]
pub(in crate::detect) struct Noun {
    pub(in crate::detect) name: String,
    /// The words it is made of.
    pub(in crate::detect) at: Range<usize>,
    pub(in crate::detect) standing: Standing,
    /// Whether an article, a possessive or a number stands before it.
    pub(in crate::detect) is_marked: bool,
    /// Its place among the things that were found, where it is one.
    pub(in crate::detect) thing: Option<usize>,
}

/// The noun phrases of a text, in the order in which they stand; `taken` words belong to names and verbs.
pub(in crate::detect) fn nouns(
    text: &Text<'_>,
    things: &[Thing<'_>],
    taken: &[Range<usize>],
) -> Vec<Noun> {
    let mut found = Vec::new();
    let mut things = things.iter().enumerate().peekable();
    let mut at = 0;
    while at < text.words().len() {
        let start = text.words()[at].start;
        while things.next_if(|(_, thing)| thing.span.start < start).is_some() {}
        if let Some((place, thing)) = things.next_if(|(_, thing)| thing.span.start == start) {
            let after = things.peek().map(|(_, next)| *next);
            let noun = known(text, at, place, thing, after);
            at = noun.at.end;
            push(text, &mut found, noun);
        } else {
            let next = things.peek().map(|(_, thing)| text.word_from(thing.span.start));
            match guessed(text, at, next, taken) {
                Some(noun) => {
                    at = noun.at.end;
                    found.push(noun);
                }
                None => at += 1,
            }
        }
    }
    found
}

/// A thing of the lexicon; with a head behind it, or a noun before a head, a thing of its own.
fn known(
    text: &Text<'_>,
    at: usize,
    place: usize,
    thing: &Thing<'_>,
    after: Option<&Thing<'_>>,
) -> Noun {
    let mut end = text.word_from(thing.span.end);
    let mut name = thing.name.to_owned();
    let is_owner = text.word(end.saturating_sub(1)).ends_with("'s") && touches(text, end);
    let is_weak = thing.weak || is_owner;
    let mut standing = if is_weak { Standing::Passing } else { Standing::Known };
    let next = singular(text.word(end));
    let is_next_thing = after.is_some_and(|it| {
        !it.weak && text.words().get(end).is_some_and(|word| word.start == it.span.start)
    });
    if touches(text, end) && is_head(&next) && !is_next_thing && !is_function_here(text, end) {
        let first = &text.folded()[thing.span.clone()];
        name = format!("{} {next}", singular(first));
        end += 1;
        standing = Standing::Known;
    } else if is_head(&singular(text.word(at)))
        && end == at + 1
        && thing.weak
        && let Some(before) = at.checked_sub(1)
        && touches(text, at)
        && (may_be_noun(text.word(before)) || text.word(before).ends_with("ing"))
    {
        name = format!("{} {}", text.word(before), thing.name);
        standing = Standing::Known;
    }
    while touches(text, end) && is_seller(text.word(end)) {
        // "The biryani man" is who makes it.
        if is_cook(text.word(end)) && is_eaten(thing) {
            name = "caterer".to_owned();
        }
        end += 1;
    }
    let thing = Some(place);
    Noun { name, at: at..end, standing, is_marked: is_marked(text, at), thing }
}

fn is_cook(word: &str) -> bool {
    matches!(
        word,
        "man"
            | "men"
            | "lady"
            | "ladies"
            | "guy"
            | "guys"
            | "people"
            | "bloke"
            | "crew"
            | "woman"
            | "vendor"
            | "supplier"
            | "wala"
            | "walla"
            | "company"
    )
}

fn is_eaten(thing: &Thing<'_>) -> bool {
    thing.category == Some("catering") && thing.usual == Some("buy")
}

/// Takes the noun in; two in one breath are one, named after the second.
fn push(text: &Text<'_>, found: &mut Vec<Noun>, noun: Noun) {
    let joined = found.last().filter(|last| {
        last.at.end == noun.at.start
            && touches(text, noun.at.start)
            && noun.standing != Standing::Passing
    });
    let Some(last) = joined else {
        // "A bag of ice" is ice, and "the deposit for the hall" is about the hall.
        if found.last().is_some_and(|last| {
            last.at.end + 1 == noun.at.start
                && text.word(last.at.end) == "of"
                && (is_part(text.word(last.at.end - 1)) || last.standing < noun.standing)
        }) {
            found.pop();
        }
        found.push(noun);
        return;
    };
    let start = last.at.start;
    let is_marked = last.is_marked;
    found.pop();
    found.push(Noun { at: start..noun.at.end, is_marked, ..noun });
}

/// A noun that the lexicon does not know, of one word or two.
fn guessed(
    text: &Text<'_>,
    at: usize,
    next_thing: Option<usize>,
    taken: &[Range<usize>],
) -> Option<Noun> {
    let usable = |at: usize| {
        let word = text.words().get(at);
        word.is_some_and(|word| !taken.iter().any(|it| it.start < word.end && word.start < it.end))
            && may_be_noun(text.word(at))
    };
    if !usable(at) || is_untold_name(text, at) {
        return None;
    }
    let mut end = at + 1;
    while usable(end) && touches(text, end) && next_thing != Some(end) && end < at + 4 {
        end += 1;
    }
    // What stands right before a thing says which one.
    if next_thing == Some(end) && touches(text, end) {
        return None;
    }
    let is_of = text.word(end) == "of" && is_part(text.word(end - 1));
    if is_of {
        return None;
    }
    Some(Noun {
        name: guessed_name(text, at..end),
        at: at..end,
        standing: Standing::Guessed,
        is_marked: is_marked(text, at),
        thing: None,
    })
}

/// Whether a capital within a sentence makes the word a name that nobody told us of.
fn is_untold_name(text: &Text<'_>, at: usize) -> bool {
    text.words()
        .get(at)
        .is_some_and(|word| text.is_capital(word) && !text.starts_sentence(word.start))
}

/// The name of what these words say, without who sells it: its last word, and the one before a head.
fn guessed_name(text: &Text<'_>, at: Range<usize>) -> String {
    let mut last = at.end;
    while last > at.start + 1 && is_seller(text.word(last - 1)) {
        last -= 1;
    }
    let head = singular(text.word(last - 1));
    if is_head(&head) && last >= at.start + 2 {
        format!("{} {head}", text.word(last - 2))
    } else {
        head
    }
}

/// Whether only a blank or a hyphen stands before the word.
fn touches(text: &Text<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.words().get(at));
    let (Some(before), Some(word)) = (before, text.words().get(at)) else { return false };
    matches!(&text.folded()[before.end..word.start], " " | "-")
}

/// Whether the word before, but for those that say how it is, marks a noun.
fn is_marked(text: &Text<'_>, at: usize) -> bool {
    const MARKS: &[&str] = &[
        "the", "a", "an", "this", "that", "these", "those", "my", "your", "our", "his", "her",
        "their", "its", "ur", "yer", "some", "any", "no", "more", "another", "enough", "both",
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "dozen", "extra",
    ];
    let mut at = at;
    while at > 0 && touches(text, at) {
        at -= 1;
        let word = text.word(at);
        if MARKS.contains(&word)
            || word.starts_with(|c: char| c.is_ascii_digit())
            || word.ends_with("'s")
        {
            return true;
        }
        if !is_plain(word) {
            return false;
        }
    }
    false
}

fn is_function_here(text: &Text<'_>, at: usize) -> bool {
    words::is_function(text.word(at)) || text.word(at) == "set"
}
