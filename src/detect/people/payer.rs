//! Who paid: the sender, somebody named, or nobody that is known.

use super::{Mark, Masked, Name};
use crate::detect::word_set::{PhraseSet, WordSet, phrase_set, set};

/// Verbs of paying, after the one who pays.
#[rustfmt::skip]
static PAYS: WordSet = set!(&[
    "a", "absorbed", "advanced", "alilipa", "alituma", "anticipated", "ate", "bacs'd", "banked",
    "bankrolled", "bayar", "bezahlt", "blew", "booked", "bought", "bunged", "buy", "carried",
    "cashed", "charged", "chipped", "chucked", "claim", "cleaned", "clear", "cleared",
    "collected", "contributed", "copped", "coughed", "counted", "covered", "covering", "covers",
    "credited", "dah", "dealt", "deposited", "did", "don", "donated", "dropped", "drove", "dug",
    "eaten", "ended", "fed", "fixed", "flashed", "flung", "footed", "forked", "forwarded",
    "fronted", "fronting", "funded", "gave", "give", "given", "got", "grabbed", "had", "handed",
    "handled", "hat", "hired", "insisted", "invested", "laid", "lent", "lightened", "load",
    "loaned", "looked", "loses", "lost", "ne", "ordered", "pagó", "paid", "parted", "passed",
    "pay", "payed", "paying", "pays", "peeled", "picked", "pitched", "ponied", "popped",
    "prepaid", "prepaying", "pressed", "przelała", "pulled", "purchased", "put", "putting",
    "remitted", "rented", "revoluted", "saw", "sent", "settled", "settling", "shelled", "shook",
    "shouldered", "shouted", "shoved", "signed", "slapped", "slipped", "slung", "sorted", "spend",
    "spent", "splashed", "sponsored", "sprung", "squared", "stood", "stuck", "stumped", "swapped",
    "swiped", "swished", "swung", "tapped", "threw", "took", "transfered", "transferred",
    "treated", "twinted", "used", "venmo'd", "venmoed", "wangled", "whacked", "wired", "wouldn't",
    "wrote", "zelle'd", "zelled",
]);
/// What a payer's money is in, after "my" or a name with `'s`.
#[rustfmt::skip]
static SOURCES: WordSet = set!(&[
    "acc", "account", "acct", "amex", "axis", "bank", "barclaycard", "behalf", "bill", "bonus",
    "bucks", "business", "card", "cards", "cash", "cashapp", "chase", "check", "checking",
    "cheque", "cimb", "company", "corporate", "credit", "debit", "dime", "discover", "dollars",
    "end", "euro", "euros", "expense", "gcash", "gift", "gpay", "hand", "hsbc", "joint", "karte",
    "klarna", "konto", "mastercard", "momo", "money", "monzo", "mpesa", "n26", "name",
    "nationwide", "opay", "overdraft", "own", "p", "pay", "paypal", "pension", "personal",
    "phone", "pocket", "pockets", "points", "pounds", "purse", "quid", "receipt", "rekening",
    "revolut", "salary", "savings", "sbi", "shout", "side", "starling", "statement", "susu",
    "tab", "tin", "travel", "treat", "upi", "venmo", "visa", "wallet", "work", "zelle",
]);
/// Who may pay without a name: read as written when a phrase says that they did.
#[rustfmt::skip]
static ROLES: WordSet = set!(&[
    "aunt", "boss", "bro", "brother", "captain", "church", "club", "committee", "company",
    "council", "cousin", "da", "fiancé", "fil", "finance", "firm", "godfather", "godmother",
    "grandparents", "head", "hr", "hubby", "husband", "in-laws", "koro", "kuya", "ma", "mairie",
    "mak", "manager", "mil", "mosque", "nan", "neighbour", "office", "parents", "partner", "pta",
    "school", "sis", "sister", "treasurer", "trust", "uncle", "vicar", "wife",
]);
#[rustfmt::skip]
static ASIDE: WordSet = set!(&[
    "actually", "again", "ahead", "all", "already", "also", "and", "basically", "been", "bhai",
    "both", "did", "ended", "even", "finally", "got", "had", "happily", "has", "have", "here",
    "i", "is", "just", "kindly", "literally", "now", "o", "once", "one", "only", "personally",
    "quietly", "really", "since", "so", "that", "the", "then", "there", "today", "up", "very",
    "was", "went", "who", "yesterday",
]);
/// A score from which on somebody named has paid.
const STRONG: i32 = 6;

