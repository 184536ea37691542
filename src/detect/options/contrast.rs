//! Choices told apart by what is said of each: "mum says lilac, dad says peach", "Rome has sun, Oslo has snow".

use std::ops::Range;

use super::Shape;
use super::edges;
use super::page::{Found, Page};
use crate::detect::word_set::{WordSet, set};

/// Verbs whose object is the choice.
const OBJECT: &[&str] =
    &["says", "likes", "wants", "want", "prefers", "pictures", "like", "prefer", "say", "fancies"];
/// Verbs whose subject is the choice.
const SUBJECT: &[&str] =
    &["has", "have", "gets", "get", "means", "does", "is", "are", "comes", "costs", "can"];
/// Subjects that are no choice.
const PRONOUNS: &[&str] = &[
    "i", "it", "we", "you", "he", "she", "they", "that", "there", "this", "what", "who", "which",
    "how", "where",
];
/// Openings that like clauses share and that are no part of the choice.
static ASKING: WordSet = set!(&[
    "who", "who's", "those", "if", "do", "shall", "would", "should", "we", "it", "could", "are",
    "can", "dress", "option", "raise", "all",
]);

/// Two or more like clauses in a text that asks or calls for a vote.
pub(super) fn contrast(page: &Page<'_>) -> Option<Found> {
    let clauses = clauses(page);
    likewise(page, &clauses).or_else(|| same_verb(page, &clauses))
}

fn clauses(page: &Page<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for sentence in &page.sentences {
        let part = &page.folded()[sentence.clone()];
        let mut marks: Vec<Range<usize>> = Vec::new();
        for mark in [", ", "; ", " and ", " but ", " while ", "... "] {
            marks.extend(part.match_indices(mark).map(|(at, mark)| at..at + mark.len()));
        }
        marks.sort_by_key(|mark| mark.start);
        for piece in super::rows::between(&marks, part.len()) {
            let piece = sentence.start + piece.start..sentence.start + piece.end;
            if page.folded()[piece.clone()].chars().any(char::is_alphanumeric) {
                found.push(piece);
            }
        }
    }
    found
}

/// Clauses that begin alike: "who wants A, who wants B"; a shared noun stays with its choice.
fn likewise(page: &Page<'_>, clauses: &[Range<usize>]) -> Option<Found> {
    let (text, folded) = (page.text, page.folded());
    clauses.windows(2).find_map(|pair| {
        let [one, other] = pair else { return None };
        let (a, b) = (text.word_from(one.start), text.word_from(other.start));
        let shared = (0..8)
            .take_while(|at| {
                !text.word(a + at).is_empty() && text.word(a + at) == text.word(b + at)
            })
            .count();
        let within = |at: usize, clause: &Range<usize>| {
            text.words().get(at).is_some_and(|word| word.end <= clause.end)
        };
        if shared < 2 || !within(a + shared, one) || !within(b + shared, other) {
            return None;
        }
        let cut = ASKING.contains(text.word(a));
        let start = |at: usize| {
            text.words().get(if cut { at + shared } else { at }).map_or(0, |word| word.start)
        };
        let end = |clause: &Range<usize>| {
            let part = folded[clause.clone()].trim_end_matches(edges::is_edge);
            let part = [" say", " type", " put", " raise", " shout"]
                .iter()
                .find_map(|word| part.rfind(word))
                .map_or(part.len(), |at| at);
            clause.start + part
        };
        let parts = vec![start(a)..end(one).max(start(a)), start(b)..end(other).max(start(b))];
        Some(Found::plain(parts, Shape::Set, page.whole()))
    })
}

/// Clauses with the same verb: its objects or its subjects are the choices.
fn same_verb(page: &Page<'_>, clauses: &[Range<usize>]) -> Option<Found> {
    let folded = page.folded();
    clauses.windows(2).find_map(|pair| {
        let [one, other] = pair else { return None };
        let verb = |clause: &Range<usize>, verbs: &[&str]| {
            let words = page.text.words();
            let from = page.text.word_from(clause.start) + 1;
            let own = words.iter().skip(from).take_while(|word| word.end <= clause.end);
            own.map(|word| (&folded[word.clone()], word.start, word.end))
                .find(|it| verbs.contains(&it.0))
        };
        let ends = |clause: &Range<usize>| {
            clause.start + folded[clause.clone()].trim_end_matches(edges::is_edge).len()
        };
        if let (Some(a), Some(b)) = (verb(one, OBJECT), verb(other, OBJECT))
            && a.0 == b.0
        {
            let parts = vec![a.2..ends(one).max(a.2), b.2..ends(other).max(b.2)];
            return Some(Found::plain(parts, Shape::Set, page.whole()));
        }
        let (a, b) = (verb(one, SUBJECT)?, verb(other, SUBJECT)?);
        let lead = super::rows::lead_mark(&folded[one.start..a.1]);
        let pronoun = |at: usize| PRONOUNS.contains(&page.text.word_after(at));
        (a.0 == b.0 && !pronoun(one.start + lead) && !pronoun(other.start)).then(|| {
            Found::plain(vec![one.start + lead..a.1, other.start..b.1], Shape::Set, page.whole())
        })
    })
}
