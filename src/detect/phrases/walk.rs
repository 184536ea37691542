//! The walk: all phrases of a book that begin at each word of a message.

use super::sieve::Sieve;
use super::{Hit, Node, Phrasebook, Token, Tree};

/// How many words `...` may stand for.
const REACH: usize = 4;

/// From how many words of a message walks begin; what is said later decides nothing.
const READ: usize = 400;

/// A walk through a book along a message, from one token on.
struct Walk<'w, 'l> {
    book: &'w Phrasebook,
    tokens: &'w [Token<'l>],
    /// What may lead on at each token.
    sieves: &'w [Sieve],
    start: usize,
    hits: &'w mut Vec<Hit>,
}

impl Phrasebook {
    /// All phrases in a message, by their start.
    pub(in crate::detect) fn find(&self, tree: Tree, tokens: &[Token<'_>], hits: &mut Vec<Hit>) {
        let sieves: Vec<Sieve> = tokens.iter().map(sieve).collect();
        let root = &self.nodes[tree as usize];
        let is_bare = root.opens + root.any + root.gap == 0;
        for (start, token) in tokens.iter().enumerate().take(READ) {
            let mut walk = Walk { book: self, tokens, sieves: &sieves, start, hits };
            if !is_bare {
                walk.beyond_words(root, start);
            }
            let behind = behind(tokens, &sieves, start);
            let mask = token.mask.map(|mask| &self.masks[mask as usize]);
            for known in mask.into_iter().chain(token.known) {
                for next in &known.starts[tree as usize] {
                    if next.sieve.meets(behind) {
                        walk.at(next.node, start + 1);
                    }
                }
            }
        }
    }
}

/// What the word and the mask of a token may lead on from.
fn sieve(token: &Token<'_>) -> Sieve {
    let known = token.known.map_or(Sieve::END, |known| known.sieve.and(Sieve::END));
    token.mask.map_or(known, |mask| known.with(mask))
}

/// What may lead on behind this token: nothing but an end where a sentence ends.
fn behind(tokens: &[Token<'_>], sieves: &[Sieve], at: usize) -> Sieve {
    let next = sieves.get(at + 1).filter(|_| !tokens[at].closes);
    next.copied().unwrap_or(Sieve::END)
}

impl Walk<'_, '_> {
    /// Goes on from a node that was reached before the token at this place.
    fn at(&mut self, node: u32, at: usize) {
        let here = &self.book.nodes[node as usize];
        let hit = |meaning: &u32| Hit { meaning: *meaning, start: self.start, end: at };
        self.hits.extend(self.book.meanings(here).iter().map(hit));
        let ended = at > self.start && self.tokens[at - 1].closes;
        if here.closes > 0 && (ended || at == self.tokens.len()) {
            self.at(here.closes, at);
        }
        if !ended && at < self.tokens.len() {
            self.beyond_words(here, at);
            self.words(here, at);
        }
    }

    /// Follows the words that lead on.
    fn words(&mut self, here: &Node, at: usize) {
        let token = &self.tokens[at];
        let symbols = token.known.map_or(&[][..], |known| &known.symbols);
        let edges = self.book.edges(here);
        if edges.len() > symbols.len() {
            for symbol in token.mask.iter().chain(symbols) {
                if here.sieve.may_hold(*symbol)
                    && let Ok(place) = edges.binary_search_by_key(symbol, |(symbol, _)| *symbol)
                {
                    self.on(edges[place].1, at + 1);
                }
            }
            return;
        }
        let sieve = self.sieves[at];
        for edge in edges.iter().filter(|(symbol, _)| sieve.may_hold(*symbol)) {
            if token.mask == Some(edge.0) || symbols.binary_search(&edge.0).is_ok() {
                self.on(edge.1, at + 1);
            }
        }
    }

    /// Goes on behind a token where that may lead anywhere.
    fn on(&mut self, node: u32, at: usize) {
        let behind = behind(self.tokens, self.sieves, at - 1);
        if self.book.nodes[node as usize].sieve.meets(behind) {
            self.at(node, at);
        }
    }

    /// Follows what leads on without a certain word.
    fn beyond_words(&mut self, here: &Node, at: usize) {
        if here.opens > 0 && self.tokens[at].opens {
            self.at(here.opens, at);
        }
        if here.any > 0 {
            self.on(here.any, at + 1);
        }
        if here.gap == 0 {
            return;
        }
        for skip in 0..=REACH.min(self.tokens.len() - at) {
            if skip > 0 && self.tokens[at + skip - 1].closes {
                break;
            }
            if at + skip > self.start {
                self.on(here.gap, at + skip);
            } else {
                self.at(here.gap, at);
            }
        }
    }
}
