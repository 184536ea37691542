//! The subject of a question: what the records are asked for as a whole, else the thing, the noun or the person asked about.

use super::super::findings::Findings;
use super::super::text::Text;
use super::super::words::{self, DAYS};
use super::topic::Topic;
use crate::detect::word_set::{WordSet, set};

/// Subjects that are no things, with the words that ask for them; the first that is met wins.
const WHOLES: &[(Topic, &str, &[&str])] = &[
    (
        Topic::Spending,
        "budget remaining",
        &[
            " left in the ",
            " remaining ",
            " remains ",
            " wiggle room ",
            " left to spend ",
            " breathing room ",
            " how much left ",
            " how much is left ",
            " still got to spend ",
        ],
    ),
    (
        Topic::Spending,
        "budget",
        &[" budget ", " bust ", " over ", " overspent ", " crossed ", " in the red "],
    ),
    (
        Topic::Spending,
        "per head",
        &[" per head ", " a head ", " per person ", " per player ", " each "],
    ),
    (
        Topic::Spending,
        "unpaid",
        &[
            " unpaid ",
            " hasn't paid ",
            " hasnt paid ",
            " haven't paid ",
            " coughed up ",
            " not paid ",
            " open still ",
            " who still owes ",
            " yet to pay ",
        ],
    ),
    (
        Topic::Spending,
        "balance",
        &[
            " i owe ",
            " owes me ",
            " owe me ",
            " am i square ",
            " i'm square ",
            " owe anyone ",
            " owe anything ",
            " owe anybody ",
        ],
    ),
    (Topic::Spending, "kitty", &[" kitty ", " the pot "]),
    (
        Topic::Spending,
        "per person",
        &[
            " who's put ",
            " who has put ",
            " put in the most ",
            " put in the least ",
            " who's spent ",
        ],
    ),
    (Topic::Tasks, "overdue", &[" overdue ", " late on "]),
    (
        Topic::Tasks,
        "unassigned",
        &[" unassigned ", " no name ", " nobody's name ", " without a name ", " without an owner "],
    ),
    (
        Topic::Tasks,
        "outstanding",
        &[
            " outstanding ",
            " left to do ",
            " still to do ",
            " still needs doing ",
            " still open ",
            " needs doing ",
            " pending ",
            " baaki ",
            " to do list ",
            " still to be done ",
            " is left ",
        ],
    ),
    (Topic::People, "dietary", &[" dietary ", " can't eat ", " dietaries "]),
    (
        Topic::People,
        "rsvp",
        &[
            " rsvp ",
            " rsvps ",
            " rsvpd ",
            " said yes ",
            " not answered ",
            " haven't answered ",
            " hasn't answered ",
            " yes or no ",
            " replied ",
        ],
    ),
    (
        Topic::People,
        "headcount",
        &[
            " headcount ",
            " final number ",
            " final numbers ",
            " how many people ",
            " how many are coming ",
            " how many coming ",
            " how many of us ",
            " how many are we ",
            " are we now ",
            " how many ppl ",
            " how many heads ",
        ],
    ),
    (Topic::Other, "dress code", &[" dress code "]),
    (Topic::Other, "door code", &[" door code "]),
    (Topic::Other, "gate code", &[" gate code "]),
    (Topic::Other, "wifi", &[" wifi ", " wi fi "]),
];

