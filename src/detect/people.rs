//! Who is meant: names in the text, and the text as a row of names and words that the readers of roles walk over.

mod given;
mod assignee;
mod payer;
mod split;

use std::ops::Range;

use super::text::Text;
use super::words;
use crate::domain::chat::Event;

pub(super) use assignee::{assignee, named_assignee};
pub(super) use payer::{named_payer, payer};
pub(super) use split::split;

/// A name in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// As written.
    pub(super) said: String,
    /// Where it stands in the folded text.
    pub(super) span: Range<usize>,
    /// Whether a participant of the event is called that.
    pub(super) known: bool,
}

const KIN: &[&str] = &[
    "mum", "mom", "mam", "mammy", "ma", "mummy", "mama", "dad", "da", "daddy", "papa", "nan", "nana", "nanna", "gran",
    "granny", "grandma", "grandpa", "grandad", "granddad", "auntie", "aunty", "aunt", "uncle", "amma", "appa", "ammi",
    "abbu", "abuela", "abuelo", "abuelita", "hubby", "bro", "sis", "nani", "dada", "didi", "bhaiya", "bhabhi", "bestie",
    "tía", "tío", "kuya", "ate", "mak", "oma", "opa", "nonna", "nonno", "thaththa", "koro", "pops", "papi", "mami",
    "memaw", "mamaw", "papaw", "meemaw", "jiju", "mausi", "chachu", "chacha", "lola", "lolo", "maman", "mutti", "baba",
];
/// Kin that are words as well: only with a capital.
const KIN_WORDS: &[&str] = &["ma", "da", "ate", "mak", "dada", "oma", "opa", "lola", "lolo", "baba", "mama", "mam", "koro", "bro", "sis", "aunt"];
/// Words that are part of the name when one follows: Auntie Pam, Wee Jim, Fr Aidan.
const TITLES: &[&str] = &[
    "auntie", "aunty", "aunt", "uncle", "unc", "grandpa", "grandma", "grandad", "granny", "gran", "nana", "cousin", "tío", "tía", "tio",
    "tia", "tita", "tito", "tante", "onkel", "father", "fr", "sister", "sr", "brother", "bro", "mr", "mrs", "ms", "miss", "dr", "prof", "rev",
    "reverend", "pastor", "deacon", "deaconess", "canon", "bishop", "rabbi", "imam", "coach", "wee", "big", "little", "old", "young",
    "kuya", "ate", "kak", "abang", "oom", "baba", "mama", "papa", "mummy", "chef", "captain", "señor", "señora", "doña", "don", "frau", "herr",
    "zio", "zia", "farbror", "mister", "madam", "sir", "lady", "elder", "chief", "alhaji", "alhaja", "maame", "abu", "mam", "pak", "bu", "cikgu",
    "ustaz", "principal", "nanny", "nan", "pop", "tanty", "bác",
];
/// Words after a given name that are part of it: Bose babu, Kiran didi.
const ENDINGS: &[&str] = &["ji", "babu", "da", "didi", "bhai", "bhaiya", "chettan", "akka", "anna", "abi", "chacha", "aunty", "auntie", "uncle", "san", "mashi", "nangi"];
/// What may follow a name at the start of a sentence, where a capital proves nothing.
const AFTER_NAME: &[&str] = &[
    "can", "could", "please", "pls", "plz", "paid", "pays", "you", "you're", "to", "did", "said", "says", "covered", "has",
    "sorted", "put", "picked", "will", "gave", "got", "shelled", "ka", "ne", "would", "bhai", "beta", "since", "your", "already",
    "bought", "fronted", "spent", "booked", "ur", "u", "needs", "handed", "settled", "transferred", "forked", "coughed", "chipped",
    "love", "hun", "mate", "dear", "darling", "babe", "pal", "bro", "sis", "is", "was", "took", "wrote", "sent", "stuck", "kindly",
    "also", "just", "knows", "wants", "does", "tapped", "swiped", "slipped", "insisted", "footed", "stumped", "advanced", "wired",
    "made", "gets", "ordered", "grabbed", "cleared", "do", "get", "bring", "ring", "call", "ask", "send", "check", "book", "grab", "any",
    "remember", "don't", "dont", "should", "must", "still", "hasn't", "offered", "volunteered", "drove", "who", "and", "if", "when",
];
/// Words that open sentences and are no names, whatever follows.
const OPENERS: &[&str] = &[
    "i", "we", "you", "he", "she", "it", "they", "someone", "somebody", "anyone", "anybody", "everyone", "everybody", "who",
    "whoever", "what", "when", "where", "how", "which", "the", "this", "that", "these", "those", "can", "could", "would", "will",
    "please", "pls", "plz", "let", "lets", "ok", "okay", "so", "and", "but", "or", "if", "not", "no", "yes", "yeah", "is", "are", "was",
    "do", "does", "did", "has", "have", "had", "guys", "folks", "all", "paid", "booked", "need", "dont", "just", "get", "got", "hey",
    "hi", "hello", "right", "now", "there", "here", "nobody", "people", "team", "kids", "one", "two", "three", "gotta", "happy", "glad",
    "able", "ready", "remember", "going", "want", "time", "thanks", "thank", "due", "try", "trying", "back", "next", "good", "great",
    "sent", "thinking", "morning", "evening", "afternoon", "sorry", "total", "balance", "deposit", "invoice", "update", "reminder",
    "correction", "also", "well", "oh", "ah", "aye", "lads", "ladies", "girls", "boys", "any", "some", "my", "our", "your", "his", "her",
    "their", "bought", "ordered", "spent", "put", "gave", "got", "last", "first", "half", "half", "final", "new", "old", "just", "another",
    "called", "picked", "settled", "collected", "transferred", "fyi", "ps", "re", "for", "from", "in", "on", "at", "to", "by", "with", "of",
    "add", "log", "note", "guess", "turns", "still", "only", "maybe", "actually", "wait", "yep", "nope", "done", "sorted", "dear", "love",
    "cheers", "regards", "best", "everything", "nothing", "something", "god", "jesus", "christ", "lol", "omg", "ffs", "btw", "hotel", "hall",
    "venue", "cake", "band", "dj", "photographer", "florist", "caterer", "catering", "church", "parents", "flowers", "food", "drinks", "petrol",
    "who's", "don't", "make", "book", "ring", "call", "send", "ask", "check", "find", "bring", "buy", "grab", "pick", "tell", "chase",
];
/// Shops, cards and banks, which have capitals and pay nothing by themselves.
const BRANDS: &[&str] = &[
    "amex", "visa", "mastercard", "barclaycard", "paypal", "monzo", "revolut", "venmo", "zelle", "gpay", "gcash", "tesco", "asda", "aldi",
    "lidl", "costco", "amazon", "ebay", "argos", "ikea", "booker", "makro", "sainsburys", "walmart", "target", "publix", "etsy", "airbnb",
    "uber", "klarna", "starling", "chase", "discover", "whatsapp", "facebook", "google", "excel", "english", "indian", "italian", "french",
    "german", "irish", "scottish", "welsh", "spanish", "chinese", "thai", "christmas", "easter", "diwali", "eid", "halloween", "london",
    "dublin", "lagos", "mumbai", "delhi", "upi", "neft", "atm", "vat", "gst", "pdf", "dm", "mass", "god", "bacs", "swish", "momo", "mpesa",
    "bank", "st", "saint", "hotel", "hall", "club", "inn", "centre", "center", "road", "street", "lodge", "bakery", "cafe",
];

