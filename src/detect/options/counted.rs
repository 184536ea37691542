//! Choices behind numbers and letters, and choices on a line each.

use std::ops::Range;

use super::Shape;
use super::edges;
use super::emoji::is_emoji;
use super::page::{Found, Item, Page};
use super::signs::calls_a_vote;

/// How a choice is marked at the start of a line.
struct Mark<'a> {
    key: Option<&'a str>,
    /// Where the choice begins behind it.
    start: usize,
}

/// Choices on a line each: marked ones, or short ones under a question.
pub(super) fn lines(page: &Page<'_>) -> Option<Found> {
    if !page.signs.lines {
        return None;
    }
    let lines = lines_of(page.folded());
    marked(page, &lines).or_else(|| bare(page, &lines))
}

fn lines_of(folded: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in folded.split('\n') {
        let end = start + line.len();
        if line.chars().any(char::is_alphanumeric) {
            lines.push(start..end);
        }
        start = end + 1;
    }
    lines
}

fn marked(page: &Page<'_>, lines: &[Range<usize>]) -> Option<Found> {
    let folded = page.folded();
    let mut items: Vec<Item> = Vec::new();
    let mut first = 0;
    for line in lines {
        match mark(&folded[line.clone()]) {
            Some(found) => {
                first = if items.is_empty() { line.start } else { first };
                let span = line.start + found.start..line.end;
                items.push(Item { span, key: found.key.map(str::to_owned), word: None });
            }
            None if items.is_empty() => {}
            None => break,
        }
    }
    (items.len() > 1).then(|| Found::new(items, Shape::Keyed, page.lead(first)))
}

/// The mark at the start of a line: `1.`, `a)`, `- `, an emoji, `option 1:`.
fn mark(line: &str) -> Option<Mark<'_>> {
    let bare = line.trim_start_matches([' ', '(', '*']);
    let skipped = line.len() - bare.len();
    let bare = bare.strip_prefix("option ").unwrap_or(bare);
    let skipped = skipped.max(line.len() - bare.len());
    let mut chars = bare.char_indices();
    let (_, first) = chars.next()?;
    if is_emoji(first) {
        let end = bare.find(|c: char| !is_emoji(c)).unwrap_or(bare.len());
        return Some(Mark { key: bare.get(..end), start: skipped + end });
    }
    if matches!(first, '-' | '•' | '·' | '>' | '~' | '+') || line.trim_start().starts_with('*') {
        let start = bare.find(char::is_alphanumeric)?;
        return Some(Mark { key: None, start: skipped + start });
    }
    let end = bare.find(|c: char| !c.is_ascii_digit()).unwrap_or(bare.len());
    let end = if end == 0 && first.is_ascii_lowercase() { 1 } else { end };
    let after = bare.get(end..)?;
    let letter = first.is_ascii_lowercase();
    let closed = after.starts_with([')', ':', '=', '\u{20e3}'])
        || after.starts_with(". ")
        || after.starts_with(" - ")
        || (after.starts_with(' ') && (!letter || !matches!(first, 'a' | 'i') || line.len() < 40));
    let fits = (1..=2).contains(&end) && closed;
    fits.then(|| Mark { key: bare.get(..end), start: skipped + end })
}

/// Short lines under a line that asks, or anywhere when a vote is called.
fn bare(page: &Page<'_>, lines: &[Range<usize>]) -> Option<Found> {
    let folded = page.folded();
    let short = |line: &Range<usize>| {
        let part = &folded[line.clone()];
        part.split_whitespace().count() <= 8
            && !calls_a_vote(part)
            && !part.trim_end().ends_with([':', '?'])
    };
    let asks = |line: &Range<usize>| folded[line.clone()].trim_end().ends_with([':', '?']);
    let start = lines.iter().position(&asks).map_or(0, |at| at + 1);
    let run: Vec<Range<usize>> = lines
        .iter()
        .skip(start)
        .skip_while(|line| !short(line))
        .take_while(|line| short(line))
        .cloned()
        .collect();
    let enough = run.len() > 2 || (run.len() == 2 && start > 0);
    let begins = run.first()?.start;
    let parts = run
        .into_iter()
        .map(|line| line.start..without_aside(&folded[line.clone()]) + line.start)
        .collect();
    (enough && (start > 0 || page.signs.call))
        .then(|| Found::plain(parts, Shape::Keyed, page.lead(begins)))
}

