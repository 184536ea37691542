//! Who shares an expense: the names and `me`, or everyone; nothing when the text does not say.

use super::{Mark, Masked, Name};
use crate::detect::word_set::{PhraseSet, WordSet, phrase_set, set};

#[rustfmt::skip]
static SHARES: WordSet = set!(&[
    "50", "among", "amongst", "between", "both", "chipping", "cover", "divide", "divided",
    "dividing", "dutch", "each", "equal", "equally", "evenly", "fifty", "fifty-fifty", "goin",
    "going", "half", "halfies", "halfsies", "halve", "halves", "halvesies", "halving", "hook",
    "in", "on", "only", "owe", "owes", "quarters", "share", "shared", "shares", "sharing",
    "split", "splits", "splittin", "splitting", "teilen", "that's", "thing", "thirding", "thirds",
    "us", "ways", "wearing", "with",
]);
/// Words that say surely that something is shared.
#[rustfmt::skip]
static SURE: WordSet = set!(&[
    "bahagi", "between", "chip", "chipping", "cover", "covering", "divide", "divided", "divides",
    "dividing", "dividir", "each", "equal", "equally", "evenly", "fifty", "goin", "half",
    "halfies", "halfsies", "halve", "halves", "halvesies", "halving", "hati", "hook", "in",
    "owes", "quarters", "share", "shared", "shares", "sharing", "split", "splits", "splittin",
    "splitting", "square", "thing", "thirds", "ways", "wearing",
]);
#[rustfmt::skip]
static ALL: PhraseSet = phrase_set!(&[
    "everyone", "everybody", "all of us", "all of you", "between all", "all of y'all", "you all",
    "everybody's", "everyone's", "whole group", "whole gang", "whole squad", "us all", "ye all",
    "all to split", "each of ye", "each of you", "among all", "amongst all", "all the cousins",
    "us cousins", "yer", "the lot of us", "all in this chat", "we're all", "we all",
    "every one of us", "lads will", "all eleven of us", "all * of us",
]);

/// Who shares it.
pub(in crate::detect) fn split(
    masked: &Masked<'_, '_>,
    names: &[Name],
    payer: Option<&str>,
) -> Option<Vec<String>> {
    if !(0..masked.pieces.len()).any(|at| SHARES.contains(masked.word(at))) {
        return None;
    }
    let sure = (0..masked.pieces.len()).any(|at| is_sure(masked, at));
    if !sure {
        return None;
    }
    if let Some(people) = list(masked, names, payer).or_else(|| with(masked, names, payer)) {
        return Some(people);
    }
    static DENIED: PhraseSet = phrase_set!(&[
        "no sharing",
        "not sharing",
        "no need",
        "don't split",
        "no split",
        "not splitting",
        "not to split",
    ]);
    let denied = masked.has(&DENIED);
    (masked.has(&ALL) && !denied && shares_all(masked)).then(|| vec!["everyone".to_owned()])
}

fn is_sure(masked: &Masked<'_, '_>, at: usize) -> bool {
    match masked.word(at) {
        "half" => {
            matches!(masked.word(at + 1), "each" | "half" | "with")
                || matches!(masked.back(at, 1), "going" | "go" | "in" | "goin")
        }
        "in" => {
            masked.says(at, "in on it")
                || masked.says(at, "in on that")
                || masked.says(at, "in for")
                || masked.says(at, "in on this")
        }
        "cover" | "covering" => {
            masked.says(at, "cover a third")
                || masked.says(at + 1, "it")
                || masked.says(at + 1, "that")
        }
        word => SURE.contains(word),
    }
}

/// Whether "everyone" shares, and is not merely told something.
fn shares_all(masked: &Masked<'_, '_>) -> bool {
    #[rustfmt::skip]
    static ALL_SHARE: WordSet = set!(&[
        "split", "share", "shares", "shared", "sharing", "equal", "equally", "evenly", "divide",
        "divided", "divides", "chip", "chipping", "each", "owes", "owe", "between", "ways", "in",
        "splitting", "square", "hati", "bahagi", "even",
    ]);
    (0..masked.pieces.len()).any(|at| ALL_SHARE.contains(masked.word(at)))
}

/// The person at a piece: a name, the sender, or whom "him" stands for.
fn person(
    masked: &Masked<'_, '_>,
    names: &[Name],
    payer: Option<&str>,
    at: usize,
) -> Option<String> {
    if masked.pieces.get(at)?.owns {
        return None;
    }
    match (masked.name(at), masked.word(at)) {
        (Some(name), _) => names.get(name).map(|name| name.said.clone()),
        (None, "me" | "i" | "myself" | "meself" | "moi") => Some("me".to_owned()),
        (None, "him" | "her" | "he" | "she" | "them") => {
            payer.filter(|payer| *payer != "me").map(str::to_owned)
        }
        _ => None,
    }
}

/// A row of two people or more; the last row counts.
fn list(masked: &Masked<'_, '_>, names: &[Name], payer: Option<&str>) -> Option<Vec<String>> {
    let mut found: Option<Vec<String>> = None;
    let mut at = 0;
    while at < masked.pieces.len() {
        let mut people: Vec<String> = Vec::new();
        let mut end = at;
        while let Some(one) = person(masked, names, payer, end) {
            if !people.is_empty() && masked.mark(end) == Mark::Stop {
                break;
            }
            if !people.contains(&one) {
                people.push(one);
            }
            end += 1;
            let and = matches!(masked.word(end), "and" | "n" | "plus" | "with" | "w" | "y" | "und");
            if and && person(masked, names, payer, end + 1).is_some() {
                end += 1;
            }
        }
        let open = matches!(masked.word(end), "and" | "n")
            && matches!(masked.word(end + 1), "both" | "the" | "his" | "her" | "my");
        if people.len() > 1 && !open {
            let joined = at > 0 && matches!(masked.word(at - 1), "with" | "w");
            if joined && !people.iter().any(|one| one == "me")
                || masked.says(end, "with me")
                || masked.says(end, "w me")
                || and_me(masked, end)
            {
                people.insert(0, "me".to_owned());
            }
            people.dedup();
            found = Some(people);
        }
        at = end.max(at + 1);
    }
    found
}

/// "thirds with him", "in on it with me".
fn and_me(masked: &Masked<'_, '_>, end: usize) -> bool {
    (end..end + 9).any(|at| {
        masked.mark(at) < Mark::Stop && (masked.says(at, "with me") || masked.says(at, "w me"))
    })
}

/// "split with Sam": the payer and those named.
fn with(masked: &Masked<'_, '_>, names: &[Name], payer: Option<&str>) -> Option<Vec<String>> {
    for at in 0..masked.pieces.len() {
        if !matches!(masked.word(at), "with" | "w")
            || !(at.saturating_sub(5)..at)
                .any(|at| is_sure(masked, at) || masked.word(at) == "half")
        {
            continue;
        }
        let other = person(masked, names, payer, at + 1)?;
        let own = if other == "me" { payer.unwrap_or("me") } else { "me" };
        if own != other {
            return Some(vec![own.to_owned(), other]);
        }
    }
    None
}