/// All names, in the order in which they stand: participants, kin, and capitalised words that can be names.
pub(super) fn names(text: &Text<'_>, event: Option<&Event>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < text.words().len() {
        let Some((length, known)) = name_at(text, event, at) else {
            at += 1;
            continue;
        };
        let span = text.words()[at].start..text.words()[at + length - 1].end;
        let owned = text.folded()[span.clone()].ends_with("'s");
        let span = if owned { span.start..span.end - 2 } else { span };
        names.push(Name { said: text.said(span.clone()).to_owned(), span, known });
        at += length;
    }
    names
}

fn bare<'t>(text: &'t Text<'_>, at: usize) -> &'t str {
    let word = text.word(at);
    word.split('\'').next().unwrap_or(word)
}

/// How many words the name at this word has, and whether a participant bears it.
fn name_at(text: &Text<'_>, event: Option<&Event>, at: usize) -> Option<(usize, bool)> {
    if let Some(event) = event
        && let Some(length) = participant(text, event, at)
    {
        return Some((length, true));
    }
    let (word, range) = (bare(text, at), text.words().get(at)?);
    let owned = text.word(at).contains('\'');
    if TITLES.contains(&word) && !owned && titled(text, at) {
        return Some((1 + given_length(text, at + 1), false));
    }
    if KIN.contains(&word) && (!KIN_WORDS.contains(&word) || text.is_capital(range) && word.len() > 2) {
        return Some((1, false));
    }
    let called = text.folded()[..range.start].ends_with('@');
    if called && !matches!(word, "everyone" | "all" | "channel" | "here") {
        return Some((1, false));
    }
    can_be_name(text, at, word).then(|| (given_length(text, at), false))
}

