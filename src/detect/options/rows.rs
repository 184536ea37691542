//! Choices in a row: set apart by `vs` or a stroke, by commas, as questions or as short sentences.

use std::ops::Range;

use super::Shape;
use super::edges;
use super::lead::choice_start;
use super::page::{Found, Page};
use super::signs::calls_a_vote;
use crate::detect::word_set::{WordSet, set};

/// The stretches between marks, the outer ones included.
pub(super) fn between(marks: &[Range<usize>], end: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::with_capacity(marks.len() + 1);
    let mut start = 0;
    for mark in marks {
        parts.push(start..mark.start.max(start));
        start = mark.end;
    }
    parts.push(start.min(end)..end);
    parts
}

/// `A vs B`, `A / B`, `A // B`, `A * B`.
pub(super) fn set_apart(page: &Page<'_>) -> Option<Found> {
    page.sentences.iter().find_map(|sentence| {
        let part = &page.folded()[sentence.clone()];
        let marks = versus(part).or_else(|| strokes(part))?;
        apart(page, sentence.clone(), &marks)
    })
}

fn versus(part: &str) -> Option<Vec<Range<usize>>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    for word in [" vs. ", " vs ", " v. ", " v ", " versus "] {
        marks.extend(part.match_indices(word).map(|(at, mark)| at..at + mark.len()));
    }
    marks.sort_by_key(|mark| mark.start);
    // "staff v parents / boys v girls" is a row of matches.
    (!marks.is_empty() && !part.contains(" / ")).then_some(marks)
}

fn strokes(part: &str) -> Option<Vec<Range<usize>>> {
    for mark in [" / ", " // ", " | ", " * ", " ~ ", " • ", " · ", "/ ", " /"] {
        let with = |at: usize| part[..at].ends_with(" w");
        let marks: Vec<_> = part
            .match_indices(mark)
            .filter(|(at, _)| !with(*at))
            .map(|(at, mark)| at..at + mark.len())
            .collect();
        if !marks.is_empty() {
            return Some(marks);
        }
    }
    glued(part)
}

/// "noon/1pm/2pm": strokes without blanks; not in a date, a rate or an address.
fn glued(part: &str) -> Option<Vec<Range<usize>>> {
    let marks: Vec<usize> = part.match_indices('/').map(|(at, _)| at).collect();
    let side = |at: usize, c: Option<char>| {
        c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '"' | ')' | '(' | '$' | '£')) && at > 0
    };
    let ends = |at: usize| {
        side(at, part[..at].chars().next_back()) && side(at, part[at + 1..].chars().next())
    };
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let date = marks
        .iter()
        .all(|at| digit(part[..*at].chars().next_back()) && digit(part[*at + 1..].chars().next()));
    let short = marks.iter().any(|at| {
        let word = part[..*at].rsplit(' ').next().unwrap_or("");
        matches!(
            word,
            "w" | "n" | "a" | "and" | "his" | "her" | "he" | "http:" | "https:" | "b" | "am"
        ) || part[*at + 1..].starts_with(['o', '/']) && word == "w"
    });
    let rate = marks.iter().any(|at| {
        [
            "person", "head", "pp", "night", "each", "day", "hr", "hour", "pax", "o ", "kg",
            "week", "month",
        ]
        .iter()
        .any(|unit| part[*at + 1..].starts_with(unit))
    });
    let good = !rate
        && !marks.is_empty()
        && marks.iter().all(|at| ends(*at))
        && !short
        && !part.contains("://");
    (good && (!date || marks.len() > 2)).then(|| marks.into_iter().map(|at| at..at + 1).collect())
}

fn apart(page: &Page<'_>, sentence: Range<usize>, marks: &[Range<usize>]) -> Option<Found> {
    let part = &page.folded()[sentence.clone()];
    let is_glued = marks.iter().all(|mark| mark.len() == 1);
    let mut parts: Vec<Range<usize>> = between(marks, part.len())
        .into_iter()
        .map(|it| sentence.start + it.start..sentence.start + it.end)
        .collect();
    let next = parts.get(1)?.clone();
    let first = parts.first_mut()?;
    let led = led_by(&page.folded()[first.clone()]);
    first.start += led;
    let from = first.start;
    first.start = if is_glued && led == 0 {
        last_word(page, first.clone(), next.clone())
    } else {
        choice_start(page.text, first.clone(), next.clone())
    };
    if !is_glued && led == 0 && first.start == sentence.start {
        first.start = as_long(page, first.clone(), next);
    }
    let start = first.start;
    let last = parts.last_mut()?;
    last.end = tail_end(page, last.clone());
    if is_glued {
        last.end = first_word_end(page, last.clone());
    }
    let whole = start == sentence.start;
    let asked = page.folded()[..from].trim_end().ends_with([':', '?', '!', '-', '.', ',', '…']);
    let end = closing(page, parts.last()?.end, sentence.end);
    let question = if asked && !whole && led > 0 {
        sentence.start..from
    } else if whole {
        earlier(page, sentence.clone()).unwrap_or(sentence.start..end)
    } else {
        sentence.start..end
    };
    Some(Found::plain(parts, Shape::Set, question))
}