/// Words of asking and of common verbs: never a subject by themselves.
#[rustfmt::skip]
static ASKING: WordSet = set!(&[
    "abeg", "abhi", "about", "abt", "actually", "after", "again", "agenda", "agree", "agreed",
    "ah", "already", "also", "altogether", "anong", "answer", "answered", "any", "anybody",
    "anyone", "anything", "anywhere", "arrive", "arrives", "arriving", "ask", "asked", "asking",
    "asks", "at", "aunty", "baaki", "back", "baje", "balance", "be", "because", "before", "begin",
    "being", "between", "bhai", "biggest", "bill", "bit", "book", "booked", "boss", "bring",
    "bringing", "brought", "budget", "by", "call", "called", "came", "can", "can't", "care",
    "charge", "chase", "chased", "check", "choices", "chose", "close", "closes", "come", "coming",
    "confirmed", "cost", "costs", "could", "count", "current", "currently", "damage", "date",
    "day", "days", "decide", "decided", "deposit", "did", "didn't", "does", "doing", "don't",
    "done", "down", "eh", "end", "erm", "even", "evening", "ever", "everybody", "everyone",
    "everything", "exact", "exactly", "far", "feeling", "final", "find", "finish", "finished",
    "first", "fix", "fixed", "folks", "for", "forgot", "forgotten", "from", "gentle", "get",
    "getting", "give", "go", "going", "gone", "gonna", "good", "got", "gotta", "guys", "had",
    "haha", "hai", "hand", "handling", "handy", "happen", "happening", "hasn't", "hath", "haven't",
    "head", "hear", "heard", "hello", "hey", "hi", "hook", "hour", "how", "how's", "hows", "hua",
    "husband", "i'll", "i'm", "i've", "idea", "if", "in", "isn't", "it's", "items", "ji", "job",
    "jobs", "just", "kab", "keep", "keeping", "kind", "kindly", "kitna", "kitne", "kitni", "know",
    "kya", "la", "lads", "lah", "last", "latest", "leave", "leaves", "leaving", "left", "like",
    "list", "log", "lol", "look", "looking", "lost", "lot", "made", "make", "making", "many",
    "may", "maybe", "me", "meant", "memory", "might", "min", "mind", "mine", "moment", "money",
    "moneywise", "morning", "most", "much", "must", "myself", "na", "name", "names", "need",
    "needs", "news", "next", "nga", "no", "nobody", "notes", "nothing", "now", "number", "of",
    "off", "oh", "ok", "okay", "on", "one", "ones", "open", "opens", "options", "oras", "order",
    "ordered", "out", "over", "owe", "owes", "paid", "pay", "people", "per", "person",
    "personally", "pick", "picked", "plan", "plate", "please", "pls", "plz", "point", "poll",
    "ppl", "put", "question", "quick", "r", "re", "ready", "really", "recap", "remember", "remind",
    "replied", "reply", "responsible", "result", "results", "right", "ring", "rough", "roughly",
    "rung", "running", "said", "say", "says", "schedule", "scroll", "see", "sef", "send", "sent",
    "settle", "settled", "shall", "share", "sheet", "should", "since", "so", "somebody", "someone",
    "something", "somewhere", "sorry", "sort", "sorted", "spend", "spent", "stand", "standing",
    "stands", "start", "starts", "status", "still", "summary", "supposed", "sure", "tak", "taking",
    "tally", "task", "tasks", "tell", "tha", "thanks", "that's", "there", "there's", "they've",
    "thing", "things", "think", "thread", "three", "time", "timing", "timings", "to", "today",
    "together", "told", "total", "track", "treasurer", "two", "u", "um", "uncle", "under", "until",
    "up", "update", "ur", "us", "very", "vote", "voted", "votes", "voting", "wait", "want",
    "wants", "wasn't", "wat", "way", "we've", "week", "well", "what", "what's", "whats", "when",
    "when's", "whens", "where", "where's", "wheres", "whether", "which", "who", "who's", "whole",
    "whos", "whose", "why", "will", "win", "winning", "wise", "with", "won", "won't", "word",
    "work", "working", "works", "wot", "would", "written", "ya", "yes", "yet", "you've",
]);

/// What is asked about.
pub(super) fn of(findings: &Findings<'_, '_>, topic: Topic) -> Option<String> {
    let text = findings.text;
    let line = line(text);
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| stands(&line, phrase));
    let whole = WHOLES.iter().find(|(of, _, phrases)| *of == topic && has(phrases));
    let specific = |name: &str| {
        matches!(name, "per head" | "budget" | "unpaid" | "outstanding" | "rsvp" | "per person")
    };
    let noun = noun(findings);
    if let Some((_, name, _)) = whole
        && !(specific(name) && noun.is_some() && !findings.things.is_empty())
    {
        return Some((*name).to_owned());
    }
    let thing = findings.things.first().map(|thing| around(text, thing.span.clone()));
    let name = findings.names.first().map(|name| name.said.clone());
    let noun = if topic == Topic::Spending && whole.is_none() {
        noun_after(findings, &["on", "for", "to"])
            .or(noun.filter(|_| !line.contains(" far ") && !line.contains(" total ")))
    } else {
        noun
    };
    let noun = if topic == Topic::People && thing.is_none() && counts(&line) { None } else { noun };
    let own = whole.map(|(_, name, _)| (*name).to_owned());
    let all = || match topic {
        Topic::Spending => Some("total".to_owned()),
        Topic::People => Some("headcount".to_owned()),
        Topic::Polls | Topic::Schedule | Topic::Tasks | Topic::Other => None,
    };
    thing.or(own).or(name).or(noun).or_else(all)
}