/// How many words of the participant's name stand here.
fn participant(text: &Text<'_>, event: &Event, at: usize) -> Option<usize> {
    let said = |length: usize, name: &str| {
        let Some(last) = text.words().get(at + length - 1) else { return false };
        let span = text.words()[at].start..last.end;
        let here = &text.folded()[span];
        let here = here.strip_suffix("'s").unwrap_or(here);
        here.len() == name.len() && here == name.to_lowercase()
    };
    let lengths = event.participants.iter().filter_map(|person| {
        let length = person.name.split([' ', '-']).count();
        said(length, &person.name).then_some(length)
    });
    lengths.max()
}

/// Whether a title stands before a name.
fn titled(text: &Text<'_>, at: usize) -> bool {
    let (Some(here), Some(next)) = (text.words().get(at), text.words().get(at + 1)) else { return false };
    let gap = &text.folded()[here.end..next.start];
    let follows = bare(text, at + 1);
    let can = text.is_capital(next) && !OPENERS.contains(&follows) && !words::is_function(follows);
    matches!(gap, " " | ". " | ".") && (can || given::is_given(follows))
        && (given::is_given(follows) || text.is_capital(here) || !matches!(text.word(at), "old" | "little" | "young" | "big" | "don" | "sister" | "brother" | "lady" | "mass"))
}

/// How many words a given name has that starts here: Wei Ling, Bose babu, Tasha R.
fn given_length(text: &Text<'_>, at: usize) -> usize {
    let (Some(here), Some(next)) = (text.words().get(at), text.words().get(at + 1)) else { return 1 };
    if &text.folded()[here.end..next.start] != " " || text.word(at).contains('\'') {
        return 1;
    }
    let follows = bare(text, at + 1);
    let capital = text.is_capital(next) && text.is_capital(here);
    let shouted = text.said(next.clone()).chars().filter(|c| c.is_uppercase()).count() > 1;
    let ends = ENDINGS.contains(&follows) && follows.len() > 1;
    let family = capital && !shouted && !words::is_function(follows) && !OPENERS.contains(&follows)
        && !words::DAYS.contains(&follows) && !words::MONTHS.contains(&follows) && !BRANDS.contains(&follows);
    1 + usize::from(ends || family)
}

fn can_be_name(text: &Text<'_>, at: usize, word: &str) -> bool {
    let range = &text.words()[at];
    let said = text.said(range.clone());
    if given::is_given(word) {
        return true;
    }
    let shouted = said.chars().filter(|c| c.is_uppercase()).count() > 1;
    if !text.is_capital(range) || shouted || word.len() < 2 || OPENERS.contains(&word) {
        return false;
    }
    let listed = words::is_function(word) || BRANDS.contains(&word) || words::DAYS.contains(&word) || words::MONTHS.contains(&word);
    if listed || text.word(at).contains('\'') && !text.word(at).ends_with("'s") {
        return false;
    }
    let owner = text.word(at).ends_with("'s");
    let after = &text.folded()[range.end..];
    let paired = after.starts_with(" & ");
    let called = after.starts_with(", ") && words::small(word).is_none();
    !text.starts_sentence(range.start) || owner || paired || called || AFTER_NAME.contains(&text.word(at + 1))
}

