//! Which things and telling words a phrase names: how rows and questions are held against each other.

use super::super::findings::Findings;
use super::super::lexicon;
use super::super::text::Text;
use super::super::words::{DAYS, MONTHS};
use super::subject::tells;

/// What a phrase names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Named {
    /// Things that the bundled rules know, by their own names: "the hall" is a `venue`.
    pub(crate) things: Vec<String>,
    /// The expense categories of those things.
    pub(crate) categories: Vec<String>,
    /// Words that tell one matter from another, in lower case, in order.
    pub(crate) words: Vec<String>,
}

/// Reads what a phrase names.
pub(crate) fn named(phrase: &str) -> Named {
    let text = Text::new(phrase);
    let findings = Findings::of(&text, None, lexicon::bundled());
    let mut named = Named::default();
    for thing in &findings.things {
        keep(&mut named.things, thing.name);
        if let Some(category) = thing.category {
            keep(&mut named.categories, category);
        }
    }
    for at in 0..text.words().len() {
        let word = text.word(at);
        if tells(word) && !DAYS.contains(word) && !MONTHS.contains(word) {
            keep(&mut named.words, word);
        }
    }
    named
}

fn keep(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|known| known == word) {
        list.push(word.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_go_by_their_own_names_and_words_of_asking_tell_nothing() {
        let hall = named("has the hall been booked yet?");
        assert_eq!(hall.things, ["venue"]);
        assert_eq!(named("who's doing the bunting on saturday?").words, ["bunting"]);
        assert_eq!(named("how much have we spent so far?").words, Vec::<String>::new());
    }
}
