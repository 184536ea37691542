//! Amounts of money in a text: which there are, and which one is the total.
//!
//! A sign, a code or a word for money makes an amount sure. A bare number is
//! only a candidate: times, dates, counts and phone numbers are left out.

mod digits;
mod currency;
mod scan;
mod spelled;
mod plausible;
mod total;

use std::ops::Range;

use super::text::Text;
use super::word_set::{WordSet, set};
use crate::domain::money::Currency;

pub(super) use total::total;

/// How many amounts of a message are read: nobody writes more, but for tables and noise.
const MOST: usize = 32;

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

/// All amounts, in the order in which they stand.
pub(super) fn amounts(text: &Text<'_>) -> Vec<Amount> {
    let mut found = Vec::new();
    if text.folded().bytes().any(|byte| byte.is_ascii_digit()) {
        scan::amounts(text, &mut found);
    }
    spelled::amounts(text, &mut found);
    found.sort_by_key(|amount| amount.span.start);
    found
}

/// The currency that was said; a bare dollar is the event's own dollar.
pub(super) fn currency_of(amount: &Amount, event: Option<Currency>) -> Option<Currency> {
    let said = amount.currency.and_then(Currency::parse)?;
    Some(own_dollar(said, amount.bare_dollar, event))
}

fn own_dollar(said: Currency, bare: bool, event: Option<Currency>) -> Currency {
    static DOLLARS: WordSet =
        set!(&["AUD", "CAD", "NZD", "SGD", "HKD", "BBD", "BSD", "FJD", "JMD", "TTD", "MXN", "TWD"]);
    event.filter(|event| bare && DOLLARS.contains(event.code())).unwrap_or(said)
}

/// Words for money that name the currency, though they stand apart from the amount.
#[rustfmt::skip]
static LONE: WordSet = set!(&[
    "pounds", "dollars", "euros", "euro", "quid", "bucks", "usd", "gbp", "eur", "cad", "aud",
    "inr", "rupees", "rand", "naira",
]);

/// The currency of an expense whose total names none: another amount's, or a word that stands alone ("480, dollars obviously").
pub(super) fn currency_said(
    text: &Text<'_>,
    total: &Amount,
    amounts: &[Amount],
    event: Option<Currency>,
) -> Option<Currency> {
    let named = |it: &&Amount| it.value == total.value && it.currency.is_some() && !it.bare_dollar;
    if let Some(twin) = amounts.iter().find(named) {
        return currency_of(twin, event);
    }
    if total.currency.is_some() {
        return currency_of(total, event);
    }
    if let Some(other) = amounts.iter().find(|amount| amount.currency.is_some()) {
        return currency_of(other, event);
    }
    let sign = text.folded().chars().find_map(currency::of_sign).filter(|code| *code != "GHS");
    if let Some(said) = sign.and_then(Currency::parse) {
        return Some(own_dollar(said, said.code() == "USD", event));
    }
    let word = (0..text.words().len()).map(|at| text.word(at)).find(|word| LONE.contains(word))?;
    let said = currency::of_suffix(word).and_then(Currency::parse)?;
    Some(own_dollar(said, currency::is_dollar(word), event))
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
            ("Rs 2,15,000/-", 215_000.0, "INR"),
            ("RM 1,450", 1_450.0, "MYR"),
            ("S$88", 88.0, "SGD"),
            ("R$90", 90.0, "BRL"),
            ("R4 500", 4_500.0, "ZAR"),
            ("CHF 45.-", 45.0, "CHF"),
            ("18,400 INR", 18_400.0, "INR"),
            ("1.050,00 €", 1_050.0, "EUR"),
            ("12,50 euro", 12.5, "EUR"),
            ("£1.2k", 1_200.0, "GBP"),
            ("ksh 12k", 12_000.0, "KES"),
            ("P5,000", 5_000.0, "PHP"),
            ("J$900", 900.0, "JMD"),
            ("TT$70", 70.0, "TTD"),
            ("$30 CAD", 30.0, "CAD"),
            ("₦2.5m", 2_500_000.0, "NGN"),
            ("GH₵80", 80.0, "GHS"),
            ("three hundred and fifty pounds", 350.0, "GBP"),
            ("two hundred Canadian dollars", 200.0, "CAD"),
            ("nine pounds forty", 9.4, "GBP"),
            ("Rs 3 thousand 5 hundred", 3_500.0, "INR"),
        ] {
            assert_eq!(said(text), [(value, Some(code))], "{text}");
        }
    }

    #[test]
    fn thousands_words_say_nothing_of_the_currency() {
        for (text, value) in [
            ("1.5k", 1_500.0),
            ("two grand", 2_000.0),
            ("half a grand", 500.0),
            ("two and a half grand", 2_500.0),
            ("1.2 lakh", 120_000.0),
            ("2L", 200_000.0),
            ("3.5 cr", 35_000_000.0),
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
            "in 2026",
            "24%",
            "day 2",
            "before 5",
            "2 vans",
            "12.04.2026",
            "3x",
            "two of us",
        ] {
            assert_eq!(said(text), [], "{text}");
        }
    }

    #[test]
    fn the_total_wins_over_shares_unit_prices_and_old_sums() {
        for (text, value) in [
            ("168 each for me and Meera, so £336 on my card", 336.0),
            ("7 x $82 = $574, paid by me", 574.0),
            ("hall 300 + tables 45 = 345 in all", 345.0),
            ("£525 + VAT so £630 total. I paid", 630.0),
            ("the photographer was 460 not 450", 460.0),
            ("not £58 but £85", 85.0),
            ("everyone chuck me 25 quid for the present, I paid £150", 150.0),
        ] {
            assert_eq!(total_of(text), Some(value), "{text}");
        }
    }
}
