//! By when: the words of a text that say when a task is to be done.
//!
//! A bound ("by", "before") with a moment says it best; then a moment alone;
//! then a bound in free words ("before they shut"). The day of what is booked
//! ("a hall for the 14th") is no due.

use super::text::Text;
use super::word_set::{WordSet, set};
use super::words;

/// Words that are moments by themselves.
#[rustfmt::skip]
static MOMENTS: WordSet = set!(&[
    "2moro", "2mrw", "2night", "2nite", "aaj", "arvo", "asap", "bedtime", "breakfast",
    "christmas", "cob", "dawn", "demain", "diwali", "dusk", "easter", "eod", "eom", "eow",
    "heute", "immediately", "kal", "lunchtime", "mañana", "midday", "midnight", "morgen", "morn",
    "noon", "now", "overnight", "payday", "pronto", "rn", "straightaway", "sundown", "sunrise",
    "sunset", "teatime", "thanksgiving", "tmr", "tmrrw", "tmrw", "tmw", "tnite", "today", "tomo",
    "tomorro", "tomorrow", "tomoz", "tonight", "tonite",
]);
/// Parts of a day, week or month, after another moment or "this".
#[rustfmt::skip]
static PARTS: WordSet = set!(&[
    "afternoon", "am", "arvo", "early", "eve", "evening", "first", "ish", "itself", "late",
    "latest", "lunch", "lunchtime", "midday", "midnight", "morning", "night", "nite", "noon",
    "pm", "sharp", "teatime",
]);
#[rustfmt::skip]
static SPANS: WordSet = set!(&[
    "week", "wk", "weekend", "wknd", "wkend", "month", "morning", "afternoon", "arvo", "evening",
    "year", "term", "eve", "avo",
]);
static BOUNDS: WordSet = set!(&["by", "before", "b4", "bfr", "until", "till", "til"]);

/// A run of words that may be the due.
struct Found {
    rank: u8,
    start: usize,
    end: usize,
}

/// The words that say by when, as written.
pub(super) fn due(text: &Text<'_>) -> Option<String> {
    let mut best: Option<Found> = None;
    let mut at = 0;
    while at < text.words().len() {
        let Some(found) = bound(text, at).or_else(|| alone(text, at)).or_else(|| free(text, at))
        else {
            at += 1;
            continue;
        };
        at = found.end.max(at + 1);
        if best.as_ref().is_none_or(|best| found.rank > best.rank) {
            best = Some(found);
        }
    }
    let found = best?;
    let end = text.words().get(found.end - 1)?.end;
    Some(text.said(text.words().get(found.start)?.start..dotted(text, end)).to_owned())
}

/// "a.m." keeps its last point.
fn dotted(text: &Text<'_>, end: usize) -> usize {
    let said = &text.folded()[..end];
    let short = said.ends_with("a.m") || said.ends_with("p.m");
    end + usize::from(short && text.folded()[end..].starts_with('.'))
}

/// Whether words stand in one breath.
fn near(text: &Text<'_>, at: usize) -> bool {
    let (Some(before), Some(here)) =
        (at.checked_sub(1).and_then(|at| text.words().get(at)), text.words().get(at))
    else {
        return false;
    };
    let gap = &text.folded()[before.end..here.start];
    gap.chars().all(|c| matches!(c, ' ' | '-' | '.' | ':' | '/'))
        && !gap.contains(". ")
        && gap.len() <= 3
}

/// "by Friday", "before 9am Monday", "no later than the 3rd".
fn bound(text: &Text<'_>, at: usize) -> Option<Found> {
    let mut start = at;
    let here = match text.word(at) {
        "no" | "not" if text.word(at + 1) == "later" && text.word(at + 2) == "than" => at + 3,
        "latest" if matches!(text.word(at + 1), "by" | "before") => at + 2,
        word if BOUNDS.contains(word) => at + 1,
        _ => return None,
    };
    if matches!(text.word(at.wrapping_sub(1)), "sometime" | "anytime" | "latest") && at > 0 {
        start = at;
    }
    let end = chain(text, here, true)?;
    let open = matches!(
        at.checked_sub(1).map_or("", |at| text.word(at)),
        "on" | "use" | "stay" | "play" | "run" | "party" | "already" | "finish"
    );
    let until = matches!(text.word(at), "until" | "till" | "til");
    (!open).then_some(Found { rank: if until { 3 } else { 5 }, start, end })
}