/// Who paid: a name, `me`, or nobody that is known.
pub(in crate::detect) fn payer(masked: &Masked<'_, '_>, names: &[Name]) -> Option<String> {
    let me = own_score(masked);
    let named = likeliest(masked, names);
    let unpaid = is_unpaid(masked);
    match named {
        Some((score, name)) if score >= STRONG && score > me => Some(name),
        _ if me >= 5 && !(unpaid && me < 7) => Some("me".to_owned()),
        Some((score, name)) if score >= 4 && !unpaid => Some(name),
        Some((score, name)) if score > -6 && by_pronoun(masked) => Some(name),
        Some((score, name)) if score >= 2 && me == 0 && !unpaid => Some(name),
        _ if unpaid || is_of_group(masked) => None,
        _ => Some("me".to_owned()),
    }
}

/// "it went on his card", "she has paid": somebody else did, whom another sentence names.
fn by_pronoun(masked: &Masked<'_, '_>) -> bool {
    (0..masked.pieces.len()).any(|at| match masked.word(at) {
        "his" | "her" => (at + 1..at + 3).any(|at| {
            masked.mark(at) == Mark::Blank
                && matches!(
                    masked.word(at),
                    "card"
                        | "account"
                        | "visa"
                        | "amex"
                        | "purse"
                        | "wallet"
                        | "pocket"
                        | "cheque"
                        | "own"
                        | "phone"
                )
        }),
        "she" | "he" | "she's" | "he's" => {
            let aux =
                usize::from(matches!(masked.word(at + 1), "has" | "already" | "just" | "had"));
            matches!(
                masked.word(at + 1 + aux),
                "paid" | "covered" | "fronted" | "settled" | "transferred" | "tapped"
            )
        }
        _ => false,
    })
}

/// The likeliest name, given that somebody named paid.
pub(in crate::detect) fn named_payer(masked: &Masked<'_, '_>, names: &[Name]) -> Option<String> {
    likeliest(masked, names).map(|(_, name)| name)
}

fn likeliest(masked: &Masked<'_, '_>, names: &[Name]) -> Option<(i32, String)> {
    let mut best: Option<(i32, String)> = None;
    for at in 0..masked.pieces.len() {
        let found = match masked.name(at) {
            Some(name) => names.get(name).map(|name| {
                (score(masked, at) + i32::from(name.known), together(masked, names, at, &name.said))
            }),
            None => role(masked, at),
        };
        if let Some((score, name)) = found
            && best.as_ref().is_none_or(|(most, _)| score > *most)
        {
            best = Some((score, name));
        }
    }
    best
}

/// "mum and dad": two kin that are one purse.
fn together(masked: &Masked<'_, '_>, names: &[Name], at: usize, said: &str) -> String {
    let parents =
        |name: &str| matches!(name.to_lowercase().as_str(), "mum" | "dad" | "mom" | "mam" | "da");
    let other =
        masked.name(at + 2).and_then(|name| names.get(name)).filter(|name| parents(&name.said));
    match other {
        Some(other) if parents(said) && matches!(masked.word(at + 1), "and" | "n") => {
            format!("{said} {} {}", masked.word(at + 1), other.said)
        }
        _ => said.to_owned(),
    }
}

