//! A phrasebook while it is written: easy to add to; closed, it is quick to read.

use std::collections::{BTreeMap, HashMap};

use rustc_hash::FxHashMap;

use super::parse::{bare, count, is_word};
use super::sieve::Sieve;
use super::{ANY, CLOSE, FIRST_FREE, GAP, Known, Node, OPEN, Phrasebook, Start, Symbol, Tree};

/// Phrases with their meanings, as they are added.
#[derive(Debug, Default)]
pub(in crate::detect) struct Draft {
    /// The symbols of each word; a word's own stands under the word with a sign before it.
    words: FxHashMap<Box<str>, Vec<Symbol>>,
    /// The ways to write an entry of each word list.
    pub(super) lists: HashMap<String, Vec<Vec<Symbol>>>,
    symbols: Symbol,
    edges: FxHashMap<(u32, Symbol), u32>,
    nodes: Vec<Place>,
}

/// What ends at a node, and where what is no word leads.
#[derive(Debug, Default)]
struct Place {
    meanings: Vec<u32>,
    any: Option<u32>,
    gap: Option<u32>,
    opens: Option<u32>,
    closes: Option<u32>,
}

impl Draft {
    /// A book that knows the word lists.
    pub(in crate::detect) fn new(lists: &BTreeMap<String, Vec<String>>) -> Self {
        let mut book = Self {
            symbols: FIRST_FREE,
            nodes: vec![Place::default(), Place::default()],
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
    pub(super) fn word(&mut self, word: &str) -> Symbol {
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
    pub(super) fn group(&mut self, words: &[&str]) -> Symbol {
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

    /// Adds a phrase.
    ///
    /// # Errors
    /// What is wrong with it: an unknown list, a group that is not closed, too many ways to write it.
    pub(in crate::detect) fn add(
        &mut self,
        tree: Tree,
        phrase: &str,
        meaning: u32,
    ) -> Result<(), String> {
        let parts = self.parts(phrase)?;
        count(&parts)?;
        if parts.iter().all(|part| part.iter().any(Vec::is_empty)) {
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
            self.nodes.push(Place::default());
        }
        to
    }

    /// Closes the book.
    pub(in crate::detect) fn closed(mut self) -> Phrasebook {
        let words = std::mem::take(&mut self.words);
        let mut book = Phrasebook {
            known: FxHashMap::default(),
            masks: Vec::new(),
            nodes: Vec::with_capacity(self.nodes.len()),
            meanings: Vec::new(),
            edges: Vec::with_capacity(self.edges.len()),
        };
        self.lay_out(&mut book);
        book.masks = (0..FIRST_FREE).map(|mask| book.knowledge(vec![mask])).collect();
        let words = words.into_iter().filter(|(word, _)| is_word(word));
        book.known = words.map(|(word, symbols)| (word, book.knowledge(symbols))).collect();
        book
    }

    fn lay_out(self, book: &mut Phrasebook) {
        let mut edges: Vec<Vec<(Symbol, u32)>> = vec![Vec::new(); self.nodes.len()];
        for ((from, symbol), to) in self.edges {
            edges[from as usize].push((symbol, to));
        }
        for (place, mut own) in self.nodes.into_iter().zip(edges) {
            own.sort_unstable();
            let (meanings, edges) = (book.meanings.len() as u32, book.edges.len() as u32);
            book.meanings.extend(&place.meanings);
            book.edges.extend(&own);
            let others = [place.any, place.gap, place.opens, place.closes];
            let is_open = !place.meanings.is_empty() || others.iter().any(Option::is_some);
            let sieve = Sieve::of(own.iter().map(|(symbol, _)| *symbol));
            let [any, gap, opens, closes] = others.map(Option::unwrap_or_default);
            book.nodes.push(Node {
                meanings: (meanings, book.meanings.len() as u32),
                edges: (edges, book.edges.len() as u32),
                any,
                gap,
                opens,
                closes,
                sieve: if is_open { Sieve::OPEN } else { sieve },
            });
        }
    }
}

impl Phrasebook {
    fn knowledge(&self, mut symbols: Vec<Symbol>) -> Known {
        symbols.sort_unstable();
        symbols.dedup();
        let starts = [Tree::Words, Tree::Rules].map(|tree| {
            let edges = self.edges(&self.nodes[tree as usize]).iter();
            let mine = edges.filter(|(symbol, _)| symbols.binary_search(symbol).is_ok());
            let start = |to: u32| Start { node: to, sieve: self.nodes[to as usize].sieve };
            mine.map(|(_, to)| start(*to)).collect()
        });
        let sieve = Sieve::of(symbols.iter().copied());
        Known { symbols: symbols.into(), sieve, starts }
    }
}
