//! What a message does to a row that is there: corrections, cancellations,
//! completions, votes, repayments and retractions.
//!
//! The weights say which kind it is; here is read what it says of its target.
//! The fold finds the row among those that are open, so a target may go by
//! several names, `; ` between them, likeliest first; one that meets no row changes nothing.

use std::ops::Range;

use super::findings::Findings;
use super::money::{self, Amount};
use super::text::{Text, singular};
use super::vote;
use super::word_set::{WordSet, set};
use super::words;
use crate::domain::intent::{FollowUp, FollowUpKind, Intent, Target};
use crate::domain::money::Currency;

/// How many names of a target are kept, and how many words of a message are searched for them.
const NAMES: usize = 8;
const SEARCHED: usize = 48;

/// Words that call something off; what follows one is what is meant.
static CALLING_OFF: WordSet = set!(&[
    "need",
    "needs",
    "needed",
    "no",
    "without",
    "forget",
    "scrap",
    "skip",
    "cancel",
    "cancelled",
    "drop",
    "leave",
    "ditch",
    "bin",
    "off",
    "ignore",
    "disregard",
    "delete",
    "scratch",
    "buy",
    "book",
    "order",
    "bother",
    "wanting",
    "want",
]);
/// Words of talk: none of them is what a message is about.
static TALK: WordSet = set!(&[
    "done",
    "booked",
    "sorted",
    "ordered",
    "bought",
    "confirmed",
    "finished",
    "completed",
    "sent",
    "collected",
    "paid",
    "got",
    "get",
    "gone",
    "going",
    "need",
    "needs",
    "needed",
    "forget",
    "scrap",
    "skip",
    "leave",
    "ignore",
    "disregard",
    "scratch",
    "cancel",
    "cancelled",
    "sorry",
    "oops",
    "typo",
    "correction",
    "actually",
    "wait",
    "thanks",
    "thank",
    "please",
    "good",
    "great",
    "lol",
    "haha",
    "love",
    "yay",
    "woohoo",
    "okay",
    "yeah",
    "yep",
    "nope",
    "right",
    "well",
    "back",
    "one",
    "two",
    "three",
    "last",
    "first",
    "next",
    "message",
    "messages",
    "wrong",
    "chat",
    "mine",
    "ours",
    "yours",
    "today",
    "tomorrow",
    "yesterday",
    "tonight",
    "morning",
    "evening",
    "week",
    "weeks",
    "said",
    "says",
    "like",
    "want",
    "anymore",
    "it's",
    "total",
    "each",
    "came",
    "come",
    "put",
    "made",
    "make",
    "took",
    "take",
    "took",
    "gave",
    "give",
    "know",
    "think",
    "says",
    "now",
    "everyone",
    "everybody",
    "someone",
    "guys",
    "folks",
    "thing",
    "things",
    "bit",
    "really",
]);

/// What a message that is a follow-up of this kind says of its target; nothing when a message of
/// this intent cannot be one, or lacks what the kind cannot be without.
pub(super) fn read(
    findings: &Findings<'_, '_>,
    intent: Intent,
    kind: FollowUpKind,
) -> Option<FollowUp> {
    let target = match (intent, kind) {
        (Intent::ExpenseEntry, FollowUpKind::Correction) => correction(findings)?,
        (Intent::ExpenseEntry | Intent::None, FollowUpKind::Completion) => {
            named(mentions(findings, None))
        }
        (Intent::None, FollowUpKind::Cancellation) => {
            named(mentions(findings, called_off(findings.text)))
        }
        (Intent::None, FollowUpKind::Retraction) => {
            let sum = findings.amounts.first().map(|sum| minor(sum, findings.currency));
            Target { minor: sum, ..named(mentions(findings, called_off(findings.text))) }
        }
        (Intent::None, FollowUpKind::Repayment) => repayment(findings),
        (Intent::None, FollowUpKind::Vote) => vote::pick(findings)?,
        _ => return None,
    };
    Some(FollowUp { kind, target })
}

fn named(thing: Option<String>) -> Target {
    Target { thing, ..Target::default() }
}

