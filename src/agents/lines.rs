//! Lines that a model wrote: bounded, on one line each, and with nothing to go to, to call or to pay.
//!
//! A model that obeys a message instead of its prompt writes what the message wants. Where a line
//! could send its reader is refused whatever the script it is written in.

use super::reading::BadAnswer;

/// The most lines a list may have.
const MOST_LINES: usize = 12;
/// The longest line, in characters.
const LONGEST_LINE: usize = 400;
/// From so many digits on, spaces and dashes left out, a number is taken for a telephone's or an
/// account's.
const LONGEST_NUMBER: usize = 9;
/// From so many letters and digits on, a word that has both is taken for an account or a token.
const LONGEST_CODE: usize = 20;
/// From so many digits on, a number that is no year is taken for a figure.
const FIGURE: usize = 4;
/// The years that a line may name.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2199;

/// Trims the lines, and refuses none, too many, empty and endless ones.
pub(super) fn lines(field: &str, lines: &mut [String]) -> Result<(), BadAnswer> {
    if lines.is_empty() {
        return Err(BadAnswer::new(format!("{field} must have 1 to {MOST_LINES} lines")));
    }
    few_lines(field, lines)
}

/// Lines of which there may be none.
pub(super) fn few_lines(field: &str, lines: &mut [String]) -> Result<(), BadAnswer> {
    if lines.len() > MOST_LINES {
        return Err(BadAnswer::new(format!("{field} must have at most {MOST_LINES} lines")));
    }
    for line in lines {
        *line = figureless(field, line)?;
    }
    Ok(())
}

/// A line, trimmed: not empty, not endless, and with nothing to go to, to call or to pay.
pub(super) fn one_line(field: &str, line: &str) -> Result<String, BadAnswer> {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return Err(BadAnswer::new(format!("{field} has an empty line")));
    }
    if line.chars().count() > LONGEST_LINE {
        return Err(BadAnswer::new(format!(
            "{field} has a line of more than {LONGEST_LINE} characters"
        )));
    }
    if line.chars().any(is_hidden) {
        return Err(BadAnswer::new(format!("{field} has letters that nobody sees")));
    }
    if line.chars().any(char::is_control) || line.contains(['<', '>']) || line.contains("](") {
        return Err(BadAnswer::new(format!("{field} has markup in it")));
    }
    if leads_elsewhere(&line) {
        return Err(BadAnswer::new(format!(
            "{field} names an address, an account, a telephone number or an amount"
        )));
    }
    Ok(line)
}

/// A line as [`one_line`] has it, without a large figure: what things come to is computed, or known
/// to nobody.
pub(super) fn figureless(field: &str, line: &str) -> Result<String, BadAnswer> {
    let line = one_line(field, line)?;
    if names_figure(&plain(&line)) {
        return Err(BadAnswer::new(format!("{field} names a figure")));
    }
    Ok(line)
}

/// Letters that turn text round or stand in it unseen; the joiners that scripts and emoji need are
/// none of them.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// The line in lower case, with letters of full width as the usual ones, and without joiners.
fn plain(line: &str) -> String {
    let usual = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    let shown = line.chars().filter(|c| !matches!(c, '\u{200c}'..='\u{200f}'));
    shown.map(usual).collect::<String>().to_lowercase()
}

/// Whether a line sends its reader somewhere, or names an amount: no answer of ours ever has to.
fn leads_elsewhere(line: &str) -> bool {
    let line = plain(line);
    let spelt = ["//", "www.", "javascript:", "mailto:", "(at)", "[at]", "(dot)", "[dot]"];
    spelt.iter().any(|sign| line.contains(sign))
        || line.split(' ').any(|word| is_mail_address(word) || is_host(word) || is_code(word))
        || has_long_number(&line)
        || has_price(&line)
}

/// Whether digits stand in a row like those of a telephone or an account; a date is none.
fn has_long_number(line: &str) -> bool {
    let mut run = 0;
    line.split(' ').any(|word| {
        let word = word.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ';' | '.'));
        if word.parse::<jiff::civil::Date>().is_ok() || word.parse::<jiff::civil::Time>().is_ok() {
            run = 0;
            return false;
        }
        // Within a word, dots divide a number as well as dashes do.
        let mut dotted = 0;
        word.chars().any(|c| {
            (run, dotted) = match c {
                c if c.is_numeric() => (run + 1, dotted + 1),
                '-' | '(' | ')' | '+' | '/' | '\u{2010}'..='\u{2015}' => (run, dotted),
                '.' | ',' => (0, dotted),
                _ => (0, 0),
            };
            run >= LONGEST_NUMBER || dotted >= LONGEST_NUMBER
        })
    })
}

/// Whether a line names an amount of money: amounts are computed, never worded.
fn has_price(line: &str) -> bool {
    const CODES: [&str; 12] =
        ["usd", "eur", "gbp", "aud", "cad", "inr", "jpy", "chf", "nzd", "sek", "dollar", "euro"];
    let is_sign = |c| matches!(c, '$' | '\u{a3}' | '\u{a5}' | '\u{20a0}'..='\u{20cf}');
    let mut words = line.split(|c: char| !c.is_alphabetic());
    line.contains(char::is_numeric)
        && (line.contains(is_sign)
            || words.any(|word| CODES.contains(&word.strip_suffix('s').unwrap_or(word))))
}

fn is_mail_address(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// Whether a word is a host's name, with or without a path: `example.org`, and neither `e.g.` nor `5.30pm`.
fn is_host(word: &str) -> bool {
    let edges = |c: char| !c.is_alphanumeric();
    let host =
        word.trim_start_matches(edges).split(['/', '?', '#', ':']).next().unwrap_or_default();
    let host = host.trim_end_matches(edges);
    let Some((name, last)) = host.rsplit_once('.') else { return false };
    let name = name.rsplit('.').next().unwrap_or_default();
    let is_top = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic);
    is_top
        && name.chars().count() >= 2
        && name.chars().any(char::is_alphabetic)
        && name.chars().all(|c| c.is_alphanumeric() || c == '-')
}

/// Whether a word is a wallet, an account of letters and digits, or text that is encoded.
fn is_code(word: &str) -> bool {
    let longest = word.split(|c: char| !c.is_ascii_alphanumeric());
    longest.into_iter().any(|part| {
        part.len() >= LONGEST_CODE
            && part.contains(|c: char| c.is_ascii_digit())
            && part.contains(|c: char| c.is_ascii_alphabetic())
    })
}

/// Whether a line has a number that is neither small nor a year.
fn names_figure(line: &str) -> bool {
    line.split(|c: char| !(c.is_numeric() || matches!(c, '.' | ',' | '\'' | '\u{a0}' | '\u{202f}')))
        .any(|number| {
            let digits: String = number.chars().filter(|c| c.is_numeric()).collect();
            let is_year = digits.len() == number.trim_matches(['.', ',', '\'']).len()
                && digits.parse().is_ok_and(|year: u32| YEARS.contains(&year));
            digits.chars().count() >= FIGURE && !is_year && !is_day(number)
        })
}

/// Whether a number is a day as many write it: `20.06.2026`.
fn is_day(number: &str) -> bool {
    let parts: Vec<usize> = number.trim_matches('.').split('.').map(str::len).collect();
    matches!(parts[..], [1..=2, 1..=2, 2 | 4])
}

#[cfg(test)]
#[path = "tests/lines.rs"]
mod tests;
