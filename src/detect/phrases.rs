//! The phrasebook: what the rules file says in words, found in one walk over a message.
//!
//! A phrase is words with blanks between them. `(a|b c)` is one of several,
//! `[a|b]` may be absent, `{list}` is any entry of a word list, `*` any one
//! word, `...` up to four; `<name>`, `<amt>`, `<num>` and `<thing>` are what the readers found; `^` and
//! `$` are the ends of a sentence, which no phrase crosses. Apostrophes count for
//! nothing: "dont" is "don't".

mod draft;
mod parse;
mod sieve;
mod walk;

use rustc_hash::FxHashMap;

pub(super) use draft::Draft;
use sieve::Sieve;

/// What a word is to the phrasebook: itself, a member of a list, or a mask.
pub(super) type Symbol = u32;

/// A name that the readers found.
pub(super) const NAME: Symbol = 0;
/// An amount that is surely money.
pub(super) const AMOUNT: Symbol = 1;
/// A number that may be money.
pub(super) const NUMBER: Symbol = 2;
/// A thing that the lexicon knows.
pub(super) const THING: Symbol = 3;
const OPEN: Symbol = 4;
const CLOSE: Symbol = 5;
const ANY: Symbol = 6;
const GAP: Symbol = 7;
const FIRST_FREE: Symbol = 8;

/// A word of a message, as the phrasebook sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'l> {
    /// What a reader took it for.
    pub(super) mask: Option<Symbol>,
    /// What the phrasebook knows of the word.
    pub(super) known: Option<&'l Known>,
    /// Whether a sentence begins with it.
    pub(super) opens: bool,
    /// Whether a sentence ends with it.
    pub(super) closes: bool,
}

/// A phrase that was found: what it means, its first token and one past its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) meaning: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// One of the two trees of a phrasebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tree {
    /// Things and actions, found first, in the bare words.
    Words = 0,
    /// Rules, found when things, names and amounts have their masks.
    Rules = 1,
}

/// What a word is to a phrasebook.
#[derive(Debug)]
pub(super) struct Known {
    /// Itself and its lists, sorted.
    symbols: Box<[Symbol]>,
    sieve: Sieve,
    /// Where phrases lead that begin with it, for each tree.
    starts: [Box<[Start]>; 2],
}

/// A node behind a first word, with what it lets through.
#[derive(Debug, Clone, Copy)]
struct Start {
    node: u32,
    sieve: Sieve,
}

/// Phrases with their meanings, as two trees over symbols, laid out to be walked.
#[derive(Debug)]
pub(super) struct Phrasebook {
    known: FxHashMap<Box<str>, Known>,
    /// What is known of the masks, by their symbols.
    masks: Vec<Known>,
    nodes: Vec<Node>,
    /// What ends at the nodes, in their order.
    meanings: Vec<u32>,
    /// Where words lead from the nodes, in their order; those of one are sorted.
    edges: Vec<(Symbol, u32)>,
}

/// A place in a tree. The root leads to nodes and no node to the root, so 0 is nowhere.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// From where to where its own stand among the meanings, and among the edges.
    meanings: (u32, u32),
    edges: (u32, u32),
    any: u32,
    gap: u32,
    opens: u32,
    closes: u32,
    sieve: Sieve,
}

impl Phrasebook {
    /// What is known of a folded word.
    pub(super) fn known(&self, word: &str) -> Option<&Known> {
        if word.contains('\'') {
            self.known.get(parse::bare(word).as_str())
        } else {
            self.known.get(word)
        }
    }

    fn meanings(&self, node: &Node) -> &[u32] {
        &self.meanings[node.meanings.0 as usize..node.meanings.1 as usize]
    }

    fn edges(&self, node: &Node) -> &[(Symbol, u32)] {
        &self.edges[node.edges.0 as usize..node.edges.1 as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn book() -> Draft {
        let lists = [("verb", vec!["book", "look into"])];
        let lists = lists
            .map(|(name, words)| (name.to_owned(), words.into_iter().map(str::to_owned).collect()));
        Draft::new(&BTreeMap::from(lists))
    }

    /// Whether the phrase is in a text of words, `.` ends a sentence, `£` is an amount.
    fn holds(phrase: &str, text: &str) -> bool {
        let mut book = book();
        book.add(Tree::Rules, phrase, 7).unwrap();
        let words: Vec<&str> = text.split(' ').filter(|word| *word != ".").collect();
        let stops: Vec<usize> = text
            .split(' ')
            .enumerate()
            .filter(|(_, word)| *word == ".")
            .enumerate()
            .map(|(stops, (at, _))| at - stops)
            .collect();
        let book = book.closed();
        let token = |(at, word): (usize, &&str)| Token {
            mask: (*word == "£").then_some(AMOUNT),
            known: book.known(word),
            opens: at == 0 || stops.contains(&at),
            closes: at + 1 == words.len() || stops.contains(&(at + 1)),
        };
        let tokens: Vec<Token<'_>> = words.iter().enumerate().map(token).collect();
        let mut hits = Vec::new();
        book.find(Tree::Rules, &tokens, &mut hits);
        hits.iter().any(|hit| hit.meaning == 7)
    }

    #[test]
    fn groups_options_and_lists_are_what_they_say() {
        for (phrase, text, there) in [
            ("can (you|someone) {verb}", "can someone book it", true),
            ("can (you|someone) {verb}", "can we book it", false),
            ("can you [please] {verb}", "can you look into it", true),
            ("can you [please|pls] {verb}", "can you pls book", true),
            ("(i (paid|gave)|from me) £", "x", false),
            ("dont {verb}", "don't book", true),
        ] {
            if phrase.contains('£') {
                assert!(book().add(Tree::Rules, phrase, 0).is_err());
            } else {
                assert_eq!(holds(phrase, text), there, "{phrase:?} in {text:?}");
            }
        }
    }

    #[test]
    fn gaps_reach_four_words_and_no_phrase_crosses_a_sentence() {
        assert!(holds("paid ... <amt>", "we paid the man £"));
        assert!(holds("paid ... <amt>", "paid £"));
        assert!(!holds("paid ... <amt>", "paid a b c d e £"));
        assert!(!holds("paid ... <amt>", "we paid . the rest £"));
        assert!(holds("paid * <amt>", "paid him £") && !holds("paid * <amt>", "paid £"));
    }

    #[test]
    fn the_ends_of_a_sentence_can_be_asked_for() {
        assert!(holds("^ done", "ok . done now") && !holds("^ done", "all done"));
        assert!(holds("for me $", "sunday for me . bye") && !holds("for me $", "for me too"));
    }

    #[test]
    fn a_bad_phrase_says_what_is_wrong_with_it() {
        for (phrase, named) in [
            ("can (you", "not closed"),
            ("{nouns}", "nouns"),
            ("[please]", "says nothing"),
            ("<thing", "<thing"),
            (
                "{verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb} {verb}",
                "ways",
            ),
        ] {
            let why = book().add(Tree::Rules, phrase, 0).unwrap_err();
            assert!(why.contains(named), "{why}");
        }
    }
}