/// How far a row of moments reaches from here.
fn chain(text: &Text<'_>, start: usize, bounded: bool) -> Option<usize> {
    let mut end = atom(text, start, bounded)?;
    loop {
        if !near(text, end) {
            return Some(end);
        }
        let next = atom(text, end, false).or_else(|| part(text, end)).or_else(|| {
            let joint = matches!(
                text.word(end),
                "at" | "by" | "before" | "on" | "around" | "in" | "after" | "about" | "or"
            );
            let moment = joint.then(|| atom(text, end + 1, text.word(end) != "in")).flatten();
            moment.filter(|_| text.word(end) != "or" && near(text, end + 1))
        });
        match next {
            Some(next) => end = next,
            None => return Some(end),
        }
    }
}

/// Words that only go on with a moment: "night", "first thing", "at the latest", "after work".
fn part(text: &Text<'_>, at: usize) -> Option<usize> {
    #[rustfmt::skip]
    const TAILS: &[&str] = &[
        "at the very latest", "at the latest", "the latest", "first thing", "last thing",
        "after work", "after school", "after church", "after mass", "before work",
        "in the morning", "in the afternoon", "in the evening", "at night", "a m", "p m",
        "o'clock", "at lunch", "at noon", "at midnight", "after lunch", "after hours",
        "on my way from work", "before church", "before work", "sundown", "sharp", "after jummah",
        "on the day", "morn", "still", "of the month", "of term", "before doors", "after tea",
    ];
    if let Some(tail) = TAILS.iter().find(|tail| says(text, at, tail)) {
        return Some(at + tail.split(' ').count());
    }
    PARTS.contains(text.word(at)).then_some(at + 1)
}

fn says(text: &Text<'_>, at: usize, phrase: &str) -> bool {
    phrase.split(' ').enumerate().all(|(offset, word)| text.word(at + offset) == word)
}

/// One moment; after a bound a bare number is an hour.
fn atom(text: &Text<'_>, at: usize, bounded: bool) -> Option<usize> {
    let word = text.word(at);
    if word.is_empty() {
        return None;
    }
    if MOMENTS.contains(word) || is_day(text, at) {
        return Some(at + 1);
    }
    let next = text.word(at + 1);
    match word {
        "this" | "next" if SPANS.contains(next) || is_day(text, at + 1) => return Some(at + 2),
        "the" if bounded && matches!(next, "weekend" | "morning" | "evening" | "wknd") => {
            return Some(at + 2);
        }
        "the" if next == "end" && text.word(at + 2) == "of" => {
            let last = at + 3 + usize::from(matches!(text.word(at + 3), "the" | "this" | "next"));
            return Some(last + 1).filter(|_| !text.word(last).is_empty());
        }
        "end" if next == "of" => {
            let last =
                at + 2 + usize::from(matches!(text.word(at + 2), "the" | "this" | "next" | "play"));
            return Some(last + 1).filter(|_| {
                SPANS.contains(text.word(last))
                    || matches!(text.word(last), "day" | "play")
                    || words::MONTHS.contains(text.word(last))
                    || words::DAYS.contains(text.word(last))
            });
        }
        "close" if next == "of" => return Some(at + 3),
        "half" if next == "term" || words::small(next).is_some() || number(next).is_some() => {
            return Some(at + 2);
        }
        "first" if next == "thing" => return Some(at + 2),
        "mid" if bounded => return Some(at + 2),
        "right" if next == "now" => return Some(at + 2),
        "in" if says(text, at, "in the morning") => return Some(at + 3),
        _ => {}
    }
    date(text, at, bounded).or_else(|| time(text, at, bounded))
}

fn is_day(text: &Text<'_>, at: usize) -> bool {
    let word = text.word(at);
    let plain = word.strip_suffix("'s").unwrap_or(word);
    let short = matches!(plain, "sun" | "sat" | "mon" | "wed");
    words::DAYS.contains(plain)
        && plain == word
        && !(word == "sun" && text.word(at.wrapping_sub(1)) == "the")
        && !(short && text.word(at.wrapping_sub(1)) == "just")
        && !word.ends_with("days")
}

fn number(word: &str) -> Option<u32> {
    word.parse().ok().filter(|number| *number <= 31)
}

/// "1 Oct", "Oct 3", "the 15th of May", "6/14".
fn date(text: &Text<'_>, at: usize, bounded: bool) -> Option<usize> {
    let the = usize::from(text.word(at) == "the");
    let first = text.word(at + the);
    let month = |at: usize| {
        words::MONTHS.contains(text.word(at)) || matches!(text.word(at), "dec" | "juni" | "août")
    };
    let ordinal = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
        number(digits).is_some() && matches!(&word[digits.len()..], "st" | "nd" | "rd" | "th")
    };
    let spelled = matches!(
        first,
        "first" | "second" | "third" | "fifth" | "tenth" | "fifteenth" | "twentieth"
    ) && the == 1
        && bounded;
    if month(at) && the == 0 && (ordinal(text.word(at + 1)) || number(text.word(at + 1)).is_some())
    {
        return Some(at + 2);
    }
    if month(at) && bounded && the == 0 && near(text, at) {
        return Some(at + 1);
    }
    if !(ordinal(first) || number(first).is_some() && (month(at + 1)) || spelled) {
        return None;
    }
    let last = at + the + 1;
    let of = usize::from(text.word(last) == "of");
    Some(if month(last + of) { last + of + 1 } else { last })
}

