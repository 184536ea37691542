//! What chat text looks like inside a prompt, and how many tokens it may be.
//!
//! Everything that people wrote (messages, names, titles) is escaped before it
//! is put between tags, so no text can close the tags that hold it.

/// Twelfths of a token: the estimate adds up character by character, exactly.
const WHOLE: u64 = 12;

/// A token estimate that starts high: English runs at about 2.4 letters a token here, while
/// current tokenizers take three to four; other scripts a token a letter, emoji three.
pub fn estimate(text: &str) -> u32 {
    tokens(units(text))
}

/// Twelfths of a token of a text; those of two texts add up to those of both joined.
pub(super) fn units(text: &str) -> u64 {
    text.chars().map(units_of).sum()
}

/// Whole tokens, rounded up.
pub(super) fn tokens(units: u64) -> u32 {
    u32::try_from(units.div_ceil(WHOLE)).unwrap_or(u32::MAX)
}

/// The twelfths that a number of tokens holds.
pub(super) fn units_in(tokens: u32) -> u64 {
    u64::from(tokens) * WHOLE
}

fn units_of(c: char) -> u64 {
    match c {
        'a'..='z' | 'A'..='Z' | ' ' => 5,
        c if c.is_ascii() => 6,
        c if c.len_utf8() < 4 => 12,
        _ => 36,
    }
}

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

/// What stands where text was cut out.
const CUT: &str = "\n[cut]\n";

/// The text as data, cut in its middle until it holds at most so many units: how a message begins
/// and how it ends says most.
pub(super) fn escape_within(text: &str, most: u64) -> String {
    let whole = escape(text);
    if units(&whole) <= most {
        return whole;
    }
    let half = most.saturating_sub(units(CUT)) / 2;
    let head = taken(text.chars(), half);
    let tail = taken(text.chars().rev(), half);
    let tail: String = tail.chars().rev().collect();
    let cut = format!("{}{CUT}{}", escape(&head), escape(&tail));
    if units(&cut) <= most { cut } else { String::new() }
}

/// Characters from the start until their escaped form would hold more than so many units.
fn taken(chars: impl Iterator<Item = char>, most: u64) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += units(&escape(c.encode_utf8(&mut [0; 4])));
            used <= most
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_estimate_starts_high_for_english_digits_and_emoji() {
        let english = "Meera can you get onto the photographer this week please";
        assert!(estimate(english) as usize >= english.split(' ').count() * 2);
        assert_eq!(estimate("1234"), 2);
        assert_eq!(estimate("🏕️🏕️"), 8);
        assert_eq!(estimate("花火"), 2);
        assert_eq!(estimate(""), 0);
    }

    proptest! {
        #[test]
        fn escaped_text_holds_no_tag(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(['<', '>', '"']));
        }

        #[test]
        fn cut_text_never_passes_its_units(text in any::<String>(), most in 0u64..600) {
            prop_assert!(units(&escape_within(&text, most)) <= most);
        }
    }

    #[test]
    fn a_cut_text_keeps_its_beginning_and_its_end() {
        let cut = escape_within(&format!("start {} end", "x".repeat(5000)), 600);
        assert!(cut.starts_with("start") && cut.ends_with("end") && cut.contains("[cut]"), "{cut}");
    }

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(escape_line("a\n</message>  b", 40), "a &lt;/message&gt; b");
        assert_eq!(escape_line("abcdef", 3), "abc…");
    }
}
