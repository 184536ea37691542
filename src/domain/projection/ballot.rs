//! Which choice of a poll an answer picks: by its words, its key, or its place.

use super::likeness::{is_telling, number, same_word, words};

/// How surely an answer picks a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sureness {
    /// By its place alone: "2", "the last one". Any poll has a second choice.
    Place,
    /// By a word that only this choice has, or by its key.
    Word,
}

/// The choice that an answer picks; nothing when it picks none or leaves it open.
///
/// `keys` are the marks under which the choices were put, in their order, where they had any.
pub(super) fn pick(options: &[&str], keys: &[String], said: &str) -> Option<(usize, Sureness)> {
    let mut said = words(said);
    if said.first().is_some_and(|word| word == "not") {
        said.remove(0);
        // Of two choices the other one is left.
        let (denied, sureness) = worded(options, &said)?;
        return (options.len() == 2).then(|| (1 - denied.min(1), sureness));
    }
    let by_key = || keyed(keys, &said).map(|at| (at, Sureness::Word));
    let by_word = || worded(options, &said).or_else(|| initialled(options, &said));
    let by_place = || placed(options.len(), &said).map(|at| (at, Sureness::Place));
    by_key().or_else(by_word).or_else(by_place).filter(|(at, _)| *at < options.len())
}

/// The choice whose key was said, once or many times over: "B", "🍫🍫", "2222".
fn keyed(keys: &[String], said: &[String]) -> Option<usize> {
    let bare = |text: &str| {
        let first = words(text).into_iter().next();
        first.unwrap_or_default()
    };
    let is_key = |word: &String, key: &String| once(word) == bare(key);
    let mut found = said.iter().filter_map(|word| {
        let alone =
            said.len() == 1 || !word.chars().all(char::is_alphanumeric) || is_lead(said, word);
        keys.iter().position(|key| alone && is_key(word, key))
    });
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Whether an answer begins with this word, or with "number" and it.
fn is_lead(said: &[String], word: &str) -> bool {
    let lead = said
        .iter()
        .find(|word| !matches!(word.as_str(), "option" | "number" | "no" | "please" | "team"));
    lead.is_some_and(|lead| lead == word)
}

/// "BBBBB" is "b".
fn once(word: &str) -> &str {
    let mut chars = word.chars();
    let same = chars.next().is_some_and(|first| chars.all(|c| c == first));
    match word.chars().next() {
        Some(first) if same && !word.is_empty() => &word[..first.len_utf8()],
        Some(_) | None => word,
    }
}

/// How well an answer names a choice: what it says of it that few others have, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Score {
    weight: f64,
    coverage: f64,
    /// Earlier is better, so this is negative.
    place: f64,
}