/// The length of what stands before the first choice: up to its last mark, comma or bracket.
fn led_by(part: &str) -> usize {
    let led = lead_mark(part);
    [", ", ") "]
        .iter()
        .filter_map(|mark| part.rfind(mark).map(|at| at + mark.len()))
        .chain([led])
        .max()
        .unwrap_or(led)
}

/// Where the last choice's sentence ends without a call that hangs on a comma.
pub(super) fn closing(page: &Page<'_>, from: usize, end: usize) -> usize {
    let rest = &page.folded()[from..end];
    match rest.find([',', ';']).or_else(|| rest.find(" - ")) {
        Some(at) if edges::closes(&rest[at..]) => from + at,
        _ => end,
    }
}

/// The sentence right before that asks what this one lists.
fn earlier(page: &Page<'_>, sentence: Range<usize>) -> Option<Range<usize>> {
    let at = page.sentences.iter().position(|range| *range == sentence)?;
    let before = page.sentences.get(at.checked_sub(1)?)?;
    let part = page.folded()[before.clone()].trim_end();
    (part.ends_with(['?', ':']) || !calls_a_vote(part)).then(|| before.clone())
}

fn last_word(page: &Page<'_>, part: Range<usize>, next: Range<usize>) -> usize {
    let folded = &page.folded()[part.clone()];
    // "dress code: smart casual/black tie": with several words behind the mark, take as many before it.
    let wide = page.folded()[next].split_whitespace().next().map_or(0, |word| word.len()) == 0;
    let at = folded.trim_end().rfind([' ', '(']).map_or(0, |at| at + 1);
    part.start + if wide { 0 } else { at }
}

/// "outfits pastel / neon / black": a first piece with a topic before it is cut to the length of the next.
fn as_long(page: &Page<'_>, part: Range<usize>, next: Range<usize>) -> usize {
    let count = |range: Range<usize>| page.folded()[range].split_whitespace().count();
    let (own, other) = (count(part.clone()), count(next).max(1));
    if own < other + 2 || own < other * 2 {
        return part.start;
    }
    let words = page.text.words().iter().rev().skip_while(|word| word.start >= part.end);
    words.take(other).last().map_or(part.start, |word| word.start.max(part.start))
}

fn first_word_end(page: &Page<'_>, part: Range<usize>) -> usize {
    let folded = &page.folded()[part.clone()];
    folded.find([' ', ',', '?', ')']).map_or(part.end, |at| part.start + at)
}

/// The length of what a colon, a dash or dots set before a list.
pub(super) fn lead_mark(part: &str) -> usize {
    let dots = |at: usize, mark: &str| at + mark.len();
    [": ", " - ", "... ", "… ", "? ", "! ", ":\n"]
        .iter()
        .filter_map(|mark| part.rfind(mark).map(|at| dots(at, mark)))
        .max()
        .unwrap_or(0)
}

/// Where the last choice ends: before its mark, and before what only says what it is for.
pub(super) fn tail_end(page: &Page<'_>, last: Range<usize>) -> usize {
    let rest = &page.folded()[last.clone()];
    let lead =
        rest.find(|c: char| c.is_alphanumeric() || matches!(c, '"' | '£' | '$' | '€')).unwrap_or(0);
    let body = &rest[lead..];
    let quoted = body.strip_prefix('"').and_then(|quote| quote.find('"')).map(|at| at + 2);
    let stop = edges::sentence_end(body).unwrap_or(body.len());
    let marks = [
        ", ",
        " - ",
        "; ",
        "...",
        "…",
        ") ",
        " for the ",
        " for our ",
        " for my ",
        " for ",
        " because ",
        " pls",
        " please",
        " reply ",
        " pick ",
        ": ",
        " bc ",
        " but ",
        " so i ",
        " cos ",
    ];
    let stops = marks.iter().filter_map(|mark| {
        let at = body.find(mark)?;
        // "free for all" is one thing.
        let fixed = *mark == " for " && body[at..].starts_with(" for all");
        let aside = *mark == ") " && rest[..lead].contains('(');
        (!fixed && !aside).then_some(if *mark == ") " { at + 1 } else { at })
    });
    let found = stops.chain([stop]).chain(quoted).filter(|at| *at > 0).min().unwrap_or(stop);
    last.start + lead + found
}

