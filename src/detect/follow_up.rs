//! What a message does to a row that is there: corrections, cancellations,
//! completions, votes, repayments and retractions.
//!
//! The fold finds the row. A follow-up that meets none changes nothing, so
//! votes may be guessed; cancellations and completions may not.

use std::sync::LazyLock;

use regex::Regex;

use super::findings::Findings;
use super::money::{self, Amount};
use super::things::Thing;
use super::vote::vote;
use crate::domain::intent::{FollowUp, FollowUpKind, Intent, Target};
use crate::domain::money::Currency;

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours compiles")
}

static CORRECTS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:correction|typo|transposed|small fix|meant|should be|should have been|actually (?:was|it was)|got that wrong|now not|my mistake|oops|fix on|is \S+ now)\b",
    )
});
static RETRACTS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:ignore (?:my|that|the) (?:last|message|above|previous)|ignore that|scratch that|disregard (?:that|my)|forget (?:what i|that last|my last)|strike that|take that back)\b",
    )
});
static REPAYS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:sent (?:you|u|my)|paid (?:you|u)\b|transferred you|(?:i've |i )?(?:sent|paid|transferred|venmo'd|paypal'd|revolut'd) (?:back )?[a-z]+ (?:my|the|back|back the|my share)\b)",
    )
});
static CANCELS: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:(?:we )?(?:don't|dont|do not|don't think we|no longer) need|no need (?:to|for)|not (?:doing|having|getting) (?:the|a|any)|don't (?:book|order|buy|hire|bother)|called off|forget (?:the|about the)|scrap the|skip the)\b",
    )
});
static NO_THING: LazyLock<Regex> = LazyLock::new(|| fixed(r"^(?:no|nope,? no) (?:more )?\w+"));
static DONE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"^(?:all |ok |and )?(?:done|booked|sorted|ordered|bought|confirmed|finished|completed|sent|collected|all done|locked in)\b|(?:\bis|\bare|'s|s'|\bthey're|\bit's|\ball|\bbeen) (?:now |all |finally )?(?:booked|sorted|done|ordered|confirmed|finished|bought|collected|sent|printed|paid for|signed|in the (?:doc|files|car|boot|folder)|handled|arranged|on (?:its|their) way|in my possession)\b|\b(?:booked|sorted|collected|ordered|arrived|finished|confirmed|received)\b ?(?:$|[!.,✅🎉])|✅|\b(?:i've|i) (?:sent|booked|ordered|told|rang|collected|printed|sorted) (?:the|him|her|them)|^sent \w+ the\b|^told \w+|\bjust went out\b|^saw the\b|\b(?:draft|plan|list) .*is in the\b|\bare here\b",
    )
});
static NOT_DONE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\?|\bnot (?:yet |been )?(?:booked|sorted|done)|\bnearly\b|\balmost\b|\bisn't\b|\baren't\b|\bhasn't\b|\bwill be\b|\bonce\b|\bwhen\b|\bif\b|\bneed(?:s)? to\b|\bi've been\b|\bshould\b|\bnobody\b",
    )
});

/// What a message that is a follow-up of this kind says of its target; nothing when it lacks what
/// the kind cannot be without, or when a message of this intent cannot be one.
pub(super) fn read(
    findings: &Findings<'_, '_>,
    intent: Intent,
    kind: FollowUpKind,
) -> Option<FollowUp> {
    match (intent, kind) {
        (Intent::ExpenseEntry, FollowUpKind::Correction) => {
            correction(findings, money::total(findings.text, &findings.amounts)?)
        }
        (Intent::ExpenseEntry | Intent::None, FollowUpKind::Completion) => {
            found(kind, thing_of(findings))
        }
        (Intent::None, FollowUpKind::Retraction) => found(kind, thing_of(findings)),
        (Intent::None, FollowUpKind::Repayment) => repayment(findings),
        (Intent::None, FollowUpKind::Cancellation) => cancellation(findings),
        (Intent::None, FollowUpKind::Vote) => vote(findings),
        _ => None,
    }
}

fn found(kind: FollowUpKind, thing: Option<String>) -> Option<FollowUp> {
    Some(FollowUp { kind, target: Target { thing, ..Target::default() } })
}

