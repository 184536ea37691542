//! Who is meant: names in the text, and the text as a row of names and words that the readers of roles walk over.

mod given;
mod pieces;
mod assignee;
mod payer;
mod split;

use std::ops::Range;

use super::text::Text;
use super::word_set::{WordSet, set};
use super::words;
use crate::domain::chat::Event;

pub(super) use assignee::{assignee, named_assignee};
pub(super) use payer::{named_payer, payer};
use pieces::Mark;
pub(super) use pieces::Masked;
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

#[rustfmt::skip]
static KIN: WordSet = set!(&[
    "abbu", "abuela", "abuelita", "abuelo", "amma", "ammi", "appa", "ate", "aunt", "auntie",
    "aunty", "baba", "bestie", "bhabhi", "bhaiya", "bro", "chacha", "chachu", "da", "dad", "dada",
    "daddy", "didi", "gran", "grandad", "granddad", "grandma", "grandpa", "granny", "hubby",
    "jiju", "koro", "kuya", "lola", "lolo", "ma", "mak", "mam", "mama", "maman", "mamaw", "mami",
    "mammy", "mausi", "meemaw", "memaw", "mom", "mum", "mummy", "mutti", "nan", "nana", "nani",
    "nanna", "nonna", "nonno", "oma", "opa", "papa", "papaw", "papi", "pops", "sis", "thaththa",
    "tía", "tío", "uncle",
]);
/// Kin that are words as well: only with a capital.
#[rustfmt::skip]
static KIN_WORDS: WordSet = set!(&[
    "ma", "da", "ate", "mak", "dada", "oma", "opa", "lola", "lolo", "baba", "mama", "mam", "koro",
    "bro", "sis", "aunt",
]);
/// Words that are part of the name when one follows: Auntie Pam, Wee Jim, Fr Aidan.
#[rustfmt::skip]
static TITLES: WordSet = set!(&[
    "abang", "abu", "alhaja", "alhaji", "ate", "aunt", "auntie", "aunty", "baba", "big", "bishop",
    "bro", "brother", "bu", "bác", "canon", "captain", "chef", "chief", "cikgu", "coach",
    "cousin", "deacon", "deaconess", "don", "doña", "dr", "elder", "farbror", "father", "fr",
    "frau", "gran", "grandad", "grandma", "grandpa", "granny", "herr", "imam", "kak", "kuya",
    "lady", "little", "maame", "madam", "mam", "mama", "miss", "mister", "mr", "mrs", "ms",
    "mummy", "nan", "nana", "nanny", "old", "onkel", "oom", "pak", "papa", "pastor", "pop",
    "principal", "prof", "rabbi", "rev", "reverend", "señor", "señora", "sir", "sister", "sr",
    "tante", "tanty", "tia", "tio", "tita", "tito", "tía", "tío", "unc", "uncle", "ustaz", "wee",
    "young", "zia", "zio",
]);
/// Words after a given name that are part of it: Bose babu, Kiran didi.
#[rustfmt::skip]
static ENDINGS: WordSet = set!(&[
    "ji", "babu", "da", "didi", "bhai", "bhaiya", "chettan", "akka", "anna", "abi", "chacha",
    "aunty", "auntie", "uncle", "san", "mashi",
]);
/// What may follow a name at the start of a sentence, where a capital proves nothing.
#[rustfmt::skip]
static AFTER_NAME: WordSet = set!(&[
    "advanced", "already", "also", "babe", "beta", "bhai", "booked", "bought", "bring", "bro",
    "call", "can", "chipped", "cleared", "coughed", "could", "covered", "darling", "dear", "did",
    "don't", "dont", "drove", "footed", "forked", "fronted", "gave", "gets", "got", "grabbed",
    "handed", "has", "hasn't", "hun", "insisted", "just", "ka", "kindly", "knows", "love", "made",
    "mate", "must", "ne", "needs", "offered", "ordered", "paid", "pal", "pays", "picked",
    "please", "pls", "plz", "put", "ring", "said", "says", "sent", "settled", "shelled", "should",
    "since", "sis", "slipped", "sorted", "spent", "stuck", "stumped", "swiped", "tapped", "to",
    "took", "transferred", "u", "ur", "volunteered", "will", "wired", "would", "wrote", "you",
    "you're", "your",
]);
/// Words that open sentences and are no names, whatever follows.
#[rustfmt::skip]
static OPENERS: WordSet = set!(&[
    "abeg", "able", "actually", "add", "afternoon", "ah", "all", "also", "and", "another", "any",
    "anybody", "anyone", "are", "ask", "at", "aye", "back", "balance", "band", "best", "book",
    "booked", "bought", "boys", "bring", "bro", "btw", "but", "buy", "by", "cake", "call",
    "called", "can", "candles", "cash", "caterer", "catering", "chase", "check", "cheers",
    "christ", "church", "collected", "correction", "could", "dear", "deposit", "did", "dj", "do",
    "does", "don't", "done", "dont", "double", "drinks", "due", "evening", "everybody",
    "everyone", "everything", "ffs", "final", "finance", "find", "first", "florist", "flowers",
    "folks", "food", "for", "from", "fyi", "gave", "get", "girls", "glad", "god", "going", "good",
    "got", "gotta", "grab", "great", "guess", "guys", "had", "half", "hall", "happy", "has",
    "have", "he", "hello", "her", "here", "hey", "hi", "his", "hotel", "how", "i", "if", "in",
    "invoice", "is", "it", "jesus", "just", "kids", "kindly", "kitty", "ladies", "lads", "last",
    "let", "lets", "letters", "log", "lol", "love", "make", "maybe", "morning", "my", "nah",
    "need", "needs", "new", "next", "no", "nobody", "nope", "not", "note", "nothing", "now", "of",
    "oh", "ok", "okay", "old", "omg", "on", "one", "only", "or", "ordered", "our", "paid",
    "parents", "people", "petrol", "photographer", "pick", "picked", "please", "pls", "plz",
    "prosecco", "ps", "put", "re", "ready", "regards", "remember", "reminder", "respectfully",
    "rgds", "right", "ring", "see", "send", "sent", "settled", "shame", "she", "sis", "so",
    "some", "somebody", "someone", "something", "sorry", "sorted", "spent", "still", "team",
    "tell", "thank", "thanks", "that", "the", "their", "there", "these", "they", "thinking",
    "this", "those", "three", "time", "to", "total", "transferred", "try", "trying", "turns",
    "two", "update", "venue", "wait", "want", "was", "we", "well", "what", "when", "where",
    "which", "who", "who's", "whoever", "whoops", "whose", "will", "wine", "with", "would",
    "yeah", "yep", "yes", "yo", "you", "your",
]);
/// Shops, cards and banks, which have capitals and pay nothing by themselves.
#[rustfmt::skip]
static BRANDS: WordSet = set!(&[
    "airbnb", "aldi", "amazon", "amex", "argos", "asda", "atm", "bacs", "bakery", "bank",
    "barclaycard", "booker", "cafe", "center", "centre", "chase", "chinese", "christmas", "club",
    "costco", "delhi", "discover", "diwali", "dm", "dublin", "easter", "ebay", "eid", "english",
    "etsy", "excel", "facebook", "french", "gcash", "german", "god", "google", "gpay", "gst",
    "hall", "halloween", "hotel", "ikea", "indian", "inn", "irish", "italian", "klarna", "lagos",
    "lidl", "lodge", "london", "makro", "mass", "mastercard", "momo", "monzo", "mpesa", "mumbai",
    "neft", "paypal", "pdf", "publix", "revolut", "road", "sainsburys", "saint", "scottish",
    "spanish", "st", "starling", "street", "swish", "target", "tesco", "thai", "uber", "upi",
    "vat", "venmo", "visa", "walmart", "welsh", "whatsapp", "zelle",
]);