/// "9am", "5 pm", "10:30", "8ish", and "5" after a bound.
fn time(text: &Text<'_>, at: usize, bounded: bool) -> Option<usize> {
    let word = text.word(at);
    let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
    let unit = &word[digits.len()..];
    let clock = number(digits).is_some();
    if clock && matches!(unit, "am" | "pm" | "ish" | "a" | "p" | "h") {
        return Some(at + 1);
    }
    if clock && unit.is_empty() {
        let gap = text
            .words()
            .get(at)
            .map_or("", |range| text.folded()[range.end..].get(..1).unwrap_or(""));
        let minutes = text.word(at + 1);
        let trimmed = minutes.trim_end_matches(|c: char| c.is_alphabetic());
        let full = matches!(gap, ":" | ".")
            && trimmed.len() == 2
            && trimmed.bytes().all(|b| b.is_ascii_digit())
            && near(text, at + 1);
        if full {
            let meridian =
                usize::from(matches!(text.word(at + 2), "am" | "pm") && near(text, at + 2));
            return Some(at + 2 + meridian);
        }
        if matches!(minutes, "am" | "pm") {
            return Some(at + 2);
        }
        if matches!(text.word(at + 1), "a" | "p") && text.word(at + 2) == "m" {
            return Some(at + 3);
        }
    }
    let spelled = words::small(word).is_some_and(|hour| (1.0..13.0).contains(&hour));
    let counted = words::is_counted(text.word(at + 1)) && near(text, at + 1);
    let hour = bounded && (clock && unit.is_empty() && word.len() <= 2 || spelled);
    (hour && !counted).then_some(at + 1)
}

/// Words after which "at" tells when something happens.
#[rustfmt::skip]
static BEFORE_AT: WordSet = set!(&[
    "land", "lands", "closes", "starts", "stops", "out", "play", "enter", "opens", "kicks",
    "begins", "arrive", "ends", "due", "or", "me", "us", "counts",
]);
/// Words after which a moment is the service's.
#[rustfmt::skip]
static OF_SERVICE: WordSet = set!(&[
    "for", "from", "to", "and", "slot", "of", "since", "is", "are", "was", "it's", "its",
    "last", "that", "lands", "land", "arrives", "starts", "or", "be", "every", "were",
    "until", "between", "the",
]);

/// A moment that no bound precedes, where it tells of the errand and not of the service.
fn alone(text: &Text<'_>, at: usize) -> Option<Found> {
    let (start, here, rank) = match text.word(at) {
        "on" if text.word(at + 1) == "the" && is_day(text, at + 2) => (at, at + 2, 3),
        "on" => (at, at + 1, 3),
        "at" => (at, at + 1, 2),
        "over" if text.word(at + 1) == "the" && matches!(text.word(at + 2), "weekend" | "wknd") => {
            return Some(Found { rank: 3, start: at, end: at + 3 });
        }
        "early" | "late" => (at, at + 1, 3),
        _ => (at, at, 4),
    };
    let first = text.word(here);
    if start < here && first == "asap" {
        return None;
    }
    let end = chain(text, here, text.word(at) == "at")?;
    let previous = start.checked_sub(1).map_or("", |at| text.word(at));
    if text.word(at) == "at" && (previous.ends_with("'s") || BEFORE_AT.contains(previous)) {
        return None;
    }
    if OF_SERVICE.contains(previous) && near(text, start.max(1)) {
        return None;
    }
    let shouted = text.words().get(end - 1).is_some_and(|word| text.said(word.clone()) == "NOW");
    let now = first == "now"
        && !shouted
        && !matches!(text.word(end), "please" | "pls" | "plz" | "before");
    let noun = follows_noun(text, end);
    if now
        || noun
        || text.words().get(end - 1).is_some_and(|word| text.folded()[word.end..].starts_with("'s"))
    {
        return None;
    }
    Some(Found { rank: if is_asap(first) { 4 } else { rank }, start, end })
}

fn is_asap(word: &str) -> bool {
    matches!(word, "asap" | "tonight" | "today" | "tomorrow" | "tmrw")
}

/// "Friday dinner", "tomorrow's": the moment is part of a name.
fn follows_noun(text: &Text<'_>, end: usize) -> bool {
    #[rustfmt::skip]
    static NOUNS: WordSet = set!(&[
        "dinner", "lunch", "party", "service", "show", "game", "match", "rehearsal", "run",
        "flight", "train", "ferry", "airport", "slot", "session", "shift", "dance", "wedding",
        "mass", "breakfast", "bbq", "gig", "crowd",
    ]);
    near(text, end) && NOUNS.contains(text.word(end))
}

