//! Amounts of money in a text: which there are, and which one is the total.
//!
//! A sign, a code or a word for money makes an amount sure. A bare number is
//! only a candidate: times, dates, counts and phone numbers are left out.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::text::Text;
use super::words;
use crate::domain::money::Currency;

/// An amount in a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Amount {
    /// In major units.
    pub(super) value: f64,
    /// ISO code, where a sign or word said it.
    pub(super) currency: Option<&'static str>,
    /// Whether it was said by a dollar sign or word alone, which many currencies share.
    pub(super) bare_dollar: bool,
    /// Where it stands in the folded text.
    pub(super) span: Range<usize>,
    /// Whether it is money for sure, not only a number.
    pub(super) sure: bool,
}

const NUMBER: &str =
    r"\d{1,3}(?:[ ,.]\d{3})+(?:[.,]\d{1,2})?|\d{1,2}(?:,\d{2})+,\d{3}|\d+(?:[.,]\d{1,2})?";
const BEFORE: &str = r"(?:nz|au|us|ca|hk|a|c|s|r)?\$|[£€₹₦¥₱₩₪₺₫฿]|(?-u:\b)(?:rs\.?|rm|chf|aed|inr|usd|gbp|eur|aud|nzd|cad|sgd|zar|ngn|myr|sek|nok|dkk|sar|qar|jpy|kes|ghs|php|thb|pkr|lkr|r)";
const AFTER: &str = r"quid|pounds?|bucks?|dollars?|euros?|rupees?|rs|rands?|naira|dirhams?|ringgit|francs?|chf|aed|inr|usd|gbp|eur|aud|nzd|cad|sgd|zar|ngn|myr|sek|nok|dkk|sar|qar|jpy|kes|ghs|php|thb|pkr|lkr";
const TIMES: &str = r"k|grand|thousand|lakhs?|lacs?|crores?";

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours compiles")
}

static SIGNED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"(?P<before>{BEFORE})\s?(?P<left>{NUMBER})(?:\s?(?P<by>{TIMES})(?-u:\b))?|(?P<right>{NUMBER})\s?(?:(?P<times>{TIMES})(?-u:\b)\s?)?(?:(?:(?P<after>{AFTER})(?-u:\b))|(?P<mark>[£€$₹]|/-))|(?P<plain>{NUMBER})\s?(?P<alone>{TIMES})(?-u:\b)"
    ))
});
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,2}(?:,\d{2})+,\d{3}|\d+(?:\.\d{1,2})?")
});

