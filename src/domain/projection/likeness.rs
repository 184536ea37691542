//! When two wordings mean the same thing: words as people repeat them in a chat.

/// Words that carry no matter of their own, in names of things and in choices.
const EMPTY: [&str; 36] = [
    "the", "a", "an", "of", "at", "in", "on", "for", "to", "with", "our", "my", "your", "her",
    "his", "their", "we", "us", "by", "it", "is", "are", "and", "or", "just", "that", "this", "i",
    "you", "be", "as", "from", "one", "do", "go", "have",
];
const NUMBERS: [&str; 21] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
];
/// Fewer letters than these say too little to stand for a longer word.
const STEM: usize = 3;

/// The names that a target may go by, likeliest first.
pub(super) fn names(said: Option<&str>) -> impl Iterator<Item = &str> {
    said.unwrap_or("").split(';').map(str::trim).filter(|name| !name.is_empty())
}

/// The words of a text in lower case; times stay whole, an emoji is a word.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let digits = open.ends_with(|c: char| c.is_ascii_digit())
            && chars.peek().is_some_and(char::is_ascii_digit);
        if c.is_alphanumeric() {
            open.extend(c.to_lowercase());
        } else if matches!(c, ':' | '.') && digits {
            open.push(':');
        } else if !matches!(c, '\'' | '’') {
            close(&mut open, &mut words);
            if is_emoji(c) {
                words.push(c.to_string());
            }
        }
    }
    close(&mut open, &mut words);
    words
}

fn close(open: &mut String, words: &mut Vec<String>) {
    let word = std::mem::take(open);
    if word.is_empty() {
        return;
    }
    // "half five" is a time like "5:30".
    match (words.last().map(String::as_str), number(&word)) {
        (Some("half"), Some(hour)) if hour.len() <= 2 => {
            words.pop();
            words.push(format!("{hour}:30"));
        }
        _ => words.push(word),
    }
}

fn is_emoji(c: char) -> bool {
    // Joiners, presentation marks and skin tones belong to the emoji before them.
    matches!(u32::from(c), 0x2190..=0x2BFF | 0x1F000..=0x1F3FA | 0x1F400..=0x1FAFF)
}

/// The digits of a number, a time or an ordinal: "11", "eleven", "20th", "14:00", "9am".
pub(super) fn number(word: &str) -> Option<String> {
    if let Some(value) = NUMBERS.iter().position(|it| *it == word) {
        return Some(value.to_string());
    }
    if let Some(value) =
        word.strip_suffix("th").and_then(|it| NUMBERS.iter().position(|n| *n == it))
    {
        return Some(value.to_string());
    }
    let end = word.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(word.len());
    let (digits, rest) = word.split_at(end);
    let known = matches!(rest, "" | "st" | "nd" | "rd" | "th" | "am" | "pm" | "ish" | "h" | "noon");
    if digits.is_empty() || !known {
        return None;
    }
    Some(digits.strip_suffix(":00").unwrap_or(digits).replace(':', ""))
}

/// Whether the word says something by itself.
pub(super) fn is_telling(word: &str) -> bool {
    !EMPTY.contains(&word)
}

/// Whether two words are one: the same, a plural, an abbreviation, a number written otherwise, or one
/// that somebody drew out.
pub(super) fn same_word(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match (number(one), number(other)) {
        (Some(one), Some(other)) => return one == other,
        (Some(_), None) | (None, Some(_)) => return false,
        (None, None) => {}
    }
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    short.chars().count() >= STEM && long.starts_with(short)
        || stem(one) == stem(other)
        || is_drawn_out(one) && squeezed(one) == squeezed(other)
}

/// A noun's singular, roughly: "parties" and "party" meet.
fn stem(word: &str) -> &str {
    let word = word.strip_suffix("ies").or_else(|| word.strip_suffix('y')).unwrap_or(word);
    let word = word.strip_suffix('s').filter(|stem| stem.chars().count() >= STEM).unwrap_or(word);
    word.strip_suffix('e').filter(|stem| stem.chars().count() >= STEM).unwrap_or(word)
}

/// Whether a letter stands there three times: "terryyyy".
fn is_drawn_out(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    chars.windows(3).any(|run| run[0] == run[1] && run[1] == run[2])
}

fn squeezed(word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

/// How well two names of a thing agree: 0 not at all, 1 in a word, 2 one is part of the other, 3 the same.
pub(super) fn agreement(one: &str, other: &str) -> u32 {
    let (one, other) = (telling(one), telling(other));
    if one.is_empty() || other.is_empty() {
        return 0;
    }
    let close = |a: &String, b: &String| a == b || stem(a) == stem(b);
    let in_common = one.iter().filter(|a| other.iter().any(|b| close(a, b))).count();
    match in_common {
        0 => u32::from(one.concat() == other.concat()) * 3,
        n if n == one.len() && n == other.len() => 3,
        n if n == one.len() || n == other.len() => 2,
        _ => 1,
    }
}

fn telling(text: &str) -> Vec<String> {
    words(text).into_iter().filter(|word| is_telling(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_ordinals_are_numbers_however_they_are_written() {
        for (one, other) in [
            ("9.30", "930"),
            ("14:00", "14"),
            ("20th", "20"),
            ("eleven", "11"),
            ("9am", "9"),
            ("fifteenth", "15"),
        ] {
            let (a, b) = (words(one).remove(0), words(other).remove(0));
            assert!(same_word(&a, &b), "{one} {other}");
        }
        assert!(same_word(&words("half five")[0], &words("5.30")[0]));
        assert!(!same_word("19", "1"));
    }

    #[test]
    fn abbreviations_plurals_and_drawn_out_words_are_the_word() {
        for (one, other) in [
            ("fri", "friday"),
            ("umbrellas", "umbrella"),
            ("terryyyy", "terry"),
            ("ref", "referee"),
        ] {
            assert!(same_word(one, other), "{one} {other}");
        }
        assert!(!same_word("pool", "pole"));
    }

    #[test]
    fn names_agree_by_their_telling_words() {
        assert_eq!(agreement("the cake", "cakes"), 3);
        assert_eq!(agreement("seating plan", "plan"), 2);
        assert_eq!(agreement("snorkel boat", "boat trip"), 1);
        assert_eq!(agreement("the", "the"), 0);
        assert_eq!(agreement("guestbook", "guest book"), 3);
    }
}
