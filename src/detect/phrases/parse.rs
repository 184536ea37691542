//! From a phrase as it is written to the ways in which it may be said.

use super::draft::Draft;
use super::{AMOUNT, ANY, CLOSE, GAP, NAME, NUMBER, OPEN, Symbol, THING};

/// In how many ways one phrase may be written at most.
const WAYS: usize = 20_000;

impl Draft {
    /// A phrase as a row of parts, each with the ways in which it may be written.
    pub(super) fn parts(&mut self, phrase: &str) -> Result<Vec<Vec<Vec<Symbol>>>, String> {
        let mut parts = Vec::new();
        let mut rest = phrase.trim_ascii();
        while !rest.is_empty() {
            let is_group = rest.starts_with(['(', '[']);
            let end = if is_group {
                group_end(rest).ok_or_else(|| format!("a group of {phrase:?} is not closed"))?
            } else {
                rest.find(' ').unwrap_or(rest.len())
            };
            let part = &rest[..end];
            parts.push(if is_group { self.ways(part)? } else { self.atom(part)? });
            rest = rest[end..].trim_ascii_start();
        }
        Ok(parts)
    }

    /// The ways in which a group may be written.
    fn ways(&mut self, group: &str) -> Result<Vec<Vec<Symbol>>, String> {
        let mut ways = Vec::new();
        let (words, others): (Vec<&str>, Vec<&str>) =
            alternatives(&group[1..group.len() - 1]).into_iter().partition(|way| is_word(way));
        if !words.is_empty() {
            ways.push(vec![self.group(&words)]);
        }
        for way in others {
            ways.extend(product(&self.parts(way)?)?);
        }
        if group.starts_with('[') {
            ways.push(Vec::new());
        }
        Ok(ways)
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
}

pub(super) fn is_word(text: &str) -> bool {
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
pub(super) fn count(parts: &[Vec<Vec<Symbol>>]) -> Result<usize, String> {
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
pub(super) fn bare(word: &str) -> String {
    word.chars().filter(|c| *c != '\'').collect()
}