/// All amounts, in the order in which they stand.
pub(super) fn amounts(text: &Text<'_>) -> Vec<Amount> {
    let has_digit = text.folded().bytes().any(|b| b.is_ascii_digit());
    let mut found = if has_digit { signed(text) } else { Vec::new() };
    let spelled: Vec<Amount> = spelled(text)
        .into_iter()
        .filter(|it| !found.iter().any(|other| overlap(&other.span, &it.span)))
        .collect();
    found.extend(spelled);
    if has_digit {
        let bare: Vec<Amount> = bare(text, &found).collect();
        found.extend(bare);
    }
    found.sort_by_key(|amount| amount.span.start);
    found
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

fn signed(text: &Text<'_>) -> Vec<Amount> {
    let folded = text.folded();
    let mut found = Vec::new();
    for hit in SIGNED.captures_iter(folded) {
        let Some(whole) = hit.get(0) else { continue };
        let number = ["left", "right", "plain"].iter().find_map(|name| hit.name(name));
        let times = ["by", "times", "alone"].iter().find_map(|name| hit.name(name));
        let Some(value) = number.and_then(|number| read_number(number.as_str())) else { continue };
        let glued = folded[..whole.start()].chars().next_back().is_some_and(char::is_alphanumeric);
        if glued || folded[whole.end()..].starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let sign = ["before", "after", "mark"].iter().find_map(|name| hit.name(name));
        found.push(Amount {
            value: value * times.map_or(1.0, |times| factor(times.as_str())),
            currency: sign.and_then(|sign| code(sign.as_str())),
            bare_dollar: sign.is_some_and(|sign| is_bare_dollar(sign.as_str())),
            span: whole.range(),
            sure: true,
        });
    }
    found
}

fn is_bare_dollar(sign: &str) -> bool {
    matches!(sign, "$" | "buck" | "bucks" | "dollar" | "dollars")
}

fn factor(word: &str) -> f64 {
    match word {
        "k" | "grand" | "thousand" => 1e3,
        "lakh" | "lakhs" | "lac" | "lacs" => 1e5,
        "crore" | "crores" => 1e7,
        "hundred" => 100.0,
        _ => 1.0,
    }
}

/// The ISO code of a sign, code or word.
fn code(sign: &str) -> Option<&'static str> {
    const CODES: &[&str] = &[
        "CHF", "AED", "INR", "USD", "GBP", "EUR", "AUD", "NZD", "CAD", "SGD", "ZAR", "NGN", "MYR",
        "SEK", "NOK", "DKK", "SAR", "QAR", "JPY", "KES", "GHS", "PHP", "THB",
    ];
    Some(match sign {
        "£" | "quid" | "pound" | "pounds" => "GBP",
        "$" | "us$" | "buck" | "bucks" | "dollar" | "dollars" => "USD",
        "€" | "euro" | "euros" => "EUR",
        "₹" | "rs" | "rs." | "rupee" | "rupees" => "INR",
        "rm" | "ringgit" => "MYR",
        "s$" => "SGD",
        "a$" | "au$" => "AUD",
        "nz$" => "NZD",
        "c$" | "ca$" => "CAD",
        "hk$" => "HKD",
        "r$" => "BRL",
        "r" | "rand" | "rands" => "ZAR",
        "₦" | "naira" => "NGN",
        "¥" => "JPY",
        "₱" => "PHP",
        "₩" => "KRW",
        "₪" => "ILS",
        "₺" => "TRY",
        "₫" => "VND",
        "฿" => "THB",
        "dirham" | "dirhams" => "AED",
        "franc" | "francs" => "CHF",
        "pkr" => "PKR",
        "lkr" => "LKR",
        other => return CODES.iter().copied().find(|code| code.eq_ignore_ascii_case(other)),
    })
}

/// The currency that was said; a bare dollar is the event's own dollar.
pub(super) fn currency_of(amount: &Amount, event: Option<Currency>) -> Option<Currency> {
    const DOLLARS: &[&str] =
        &["AUD", "CAD", "NZD", "SGD", "HKD", "BBD", "BSD", "FJD", "JMD", "TTD", "MXN", "TWD"];
    let said = amount.currency.and_then(Currency::parse)?;
    let own = event.filter(|event| amount.bare_dollar && DOLLARS.contains(&event.code()));
    Some(own.unwrap_or(said))
}

/// Reads a number with either habit of grouping: `1,050.00`, `1.050,00`, `2 500`, `1,20,000`.
fn read_number(written: &str) -> Option<f64> {
    let compact: String = written.chars().filter(|c| *c != ' ').collect();
    let decimal = match compact.rfind([',', '.']) {
        // Three digits after the last mark are a group; money has two decimals at most.
        Some(at) if compact.len() - at - 1 != 3 => Some(at),
        Some(_) | None => None,
    };
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    let plain = match decimal {
        Some(at) => format!("{}.{}", digits(&compact[..at]), digits(&compact[at..])),
        None => digits(&compact),
    };
    plain.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0 && *value < 1e11)
}

/// Amounts in words: "three hundred and fifty pounds", "two grand", "two-fifty".
fn spelled(text: &Text<'_>) -> Vec<Amount> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.words().len() {
        let mut end = at;
        while end < text.words().len() && words::is_number(text.word(end), end > at) {
            end += 1;
        }
        while end > at && matches!(text.word(end - 1), "and" | "a") {
            end -= 1;
        }
        if end == at {
            at += 1;
            continue;
        }
        let said: Vec<&str> = (at..end).map(|word| text.word(word)).collect();
        let unit = code(text.word(end)).filter(|_| text.word(end).len() > 3);
        let last = if unit.is_some() { end } else { end - 1 };
        let large =
            said.iter().any(|word| matches!(*word, "hundred" | "grand" | "thousand" | "lakh"));
        let idiom = said.len() == 2 && words::is_digit_and_tens(said[0], said[1]);
        if unit.is_some() || large || idiom {
            let span = text.words()[at].start..text.words()[last].end;
            let sure = unit.is_some() || said.contains(&"grand") || said.contains(&"lakh");
            found.extend(words::value(&said).map(|value| Amount {
                value,
                currency: unit,
                bare_dollar: unit == Some("USD"),
                span,
                sure,
            }));
        }
        at = end.max(at + 1);
    }
    found
}

