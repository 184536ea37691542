//! Emojis as words and as keys: `🍕 pizza 🌮 tacos`, `pizza 🍕 or tacos 🌮`.

use std::ops::Range;

use super::page::{Found, Item, Page};
use super::{Shape, edges};

/// Whether it is an emoji; digits and letters never are.
pub(in super::super) fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF)
}

/// Emojis that stand for a choice by themselves, and the word for each.
const WORDS: &[(&[char], &str)] = &[
    (&['🎸'], "guitar"),
    (&['🐟', '🐠'], "fish"),
    (&['🎣'], "fishing"),
    (&['🍕'], "pizza"),
    (&['🌮'], "taco"),
    (&['🍔'], "burger"),
    (&['🍣'], "sushi"),
    (&['🍜'], "ramen"),
    (&['🍝'], "pasta"),
    (&['🍗'], "chicken"),
    (&['🥩'], "steak"),
    (&['🥗'], "salad"),
    (&['🍦'], "ice cream"),
    (&['🍩'], "doughnut"),
    (&['🎂', '🍰'], "cake"),
    (&['🧁'], "cupcake"),
    (&['🍺', '🍻'], "beer"),
    (&['🍷'], "wine"),
    (&['☕'], "coffee"),
    (&['🍵'], "tea"),
    (&['🍹', '🍸'], "cocktail"),
    (&['🏖'], "beach"),
    (&['🏔', '⛰'], "mountain"),
    (&['🏕', '⛺'], "camping"),
    (&['🏊'], "swimming"),
    (&['🚌'], "bus"),
    (&['🚆', '🚂'], "train"),
    (&['🚗'], "car"),
    (&['🚲'], "bike"),
    (&['⛵', '🚤', '🛥'], "boat"),
    (&['✈'], "plane"),
    (&['🎤'], "karaoke"),
    (&['🎳'], "bowling"),
    (&['⚽'], "football"),
    (&['🎬', '🎥'], "film"),
    (&['🐶', '🐕'], "dog"),
    (&['🐱', '🐈'], "cat"),
    (&['🐴', '🐎'], "horse"),
    (&['🦁'], "lion"),
    (&['☀', '🌞'], "sun"),
    (&['🌙'], "moon"),
    (&['👍', '✅', '✔', '🙋'], "yes"),
    (&['👎', '❌', '🙅'], "no"),
];

/// The word for an emoji that stands for a choice by itself.
pub(in super::super) fn emoji_word(c: char) -> Option<&'static str> {
    WORDS.iter().find(|(signs, _)| signs.contains(&c)).map(|(_, word)| *word)
}

/// Faces and parts of faces; they colour a sentence and rarely stand for a choice.
fn is_mood(c: char) -> bool {
    matches!(u32::from(c), 0x1F600..=0x1F640 | 0x1F910..=0x1F93A | 0x1F970..=0x1F97A | 0x1F494..=0x1F49F)
        || matches!(c, '🎉' | '💀' | '💯' | '✨' | '🙏' | '👀' | '📊' | '👇' | '⬇' | '🗳')
}

/// Marks that belong to the emoji before them: skin tones, joined signs.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x1F3FB..=0x1F3FF) || matches!(c, '♂' | '♀')
}

/// Emojis that point at the poll itself.
fn is_sign(c: char) -> bool {
    matches!(c, '📊' | '👇' | '🗳' | '📣' | '⚡' | '➡' | '👉' | '🚨' | '❓' | '❗')
}

/// A run of emojis with nothing between them counts as one key.
struct Key {
    first: char,
    span: Range<usize>,
}

fn keys(page: &Page<'_>) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for (at, c) in page.folded().char_indices().filter(|(_, c)| is_emoji(*c) && !is_sign(*c)) {
        let end = at + c.len_utf8();
        match keys.last_mut() {
            Some(key) if page.folded()[key.span.end..at].trim().is_empty() || is_mark(c) => {
                key.span.end = end;
            }
            _ => keys.push(Key { first: c, span: at..end }),
        }
    }
    keys
}

/// Choices behind or before an emoji each.
pub(super) fn keyed(page: &Page<'_>) -> Option<Found> {
    let keys = keys(page);
    let apart = keys
        .iter()
        .enumerate()
        .all(|(at, key)| keys.iter().take(at).all(|other| other.first != key.first));
    if keys.len() < 2 || keys.len() > 12 || !apart {
        return None;
    }
    let gap = page.folded()[keys[0].span.end..keys[1].span.start].trim_start();
    let led = page.folded()[..keys[0].span.start].trim_end().ends_with(char::is_alphanumeric);
    if led && gap.starts_with("or ") && gap.len() > 5 {
        return bare(page, &keys);
    }
    bare(page, &keys).or_else(|| before(page, &keys)).or_else(|| behind(page, &keys))
}

