//! What stands before the first choice of a list and is none of it: "do we want the …", "Sunday, …".

use std::ops::Range;

use super::super::text::Text;
use super::edges::{Start, start_of};
use crate::detect::word_set::{WordSet, set};

/// Words that open a question or an order; what they open has a lead.
static OPENERS: WordSet = set!(&[
    "do",
    "does",
    "did",
    "should",
    "shall",
    "are",
    "is",
    "will",
    "would",
    "can",
    "could",
    "am",
    "which",
    "what",
    "where",
    "who",
    "we",
    "i",
    "we're",
    "i'm",
    "it's",
    "its",
    "shd",
    "shld",
    "we've",
    "whats",
    "what's",
    "how",
    "when",
    "pick",
    "choose",
    "vote",
    "wanna",
    "need",
    "want",
    "torn",
    "saying",
    "either",
    "r",
    "has",
    "have",
    "must",
    "may",
    "everyone",
    "everybody",
    "prefer",
    "poll",
    "quick",
    "hands",
    "options",
    "between",
    "torn",
    "help",
    "stuck",
    "say",
    "down",
    "who's",
    "whose",
    "let's",
    "shud",
    "wud",
    "whether",
    "decide",
    "deciding",
    "if",
    "it",
    "rather",
    "you",
    "reply",
    "people",
    "yous",
    "so",
]);
/// Words that may stand before an opener.
static BEFORE: WordSet = set!(&[
    "ok", "okay", "so", "right", "hey", "hi", "and", "guys", "folks", "lads", "team", "girls",
    "people", "now", "but", "well", "then", "all", "peeps", "everyone", "quick", "also", "eh",
    "ladies", "gents", "just", "serious", "question", "one", "last", "next", "final",
]);
/// Who is asked.
static ASKED: WordSet = set!(&[
    "we",
    "i",
    "you",
    "u",
    "ye",
    "ya",
    "yall",
    "y'all",
    "yiz",
    "yous",
    "it",
    "they",
    "people",
    "ppl",
    "folk",
    "folks",
    "everyone",
    "everybody",
    "anyone",
    "guys",
    "all",
    "lot",
    "he",
    "she",
    "the",
    "our",
    "this",
    "that",
    "there",
    "team",
    "us",
    "peeps",
    "lads",
    "girls",
    "ladies",
    "aap",
]);
/// Helpers and verbs whose object is the choice.
static TAKING: WordSet = set!(&[
    "want", "wanna", "prefer", "fancy", "like", "go", "for", "with", "have", "do", "get", "say",
    "thinking", "think", "going", "doing", "having", "wearing", "rather", "happier", "happy",
    "leaning", "be", "it", "to", "saying", "pick", "choose", "vote", "between", "either", "is",
    "are", "on", "both", "feeling", "feel", "a", "ordering", "gonna", "being", "about", "towards",
    "into", "at", "meeting", "wear", "getting", "using", "still", "all", "in", "bein", "should",
    "shall", "we", "do", "would", "could", "still", "just", "whether", "if", "make", "making",
    "guys", "and", "from", "our", "of", "love", "sooner", "up", "booking", "book", "stuck", "torn",
    "did", "better", "take", "good", "set", "cool", "shld", "asks", "says", "kitchen", "need",
    "verdict", "down", "narrowed",
]);

fn is_aux(word: &str) -> bool {
    matches!(
        word,
        "do" | "does"
            | "did"
            | "should"
            | "shall"
            | "are"
            | "is"
            | "will"
            | "would"
            | "can"
            | "could"
            | "am"
            | "r"
            | "shd"
            | "must"
            | "shud"
            | "wud"
            | "whether"
            | "if"
    )
}

/// Where the first choice begins in this stretch; `next` is how the choice after it begins.
pub(super) fn choice_start(text: &Text<'_>, part: Range<usize>, next: Range<usize>) -> usize {
    let words: Vec<Range<usize>> = words_in(text, &part);
    let Some(first) = words.first() else { return part.start };
    let whole = back_to_sign(text, first.start).max(part.start);
    let second = text.word(text.word_from(next.start));
    if let Some(start) = like_next(text, &words, next) {
        return start;
    }
    let begin =
        words.iter().position(|word| !BEFORE.contains(&text.folded()[word.clone()])).unwrap_or(0);
    let word =
        |at: usize| words.get(at).map_or("", |word: &Range<usize>| &text.folded()[word.clone()]);
    let asks = (begin..words.len())
        .any(|at| is_aux(word(at)) && matches!(word(at + 1), "we" | "it" | "you" | "i"));
    if !OPENERS.contains(word(begin)) && !asks {
        return if begin > 0 && begin < words.len() && word(0) != "all" {
            words[begin].start
        } else {
            whole
        };
    }
    let skipped = after_question(&word, begin, words.len(), second);
    words.get(skipped).map_or(whole, |word| back_to_sign(text, word.start))
}