/// A payer without a name, as written: "the office paid", "on the company card" not.
fn role(masked: &Masked<'_, '_>, at: usize) -> Option<(i32, String)> {
    let word = masked.word(at);
    let bare = word.strip_suffix("'s").unwrap_or(word);
    if !ROLES.contains(bare) {
        return None;
    }
    let owns = bare.len() < word.len();
    let mut last = at;
    if masked.word(at + 1) == "in" && masked.word(at + 2) == "law" {
        last = at + 2;
    }
    let score = if owns { owned(masked, at) } else { score_at(masked, at, last) };
    let end = masked.pieces[last].span.end - if owns { 2 } else { 0 };
    let said = masked.text.said(masked.pieces[at].span.start..end);
    (score >= STRONG).then(|| (score - 2, said.to_owned()))
}

fn owned(masked: &Masked<'_, '_>, at: usize) -> i32 {
    let source = (at + 1..at + 5)
        .take_while(|at| masked.mark(*at) == Mark::Blank && masked.name(*at).is_none())
        .any(|at| {
            let word = masked.word(at);
            SOURCES.contains(word.strip_suffix("'s").unwrap_or(word))
        });
    if source {
        return 9;
    }
    let contracted = pays_after(masked, at);
    if contracted > 0 { contracted } else { -3 }
}

/// How likely the name at this piece is the payer's.
fn score(masked: &Masked<'_, '_>, at: usize) -> i32 {
    if masked.pieces[at].owns {
        let before = before(masked, at);
        return owned(masked, at).max(if before > 4 && masked.mark(at + 1) > Mark::Blank {
            before
        } else {
            -9
        });
    }
    score_at(masked, at, at)
}

fn score_at(masked: &Masked<'_, '_>, at: usize, last: usize) -> i32 {
    let mut score = before(masked, at).max(pays_after(masked, last));
    if before(masked, at) < 0 && pays_after(masked, last) < 9 {
        score = before(masked, at);
    }
    let alone = masked.mark(at) > Mark::Blank && masked.mark(last + 1) > Mark::Blank;
    if alone && score >= 0 {
        score += 4;
    } else if masked.mark(at) == Mark::Stop && masked.mark(last + 1) == Mark::Blank && score >= 0 {
        score += 2;
    }
    score
}

/// Verbs after a name that often say something else than paying.
#[rustfmt::skip]
static WEAK: WordSet = set!(&[
    "got", "did", "had", "sent", "took", "booked", "ordered", "ne", "a", "don", "ate", "collected",
    "hired", "fixed", "handled", "signed", "charged", "cleaned", "buy", "give", "spend",
]);

/// What a verb after the name says.
fn pays_after(masked: &Masked<'_, '_>, last: usize) -> i32 {
    let mut at = last + 1;
    while at < last + 5 && masked.mark(at) < Mark::Stop {
        let word = masked.word(at);
        if masked.name(at).is_some() {
            // "Priya and Sam paid": the first is as good.
            return 0;
        }
        if masked.says(at, "is lighter")
            || masked.says(at, "is the one")
            || masked.says(at, "took care")
            || masked.says(at, "takes care")
        {
            return 9;
        }
        if at > last + 1 && matches!(word, "i" | "i've" | "we" | "we've" | "me" | "you") {
            return 0;
        }
        if PAYS.contains(word) {
            let weak = WEAK.contains(word);
            let near = at == last + 1 || masked.mark(last + 1) == Mark::Blank;
            return if weak { 6 } else { 9 } - if near { 0 } else { 3 };
        }
        if !ASIDE.contains(word) {
            return 0;
        }
        at += 1;
    }
    0
}

