//! `A, B or C?`

use std::ops::Range;

use super::Shape;
use super::edges;
use super::lead::choice_start;
use super::page::{Found, Page};
use super::rows;
use super::signs::calls_a_vote;
use crate::detect::word_set::{WordSet, set};

/// The choices around an `or`.
pub(super) fn alternatives(page: &Page<'_>) -> Option<Found> {
    let marks = ors(page);
    page.sentences.iter().enumerate().find_map(|(at, sentence)| {
        let own: Vec<Range<usize>> = marks
            .iter()
            .filter(|mark| sentence.start <= mark.start && mark.end <= sentence.end)
            .cloned()
            .collect();
        if own.is_empty() { None } else { around(page, at, sentence.clone(), own) }
    })
}

/// Every `or` that sets choices apart, with the comma before it.
fn ors(page: &Page<'_>) -> Vec<Range<usize>> {
    let (text, folded) = (page.text, page.folded());
    let mut found = Vec::new();
    for (at, word) in text.words().iter().enumerate() {
        let tongue = match text.word(at) {
            "or" | "ama" | "oder" | "atau" => true,
            "ya" | "ke" => is_south(page, at),
            _ => false,
        };
        let free = folded[..word.start].ends_with([' ', '\n', '(', '*'])
            && folded[word.end..].starts_with([' ', ',', '\n', '.', '*']);
        if tongue
            && free
            && !is_idiom(
                text.word(at + 1),
                text.word(at + 2),
                at.checked_sub(1).map_or("", |at| text.word(at)),
            )
        {
            let start = folded[..word.start].trim_end_matches([' ', ',', '*', '.', '/']).len();
            let end = word.end + folded[word.end..].len()
                - folded[word.end..].trim_start_matches([',', '*', ' ', '.', '/']).len();
            found.push(start..end);
        }
    }
    found
}

/// Words before a `ya` or `ke` that is no "or".
const NOT_AFTER: &[&str] = &[
    "see", "love", "ta", "for", "do", "of", "would", "you", "", "to", "are", "will", "can", "with",
];
/// Words after a `ya` or `ke` that is no "or".
const NOT_BEFORE: &[&str] = &[
    "", "all", "want", "know", "think", "reckon", "baad", "liye", "saath", "rather", "going",
    "paas",
];

/// `ya` and `ke` say "or" between two nouns, not in "see ya" and "uske baad".
fn is_south(page: &Page<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |at| page.text.word(at));
    let after = page.text.word(at + 1);
    !NOT_AFTER.contains(&before)
        && !NOT_BEFORE.contains(&after)
        && (page.text.word(at) == "ya" || page.signs.asks > 0)
}

/// Words that after an `or` give no choice, whatever else is said.
const IDIOMS: &[&str] = &[
    "something",
    "so",
    "else",
    "not",
    "wot",
    "less",
    "otherwise",
    "later",
    "smth",
    "sth",
    "similar",
    "am",
    "did",
];

/// "or something", "more or less": an `or` that gives no choice.
fn is_idiom(next: &str, second: &str, before: &str) -> bool {
    match next {
        "whatever" | "what" => second.is_empty(),
        "anything" => !matches!(second, "goes" | "beginning"),
        "two" => {
            matches!(before, "day" | "one" | "week" | "hour" | "a" | "minute" | "thing" | "bottle")
        }
        "no" => before == "whether",
        _ => IDIOMS.contains(&next),
    }
}

