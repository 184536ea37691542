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
use crate::domain::money::Currency;

#[cfg(test)]
pub(super) use total::is_share;
pub(super) use total::total;

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
    const DOLLARS: &[&str] =
        &["AUD", "CAD", "NZD", "SGD", "HKD", "BBD", "BSD", "FJD", "JMD", "TTD", "MXN", "TWD"];
    event.filter(|event| bare && DOLLARS.contains(&event.code())).unwrap_or(said)
}

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
    let lone = |word: &str| matches!(word, "pounds" | "dollars" | "euros" | "euro" | "quid" | "bucks" | "usd" | "gbp" | "eur" | "cad" | "aud" | "inr" | "rupees" | "rand" | "naira");
    let word = (0..text.words().len()).map(|at| text.word(at)).find(|word| lone(word))?;
    let said = currency::of_suffix(word).and_then(Currency::parse)?;
    Some(own_dollar(said, currency::is_dollar(word), event))
}
