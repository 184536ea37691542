//! A message as rules and weights see it: its words, with names, amounts and things as one token each.

use std::ops::Range;

use super::money::Amount;
use super::people::Name;
use super::phrases::{AMOUNT, NAME, NUMBER, Phrasebook, Symbol, THING, Token};
use super::text::Text;
use super::things::Thing;

/// The words of a text as the phrasebook knows them, before any reader masks them.
pub(super) fn plain<'l>(text: &Text<'_>, book: &'l Phrasebook) -> Vec<Token<'l>> {
    let spans = text.words();
    spans.iter().map(|span| token(text, book, span)).collect()
}

/// The tokens of a text, each with its place.
#[derive(Debug)]
pub(super) struct Tokens<'l> {
    /// What rules match.
    pub(super) tokens: Vec<Token<'l>>,
    /// Where each stands in the folded text.
    pub(super) spans: Vec<Range<usize>>,
}

impl<'l> Tokens<'l> {
    /// Masks what the readers found; where two claim a word, an amount wins, then a participant, a thing, a guessed name.
    pub(super) fn masked(
        text: &Text<'_>,
        words: &[Token<'l>],
        names: &[Name],
        amounts: &[Amount],
        things: &[Thing<'_>],
    ) -> Self {
        let mut masks: Vec<(Range<usize>, Symbol, u8)> = Vec::new();
        let rank = |name: &Name| if name.known { 1 } else { 3 };
        masks.extend(
            amounts.iter().map(|it| (it.span.clone(), if it.sure { AMOUNT } else { NUMBER }, 0)),
        );
        masks.extend(names.iter().map(|it| (it.span.clone(), NAME, rank(it))));
        masks.extend(things.iter().map(|it| (it.span.clone(), THING, 2)));
        masks.sort_by_key(|(span, _, rank)| (*rank, span.start));
        let mut taken: Vec<(Range<usize>, Symbol)> = Vec::with_capacity(masks.len());
        for (span, mask, _) in masks {
            if !taken.iter().any(|(other, _)| other.start < span.end && span.start < other.end) {
                taken.push((span, mask));
            }
        }
        taken.sort_by_key(|(span, _)| span.start);
        Self::merged(text, words, &taken)
    }

    fn merged(text: &Text<'_>, words: &[Token<'l>], masks: &[(Range<usize>, Symbol)]) -> Self {
        let count = text.words().len();
        let (mut tokens, mut spans) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut masks = masks.iter().peekable();
        let mut read = 0;
        for (at, word) in text.words().iter().enumerate() {
            while masks.next_if(|(span, _)| span.end <= word.start).is_some() {}
            // The further words of a mask are part of its first.
            if word.start < read {
                continue;
            }
            let (span, token) = match masks.peek() {
                Some((span, mask)) if span.start < word.end => {
                    let span = span.start.min(word.start)..span.end.max(word.end);
                    let token = masked(text, words, at, &span, *mask);
                    (span, token)
                }
                _ => (word.clone(), words[at]),
            };
            read = span.end;
            tokens.push(token);
            spans.push(span);
        }
        Self { tokens, spans }
    }
}

/// The words in this span as one token.
fn masked<'l>(
    text: &Text<'_>,
    words: &[Token<'l>],
    at: usize,
    span: &Range<usize>,
    mask: Symbol,
) -> Token<'l> {
    let last = text.word_from(span.end).saturating_sub(1).max(at);
    let is_word = mask >= THING && last == at;
    Token {
        mask: Some(mask),
        known: words[at].known.filter(|_| is_word),
        opens: words[at].opens,
        closes: words[last].closes,
    }
}

fn token<'l>(text: &Text<'_>, book: &'l Phrasebook, span: &Range<usize>) -> Token<'l> {
    let folded = text.folded();
    // "11.30" and "p.m" end nothing.
    let ends = |gap: &str| {
        gap.contains('\n')
            || gap.contains(['.', '!', '?', '…']) && gap.contains(char::is_whitespace)
    };
    let before = folded[..span.start].rfind(char::is_alphanumeric);
    let gap = &folded[before.map_or(0, |at| folded.ceil_char_boundary(at + 1))..span.start];
    let after = &folded[span.end..];
    let next = after.find(char::is_alphanumeric);
    Token {
        mask: None,
        known: book.known(&folded[span.clone()]),
        opens: before.is_none() || ends(gap),
        closes: next.is_none_or(|next| ends(&after[..next])),
    }
}