/// The choices around the `or`s of one sentence, with their question.
fn around(
    page: &Page<'_>,
    at: usize,
    sentence: Range<usize>,
    ors: Vec<Range<usize>>,
) -> Option<Found> {
    let folded = page.folded();
    let opening = leading(page, sentence.start, ors.first()?.start);
    let end = rows::tail_end(page, ors.last()?.end..sentence.end);
    let mut parts = divided(page, sentence.start, opening, &ors, end)?;
    let next = parts.get(1)?.clone();
    let first = parts.first_mut()?;
    let raw = first.start;
    first.start = choice_start(page.text, first.clone(), next);
    let begins = first.start;
    strip_likewise(page, raw..begins, &mut parts);
    strip_at(page, &mut parts);
    trim_figures(page, &mut parts);
    let shape = if asked(page, at, &sentence) { Shape::Or } else { Shape::Loose };
    let short = parts.iter().all(|part| {
        folded[part.clone()].split_whitespace().count() <= if shape == Shape::Or { 12 } else { 6 }
    });
    let question = question(page, at, sentence, end, opening, &parts);
    short.then(|| Found::plain(parts, shape, question))
}

/// The pieces between commas and `or`s, from what opens the list or the sentence, without leading topics.
fn divided(
    page: &Page<'_>,
    start: usize,
    opening: Option<usize>,
    ors: &[Range<usize>],
    end: usize,
) -> Option<Vec<Range<usize>>> {
    let (first_or, last_or) = (ors.first()?.clone(), ors.last()?);
    let from = opening.unwrap_or(start);
    let mut marks = commas(page, from, first_or.start);
    let oxford = page.folded()[first_or.clone()].starts_with(',');
    let led = if opening.is_some() {
        0
    } else {
        topics(page, from, &marks, first_or, oxford, last_or.end)
    };
    let from = if led > 0 { marks.get(led - 1)?.end } else { from };
    marks.drain(..led);
    for pair in ors.windows(2) {
        marks.extend(commas(page, pair[0].end, pair[1].start));
    }
    marks.extend(ors.iter().cloned());
    marks.sort_by_key(|mark| mark.start);
    let mut parts = Vec::with_capacity(marks.len() + 1);
    let mut start = from;
    for mark in &marks {
        parts.push(start.min(mark.start)..mark.start);
        start = mark.end;
    }
    parts.push(start.min(end)..end);
    Some(parts)
}

/// Where a colon, a dash, dots or a question mark ends what stands before the list.
fn leading(page: &Page<'_>, start: usize, or: usize) -> Option<usize> {
    let led = rows::lead_mark(&page.folded()[start..or]);
    (led > 0).then_some(start + led)
}

fn commas(page: &Page<'_>, from: usize, to: usize) -> Vec<Range<usize>> {
    let part = page.folded().get(from..to).unwrap_or("");
    let mut marks: Vec<Range<usize>> =
        part.match_indices(", ").map(|(at, mark)| from + at..from + at + mark.len()).collect();
    marks.extend(part.match_indices("... ").map(|(at, mark)| from + at..from + at + mark.len()));
    marks.sort_by_key(|mark| mark.start);
    marks
}

/// How many of the pieces before the `or` are the topic, not choices: "kids menu, nuggets or pasta?"
fn topics(
    page: &Page<'_>,
    from: usize,
    commas: &[Range<usize>],
    or: Range<usize>,
    oxford: bool,
    last: usize,
) -> usize {
    let folded = page.folded();
    let piece = |at: usize| {
        let start = if at == 0 { from } else { commas[at - 1].end };
        let end = commas.get(at).map_or(or.start, |comma| comma.start);
        folded.get(start..end).unwrap_or("")
    };
    let mut led = 0;
    for at in 0..commas.len() {
        if is_topic(
            page,
            piece(at),
            piece(at + 1),
            oxford && commas.len() > 1,
            at == 0,
            commas.len() - at,
        ) {
            led = at + 1;
        }
    }
    if !oxford
        && let [comma] = commas
        && unlike(page, from..comma.start, comma.end..or.start, last)
    {
        led = 1;
    }
    // "A, or B": the comma before the only `or` divides the choices themselves.
    led.min(commas.len())
}

