//! By when: the words of a text that say when a task is to be done.

use std::sync::LazyLock;

use regex::Regex;

use super::text::Text;

const DAY: &str = "mon(?:day)?|tue(?:s|sday)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?";
const MONTH: &str = "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?";
const PART: &str = "morning|afternoon|arvo|evening|night|midnight|noon|lunch(?:time)?|eod|after work|at the latest|itself|latest";
const TIME: &str =
    r"\d{1,2}(?:[:.]\d{2})?\s?(?:am|pm)|noon|midnight|eod|cob|close of play|half \w+";

static DUE: LazyLock<Regex> = LazyLock::new(|| {
    let date = format!(
        r"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)?(?: (?:{MONTH}))?|(?:{MONTH}) \d{{1,2}}(?:st|nd|rd|th)?"
    );
    let day = format!(r"(?:next |this )?(?:{DAY})(?: (?:{TIME}|{PART}))*");
    let span = r"(?:the )?(?:end of (?:the )?(?:week|month|day)|half term|weekend|mid \w+|next \w+|this \w+|tomorrow|tonight|today|doors)";
    let point = format!(r"(?:{TIME})(?: (?:on )?(?:{DAY}))?|{day}|{span}|mid (?:{MONTH})|{date}");
    let pattern = format!(
        r"(?-u:\b)(?:(?:by|before|until|till|til|no later than|latest by)\s(?:(?:{point})(?: (?:{PART}|{point}))?|\w+(?: \w+){{0,5}})|(?:today|tonight|tomorrow|tmrw|tmr|2moro)(?: (?:{PART}|{TIME}))?|asap|right now|(?:next|this) (?:week|weekend|month|morning|afternoon|arvo|evening|{DAY})(?: (?:{PART}))?|in the morning|on the \d{{1,2}}(?:st|nd|rd|th)|(?:{DAY})(?: (?:{PART}|{TIME}))*|(?:{TIME})(?: (?:{DAY}))?)(?-u:\b)"
    );
    Regex::new(&pattern).expect("a pattern of ours compiles")
});

/// What a moment can be told by; a bound in free words has none of it.
static MOMENT: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = format!(
        r"\d|(?-u:\b)(?:{DAY}|{MONTH}|{PART}|{TIME}|end of|half term|weekend|week|month|tomorrow|tonight|today)(?-u:\b)"
    );
    Regex::new(&pattern).expect("a pattern of ours compiles")
});

/// Words before a day that make it the day of the service, not of the errand.
const OF_SERVICE: &[&str] = &["for", "on", "from", "to", "and", "slot"];

/// The words that say by when, as written.
pub(super) fn due(text: &Text<'_>) -> Option<String> {
    let mut chosen: Option<(u8, String)> = None;
    for hit in DUE.find_iter(text.folded()) {
        let (said, before) = (hit.as_str(), text.word_before(hit.start()));
        let bound = ["by ", "before ", "until ", "till ", "til ", "no later", "latest"]
            .iter()
            .any(|p| said.starts_with(p));
        if OF_SERVICE.contains(&before) && !bound && !said.starts_with("on the") {
            continue;
        }
        if is_no_bound(said) || is_own_business(text.folded(), hit.start()) {
            continue;
        }
        let rank = match (bound, MOMENT.is_match(said)) {
            (true, true) => 3,
            (false, _) => 2,
            (true, false) => 1,
        };
        if chosen.as_ref().is_none_or(|(best, _)| rank > *best) {
            let end = hit.start() + sentence_end(said);
            chosen = Some((rank, text.said(hit.start()..end).trim().to_owned()));
        }
    }
    chosen.map(|(_, said)| said)
}

/// "by the lake", "by me", "until recently": the word is there and no moment follows.
fn is_no_bound(said: &str) -> bool {
    const NO_MOMENT: &[&str] = &[
        "by me",
        "by the way",
        "by yours",
        "by far",
        "by a ",
        "by my",
        "by hand",
        "by car",
        "by bacs",
        "before lunch or",
        "by accident",
        "by now",
        "by then",
        "by our",
        "by card",
        "by him",
        "by her",
        "by hour",
        "by day",
        "by one",
    ];
    NO_MOMENT.iter().any(|no| said.starts_with(no))
}

/// A day inside "I'm free 12th", "is on saturday", "dropped it today" says nothing of the task.
fn is_own_business(folded: &str, at: usize) -> bool {
    const BEFORE: &[&str] = &["i'm free ", "flight lands ", "open till ", "open until "];
    BEFORE.iter().any(|before| folded[..at].ends_with(before))
}

/// A bound in free words ends at the first word that starts something else.
fn sentence_end(said: &str) -> usize {
    const STOPS: &[&str] = &[
        " or ",
        " so ",
        " and ",
        " else ",
        " please",
        " pls",
        " thx",
        " with ",
        " x ",
        " if ",
        " only",
        " they ",
        " deb ",
        " but ",
        " we ",
        " because ",
        " would ",
    ];
    STOPS.iter().filter_map(|stop| said.find(stop)).filter(|at| *at > 3).min().unwrap_or(said.len())
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
        ] {
            assert_eq!(due(&Text::new(text)).as_deref(), said, "{text}");
        }
    }

    #[test]
    fn the_day_of_the_service_is_not_when_the_errand_is_due() {
        for text in [
            "book the hall for 14th Feb",
            "a skip for Monday",
            "a driver for the run on Friday",
            "paid by me",
        ] {
            assert_eq!(due(&Text::new(text)), None, "{text}");
        }
    }
}
