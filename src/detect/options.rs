//! Choices put to the group: keyed by emoji or number, set against each other, or listed.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::text::Text;

/// How the choices were put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Each behind an emoji, a number or a letter: hardly anything else looks like that.
    Keyed,
    /// `A vs B`, `A / B`, or a list behind a word for voting.
    Set,
    /// `A, B or C`: also how people just talk.
    Or,
}

/// A question and its choices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choices {
    /// The question, as written.
    pub(super) question: String,
    /// The choices, as written, without keys and leading articles.
    pub(super) options: Vec<String>,
    /// How they were put.
    pub(super) shape: Shape,
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours compiles")
}

static VOTING: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?-u:\b)(?:vote[sd]?|voting|poll|pick one|pick from|rank|show of hands|down to|narrowed|choose|you decide|majority|react|declare|favourite|top choice|each option|tick|where do we|everyone feel|emoji|opinions|stuck on)(?-u:\b)",
    )
});
static VERSUS: LazyLock<Regex> = LazyLock::new(|| fixed(r"\s(?:vs?\.?|versus)\s"));
static OR: LazyLock<Regex> = LazyLock::new(|| fixed(r",?\s(?:or|ya)\s"));
static LEAD: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^.*(?-u:\b)(?:prefer|rather do|rather|wanna do|wanna|want|wearing|thinking|having|between|happier with|should we|go for|down to|narrowed it to|stuck on|torn between|should the .* open|do we do|shall we do|shall we|team|hands up for|vote|poll|is it|can everyone|say)(?: (?:the|a|an))?\s",
    )
});
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?:thumbs up|hands up|heart|team|who's team) (?:for )?(?:the )?(?P<a>[^,.…?]+?)(?:[,.…]+| and| or)\s?(?:and )?(?:thumbs down|hands up|heart|team|who's team) (?:for )?(?:the )?(?P<b>[^,.…?!]+)",
    )
});

/// The choices in a text, if it puts any.
pub(super) fn choices(text: &Text<'_>) -> Option<Choices> {
    keyed_by_emoji(text)
        .or_else(|| keyed_by_count(text))
        .or_else(|| pair(text))
        .or_else(|| yes_or_no(text))
        .or_else(|| set_apart(text))
        .or_else(|| listed(text))
        .or_else(|| or_list(text))
}

/// Whether the text has a word for voting in it.
pub(super) fn calls_a_vote(folded: &str) -> bool {
    VOTING.is_match(folded)
}

/// Whether it is an emoji; digits and letters never are.
pub(super) fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0x2B00..=0x2BFF)
}

/// The word for an emoji that stands for a choice by itself.
pub(super) fn emoji_word(c: char) -> Option<&'static str> {
    Some(match c {
        '🎸' => "guitar",
        '🐟' | '🐠' => "fish",
        '🎣' => "fishing",
        '🍕' => "pizza",
        '🌮' => "taco",
        '🍔' => "burger",
        '🍦' => "ice cream",
        '🍩' => "doughnut",
        '🎂' | '🍰' => "cake",
        '🍺' | '🍻' => "beer",
        '🍷' => "wine",
        '🏖' => "beach",
        '🏔' | '⛰' => "mountain",
        '🚌' => "bus",
        '🚆' => "train",
        '✈' => "plane",
        '🎤' => "karaoke",
        '🎳' => "bowling",
        '👍' => "yes",
        '👎' => "no",
        _ => return None,
    })
}

fn finish(
    text: &Text<'_>,
    question: Range<usize>,
    options: Vec<Range<usize>>,
    shape: Shape,
) -> Option<Choices> {
    let options: Vec<String> = options
        .into_iter()
        .map(|range| clean(text.said(range)))
        .filter(|option| !option.is_empty())
        .collect();
    let words = |option: &String| option.split_whitespace().count();
    if options.len() < 2 || options.len() > 12 || options.iter().any(|option| words(option) > 9) {
        return None;
    }
    let question = text.said(question).trim_matches([' ', ':', '-', '–', ',', '\n', '📊']);
    let whole =
        if question.is_empty() { text.said(0..text.folded().len()).trim() } else { question };
    Some(Choices { question: whole.to_owned(), options, shape })
}

