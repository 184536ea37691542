//! The things: those of the rules file, and those of the things' file, kind by kind.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use toml::Spanned;

use super::{BadRules, Entry, File, Source, a_category, an_action, bad};
use crate::detect::phrases::{Draft, Tree};
use crate::detect::text::singular;

/// The things that the crate brings along.
pub(super) const BUNDLED: &str = include_str!("../../../config/things.toml");

/// The things' file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThingsFile {
    kind: Vec<Spanned<Kind>>,
}

/// Things that fall under one category and of which the same is usually done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    category: Option<Spanned<String>>,
    usual: Option<Spanned<String>>,
    #[serde(default)]
    weak: bool,
    /// Things that are called what they are.
    #[serde(default)]
    own: Vec<Spanned<String>>,
    /// A name, and the other words for it.
    #[serde(default)]
    called: BTreeMap<String, Vec<Spanned<String>>>,
}

/// The things that the rules file itself brings.
pub(super) fn own_things(
    source: &str,
    file: &File,
    book: &mut Draft,
) -> Result<Vec<Entry>, BadRules> {
    let mut things: Vec<Entry> = Vec::with_capacity(file.things.len() + 2048);
    for (name, spanned) in &file.things {
        let entry = spanned.get_ref();
        let refuse = |reason| bad(source, spanned, reason);
        entry.category.as_deref().map_or(Ok(()), a_category).map_err(refuse)?;
        entry.usual.as_deref().map_or(Ok(()), an_action).map_err(refuse)?;
        for word in entry.words.iter().chain([name]) {
            add_thing(book, word, things.len()).map_err(refuse)?;
        }
        let (category, usual) = (entry.category.clone(), entry.usual.clone());
        things.push(Entry { name: name.clone(), category, usual, weak: false });
    }
    Ok(things)
}

/// Adds the things of the things' file to those that are there; a name that is there keeps its category.
pub(super) fn bundled_things(
    text: &str,
    book: &mut Draft,
    things: &mut Vec<Entry>,
) -> Result<(), BadRules> {
    let source = Source::THINGS.with(text);
    let file: ThingsFile = source.read()?;
    let mut places: FxHashMap<String, usize> =
        things.iter().enumerate().map(|(at, thing)| (thing.name.clone(), at)).collect();
    for spanned in &file.kind {
        let kind = spanned.get_ref();
        let refuse = |at: &Spanned<String>, why| source.refuse(at.span().start, why);
        if let Some(category) = &kind.category {
            a_category(category.get_ref()).map_err(|why| refuse(category, why))?;
        }
        if let Some(usual) = &kind.usual {
            an_action(usual.get_ref()).map_err(|why| refuse(usual, why))?;
        }
        let mut place = |name: &str| {
            *places.entry(name.to_owned()).or_insert_with(|| {
                things.push(kind.entry(name));
                things.len() - 1
            })
        };
        for name in &kind.own {
            let at = place(name.get_ref());
            add_thing(book, name.get_ref(), at).map_err(|why| refuse(name, why))?;
        }
        for (name, words) in &kind.called {
            let at = place(name);
            add_thing(book, name, at).map_err(|why| source.refuse(spanned.span().start, why))?;
            for word in words {
                add_thing(book, word.get_ref(), at).map_err(|why| refuse(word, why))?;
            }
        }
    }
    Ok(())
}

impl Kind {
    fn entry(&self, name: &str) -> Entry {
        let said = |it: &Option<Spanned<String>>| it.as_ref().map(|it| it.get_ref().clone());
        Entry {
            name: name.to_owned(),
            category: said(&self.category),
            usual: said(&self.usual),
            weak: self.weak,
        }
    }
}

fn add_thing(book: &mut Draft, word: &str, thing: usize) -> Result<(), String> {
    let written = spaced(word);
    book.add(Tree::Words, &written, thing as u32)?;
    let many = spaced(&plural(word));
    if many != written {
        book.add(Tree::Words, &many, thing as u32)?;
    }
    // "The ferry's booked": apostrophes count for nothing.
    if word.ends_with(['y', 'n', 'h', 'x']) && !many.ends_with(&format!("{}s", last_word(word))) {
        book.add(Tree::Words, &format!("{written}s"), thing as u32)?;
    }
    Ok(())
}

/// The words of a name that is written with hyphens.
fn spaced(name: &str) -> String {
    name.replace('-', " ")
}

fn last_word(name: &str) -> &str {
    name.rsplit([' ', '-']).next().unwrap_or(name)
}

fn plural(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("man")
        && !word.ends_with("human")
    {
        return format!("{stem}men");
    }
    match word.strip_suffix('y') {
        _ if singular(word) != word => word.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x', 'h']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}
