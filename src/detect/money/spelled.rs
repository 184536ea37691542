//! Amounts in words: "three hundred and fifty pounds", "two grand", "two-fifty", "a tenner", "4 thousand 2 hundred".

use super::currency::{is_dollar, of_country, of_suffix};
use super::scan::country_after;
use super::{Amount, MOST};
use crate::detect::text::Text;
use crate::detect::word_set::{WordSet, set};
use crate::detect::words;

/// By how much a word multiplies the number before it; 1 when it is no such word.
pub(super) fn scale(word: &str) -> f64 {
    match word {
        "hundred" | "hundy" => 100.0,
        "grand" | "thousand" | "thou" | "thousands" => 1e3,
        "lakh" | "lakhs" | "lac" | "lacs" => 1e5,
        "million" | "mil" | "mill" => 1e6,
        "crore" | "crores" => 1e7,
        _ => 1.0,
    }
}

/// All amounts in words that no other amount covers.
pub(super) fn amounts(text: &Text<'_>, found: &mut Vec<Amount>) {
    let mut at = 0;
    while at < text.words().len() && found.len() < MOST {
        let Some(end) = run(text, at) else {
            at += 1;
            continue;
        };
        at = match read(text, at, end) {
            Some(amount) => {
                let after = text.word_from(amount.span.end);
                add(amount, found);
                after.max(end)
            }
            None => end,
        };
    }
}

/// Adds an amount; digits with a factor may be the start of it: "Rs 4 thousand 2 hundred".
fn add(amount: Amount, found: &mut Vec<Amount>) {
    let meets = |it: &Amount| amount.span.start < it.span.end && it.span.start < amount.span.end;
    let Some(first) = found.iter().position(meets) else {
        found.push(amount);
        return;
    };
    if amount.span.end <= found[first].span.end || amount.value <= found[first].value {
        return;
    }
    let inside = |it: &Amount| it.span.start > amount.span.start && it.span.end <= amount.span.end;
    let other = &mut found[first];
    other.value = amount.value;
    other.span.end = amount.span.end;
    other.bare_dollar |= other.currency.is_none() && amount.bare_dollar;
    other.currency = other.currency.or(amount.currency);
    let own = other.span.clone();
    found.retain(|it| it.span == own || !inside(it));
}

/// One past the last number word of the run that starts here.
fn run(text: &Text<'_>, at: usize) -> Option<usize> {
    let counts = |at: usize| {
        words::small(text.word(at)).is_some()
            || scale(text.word(at)) > 1.0
            || slang(text.word(at)).is_some()
    };
    let digits = |at: usize| {
        text.word(at).len() <= 3
            && text.word(at).bytes().all(|b| b.is_ascii_digit())
            && scale(text.word(at + 1)) > 1.0
    };
    let opens = matches!(text.word(at), "a" | "half" | "another")
        && (counts(at + 1) || text.word(at + 1) == "a" && counts(at + 2));
    if !opens && !counts(at) && !digits(at) {
        return None;
    }
    let mut end = at;
    while end < text.words().len() {
        let joined = end == at || joins(text, end);
        let inner = match text.word(end) {
            "and" | "n" => {
                end > at
                    && (counts(end + 1)
                        || text.word(end + 1) == "a" && text.word(end + 2) == "half")
            }
            "a" | "half" | "another" => {
                end == at || matches!(text.word(end - 1), "and" | "half" | "a")
            }
            _ => counts(end) || digits(end),
        };
        if !joined || !inner {
            break;
        }
        end += 1;
    }
    (end > at && text.word(end - 1) != "a").then_some(end)
}

/// Whether only a blank or a hyphen parts the word from the one before.
fn joins(text: &Text<'_>, at: usize) -> bool {
    let (Some(before), Some(here)) = (text.words().get(at.wrapping_sub(1)), text.words().get(at))
    else {
        return false;
    };
    matches!(&text.folded()[before.end..here.start], " " | "-")
}

fn slang(word: &str) -> Option<f64> {
    Some(match word {
        "tenner" => 10.0,
        "fiver" => 5.0,
        _ => return None,
    })
}

fn read(text: &Text<'_>, at: usize, end: usize) -> Option<Amount> {
    let said: Vec<&str> = (at..end).map(|word| text.word(word)).collect();
    let unit = joins(text, end).then(|| unit(text, end)).flatten();
    let comma = unit.is_none()
        && text.words().get(end).is_some_and(|it| {
            matches!(&text.folded()[text.words()[end - 1].end..it.start], ", " | ". ")
        });
    let unit = if comma {
        of_suffix(text.word(end))
            .map(|code| (code, is_dollar(text.word(end)), text.words()[end].end))
    } else {
        unit
    };
    let slang = said.iter().find_map(|word| slang(word));
    let value = slang.or_else(|| value(&said))?;
    let large = said.iter().any(|word| scale(word) > 100.0);
    let hundreds = said.iter().any(|word| scale(word) == 100.0);
    let last = text.words()[end - 1].end;
    let alone = unit.is_none() && slang.is_none() && !large;
    let idiom = !hundreds && value >= 100.0;
    if alone && (value < 10.0 || !idiom && is_counted(text, end)) {
        return None;
    }
    let (cents, last) = unit.map_or((0.0, last), |(_, _, edge)| cents(text, edge));
    Some(Amount {
        value: value + cents,
        currency: unit.map(|unit| unit.0),
        bare_dollar: unit.is_some_and(|unit| unit.1),
        span: text.words()[at].start..last,
        sure: unit.is_some() || large,
    })
}