/// How many names of a message are read.
const MOST: usize = 64;

/// All names, in the order in which they stand: participants, kin, and capitalised words that can be names.
pub(super) fn names(text: &Text<'_>, event: Option<&Event>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < text.words().len() && names.len() < MOST {
        let Some((length, known)) = name_at(text, event, at) else {
            at += 1;
            continue;
        };
        let span = text.words()[at].start..text.words()[at + length - 1].end;
        let owned = text.folded()[span.clone()].ends_with("'s");
        let span = if owned { span.start..span.end - 2 } else { span };
        // "Tasha R." and "Fergus Jr." keep their point.
        let short = matches!(bare(text, at + length - 1), "jr" | "sr")
            || bare(text, at + length - 1).len() == 1 && length > 1;
        let pointed = short && text.folded()[span.end..].starts_with('.');
        let span = span.start..span.end + usize::from(pointed);
        names.push(Name { said: text.said(span.clone()).to_owned(), span, known });
        at += length;
    }
    names
}

fn bare<'t>(text: &'t Text<'_>, at: usize) -> &'t str {
    let word = text.word(at);
    word.split('\'').next().unwrap_or(word)
}

/// Who belongs to a name with `'s`: "Tim's mum".
#[rustfmt::skip]
static KIN_OF: WordSet = set!(&[
    "mum", "mom", "dad", "mam", "mummy", "sister", "brother", "wife", "husband", "auntie", "uncle",
    "nan", "gran", "team",
]);

