//! What chat text looks like inside a prompt.
//!
//! Everything that people wrote (messages, names, titles) is escaped before it
//! is put between tags, so no text can close the tags that hold it.

use crate::model::estimate::{Estimate, parts_in};

/// The text as data: angle brackets, ampersands and quotes escaped, control characters but line
/// breaks dropped.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text as data on one line, at most so many characters long.
pub fn escape_line(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= longest {
        return escape(&line);
    }
    let mut cut: String = line.chars().take(longest).collect();
    cut.push('…');
    escape(&cut)
}

/// A name on one line: at most so many characters, and at most as many tokens by the high
/// estimate, which emoji reach sooner.
pub(super) fn escape_name(text: &str, longest: usize) -> String {
    let line = escape_line(text, longest);
    let most = parts_in(u32::try_from(longest).unwrap_or(u32::MAX));
    if Estimate::HIGH.parts(&line) <= most {
        return line;
    }
    let whole = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let room = most - Estimate::HIGH.parts("…");
    escape(&taken(whole.chars(), room, &Estimate::HIGH)) + "…"
}

/// What stands where text was cut out.
const CUT: &str = "\n[cut]\n";

/// The text as data, cut in its middle until it holds at most so many parts of a token: how a
/// message begins and how it ends says most.
pub(super) fn escape_within(text: &str, most: u64, estimate: &Estimate) -> String {
    let whole = escape(text);
    if estimate.parts(&whole) <= most {
        return whole;
    }
    let half = most.saturating_sub(estimate.parts(CUT)) / 2;
    let head = taken(text.chars(), half, estimate);
    let tail = taken(text.chars().rev(), half, estimate);
    let tail: String = tail.chars().rev().collect();
    let cut = format!("{}{CUT}{}", escape(&head), escape(&tail));
    if estimate.parts(&cut) <= most { cut } else { String::new() }
}

/// Characters from the start until their escaped form would hold more than so many parts.
fn taken(chars: impl Iterator<Item = char>, most: u64, estimate: &Estimate) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += estimate.parts(&escape(c.encode_utf8(&mut [0; 4])));
            used <= most
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaped_text_holds_no_tag(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"']));
        }

        #[test]
        fn cut_text_never_passes_its_parts(text in any::<String>(), most in 0u64..600_000) {
            let cut = escape_within(&text, most, &Estimate::HIGH);
            prop_assert!(Estimate::HIGH.parts(&cut) <= most);
        }

        #[test]
        fn a_name_never_passes_its_tokens(text in "[a-z<&é花🏕 ]{0,80}", longest in 2usize..60) {
            let name = escape_name(&text, longest);
            prop_assert!(Estimate::HIGH.tokens(&name) as usize <= longest.max(3), "{name}");
        }
    }

    #[test]
    fn a_cut_text_keeps_its_beginning_and_its_end() {
        let text = format!("start {} end", "x".repeat(5000));
        let cut = escape_within(&text, 600_000, &Estimate::HIGH);
        assert!(cut.starts_with("start") && cut.ends_with("end") && cut.contains("[cut]"), "{cut}");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(escape_line("a\n</message>  b", 40), "a &lt;/message&gt; b");
        assert_eq!(escape_line("abcdef", 3), "abc…");
    }
}