/// What "after" may open a bound in free words with.
#[rustfmt::skip]
static AFTER: WordSet = set!(&[
    "work", "school", "church", "mass", "practice", "lunch", "training", "class", "gym",
    "jummah", "rehearsal",
]);
/// What someone does after "when".
#[rustfmt::skip]
static DOES: WordSet = set!(&[
    "get", "turns", "gets", "arrives", "arrive", "come", "comes", "finish", "land", "pass",
    "shows", "go",
]);

/// Whether a bound in free words begins here.
fn opens(text: &Text<'_>, at: usize) -> bool {
    let any = |phrases: &[&str]| phrases.iter().any(|phrase| says(text, at, phrase));
    match text.word(at) {
        "before" | "b4" | "bfr" => {
            !matches!(text.word(at + 1), "" | "and" | "but" | "so" | "or" | "too" | "now")
                && !says(text, at, "before i forget")
        }
        "by" => {
            any(&["by the time", "by end of"])
                || matches!(text.word(at + 2), "day" | "night" | "eve" | "week" | "service")
        }
        "after" => AFTER.contains(text.word(at + 1)) || any(&["after the school", "after my"]),
        "when" => {
            matches!(text.word(at + 1), "i" | "he" | "she" | "they" | "you" | "we")
                && DOES.contains(text.word(at + 2))
                || says(text, at, "when the")
        }
        "on" => any(&["on my way", "on your way", "on the way", "on my lunch"]),
        "at" => any(&["at lunch", "at the weekend", "at half term"]),
        "in" => says(text, at, "in my lunch"),
        _ => false,
    }
}

/// "before they shut", "when I get home", "after the school run".
fn free(text: &Text<'_>, at: usize) -> Option<Found> {
    if !opens(text, at) || !clause_can_start(text, at) || !near_free(text, at + 1) {
        return None;
    }
    let mut end = at + 2;
    while end < at + 9
        && text.words().get(end).is_some()
        && near_free(text, end)
        && !stops(text, end, at)
    {
        end += 1;
    }
    let strong = matches!(text.word(at), "before" | "b4" | "bfr" | "by");
    Some(Found { rank: if strong { 4 } else { 2 }, start: at, end: end.min(text.words().len()) })
}

fn clause_can_start(text: &Text<'_>, at: usize) -> bool {
    !matches!(
        at.checked_sub(1).map_or("", |at| text.word(at)),
        "was" | "is" | "day" | "days" | "week" | "night" | "never" | "year" | "hour"
    ) || text.word(at) == "before"
}

fn near_free(text: &Text<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1).and_then(|at| text.words().get(at)) else { return false };
    let Some(here) = text.words().get(at) else { return false };
    matches!(&text.folded()[before.end..here.start], " " | "-" | "/" | " & " | "' ")
}

/// A bound in free words ends at the first word that starts something else.
fn stops(text: &Text<'_>, at: usize, start: usize) -> bool {
    #[rustfmt::skip]
    static STOPS: WordSet = set!(&[
        "or", "so", "to", "they", "i", "hey", "please", "pls", "plz", "thx", "thanks", "if",
        "only", "but", "because", "cos", "otherwise", "yeah", "ok", "ta", "xx", "x", "lol", "can",
        "could", "would", "and", "with", "for", "bc",
    ]);
    at > start + 1 && STOPS.contains(text.word(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_say_by_when_are_quoted_as_written() {
        for (text, said) in [
            ("send them by Friday please", Some("by Friday")),
            ("i'll grab it thursday after work", Some("thursday after work")),
            ("Charlotte chase them this week", Some("this week")),
            ("get onto the council ASAP", Some("ASAP")),
            ("need it before 9am Monday", Some("before 9am Monday")),
            ("send photos by 1 Oct", Some("by 1 Oct")),
            ("sign before the 15th, check your inbox", Some("before the 15th")),
            ("will do it tomorrow", Some("tomorrow")),
            ("book it before half term or we walk", Some("before half term")),
            ("I'll ring them in the morning", Some("in the morning")),
            ("pay her before she leaves please", Some("before she leaves")),
            ("Jo, keys back by the end of the week", Some("by the end of the week")),
        ] {
            assert_eq!(due(&Text::new(text)).as_deref(), said, "{text}");
        }
    }

    #[test]
    fn the_day_of_the_service_is_not_when_the_errand_is_due() {
        for text in
            ["book the hall for 14th Feb", "a skip for Monday", "paid by me", "stand by the lake"]
        {
            assert_eq!(due(&Text::new(text)), None, "{text}");
        }
    }
}
