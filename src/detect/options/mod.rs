//! Choices put to the group: keyed by emoji or number, set against each other, or listed.
//!
//! Readers are tried from the shape that hardly anything else has to the one
//! that is also how people just talk; the first that finds choices is believed.

mod signs;
mod edges;
mod page;
mod lead;
mod emoji;
mod counted;
mod yes_no;
mod pairs;
mod contrast;
mod rows;
mod lists;
mod alternatives;

use std::ops::Range;

use super::text::Text;
use page::{Found, Page};
use signs::Signs;

pub(super) use emoji::{emoji_word, is_emoji};
pub(super) use signs::calls_a_vote;

/// How the choices were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each with an emoji, a number, a letter or a line of its own: hardly anything else looks like that.
    Keyed,
    /// `A vs B`, `A / B`, `hands up for A, hands up for B`.
    Set,
    /// `yes/no`, `y/n`, `for or against`.
    YesNo,
    /// `A, B or C` where something is asked or a vote is called.
    Or,
    /// A list behind a word for voting or a question: `shirts? black, navy, grey`.
    List,
    /// `A? B? C?`
    Questions,
    /// An `or` or a list in passing: nobody asks.
    Loose,
}

/// A question and its choices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choices {
    /// The question, as written.
    pub(super) question: String,
    /// The choices, as written, without keys and leading articles.
    pub(super) options: Vec<String>,
    /// What each choice was offered under, where it had a number, a letter or an emoji.
    pub(super) keys: Vec<Option<String>>,
    /// How they were put.
    pub(super) shape: Shape,
}

/// The choices in a text, if it puts any.
pub(super) fn choices(text: &Text<'_>) -> Option<Choices> {
    let signs = Signs::of(text);
    if !signs.any() {
        return None;
    }
    let page = Page::new(text, signs);
    counted::lines(&page)
        .and_then(|found| quoted(&page, found))
        .or_else(|| (signs.emojis > 1).then(|| quoted(&page, emoji::keyed(&page)?))?)
        .or_else(|| signs.keys.then(|| quoted(&page, counted::counted(&page)?))?)
        .or_else(|| signs.yes.then(|| quoted(&page, yes_no::yes_or_no(&page)?))?)
        .or_else(|| (signs.pairs > 1).then(|| quoted(&page, pairs::pair(&page)?))?)
        .or_else(|| {
            (signs.versus || signs.stroke).then(|| quoted(&page, rows::set_apart(&page)?))?
        })
        .or_else(|| signs.or.then(|| quoted(&page, alternatives::alternatives(&page)?))?)
        .or_else(|| (signs.asks > 1).then(|| quoted(&page, rows::questions(&page)?))?)
        .or_else(|| {
            (signs.call || signs.asks > 0).then(|| quoted(&page, contrast::contrast(&page)?))?
        })
        .or_else(|| signs.between.then(|| quoted(&page, pairs::between(&page)?))?)
        .or_else(|| signs.row.then(|| quoted(&page, lists::listed(&page)?))?)
        .or_else(|| signs.row.then(|| quoted(&page, rows::sentences(&page)?))?)
}

/// What was found as it was written; nothing when it does not look like choices after all.
fn quoted(page: &Page<'_>, found: Found) -> Option<Choices> {
    let mut options = Vec::with_capacity(found.items.len());
    let mut keys = Vec::with_capacity(found.items.len());
    for item in found.items {
        let raw = page.text.said(item.span);
        let option = item.word.unwrap_or_else(|| edges::clean(raw));
        if option.is_empty() || option.split_whitespace().count() > 12 {
            return None;
        }
        options.push(option.to_owned());
        keys.push(item.key.or_else(|| emoji::at_edge(raw).filter(|_| item.word.is_none())));
    }
    let fits = (2..=12).contains(&options.len());
    let alike = options.iter().skip(1).all(|option| option.eq_ignore_ascii_case(&options[0]));
    (fits && !alike).then(|| Choices {
        question: question(page, found.question),
        options,
        keys,
        shape: found.shape,
    })
}

/// The question as written, without the marks around it; all of the text when nothing is left.
fn question(page: &Page<'_>, range: Range<usize>) -> String {
    let marks =
        |c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | ',' | '📊' | '(' | '/' | '…');
    let asked = page.text.said(range).trim_matches(marks);
    let whole = page.text.said(page.whole());
    if asked.chars().any(char::is_alphanumeric) {
        asked.to_owned()
    } else {
        whole.trim().to_owned()
    }
}

#[cfg(test)]
mod tests;
