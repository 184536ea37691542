//! A message's text, made ready to be read.
//!
//! Readers work on the folded text (lower case, straight quotes, no odd
//! blanks). What they quote comes from the text as it was written: every byte
//! of the folded text knows where it came from.

use super::word_set::{WordSet, set};
use std::ops::Range;

/// How much of a message is read, in bytes; what stands after it decides nothing.
const READ: usize = 4096;

/// A text and its folded form.
#[derive(Debug)]
pub(super) struct Text<'a> {
    raw: &'a str,
    folded: String,
    /// Where each byte of the folded text came from, and one past the last.
    origin: Vec<usize>,
    words: Vec<Range<usize>>,
}

impl<'a> Text<'a> {
    /// Folds the text.
    pub(super) fn new(raw: &'a str) -> Self {
        let raw = &raw[..raw.floor_char_boundary(READ)];
        let mut folded = String::with_capacity(raw.len());
        let mut origin = Vec::with_capacity(raw.len() + 1);
        for (at, c) in raw.char_indices() {
            fold_char(c, &mut folded);
            origin.resize(folded.len(), at);
        }
        origin.push(raw.len());
        let words = words_of(&folded);
        Self { raw, folded, origin, words }
    }

    /// The folded text.
    pub(super) fn folded(&self) -> &str {
        &self.folded
    }

    /// The folded words' places. Letters, digits and inner apostrophes make a word.
    pub(super) fn words(&self) -> &[Range<usize>] {
        &self.words
    }

    /// The folded word at a place in [`Self::words`]; empty beyond the last.
    pub(super) fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |range| &self.folded[range.clone()])
    }

    /// What was written at this place of the folded text.
    pub(super) fn said(&self, range: Range<usize>) -> &'a str {
        let start = self.origin.get(range.start).copied().unwrap_or(self.raw.len());
        let end = self.origin.get(range.end).copied().unwrap_or(self.raw.len());
        self.raw.get(start..end).unwrap_or("")
    }

    /// The place of the first word that starts at or after this place of the folded text.
    pub(super) fn word_from(&self, offset: usize) -> usize {
        self.words.partition_point(|word| word.start < offset)
    }

    /// The folded word before this place; empty at the start.
    pub(super) fn word_before(&self, offset: usize) -> &str {
        let next = self.words.partition_point(|word| word.end <= offset);
        next.checked_sub(1).map_or("", |at| self.word(at))
    }

    /// The folded word after this place; empty at the end.
    pub(super) fn word_after(&self, offset: usize) -> &str {
        self.word(self.word_from(offset))
    }

    /// Whether the text was written with a capital here.
    pub(super) fn is_capital(&self, range: &Range<usize>) -> bool {
        self.said(range.clone()).chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether a sentence starts with this word.
    pub(super) fn starts_sentence(&self, offset: usize) -> bool {
        let before = self.folded[..offset].trim_end_matches([' ', '"', '*', '(']);
        before.is_empty() || before.ends_with(['.', '!', '?', '\n', ':', '…'])
    }
}

fn fold_char(c: char, folded: &mut String) {
    match c {
        '’' | '‘' | 'ʼ' | '`' | '´' => folded.push('\''),
        '“' | '”' => folded.push('"'),
        '–' | '—' => folded.push('-'),
        '\n' => folded.push('\n'),
        // The emoji variation mark would stand between an emoji and its blank.
        '\u{fe0f}' | '\u{200d}' => {}
        c if c.is_control() || c.is_whitespace() => folded.push(' '),
        c if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
        c => folded.extend(c.to_lowercase()),
    }
}

fn words_of(folded: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut open: Option<usize> = None;
    for (at, c) in folded.char_indices() {
        let inner = c == '\''
            && open.is_some()
            && folded[at + 1..].chars().next().is_some_and(char::is_alphanumeric);
        if c.is_alphanumeric() || inner {
            open.get_or_insert(at);
        } else if let Some(start) = open.take() {
            words.push(start..at);
        }
    }
    if let Some(start) = open {
        words.push(start..folded.len());
    }
    words
}

/// Words that end like plurals and stay as they are.
#[rustfmt::skip]
static ALIKE: WordSet = set!(&[
    "flowers", "lights", "directions", "sweets", "goalposts", "drinks", "invitations", "bus",
    "glass", "instructions", "dress", "canvas", "glasses", "tissues", "scissors", "wellies",
    "goggles", "tights", "minutes", "timings", "ashes",
]);

/// The singular of an English noun; what is singular already stays.
pub(super) fn singular(word: &str) -> String {
    if ALIKE.contains(word) || word.len() < 4 || !word.ends_with('s') || word.ends_with("ss") {
        return word.to_owned();
    }
    for (many, one) in [
        ("knives", "knife"),
        ("loaves", "loaf"),
        ("leaves", "leaf"),
        ("scarves", "scarf"),
        ("shelves", "shelf"),
    ] {
        if let Some(stem) = word.strip_suffix(many) {
            return format!("{stem}{one}");
        }
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return if stem.len() < 3 { format!("{stem}ie") } else { format!("{stem}y") };
    }
    if let Some(stem) =
        word.strip_suffix("oes").filter(|stem| stem.len() > 2 && !stem.ends_with("sh"))
    {
        return format!("{stem}o");
    }
    for ending in ["sses", "shes", "ches", "xes"] {
        if word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    if word.ends_with("us") || word.ends_with("is") {
        return word.to_owned();
    }
    word[..word.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_come_from_the_text_as_it_was_written() {
        let text = Text::new("I’ll ring\u{a0}Émile");
        assert_eq!(text.folded(), "i'll ring émile");
        let last = text.words()[2].clone();
        assert_eq!(text.said(last), "Émile");
        assert_eq!(text.said(text.words()[0].clone()), "I’ll");
    }

    #[test]
    fn plurals_become_singular_and_fixed_plurals_stay() {
        for (plural, one) in [
            ("chairs", "chair"),
            ("dresses", "dress"),
            ("flowers", "flowers"),
            ("bus", "bus"),
            ("berries", "berry"),
            ("pies", "pie"),
            ("cake knives", "cake knife"),
            ("tomatoes", "tomato"),
        ] {
            assert_eq!(singular(plural), one);
        }
    }
}
