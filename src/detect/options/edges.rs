//! Where sentences, clauses and choices begin and end.

use std::ops::Range;

use super::super::words::{DAYS, MONTHS};
use super::emoji::is_emoji;
use super::signs::calls_a_vote;
use crate::detect::word_set::{WordSet, set};

/// Words whose full stop ends no sentence.
static SHORT: WordSet = set!(&[
    "dr", "mr", "mrs", "ms", "prof", "st", "fr", "smt", "sr", "jr", "no", "vs", "v", "approx",
    "rev", "sgt", "e.g", "i.e", "mt", "ft",
]);

/// Where the first sentence of this stretch ends: the place of its closing mark.
pub(super) fn sentence_end(part: &str) -> Option<usize> {
    let bytes = part.as_bytes();
    let mut word = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => return Some(at),
            b'.' | b'!' | b'?' => {
                let next = bytes.get(at + 1);
                let dots = *byte == b'.' && at > 0 && bytes[at - 1] == b'.';
                let closes = next.is_none_or(|next| matches!(next, b' ' | b'\n' | b'"' | b')'));
                let short = *byte == b'.' && SHORT.contains(part.get(word..at).unwrap_or(""));
                if closes && !dots && !short {
                    return Some(at);
                }
            }
            b' ' | b'(' | b',' => word = at + 1,
            _ => {}
        }
    }
    None
}

/// Sentences, each with its closing marks; none is blank.
pub(super) fn sentences(folded: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(at) = sentence_end(&folded[start..]) {
        let mark = start + at;
        let marks = folded[mark..].find(|c| !matches!(c, '.' | '!' | '?' | '"' | ')' | '\n'));
        let end = marks.map_or(folded.len(), |marks| mark + marks);
        push_unless_blank(folded, start..end, &mut found);
        start = end;
    }
    push_unless_blank(folded, start..folded.len(), &mut found);
    found
}

fn push_unless_blank(folded: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let blank = |c: char| !c.is_alphanumeric() && !is_emoji(c);
    if !folded[range.clone()].chars().all(blank) {
        found.push(range);
    }
}

/// Where the last sentence of this stretch begins.
pub(super) fn clause_start(part: &str) -> usize {
    let mut start = 0;
    while let Some(at) = sentence_end(&part[start..]) {
        let rest = &part[start + at..];
        let Some(next) = rest.find(|c: char| c.is_alphanumeric() || is_emoji(c)) else { break };
        start += at + next;
    }
    start
}

/// The end of this stretch without a closing clause that only calls for the vote.
pub(super) fn before_call(page: &super::page::Page<'_>, start: usize, end: usize) -> usize {
    let part = &page.folded()[start..end];
    [", ", " - ", "; "]
        .iter()
        .filter_map(|mark| part.rfind(mark))
        .filter(|at| *at > 1 && closes(&part[*at..]))
        .min()
        .map_or(end, |at| start + at)
}

/// Where the last of keyed choices ends: at a comma when no other has one inside, else before a call for the vote.
pub(super) fn last_end(
    page: &super::page::Page<'_>,
    last: Range<usize>,
    others: &[super::page::Item],
) -> usize {
    let folded = page.folded();
    let inside = |part: &str| part.trim_matches(is_edge).contains(", ");
    let plain = !others.iter().any(|item| inside(&folded[item.span.clone()]));
    let body = &folded[last.clone()];
    let lead = body.find(char::is_alphanumeric).unwrap_or(0);
    let stop = [", ", "...", " … "].iter().filter_map(|mark| body[lead..].find(mark)).min();
    match stop {
        Some(at) if plain && !others.is_empty() => last.start + lead + at,
        _ => before_call(page, last.start, last.end),
    }
}

/// First words of clauses about the choosing.
static OPENING: WordSet = set!(&[
    "what",
    "which",
    "who",
    "need",
    "needs",
    "i",
    "i'm",
    "i'll",
    "i've",
    "let",
    "lmk",
    "tell",
    "please",
    "pls",
    "plz",
    "go",
    "everyone",
    "everybody",
    "ideas",
    "drop",
    "put",
    "reply",
    "type",
    "asking",
    "guys",
    "folks",
    "lads",
    "ladies",
    "girls",
    "people",
    "team",
    "thoughts",
    "we",
    "where",
    "how",
    "say",
    "kindly",
    "give",
    "gimme",
    "hit",
    "help",
    "you",
    "your",
    "it's",
    "sisters",
    "one",
    "last",
    "most",
    "hands",
    "speak",
    "over",
    "can",
    "any",
    "shout",
]);