/// Currency signs and quotes belong to the word after them.
fn back_to_sign(text: &Text<'_>, start: usize) -> usize {
    let before = &text.folded()[..start];
    let bare = before.trim_end_matches(['£', '$', '€', '₹', '"', '\'', '(']);
    bare.len()
}

/// The place of the first word behind the helpers, the asked and the verb that takes the choice.
fn after_question<'a>(
    word: &impl Fn(usize) -> &'a str,
    begin: usize,
    len: usize,
    second: &str,
) -> usize {
    let mut at = begin;
    // The last helper of the stretch opens the question proper: "which do we prefer".
    for place in begin..len {
        if is_aux(word(place)) && ASKED.contains(word(place + 1)) {
            at = place;
        }
    }
    let asks = is_aux(word(at));
    at += 1;
    if matches!(word(at), "the" | "our" | "my") && asks {
        // "should the kids sit": the noun is asked about, unless nothing would be left.
        if at + 2 < len && !matches!(word(at + 2), "of" | "with" | "in" | "and") {
            at += 2;
        }
    } else {
        while at + 1 < len && ASKED.contains(word(at)) && word(at) != "the" {
            at += 1;
        }
    }
    while at + 1 < len && TAKING.contains(word(at)) && word(at) != second {
        at += 1;
    }
    at
}

fn words_in(text: &Text<'_>, part: &Range<usize>) -> Vec<Range<usize>> {
    let from = text.word_from(part.start);
    text.words().iter().skip(from).take_while(|word| word.end <= part.end).cloned().collect()
}

/// Where the stretch has a word like the one with which the next choice begins.
fn like_next(text: &Text<'_>, words: &[Range<usize>], next: Range<usize>) -> Option<usize> {
    let folded = text.folded();
    let gap = folded[next.clone()].trim_start();
    let second =
        text.words().get(text.word_from(next.start)).filter(|word| word.end <= next.end)?;
    let signed = gap.starts_with(['£', '$', '€', '₹']);
    let (word, kind) = (
        &folded[second.clone()],
        if signed { Start::Figure } else { start_of(&folded[second.clone()]) },
    );
    let opens = words.first().is_some_and(|word| OPENERS.contains(&folded[word.clone()]));
    let quoted = gap.starts_with('"');
    let found = words.iter().enumerate().rev().find(|(at, range)| {
        let own = &folded[(*range).clone()];
        if quoted {
            return folded[..range.start].ends_with(" \"")
                || folded[..range.start].ends_with("say \"");
        }
        *at > 0
            && match kind {
                Start::Article => {
                    start_of(own) == kind && (*at > 1 || opens) && starts_well(folded, words, *at)
                }
                Start::Preposition => own == word,
                Start::Figure | Start::Day | Start::Month => start_of(own) == kind,
                Start::Other => own == word && *at + 1 < words.len(),
            }
    });
    let found = found.or_else(|| {
        let fits = kind == Start::Preposition && !text.is_capital(second);
        words.iter().enumerate().find(|(at, range)| {
            fits && *at > 1 && *at + 1 < words.len() && start_of(&folded[(*range).clone()]) == kind
        })
    })?;
    let (at, range) = found;
    let span = back_to_sign(text, range.start);
    let start = figure_start(folded, words, at, kind);
    Some(start.unwrap_or(span))
}

/// Whether an article here begins the choice: not the object of a preposition far back.
fn starts_well(folded: &str, words: &[Range<usize>], at: usize) -> bool {
    let before = words.get(at.wrapping_sub(1)).map_or("", |word| &folded[word.clone()]);
    !matches!(before, "of" | "on" | "in" | "at" | "with" | "for" | "under" | "round" | "over")
}

/// A figure goes with the figures and days right before it: "12 to 14 May", "Sat 3rd".
fn figure_start(folded: &str, words: &[Range<usize>], at: usize, kind: Start) -> Option<usize> {
    if kind != Start::Figure {
        return None;
    }
    let mut at = at;
    while at > 0 {
        let gap = folded.get(words[at - 1].end..words[at].start)?;
        if !matches!(gap, "." | ":" | "-" | "," | "/")
            || start_of(&folded[words[at - 1].clone()]) != Start::Figure
        {
            break;
        }
        at -= 1;
    }
    Some(folded[..words[at].start].trim_end_matches(['£', '$', '€', '₹', '(']).len())
}
