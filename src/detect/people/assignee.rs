//! Who is to do it: the one who is asked or offers, `someone`, `everyone`, or nobody said.

use super::{Mark, Masked, Name};
use crate::detect::word_set::{PhraseSet, WordSet, phrase_set, set};

/// Words after a name that put the job on its bearer.
#[rustfmt::skip]
static ASKED: WordSet = set!(&[
    "are", "babe", "baby", "beta", "bhai", "brings", "bro", "can", "could", "da", "darling",
    "dear", "does", "doing", "don't", "dont", "gets", "goes", "going", "gonna", "hai", "handles",
    "has", "honey", "hun", "is", "ji", "kindly", "knows", "likes", "love", "mate", "maybe",
    "might", "must", "na", "need", "needs", "offered", "ought", "pal", "please", "pls", "plss",
    "plz", "porfa", "remember", "said", "sends", "should", "sis", "takes", "te", "to", "u", "ur",
    "volunteered", "wanna", "was", "will", "would", "x", "yaar", "you", "you're", "your", "youre",
]);
/// Orders that may follow a name at once: "Shonda call the rec centre".
#[rustfmt::skip]
static ORDERS: WordSet = set!(&[
    "add", "arrange", "ask", "bake", "book", "borrow", "bring", "build", "buy", "call", "cancel",
    "chase", "check", "clean", "collect", "confirm", "contact", "design", "dig", "do", "double",
    "draft", "drop", "email", "fetch", "find", "finish", "fix", "forward", "get", "give", "go",
    "grab", "handle", "haul", "help", "hire", "hit", "hold", "hunt", "keep", "lead", "let",
    "line", "load", "lock", "look", "mail", "make", "message", "move", "nip", "order", "organise",
    "organize", "pay", "phone", "pick", "ping", "post", "price", "print", "put", "reply",
    "reserve", "return", "ring", "run", "see", "send", "set", "share", "shoot", "sort", "speak",
    "start", "stick", "swap", "swing", "take", "tell", "text", "transfer", "try", "update",
    "upload", "wear", "write",
]);

/// Who is to do it: names joined with ", ", `me`, `someone`, `everyone`, or nobody said.
pub(in crate::detect) fn assignee(masked: &Masked<'_, '_>, names: &[Name]) -> Option<String> {
    let named = likeliest(masked, names);
    let mine = mine(masked);
    let all = everyone(masked);
    let anyone = anyone(masked);
    match named {
        Some((score, name)) if score >= 7 || score >= 4 && mine.is_none() && all.is_none() => {
            return Some(name);
        }
        _ => {}
    }
    match (mine, all, anyone) {
        (Some(mine), _, Some(anyone)) if anyone + 2 < mine => Some("someone".to_owned()),
        (Some(_), _, _) => Some("me".to_owned()),
        (None, Some(_), _) => Some("everyone".to_owned()),
        (None, None, Some(_)) => Some("someone".to_owned()),
        (None, None, None) => None,
    }
}

/// The likeliest names, given that somebody named is to do it.
pub(in crate::detect) fn named_assignee(masked: &Masked<'_, '_>, names: &[Name]) -> Option<String> {
    likeliest(masked, names).map(|(_, name)| name)
}

fn likeliest(masked: &Masked<'_, '_>, names: &[Name]) -> Option<(i32, String)> {
    let mut best: Option<(i32, usize)> = None;
    for at in 0..masked.pieces.len() {
        let Some(name) = masked.name(at).and_then(|name| names.get(name)) else { continue };
        let score = score(masked, at) + i32::from(name.known);
        if best.is_none_or(|(most, _)| score > most) {
            best = Some((score, at));
        }
    }
    let (score, at) = best?;
    Some((score, pair(masked, names, at)?))
}

/// The name, with the one beside it: "Jas & Kirsty", "me & Kristen".
fn pair(masked: &Masked<'_, '_>, names: &[Name], at: usize) -> Option<String> {
    let own = &names.get(masked.name(at)?)?.said;
    let and = |at: usize| {
        let said = masked.pieces.get(at).is_some() && matches!(masked.word(at), "and" | "n" | "or");
        said && masked.mark(at) < Mark::Stop
    };
    let person = |at: usize| match masked.name(at) {
        Some(name) if !masked.pieces[at].owns => names.get(name).map(|name| name.said.clone()),
        Some(_) => None,
        None => matches!(masked.word(at), "me" | "i").then(|| "me".to_owned()),
    };
    let beside = &masked.text.folded()[masked.pieces[at].span.end..];
    let plus = beside.starts_with(" &") || beside.starts_with(" +") || beside.starts_with("&");
    if plus && let Some(other) = person(at + 1) {
        return Some(format!("{own}, {other}"));
    }
    if and(at + 1)
        && let Some(other) = person(at + 2)
    {
        return Some(format!("{own}, {other}"));
    }
    let before = masked.text.folded()[..masked.pieces[at].span.start].trim_end();
    if before.ends_with(['&', '+'])
        && let Some(other) = at.checked_sub(1).and_then(person)
    {
        return Some(format!("{other}, {own}"));
    }
    if at >= 2
        && and(at - 1)
        && let Some(other) = person(at - 2)
    {
        return Some(format!("{other}, {own}"));
    }
    Some(own.clone())
}