/// An option as written, without keys, marks and leading articles.
fn clean(option: &str) -> String {
    let mut option = option.trim_matches(|c: char| {
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
                    | '"'
                    | '('
                    | ')'
                    | '…'
                    | '\u{fe0f}'
            )
            || is_emoji(c)
    });
    for lead in ["the ", "a ", "an ", "or ", "and ", "for ", "= "] {
        if option.get(..lead.len()).is_some_and(|start| start.eq_ignore_ascii_case(lead)) {
            option = option[lead.len()..].trim_start();
        }
    }
    option.to_owned()
}

fn keyed_by_emoji(text: &Text<'_>) -> Option<Choices> {
    let folded = text.folded();
    let keys: Vec<(usize, char)> = folded.char_indices().filter(|(_, c)| is_emoji(*c)).collect();
    let first = keys.first()?;
    if let Some(choices) = bare_emoji(text, &keys) {
        return Some(choices);
    }
    let mut options = Vec::new();
    let mut linked = 0;
    for (place, (at, c)) in keys.iter().enumerate() {
        let start = at + c.len_utf8();
        let end = keys.get(place + 1).map_or(folded.len(), |(next, _)| *next);
        let label = &folded[start..end];
        let stop = label.trim_end().find(['.', '!', '?', '\n']).unwrap_or(label.len());
        if !label[..stop].chars().any(char::is_alphanumeric) {
            return None;
        }
        let ends_open =
            label.trim_end().ends_with([',', '/', ';']) || label.trim_end().ends_with(" or");
        let starts_key = label.trim_start().starts_with(['=', ':', '-'])
            || label.trim_start().starts_with("for ");
        linked += usize::from(ends_open || starts_key);
        options.push(start..start + stop);
    }
    let (start, first) = *first;
    let one_each = keys.iter().skip(1).all(|(_, c)| *c != first);
    let meant = linked + 1 >= options.len() || calls_a_vote(folded);
    (one_each && meant).then(|| finish(text, before_keys(folded, start), options, Shape::Keyed))?
}

/// The question that stands before the keys; nothing when the keys open the text.
fn before_keys(folded: &str, start: usize) -> Range<usize> {
    let lead = folded[..start].trim_end();
    if lead.ends_with([':', ',']) {
        0..start
    } else {
        0..lead.rfind(['.', '!', '?']).map_or(0, |at| at + 1)
    }
}

/// "a 🎸 or a 🐟": the emojis themselves are the choices.
fn bare_emoji(text: &Text<'_>, keys: &[(usize, char)]) -> Option<Choices> {
    let [(one_at, one), (other_at, other), ..] = keys else { return None };
    let between = &text.folded()[one_at + one.len_utf8()..*other_at];
    if !matches!(between.trim(), "or" | "or a" | "or an" | "vs" | "/") {
        return None;
    }
    let options = vec![emoji_word(*one)?.to_owned(), emoji_word(*other)?.to_owned()];
    let question = text.said(0..text.folded().len()).trim().to_owned();
    Some(Choices { question, options, shape: Shape::Keyed })
}