/// The currency after a number in words: its code, whether it is a bare dollar, and where it ends.
fn unit(text: &Text<'_>, at: usize) -> Option<(&'static str, bool, usize)> {
    let (word, edge) = (text.word(at), text.words().get(at)?.end);
    if let Some(code) = of_suffix(word).filter(|_| word.len() > 2) {
        let own = country_after(text.folded(), edge).filter(|_| is_dollar(word));
        return Some(own.map_or((code, is_dollar(word), edge), |(code, edge)| (code, false, edge)));
    }
    // "sixty of my pounds"
    if word == "of" && matches!(text.word(at + 1), "my" | "our" | "her" | "his") {
        let code = of_suffix(text.word(at + 2))?;
        return Some((code, is_dollar(text.word(at + 2)), text.words()[at + 2].end));
    }
    if word == "swiss" {
        return Some(("CHF", false, text.words().get(at + 1)?.end));
    }
    let code = of_country(word)?;
    let next = text.word(at + 1);
    if is_dollar(next) {
        return Some((code, false, text.words()[at + 1].end));
    }
    is_country(text, at).then_some((code, false, edge))
}

/// Whether a country stands for its dollar: "three hundred aussie", "690 US".
pub(super) fn is_country(text: &Text<'_>, at: usize) -> bool {
    let Some(range) = text.words().get(at) else { return false };
    let shouted = !text.said(range.clone()).contains(char::is_lowercase);
    matches!(text.word(at), "aussie" | "australian" | "canadian" | "fijian")
        || shouted && matches!(text.word(at), "us" | "nz" | "au" | "ca")
}

/// "ten pounds forty".
fn cents(text: &Text<'_>, edge: usize) -> (f64, usize) {
    let mut at = text.word_from(edge);
    at += usize::from(matches!(text.word(at), "and" | "n"));
    let Some(range) = text.words().get(at) else { return (0.0, edge) };
    let near = range.start <= edge + 5 && !text.folded()[edge..range.start].contains(['.', ',']);
    let named = matches!(text.word(at + 1), "cents" | "p" | "pence");
    let closes =
        !text.folded()[range.end..].starts_with(" ") || named || text.word(at + 2).is_empty();
    match words::small(text.word(at)) {
        Some(cents) if near && (cents >= 20.0 || named) && closes => (cents / 100.0, range.end),
        _ => (0.0, edge),
    }
}

/// Whether the number without a currency counts something: "two hundred bulbs", "fifty of us".
fn is_counted(text: &Text<'_>, end: usize) -> bool {
    #[rustfmt::skip]
    static AFTER: WordSet = set!(&[
        "for", "to", "on", "in", "from", "off", "which", "that", "was", "is", "each", "cash",
        "altogether", "total", "all", "please", "now", "gone", "paid", "out", "so", "and", "but",
        "he", "she", "i", "they", "we", "at", "by", "between", "if", "flat", "even", "up",
        "deposit", "went", "into", "it", "came", "left", "via", "into", "with", "more", "extra",
        "the", "last", "then", "as", "after", "before", "plus",
    ]);
    let Some(next) = text.words().get(end) else { return false };
    let gap = &text.folded()[text.words()[end - 1].end..next.start];
    if gap != " " && gap != "-" {
        return false;
    }
    let word = text.word(end);
    !AFTER.contains(word)
}

/// What the number words read so far come to.
#[derive(Debug, Default)]
struct Sum {
    total: f64,
    /// What the next factor multiplies.
    part: f64,
    halves: f64,
    /// The last factor; none was read while it is 0.
    last: f64,
}

impl Sum {
    /// Reads a factor: "hundred", "grand".
    fn scale(&mut self, by: f64) {
        self.last = by;
        let halved = self.halves > 0.0;
        if by == 100.0 {
            self.part = match self.part {
                part if part > 0.0 => part * 100.0,
                _ if halved => 0.0,
                _ => 100.0,
            };
            return;
        }
        let times = match self.part {
            part if part > 0.0 => part + self.halves,
            _ if halved => self.halves,
            _ => 1.0,
        };
        self.total += times * by;
        (self.part, self.halves) = (0.0, 0.0);
    }

    /// Reads "half": of the factor before it, or of the one to come.
    fn halve(&mut self) {
        if self.total > 0.0 {
            self.total += self.last / 2.0;
        } else {
            self.halves = 0.5;
        }
    }
}

/// The value of number words.
fn value(said: &[&str]) -> Option<f64> {
    let mut sum = Sum::default();
    let mut known = false;
    let mut previous: Option<f64> = None;
    for (at, word) in said.iter().enumerate() {
        let by = scale(word);
        if by > 1.0 {
            (known, previous) = (true, None);
            sum.scale(by);
        } else if let Some(number) = words::small(word).or_else(|| word.parse().ok()) {
            known = true;
            previous = match previous {
                Some(before)
                    if before >= 20.0 && before % 10.0 == 0.0 && (1.0..10.0).contains(&number) =>
                {
                    Some(before + number)
                }
                Some(before) if sum.last == 0.0 => return idiom(before, said.get(at..)?),
                _ => Some(number),
            };
            sum.part += number;
        } else if *word == "half" {
            sum.halve();
        }
    }
    (known && sum.total + sum.part > 0.0).then_some(sum.total + sum.part)
}

/// "four eighty" is 480, "eleven ninety-five" 1195, "forty-six ninety-nine" 46.99.
fn idiom(first: f64, rest: &[&str]) -> Option<f64> {
    let second = rest.iter().try_fold(0.0, |sum, word| Some(sum + words::small(word)?))?;
    if !(10.0..100.0).contains(&second) || rest.len() > 2 {
        return None;
    }
    Some(if first < 20.0 { first * 100.0 + second } else { first + second / 100.0 })
}
