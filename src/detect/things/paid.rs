//! What an expense was for, and the category that says.

use std::ops::Range;

use super::Thing;
use super::classes::is_plain;
use super::nouns::{Noun, Standing, nouns};
use crate::detect::findings::Findings;
use crate::detect::text::Text;

/// What was paid for.
#[derive(Debug, Clone)]
pub(in crate::detect) struct Paid<'l> {
    /// One of the expense categories; `other` where nothing says which.
    pub(in crate::detect) category: &'l str,
    /// Whether a thing of the lexicon says the category.
    pub(in crate::detect) is_category_said: bool,
    /// A short noun phrase.
    pub(in crate::detect) what: Option<String>,
}

/// How it was paid, not what for.
const MEANS: &[&str] = &[
    "card",
    "cash",
    "money",
    "change",
    "coin",
    "cheque",
    "bill",
    "invoice",
    "receipt",
    "float",
    "deposit",
    "envelope",
    "kitty",
    "petty cash",
    "spreadsheet",
    "account",
    "fund",
    "booking",
    "contract",
    "credit card",
    "debit card",
    "bank",
    "link",
    "list",
    "sheet",
    "report",
    "details",
    "statement",
    "treasurer",
    "neighbour",
    "photo",
    "paper",
    "receipts",
    "update",
    "uncle",
    "lola",
    "committee",
    "house",
    "box",
    "wallet",
    "purse",
    "pocket",
    "record",
    "share",
    "total",
    "refund",
    "payment",
    "instalment",
    "balance",
    "advance",
    "rest",
    "half",
    "damage",
    "card machine",
    "form",
    "parent",
    "guest",
    "teacher",
    "school",
    "coach",
    "captain",
    "pastor",
    "elder",
    "sponsor",
    "correction",
    "typo",
    "finger",
    "thumb",
    "post",
    "expense",
    "desk",
    "till",
    "transfer",
];

/// Reads what was paid for.
pub(in crate::detect) fn paid_for<'l>(findings: &Findings<'_, 'l>) -> Paid<'l> {
    let text = findings.text;
    let things = &findings.things;
    let mut taken: Vec<Range<usize>> =
        findings.names.iter().map(|name| name.span.clone()).collect();
    taken.extend(findings.amounts.iter().map(|amount| amount.span.clone()));
    let mut nouns = nouns(text, things, &taken);
    nouns.retain(|noun| !MEANS.contains(&noun.name.as_str()) && !is_means(text, noun));
    let best = most(text, &nouns, things, |_| true);
    let said = most(text, &nouns, things, |noun| category(noun, things).is_some());
    let said = said.and_then(|noun| category(noun, things));
    Paid {
        category: said.unwrap_or("other"),
        is_category_said: said.is_some(),
        what: best.map(|noun| phrase(text, noun)),
    }
}

fn category<'l>(noun: &Noun, things: &[Thing<'l>]) -> Option<&'l str> {
    things.get(noun.thing?)?.category
}

/// Whether the noun is the card, account or purse it was paid from.
fn is_means(text: &Text<'_>, noun: &Noun) -> bool {
    (noun.at.start..noun.at.end).any(|at| {
        matches!(
            text.word(at),
            "visa"
                | "amex"
                | "mastercard"
                | "revolut"
                | "paypal"
                | "venmo"
                | "gcash"
                | "monzo"
                | "account"
                | "wallet"
                | "purse"
                | "treasury"
                | "kitty"
                | "fund"
                | "iban"
        )
    })
}

fn most<'n>(
    text: &Text<'_>,
    nouns: &'n [Noun],
    things: &[Thing<'_>],
    counts: impl Fn(&Noun) -> bool,
) -> Option<&'n Noun> {
    let mut best: Option<(&Noun, f32)> = None;
    for (place, noun) in nouns.iter().enumerate().filter(|(_, noun)| counts(noun)) {
        let score = score(text, noun, place, things);
        if best.is_none_or(|(_, top)| score > top) {
            best = Some((noun, score));
        }
    }
    best.map(|(noun, _)| noun)
}

fn score(text: &Text<'_>, noun: &Noun, place: usize, things: &[Thing<'_>]) -> f32 {
    let mut score = match noun.standing {
        Standing::Known => 4.0,
        Standing::Passing => 1.5,
        Standing::Guessed if noun.is_marked => 1.5,
        Standing::Guessed => 1.0,
    };
    score -= 0.25 * place.min(6) as f32;
    match text.word(before(text, noun.at.start)) {
        "for" | "of" => score += 1.0,
        "at" | "in" | "from" | "by" | "on" | "under" | "outside" | "after" | "before" | "via" => {
            score -= 2.5;
        }
        "to" | "with" | "into" | "out" | "off" => score -= 0.7,
        _ => {}
    }
    if category(noun, things).is_none_or(|category| category == "other") {
        score -= 1.0;
    }
    // For whom it was says less than what it was.
    let thing = noun.thing.and_then(|at| things.get(at));
    if thing.is_some_and(|thing| thing.usual == Some("contact")) {
        score -= 2.5;
    }
    score
}

/// The word before what marks the noun.
fn before(text: &Text<'_>, start: usize) -> usize {
    const MARKS: &[&str] =
        &["the", "a", "an", "my", "your", "our", "his", "her", "their", "this", "that", "some"];
    let mut at = start;
    while let Some(before) = at.checked_sub(1) {
        if !(MARKS.contains(&text.word(before)) || is_plain(text.word(before))) {
            return before;
        }
        at = before;
    }
    usize::MAX
}

/// The noun as it was written, with the word that says which part of its price.
fn phrase(text: &Text<'_>, noun: &Noun) -> String {
    const PARTS: &[&str] = &["deposit", "balance", "advance"];
    let start = text.words().get(noun.at.start).map_or(0, |word| word.start);
    let end = text.words().get(noun.at.end.saturating_sub(1)).map_or(start, |word| word.end);
    let own = text.said(start..end).to_lowercase();
    let own = own.trim_end_matches("'s").trim_end_matches("’s").replace(" n ", " and ");
    let said = |part: &&&str| {
        !own.contains(**part) && (0..text.words().len()).any(|at| text.word(at) == **part)
    };
    match PARTS.iter().find(said) {
        Some(part) => format!("{own} {part}"),
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon::bundled;

    fn is_read(said: &str, category: &str, what: Option<&str>) {
        let lexicon = bundled();
        let text = Text::new(said);
        let findings = Findings::of(&text, None, lexicon);
        let paid = paid_for(&findings);
        assert_eq!((paid.category, paid.what.as_deref()), (category, what), "{said}");
    }

    #[test]
    fn a_thing_says_what_and_under_which_category() {
        is_read("paid £40 for petrol", "transport", Some("petrol"));
        is_read("the marquee cost 300", "equipment", Some("marquee"));
    }

    #[test]
    fn the_part_of_the_price_is_told() {
        is_read("£100 deposit for the band", "music", Some("band deposit"));
    }

    #[test]
    fn for_whom_and_how_it_was_paid_is_not_what() {
        is_read("£20 cash, donuts for the volunteers", "catering", Some("donuts"));
        is_read("put the balloons on my card, £12", "decor", Some("balloons"));
    }

    #[test]
    fn what_nothing_tells_is_other() {
        is_read("it was 85.50", "other", None);
    }
}