/// `1 At Last, 2 Tere Bina`, `A) quiz B) mystery`, `Option A: … Option B: …`.
fn keyed_by_count(text: &Text<'_>) -> Option<Choices> {
    ["12345678", "abcdefgh"].iter().find_map(|keys| {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (at, word) in text.words().iter().enumerate() {
            let wanted = &keys[found.len()..(found.len() + 1).min(keys.len())];
            if !wanted.is_empty()
                && text.word(at) == wanted
                && opens_option(text, at, *keys == "abcdefgh")
            {
                found.push(word.clone());
            }
        }
        let folded = text.folded();
        let first = found.first()?.start;
        let options: Vec<Range<usize>> = found
            .iter()
            .enumerate()
            .map(|(at, key)| {
                let end = found.get(at + 1).map_or(folded.len(), |next| next.start);
                let label = folded[key.end..end].trim_end();
                let label = label.strip_suffix("option").unwrap_or(label);
                let from = label.find(char::is_alphanumeric).unwrap_or(0);
                let stop = label[from..]
                    .find(['.', '?', '!', '\n'])
                    .map_or(label.len(), |stop| from + stop);
                key.end..key.end + stop
            })
            .collect();
        let blank =
            |range: &Range<usize>| !folded[range.clone()].chars().any(char::is_alphanumeric);
        if options.len() < 2 || options.iter().any(blank) {
            return None;
        }
        finish(text, before_keys(folded, first), options, Shape::Keyed)
    })
}

fn opens_option(text: &Text<'_>, at: usize, letter: bool) -> bool {
    let Some(word) = text.words().get(at) else { return false };
    let after = text.folded()[word.end..].trim_start_matches(' ');
    let marked = after.starts_with([')', ':', '=']) || (after.starts_with('.') && !letter);
    let before = text.word_before(word.start);
    if letter {
        return marked;
    }
    let glued = text.folded()[..word.start].ends_with(['/', '-', '.', ':'])
        && !text.folded()[..word.start].ends_with(". ");
    let called =
        matches!(before, "reply" | "vote" | "press" | "option") || after.starts_with("for ");
    let opens = text.folded()[..word.start].trim_end().ends_with([',', '.', ':', '\n']);
    !glued
        && (marked || called || opens)
        && after.starts_with(|c: char| c.is_alphabetic() || matches!(c, ')' | '.' | ':' | '='))
}

fn pair(text: &Text<'_>) -> Option<Choices> {
    let hit = PAIR.captures(text.folded())?;
    let options = vec![hit.name("a")?.range(), hit.name("b")?.range()];
    finish(text, 0..0, options, Shape::Set)
}

fn yes_or_no(text: &Text<'_>) -> Option<Choices> {
    let folded = text.folded();
    let at = folded
        .find("yes/no")
        .or_else(|| folded.find("yes or no?"))
        .or_else(|| folded.find("y/n"))?;
    let question = folded[at..].find(':').map_or(0..at, |colon| at + colon + 1..folded.len());
    let question = text.said(question).trim().to_owned();
    (!question.is_empty()).then(|| Choices {
        question,
        options: vec!["yes".into(), "no".into()],
        shape: Shape::Set,
    })
}

/// `A vs B`, `A / B`.
fn set_apart(text: &Text<'_>) -> Option<Choices> {
    text.sentences().into_iter().find_map(|sentence| {
        let part = &text.folded()[sentence.clone()];
        let marks: Vec<Range<usize>> = match VERSUS.find(part) {
            Some(_) => VERSUS.find_iter(part).map(|hit| hit.range()).collect(),
            None => part.match_indices(" / ").map(|(at, mark)| at..at + mark.len()).collect(),
        };
        let mut options = between(&marks, part.len());
        let (first, last) = (options.first_mut()?, part.len());
        first.start = lead_end(&part[..first.end]);
        let lead = first.start;
        let last = tail_start(&part[..last], options.last()?.start);
        options.last_mut()?.end = last;
        let shift = |range: &Range<usize>| sentence.start + range.start..sentence.start + range.end;
        let question = if lead > 0 && part[..lead].trim_end().ends_with(':') && !calls_a_vote(part)
        {
            sentence.start..sentence.start + lead
        } else {
            sentence.start..sentence.start + last
        };
        (options.len() >= 2)
            .then(|| finish(text, question, options.iter().map(shift).collect(), Shape::Set))?
    })
}

