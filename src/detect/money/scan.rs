//! Amounts in digits: the number with what stands around it, a sign, a code, a word, a factor.

use std::ops::Range;

use super::currency::{is_dollar, of_country, of_dollar, of_prefix, of_sign, of_suffix};
use super::digits::{self, Digits};
use super::spelled::is_country;
use super::{Amount, MOST, plausible};
use crate::detect::text::Text;
use crate::detect::words;

/// A sign, code or word for money beside a number.
#[derive(Debug, Clone, Copy)]
struct Sign {
    code: &'static str,
    bare_dollar: bool,
    /// How far the amount reaches with it.
    edge: usize,
}

/// All amounts in digits, in the order in which they stand.
pub(super) fn amounts(text: &Text<'_>, found: &mut Vec<Amount>) {
    let bytes = text.folded().as_bytes();
    let mut at = 0;
    while at < bytes.len() && found.len() < MOST {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let before = sign_before(text, at);
        let end = match digits::read(bytes, at, true) {
            Ok(number) => read(text, at, number, before, found),
            Err(end) => end,
        };
        at = end.max(at + 1);
    }
}

/// Reads one amount; returns where to go on.
fn read(
    text: &Text<'_>,
    start: usize,
    number: Digits,
    before: Option<Sign>,
    found: &mut Vec<Amount>,
) -> usize {
    let (factor, end) = factor(text, number, before.is_some());
    let after = sign_after(text, end);
    // Blanks group the digits of money, not those of "table 4 120 guests".
    let blank = text.folded()[start..number.end].contains(' ');
    if blank && before.is_none() && after.is_none() && is_counting(text, start, number.end) {
        let Ok(number) = digits::read(text.folded().as_bytes(), start, false) else { return end };
        return read(text, start, number, None, found);
    }
    let Some(sign) = chosen(before, after) else {
        return bare(text, start, number, factor, end, found);
    };
    if glued(text.folded(), before.map_or(start, |sign| sign.edge)) {
        return end;
    }
    let (cents, last) = cents(text, after.map_or(end, |sign| sign.edge), after.is_some(), number);
    found.push(Amount {
        value: number.value * factor + cents,
        currency: Some(sign.code).filter(|code| !code.is_empty()),
        bare_dollar: sign.bare_dollar,
        span: before.map_or(start, |sign| sign.edge)..last,
        sure: true,
    });
    last
}

/// Whether digits with a blank between them are two numbers.
fn is_counting(text: &Text<'_>, start: usize, end: usize) -> bool {
    words::is_counted(text.word_after(end)) || words::is_place_in_time(text.word_before(start))
}

/// A code after the number says whose the dollar before it is: `$412 CAD`.
fn chosen(before: Option<Sign>, after: Option<Sign>) -> Option<Sign> {
    match (before, after) {
        (Some(before), Some(after)) if before.bare_dollar && !after.bare_dollar => Some(after),
        (Some(before), Some(after)) if before.code.is_empty() => Some(after),
        (None, after) => after,
        (before, _) => before,
    }
}

/// A number that may be money, though no sign says so.
fn bare(
    text: &Text<'_>,
    start: usize,
    number: Digits,
    factor: f64,
    end: usize,
    found: &mut Vec<Amount>,
) -> usize {
    let folded = text.folded();
    let span = start..end;
    if glued(folded, start) || is_part_of_more(&folded[..start], &folded[end..]) {
        return after_part(folded, end);
    }
    if factor == 1.0 && plausible::is_no_money(text, &span, number) {
        return end;
    }
    // 11.30 may be a time; 41.20 and 54.99 are none.
    let odd = number.value >= 24.0 || (number.value * 100.0).round() as i64 % 5 != 0;
    let sure = factor > 1.0 || (number.decimals == 2 && odd);
    let value = number.value * factor;
    found.push(Amount { value, currency: None, bare_dollar: false, span, sure });
    end
}

/// What is left of a time, date or range is no amount either.
fn after_part(folded: &str, end: usize) -> usize {
    let rest = folded.as_bytes().get(end..).unwrap_or(&[]);
    let more = rest.iter().take_while(|byte| {
        byte.is_ascii_alphanumeric() || matches!(**byte, b':' | b'/' | b'-' | b'.' | b'%')
    });
    end + more.count()
}