/// Whether this clause is about the choosing, not one of the choices.
pub(super) fn closes(clause: &str) -> bool {
    let mut words =
        clause.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    words.next().is_some_and(|first| OPENING.contains(first)) || calls_a_vote(clause)
}

/// Marks that enclose a choice and say nothing of it.
pub(super) fn is_edge(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            ',' | '.'
                | '?'
                | '!'
                | ':'
                | ';'
                | '='
                | '-'
                | '–'
                | '—'
                | '"'
                | '“'
                | '”'
                | '…'
                | '\u{fe0f}'
                | '\u{20e3}'
                | '\u{200d}'
                | '/'
                | '*'
                | '~'
                | '|'
                | '•'
                | '·'
                | '>'
                | '_'
                | '➡'
        )
        || is_emoji(c)
}

/// What a choice may begin with and is said without, in the order it is taken off.
const LEADS: &[&str] = &[
    "the ",
    "a ",
    "an ",
    "or ",
    "and ",
    "for ",
    "either ",
    "maybe ",
    "then ",
    "& ",
    "if you want ",
    "if you'd rather ",
    "if you're for ",
    "if you prefer ",
    "if you're ",
    "if it's ",
    "is ",
];

/// What a choice may end with and is said without, in the order it is taken off.
const TAILS: &[&str] = &[
    " guys",
    " folks",
    " lads",
    " girls",
    " ladies",
    " please",
    " pls",
    " plz",
    " then",
    " lol",
    " y'all",
    " yall",
    " ah",
    " or",
    " and",
    " or a",
    " and a",
    " everybody",
    " ba",
    " pls click",
    " first pls",
    " people",
    " team",
    " xx",
    " x",
    " option",
];

/// A choice as written, without keys, marks and leading articles.
pub(super) fn clean(option: &str) -> &str {
    let mut option = option.trim_matches(is_edge);
    for _ in 0..2 {
        for lead in LEADS {
            if option.get(..lead.len()).is_some_and(|start| start.eq_ignore_ascii_case(lead)) {
                option = option[lead.len()..].trim_start_matches(is_edge);
            }
        }
    }
    for tail in TAILS {
        let cut = option.len().saturating_sub(tail.len());
        if cut > 0 && option.get(cut..).is_some_and(|end| end.eq_ignore_ascii_case(tail)) {
            option = option[..cut].trim_end_matches(is_edge);
        }
    }
    unbracketed(option)
}

/// Takes off brackets around all, a lone bracket, and an aside before a choice.
fn unbracketed(option: &str) -> &str {
    let inner = option.strip_prefix('(').map_or(option, |rest| match rest.find(')') {
        Some(at) if at + 1 < rest.len() => rest[at + 1..].trim_start_matches(is_edge),
        Some(at) => &rest[..at],
        None => rest,
    });
    if let Some(aside) =
        inner.strip_suffix(')').and_then(|rest| rest.rfind(" (").map(|at| &rest[at..]))
        && !aside.contains(|c: char| c.is_ascii_digit())
        && !aside.contains("free")
        && !aside.contains("noon")
        && inner.len() > aside.len() + 1
    {
        return inner[..inner.len() - aside.len() - 1].trim_matches(is_edge);
    }
    if let Some(open) = inner.rfind(" (").filter(|open| !inner[*open..].contains(')')) {
        return inner[..open].trim_matches(is_edge);
    }
    if inner.ends_with(')') && !inner.contains('(') {
        return inner.trim_end_matches(')').trim_matches(is_edge);
    }
    inner.trim_matches(is_edge)
}

/// What kind of word a choice begins with; choices of one list begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Article,
    Preposition,
    Figure,
    Day,
    Month,
    Other,
}

/// The kind of this folded word.
pub(super) fn start_of(word: &str) -> Start {
    static PREPOSITIONS: WordSet = set!(&[
        "in", "on", "at", "by", "before", "after", "with", "without", "to", "from", "as", "w/",
        "between", "under", "over", "during", "inside", "outside", "into", "right",
    ]);
    static FIGURES: WordSet = set!(&[
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "noon",
        "midday", "half",
    ]);
    let bare = word.trim_start_matches(['(', '"', '\'']);
    if matches!(bare, "a" | "an" | "the" | "my" | "our" | "your" | "his" | "her" | "that" | "this")
    {
        Start::Article
    } else if PREPOSITIONS.contains(bare) {
        Start::Preposition
    } else if bare.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '£' | '$' | '€' | '₹'))
        || FIGURES.contains(bare)
    {
        Start::Figure
    } else if DAYS.contains(bare) {
        Start::Day
    } else if MONTHS.contains(bare) && bare != "may" {
        Start::Month
    } else {
        Start::Other
    }
}