/// Where the words begin that say what is called off.
fn called_off(text: &Text<'_>) -> Option<usize> {
    let words = text.words().iter().take(SEARCHED).enumerate();
    let mut calls = words.filter(|(at, _)| CALLING_OFF.contains(text.word(*at)));
    calls.next().map(|(_, word)| word.end)
}

/// The names that what is meant may go by: known things first, then other nouns as far as one can
/// tell; what stands behind `lead` before what stands in front of it.
fn mentions(findings: &Findings<'_, '_>, lead: Option<usize>) -> Option<String> {
    let lead = lead.unwrap_or(0);
    let mut places: Vec<(bool, bool, usize, String)> = Vec::new();
    for thing in &findings.things {
        let (start, far) = (thing.span.start, thing.span.start < lead);
        places.push((far, false, start, thing.name.to_owned()));
        // What was written may be the nearer name: a lexicon knows kinds.
        let written = findings.text.folded()[thing.span.clone()].trim_end_matches("'s");
        places.push((far, true, start, singular(written)));
    }
    for (at, word) in findings.text.words().iter().take(SEARCHED).enumerate() {
        if is_matter(findings, at, word) {
            let said = singular(findings.text.word(at).trim_end_matches("'s"));
            places.push((word.start < lead, true, word.start, said));
        }
    }
    places.sort();
    let mut names: Vec<String> = Vec::new();
    for (.., name) in places {
        if !names.contains(&name) && names.len() < NAMES {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| names.join("; "))
}

/// Whether a word may name what a message is about, although the lexicon does not know it.
fn is_matter(findings: &Findings<'_, '_>, at: usize, word: &Range<usize>) -> bool {
    let said = findings.text.word(at).trim_end_matches("'s");
    let inside = |span: &Range<usize>| span.start < word.end && word.start < span.end;
    let is_plain = !words::is_function(said)
        && !words::DAYS.contains(said)
        && !words::MONTHS.contains(said)
        && !TALK.contains(said);
    is_plain
        && said.chars().count() >= 3
        && said.chars().any(char::is_alphabetic)
        && !said.starts_with(|c: char| c.is_ascii_digit())
        && !findings.things.iter().any(|thing| inside(&thing.span))
        && !findings.names.iter().any(|name| name.known && inside(&name.span))
        && !findings.amounts.iter().any(|amount| amount.sure && inside(&amount.span))
}

fn minor(amount: &Amount, event: Option<Currency>) -> i64 {
    // Without an event and without a sign, two decimals are the likeliest.
    let said = money::currency_of(amount, event).or(event);
    said.map_or_else(
        || (amount.value * 100.0).round() as i64,
        |currency| currency.minor(amount.value),
    )
}

/// "it was 460 not 450", "not 58 but 85", "small fix on the van, it's 486.20".
fn correction(findings: &Findings<'_, '_>) -> Option<Target> {
    let new = money::total(findings.text, &findings.amounts)?;
    let old = old_sum(findings, new).map(|old| minor(old, findings.currency));
    Some(Target { thing: mentions(findings, None), minor: old, person: None })
}

/// The sum that is put right: the one behind "not" or the like, else the only other one.
fn old_sum<'f>(findings: &'f Findings<'_, '_>, new: &Amount) -> Option<&'f Amount> {
    static BEHIND: WordSet = set!(&["not", "of", "than", "from", "said", "the", "as"]);
    let text = findings.text;
    let mut others = findings.amounts.iter().filter(|amount| amount.value != new.value);
    let denied = others.clone().find(|amount| {
        let before = text.word_before(amount.span.start);
        BEHIND.contains(before) && before != "the"
            || before == "the" && is_denied(text, amount.span.start)
    });
    let only = || others.next().filter(|_| others.next().is_none());
    denied.or_else(only)
}

/// "and not the 1260".
fn is_denied(text: &Text<'_>, offset: usize) -> bool {
    let at = text.word_from(offset);
    at.checked_sub(2).is_some_and(|at| matches!(text.word(at), "not" | "of" | "than"))
}