/// Words that begin a topic: they ask, call or greet.
static ASKS: WordSet = set!(&[
    "what",
    "which",
    "who",
    "when",
    "where",
    "how",
    "need",
    "needs",
    "vote",
    "ok",
    "okay",
    "right",
    "folks",
    "guys",
    "lads",
    "team",
    "girls",
    "all",
    "so",
    "hey",
    "everyone",
    "people",
    "friends",
    "deciding",
    "whats",
    "what's",
    "pick",
    "poll",
    "ladies",
    "for",
    "hi",
    "and",
    "question",
    "quick",
    "boys",
    "tell",
    "class",
    "family",
    "dear",
    "fam",
    "stuck",
    "yo",
    "listen",
    "regarding",
    "re",
    "okes",
    "volunteers",
    "members",
]);
/// Words that end a topic: what is planned.
static COMMON: WordSet = set!(&[
    "menu",
    "code",
    "time",
    "day",
    "dinner",
    "lunch",
    "theme",
    "start",
    "party",
    "slot",
    "colour",
    "color",
    "gift",
    "cake",
    "music",
    "food",
    "breakfast",
    "transport",
    "venue",
    "drinks",
    "outfit",
    "outfits",
    "prize",
    "prizes",
    "snack",
    "snacks",
    "table",
    "tables",
    "question",
    "date",
    "ceremony",
    "wedding",
    "birthday",
    "bday",
    "entrance",
    "dress",
    "speeches",
    "night",
    "shirts",
    "retreat",
    "name",
    "names",
    "options",
    "morning",
    "evening",
    "weekend",
    "reception",
    "trip",
    "dessert",
    "brunch",
    "games",
    "plan",
]);

/// Whether a piece before the `or` is a topic: it asks, calls, greets, names what is planned or is far longer.
fn is_topic(
    page: &Page<'_>,
    piece: &str,
    next: &str,
    oxford: bool,
    first: bool,
    left: usize,
) -> bool {
    let words = |part: &str| part.split_whitespace().count();
    let mut own =
        piece.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    let asks = own.clone().next().is_some_and(|word| ASKS.contains(word))
        || own.any(|word| matches!(word, "which" | "what" | "where"));
    let last = piece.split_whitespace().next_back().unwrap_or("");
    let common = first && COMMON.contains(last) && !next.ends_with(last);
    let opens = page.text.word_from(0) == 0 && first;
    let long = words(piece) > words(next) + 3 && words(piece) > 4 && opens && !like_question(piece);
    if oxford && left > 1 {
        return asks && words(piece) > 0 && !like_question(piece) || long;
    }
    (asks && !like_question(piece))
        || common
        || long
        || calls_a_vote(piece) && !like_question(piece)
}

/// Whether the piece before a lone comma is put otherwise than the two around the `or`, which are alike.
fn unlike(page: &Page<'_>, first: Range<usize>, second: Range<usize>, last: usize) -> bool {
    let (text, folded) = (page.text, page.folded());
    let head = |at: usize| text.word_after(at);
    let kind = edges::start_of(head(second.start));
    let asks = |word: &str| {
        matches!(word, "are" | "do" | "should" | "shall" | "is" | "would" | "either" | "will")
    };
    if asks(head(second.start)) {
        return true;
    }
    if like_question(folded[first.clone()].trim_start()) {
        return false;
    }
    let alike = !matches!(kind, edges::Start::Other | edges::Start::Article)
        && kind == edges::start_of(head(last));
    let end = folded[last..].find([',', '?', '.', '!']).map_or(folded.len(), |at| last + at);
    let ending = |part: Range<usize>| folded[part].split_whitespace().next_back().unwrap_or("");
    let shared = head(second.start) == head(last) || ending(second.clone()) == ending(last..end);
    let own = edges::start_of(head(first.start)) == kind && kind != edges::Start::Other;
    (alike && !own)
        || (shared
            && ending(first.clone()) != ending(second.clone())
            && head(first.start) != head(last))
}

/// "do we want A, B or C": a question whose object is the first choice.
fn like_question(piece: &str) -> bool {
    matches!(
        piece.split_whitespace().next().unwrap_or(""),
        "do" | "should" | "shall" | "are" | "is" | "would" | "can" | "will" | "does" | "we"
    )
}