/// What the words before the name say.
fn before(masked: &Masked<'_, '_>, at: usize) -> i32 {
    #[rustfmt::skip]
    const LONG: &[(&str, i32)] = &[
        ("thanks to", 7), ("courtesy of", 8), ("paid by", 9), ("charged to", 9), ("it was", 7),
        ("sent by", 9), ("covered by", 9), ("owed to", 6), ("signed by", 4), ("fronted by", 9),
        ("bought by", 9), ("settled by", 9), ("down to", 5), ("back to", 5), ("gift from", 6),
        ("care of", 5), ("that was", 6), ("put by", 8), ("and by", 5), ("owe it", 0),
        ("money to", -6), ("quote from", -6), ("here from", -2), ("out to", -5), ("taken by", -3),
        ("made by", -5), ("paid to", -8), ("a la", 0),
    ];
    if masked.mark(at) == Mark::Stop {
        return 0;
    }
    let (two, one) = (masked.back(at, 2), masked.back(at, 1));
    let one = if matches!(one, "my" | "our" | "the" | "his" | "her") { two } else { one };
    let two = if one == two { masked.back(at, 3) } else { two };
    if let Some((_, score)) = LONG.iter().find(|(cue, _)| cue.split_once(' ') == Some((two, one))) {
        return *score;
    }
    match one {
        "by" | "thank" => 6,
        "owe" | "owes" | "reimburse" | "refund" | "repay" | "owing" | "c"
            if masked.mark(at) == Mark::Blank =>
        {
            7
        }
        "against" | "via" | "off" | "o" => 5,
        "from" | "on" => 4,
        "is" | "was" => 2,
        "to" | "paid" | "gave" | "gives" | "for" | "handed" | "sent" | "tipped" | "with" | "at"
        | "paying" | "tell" | "ask" | "told" | "in" | "of" | "bunged" | "slipped" | "between"
        | "like" | "transferred" | "wants" | "not" | "revoluted" | "zelled" | "venmo'd" => -6,
        "and" | "n" if at >= 2 && masked.name(at - 2).is_some() => -1,
        _ => 0,
    }
}

/// How surely the sender says that it was them.
fn own_score(masked: &Masked<'_, '_>) -> i32 {
    #[rustfmt::skip]
    static SAID: PhraseSet = phrase_set!(&[
        "by me", "on me", "from me", "yours truly", "moi", "myself", "meself", "out of pocket",
        "owe me", "owes me", "reimburse me", "refund me", "refunded me", "pay me", "paid me back",
        "paying me", "was me", "put me down", "that's me", "thats me", "all me", "off me",
        "of mine", "on mine", "is mine", "was mine", "out of mine", "humble servant", "claiming",
        "i'm out", "im out", "i'm down", "to me", "outta my", "money me", "owed me", "against me",
        "c'est moi", "mig", "mich", "credit me", "claim it", "claim that", "cost me",
        "got me for", "stung me", "set me back", "it on mine", "log it for me", "all mine",
        "me who", "me that", "i did", "i settled", "square me", "back at me",
    ]);
    let mut score = if masked.has(&SAID) { 6 } else { 0 };
    for at in 0..masked.pieces.len() {
        score = score.max(match masked.word(at) {
            "i" | "i've" | "ive" | "imma" => i_pay(masked, at),
            "my" => mine(masked, at),
            "me" | "mine"
                if masked.mark(at) > Mark::Blank
                    && masked.mark(at + 1) > Mark::Blank
                    && !matches!(masked.word(at + 1), "and" | "n") =>
            {
                6
            }
            _ => 0,
        });
    }
    score
}

/// Verbs after "I" with which it is no longer the one who pays.
#[rustfmt::skip]
static NO_PAYING: WordSet = set!(&[
    "said", "wrote", "typed", "think", "told", "thought", "reckon", "meant", "owe", "will", "can",
    "could", "would", "heard", "hear", "see", "saw", "need",
]);
/// Verbs after "I" that often say something else than paying.
#[rustfmt::skip]
static WEAK_OF_ME: WordSet = set!(&[
    "had", "did", "got", "booked", "ordered", "signed", "drove", "ended", "handled", "fixed",
]);

