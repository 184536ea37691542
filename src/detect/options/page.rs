//! A text on its way to choices: its sentences, its signs, and what was found in it.

use std::ops::Range;

use super::super::text::Text;
use super::Shape;
use super::edges;
use super::signs::Signs;

/// A text with what all readers of choices need.
pub(super) struct Page<'t> {
    pub(super) text: &'t Text<'t>,
    /// Sentences of the folded text, each with its closing mark.
    pub(super) sentences: Vec<Range<usize>>,
    pub(super) signs: Signs,
}

/// One choice: where it stands and the key it was offered under.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) span: Range<usize>,
    pub(super) key: Option<String>,
    /// The word for it, when it is no quotation.
    pub(super) word: Option<&'static str>,
}

impl Item {
    /// A quotation without a key.
    pub(super) fn at(span: Range<usize>) -> Self {
        Self { span, key: None, word: None }
    }

    /// A quotation behind a key.
    pub(super) fn keyed(span: Range<usize>, key: &str) -> Self {
        Self { span, key: Some(key.trim_matches('\u{fe0f}').to_owned()), word: None }
    }

    /// A word of ours for what stands here.
    pub(super) fn said(span: Range<usize>, word: Option<&'static str>) -> Self {
        Self { span, key: None, word }
    }
}

/// Choices before they are quoted.
pub(super) struct Found {
    pub(super) items: Vec<Item>,
    pub(super) shape: Shape,
    pub(super) question: Range<usize>,
}

impl Found {
    /// What a reader found.
    pub(super) fn new(items: Vec<Item>, shape: Shape, question: Range<usize>) -> Self {
        Self { items, shape, question }
    }

    /// Quotations without keys.
    pub(super) fn plain(parts: Vec<Range<usize>>, shape: Shape, question: Range<usize>) -> Self {
        Self::new(parts.into_iter().map(Item::at).collect(), shape, question)
    }
}

impl<'t> Page<'t> {
    /// Opens a text that has some signs.
    pub(super) fn new(text: &'t Text<'t>, signs: Signs) -> Self {
        Self { text, sentences: edges::sentences(text.folded()), signs }
    }

    /// The folded text.
    pub(super) fn folded(&self) -> &'t str {
        self.text.folded()
    }

    /// All of it.
    pub(super) fn whole(&self) -> Range<usize> {
        0..self.folded().len()
    }

    /// The sentence in which this place stands.
    pub(super) fn sentence_of(&self, at: usize) -> Range<usize> {
        let found = self.sentences.iter().find(|range| range.start <= at && at < range.end);
        found.cloned().unwrap_or_else(|| self.whole())
    }

    /// What stands before a list that begins here: its last sentence that says something; all when nothing does.
    pub(super) fn lead(&self, start: usize) -> Range<usize> {
        let folded = self.folded();
        let lead = &folded[..start];
        if !lead.chars().any(char::is_alphanumeric) {
            return self.whole();
        }
        let own =
            edges::clause_start(lead.trim_end().trim_end_matches(['.', '!', '?', ':', ',', '-']));
        own..start
    }
}