/// How many words the name at this word has, and whether a participant bears it.
fn name_at(text: &Text<'_>, event: Option<&Event>, at: usize) -> Option<(usize, bool)> {
    if let Some(event) = event
        && let Some(length) = participant(text, event, at)
    {
        return Some((length, true));
    }
    let (word, range) = (bare(text, at), text.words().get(at)?);
    let owned = text.word(at).contains('\'');
    if TITLES.contains(word) && !owned && titled(text, at) {
        return Some((1 + given_length(text, at + 1), false));
    }
    if KIN.contains(word) && (!KIN_WORDS.contains(word) || text.is_capital(range) && word.len() > 2)
    {
        return Some((1, false));
    }
    let kin = KIN_OF.contains(bare(text, at + 1));
    if text.word(at).ends_with("'s")
        && kin
        && (given::is_given(word) || text.is_capital(range) && !OPENERS.contains(word))
    {
        return Some((2, false));
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
        let letters = here.chars().zip(name.chars().flat_map(char::to_lowercase));
        here.chars().count() == name.chars().count()
            && letters.into_iter().all(|(one, other)| one == other)
    };
    let lengths = event.participants.iter().filter_map(|person| {
        let first = person.name.chars().next()?.to_lowercase().next();
        if text.word(at).chars().next() != first {
            return None;
        }
        let length = person.name.split([' ', '-']).count();
        said(length, &person.name).then_some(length)
    });
    lengths.max()
}

/// Whether a title stands before a name.
fn titled(text: &Text<'_>, at: usize) -> bool {
    let (Some(here), Some(next)) = (text.words().get(at), text.words().get(at + 1)) else {
        return false;
    };
    let gap = &text.folded()[here.end..next.start];
    let follows = bare(text, at + 1);
    let can = text.is_capital(next) && !OPENERS.contains(follows) && !words::is_function(follows);
    matches!(gap, " " | ". " | ".")
        && (can || given::is_given(follows))
        && (text.is_capital(here)
            || !matches!(
                text.word(at),
                "old"
                    | "little"
                    | "young"
                    | "big"
                    | "don"
                    | "sister"
                    | "brother"
                    | "lady"
                    | "cousin"
                    | "coach"
                    | "father"
                    | "chef"
                    | "captain"
                    | "chief"
                    | "madam"
                    | "sir"
                    | "wee"
            ))
}

/// How many words a given name has that starts here: Wei Ling, Bose babu, Tasha R.
fn given_length(text: &Text<'_>, at: usize) -> usize {
    let (Some(here), Some(next)) = (text.words().get(at), text.words().get(at + 1)) else {
        return 1;
    };
    if &text.folded()[here.end..next.start] != " " || text.word(at).contains('\'') {
        return 1;
    }
    let follows = bare(text, at + 1);
    let capital = text.is_capital(next) && text.is_capital(here);
    let shouted = text.said(next.clone()).chars().filter(|c| c.is_uppercase()).count() > 1;
    let ends = ENDINGS.contains(follows) && follows.len() > 1;
    let both = given::is_given(bare(text, at)) && given::is_given(follows);
    let family = capital
        && !both
        && follows.chars().all(char::is_alphabetic)
        && !shouted
        && !words::is_function(follows)
        && !OPENERS.contains(follows)
        && !words::DAYS.contains(follows)
        && !words::MONTHS.contains(follows)
        && !BRANDS.contains(follows);
    1 + usize::from(ends || family)
}