/// Whether the phrase, with its blanks, stands in a line of words.
fn stands(line: &str, phrase: &str) -> bool {
    let (line, phrase) = (line.as_bytes(), phrase.as_bytes());
    let mut blanks = line.iter().enumerate().filter(|(_, byte)| **byte == b' ');
    blanks.any(|(at, _)| line[at..].starts_with(phrase))
}

fn line(text: &Text<'_>) -> String {
    let mut line = String::with_capacity(text.folded().len() + 2);
    line.push(' ');
    for at in 0..text.words().len() {
        line.push_str(text.word(at));
        line.push(' ');
    }
    line
}

pub(super) fn tells(word: &str) -> bool {
    word.len() > 2
        && !words::is_function(word)
        && !ASKING.contains(word)
        && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// A thing as it was said, with the noun right behind it: "raffle licence".
fn around(text: &Text<'_>, span: std::ops::Range<usize>) -> String {
    let next = text.word_from(span.end);
    let end = match text.words().get(next) {
        Some(word)
            if text.folded().get(span.end..word.start) == Some(" ") && tells(text.word(next)) =>
        {
            word.end
        }
        _ => span.end,
    };
    text.said(span.start..end).to_lowercase()
}

/// "are we 64 or 67", "final count": a question for how many there are in all.
fn counts(line: &str) -> bool {
    let mut before = "";
    let either = line.split_ascii_whitespace().any(|word| {
        let hit = before == "or" && word.bytes().all(|byte| byte.is_ascii_digit());
        before = word;
        hit
    });
    either
        || [" final count ", " numbers ", " how many in total ", " total number "]
            .iter()
            .any(|phrase| stands(line, phrase))
}

/// The telling words right behind one of these words.
fn noun_after(findings: &Findings<'_, '_>, leads: &[&str]) -> Option<String> {
    let text = findings.text;
    let at = (1..text.words().len()).find(|at| {
        let before = text.word(at - 1);
        let led = if matches!(before, "the" | "a" | "our" | "my") {
            at.checked_sub(2).map_or("", |at| text.word(at))
        } else {
            before
        };
        tells(text.word(*at)) && leads.contains(&led)
    })?;
    let word = text.words().get(at)?.clone();
    Some(text.said(word).to_lowercase())
}

/// The telling words behind an article or a preposition, else the first telling ones.
fn noun(findings: &Findings<'_, '_>) -> Option<String> {
    let text = findings.text;
    let len = text.words().len();
    let fits = |at: usize| tells(text.word(at)) && !DAYS.contains(text.word(at));
    let led = (1..len).find(|at| fits(*at) && is_lead(text.word(at - 1)));
    let first = led
        .or_else(|| (0..len).find(|at| fits(*at)))
        .or_else(|| (0..len).find(|at| DAYS.contains(text.word(*at))))?;
    let glued = |at: usize| {
        let gap = text
            .words()
            .get(at)
            .zip(text.words().get(at + 1))
            .and_then(|(one, two)| text.folded().get(one.end..two.start));
        matches!(gap, Some(" " | "-"))
    };
    let mut last = first;
    while last < first + 2 && glued(last) && fits(last + 1) {
        last += 1;
    }
    let (start, end) = (text.words().get(first)?.start, text.words().get(last)?.end);
    Some(text.said(start..end).to_lowercase())
}

fn is_lead(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "our"
            | "my"
            | "for"
            | "on"
            | "of"
            | "that"
            | "those"
            | "about"
            | "a"
            | "an"
            | "his"
            | "her"
            | "their"
            | "with"
    )
}