fn score(masked: &Masked<'_, '_>, at: usize) -> i32 {
    let piece = &masked.pieces[at];
    let (before, after) = (masked.back(at, 1), masked.word(at + 1));
    let opens = piece.mark == Mark::Stop;
    let tied = masked.mark(at) == Mark::Blank;
    let mentioned = masked.text.folded()[..piece.span.start].ends_with('@');
    if mentioned {
        return 9;
    }
    if piece.owns {
        return owner(masked, at);
    }
    let mut score = if tied { asked_before(masked, at, before) } else { 0 };
    if masked.mark(at + 1) == Mark::Blank && score > -4 {
        score += follows(masked, at, after);
    }
    let closed = masked.mark(at + 1) > Mark::Blank;
    let asked = masked.text.folded()[piece.span.end..].trim_start().starts_with('?');
    if at > 0
        && at + 1 == masked.pieces.len()
        && !asked
        && (opens
            || matches!(
                before,
                "regards" | "thanks" | "love" | "ta" | "cheers" | "best" | "blessings"
            ))
    {
        return -3;
    }
    if closed && (opens || masked.mark(at) == Mark::Comma) {
        score += 6;
    } else if opens && score >= 0 {
        score += 1;
    }
    score
}

/// What the word before the name says.
fn asked_before(masked: &Masked<'_, '_>, at: usize, before: &str) -> i32 {
    match before {
        "can" | "could" | "would" | "will" => 7,
        "ask" | "get" | "remind" | "tell" if masked.says(at + 1, "to") => 5,
        "ask" | "remind" => -6,
        "thinking" | "maybe" | "nominate" | "reckon" | "think" | "get" => 4,
        "to" if matches!(masked.back(at, 2), "over" | "down" | "up") => 7,
        "you" | "you're" | "hey" | "hi" | "hello" | "right" | "ok" | "please" | "pls" | "dear"
        | "so" | "morning" => 5,
        "that's" | "are" | "is" => 3,
        "and" | "n" | "&" | "or" if masked.name(at.wrapping_sub(2)).is_some() => 0,
        "for" | "with" | "from" | "at" | "in" | "of" | "about" | "on" | "if" | "whether" | "to"
        | "the" | "ring" | "call" | "email" | "text" | "phone" | "message" | "contact" | "by"
        | "send" | "give" | "let" | "pay" | "chase" | "like" | "collect" | "invite" | "via"
        | "w" | "near" | "behind" => -6,
        _ => 0,
    }
}

/// What follows "Bev is" when Bev is to do it.
const TO_DO: &[&str] = &[
    "to",
    "on",
    "doing",
    "bringing",
    "getting",
    "returning",
    "asking",
    "making",
    "in charge",
    "the one",
    "going",
    "gonna",
    "ordering",
    "taking",
];

/// What the word after the name says.
fn follows(masked: &Masked<'_, '_>, at: usize, after: &str) -> i32 {
    match after {
        "can" | "could" | "please" | "pls" | "plz" | "will" | "would" | "to" | "you" | "u"
        | "you're" | "ur" | "must" | "needs" | "gets" | "kindly" => 7,
        "is" | "was" | "has" | "said" | "knows" | "are" | "offered" | "volunteered"
            if TO_DO.iter().any(|words| masked.says(at + 2, words)) =>
        {
            7
        }
        "the" | "we" | "i" | "there's" | "that" | "it's" | "i'm" | "any" | "lo" | "una"
        | "abeg" | "ko" | "those" | "this"
            if masked.mark(at) == Mark::Stop =>
        {
            5
        }
        "is" | "was" | "has" | "said" | "knows" | "are" | "if" | "and" | "who" => 1,
        word if ORDERS.contains(word) => 6,
        word if ASKED.contains(word) => 4,
        _ => 0,
    }
}

