//! What a vote says: the words that may name a choice, likeliest first.
//!
//! Which choices there are, only the fold knows. So a vote is cut into clauses,
//! what people wrap around a choice is taken off, and reasons stand behind picks.

use std::ops::Range;

use super::findings::Findings;
use super::options::{emoji_word, is_emoji};
use super::text::Text;
use super::word_set::{WordSet, set};
use crate::domain::intent::Target;

/// Words that a pick may be wrapped in.
static AROUND: WordSet = set!(&[
    "not",
    "the",
    "a",
    "an",
    "for",
    "me",
    "us",
    "please",
    "pls",
    "plz",
    "it",
    "is",
    "then",
    "easy",
    "ez",
    "obviously",
    "obvs",
    "obv",
    "obvi",
    "deffo",
    "defo",
    "definitely",
    "too",
    "also",
    "as",
    "well",
    "gets",
    "my",
    "our",
    "vote",
    "votes",
    "voting",
    "from",
    "wins",
    "works",
    "i",
    "i'd",
    "i'll",
    "i'm",
    "we",
    "we'd",
    "go",
    "going",
    "with",
    "say",
    "like",
    "prefer",
    "love",
    "lean",
    "ok",
    "okay",
    "yes",
    "yeah",
    "yep",
    "yup",
    "oh",
    "hmm",
    "would",
    "be",
    "and",
    "all",
    "the",
    "way",
    "team",
    "think",
    "pick",
    "fine",
    "good",
    "great",
    "best",
    "better",
    "sounds",
    "just",
    "of",
    "course",
    "either",
    "to",
    "at",
    "now",
    "this",
    "that",
    "more",
    "much",
    "really",
    "lol",
    "haha",
    "thanks",
    "guess",
    "still",
    "got",
    "has",
    "want",
    "let's",
    "lets",
    "do",
    "mine",
    "sure",
]);
/// Words that give a reason or take something back: what follows is no pick, or a better one.
const TURNS: &[(&str, Turn)] = &[
    ("but", Turn::But),
    ("so", Turn::So),
    ("hence", Turn::So),
    ("because", Turn::Reason),
    ("bc", Turn::Reason),
    ("cos", Turn::Reason),
    ("coz", Turn::Reason),
    ("cuz", Turn::Reason),
    ("cause", Turn::Reason),
    ("since", Turn::Reason),
    ("though", Turn::Reason),
    ("tho", Turn::Reason),
    ("if", Turn::Reason),
    ("unless", Turn::Reason),
    ("otherwise", Turn::Reason),
    ("than", Turn::Reason),
];
/// Words that say that a clause holds the pick.
const CUES: &[&str] =
    &["vote", "voting", "prefer", "lean", "please", "pls", "plz", "pick", "i'd", "team"];
/// A clause with one of these tells what was thought before, or what is not wanted.
const BEFORE: &[&str] = &["was", "were", "had", "thought", "would"];
static AGAINST: WordSet =
    set!(&["not", "nobody", "never", "except", "don't", "dont", "can't", "cant"]);
/// What says that one votes as another did.
static SAME: WordSet = set!(&["same", "ditto", "idem", "likewise", "agreed", "agree", "seconded"]);

/// How many clauses of a vote are kept, and how many words of each.
const CLAUSES: usize = 6;
const WORDS: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    None,
    But,
    So,
    Reason,
}

/// A clause of the text: its words' places, and what leads to it.
#[derive(Debug, Clone)]
struct Clause {
    words: Range<usize>,
    turn: Turn,
}