/// "I", and a verb of paying near by.
fn i_pay(masked: &Masked<'_, '_>, at: usize) -> i32 {
    let mut here = at + 1;
    while here < at + 7 && masked.mark(here) < Mark::Stop {
        let word = masked.word(here);
        if NO_PAYING.contains(word) || here > at + 1 && matches!(word, "he" | "she" | "they" | "we")
        {
            return 0;
        }
        if here > at + 1 && masked.name(here).is_some() && masked.mark(here) > Mark::Blank {
            return 0;
        }
        if PAYS.contains(word)
            && word != "a"
            && !matches!(word, "ne" | "put" if masked.says(here + 1, "in the sheet"))
        {
            let weak = WEAK_OF_ME.contains(word);
            return if weak { 6 } else { 8 };
        }
        here += 1;
    }
    0
}

fn mine(masked: &Masked<'_, '_>, at: usize) -> i32 {
    let near = (at + 1..at + 5).take_while(|at| masked.mark(*at) == Mark::Blank);
    let source =
        near.filter(|at| masked.name(*at).is_none()).any(|at| SOURCES.contains(masked.word(at)));
    let whose = matches!(
        masked.word(at + 1),
        "mum's" | "dad's" | "brother's" | "sister's" | "husband's" | "wife's" | "bill"
    );
    if source && !whose { 8 } else { 0 }
}

/// Whether the sum is still to be paid.
fn is_unpaid(masked: &Masked<'_, '_>) -> bool {
    #[rustfmt::skip]
    static OPEN: PhraseSet = phrase_set!(&[
        "due", "owing", "owed", "outstanding", "unpaid", "we owe", "not paid", "not yet paid",
        "yet to be", "still to", "to be paid", "to be settled", "to pay", "payable", "invoice",
        "invoiced", "balance is", "balance of", "remaining balance", "final balance", "they want",
        "she wants", "he wants", "wants the", "wants his", "wants her", "expects", "expecting",
        "needs paying", "not settled", "will pay", "i'll pay", "we'll pay", "i'll settle",
        "haven't paid", "hasn't been paid", "nobody's paid", "nobody paid", "no one has paid",
        "nobody has paid", "on the day", "on arrival", "net 30", "billed us", "bill us",
        "still owe", "still owes", "to settle", "contract", "agreed at", "we've to",
        "on collection", "on the night", "is wanted", "want it by", "terms", "deadline",
        "short with", "who has it", "left to pay", "on delivery", "still open", "not been paid",
        "isn't paid", "no one's paid", "waiting on", "to come", "hasn't paid", "hasnt been paid",
        "the rest is", "to be cleared", "to be in", "at check in", "gets the other", "the other",
        "remaining *", "rest *", "has to be in", "who'll pay", "from us", "waiting for",
        "waiting on", "they get", "he gets", "she gets", "end of month", "at delivery",
        "at drop off", "they'll take", "takes it", "take it at", "take it in", "pending", "baki",
        "left with", "is open", "to transfer", "rupees left", "be in his hand", "be in her hand",
        "we're in for", "will go to", "remind us",
    ]);
    masked.has(&OPEN)
}

/// Whether the group's purse paid, or a correction leaves open who did.
fn is_of_group(masked: &Masked<'_, '_>) -> bool {
    #[rustfmt::skip]
    static GROUP: PhraseSet = phrase_set!(&[
        "we paid", "we've paid", "we have paid", "we put", "we gave", "we've given", "we spent",
        "we sent", "we settled", "we transferred", "we dropped", "kitty", "float", "petty cash",
        "committee", "joint account", "joint pot", "allotment card", "group account", "fund",
        "funds", "welfare purse", "pot", "our account", "float", "treasury", "club account",
        "group pot", "the company", "correction", "meant to say", "i meant", "should be",
        "should read", "should have been", "not *", "instead of", "amend", "scratch that",
        "change of amount", "rectification", "misread", "is now", "corrected", "we've put",
        "we've processed", "we put", "estate", "i wrote", "i typed", "wasn't right",
        "swapped places", "real figure", "the wrong", "wrong on", "mistake of", "did i write",
        "turned the", "korrektur", "down from", "call it *", "we spent", "by us",
    ]);
    masked.has(&GROUP)
}
