//! `yes/no`, `y/n`, `aye or nay`, `for or against`: the two choices that need no naming.

use std::ops::Range;

use super::Shape;
use super::page::{Found, Item, Page};

const PAIRS: &[(&str, &str)] = &[
    ("yes", "no"),
    ("y", "n"),
    ("yay", "nay"),
    ("yea", "nay"),
    ("aye", "nay"),
    ("aye", "no"),
    ("yeah", "nah"),
    ("yay", "no"),
    ("oui", "non"),
    ("for", "against"),
    ("ja", "nein"),
    ("haan", "na"),
    ("si", "no"),
    ("ndio", "hapana"),
];

/// Both words in a row, with nothing but a mark, `or` or `a` between them.
pub(super) fn yes_or_no(page: &Page<'_>) -> Option<Found> {
    let text = page.text;
    let len = text.words().len();
    let (one, other) = (0..len).find_map(|at| {
        let other = (at + 1..len.min(at + 4)).find(|other| {
            PAIRS.contains(&(text.word(at), text.word(*other)))
                && (at + 1..*other).all(|between| matches!(text.word(between), "or" | "a" | "an"))
        })?;
        joined(page, at, other).then_some((at, other))
    })?;
    let words = text.words();
    let row = words.get(one)?.start..words.get(other)?.end;
    let items = vec![Item::at(words.get(one)?.clone()), Item::at(words.get(other)?.clone())];
    Some(Found::new(items, Shape::YesNo, asked(page, row)))
}

/// Whether the two stand side by side as choices, and nothing is listed after them.
fn joined(page: &Page<'_>, at: usize, other: usize) -> bool {
    let (folded, words) = (page.folded(), page.text.words());
    let (Some(one), Some(two)) = (words.get(at), words.get(other)) else { return false };
    let gap = folded[one.end..two.start].trim_matches(' ');
    let mark =
        matches!(gap, "/" | "or" | "or a" | ", or" | "," | "//" | "\\" | "?" | "or an" | " / ");
    let after = folded[two.end..].trim_start_matches([' ', '"']);
    let spoken = matches!(gap, "or" | "," | "?" | ", or");
    let ends = !spoken
        || after.is_empty()
        || after.starts_with(|c: char| !c.is_alphanumeric())
        || ["to ", "on ", "for ", "please", "pls", "to:", "from", "vote", "all"]
            .iter()
            .any(|word| after.starts_with(word));
    let listed = after.starts_with('/')
        || (gap == "," && after.starts_with(','))
        || after.starts_with("or ")
        || after.starts_with(", maybe");
    mark && ends && !listed
}

/// The question: what stands before the pair in its sentence, or after it when it leads.
fn asked(page: &Page<'_>, row: Range<usize>) -> Range<usize> {
    let folded = page.folded();
    let sentence = page.sentence_of(row.start);
    let has_words = |range: Range<usize>| folded[range].split_whitespace().count() > 1;
    let after = folded[row.end..].trim_start_matches(' ');
    if let Some(colon) = folded[row.end..sentence.end.max(row.end)].find([':', ','])
        && has_words(row.end + colon + 1..sentence.end)
        && !has_words(sentence.start..row.start)
    {
        return row.end + colon + 1..sentence.end;
    }
    let before =
        folded[sentence.start..row.start].trim_end_matches([' ', '(', '-', ',', ':', '?', '"']);
    let spoken = ["is it", "a", "say", "answer", "reply", "just", "simple"]
        .iter()
        .any(|word| before.ends_with(word));
    if has_words(sentence.start..row.start) && !spoken {
        return sentence.start..sentence.start + before.len();
    }
    let earlier = page.sentences.iter().rev().find(|range| range.end <= sentence.start);
    match earlier {
        Some(earlier)
            if after.trim_matches([' ', '.', ')', '?', '!']).is_empty()
                || !has_words(row.end..sentence.end) =>
        {
            earlier.clone()
        }
        _ => sentence,
    }
}
