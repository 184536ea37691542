//! Choices said in like words: "hands up for A, hands up for B", "who wants A and who wants B", "between A and B".

use std::ops::Range;

use super::Shape;
use super::edges;
use super::page::{Found, Page};

/// Words that open one of a pair.
const OPENERS: &[(&[&str], &[&str])] = &[
    (&["thumbs up", "thumb up"], &["thumbs down", "thumb down"]),
    (
        &["hands up for", "hands up if you want", "hands up"],
        &[
            "hands up for",
            "hands up if you want",
            "hands up",
            "hands down for",
            "and for",
            "feet up for",
        ],
    ),
    (
        &["who wants"],
        &["who wants", "who'd be happy w/", "who'd be happy with", "who's for", "who'd rather"],
    ),
    (
        &["who's for", "whos for", "who is for", "who's up for"],
        &["who's for", "whos for", "who is for", "who's up for", "who's against"],
    ),
    (&["who's in for"], &["who's in for"]),
    (&["who prefers"], &["who prefers"]),
    (&["who's team", "who is team", "team"], &["who's team", "who is team", "team"]),
    (
        &["if you're for", "if you want", "if you're", "if you prefer", "if u want"],
        &[
            "if you're for",
            "if you want",
            "if you'd rather",
            "if you're",
            "if you prefer",
            "if u want",
        ],
    ),
    (
        &["heart for", "heart"],
        &["heart for", "heart", "thumb for", "thumbs for", "fire for", "laugh for"],
    ),
    (
        &["thumbs for", "thumb for"],
        &["fire for", "heart for", "hearts for", "laugh for", "fist for"],
    ),
    (
        &["would it be kinder to have", "would it be better to have"],
        &["would it be kinder in", "would it be better to have"],
    ),
    (&["raise a hand for", "raise one for"], &["raise two for", "raise a foot for"]),
    (&["one for", "once for"], &["two for", "twice for"]),
];

/// A pair, or more, of openers with a choice behind each.
pub(super) fn pair(page: &Page<'_>) -> Option<Found> {
    OPENERS.iter().find_map(|(first, further)| opened(page, first, further))
}

fn opened(page: &Page<'_>, first: &[&str], further: &[&str]) -> Option<Found> {
    let folded = page.folded();
    let (start, mut from) = find(folded, 0, first)?;
    let mut parts: Vec<Range<usize>> = Vec::new();
    while let Some((next, end)) = find(folded, from, further) {
        parts.push(from..cut(folded, from, next));
        from = end;
    }
    if parts.is_empty() {
        return None;
    }
    let end = cut(folded, from, folded.len());
    parts.push(from..end);
    let sentence = page.sentence_of(end.saturating_sub(1));
    let asked =
        if start > 0 && page.sentence_of(start).start == start { page.lead(start) } else { 0..0 };
    let question =
        if asked.is_empty() || asked.end == folded.len() { start..sentence.end } else { asked };
    Some(Found::plain(parts, Shape::Set, question))
}

/// The first of these phrases from here on, as whole words.
fn find(folded: &str, from: usize, phrases: &[&str]) -> Option<(usize, usize)> {
    let free = |at: usize| !folded[..at].ends_with(char::is_alphanumeric);
    phrases
        .iter()
        .filter_map(|phrase| {
            let at = from + folded.get(from..)?.find(phrase)?;
            let end = at + phrase.len();
            (free(at) && !folded[end..].starts_with(char::is_alphanumeric)).then_some((at, end))
        })
        .min_by_key(|(at, end)| (*at, usize::MAX - *end))
}

/// Where a choice ends: at its sentence's or clause's end, or before "and" and the next opener.
fn cut(folded: &str, from: usize, next: usize) -> usize {
    let part = &folded[from..next];
    let lead = part.find(char::is_alphanumeric).unwrap_or(0);
    let body = &part[lead..];
    let stop = edges::sentence_end(body).unwrap_or(body.len());
    let stops = [", ", "...", " - "].iter().filter_map(|mark| body.find(mark));
    let stop = stops.chain([stop]).min().unwrap_or(stop);
    let kept = body[..stop].trim_end();
    let kept = [" and", " or", " put", " react", " say", " &"]
        .iter()
        .find_map(|word| kept.strip_suffix(word))
        .unwrap_or(kept);
    from + lead + kept.len()
}

/// What opens a choice between things named one after the other, in the order it is looked for.
const LEADS: &[&str] = &[
    "torn between ",
    "choose between ",
    "between ",
    "narrowed it to ",
    "narrowed it down to ",
    "narrowed down to ",
    "choice is ",
    "choices are ",
    "options are ",
    "options: ",
    "down to ",
    "finalists are ",
    "finalists, ",
    "it's ",
    "either ",
    "split on ",
    "choice of ",
    "two dates: ",
    "shortlist is ",
];

/// "between A and B", "torn between A and B", "the choice is A, B and C", "two options, A and B".
pub(super) fn between(page: &Page<'_>) -> Option<Found> {
    let folded = page.folded();
    let from = LEADS.iter().find_map(|lead| {
        let at = folded.find(lead)?;
        (!folded[..at].ends_with(char::is_alphanumeric)).then_some(at + lead.len())
    })?;
    let stop = edges::sentence_end(&folded[from..]).map_or(folded.len(), |at| from + at);
    let body = &folded[from..stop];
    let and = body.find(" and ").or_else(|| body.find(" & "))?;
    let comma = body[and..].find([',', ';']).map_or(body.len(), |at| and + at);
    let end = body[and..comma].find(" for the ").map_or(comma, |at| and + at);
    let mut marks: Vec<Range<usize>> =
        body[..and].match_indices(", ").map(|(at, mark)| at..at + mark.len()).collect();
    marks.extend(body[..end].match_indices(" and ").map(|(at, mark)| at..at + mark.len()));
    if marks.is_empty() {
        marks.push(and..and + 3);
    }
    let parts = super::rows::between(&marks, end)
        .into_iter()
        .map(|part| from + part.start..from + part.end)
        .collect();
    let asked = page.signs.call || page.signs.asks > 0;
    let sentence = page.sentence_of(from);
    Some(Found::plain(parts, if asked { Shape::List } else { Shape::Loose }, sentence))
}
