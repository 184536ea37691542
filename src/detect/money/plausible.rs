//! What numbers without a sign are no money: times, dates, counts, years, phone numbers.

use std::ops::Range;

use super::digits::Digits;
use crate::detect::text::Text;
use crate::detect::words;

/// Whether this number without a sign counts or dates something.
pub(super) fn is_no_money(text: &Text<'_>, span: &Range<usize>, number: Digits) -> bool {
    let folded = text.folded();
    let (previous, next) = (text.word_before(span.start), text.word_after(span.end));
    let plain = number.decimals == 0 && !number.grouped;
    let year = plain && number.whole == 4 && (2019.0..2040.0).contains(&number.value);
    let phone =
        plain && number.whole >= 7 || folded[span.clone()].starts_with('0') && number.whole > 1;
    let adjoins = folded[span.end..].starts_with(' ');
    let counted =
        adjoins && (matches!(next, "am" | "pm") || number.decimals == 0 && words::is_counted(next));
    let follows = folded[..span.start].strip_suffix(' ').is_some_and(|it| it.ends_with(previous));
    let key = number.whole <= 2 && folded[span.end..].starts_with(')');
    let hour = matches!(previous, "by" | "at" | "before" | "after" | "until" | "till")
        && number.value > 31.0;
    let placed = follows && number.decimals == 0 && !hour && words::is_place_in_time(previous);
    (year && !matches!(previous, "paid" | "cost" | "was"))
        || phone
        || counted
        || key
        || is_factor(text, span)
        || placed
}

/// "7 x", "x 12", "12 @": how many of something.
fn is_factor(text: &Text<'_>, span: &Range<usize>) -> bool {
    let after = text.folded()[span.end..].trim_start();
    let before = text.folded()[..span.start].trim_end();
    let next = text.word_after(span.end);
    after.starts_with('@')
        || after.starts_with(['x', '×'])
            && (matches!(next, "" | "x") || next.starts_with(|c: char| c.is_ascii_digit()))
        || before.ends_with('×')
        || before.ends_with(" x") && !before.ends_with("= x")
}
