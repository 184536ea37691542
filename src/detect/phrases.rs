//! The phrasebook: what the rules file says in words, found in one walk over a message.
//!
//! A phrase is words with blanks between them. `(a|b c)` is one of several,
//! `[a|b]` may be absent, `{list}` is any entry of a word list, `*` any one
//! word, `...` up to four; `<name>`, `<amt>`, `<num>` and `<thing>` are what the readers found; `^` and
//! `$` are the ends of a sentence, which no phrase crosses. Apostrophes count for
//! nothing: "dont" is "don't".

use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxHashMap;

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

/// How many words `...` may stand for.
const REACH: usize = 4;
/// In how many ways one phrase may be written at most.
const WAYS: usize = 20_000;

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
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Itself and its lists, sorted.
    symbols: Box<[Symbol]>,
    /// Where phrases lead that begin with it, for each tree.
    starts: [Box<[u32]>; 2],
}

/// Phrases with their meanings, as two trees over symbols.
#[derive(Debug, Default)]
pub(super) struct Phrasebook {
    words: FxHashMap<Box<str>, Vec<Symbol>>,
    /// What is known of the words, once the book is closed.
    known: FxHashMap<Box<str>, Known>,
    /// What is known of the masks, by their symbols.
    masks: Vec<Known>,
    lists: HashMap<String, Vec<Vec<Symbol>>>,
    symbols: Symbol,
    edges: FxHashMap<(u32, Symbol), u32>,
    /// Per node: what ends here, and whether `*` or `...` leads on.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    meanings: Vec<u32>,
    /// Where words lead, once the book is closed; sorted.
    edges: Box<[(Symbol, u32)]>,
    any: Option<u32>,
    gap: Option<u32>,
    opens: Option<u32>,
    closes: Option<u32>,
}

impl Phrasebook {
    /// A book that knows the word lists.
    pub(super) fn new(lists: &BTreeMap<String, Vec<String>>) -> Self {
        let mut book = Self {
            symbols: FIRST_FREE,
            nodes: vec![Node::default(), Node::default()],
            ..Self::default()
        };
        for (name, entries) in lists {
            let list = book.fresh();
            let mut ways = vec![vec![list]];
            for entry in entries {
                let words: Vec<&str> = entry.split_ascii_whitespace().collect();
                match words[..] {
                    [word] => book.words.entry(bare(word).into()).or_default().push(list),
                    _ => ways.push(words.iter().map(|word| book.word(word)).collect()),
                }
            }
            book.lists.insert(name.clone(), ways);
        }
        book
    }

    fn fresh(&mut self) -> Symbol {
        self.symbols += 1;
        self.symbols - 1
    }

    /// The symbol that stands for the word itself.
    fn word(&mut self, word: &str) -> Symbol {
        let own = format!("={}", bare(word));
        if let Some(symbols) = self.words.get(own.as_str()) {
            return symbols[0];
        }
        let symbol = self.fresh();
        self.words.insert(own.into(), vec![symbol]);
        self.words.entry(bare(word).into()).or_default().push(symbol);
        symbol
    }

    /// The symbol that stands for any of these words.
    fn group(&mut self, words: &[&str]) -> Symbol {
        if let [word] = words {
            return self.word(word);
        }
        let own = format!("|{}", words.join("|"));
        if let Some(symbols) = self.words.get(own.as_str()) {
            return symbols[0];
        }
        let symbol = self.fresh();
        for word in words {
            self.words.entry(bare(word).into()).or_default().push(symbol);
        }
        self.words.insert(own.into(), vec![symbol]);
        symbol
    }

    /// Closes the book: what was easy to add to becomes quick to read.
    pub(super) fn closed(mut self) -> Self {
        let mut edges: Vec<Vec<(Symbol, u32)>> = vec![Vec::new(); self.nodes.len()];
        for ((from, symbol), to) in std::mem::take(&mut self.edges) {
            edges[from as usize].push((symbol, to));
        }
        for (node, mut edges) in self.nodes.iter_mut().zip(edges) {
            edges.sort_unstable();
            node.edges = edges.into();
        }
        let masks = (0..FIRST_FREE).map(|mask| self.knowledge(vec![mask])).collect();
        let words = std::mem::take(&mut self.words).into_iter();
        let words = words.filter(|(word, _)| is_word(word));
        self.known = words.map(|(word, symbols)| (word, self.knowledge(symbols))).collect();
        self.masks = masks;
        self
    }