/// The stretches between marks, the outer ones included.
fn between(marks: &[Range<usize>], end: usize) -> Vec<Range<usize>> {
    if marks.is_empty() {
        return Vec::new();
    }
    let starts = std::iter::once(0).chain(marks.iter().map(|mark| mark.end));
    let ends = marks.iter().map(|mark| mark.start).chain(std::iter::once(end));
    starts.zip(ends).map(|(start, end)| start..end).collect()
}

/// Where the lead-in of a list ends and its first choice begins.
fn lead_end(part: &str) -> usize {
    let marked = [": ", " - ", "... ", "… ", "? "]
        .iter()
        .filter_map(|mark| part.rfind(mark).map(|at| at + mark.len()))
        .max();
    let from = marked.unwrap_or(0);
    let worded = LEAD.find(&part[from..]).map_or(0, |hit| hit.end());
    from + worded
}

/// Where the last choice ends: before its mark, and before what only says what it is for.
fn tail_start(part: &str, last: usize) -> usize {
    let rest = &part[last..];
    let marks = rest.find(['?', '!', '.', '\n']).into_iter();
    let words = [", ", " for ", " - ", " by "].iter().filter_map(|word| rest.find(word));
    marks.chain(words).filter(|at| *at > 0).min().map_or(part.len(), |at| last + at)
}

/// A list behind a word for voting: "vote by EOD: black, navy, grey".
fn listed(text: &Text<'_>) -> Option<Choices> {
    if !calls_a_vote(text.folded()) {
        return None;
    }
    text.sentences().into_iter().find_map(|sentence| {
        let part = &text.folded()[sentence.clone()];
        if OR.is_match(part) {
            return None;
        }
        let several = part.matches("...").count() > 1;
        let lead = if several { 0 } else { lead_end(part) };
        let body = part[lead..].trim_end_matches(['.', '!', '?', ' ']);
        let marks: Vec<Range<usize>> = match body.contains("...") {
            true => body.match_indices("...").map(|(at, mark)| at..at + mark.len()).collect(),
            false => body.match_indices([',', ';']).map(|(at, mark)| at..at + mark.len()).collect(),
        };
        let base = sentence.start + lead;
        let options: Vec<_> = between(&marks, body.len())
            .into_iter()
            .map(|range| base + range.start..base + range.end)
            .collect();
        let options = without_calls(text, options);
        let short = options
            .iter()
            .all(|range| text.folded()[range.clone()].split_whitespace().count() <= 6);
        let enough = options.len() >= 3 || (options.len() == 2 && lead > 0);
        let question = match (lead > 0, sentence.start > 0) {
            (true, _) => sentence.start..base,
            (false, true) => 0..sentence.start,
            (false, false) => 0..0,
        };
        (short && enough).then(|| finish(text, question, options, Shape::Set))?
    })
}

/// Drops trailing pieces that call for the vote: "you decide for us", "where do we all land".
fn without_calls(text: &Text<'_>, mut options: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let is_call = |range: &Range<usize>| {
        let piece = &text.folded()[range.clone()];
        calls_a_vote(piece) || piece.split_whitespace().count() > 8
    };
    while options.len() > 2 && options.last().is_some_and(is_call) {
        options.pop();
    }
    options
}

