//! What a task is about: the verb that leads it, and which of several nouns is its object.

use std::ops::Range;

use super::classes::is_plain;
use super::nouns::nouns;
use super::rank::best;
use super::{Action, Thing};
use crate::detect::findings::Findings;
use crate::detect::text::Text;

/// The object of a task and what is to be done about it, each with whether the reader is sure.
#[derive(Debug, Clone)]
pub(in crate::detect) struct Order<'l> {
    pub(in crate::detect) object: String,
    pub(in crate::detect) action: &'l str,
    /// Whether a verb stands for it where orders have theirs; else the action is a guess.
    pub(in crate::detect) is_action_sure: bool,
}

/// Reads what is to be done; nothing where the text names nothing.
pub(in crate::detect) fn order<'l>(findings: &Findings<'_, 'l>) -> Option<Order<'l>> {
    let text = findings.text;
    let verb = leading(text, &findings.actions);
    let mut taken: Vec<Range<usize>> =
        findings.names.iter().map(|name| name.span.clone()).collect();
    let verbs = findings.actions.iter().filter(|it| standing(text, it) > 0);
    taken.extend(verbs.map(|action| first_word(text, action)));
    let nouns = nouns(text, &findings.things, &taken);
    let object = best(text, &nouns, &findings.things, verb);
    let thing = object.and_then(|noun| noun.thing).and_then(|at| findings.things.get(at));
    let (action, is_said) = action(verb, thing);
    let is_action_sure = is_said && verb.is_some_and(|verb| standing(text, verb) > 1);
    let object = match object {
        Some(noun) => noun.name.clone(),
        // People who are to be fetched need a lift.
        None if action == "collect" => "transport".to_owned(),
        None => return None,
    };
    Some(Order { object, action, is_action_sure })
}

/// The verb's own action, else what is usually done about such a thing.
fn action<'l>(verb: Option<&Action<'l>>, thing: Option<&Thing<'l>>) -> (&'l str, bool) {
    let usual = usual(thing);
    match verb {
        // A hall is grabbed by booking it; only goods are bought.
        Some(verb) if verb.name == "buy" && usual == "book" => ("book", true),
        // "Sort the bus" says that something is to be done, and of a bus that is to book it.
        Some(verb) if verb.name == "arrange" => (verb.name, false),
        Some(verb) => (verb.name, true),
        None => (usual, false),
    }
}

/// What is usually done about a thing when the text has no verb for it.
fn usual<'l>(thing: Option<&Thing<'l>>) -> &'l str {
    if let Some(usual) = thing.and_then(|thing| thing.usual) {
        return usual;
    }
    match thing.and_then(|thing| thing.category).unwrap_or("") {
        "venue" | "music" | "photography" | "transport" | "accommodation" | "entertainment"
        | "equipment" => "book",
        "catering" | "decor" | "cake" | "gifts" | "stationery" | "attire" | "flowers" => "buy",
        _ => "arrange",
    }
}

fn first_word(text: &Text<'_>, action: &Action<'_>) -> Range<usize> {
    let at = text.word_from(action.span.start);
    text.words().get(at).cloned().unwrap_or(action.span.clone())
}

/// The verb that the order is about: the first that stands where orders have theirs, else the first that is none's name.
pub(super) fn leading<'f, 'l>(
    text: &Text<'_>,
    actions: &'f [Action<'l>],
) -> Option<&'f Action<'l>> {
    let strong = |action: &&Action<'_>| standing(text, action) > 1;
    let verbs: Vec<&Action<'_>> = actions.iter().filter(strong).collect();
    match verbs[..] {
        // "Cancel that and book the other one" is about the other one.
        [first, second, ..] if first.name == "cancel" => Some(second),
        // "Ring them and cancel" is to cancel.
        [first, ..] if first.name == "contact" => {
            verbs.iter().copied().find(|verb| verb.name == "cancel").or(Some(first))
        }
        [first, ..] => Some(first),
        [] => actions.iter().find(|action| standing(text, action) > 0),
    }
}

