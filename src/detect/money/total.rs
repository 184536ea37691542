//! The amount that a message is about, among several: the total paid, not the share, the unit price, the old sum or a quote.

use super::Amount;
use crate::detect::text::Text;
use crate::detect::word_set::{WordSet, set};
use crate::detect::words;

/// The amount that the message is about.
pub(in crate::detect) fn total<'a>(text: &Text<'_>, amounts: &'a [Amount]) -> Option<&'a Amount> {
    let mut best: Option<(i32, &Amount)> = None;
    for (at, amount) in amounts.iter().enumerate() {
        let score = weight(text, amounts, at);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, amount));
        }
    }
    best.map(|(_, amount)| amount)
}

#[rustfmt::skip]
const SHARE_AFTER: &[&str] = &[
    "each", "a head", "per ", "pp", "off each", "a night", "a pop", "apiece", "a person",
    "from each", "ea ", "/head", "/person", "/night", "a piece", "a bag", "a table", "a ticket",
    "a skull", "a kid", "a metre", "a bottle", "a pack", "a plate", "a day", "an hour", "a guest",
    "a child", "a box", "a tray", "a kilo", "/hr", "ph ", "a car", "a go", "a unit", "a man",
    "every", "/kg", "/bag", "/pp", "p/p", "p.p", "off everyone", "from everyone", "a seat",
    "a cup", "a room", "a couple", "a shirt", "a dozen", "off him",
];
#[rustfmt::skip]
const SHARE_BEFORE: &[&str] = &[
    "each send", "chuck me", "send me", "owe me", "give me", "wants", "bung me", "each owe", " x",
    "×", "@", "pay me", "owes me", "owe her", "owe him", "owes him", "owes her", "apiece", "each",
    "me your", "yer", "is each", "everyone", "so each", "works out", "works out at", "share is",
    "shares of", "comes to each",
];

/// What one share of it is: "95 each", "25 quid a head", "send me 30".
pub(in crate::detect) fn is_share(text: &Text<'_>, amount: &Amount) -> bool {
    let after = text.folded()[amount.span.end..].trim_start_matches([' ', ',']);
    let before = text.folded()[..amount.span.start].trim_end();
    SHARE_AFTER.iter().any(|cue| after.starts_with(cue) || after == cue.trim_end())
        || SHARE_BEFORE.iter().any(|cue| ends_word(before, cue))
}

/// Whether the text ends with the cue as a word.
fn ends_word(before: &str, cue: &str) -> bool {
    before.strip_suffix(cue).is_some_and(|rest| {
        !cue.starts_with(char::is_alphanumeric) || !rest.ends_with(char::is_alphanumeric)
    })
}

#[rustfmt::skip]
const TOTAL_AFTER: &[&str] = &[
    "total", "all in", "all up", "altogether", "in total", "in all", "now", "all told",
    "for the lot", "for all", "lump sum", "after tip", "inc", "with tip", "the lot", "after",
    "for everything", "in the end", "for both", "together", "is what i", "instead", "flat",
    "even", "went", "gone", "paid", "on my", "on the card", "from my", "out of my", "off my",
    "net",
];
#[rustfmt::skip]
const TOTAL_BEFORE: &[&str] = &[
    "=", "so", "total", "total was", "total is", "total of", "totals", "totalling", "came to",
    "in at", "came through as", "makes", "that's", "thats", "total:", "comes to", "altogether",
    "in all", "all in", "came out to", "came out at", "call it", "exactly", "actually", "really",
    "it's", "i mean", "meant", "down to", "grand total", "to say", "means", "should be",
    "which is", "dropped", "put", "i put", "comes out at", "make that", "make it", "is now",
    "now", "all told", "so that's", "comes out to", "now it's", "sum is", "together",
    "correct figure", "new amount", "paid", "half paid", "i've paid", "i paid", "dropped",
    "i've dropped", "sent", "given him", "given her", "gave him", "gave her", "i've sent",
    "deposit of", "a deposit of", "got it for",
];
#[rustfmt::skip]
const PAID_BEFORE: &[&str] = &[
    "cost", "costs", "spent", "was", "is", "charged", "for", "be", "gave", "put", "took", "at",
    "of", "a", "up",
];
#[rustfmt::skip]
const OLD_BEFORE: &[&str] = &[
    "not", "instead of", "rather than", "originally", "down from", "no", "from", "wrote", "said",
    "put", "typed", "nt", "isn't", "wasn't", "than", "old", "budgeted", "budget", "first said",
    "entered", "hindi", "weren't",
];
#[rustfmt::skip]
const OTHER_BEFORE: &[&str] = &[
    "refunded me", "refunded us", "back", "+", "quoted", "saved", "knocked", "knocked off", "tip",
    "discount", "worth", "refund of", "the other", "quote was", "came in at", "post", "wanted",
    "asked", "asking", "quoting", "of their", "the remaining", "minus", "less", "change from",
    "plus", "usually", "normally", "was", "half of", "under", "over", "up from", "about",
    "around", "roughly", "at", "about a", "only", "full price", "rrp", "list price",
];
#[rustfmt::skip]
const OTHER_AFTER: &[&str] = &[
    "on the site", "off ", "off,", "off.", "before", "to go", "still", "left", "deposit back",
    "quote", "plus", "+", "i said", "i wrote", "i put", "from me to", "quoted", "refund",
    "discount", "i typed", "remaining", "later", "but", "or so", "budget", "balance",
    "outstanding", "due", "x ", "×", "*", "extra",
];

