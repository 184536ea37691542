//! Choices listed by commas, semicolons or dots behind a question, a colon or a word for voting.

use std::ops::Range;

use super::Shape;
use super::edges;
use super::lead::choice_start;
use super::page::{Found, Page};
use super::rows::{between, lead_mark};
use super::signs::calls_a_vote;

/// `A, B, C` behind a question, a colon or a word for voting.
pub(super) fn listed(page: &Page<'_>) -> Option<Found> {
    let mut asked = false;
    for (at, sentence) in page.sentences.iter().enumerate() {
        let part = &page.folded()[sentence.clone()];
        if let Some(found) = row(page, at, sentence.clone(), asked) {
            return Some(found);
        }
        asked = part.trim_end().ends_with(['?', '!', '.']);
    }
    None
}

fn row(page: &Page<'_>, at: usize, sentence: Range<usize>, follows: bool) -> Option<Found> {
    let part = &page.folded()[sentence.clone()];
    let (led, mut parts) = pieces(part, sentence.start)?;
    let base = sentence.start + led;
    if led == 0
        && let [first, next, ..] = &parts[..]
    {
        let start = after_copula(page, first.clone(), next.clone());
        parts[0].start = start;
    }
    let cut = without_calls(page, &mut parts);
    if led == 0 && parts.len() > 1 {
        without_question(page, &mut parts)?;
    }
    let short = parts
        .iter()
        .all(|it| (1..=7).contains(&page.folded()[it.clone()].split_whitespace().count()));
    let asks = page.signs.asks > 0 || page.signs.call;
    let enough = parts.len() > 2 || (parts.len() == 2 && (led > 0 || follows || cut) && asks);
    if !short || !enough || talks(page, &parts) {
        return None;
    }
    let shape = if asks && (led > 0 || follows || page.signs.call || part.trim_end().ends_with('?'))
    {
        Shape::List
    } else {
        Shape::Loose
    };
    let question = question(page, at, base, sentence, &parts)?;
    Some(Found::plain(parts, shape, question))
}

/// How long the lead of a stretch that begins at `start` is, and the pieces between the marks behind it.
fn pieces(part: &str, start: usize) -> Option<(usize, Vec<Range<usize>>)> {
    let dotted = part.matches("...").count() > 1;
    let led = if dotted { first_lead(part) } else { lead_mark(part) };
    let body = part[led..].trim_end_matches(['.', '!', '?', ' ', '\n', ')', '"']);
    let mark = if body.contains("; ") {
        "; "
    } else if dotted {
        "..."
    } else {
        ", "
    };
    let marks: Vec<Range<usize>> =
        body.match_indices(mark).map(|(at, mark)| at..at + mark.len()).collect();
    if marks.is_empty() {
        return None;
    }
    let base = start + led;
    let parts =
        between(&marks, body.len()).into_iter().map(|it| base + it.start..base + it.end).collect();
    Some((led, parts))
}

/// Begins the first of the pieces behind the question, and drops it when it is still much longer than the others.
fn without_question(page: &Page<'_>, parts: &mut Vec<Range<usize>>) -> Option<()> {
    let next = parts[1].clone();
    let first = parts.first_mut()?;
    first.start = choice_start(page.text, first.clone(), next);
    let words = page.folded()[first.clone()].split_whitespace().count();
    let others =
        parts[1..].iter().map(|it| page.folded()[it.clone()].split_whitespace().count()).max()?;
    if words > others + 3 && parts.len() > 2 {
        parts.remove(0);
    }
    Some(())
}

/// What asks for the choices: the stretch before them, the sentence before theirs, or their own.
fn question(
    page: &Page<'_>,
    at: usize,
    base: usize,
    sentence: Range<usize>,
    parts: &[Range<usize>],
) -> Option<Range<usize>> {
    Some(match (base > sentence.start, at > 0) {
        (true, _) => sentence.start..base,
        (false, true)
            if page.text.word_from(parts.first()?.start) == page.text.word_from(sentence.start) =>
        {
            page.lead(sentence.start)
        }
        _ => sentence,
    })
}

/// "we've narrowed it to A, B, C", "the shortlist is A, B, C": where the first choice begins.
fn after_copula(page: &Page<'_>, first: Range<usize>, next: Range<usize>) -> usize {
    let folded = page.folded();
    let count = |range: Range<usize>| folded[range].split_whitespace().count();
    if count(first.clone()) < count(next) + 2 {
        return first.start;
    }
    let part = &folded[first.clone()];
    let lead = [" is ", " to ", " are ", " between ", "it's ", " was ", " vote ", " were "];
    let worded = lead.iter().filter_map(|word| part.rfind(word).map(|at| at + word.len()));
    let emoji = part
        .char_indices()
        .rev()
        .find(|(_, c)| super::emoji::is_emoji(*c))
        .map(|(at, c)| at + c.len_utf8());
    first.start + worded.chain(emoji).max().unwrap_or(0)
}

fn first_lead(part: &str) -> usize {
    [": ", "? "]
        .iter()
        .filter_map(|mark| part.find(mark).map(|at| at + mark.len()))
        .max()
        .unwrap_or(0)
}

/// Whether most pieces begin with a pronoun: two clauses of talk, not two choices.
fn talks(page: &Page<'_>, parts: &[Range<usize>]) -> bool {
    let first = |it: &Range<usize>| page.text.word_after(it.start);
    let said = parts
        .iter()
        .filter(|it| {
            matches!(
                first(it),
                "i" | "i'm"
                    | "i'll"
                    | "i've"
                    | "you"
                    | "he"
                    | "she"
                    | "they"
                    | "it"
                    | "it's"
                    | "that"
                    | "that's"
                    | "thanks"
                    | "sorry"
                    | "ok"
                    | "yes"
                    | "but"
                    | "so"
                    | "lol"
                    | "he's"
                    | "she's"
                    | "they're"
                    | "don't"
                    | "what"
                    | "how"
                    | "who"
                    | "when"
                    | "where"
                    | "can"
                    | "is"
            )
        })
        .count();
    said * 2 >= parts.len()
}

/// Drops trailing pieces that call for the vote: "you decide for us", "where do we all land".
fn without_calls(page: &Page<'_>, parts: &mut Vec<Range<usize>>) -> bool {
    let before = parts.len();
    while parts.len() > 2
        && parts.last().is_some_and(|it| edges::closes(&page.folded()[it.clone()]))
    {
        parts.pop();
    }
    while parts.len() > 2 && parts.first().is_some_and(|it| opens(page, it)) {
        parts.remove(0);
    }
    before > parts.len()
}

/// Whether a first piece is about the list, not in it: "folks", "which venue", "vote on colours".
fn opens(page: &Page<'_>, part: &Range<usize>) -> bool {
    let folded = &page.folded()[part.clone()];
    matches!(
        page.text.word_after(part.start),
        "which"
            | "what"
            | "where"
            | "who"
            | "when"
            | "how"
            | "ok"
            | "okay"
            | "right"
            | "so"
            | "hey"
            | "folks"
            | "team"
            | "guys"
            | "lads"
            | "all"
            | "dear"
            | "hi"
            | "need"
            | "can"
            | "could"
            | "for"
    ) || calls_a_vote(folded)
}