/// `A, B or C?`
fn or_list(text: &Text<'_>) -> Option<Choices> {
    text.sentences().into_iter().find_map(|sentence| {
        let part = &text.folded()[sentence.clone()];
        let mut marks: Vec<Range<usize>> = OR.find_iter(part).map(|hit| hit.range()).collect();
        let (first_or, last_or) = (marks.first()?.clone(), marks.last()?.clone());
        let lead = lead_end(&part[..first_or.start]);
        let commas: Vec<usize> =
            part[lead..first_or.start].match_indices(", ").map(|(at, _)| lead + at).collect();
        let from = if is_topic(part, lead, &commas, first_or.start) { 1 } else { 0 };
        let start = if from == 1 { commas[0] + 2 } else { lead };
        marks.extend(commas.iter().skip(from).map(|at| *at..at + 2));
        marks.sort_by_key(|mark| mark.start);
        let end = tail_start(part, last_or.end);
        let mut options = between(&marks, end);
        options.first_mut()?.start = start;
        let shift = |range: Range<usize>| sentence.start + range.start..sentence.start + range.end;
        let whole = part.trim_end().len();
        let split = lead > 0 && part[..lead].trim_end().ends_with(" -");
        let question = shift(if split { 0..lead } else { 0..whole.max(end) });
        finish(text, question, options.into_iter().map(shift).collect(), Shape::Or)
    })
}

/// Whether what stands before the first comma is the topic, not the first choice: "kids menu, nuggets or pasta?"
fn is_topic(part: &str, lead: usize, commas: &[usize], or: usize) -> bool {
    let Some(first) = commas.first() else { return false };
    let before = &part[lead..*first];
    let asks = ["what", "which", "who", "when", "where", "how", "need"]
        .iter()
        .any(|word| before.split(' ').any(|it| it == *word));
    let oxford = part[..or].ends_with(',') || part[or..].starts_with(',');
    let common =
        ["menu", "code", "time", "day", "dinner", "lunch", "theme", "start", "party", "slot"];
    let topic = before.split(' ').any(|word| common.contains(&word));
    lead == 0 && !oxford && (asks || topic || before.split_whitespace().count() > 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Vec<String> {
        choices(&Text::new(text)).map(|choices| choices.options).unwrap_or_default()
    }

    #[test]
    fn choices_are_read_whatever_way_they_are_put() {
        for (text, expected) in [
            ("inflatable slide vs dunk tank", &["inflatable slide", "dunk tank"][..]),
            ("Bristol, Bath or Brighton for Em's hen?", &["Bristol", "Bath", "Brighton"]),
            ("kids menu, nuggets or pasta?", &["nuggets", "pasta"]),
            (
                "present. 🎸 the Maton, 🎣 fishing charter, 🔥 a smoker",
                &["Maton", "fishing charter", "smoker"],
            ),
            ("👍 = keep the raffle, 👎 = bin it", &["keep the raffle", "bin it"]),
            (
                "A) pub quiz B) murder mystery C) just drinking",
                &["pub quiz", "murder mystery", "just drinking"],
            ),
            (
                "first dance, vote with 1 2 3. 1 At Last, 2 Tere Bina, 3 Dreams",
                &["At Last", "Tere Bina", "Dreams"],
            ),
            (
                "vote on colour by EOD: black, navy, heather grey",
                &["black", "navy", "heather grey"],
            ),
            (
                "poll: barn / hotel / marquee in the garden. go",
                &["barn", "hotel", "marquee in the garden"],
            ),
            ("yes/no poll: do we invite plus ones", &["yes", "no"]),
            ("give me a 🎸 or a 🐟 for the shape hey", &["guitar", "fish"]),
            ("Start time day 1, 9:00 or 10:00?", &["9:00", "10:00"]),
        ] {
            assert_eq!(options(text), expected, "{text}");
        }
    }

    #[test]
    fn the_question_part_is_quoted() {
        let read = |text| choices(&Text::new(text)).unwrap().question;
        assert_eq!(
            read("Hoodie colors! React with 🌲 for forest, ⚫ for charcoal"),
            "Hoodie colors!"
        );
        assert_eq!(
            read("So where. Surf club, our backyard or the bowlo?"),
            "Surf club, our backyard or the bowlo?"
        );
    }

    #[test]
    fn talk_without_choices_puts_none() {
        for text in ["we booked the hall", "great 🎉 see you there 😂", "lol"] {
            assert!(options(text).is_empty(), "{text}");
        }
    }
}