/// Words behind which orders have their verb; the empty one is for nothing before it.
const ORDERS: &[&str] = &[
    "",
    "i'll",
    "ill",
    "will",
    "to",
    "can",
    "could",
    "you",
    "please",
    "pls",
    "plz",
    "plss",
    "someone",
    "somebody",
    "u",
    "and",
    "gonna",
    "i",
    "shall",
    "would",
    "must",
    "should",
    "we",
    "gotta",
    "let's",
    "lets",
    "who",
    "also",
    "just",
    "then",
    "so",
    "kindly",
    "i'd",
    "we'll",
    "he'll",
    "she'll",
    "they'll",
    "who'll",
    "needs",
    "gotta",
    "wanna",
    "dont",
    "don't",
    "not",
    "everyone",
    "everybody",
    "all",
    "guys",
    "ok",
    "you'll",
    "let",
    "go",
    "come",
    "ye",
    "yous",
    "whoever",
    "nobody",
    "nobody's",
    "hasn't",
    "haven't",
    "isn't",
    "aren't",
    "been",
    "better",
    "cannot",
    "can't",
    "quickly",
    "maybe",
    "now",
    "going",
    "i'm",
    "im",
    "be",
    "or",
    "it's",
];

/// Words behind which a noun stands.
const NOUN: &[&str] = &[
    "the", "a", "an", "my", "your", "our", "his", "her", "their", "no", "any", "this", "that",
    "of", "in", "on", "for", "some", "these", "those", "with", "by", "every", "each", "at",
];

/// How sure it is that the word is a verb: 2 where orders have theirs, 0 where a noun stands.
fn standing(text: &Text<'_>, action: &Action<'_>) -> u8 {
    let before = text.word_before(action.span.start);
    let opens = text.starts_sentence(action.span.start) || is_after_mark(text, action.span.start);
    match before {
        _ if opens => 2,
        word if ORDERS.contains(&word) => 2,
        word if NOUN.contains(&word) || is_plain(word) => 0,
        _ => 1,
    }
}

fn is_after_mark(text: &Text<'_>, at: usize) -> bool {
    let before = text.folded().get(..at).unwrap_or("").trim_end_matches(' ');
    before.is_empty() || before.ends_with([',', '-', ';', ':', ')'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon::bundled;

    fn read(said: &str) -> Option<(String, String)> {
        let lexicon = bundled();
        let text = Text::new(said);
        let findings = Findings::of(&text, None, lexicon);
        order(&findings).map(|order| (order.object, order.action.to_owned()))
    }

    fn is_read(said: &str, object: &str, action: &str) {
        assert_eq!(read(said), Some((object.to_owned(), action.to_owned())), "{said}");
    }

    #[test]
    fn the_object_is_the_first_thing_after_the_verb() {
        is_read("can someone ring the florist about the altar", "florist", "contact");
        is_read("please book the village hall", "venue", "book");
        is_read("I'll bake the scones on Thursday", "scone", "make");
        is_read("could you pick up the cake from the bakery", "cake", "collect");
    }

    #[test]
    fn a_noun_that_nobody_listed_is_its_own_name_in_the_singular() {
        is_read("please order the zorbs", "zorb", "buy");
        is_read("someone print the wibble list", "wibble list", "make");
    }

    #[test]
    fn a_part_is_named_after_what_it_is_of() {
        is_read("grab two bags of ice", "ice", "buy");
        is_read("ask the cake lady", "cake", "contact");
    }

    #[test]
    fn a_gap_has_the_usual_action_of_what_is_missing() {
        is_read("still nobody on the cake", "cake", "buy");
        is_read("we have no marquee", "marquee", "book");
    }

    #[test]
    fn a_place_is_not_the_object_where_something_else_is() {
        is_read("bring the projector to the hall", "projector", "bring");
    }

    #[test]
    fn calling_to_cancel_is_cancelling() {
        is_read("ring the hotel and cancel", "accommodation", "cancel");
    }

    #[test]
    fn who_sells_food_is_the_caterer() {
        is_read("somebody tell the curry lady we are eighty", "caterer", "contact");
        is_read("ring the dumpling people", "caterer", "contact");
    }

    #[test]
    fn what_is_lacking_outweighs_what_stands_beside_it() {
        is_read("lovely venue but there is no projector", "projector", "bring");
        is_read("bring the chairs over from the church", "chair", "collect");
    }

    #[test]
    fn a_thing_that_is_only_evident_is_named() {
        for (said, object) in [
            ("eight cousins have nowhere to stay", "accommodation"),
            ("how is everyone getting there?", "transport"),
            ("nobody takes the pictures so far", "photographer"),
        ] {
            assert_eq!(read(said).map(|it| it.0).as_deref(), Some(object), "{said}");
        }
    }

    #[test]
    fn words_that_name_nothing_make_no_order() {
        assert_eq!(read("please do it"), None);
        assert_eq!(read(""), None);
    }
}
