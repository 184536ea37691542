//! Sets of words, laid out when the crate is built: one look says whether a word is in a set.

/// A set of words.
#[derive(Debug)]
pub(super) struct WordSet {
    words: &'static [&'static str],
    /// By hash: which word, counted from one, and a tag that most other words fail.
    slots: &'static [(u16, u16)],
}

/// A set of the words in a list.
macro_rules! set {
    ($words:expr) => {{
        const WORDS: &[&str] = $words;
        static SLOTS: [(u16, u16); $crate::detect::word_set::slots(WORDS)] =
            $crate::detect::word_set::laid_out(WORDS);
        $crate::detect::word_set::WordSet::new(WORDS, &SLOTS)
    }};
}
pub(super) use set;

/// Phrases, found by their first word.
#[derive(Debug)]
pub(super) struct PhraseSet(WordSet);

/// A set of the phrases in a list.
macro_rules! phrase_set {
    ($phrases:expr) => {
        $crate::detect::word_set::PhraseSet::new($crate::detect::word_set::set!($phrases))
    };
}
pub(super) use phrase_set;

impl PhraseSet {
    /// The phrases of this set of words, each of which may be several.
    pub(super) const fn new(phrases: WordSet) -> Self {
        Self(phrases)
    }

    /// The phrases that may begin with this word; a few others may be among them.
    pub(super) fn beginning(&self, word: &str) -> impl Iterator<Item = &'static str> {
        let hash = hash(word.as_bytes());
        let (slots, last, tag) = (self.0.slots, self.0.slots.len() - 1, (hash >> 48) as u16);
        let from = (0..).map(move |step| slots[(hash as usize + step) & last]);
        let mine = from.take_while(|(which, _)| *which > 0).filter(move |(_, own)| *own == tag);
        mine.map(|(which, _)| self.0.words[which as usize - 1])
    }
}

impl WordSet {
    /// The set of these words, which lie in these slots; [`set`] makes both.
    pub(super) const fn new(words: &'static [&'static str], slots: &'static [(u16, u16)]) -> Self {
        Self { words, slots }
    }

    /// Whether the word is in the set.
    pub(super) fn contains(&self, word: &str) -> bool {
        let hash = hash(word.as_bytes());
        let (last, tag) = (self.slots.len() - 1, (hash >> 48) as u16);
        let mut at = hash as usize & last;
        loop {
            match self.slots[at] {
                (0, _) => return false,
                (which, own) if own == tag && self.words[which as usize - 1] == word => {
                    return true;
                }
                _ => at = (at + 1) & last,
            }
        }
    }
}

/// How many slots a list needs: at least twice its length, so that looks are short.
pub(super) const fn slots(words: &[&str]) -> usize {
    (words.len() * 2 + 1).next_power_of_two()
}

/// The words in their slots.
pub(super) const fn laid_out<const SLOTS: usize>(words: &[&str]) -> [(u16, u16); SLOTS] {
    let mut slots = [(0, 0); SLOTS];
    let mut which = 0;
    while which < words.len() {
        let hash = hash(first_word(words[which].as_bytes()));
        let mut at = hash as usize & (SLOTS - 1);
        while slots[at].0 > 0 {
            at = (at + 1) & (SLOTS - 1);
        }
        which += 1;
        slots[at] = (which as u16, (hash >> 48) as u16);
    }
    slots
}

const fn first_word(phrase: &[u8]) -> &[u8] {
    let mut end = 0;
    while end < phrase.len() && phrase[end] != b' ' {
        end += 1;
    }
    phrase.split_at(end).0
}

/// Looks at the length, the first four bytes and the last four: enough to tell most words apart.
const fn hash(word: &[u8]) -> u64 {
    let length = word.len();
    let sum = match word {
        [] => 0,
        [a] => *a as u64,
        [a, b] => *a as u64 | (*b as u64) << 8,
        [a, b, c] => *a as u64 | (*b as u64) << 8 | (*c as u64) << 16,
        [a, b, c, d, ..] => {
            let first = u32::from_le_bytes([*a, *b, *c, *d]) as u64;
            let [.., a, b, c, d] = word else { return 0 };
            first | (u32::from_le_bytes([*a, *b, *c, *d]) as u64) << 32
        }
    };
    let mixed = (sum ^ (length as u64) << 59).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    static SET: WordSet = set!(&["a", "be", "see", "tree", "trees", "étage", "conversation"]);

    static PHRASES: PhraseSet = phrase_set!(&["let me", "let us know", "go", "going to"]);

    #[test]
    fn phrases_are_found_by_their_first_word() {
        for (word, phrases) in
            [("let", &["let me", "let us know"][..]), ("go", &["go"]), ("me", &[])]
        {
            assert_eq!(PHRASES.beginning(word).collect::<Vec<_>>(), phrases);
        }
    }

    #[test]
    fn every_word_of_the_list_is_in_the_set_and_no_other() {
        for word in ["a", "be", "see", "tree", "trees", "étage", "conversation"] {
            assert!(SET.contains(word), "{word}");
        }
        for word in ["", "b", "eb", "ees", "three", "conversion", "tree's", "\0"] {
            assert!(!SET.contains(word), "{word}");
        }
    }
}
