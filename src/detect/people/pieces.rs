//! The text as a row of names and words, which the readers of roles walk over.

use std::ops::Range;

use super::Name;
use crate::detect::text::Text;
use crate::detect::word_set::PhraseSet;

/// A name or a word of a text, as the readers of roles see it.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Which of the names, if it is one.
    pub(super) name: Option<usize>,
    /// Its first word's place in the text.
    pub(super) word: usize,
    pub(super) span: Range<usize>,
    /// Whether a name has `'s`.
    pub(super) owns: bool,
    /// The mark between the piece before and this one.
    pub(super) mark: Mark,
}

/// What stands between two pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Blank,
    /// A comma, a dash, a bracket, a plus.
    Comma,
    /// The end of a sentence, or of the text.
    Stop,
}

/// A text as a row of names and words.
#[derive(Debug)]
pub(in crate::detect) struct Masked<'t, 'a> {
    pub(super) text: &'t Text<'a>,
    pub(super) pieces: Vec<Piece>,
}

impl<'t, 'a> Masked<'t, 'a> {
    /// Masks the names of a text.
    pub(in crate::detect) fn new(text: &'t Text<'a>, names: &[Name]) -> Self {
        let mut pieces: Vec<Piece> = Vec::with_capacity(text.words().len());
        let mut next = 0;
        let mut end = 0;
        for (word, range) in text.words().iter().enumerate() {
            if range.start < end {
                continue;
            }
            while names.get(next).is_some_and(|name| name.span.start < range.start) {
                next += 1;
            }
            let name = names.get(next).filter(|name| name.span.start == range.start).map(|_| next);
            let last = name.map_or(range.end, |at| {
                names[at].span.end.max(range.end.min(names[at].span.end + 2))
            });
            let owns = name.is_some() && text.folded()[last..].starts_with("'s")
                || name.is_some_and(|at| text.folded()[names[at].span.end..].starts_with("'s"));
            let mark =
                if pieces.is_empty() { Mark::Stop } else { mark(&text.folded()[end..range.start]) };
            end = last
                .max(name.map_or(range.end, |at| names[at].span.end + if owns { 2 } else { 0 }));
            pieces.push(Piece { name, word, span: range.start..end, owns, mark });
        }
        Self { text, pieces }
    }

    /// The word of a piece; empty for a name and beyond the ends.
    pub(super) fn word(&self, at: usize) -> &str {
        match self.pieces.get(at) {
            Some(Piece { name: None, word, .. }) => self.text.word(*word),
            _ => "",
        }
    }

    /// The word so many pieces before.
    pub(super) fn back(&self, at: usize, by: usize) -> &str {
        at.checked_sub(by).map_or("", |at| self.word(at))
    }

    pub(super) fn name(&self, at: usize) -> Option<usize> {
        self.pieces.get(at)?.name
    }

    /// The mark before a piece; a stop beyond the last.
    pub(super) fn mark(&self, at: usize) -> Mark {
        self.pieces.get(at).map_or(Mark::Stop, |piece| piece.mark)
    }

    /// Whether these words stand at this piece, one after the other; `*` is any word, `<>` a name.
    pub(super) fn says(&self, at: usize, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(offset, word)| match word {
            "*" => !self.word(at + offset).is_empty(),
            "<>" => self.name(at + offset).is_some(),
            word => {
                self.word(at + offset) == word
                    && (offset == 0 || self.mark(at + offset) < Mark::Stop)
            }
        })
    }

    /// Where one of the phrases stands first.
    pub(super) fn find(&self, phrases: &PhraseSet) -> Option<usize> {
        (0..self.pieces.len())
            .find(|at| phrases.beginning(self.word(*at)).any(|phrase| self.says(*at, phrase)))
    }

    /// Whether one of the phrases stands anywhere.
    pub(super) fn has(&self, phrases: &PhraseSet) -> bool {
        self.find(phrases).is_some()
    }
}

fn mark(gap: &str) -> Mark {
    if gap.contains(['.', '!', '?', '\n', ';', '…', ':']) {
        Mark::Stop
    } else if gap.chars().any(|c| !c.is_whitespace() && !matches!(c, '\'' | '"' | '@' | '&' | '+'))
    {
        Mark::Comma
    } else {
        Mark::Blank
    }
}