/// Numbers that may be money, though nothing says so.
fn bare<'t>(text: &'t Text<'_>, found: &'t [Amount]) -> impl Iterator<Item = Amount> + 't {
    BARE.find_iter(text.folded()).filter_map(move |hit| {
        let span = hit.range();
        if found.iter().any(|amount| overlap(&amount.span, &span)) {
            return None;
        }
        let value = read_number(hit.as_str())?;
        let cents = hit.as_str().rsplit_once('.').is_some_and(|(_, cents)| cents.len() == 2);
        let (before, after) = (&text.folded()[..span.start], &text.folded()[span.end..]);
        if is_part_of_more(before, after) || is_no_money(text, &span, value) {
            return None;
        }
        // 11.30 may be a time; 41.20 and 54.99 are none.
        let sure = cents && (value >= 24.0 || (value * 100.0).round() as i64 % 5 != 0);
        Some(Amount { value, currency: None, bare_dollar: false, span, sure })
    })
}

/// Whether the digits belong to a time, date, range, phone number or name.
fn is_part_of_more(before: &str, after: &str) -> bool {
    let glued_before = before
        .ends_with(|c: char| c.is_alphanumeric() || matches!(c, ':' | '/' | '#' | '_' | '+'))
        || before.ends_with('-')
            && before.trim_end_matches('-').ends_with(|c: char| c.is_alphanumeric())
        || before.ends_with(['.', ','])
            && before[..before.len() - 1].ends_with(|c: char| c.is_ascii_digit());
    let mut rest = after.chars();
    let (first, second) = (rest.next(), rest.next());
    let glued_after = first.is_some_and(|c| c.is_alphanumeric() || matches!(c, '%' | '°' | ')'))
        || matches!((first, second), (Some(':' | '/' | '-' | '.' | ','), Some(c)) if c.is_ascii_digit());
    glued_before || glued_after
}

fn is_no_money(text: &Text<'_>, span: &Range<usize>, value: f64) -> bool {
    let (previous, next) = (text.word_before(span.start), text.word_after(span.end));
    let digits = text.folded()[span.clone()].bytes().filter(u8::is_ascii_digit).count();
    let year = digits == 4 && (1900.0..2100.0).contains(&value) && value.fract() == 0.0;
    let phone = digits >= 7 && !text.folded()[span.clone()].contains([',', '.']);
    let adjoins = text.folded()[span.end..].starts_with(' ');
    let cents = text.folded()[span.clone()].contains('.');
    let counted = adjoins && words::is_counted(next) && (!cents || matches!(next, "am" | "pm"));
    let follows = text.folded()[..span.start]
        .strip_suffix(' ')
        .is_some_and(|before| before.ends_with(previous));
    let times = text.folded()[span.end..].trim_start().starts_with(['x', '×'])
        && matches!(next, "" | "x") | next.starts_with(|c: char| c.is_ascii_digit());
    (year && !matches!(previous, "paid" | "cost" | "was"))
        || phone
        || counted
        || times
        || (follows && words::is_place_in_time(previous))
}

/// The amount that the message is about: the total, not the share or the unit price.
pub(super) fn total<'a>(text: &Text<'_>, amounts: &'a [Amount]) -> Option<&'a Amount> {
    let mut best: Option<(i32, &Amount)> = None;
    for amount in amounts {
        let score = weight(text, amount);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, amount));
        }
    }
    best.map(|(_, amount)| amount)
}

/// What one share of it is: "95 each", "25 quid a head", "send me 30".
pub(super) fn is_share(text: &Text<'_>, amount: &Amount) -> bool {
    let after = text.folded()[amount.span.end..].trim_start();
    let before = text.folded()[..amount.span.start].trim_end();
    const AFTER: &[&str] = &[
        "each",
        "a head",
        "per ",
        "pp",
        "off each",
        "a night",
        "a pop",
        "apiece",
        "a person",
        "from each",
    ];
    const BEFORE: &[&str] = &[
        "each send",
        "chuck me",
        "send me",
        "owe me",
        "give me",
        "wants",
        "bung me",
        "each owe",
        " x",
        "×",
        "pay me",
    ];
    AFTER.iter().any(|cue| after.starts_with(cue)) || BEFORE.iter().any(|cue| before.ends_with(cue))
}