/// Cuts from the further choices the question that the first lost: "is it A or is it B".
fn strip_likewise(page: &Page<'_>, lead: Range<usize>, parts: &mut [Range<usize>]) {
    let folded = page.folded();
    let words = |from: usize| (0..4).map(move |at| page.text.word(page.text.word_from(from) + at));
    for part in parts.iter_mut().skip(1) {
        let own: Vec<&str> = words(part.start).collect();
        let aux = matches!(own[0], "do" | "should" | "shall" | "are" | "is" | "would" | "will");
        let asks = aux && matches!(own[1], "we" | "it" | "you" | "they" | "i" | "people");
        let same = !lead.is_empty() && asks;
        if same {
            part.start = choice_start(page.text, part.clone(), part.end..part.end);
        } else if matches!(own[0], "we" | "we'll")
            && matches!(own[1], "do" | "have" | "go" | "get")
            && folded[part.clone()].split_whitespace().count() > 2
        {
            let third = page.text.word_from(part.start) + 2;
            part.start = page.text.words().get(third).map_or(part.start, |word| word.start);
        }
    }
}

/// "at 13:30 or at 14:00": a preposition before a figure is no part of the choice.
fn strip_at(page: &Page<'_>, parts: &mut [Range<usize>]) {
    for part in parts.iter_mut() {
        let at = page.text.word_from(part.start);
        let figure = page.text.word(at + 1).starts_with(|c: char| c.is_ascii_digit());
        if page.text.word(at) == "at" && figure {
            part.start =
                page.text.words().get(at + 1).map_or(part.start, |word| word.start.min(part.end));
        }
    }
}

/// "11am or 2pm kickoff": where the first is one figure, so is the last.
fn trim_figures(page: &Page<'_>, parts: &mut [Range<usize>]) {
    let folded = page.folded();
    let figure =
        |part: &str| part.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '£' | '$' | '€'));
    let (Some(first), Some(last)) = (parts.first().cloned(), parts.last_mut()) else { return };
    let one = folded[first].trim();
    let body = folded[last.clone()].trim_start();
    let lead = last.len() - body.len();
    if !figure(one) || one.contains(' ') || !figure(body) {
        return;
    }
    let Some(blank) = body.find(' ') else { return };
    let unit =
        ["am", "pm", "a.m.", "p.m."].iter().find(|unit| body[blank + 1..].starts_with(**unit));
    last.end = (last.start + lead + blank + unit.map_or(0, |unit| unit.len() + 1)).min(last.end);
}

/// Whether the choices are asked for: by a question mark, a word for voting, or a question's word order.
fn asked(page: &Page<'_>, at: usize, sentence: &Range<usize>) -> bool {
    let part = page.folded()[sentence.clone()].trim_end();
    let next = page.sentences.get(at + 1).map_or("", |next| page.folded()[next.clone()].trim_end());
    let first = page.text.word_after(sentence.start);
    part.contains('?')
        || page.signs.call
        || next.ends_with('?')
        || matches!(
            first,
            "do" | "should" | "shall" | "are" | "would" | "which" | "what" | "is" | "who" | "where"
        )
}

/// The question: the sentence of the choices, without an order that follows; what a colon set before a longer list.
fn question(
    page: &Page<'_>,
    at: usize,
    sentence: Range<usize>,
    end: usize,
    opening: Option<usize>,
    parts: &[Range<usize>],
) -> Range<usize> {
    let (count, begins) = (parts.len(), parts.first().map_or(0, |part| part.start));
    let closing = rows::closing(page, end, sentence.end);
    let asked = at.checked_sub(1).and_then(|at| page.sentences.get(at)).filter(|before| {
        let part = page.folded()[(*before).clone()].trim_end();
        part.ends_with('?') || (count > 2 && part.split_whitespace().count() < 5)
    });
    match (opening, asked) {
        (Some(opening), _) if count > 2 => sentence.start..opening,
        (None, Some(asked)) if begins == sentence.start => asked.clone(),
        _ => sentence.start..closing,
    }
}