/// A name or a word of a text, as the readers of roles see it.
#[derive(Debug, Clone)]
struct Piece {
    /// Which of the names, if it is one.
    name: Option<usize>,
    /// Its first word's place in the text.
    word: usize,
    span: Range<usize>,
    /// Whether a name has `'s`.
    owns: bool,
    /// The mark between the piece before and this one.
    mark: Mark,
}

/// What stands between two pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Blank,
    /// A comma, a dash, a bracket, a plus.
    Comma,
    /// The end of a sentence, or of the text.
    Stop,
}

/// A text as a row of names and words.
#[derive(Debug)]
pub(super) struct Masked<'t, 'a> {
    text: &'t Text<'a>,
    pieces: Vec<Piece>,
}

impl<'t, 'a> Masked<'t, 'a> {
    /// Masks the names of a text.
    pub(super) fn new(text: &'t Text<'a>, names: &[Name]) -> Self {
        let mut pieces: Vec<Piece> = Vec::with_capacity(text.words().len());
        let mut next = 0;
        let mut end = 0;
        for (word, range) in text.words().iter().enumerate() {
            if range.start < end {
                continue;
            }
            while names.get(next).is_some_and(|name| name.span.start < range.start) {
                next += 1;
            }
            let name = names.get(next).filter(|name| name.span.start == range.start).map(|_| next);
            let last = name.map_or(range.end, |at| names[at].span.end.max(range.end.min(names[at].span.end + 2)));
            let owns = name.is_some() && text.folded()[last..].starts_with("'s") || name.is_some_and(|at| text.folded()[names[at].span.end..].starts_with("'s"));
            let mark = if pieces.is_empty() { Mark::Stop } else { mark(&text.folded()[end..range.start]) };
            end = last.max(name.map_or(range.end, |at| names[at].span.end + if owns { 2 } else { 0 }));
            pieces.push(Piece { name, word, span: range.start..end, owns, mark });
        }
        Self { text, pieces }
    }

    /// The word of a piece; empty for a name and beyond the ends.
    fn word(&self, at: usize) -> &str {
        match self.pieces.get(at) {
            Some(Piece { name: None, word, .. }) => self.text.word(*word),
            _ => "",
        }
    }

    /// The word so many pieces before.
    fn back(&self, at: usize, by: usize) -> &str {
        at.checked_sub(by).map_or("", |at| self.word(at))
    }

    fn name(&self, at: usize) -> Option<usize> {
        self.pieces.get(at)?.name
    }

    /// The mark before a piece; a stop beyond the last.
    fn mark(&self, at: usize) -> Mark {
        self.pieces.get(at).map_or(Mark::Stop, |piece| piece.mark)
    }

    /// Whether these words stand at this piece, one after the other; `*` is any word, `<>` a name.
    fn says(&self, at: usize, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(offset, word)| match word {
            "*" => !self.word(at + offset).is_empty(),
            "<>" => self.name(at + offset).is_some(),
            word => self.word(at + offset) == word && (offset == 0 || self.mark(at + offset) < Mark::Stop),
        })
    }

    /// Where one of the phrases stands first.
    fn find(&self, phrases: &[&str]) -> Option<usize> {
        (0..self.pieces.len()).find(|at| phrases.iter().any(|phrase| self.says(*at, phrase)))
    }

    /// Whether one of the phrases stands anywhere.
    fn has(&self, phrases: &[&str]) -> bool {
        self.find(phrases).is_some()
    }
}

fn mark(gap: &str) -> Mark {
    if gap.contains(['.', '!', '?', '\n', ';', '…', ':']) {
        Mark::Stop
    } else if gap.chars().any(|c| !c.is_whitespace() && !matches!(c, '\'' | '"' | '@' | '&' | '+')) {
        Mark::Comma
    } else {
        Mark::Blank
    }
}
