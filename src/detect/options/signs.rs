//! What a text must have before anybody looks for choices in it, and the words that call for a vote.

use super::super::text::Text;
use super::emoji::is_emoji;

/// The outward signs of choices, gathered in one walk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signs {
    /// `or`, and what stands for it in other tongues of such chats.
    pub(super) or: bool,
    /// `vs`, `v`, `versus`.
    pub(super) versus: bool,
    /// A stroke, star, wave or bar with words around it.
    pub(super) stroke: bool,
    /// More than one line.
    pub(super) lines: bool,
    /// How many emojis there are.
    pub(super) emojis: usize,
    /// How many question marks there are.
    pub(super) asks: usize,
    /// Whether the text calls for a vote.
    pub(super) call: bool,
    /// A word that may begin a pair: hands, thumbs, who, team.
    pub(super) pairs: u8,
    /// A word that sets two things side by side: between, either, two.
    pub(super) between: bool,
    /// `yes`, `no`, `y`, `nay` and the like.
    pub(super) yes: bool,
    /// The keys 1 and 2, or a and b.
    pub(super) keys: bool,
    /// A comma, a semicolon, three dots or a colon.
    pub(super) row: bool,
    /// How many commas and semicolons there are.
    pub(super) commas: usize,
}

impl Signs {
    /// Walks over the words, then over the other characters.
    pub(super) fn of(text: &Text<'_>) -> Self {
        let mut signs = Self::default();
        let (mut first, mut second) = (false, false);
        for at in 0..text.words().len() {
            match text.word(at) {
                "or" | "ya" | "ama" | "oder" | "atau" | "ke" => signs.or = true,
                "vs" | "v" | "versus" => signs.versus = true,
                "hands" | "hand" | "thumbs" | "thumb" | "who" | "who's" | "whos" | "team"
                | "heart" | "if" | "raise" | "horn" | "once" => {
                    signs.pairs = signs.pairs.saturating_add(1)
                }
                "between" | "either" | "two" | "torn" | "choice" | "choices" | "options"
                | "both" | "narrowed" | "finalists" | "split" | "shortlist" | "down" => {
                    signs.between = true;
                }
                "yes" | "no" | "y" | "n" | "yay" | "nay" | "aye" | "oui" | "against" | "non"
                | "yea" | "nah" => signs.yes = true,
                "1" | "a" => first = true,
                "2" | "b" => second = true,
                _ => {}
            }
        }
        signs.keys = first && second;
        for c in text.folded().chars() {
            match c {
                '\n' => signs.lines = true,
                '/' | '*' | '~' | '|' | '•' | '·' => signs.stroke = true,
                '?' => signs.asks += 1,
                ',' | ';' => {
                    signs.row = true;
                    signs.commas += 1;
                }
                '.' | ':' | '…' | '-' => signs.row = true,
                c if !c.is_ascii() && is_emoji(c) => signs.emojis += 1,
                _ => {}
            }
        }
        signs.call = calls_in(text);
        signs
    }

    /// Whether it is worth looking at all.
    pub(super) fn any(&self) -> bool {
        let asked = self.asks > 0 || self.call;
        self.or
            || self.versus
            || self.stroke
            || self.emojis > 1
            || self.lines
            || self.keys
            || self.asks > 1
            || ((self.pairs > 1 || self.between || self.yes || self.row) && asked)
            || (self.pairs > 1 && self.row)
            || self.commas > 1
    }
}

fn calls_in(text: &Text<'_>) -> bool {
    let mut before = "";
    for at in 0..text.words().len() {
        let word = text.word(at);
        if calls(before, word) {
            return true;
        }
        before = word;
    }
    false
}

/// Whether the text has a word for voting in it.
pub(in super::super) fn calls_a_vote(folded: &str) -> bool {
    let mut before = "";
    for word in folded.split(|c: char| !c.is_alphanumeric() && c != '\'') {
        if word.is_empty() {
            continue;
        }
        if calls(before, word) {
            return true;
        }
        before = word;
    }
    false
}

/// Whether this word, after that one, calls for a vote or an opinion.
fn calls(before: &str, word: &str) -> bool {
    match word {
        "vote" | "votes" | "voting" | "voted" | "poll" | "pick" | "picks" | "rank" | "choose"
        | "majority" | "react" | "declare" | "favourite" | "favorite" | "tick" | "opinions"
        | "thoughts" | "emoji" | "ballot" | "prefer" | "preference" | "preferences" | "tuvote"
        | "decide" | "decides" | "deciding" | "shortlist" | "nominate" | "verdict"
        | "tiebreaker" | "narrowed" | "select" | "undecided" | "ankreuzen" => true,
        "hands" | "paws" => {
            matches!(before, "of" | "the" | "your" | "ur" | "count") || before.is_empty()
        }
        "up" => matches!(before, "hands" | "thumbs" | "hand"),
        "choice" | "choices" => {
            matches!(before, "your" | "the" | "top" | "ur" | "a" | "of" | "first")
        }
        "say" => {
            matches!(before, "everyone" | "please" | "pls" | "your" | "all" | "everybody" | "so")
        }
        "speak" | "shout" | "comment" | "weigh" | "reply" | "respond" | "indicate" => true,
        "think" | "reckon" | "fancy" => {
            matches!(before, "you" | "we" | "u" | "yous" | "ya" | "all" | "y'all" | "everyone")
        }
        "mind" => matches!(before, "your" | "ur"),
        "split" => matches!(before, "we're" | "are" | "committee's" | "is" | "we"),
        "on" => matches!(before, "stuck"),
        "to" => matches!(before, "down" | "over"),
        _ => false,
    }
}