fn weight(text: &Text<'_>, amounts: &[Amount], at: usize) -> i32 {
    let amount = &amounts[at];
    let after =
        text.folded()[amount.span.end..].trim_start_matches([' ', ',', ')', '(', '-', ':', '.']);
    let before = text.folded()[..amount.span.start]
        .trim_end_matches([' ', '(', ':', ',', '-', '"', '~', '*']);
    let starts = |cues: &[&str]| cues.iter().any(|cue| starts_word(after, cue));
    let ends = |cues: &[&str]| cues.iter().any(|cue| ends_word(before, cue));
    let mut score = if amount.sure { 4 } else { 0 };
    score += if amount.currency.is_some() { 1 } else { 0 };
    if is_share(text, amount) {
        score -= 8;
    }
    if starts(TOTAL_AFTER) {
        score += 3;
    }
    if ends(TOTAL_BEFORE) {
        score += 4;
    }
    if ends(PAID_BEFORE) {
        score += 1;
    }
    if ends(OLD_BEFORE) {
        score -= 8;
    }
    if ends(OTHER_BEFORE) {
        score -= 3;
    }
    if starts(OTHER_AFTER) {
        score -= 2;
    }
    if is_sum_of_others(amounts, at) {
        score += 6;
    }
    if is_paid_half(text, amounts, at) {
        score += 7;
    }
    if !amount.sure && is_before_noun(text, amount) {
        score -= 4;
    }
    score
}

/// Whether the others add up to this one, or one of them times another: the sum is what was paid.
fn is_sum_of_others(amounts: &[Amount], at: usize) -> bool {
    let value = amounts[at].value;
    if !(3..=8).contains(&amounts.len()) {
        return false;
    }
    let others = || amounts.iter().enumerate().filter(move |(other, _)| *other != at);
    let sum: f64 = others().map(|(_, it)| it.value).sum();
    let same = |sum: f64| (sum - value).abs() < 0.006;
    same(sum)
        || others()
            .any(|(one, a)| others().any(|(other, b)| one < other && same(a.value + b.value)))
}

/// "432,000, I've paid half which is 216k": half of another that was named.
fn is_paid_half(text: &Text<'_>, amounts: &[Amount], at: usize) -> bool {
    if amounts.len() != 2 {
        return false;
    }
    let value = amounts[at].value;
    let half = amounts.iter().any(|other| (other.value - 2.0 * value).abs() < 0.006);
    let said = |word: &str| (0..text.words().len()).any(|at| text.word(at) == word);
    half && said("half") && ["paid", "sent", "so", "is"].into_iter().any(said)
}

/// Whether a bare number counts what follows: "24 chairs", "500 safety pins".
fn is_before_noun(text: &Text<'_>, amount: &Amount) -> bool {
    #[rustfmt::skip]
    static AFTER: WordSet = set!(&[
        "cash", "paid", "gone", "went", "total", "incl", "including", "inc", "deposit", "upfront",
        "straight", "flat", "even", "net", "odd", "went", "came", "left", "via", "towards",
        "toward", "extra", "something", "quid", "exactly", "altogether", "online", "each",
        "because", "cos", "though", "plus", "minus", "less", "said",
    ]);
    let word = text.word_after(amount.span.end);
    text.folded()[amount.span.end..].starts_with(' ')
        && text.folded()[amount.span.end + 1..].starts_with(word)
        && !word.is_empty()
        && !words::is_function(word)
        && !AFTER.contains(word)
        && word.chars().all(char::is_alphabetic)
}

fn starts_word(after: &str, cue: &str) -> bool {
    after.strip_prefix(cue).is_some_and(|rest| {
        !cue.ends_with(char::is_alphanumeric) || !rest.starts_with(char::is_alphanumeric)
    })
}