fn weight(text: &Text<'_>, amount: &Amount) -> i32 {
    let after = text.folded()[amount.span.end..].trim_start_matches([' ', ',']);
    let before = text.folded()[..amount.span.start].trim_end();
    let starts = |cues: &[&str]| cues.iter().any(|cue| after.starts_with(cue));
    let ends = |cues: &[&str]| cues.iter().any(|cue| before.ends_with(cue));
    let mut score = if amount.sure { 2 } else { 0 };
    if is_share(text, amount) {
        score -= 6;
    }
    if starts(&["total", "all in", "all up", "altogether", "in total", "in all", "now"]) {
        score += 3;
    }
    if ends(&[
        "=",
        " so",
        "total",
        "total was",
        "total is",
        "total of",
        "came to",
        "in at",
        "came through as",
        "makes",
    ]) {
        score += 3;
    }
    if ends(&["paid", "cost", "costs", "spent", "was", "is", "charged", "for", "it's"]) {
        score += 1;
    }
    if ends(&["not", "instead of", "rather than", "originally", "down from"]) {
        score -= 8;
    }
    if ends(&["refunded me", "refunded us", "back", "+", "quoted"])
        || starts(&["on the site", "off "])
    {
        score -= 3;
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<(f64, Option<&'static str>)> {
        amounts(&Text::new(text)).into_iter().map(|a| (a.value, a.currency)).collect()
    }

    fn total_of(text: &str) -> Option<f64> {
        let text = Text::new(text);
        total(&text, &amounts(&text)).map(|amount| amount.value)
    }

    #[test]
    fn signs_codes_and_words_name_the_currency() {
        for (text, value, code) in [
            ("£12.50", 12.5, "GBP"),
            ("380 quid", 380.0, "GBP"),
            ("60 bucks", 60.0, "USD"),
            ("Rs 15,000", 15_000.0, "INR"),
            ("RM 1,450", 1_450.0, "MYR"),
            ("S$88", 88.0, "SGD"),
            ("R$90", 90.0, "BRL"),
            ("R2 500", 2_500.0, "ZAR"),
            ("CHF 220", 220.0, "CHF"),
            ("18,400 INR", 18_400.0, "INR"),
            ("1.050,00 €", 1_050.0, "EUR"),
            ("€15,50", 15.5, "EUR"),
            ("£1.2k", 1_200.0, "GBP"),
            ("three hundred and fifty pounds", 350.0, "GBP"),
            ("forty five quid", 45.0, "GBP"),
        ] {
            assert_eq!(said(text), [(value, Some(code))], "{text}");
        }
    }

    #[test]
    fn thousands_words_say_nothing_of_the_currency() {
        for (text, value) in [
            ("1.5k", 1_500.0),
            ("two grand", 2_000.0),
            ("1.2 lakh", 120_000.0),
            ("45,000/-", 45_000.0),
            ("two-fifty", 250.0),
        ] {
            assert_eq!(said(text), [(value, None)], "{text}");
        }
    }

    #[test]
    fn times_dates_counts_and_phone_numbers_are_no_money() {
        for text in [
            "at 5pm",
            "10:15 or 10:45",
            "friday 2.40pm",
            "17 October",
            "the 6th",
            "12/13 Sept",
            "16-18",
            "40 people",
            "84 bottles",
            "call 07700900123",
            "in 2019",
            "24%",
            "day 2",
            "before 5",
            "2 vans",
        ] {
            assert_eq!(said(text), [], "{text}");
        }
    }

    #[test]
    fn the_total_wins_over_shares_and_unit_prices() {
        for (text, value) in [
            ("168 each for me and Meera, so £336 on my card", 336.0),
            ("7 x $82 = $574, paid by me", 574.0),
            ("6 × 79.50 = 477 total", 477.0),
            ("£525 + VAT so £630 total. I paid", 630.0),
            ("the photographer was 460 not 450", 460.0),
            ("not £58 but £85", 85.0),
            ("everyone chuck me 25 quid for the present, I paid £150", 150.0),
        ] {
            assert_eq!(total_of(text), Some(value), "{text}");
        }
    }
}