/// Who was repaid, how much and what for; the fold completes what is not said. What a named person
/// sent the sender is less than zero.
fn repayment(findings: &Findings<'_, '_>) -> Target {
    let known = findings.names.iter().find(|name| name.known);
    let name = known.or_else(|| findings.names.first());
    let sum = findings.amounts.iter().find(|amount| amount.sure);
    let sum = sum.or_else(|| findings.amounts.first());
    let received = known.is_some_and(|name| is_received(findings.text, &name.span));
    let minor = sum.map(|sum| minor(sum, findings.currency));
    Target {
        thing: mentions(findings, None),
        minor: minor.map(|minor| if received { -minor } else { minor }),
        person: name.map(|name| name.said.clone()),
    }
}

/// "got the 40 from Sam", "Sam paid me back".
fn is_received(text: &Text<'_>, name: &Range<usize>) -> bool {
    static SENT: WordSet =
        set!(&["paid", "sent", "transferred", "gave", "venmoed", "venmo'd", "repaid", "settled"]);
    let after = text.word_from(name.end);
    let verb = (after..after + 3).find(|at| SENT.contains(text.word(*at)));
    let to_me = verb.is_some_and(|verb| (verb + 1..verb + 5).any(|at| text.word(at) == "me"));
    to_me || text.word_before(name.start) == "from"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon::bundled;

    fn of(text: &str, intent: Intent, kind: FollowUpKind) -> Option<Target> {
        let text = Text::new(text);
        read(&Findings::of(&text, None, bundled()), intent, kind).map(|change| change.target)
    }

    fn first(target: &Target) -> Option<&str> {
        target.thing.as_deref().and_then(|names| names.split("; ").next())
    }

    #[test]
    fn a_correction_names_the_old_sum() {
        for (text, old) in [
            ("sorry it was £460 not £450 for the photographer", Some(45_000)),
            ("the balloons were not £58 but £85", Some(5_800)),
            ("small fix on the van, it's £486.20", None),
            ("the balance is £1,172 now and not the £1,260", Some(126_000)),
            ("so it's £45 instead of £90", Some(9_000)),
        ] {
            let target = of(text, Intent::ExpenseEntry, FollowUpKind::Correction).unwrap();
            assert_eq!(target.minor, old, "{text}");
        }
    }

    #[test]
    fn what_is_called_off_is_named_first() {
        for (text, thing) in [
            ("we don't need a DJ anymore", "dj"),
            ("No jumping castle love", "bouncy castle"),
            ("it's too dear so we don't need a photo booth, we have a phone", "photo booth"),
            ("the garden has its own, so forget the chairs", "chair"),
            ("scrap the kea then, the rest stays", "kea"),
        ] {
            let target = of(text, Intent::None, FollowUpKind::Cancellation).unwrap();
            let said = first(&target).unwrap_or("");
            assert!(said.starts_with(thing), "{text}: {target:?}");
        }
    }

    #[test]
    fn what_is_done_is_named_or_left_to_the_fold() {
        for (text, thing) in [
            ("booked!", None),
            ("done", None),
            ("the seating plan is done", Some("seating plan")),
            ("slideshow's finished, 14 minutes", Some("slideshow")),
            ("geles are in my boot", Some("gele")),
        ] {
            let target = of(text, Intent::None, FollowUpKind::Completion).unwrap();
            assert_eq!(first(&target), thing, "{text}");
        }
    }

    #[test]
    fn a_repayment_has_a_sum_a_person_and_a_direction_where_they_are_said() {
        let read = |text: &str| of(text, Intent::None, FollowUpKind::Repayment).unwrap();
        assert_eq!(read("sent you the £40 just now").minor, Some(4_000));
        let target = read("sent Nadia £60 for the flowers");
        assert_eq!((target.minor, target.person.as_deref()), (Some(6_000), Some("Nadia")));
        assert_eq!(read("done").minor, None);
    }

    #[test]
    fn a_kind_that_an_intent_cannot_have_is_not_read() {
        for (intent, kind) in [
            (Intent::None, FollowUpKind::Correction),
            (Intent::PollCreation, FollowUpKind::Vote),
            (Intent::TaskCreation, FollowUpKind::Completion),
        ] {
            assert_eq!(of("it was £4 not £5, done", intent, kind), None);
        }
    }
}
