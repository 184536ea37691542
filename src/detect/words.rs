//! Closed classes of English words that several readers need.

use super::word_set::{WordSet, set};

/// Days, as written in chats.
#[rustfmt::skip]
pub(super) static DAYS: WordSet = set!(&[
    "fri", "friday", "fridays", "mon", "monday", "mondays", "sat", "saturday", "saturdays", "sun",
    "sunday", "sundays", "thu", "thur", "thurs", "thursday", "thursdays", "tue", "tues",
    "tuesday", "tuesdays", "wed", "wednesday", "weds",
]);

/// Months, as written in chats.
#[rustfmt::skip]
pub(super) static MONTHS: WordSet = set!(&[
    "apr", "april", "aug", "august", "december", "feb", "february", "jan", "january", "jul",
    "july", "jun", "june", "mar", "march", "may", "nov", "november", "oct", "october", "sep",
    "sept", "september",
]);

/// Words that carry no matter of their own: articles, pronouns, prepositions, helpers.
#[rustfmt::skip]
static FUNCTION: WordSet = set!(&[
    "a", "about", "after", "all", "already", "also", "am", "an", "and", "another", "any", "are",
    "as", "at", "be", "been", "before", "both", "but", "by", "can", "could", "did", "do", "does",
    "each", "every", "few", "for", "from", "had", "has", "have", "he", "her", "here", "him",
    "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "lot", "may", "me", "might",
    "more", "must", "my", "no", "not", "now", "of", "off", "on", "only", "onto", "or", "our",
    "out", "over", "please", "pls", "plz", "re", "shall", "she", "should", "so", "some", "still",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
    "til", "till", "to", "too", "u", "until", "up", "us", "w", "was", "we", "were", "what",
    "when", "where", "which", "who", "why", "will", "with", "would", "ya", "yes", "yet", "you",
    "your", "yous",
]);

/// Whether the word carries no matter of its own.
pub(super) fn is_function(word: &str) -> bool {
    FUNCTION.contains(word) || word.contains('\'')
}

/// The value of a number word below a hundred.
pub(super) fn small(word: &str) -> Option<f64> {
    #[rustfmt::skip]
    const SMALL: &[&str] = &[
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
        "nineteen",
    ];
    const TENS: &[&str] =
        &["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let place = |list: &[&str]| list.iter().position(|it| *it == word);
    place(SMALL).map(|at| at as f64).or_else(|| place(TENS).map(|at| (at as f64 + 2.0) * 10.0))
}

/// Whether a number before this word counts things, hours or people, or is a date.
pub(super) fn is_counted(next: &str) -> bool {
    #[rustfmt::skip]
    static COUNTED: WordSet = set!(&[
        "am", "pm", "people", "ppl", "pax", "kids", "min", "mins", "hr", "hrs", "o'clock", "seat",
        "seater", "day", "week", "month", "year", "night", "hour", "person", "yes", "maybe",
        "till", "til", "until", "percent", "degrees", "miles", "km", "m", "kg", "kva", "or",
        "more", "other", "men", "women", "children", "sharp", "tier", "dozen",
    ]);
    #[rustfmt::skip]
    static NOT_PLURAL: WordSet = set!(&[
        "was", "is", "us", "plus", "this", "has", "its", "as", "yes", "minus", "cos", "thanks",
        "bucks", "less",
    ]);
    let plural =
        next.len() > 3 && next.ends_with('s') && !next.ends_with("ss") && !next.contains('\'');
    COUNTED.contains(next)
        || MONTHS.contains(next)
        || DAYS.contains(next)
        || (plural && !NOT_PLURAL.contains(next))
}

/// Whether a number after this word is a time, a date or a place in a row.
pub(super) fn is_place_in_time(previous: &str) -> bool {
    #[rustfmt::skip]
    static BEFORE: WordSet = set!(&[
        "before", "after", "until", "till", "til", "by", "at", "table", "page", "row", "room",
        "number", "no", "option", "day", "week", "part", "round", "rounds", "since", "age",
        "aged", "top", "type", "say", "reply", "between", "team", "door",
    ]);
    BEFORE.contains(previous) || (MONTHS.contains(previous) && previous != "may")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_no_other_word() {
        assert!(DAYS.contains("friday") && !DAYS.contains("birthday"));
    }
}