/// What a vote says of its choice: clauses that may name it, then `same` when it follows another vote.
pub(super) fn pick(findings: &Findings<'_, '_>) -> Option<Target> {
    let text = findings.text;
    let clauses = clauses(text);
    let mut ranked: Vec<(u8, String)> = Vec::new();
    for (at, clause) in clauses.iter().enumerate() {
        let after_doubt = at
            .checked_sub(1)
            .and_then(|at| clauses.get(at))
            .is_some_and(|before| has(text, before, BEFORE));
        let said = bare(text, clause);
        if said.is_empty() {
            continue;
        }
        match is_against(text, clause) {
            true => ranked.push((4, format!("not {said}"))),
            false => ranked.push((rank(text, clause, after_doubt), said)),
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    let mut picks: Vec<String> = ranked.into_iter().map(|(_, said)| said).collect();
    if let Some(emoji) = emoji(text.folded()) {
        let leads = text.folded().trim_start().starts_with(is_emoji);
        picks.insert(if leads { 0 } else { picks.len().min(1) }, emoji);
    }
    picks.dedup();
    picks.truncate(CLAUSES);
    let person = follows(findings);
    if person.is_some() || is_same(text) {
        picks.push("same".to_owned());
    }
    let thing = (!picks.is_empty()).then(|| picks.join("; "))?;
    Some(Target { thing: Some(thing), minor: None, person })
}

/// The text's clauses: cut at marks that end one, and at words that turn to another.
fn clauses(text: &Text<'_>) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut open = Clause { words: 0..0, turn: Turn::None };
    for (at, word) in text.words().iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| text.words().get(at));
        let gap = before.map_or("", |before| &text.folded()[before.end..word.start]);
        let turn = TURNS.iter().find(|(it, _)| *it == text.word(at)).map(|(_, turn)| *turn);
        if ends_clause(gap) || turn.is_some() {
            let start = at + usize::from(turn.is_some());
            clauses.push(std::mem::replace(
                &mut open,
                Clause { words: start..start, turn: turn.unwrap_or(Turn::None) },
            ));
        }
        open.words.end = open.words.start.max(at + 1);
    }
    clauses.push(open);
    clauses.retain(|clause| !clause.words.is_empty());
    clauses
}

/// "9.30" is one time and "white-green" one choice; "lake. It" are two clauses.
fn ends_clause(gap: &str) -> bool {
    gap.chars().count() > 1
        && gap.contains(['.', ',', '!', '?', ';', ':', '\n', '(', ')', '…', '-'])
}

fn has(text: &Text<'_>, clause: &Clause, list: &[&str]) -> bool {
    clause.words.clone().any(|at| list.contains(&text.word(at)))
}

/// "not my garden", "anything but april".
fn is_against(text: &Text<'_>, clause: &Clause) -> bool {
    let first = text.word(clause.words.start);
    let before = clause.words.start.checked_sub(2).map_or("", |at| text.word(at));
    AGAINST.contains(first)
        || clause.turn == Turn::But && matches!(before, "anything" | "anywhere" | "any")
}

/// Clauses with the pick come first, reasons last.
fn rank(text: &Text<'_>, clause: &Clause, after_doubt: bool) -> u8 {
    match clause.turn {
        Turn::So if clause.words.len() <= 5 => 0,
        Turn::But if after_doubt => 0,
        Turn::None | Turn::So | Turn::But
            if has(text, clause, CUES) && clause.words.len() <= WORDS =>
        {
            0
        }
        Turn::None | Turn::So => 1,
        Turn::But => 2,
        Turn::Reason => 3,
    }
}

/// The clause without what people wrap around a pick; all of it when nothing else is there.
fn bare(text: &Text<'_>, clause: &Clause) -> String {
    let wraps = |at: &usize| AROUND.contains(text.word(*at));
    let start = clause.words.clone().find(|at| !wraps(at));
    let last = clause.words.clone().rev().find(|at| !wraps(at));
    let (first, last) = match (start, last) {
        (Some(first), Some(last)) => (first, last),
        (None, _) | (_, None) => (clause.words.start, clause.words.end - 1),
    };
    let last = last.min(first + WORDS);
    match (text.words().get(first), text.words().get(last)) {
        (Some(first), Some(last)) => text.folded()[first.start..last.end].replace([';', '\n'], " "),
        (None, _) | (_, None) => String::new(),
    }
}

