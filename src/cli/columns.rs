//! Texts in terminal columns: how wide they are, and how they are made to fit.
//!
//! Widths are judged simply: two columns for East Asian characters and emoji, none
//! for marks that join others. Rare scripts may be a column off, never broken.

use jiff::Timestamp;

use crate::domain::usage::NanoUsd;

/// How many columns a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0x20d0..=0x20ff => {
            0
        }
        0xfe00..=0xfe0f | 0xfeff | 0x1f3fb..=0x1f3ff | 0xe0100..=0xe01ef => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
        0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 => 2,
        0x1f1e6..=0x1f64f | 0x1f680..=0x1f6ff | 0x1f900..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The text on one line, without what could steer a terminal.
pub(super) fn plain(text: &str) -> String {
    let turning = |c: char| matches!(u32::from(c), 0x202a..=0x202e | 0x2066..=0x2069);
    let safe = text.chars().filter(|c| !turning(*c)).map(|c| if c.is_control() { ' ' } else { c });
    safe.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text in at most so many columns, cut with an ellipsis.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += char_width(c);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    if columns == 0 { kept } else { format!("{}…", kept.trim_end()) }
}

/// The text in exactly so many columns, or as it is when it is wider.
pub(super) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text in lines of at most so many columns, broken at spaces; longer words are cut.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let word = fit(word, columns);
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

/// On which side a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// Rows under heads, each column as wide as its widest cell, two apart. Every row has a cell for
/// each head.
pub(super) fn table(heads: &[(&str, Side)], rows: &[Vec<String>]) -> String {
    let widest = |nth: usize, head: &str| {
        rows.iter().map(|row| width(&row[nth])).chain([width(head)]).max().unwrap_or_default()
    };
    let widths: Vec<usize> =
        heads.iter().enumerate().map(|(nth, (head, _))| widest(nth, head)).collect();
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for ((cell, columns), (_, side)) in cells.into_iter().zip(&widths).zip(heads) {
            let gap = " ".repeat(columns.saturating_sub(width(cell)));
            text.push_str(&match side {
                Side::Left => format!("{cell}{gap}  "),
                Side::Right => format!("{gap}{cell}  "),
            });
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(heads.iter().map(|(head, _)| *head).collect());
    rows.iter().for_each(|row| text.push_str(&line(row.iter().map(String::as_str).collect())));
    text
}

/// An amount with every digit that says something, and cents always: `$0.50`, `$0.054399`.
pub(super) fn dollars(amount: NanoUsd) -> String {
    let exact = amount.to_string();
    let point = exact.find('.').map_or(exact.len(), |point| point + 3);
    let (cents, rest) = exact.split_at(point);
    format!("{cents}{}", rest.trim_end_matches('0'))
}

/// An instant to the second.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        let heads = [("who", Side::Left), ("cost", Side::Right), ("why", Side::Left)];
        let rows = [["寿司", "$1.00", ""], ["ana", "$10.00", "so"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        let expected = "who     cost  why\n寿司   $1.00\nana   $10.00  so\n";
        assert_eq!(table(&heads, &rows), expected);
    }

    #[test]
    fn an_amount_keeps_every_digit_that_says_something() {
        let told = [0, 500_000_000, 54_399_000, 1, -1_100_000_000].map(|n| dollars(NanoUsd(n)));
        assert_eq!(told, ["$0.00", "$0.50", "$0.054399", "$0.000000001", "-$1.10"]);
    }

    #[test]
    fn wide_and_joining_characters_are_counted_as_terminals_show_them() {
        assert_eq!(width("café"), 4);
        assert_eq!(width("cafe\u{301}"), 4);
        assert_eq!(width("寿司"), 4);
        assert_eq!(width("🎂!"), 3);
    }

    #[test]
    fn what_does_not_fit_is_cut_with_an_ellipsis() {
        assert_eq!(fit("photographer", 6), "photo…");
        assert_eq!(fit("寿司寿司", 5), "寿司…");
        assert_eq!(fit("cake", 4), "cake");
        assert_eq!(fit("cake", 0), "");
    }

    #[test]
    fn control_characters_and_line_ends_become_spaces() {
        assert_eq!(plain("a\u{1b}[31mred\n\tb\u{7}\u{202e}c"), "a [31mred b c");
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("unbreakable it is", 6), ["unbre…", "it is"]);
    }
}