fn worded(options: &[&str], said: &[String]) -> Option<(usize, Sureness)> {
    let choices: Vec<Vec<String>> = options.iter().map(|option| choice_words(option)).collect();
    let mut scores: Vec<(usize, Score)> = Vec::new();
    for (at, choice) in choices.iter().enumerate() {
        let score = score(choice, &choices, said);
        if score.weight > 0.0 {
            scores.push((at, score));
        }
    }
    scores.sort_by(|(_, a), (_, b)| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
    let (best, score) = *scores.first()?;
    if let Some((_, next)) = scores.get(1) {
        // "12 or 19, not fussed" leaves it open; what all choices share tells none apart.
        let level = next.weight == score.weight && next.coverage == score.coverage;
        if level && (next.place == score.place || said.iter().any(|word| word == "or")) {
            return None;
        }
    }
    Some((best, Sureness::Word))
}

/// The choice whose initials were said: "g&w" for gold and white.
fn initialled(options: &[&str], said: &[String]) -> Option<(usize, Sureness)> {
    let letters: String =
        said.iter().take_while(|word| word.chars().count() == 1).cloned().collect();
    let initials = |option: &&str| -> String {
        choice_words(option).iter().filter_map(|word| word.chars().next()).collect()
    };
    let fits = |option: &&str| letters.chars().count() >= 2 && initials(option) == letters;
    let mut fitting = (0..options.len()).filter(|at| fits(&options[*at]));
    let first = fitting.next()?;
    fitting.next().is_none().then_some((first, Sureness::Word))
}

/// The words by which a choice is known; all of them where none is telling: "in", "both".
fn choice_words(option: &str) -> Vec<String> {
    let all = words(option);
    let telling: Vec<String> = all.iter().filter(|word| is_telling(word)).cloned().collect();
    if telling.is_empty() { all } else { telling }
}

fn score(choice: &[String], all: &[Vec<String>], said: &[String]) -> Score {
    let (mut weight, mut found, mut place) = (0.0, 0, said.len());
    for word in choice {
        let Some(at) = said_at(said, word) else { continue };
        let holders = all.iter().filter(|other| other.iter().any(|it| same_word(it, word)));
        weight += 1.0 / holders.count().max(1) as f64;
        found += 1;
        place = place.min(at);
    }
    let coverage = f64::from(found) / choice.len().max(1) as f64;
    Score { weight, coverage, place: -(place as f64) }
}

/// Where a choice's word was said, perhaps as two words or as its usual other form.
fn said_at(said: &[String], word: &str) -> Option<usize> {
    let plain = said.iter().position(|it| same_word(it, word) || same_answer(it, word));
    plain.or_else(|| {
        said.windows(2).position(|pair| matches!(pair, [a, b] if word.len() == a.len() + b.len() && word.starts_with(a.as_str()) && word.ends_with(b.as_str())))
    })
}

fn same_answer(one: &str, other: &str) -> bool {
    const YES: [&str; 10] = ["yes", "yeah", "yep", "yup", "yay", "aye", "ya", "ja", "sure", "si"];
    const NO: [&str; 5] = ["no", "nope", "nah", "nay", "na"];
    YES.contains(&one) && YES.contains(&other) || NO.contains(&one) && NO.contains(&other)
}

/// The place that was said: "2", "number 3", "the second one", "last".
fn placed(options: usize, said: &[String]) -> Option<usize> {
    const FILLER: [&str; 16] = [
        "the",
        "one",
        "option",
        "number",
        "no",
        "please",
        "pls",
        "for",
        "me",
        "is",
        "fine",
        "choice",
        "vote",
        "team",
        "i",
        "definitely",
    ];
    let mut left = said.iter().filter(|word| !FILLER.contains(&word.as_str()));
    let word = match (left.next(), said) {
        (Some(word), _) => once(word),
        (None, [only]) => only,
        (None, _) => return None,
    };
    let lead = left.next().is_none() || said.first().is_some_and(|first| once(first) == word);
    let named = ordinal(word, options);
    let letter = || match word.as_bytes() {
        [letter @ b'a'..=b'h'] => Some(usize::from(letter - b'a')),
        _ => None,
    };
    let figure = || number(word)?.parse::<usize>().ok()?.checked_sub(1);
    let by_word = said.iter().any(|it| matches!(it.as_str(), "one" | "option" | "choice"));
    named
        .filter(|_| lead || by_word)
        .or_else(|| letter().or_else(figure).filter(|_| lead))
        .filter(|at| *at < options)
}

/// The place that an ordinal names among so many choices.
fn ordinal(word: &str, options: usize) -> Option<usize> {
    match word {
        "first" | "1st" | "former" | "top" => Some(0),
        "second" | "2nd" => Some(1),
        "third" | "3rd" => Some(2),
        "fourth" | "4th" => Some(3),
        "fifth" | "5th" => Some(4),
        "last" | "bottom" | "latter" => options.checked_sub(1),
        // Times are offered in their order.
        "earlier" if options == 2 => Some(0),
        "later" if options == 2 => Some(1),
        "middle" => (options % 2 == 1).then_some(options / 2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked<'a>(options: &[&'a str], keys: &[&str], said: &str) -> Option<&'a str> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        pick(options, &keys, said).map(|(at, _)| options[at])
    }

    #[test]
    fn a_choice_is_known_by_a_word_that_no_other_has() {
        let options = ["quiz night at the club", "sausage sizzle", "meat raffle at the club"];
        for (said, option) in [
            ("quiz", Some(0)),
            ("the raffle for sure", Some(2)),
            ("sizzles", Some(1)),
            ("club", None),
            ("pizza", None),
        ] {
            assert_eq!(picked(&options, &[], said), option.map(|at| options[at]), "{said}");
        }
    }

    #[test]
    fn a_choice_is_known_by_its_place() {
        let options = ["old fashioned", "cider mule", "lemonade"];
        for (said, option) in [
            ("2", Some(1)),
            ("2222", Some(1)),
            ("BBB", Some(1)),
            ("number 3 please", Some(2)),
            ("the second one", Some(1)),
            ("the last one", Some(2)),
            ("middle one", Some(1)),
            ("the later one", None),
            ("4", None),
            ("z", None),
        ] {
            assert_eq!(picked(&options, &[], said), option.map(|at| options[at]), "{said}");
        }
    }

    #[test]
    fn a_number_among_the_words_of_a_choice_comes_before_its_place() {
        assert_eq!(picked(&["guests from 2", "guests from 1"], &[], "1"), Some("guests from 1"));
        assert_eq!(picked(&["fri 9am", "fri 11am"], &[], "eleven"), Some("fri 11am"));
        assert_eq!(picked(&["9.30", "10.30"], &[], "half nine"), Some("9.30"));
    }

    #[test]
    fn the_later_of_two_times_is_the_second() {
        let options = ["15-17 May", "22-24 May"];
        assert_eq!(picked(&options, &[], "the later one"), Some(options[1]));
        assert_eq!(picked(&options, &[], "earlier"), Some(options[0]));
    }

    #[test]
    fn keys_come_first_where_the_choices_had_them() {
        let options = ["boats", "chocolate"];
        assert_eq!(picked(&options, &["🛶", "🍫"], "🍫🍫"), Some("chocolate"));
        assert_eq!(picked(&options, &["B", "A"], "A"), Some("chocolate"));
        assert_eq!(picked(&options, &["🛶", "🍫"], "🛶 or 🍫"), None);
    }

    #[test]
    fn an_answer_that_leaves_it_open_picks_nothing() {
        assert_eq!(picked(&["12 march", "19 march"], &[], "12 or 19"), None);
        assert_eq!(picked(&["bags", "fivers", "both"], &[], "both"), Some("both"));
        assert_eq!(picked(&["bags", "fivers"], &[], "both"), None);
        assert_eq!(picked(&["bags", "fivers"], &[], "not the bags"), Some("fivers"));
        assert_eq!(picked(&["bags", "fivers", "none"], &[], "not the bags"), None);
    }

    #[test]
    fn initials_stand_for_a_choice() {
        let options = ["gold and white", "gold and green"];
        assert_eq!(picked(&options, &[], "g&w"), Some(options[0]));
    }

    #[test]
    fn yes_and_no_have_many_forms() {
        assert_eq!(picked(&["yes", "no"], &[], "nope"), Some("no"));
        assert_eq!(picked(&["dog show", "no dog show"], &[], "dog show"), Some("dog show"));
        assert_eq!(picked(&["dog show", "no dog show"], &[], "nah"), Some("no dog show"));
    }

    #[test]
    fn odd_answers_do_no_harm() {
        for said in ["", "\0", "مرحبا", "😂", "🏽", "99:", ":::"] {
            assert_eq!(picked(&["a", "b"], &[], said), None, "{said:?}");
        }
    }
}