/// "a 🎸 or a 🐟": the emojis themselves are the choices.
fn bare(page: &Page<'_>, keys: &[Key]) -> Option<Found> {
    let [one, other, ..] = keys else { return None };
    let between = page.folded().get(one.span.end..other.span.start)?;
    if !matches!(between.trim(), "or" | "or a" | "or an" | "vs" | "/") {
        return None;
    }
    // A word right before the first emoji is what it stands for.
    let items =
        keys.iter().map(|key| Item::said(key.span.clone(), emoji_word(key.first))).collect();
    let named = page.folded()[other.span.end..].trim_start().starts_with('=');
    (!named).then(|| Found::new(items, Shape::Keyed, page.whole()))
}

/// Where the choice behind a key ends: before the next key, a new sentence or a new line.
fn label_end(page: &Page<'_>, start: usize, end: usize) -> usize {
    let label = &page.folded()[start..end];
    let from = label.find(char::is_alphanumeric).unwrap_or(0);
    edges::sentence_end(&label[from..]).map_or(end, |at| start + from + at)
}

fn has_words(page: &Page<'_>, range: Range<usize>) -> bool {
    page.folded()[range].chars().any(char::is_alphanumeric)
}

/// `🍕 pizza 🌮 tacos`, `👍 = keep it, 👎 = bin it`.
fn behind(page: &Page<'_>, keys: &[Key]) -> Option<Found> {
    let folded = page.folded();
    let mut items: Vec<Item> = Vec::with_capacity(keys.len());
    let (mut linked, mut moods) = (0, 0);
    for (place, key) in keys.iter().enumerate() {
        let next = keys.get(place + 1).map_or(folded.len(), |next| next.span.start);
        let end = label_end(page, key.span.end, next);
        if !has_words(page, key.span.end..end) {
            // A last emoji with nothing behind it only colours the sentence.
            if place + 1 == keys.len() && items.len() > 1 {
                break;
            }
            return None;
        }
        let label = folded[key.span.end..next].trim_end();
        let start = folded[key.span.end..end].trim_start();
        let opens = folded[..key.span.start].trim_end_matches(' ').ends_with('\n');
        linked += usize::from(
            opens
                || label.ends_with([',', '/', ';', '|'])
                || label.ends_with(" or")
                || start.starts_with(['=', ':', '-'])
                || ["for ", "if "].iter().any(|word| start.starts_with(word)),
        );
        moods += usize::from(is_mood(key.first));
        let last = place + 1 == keys.len();
        let end = if last { edges::last_end(page, key.span.end..end, &items) } else { end };
        items.push(Item::keyed(key.span.end..end, page.text.said(key.span.clone())));
    }
    let first = keys.first()?.span.start;
    let lead = folded[..first].trim_end();
    let led = lead.is_empty() || lead.ends_with(['?', ':', '!', '.', ',']);
    let meant = linked + 1 >= items.len()
        || page.signs.call
        || (moods == 0 && led)
        || (moods == 0 && items.len() > 2);
    meant.then(|| Found::new(items, Shape::Keyed, page.lead(first)))
}

/// `pizza 🍕 leftovers 🥡`, `if you want mutton put 🐐 if you want chicken put 🐔`.
fn before(page: &Page<'_>, keys: &[Key]) -> Option<Found> {
    let folded = page.folded();
    let first = keys.first()?.span.start;
    let start = edges::clause_start(&folded[..first]);
    if !has_words(page, start..first) || keys.iter().any(|key| is_mood(key.first)) {
        return None;
    }
    let mut items = Vec::with_capacity(keys.len());
    let mut from = start;
    for key in keys {
        let part = from..key.span.start;
        let words = folded[part.clone()].split_whitespace().count();
        if !has_words(page, part.clone()) || words > 8 {
            return None;
        }
        items.push(Item::keyed(part, page.text.said(key.span.clone())));
        from = key.span.end;
    }
    // With words straight after the last emoji, the emojis stand before their choices.
    let rest = folded[from..].trim_start_matches(' ');
    let closed =
        rest.is_empty() || rest.starts_with(['.', '?', '!', ',', ')', '\n', '-', ';', '…']);
    closed.then(|| Found::new(items, Shape::Keyed, page.lead(start)))
}

/// The emoji at the edge of a choice: what it may be voted for with.
pub(super) fn at_edge(option: &str) -> Option<String> {
    let option =
        option.trim_matches(|c: char| c.is_whitespace() || matches!(c, '?' | '.' | '!' | ','));
    let last =
        option.chars().rev().find(|c| *c != '\u{fe0f}').filter(|c| is_emoji(*c) && !is_mood(*c));
    last.or_else(|| option.chars().next().filter(|c| is_emoji(*c) && !is_mood(*c)))
        .map(String::from)
}