fn glued(folded: &str, start: usize) -> bool {
    folded[..start].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Whether the digits belong to a time, date, range, phone number or name.
fn is_part_of_more(before: &str, after: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric();
    let before_glued = before.ends_with([':', '/', '#', '+'])
        && before[..before.len() - 1].ends_with(|c: char| inner(c) || c == ' ' || c == '(')
        && (!before.ends_with(':')
            || before[..before.len() - 1].ends_with(|c: char| c.is_ascii_digit()))
        || before.ends_with('-') && before.trim_end_matches('-').ends_with(inner)
        || before.ends_with(['.', ','])
            && before[..before.len() - 1].ends_with(|c: char| c.is_ascii_digit())
        || before == "#";
    let mut rest = after.chars();
    let (first, second) = (rest.next(), rest.next());
    let after_glued = first.is_some_and(|c| inner(c) || matches!(c, '%' | '°'))
        || matches!((first, second), (Some(':' | '/' | '-' | '.' | ','), Some(c)) if c.is_ascii_digit());
    before_glued || after_glued
}

/// The sign, code or letters right before a number.
fn sign_before(text: &Text<'_>, start: usize) -> Option<Sign> {
    let folded = text.folded();
    let head = &folded[..start];
    let (head, is_glued) = match head.strip_suffix(' ') {
        Some(head) => (head, false),
        None => (head, true),
    };
    let last = head.chars().next_back()?;
    if last == '$' {
        let letters = letters_before(&head[..head.len() - 1]);
        let edge = head.len() - 1 - letters.len();
        let own = of_dollar(letters);
        let edge = if own.is_some() { edge } else { head.len() - 1 };
        let bare_dollar = own.is_none() || own == Some("USD") && letters.is_empty();
        return Some(Sign { code: own.unwrap_or("USD"), bare_dollar, edge });
    }
    if let Some(code) = of_sign(last) {
        let head = &head[..head.len() - last.len_utf8()];
        let letters = letters_before(head);
        // "GH₵600"
        let own = if letters.len() < 3 { letters.len() } else { 0 };
        return Some(Sign { code, bare_dollar: false, edge: head.len() - own });
    }
    let dotted = head.strip_suffix('.');
    let letters = letters_before(dotted.unwrap_or(head));
    let edge = dotted.unwrap_or(head).len() - letters.len();
    if letters.is_empty() || (dotted.is_some() && letters.len() < 2) || self::glued(folded, edge) {
        return None;
    }
    let is_capital = text.is_capital(&(edge..edge + 1));
    let code = of_prefix(letters, is_capital, is_glued)?;
    Some(Sign { code, bare_dollar: false, edge })
}

fn letters_before(head: &str) -> &str {
    let start = head
        .rfind(|c: char| !c.is_ascii_alphabetic())
        .map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    &head[start..]
}

/// The letters, digits left out, that a word may start with here.
fn word_here(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    if rest[end..].starts_with(|c: char| c.is_numeric()) { "" } else { &rest[..end] }
}

/// The sign, code or word right after a number.
fn sign_after(text: &Text<'_>, end: usize) -> Option<Sign> {
    let folded = text.folded();
    let rest = &folded[end..];
    if let Some(sign) = stroke_after(rest, end) {
        return Some(sign);
    }
    let skipped = rest.len() - rest.trim_start_matches([' ', ',']).len();
    let skipped = if rest.starts_with("-") { 1 } else { skipped };
    if skipped > 2 {
        return None;
    }
    let here = end + skipped;
    let rest = &folded[here..];
    if let Some(code) = rest.chars().next().and_then(of_sign) {
        let edge = here + rest.chars().next().map_or(0, char::len_utf8);
        // "£20 £30" are two; a sign that has its own number is not this one's.
        let own = folded[edge..].trim_start().starts_with(|c: char| c.is_ascii_digit());
        if own || folded[end..here].contains(',') {
            return None;
        }
        return Some(whose(folded, Sign { code, bare_dollar: code == "USD", edge }));
    }
    let word = word_here(rest);
    let comma = folded[end..here].contains(',');
    if let Some(sign) = word_after(folded, word, here + word.len(), comma) {
        return Some(sign);
    }
    let sign = whose(folded, Sign { code: "", bare_dollar: true, edge: end });
    let own = is_dollar_next(folded, sign.edge, word)
        || is_country(text, text.word_from(here))
        || glued_country(folded, end);
    (sign.edge > end && !comma && own).then_some(sign)
}

/// "450/-", maybe with a word for money behind it.
fn stroke_after(rest: &str, end: usize) -> Option<Sign> {
    let mark = ["/-", "/=", "/_"];
    let after = mark.iter().find_map(|mark| rest.strip_prefix(mark))?;
    let code = of_suffix(word_here(after.trim_start())).unwrap_or("");
    Some(Sign { code, bare_dollar: false, edge: end + rest.len() - after.len() })
}

/// The word for money that ends at the edge, unless it belongs to the next number.
fn word_after(folded: &str, word: &str, edge: usize, comma: bool) -> Option<Sign> {
    let code = of_suffix(word)?;
    let code = if folded[edge..].starts_with(" mexicano") { "MXN" } else { code };
    let own = folded[edge..].trim_start_matches('.').trim_start();
    let next =
        own.starts_with(|c: char| c.is_ascii_digit()) && of_prefix(word, false, false).is_some();
    if next && (comma || word.len() < 3) {
        return None;
    }
    Some(whose(folded, Sign { code, bare_dollar: is_dollar(word), edge }))
}

/// "three hundred Canadian dollars": the country stands before the dollar.
fn is_dollar_next(folded: &str, edge: usize, word: &str) -> bool {
    let next = word_here(folded[edge..].trim_start());
    is_dollar(next) || matches!(word, "aussie" | "canadian" | "fijian")
}

/// "$20NZ"
fn glued_country(folded: &str, end: usize) -> bool {
    matches!(word_here(&folded[end..]), "nz" | "nzd" | "au" | "us" | "ca")
}

/// A country or code behind the dollar names it: "dollars Canadian", "56,20 $ CAD".
pub(super) fn country_after(folded: &str, edge: usize) -> Option<(&'static str, usize)> {
    let rest = folded.get(edge..)?;
    let blank = rest.len() - rest.trim_start_matches([' ']).len();
    let word = word_here(&rest[blank..]);
    of_country(word)
        .filter(|_| blank <= 1 && word != "can")
        .map(|code| (code, edge + blank + word.len()))
}

fn whose(folded: &str, sign: Sign) -> Sign {
    match country_after(folded, sign.edge) {
        Some((code, edge)) if sign.bare_dollar => Sign { code, bare_dollar: false, edge },
        _ => sign,
    }
}

/// "k", "grand", "lakh" behind a number, and where the number ends with it.
fn factor(text: &Text<'_>, number: Digits, signed: bool) -> (f64, usize) {
    let folded = text.folded();
    let rest = &folded[number.end..];
    let glued = word_here(rest);
    let capital = text.is_capital(&(number.end..number.end + 1));
    let scale = match glued {
        "k" | "ks" => 1e3,
        "l" if capital && number.value < 100.0 && !is_drink(text, number.end + 1) => 1e5,
        "m" | "mil" if signed || (number.decimals > 0 && number.value < 100.0) => 1e6,
        "cr" => 1e7,
        word => super::spelled::scale(word),
    };
    if scale > 1.0 {
        return (scale, number.end + glued.len());
    }
    let spaced = rest.strip_prefix(' ').map_or("", word_here);
    let scale = match spaced {
        "k" => 1e3,
        "cr" => 1e7,
        word => super::spelled::scale(word),
    };
    if scale > 1.0 { (scale, number.end + 1 + spaced.len()) } else { (1.0, number.end) }
}

/// "2L water" is litres.
fn is_drink(text: &Text<'_>, offset: usize) -> bool {
    matches!(
        text.word_after(offset),
        "water" | "coke" | "fluid" | "milk" | "bottle" | "bottles" | "juice" | "of"
    )
}

/// The cents of "23 pounds 40" and "27 dollars n 60 cents", and where the amount ends with them.
fn cents(text: &Text<'_>, end: usize, worded: bool, number: Digits) -> (f64, usize) {
    let folded = text.folded();
    let after = text.word_from(end);
    if !worded || number.decimals > 0 || !folded[..end].ends_with(|c: char| c.is_alphabetic()) {
        return (0.0, end);
    }
    let joined = matches!(text.word(after), "and" | "n");
    let at = after + usize::from(joined);
    let Some(Range { start, end: last }) = text.words().get(at).cloned() else { return (0.0, end) };
    let word = &folded[start..last];
    let named = matches!(text.word(at + 1), "cents" | "cent" | "p" | "pence" | "c");
    let near =
        folded[end..start].trim().len() <= 3 && !folded[end..start].contains(['.', ',', '\n']);
    let tail = folded[last..].chars().next();
    let plain = !joined && tail.is_none_or(|c| matches!(c, '.' | ',' | '!'));
    match word.parse::<u8>() {
        Ok(cents) if word.len() == 2 && near && (named || plain) => {
            (f64::from(cents) / 100.0, if named { text.words()[at + 1].end } else { last })
        }
        _ => (0.0, end),
    }
}