fn thing_of(findings: &Findings<'_, '_>) -> Option<String> {
    findings.things.first().map(|thing: &Thing<'_>| thing.name.to_owned())
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
fn correction(findings: &Findings<'_, '_>, new: &Amount) -> Option<FollowUp> {
    let folded = findings.text.folded();
    let old = findings.amounts.iter().find(|amount| {
        let before = folded[..amount.span.start].trim_end();
        ["not", "instead of", "rather than", "from"].iter().any(|cue| before.ends_with(cue))
            && amount.span != new.span
    });
    if old.is_none() && !CORRECTS.is_match(folded) {
        return None;
    }
    let thing =
        findings.things.first().map(|thing| findings.text.said(thing.span.clone()).to_lowercase());
    let minor = old.map(|old| minor(old, findings.currency));
    Some(FollowUp { kind: FollowUpKind::Correction, target: Target { thing, minor, person: None } })
}

fn repayment(findings: &Findings<'_, '_>) -> Option<FollowUp> {
    if !REPAYS.is_match(findings.text.folded()) || findings.text.folded().contains('?') {
        return None;
    }
    let person = findings.names.first().map(|name| name.said.clone());
    let minor = findings.amounts.first().map(|amount| minor(amount, findings.currency));
    minor.is_some().then_some(FollowUp {
        kind: FollowUpKind::Repayment,
        target: Target { thing: None, minor, person },
    })
}

fn cancellation(findings: &Findings<'_, '_>) -> Option<FollowUp> {
    let folded = findings.text.folded();
    let called_off = CANCELS.find(folded).map(|hit| hit.end());
    let thing = match called_off {
        // "we don't need it, we have a guitar": the guitar stays.
        Some(end) if folded[end..].starts_with(" it") => {
            findings.things.first().filter(|thing| thing.span.start < end)
        }
        Some(end) => {
            findings.things.iter().find(|thing| thing.span.start >= end).or(findings.things.first())
        }
        None => {
            let end = NO_THING.find(folded)?.end();
            findings.things.first().filter(|thing| thing.span.start < end)
        }
    }?;
    let postponed =
        [" yet", "till ", "until ", "not a task"].iter().any(|cue| folded.contains(cue));
    (!folded.contains('?') && !postponed)
        .then(|| found(FollowUpKind::Cancellation, Some(thing.name.to_owned())))?
}

fn completion(findings: &Findings<'_, '_>) -> Option<FollowUp> {
    let folded = findings.text.folded();
    let done = DONE.find(folded)?;
    if NOT_DONE.is_match(folded) || findings.text.words().len() > 18 {
        return None;
    }
    // "they're up, did them with the barn lady" is not about the barn.
    let clause =
        folded[done.end()..].find(['.', '!', '\n']).map_or(folded.len(), |at| done.end() + at);
    let thing = findings
        .things
        .iter()
        .find(|thing| thing.span.start < clause)
        .map(|thing| thing.name.to_owned());
    let bare = findings.text.words().len() <= 4;
    (thing.is_some() || bare).then(|| found(FollowUpKind::Completion, thing))?
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::detect::{Detector, Subject};

    static DETECTOR: LazyLock<Detector> = LazyLock::new(Detector::new);

    fn of(text: &str) -> Option<(FollowUpKind, Target)> {
        let detection =
            DETECTOR.detect(&Subject { text, sender: None, sent_at: None, event: None });
        detection.follow_up.map(|change| (change.kind, change.target))
    }

    #[test]
    fn a_correction_restates_the_sum_and_names_the_old_one() {
        for (text, new, old) in [
            ("sorry it was £460 not £450 for the photographer", 460.0, 45_000),
            ("the balloons were not £58 but £85", 85.0, 5_800),
        ] {
            let detection =
                DETECTOR.detect(&Subject { text, sender: None, sent_at: None, event: None });
            let crate::domain::intent::Entities::Expense(expense) = &detection.entities else {
                panic!("{text}")
            };
            let change = detection.follow_up.unwrap();
            assert_eq!((expense.amount, change.target.minor), (new, Some(old)), "{text}");
            assert_eq!(change.kind, FollowUpKind::Correction);
        }
    }

    #[test]
    fn what_is_called_off_is_named_by_its_one_name() {
        for (text, thing) in [
            ("we don't need a DJ anymore", "dj"),
            ("No jumping castle love", "bouncy castle"),
            ("it's too dear so we don't need a photo booth, we have a phone", "photo booth"),
        ] {
            let (kind, target) = of(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (kind, target.thing.as_deref()),
                (FollowUpKind::Cancellation, Some(thing)),
                "{text}"
            );
        }
        assert_eq!(of("don't book the DJ yet"), None);
    }

    #[test]
    fn what_is_done_is_named_or_left_to_the_senders_latest_task() {
        for (text, thing) in [
            ("booked!", None),
            ("done", None),
            ("the seating plan is done", Some("seating plan")),
            ("slideshow's finished, 14 minutes", Some("slideshow")),
        ] {
            let (kind, target) = of(text).unwrap();
            assert_eq!(
                (kind, target.thing.as_deref()),
                (FollowUpKind::Completion, thing),
                "{text}"
            );
        }
        assert_eq!(of("speech is nearly done, it's coming"), None);
    }

    #[test]
    fn a_short_pick_is_a_vote_and_talk_is_none() {
        for (text, pick) in [
            ("sage sage sage", "sage"),
            ("sunday for me", "sunday"),
            ("🎸🎸", "guitar"),
            ("Cardiff it is", "cardiff"),
        ] {
            let (kind, target) = of(text).unwrap();
            assert_eq!((kind, target.thing.as_deref()), (FollowUpKind::Vote, Some(pick)), "{text}");
        }
        for text in ["lol", "thanks so much", "❤️❤️❤️", "why", "who's Tim", "👍", "ok will do"]
        {
            assert_eq!(of(text), None, "{text}");
        }
    }

    #[test]
    fn money_sent_back_is_a_repayment_and_a_last_word_taken_back_a_retraction() {
        let (kind, target) = of("sent you the 40 just now").unwrap();
        assert_eq!((kind, target.minor), (FollowUpKind::Repayment, Some(4_000)));
        let (kind, _) = of("ignore my last message, wrong invoice").unwrap();
        assert_eq!(kind, FollowUpKind::Retraction);
    }
}