fn can_be_name(text: &Text<'_>, at: usize, word: &str) -> bool {
    let range = &text.words()[at];
    let said = text.said(range.clone());
    if given::is_given(word) {
        return true;
    }
    let shouted = said.chars().filter(|c| c.is_uppercase()).count() > 1;
    if !text.is_capital(range) || shouted || word.len() < 2 || OPENERS.contains(word) {
        return false;
    }
    let listed = words::is_function(word)
        || BRANDS.contains(word)
        || words::DAYS.contains(word)
        || words::MONTHS.contains(word);
    let listed = listed || !word.chars().all(char::is_alphabetic);
    if listed || text.word(at).contains('\'') && !text.word(at).ends_with("'s") {
        return false;
    }
    let owner = text.word(at).ends_with("'s");
    let after = &text.folded()[range.end..];
    let paired = after.starts_with(" & ");
    let called = after.starts_with(", ") && words::small(word).is_none();
    !text.starts_sentence(range.start)
        || owner
        || paired
        || called
        || AFTER_NAME.contains(text.word(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, read: impl Fn(&Masked<'_, '_>, &[Name]) -> T) -> T {
        let text = Text::new(text);
        let names = names(&text, None);
        read(&Masked::new(&text, &names), &names)
    }

    #[test]
    fn names_are_found_with_their_titles_and_few_words_are_taken_for_one() {
        for (text, found) in [
            ("Auntie Pam and priya came", vec!["Auntie Pam", "priya"]),
            ("ask Wee Jim about it", vec!["Wee Jim"]),
            ("that is Tim's mum", vec!["Tim's mum"]),
            ("Book the hall on Friday", vec![]),
            ("Paid with Revolut in March", vec![]),
        ] {
            let text = Text::new(text);
            let said: Vec<_> = names(&text, None).into_iter().map(|name| name.said).collect();
            assert_eq!(said, found);
        }
    }

    #[test]
    fn the_payer_is_a_name_or_me_or_unknown() {
        for (text, who) in [
            ("I paid £40 for ice", Some("me")),
            ("£40 on my card", Some("me")),
            ("hall hire bill was £85, Linda paid by bacs", Some("Linda")),
            ("275 on Ruth's card", Some("Ruth")),
            ("Kev shelled out $310 for kegs", Some("Kev")),
            ("deposit paid by Aisyah", Some("Aisyah")),
            ("mum paid the church fee", Some("mum")),
            ("we owe Linda 60 for the flowers she paid", Some("Linda")),
            ("the company covered dinner, $90", Some("company")),
            ("balance is £3,100, due 1 May", None),
            ("we owe the printers $95", None),
        ] {
            assert_eq!(read(text, payer).as_deref(), who, "{text}");
        }
    }

    #[test]
    fn a_split_lists_the_people_it_names() {
        let of = |text: &str| read(text, |m, n| split(m, n, None));
        let list = |people: &[&str]| Some(people.iter().map(|p| (*p).to_owned()).collect());
        assert_eq!(of("split it between me, Sam and Jo"), list(&["me", "Sam", "Jo"]));
        assert_eq!(of("split evenly me + Andre"), list(&["me", "Andre"]));
        assert_eq!(of("split w/ Gemma please"), list(&["me", "Gemma"]));
        assert_eq!(of("all of us to split"), list(&["everyone"]));
        assert_eq!(of("paid the band"), None);
    }

    #[test]
    fn the_assignee_is_the_one_who_is_asked_or_offers() {
        for (text, who) in [
            ("I'll ring the DJ", Some("me")),
            ("can someone book the hall", Some("someone")),
            ("Priya can you send the list", Some("Priya")),
            ("@Marcus can u grab ice", Some("Marcus")),
            ("Jas & Kirsty pls price up the prosecco", Some("Jas, Kirsty")),
            ("everyone send me your photos", Some("everyone")),
            ("we need a photographer", None),
        ] {
            assert_eq!(read(text, assignee).as_deref(), who, "{text}");
        }
    }
}