/// `Prague? Budapest? Magaluf?`
pub(super) fn questions(page: &Page<'_>) -> Option<Found> {
    let folded = page.folded();
    let mut parts: Vec<Range<usize>> = Vec::new();
    for sentence in &page.sentences {
        let part = &folded[sentence.clone()];
        let fits = part.trim_end().ends_with('?')
            && part.split_whitespace().count() <= 8
            && !asks(page, sentence);
        match fits {
            true => parts.push(sentence.clone()),
            false if parts.len() > 1 => break,
            false => parts.clear(),
        }
    }
    if parts.len() < 2 {
        return None;
    }
    let first = parts.first_mut()?;
    let led = lead_mark(folded[first.clone()].trim_end());
    first.start += led;
    let start = first.start;
    for part in &mut parts {
        part.end = folded[part.clone()].find(" (").map_or(part.end, |at| part.start + at);
    }
    let lead = page.lead(start);
    Some(Found::plain(parts, Shape::Questions, lead))
}

/// Words that open a question which asks by itself.
static ASKING: WordSet = set!(&[
    "which",
    "what",
    "where",
    "who",
    "when",
    "how",
    "why",
    "really",
    "is",
    "are",
    "do",
    "does",
    "did",
    "can",
    "could",
    "will",
    "would",
    "should",
    "shall",
    "has",
    "have",
    "any",
    "anyone",
    "ok",
    "okay",
    "right",
    "thoughts",
    "yes",
    "no",
    "whats",
    "what's",
    "who's",
    "where's",
    "when's",
    "how's",
    "wait",
    "huh",
    "eh",
    "whos",
    "sorry",
    "hello",
    "and",
    "you",
    "i",
    "preferences",
    "opinions",
    "anybody",
    "someone",
    "everyone",
    "me",
    "was",
    "am",
    "pls",
    "please",
    "or",
]);

/// Whether a short question asks by itself: "when?", "are we sure?", "really?".
fn asks(page: &Page<'_>, sentence: &Range<usize>) -> bool {
    ASKING.contains(page.text.word_after(sentence.start))
}

/// `Naivasha. Nanyuki. Diani.` behind or before a call for a vote.
pub(super) fn sentences(page: &Page<'_>) -> Option<Found> {
    let folded = page.folded();
    if !page.signs.call || page.sentences.len() < 3 {
        return None;
    }
    let mut best: &[Range<usize>] = &[];
    let mut start = 0;
    for at in 0..=page.sentences.len() {
        let fits = page.sentences.get(at).is_some_and(|it| fragment(page, it));
        if fits {
            continue;
        }
        let run = page.sentences.get(start..at).unwrap_or(&[]);
        best = if run.len() > best.len() { run } else { best };
        start = at + 1;
    }
    // A first fragment of a row of three or more names what is voted on.
    let led = best.first().is_some_and(|first| first.start == 0) && best.len() > 2;
    let row = if led { best.get(1..)? } else { best };
    let begins = row.first()?.start;
    let enough = row.len() > 1 && (begins > 0 || row.len() > 2);
    let question = if begins > 0 { page.lead(begins) } else { 0..folded.len() };
    enough.then(|| Found::plain(row.to_vec(), Shape::List, question))
}

/// Whether a sentence is a bare name for something: short, not asking, not calling, without a pronoun.
fn fragment(page: &Page<'_>, sentence: &Range<usize>) -> bool {
    let part = &page.folded()[sentence.clone()];
    let said = |word: &str| {
        matches!(
            word,
            "i" | "i'm"
                | "we"
                | "you"
                | "u"
                | "it's"
                | "it"
                | "they"
                | "he"
                | "she"
                | "is"
                | "are"
                | "was"
                | "need"
                | "needs"
                | "thanks"
                | "please"
                | "pls"
                | "ok"
                | "lol"
                | "folks"
                | "lads"
                | "boys"
                | "guys"
                | "all"
        )
    };
    let words =
        part.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    part.split_whitespace().count() <= 6
        && part.trim_end().ends_with('.')
        && !calls_a_vote(part)
        && !words.into_iter().any(said)
}