    fn knowledge(&self, mut symbols: Vec<Symbol>) -> Known {
        symbols.sort_unstable();
        symbols.dedup();
        let starts = [Tree::Words, Tree::Rules].map(|tree| {
            let edges = self.nodes[tree as usize].edges.iter();
            let mine = edges.filter(|(symbol, _)| symbols.binary_search(symbol).is_ok());
            mine.map(|(_, to)| *to).collect()
        });
        Known { symbols: symbols.into(), starts }
    }

    /// What is known of a folded word.
    pub(super) fn known(&self, word: &str) -> Option<&Known> {
        if word.contains('\'') { self.known.get(bare(word).as_str()) } else { self.known.get(word) }
    }

    /// Adds a phrase.
    ///
    /// # Errors
    /// What is wrong with it: an unknown list, a group that is not closed, too many ways to write it.
    pub(super) fn add(&mut self, tree: Tree, phrase: &str, meaning: u32) -> Result<(), String> {
        let parts = self.parts(phrase)?;
        count(&parts)?;
        if parts.iter().any(|part| part.iter().all(Vec::is_empty)) || parts.is_empty() {
            return Err(format!("{phrase:?} says nothing"));
        }
        self.insert(tree as u32, &parts, meaning);
        Ok(())
    }

    fn insert(&mut self, node: u32, parts: &[Vec<Vec<Symbol>>], meaning: u32) {
        let Some((part, rest)) = parts.split_first() else {
            let meanings = &mut self.nodes[node as usize].meanings;
            if node > 1 && !meanings.contains(&meaning) {
                meanings.push(meaning);
            }
            return;
        };
        for way in part {
            let end = way.iter().fold(node, |at, symbol| self.step(at, *symbol));
            self.insert(end, rest, meaning);
        }
    }

    /// The node that this symbol leads to; made when it is not there.
    fn step(&mut self, from: u32, symbol: Symbol) -> u32 {
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[from as usize];
        let to = match symbol {
            ANY => *node.any.get_or_insert(next),
            GAP => *node.gap.get_or_insert(next),
            OPEN => *node.opens.get_or_insert(next),
            CLOSE => *node.closes.get_or_insert(next),
            word => *self.edges.entry((from, word)).or_insert(next),
        };
        if to == next {
            self.nodes.push(Node::default());
        }
        to
    }

    /// A phrase as a row of parts, each with the ways in which it may be written.
    fn parts(&mut self, phrase: &str) -> Result<Vec<Vec<Vec<Symbol>>>, String> {
        let mut parts = Vec::new();
        let mut rest = phrase.trim_ascii();
        while !rest.is_empty() {
            let is_group = rest.starts_with(['(', '[']);
            let end = if is_group {
                group_end(rest).ok_or_else(|| format!("a group of {phrase:?} is not closed"))?
            } else {
                rest.find(' ').unwrap_or(rest.len())
            };
            let mut ways = Vec::new();
            if is_group {
                let (words, others): (Vec<&str>, Vec<&str>) =
                    alternatives(&rest[1..end - 1]).into_iter().partition(|way| is_word(way));
                if !words.is_empty() {
                    ways.push(vec![self.group(&words)]);
                }
                for way in others {
                    ways.extend(product(&self.parts(way)?)?);
                }
                if rest.starts_with('[') {
                    ways.push(Vec::new());
                }
            } else {
                ways = self.atom(&rest[..end])?;
            }
            parts.push(ways);
            rest = rest[end..].trim_ascii_start();
        }
        Ok(parts)
    }