/// The emojis that may stand for a choice, each with its word where it has one.
fn emoji(folded: &str) -> Option<String> {
    let mut seen: Vec<char> = Vec::new();
    for c in folded.chars().filter(|c| is_emoji(*c) && !matches!(u32::from(*c), 0x1F3FB..=0x1F3FF))
    {
        if !seen.contains(&c) && seen.len() < CLAUSES {
            seen.push(c);
        }
    }
    let said = seen.iter().map(|c| match emoji_word(*c) {
        Some(word) => format!("{c} {word}"),
        None => c.to_string(),
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// "same", "me too", "+1".
fn is_same(text: &Text<'_>) -> bool {
    let word = |at: usize| text.word(at);
    let plus = text.folded().trim_start().starts_with("+1");
    let early = (0..3).any(|at| SAME.contains(word(at)));
    let me_too = matches!(word(0), "me" | "us" | "mine")
        && matches!(word(1), "too" | "also" | "an" | "as" | "2");
    plus || early || me_too
}

/// The place of the word behind which stands the one whose vote is followed.
fn follows_words(text: &Text<'_>) -> Option<usize> {
    let at = (0..text.words().len().min(WORDS)).find(|at| {
        let pair = (text.word(*at), text.word(at + 1));
        matches!(
            pair,
            ("voting" | "vote" | "agree" | "same" | "going" | "go" | "i'm" | "with", "with" | "as")
        )
    })?;
    Some(at + 2)
}

/// Whose vote is followed: "voting with Paulina", "what Sam said".
fn follows(findings: &Findings<'_, '_>) -> Option<String> {
    let text = findings.text;
    let named = |at: usize| {
        let word = text.words().get(at)?;
        let name = findings.names.iter().find(|name| name.span.start == word.start)?;
        Some((name.said.clone(), text.word_after(name.span.end)))
    };
    if let Some((name, _)) = follows_words(text).and_then(named) {
        return Some(name);
    }
    let what = (0..text.words().len().min(WORDS)).find(|at| text.word(*at) == "what")?;
    let (name, after) = named(what + 1)?;
    matches!(after, "said" | "says" | "picked" | "voted").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon::bundled;

    fn thing(text: &str) -> Option<String> {
        let text = Text::new(text);
        pick(&Findings::of(&text, None, bundled()))?.thing
    }

    #[test]
    fn what_is_wrapped_around_a_pick_is_taken_off() {
        for (text, said) in [
            ("sunday for me", "sunday"),
            ("Cardiff it is", "cardiff"),
            ("I'd go with the blue one please", "blue one"),
            ("yes", "yes"),
            ("In", "in"),
            ("9.30 pls", "9.30"),
        ] {
            assert_eq!(thing(text).as_deref(), Some(said), "{text}");
        }
    }

    #[test]
    fn reasons_stand_behind_the_pick() {
        for (text, said) in [
            ("because it's cheap, tapas", "tapas"),
            ("the 8th is a mess up there, so 15th", "15th"),
            ("had thought the yard, but the hill then", "hill"),
            ("not the boat. zipline", "zipline"),
        ] {
            let thing = thing(text).unwrap();
            assert_eq!(thing.split("; ").next(), Some(said), "{text}: {thing}");
        }
    }

    #[test]
    fn an_emoji_is_a_pick_by_its_mark_and_its_word() {
        assert_eq!(thing("🎸🎸").as_deref(), Some("🎸 guitar"));
        assert_eq!(thing("🍫 for me").as_deref(), Some("🍫; for me"));
        assert_eq!(thing("❤️").as_deref(), Some("❤"));
    }

    #[test]
    fn a_vote_may_follow_another() {
        for text in ["same", "me too", "+1", "ditto"] {
            let thing = thing(text).unwrap();
            assert_eq!(thing.split("; ").last(), Some("same"), "{text}: {thing}");
        }
        let text = Text::new("voting with Paulina");
        let target = pick(&Findings::of(&text, None, bundled())).unwrap();
        assert_eq!(target.person.as_deref(), Some("Paulina"));
    }
}