/// The length of a line without a remark in brackets at its end.
fn without_aside(line: &str) -> usize {
    line.trim_end().strip_suffix(')').and_then(|line| line.rfind(" (")).unwrap_or(line.len())
}

/// `1 At Last, 2 Tere Bina`, `A) quiz B) mystery`, `Option A: … Option B: …`.
pub(super) fn counted(page: &Page<'_>) -> Option<Found> {
    [false, true].into_iter().find_map(|letters| row(page, letters))
}

fn row(page: &Page<'_>, letters: bool) -> Option<Found> {
    let (text, folded) = (page.text, page.folded());
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, word) in text.words().iter().enumerate() {
        if is_key(text.word(at), found.len(), letters) && opens(page, at, letters) {
            found.push(word.clone());
        }
    }
    let first = found.first()?.start;
    if found.len() < 2 {
        return None;
    }
    let mut items: Vec<Item> = Vec::with_capacity(found.len());
    for (at, key) in found.iter().enumerate() {
        let next = found.get(at + 1).map_or(folded.len(), |next| next.start);
        let from =
            folded[key.end..next].find(char::is_alphanumeric).map_or(next, |from| key.end + from);
        let from = skip_is(folded, from);
        let stop = edges::sentence_end(&folded[from..next]).map_or(next, |stop| from + stop);
        let stop =
            if at + 1 == found.len() { edges::last_end(page, from..stop, &items) } else { stop };
        if from >= stop {
            return None;
        }
        items.push(Item::keyed(from..stop, text.said(key.clone())));
    }
    let lead = folded[..first].trim_end().trim_end_matches("option").len();
    Some(Found::new(items, Shape::Keyed, page.lead(lead)))
}

fn is_key(word: &str, place: usize, letters: bool) -> bool {
    let [byte] = word.as_bytes() else { return false };
    let base = if letters { b'a' } else { b'1' };
    usize::from(byte.wrapping_sub(base)) == place && place < 9
}

/// "option 1 is the buffet": the verb is no part of the choice.
fn skip_is(folded: &str, from: usize) -> usize {
    ["is ", "for ", "means ", "if "]
        .iter()
        .find(|word| folded[from..].starts_with(**word))
        .map_or(from, |word| from + word.len())
}

fn opens(page: &Page<'_>, at: usize, letter: bool) -> bool {
    let (text, folded) = (page.text, page.folded());
    let Some(word) = text.words().get(at) else { return false };
    let after = folded[word.end..].trim_start_matches([' ', '\u{20e3}']);
    let close = after.len() == folded.len() - word.end;
    let before = folded[..word.start].trim_end();
    let called =
        matches!(text.word_before(word.start), "reply" | "vote" | "press" | "option" | "type");
    let marked = after.starts_with([')', ':', '='])
        && after
            .trim_start_matches([' ', '=', ')', ':', '\u{20e3}'])
            .starts_with(|c: char| c.is_alphabetic() || c == '"' || !c.is_ascii())
        || (after.starts_with(". ") && (close || !letter))
        || after.starts_with("- ");
    if marked {
        return !folded[..word.start].ends_with([':', '/', '.']);
    }
    let free = folded[..word.start].is_empty() || folded[..word.start].ends_with([' ', '\n', '(']);
    let worded = after.starts_with(|c: char| c.is_alphabetic() || c == '"');
    let opening = called
        || before.is_empty()
        || before.ends_with([',', '.', ':', '\n', ';', '?', '/'])
        || after.starts_with("for ");
    if letter {
        return free && worded && called && text.is_capital(word);
    }
    let counted = super::super::words::is_counted(text.word(at + 1)) || text.word(at + 1) == "x";
    let counted = counted && text.word(at) == "1";
    free && worded && !counted && (opening || ascending(page, at))
}

/// "1 Rome 2 Budapest 3 home": three in a row need no marks.
fn ascending(page: &Page<'_>, at: usize) -> bool {
    let words = page.text.words();
    let lists = |key: &str| (0..words.len()).any(|place| page.text.word(place) == key);
    let _ = at;
    lists("1") && lists("2") && lists("3")
}