    fn atom(&mut self, atom: &str) -> Result<Vec<Vec<Symbol>>, String> {
        if let Some(name) = atom.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
            let list = self.lists.get(name);
            return list.cloned().ok_or_else(|| format!("there is no word list {name:?}"));
        }
        let symbol = match atom {
            "<name>" => NAME,
            "<amt>" => AMOUNT,
            "<num>" => NUMBER,
            "<thing>" => THING,
            "^" => OPEN,
            "$" => CLOSE,
            "*" => ANY,
            "..." => GAP,
            word if is_word(word) => self.word(word),
            other => return Err(format!("{other:?} is no word, mask or list")),
        };
        Ok(vec![vec![symbol]])
    }

    /// All phrases in a message, by their start.
    pub(super) fn find(&self, tree: Tree, tokens: &[Token<'_>], hits: &mut Vec<Hit>) {
        for (start, token) in tokens.iter().enumerate() {
            let mut walk = Walk { book: self, tokens, start, hits };
            walk.beyond_words(tree as u32, start);
            let mask = token.mask.map(|mask| &self.masks[mask as usize]);
            for known in mask.into_iter().chain(token.known) {
                for next in &known.starts[tree as usize] {
                    walk.at(*next, start + 1);
                }
            }
        }
    }
}

/// A walk through a book along a message, from one token on.
struct Walk<'w, 'l> {
    book: &'w Phrasebook,
    tokens: &'w [Token<'l>],
    start: usize,
    hits: &'w mut Vec<Hit>,
}

impl Walk<'_, '_> {
    /// Goes on from a node that was reached before the token at this place.
    fn at(&mut self, node: u32, at: usize) {
        let here = &self.book.nodes[node as usize];
        let hit = |meaning: &u32| Hit { meaning: *meaning, start: self.start, end: at };
        self.hits.extend(here.meanings.iter().map(hit));
        let ended = at > self.start && self.tokens[at - 1].closes;
        if let (Some(next), true) = (here.closes, ended || at == self.tokens.len()) {
            self.at(next, at);
        }
        if !ended && at < self.tokens.len() {
            self.beyond_words(node, at);
            self.words(here, at);
        }
    }

    /// Follows the words that lead on.
    fn words(&mut self, here: &Node, at: usize) {
        let token = &self.tokens[at];
        let known = token.known.map_or(&[][..], |known| &known.symbols);
        for (symbol, next) in &here.edges {
            if token.mask == Some(*symbol) || known.binary_search(symbol).is_ok() {
                self.at(*next, at + 1);
            }
        }
    }

    /// Follows what leads on without a certain word.
    fn beyond_words(&mut self, node: u32, at: usize) {
        let here = &self.book.nodes[node as usize];
        let token = &self.tokens[at];
        if let (Some(next), true) = (here.opens, token.opens) {
            self.at(next, at);
        }
        if let Some(next) = here.any {
            self.at(next, at + 1);
        }
        let Some(next) = here.gap else { return };
        for skip in 0..=REACH.min(self.tokens.len() - at) {
            if skip > 0 && self.tokens[at + skip - 1].closes {
                break;
            }
            self.at(next, at + skip);
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '\'')
}

/// Where the group ends that the text starts with, groups within it closed.
fn group_end(text: &str) -> Option<usize> {
    let mut open = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' => open += 1,
            b')' | b']' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// What stands between the bars of a group, but for those of groups within it.
fn alternatives(group: &str) -> Vec<&str> {
    let (mut found, mut start, mut open) = (Vec::new(), 0, 0);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'(' | b'[' => open += 1,
            b')' | b']' => open -= 1,
            b'|' if open == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&group[start..]);
    found
}

/// In how many ways a row of parts may be written.
fn count(parts: &[Vec<Vec<Symbol>>]) -> Result<usize, String> {
    parts
        .iter()
        .try_fold(1usize, |ways, part| ways.checked_mul(part.len()).filter(|ways| *ways <= WAYS))
        .ok_or_else(|| format!("it can be written in more than {WAYS} ways"))
}

/// Every way to write a row of parts.
fn product(parts: &[Vec<Vec<Symbol>>]) -> Result<Vec<Vec<Symbol>>, String> {
    count(parts)?;
    Ok(parts.iter().fold(vec![Vec::new()], |starts, part| {
        let longer = |start: &Vec<Symbol>| {
            part.iter().map(|way| [start.as_slice(), way].concat()).collect::<Vec<_>>()
        };
        starts.iter().flat_map(longer).collect()
    }))
}

/// A word without its apostrophes.
fn bare(word: &str) -> String {
    word.chars().filter(|c| *c != '\'').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Phrasebook {
        let lists = [("verb", vec!["book", "look into"])];
        let lists = lists
            .map(|(name, words)| (name.to_owned(), words.into_iter().map(str::to_owned).collect()));
        Phrasebook::new(&BTreeMap::from(lists))
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