/// "Ger's to drop the flowers", "Bev's job is raffle", "Yuki's got it"; else the owner of a thing.
fn owner(masked: &Masked<'_, '_>, at: usize) -> i32 {
    match masked.word(at + 1) {
        "to" | "gonna" | "doing" | "bringing" | "getting" | "making" | "asking" | "on"
        | "sorting" | "taking" | "ordering" | "collecting" | "picking" | "going" | "job"
        | "booking" => 7,
        "got" | "turn" | "offered" | "driving" | "baking" | "buying" | "ringing" | "calling"
        | "handling" => 5,
        _ => -3,
    }
}

/// Where the sender takes the job.
fn mine(masked: &Masked<'_, '_>) -> Option<usize> {
    #[rustfmt::skip]
    static SAID: PhraseSet = phrase_set!(&[
        "i'll", "ill", "i will", "i shall", "i'm gonna", "im gonna", "i'm going to", "i'm making",
        "i'm booking", "i'm sorting", "i'm taking", "i'm getting", "i'm doing", "i'm buying",
        "i'm on it", "i'm writing", "i'm chasing", "i'm down for", "i'm bringing", "i'm ordering",
        "i'm driving", "i'm picking", "i'm collecting", "i'm printing", "i'm the one",
        "i'm off to", "i'm happy to", "i'm baking", "i'm calling", "i'm ringing", "i'm sending",
        "im bringing", "im getting", "im doing", "i can", "i could", "dibs", "bags me", "bagsy",
        "shotgun", "let me", "lemme", "i've got the", "i got the", "i'd better", "i better",
        "i need to", "i have to", "i've to", "i gotta", "i must", "remind me", "reminder to self",
        "note to self", "leave it with me", "leave that with me", "leave it to me",
        "leave * with me", "leave the * with me", "leave the * to me", "with me", "guess i'm",
        "leaves me", "i guess i", "happy to", "count me in", "put me down", "putting myself down",
        "imma", "ima", "i am going", "i am to", "i am gonna", "i should", "falls to me",
        "i'd be happy", "i volunteer", "i'm volunteering", "me and", "mine to", "on my list",
        "my job", "stopping by", "i don bring", "i offer", "i might", "i plan to",
        "i was going to", "i'll", "picking up", "i'm on", "i'm in charge", "i'm making",
        "i'm going", "i'm off", "i'm painting", "i'm cooking", "i'm gonna", "i'm handling",
        "my turn", "for me", "my trunk", "i wanna", "i want to",
    ]);
    masked.find(&SAID)
}

/// Where everyone is told to.
fn everyone(masked: &Masked<'_, '_>) -> Option<usize> {
    #[rustfmt::skip]
    static SAID: PhraseSet = phrase_set!(&[
        "everyone", "everybody", "every one", "all of you", "you all", "each of you",
        "each of us", "all of us", "from everyone", "all please", "please all", "all bring",
        "each guest", "all parents", "y'all need", "all to", "your names", "yer names",
        "send me your", "please girls", "please folks", "please guys", "please lads",
        "please ladies", "folks please", "guys please", "ladies please", "all plot holders",
        "thursday folks", "mums assemble", "team please",
    ]);
    let at = masked.find(&SAID)?;
    let told = (at..at + 6).any(|at| {
        ORDERS.contains(masked.word(at))
            || matches!(
                masked.word(at),
                "please"
                    | "pls"
                    | "plz"
                    | "has"
                    | "needs"
                    | "fill"
                    | "must"
                    | "should"
                    | "upload"
                    | "your"
                    | "rsvp"
            )
    });
    let ordered = (at.saturating_sub(9)..at)
        .any(|at| matches!(masked.word(at), "please" | "pls" | "need" | "your" | "from"));
    (told || ordered || masked.mark(at + 1) == Mark::Stop).then_some(at)
}

/// Where whoever will is asked.
fn anyone(masked: &Masked<'_, '_>) -> Option<usize> {
    #[rustfmt::skip]
    static SAID: PhraseSet = phrase_set!(&[
        "someone", "somebody", "sum1", "some1", "sb", "somebodys", "someone's", "somebody's",
        "anyone", "anybody", "any1", "anyone's", "whoever", "whoever's", "one of you",
        "one of us", "one of the", "one of yous", "one of ye", "any of you", "volunteer",
        "volunteers", "volunteer's", "a hero", "can you", "can u", "can ya", "could you",
        "could u", "will you", "would you", "can ye", "can yous", "can one", "who's", "who'll",
        "who can", "who wants", "who is", "who has", "whos", "any takers", "some kind soul",
        "can we get", "a grown up", "would the person", "will whoever", "who could",
        "would it kill", "two of you", "would ye", "could ye", "can someone", "whose",
        "the person", "two people", "some kind", "any volunteers", "anyone with", "who fancies",
        "who's able", "who is able", "we need somebody",
    ]);
    masked.find(&SAID)
}
