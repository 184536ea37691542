//! Who is meant: names in the text, who paid, who shares, who is to do it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::text::Text;
use super::words;
use crate::domain::chat::Event;

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
    "mum", "mom", "dad", "mummy", "papa", "nan", "nana", "nanna", "gran", "granny", "grandma",
    "grandpa", "grandad", "auntie", "aunty", "aunt", "uncle", "amma", "abuela", "hubby", "bro",
    "sis", "nani", "ba", "dada", "bestie", "tía",
];
/// Kin that is a title when a name follows: Auntie Pam.
const TITLES: &[&str] = &[
    "auntie", "aunty", "aunt", "uncle", "grandpa", "grandma", "cousin", "tío", "tía", "father",
    "mrs",
];
/// What may follow a name at the start of a sentence, where a capital proves nothing.
const AFTER_NAME: &[&str] = &[
    "can",
    "could",
    "please",
    "pls",
    "plz",
    "paid",
    "you",
    "you're",
    "to",
    "did",
    "said",
    "covered",
    "has",
    "sorted",
    "put",
    "picked",
    "will",
    "gave",
    "got",
    "shelled",
    "ka",
    "ne",
    "would",
    "bhai",
    "beta",
    "since",
    "your",
    "already",
    "bought",
    "fronted",
    "spent",
    "booked",
    "and",
    "ur",
    "u",
    "needs",
    "handed",
    "settled",
    "transferred",
    "forked",
    "coughed",
    "chipped",
];
/// Words that open sentences and are no names, whatever follows.
const OPENERS: &[&str] = &[
    "i",
    "we",
    "you",
    "he",
    "she",
    "it",
    "they",
    "someone",
    "somebody",
    "anyone",
    "anybody",
    "everyone",
    "everybody",
    "who",
    "whoever",
    "what",
    "when",
    "where",
    "how",
    "which",
    "the",
    "this",
    "that",
    "these",
    "those",
    "can",
    "could",
    "would",
    "will",
    "please",
    "pls",
    "plz",
    "let",
    "lets",
    "ok",
    "okay",
    "so",
    "and",
    "but",
    "or",
    "if",
    "not",
    "no",
    "yes",
    "yeah",
    "is",
    "are",
    "was",
    "do",
    "does",
    "did",
    "has",
    "have",
    "had",
    "guys",
    "folks",
    "all",
    "paid",
    "booked",
    "need",
    "dont",
    "just",
    "get",
    "got",
    "hey",
    "hi",
    "hello",
    "right",
    "now",
    "there",
    "here",
    "nobody",
    "people",
    "team",
    "kids",
    "one",
    "two",
    "gotta",
    "happy",
    "glad",
    "able",
    "ready",
    "remember",
    "going",
    "want",
    "time",
    "thanks",
    "due",
    "try",
    "trying",
    "back",
    "next",
    "good",
    "great",
    "sent",
    "thinking",
];

/// All names, in the order in which they stand: participants, kin, and capitalised words that can be names.
pub(super) fn names(text: &Text<'_>, event: Option<&Event>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < text.words().len() {
        let length = name_at(text, event, at);
        if let Some((length, known)) = length {
            let span = text.words()[at].start..text.words()[at + length - 1].end;
            let said = text.said(span.clone());
            let (said, span) = match said.strip_suffix("'s").or_else(|| said.strip_suffix("’s")) {
                Some(owner) => (owner, span.start..span.end - 2),
                None => (said, span),
            };
            names.push(Name { said: said.to_owned(), span, known });
            at += length;
        } else {
            at += 1;
        }
    }
    names
}

/// How many words the name at this word has, and whether a participant bears it.
fn name_at(text: &Text<'_>, event: Option<&Event>, at: usize) -> Option<(usize, bool)> {
    let (word, range) = (text.word(at), &text.words()[at]);
    let bare = word.split('\'').next().unwrap_or(word);
    if let Some(event) = event
        && event.participants.iter().any(|p| p.name.to_lowercase() == bare)
    {
        return Some((1, true));
    }
    let next_is_name = text.words().get(at + 1).is_some_and(|next| text.is_capital(next))
        && !OPENERS.contains(&text.word(at + 1));
    if TITLES.contains(&bare) && next_is_name && !word.contains('\'') {
        return Some((2, false));
    }
    if KIN.contains(&bare) {
        return Some((1, false));
    }
    if text.folded()[..range.start].ends_with('@')
        && !matches!(bare, "everyone" | "all" | "channel")
    {
        return Some((1, false));
    }
    can_be_name(text, at, bare).then_some((1, false))
}

fn can_be_name(text: &Text<'_>, at: usize, bare: &str) -> bool {
    let range = &text.words()[at];
    let said = text.said(range.clone());
    let shouted = said.chars().filter(|c| c.is_uppercase()).count() > 1;
    if !text.is_capital(range) || shouted || bare.len() < 2 || OPENERS.contains(&bare) {
        return false;
    }
    const CARDS: &[&str] =
        &["amex", "visa", "mastercard", "barclaycard", "paypal", "monzo", "revolut", "venmo"];
    if words::is_function(bare)
        || CARDS.contains(&bare)
        || words::DAYS.contains(&bare)
        || words::MONTHS.contains(&bare)
    {
        return false;
    }
    let owner = text.word(at).ends_with("'s");
    let paired = text.folded()[range.end..].starts_with(" & ");
    !text.starts_sentence(range.start) || owner || paired || AFTER_NAME.contains(&text.word(at + 1))
}

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours compiles")
}

/// Replaces names by `<name>` so that patterns can speak of them; keeps what each stood for.
#[derive(Debug)]
pub(super) struct Masked {
    /// The folded text with `<nameN>` for the Nth name.
    text: String,
}

impl Masked {
    /// Masks the names of a text.
    pub(super) fn new(text: &Text<'_>, names: &[Name]) -> Self {
        let mut masked = String::with_capacity(text.folded().len() + names.len() * 4);
        let mut from = 0;
        for (at, name) in names.iter().enumerate() {
            masked.push_str(&text.folded()[from..name.span.start]);
            masked.push_str(&format!("<{at}>"));
            from = name.span.end;
        }
        masked.push_str(&text.folded()[from..]);
        Self { text: masked }
    }
}

fn who(part: &str, names: &[Name]) -> Option<String> {
    let part = part.trim_start_matches('@');
    match part {
        "i" | "i've" | "me" | "i'll" | "myself" | "mine" => Some("me".to_owned()),
        masked => {
            let at: usize = masked.strip_prefix('<')?.strip_suffix('>')?.parse().ok()?;
            names.get(at).map(|name| name.said.clone())
        }
    }
}

fn first(pattern: &Regex, masked: &Masked, names: &[Name]) -> Option<String> {
    pattern.captures_iter(&masked.text).find_map(|hit: Captures<'_>| {
        hit.iter().skip(1).flatten().find_map(|part| who(part.as_str(), names))
    })
}

static PAID_BY: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?:paid|covered|settled|fronted|bought|given|done)[^.?!]{0,40}? by (me\b|<\d+>)|(<\d+>)(?:\s\w+){0,1}?\s(?:paid|covered|sorted|shelled|picked up|forked|coughed|put (?:it|down)|did (?:it|the)|fronted|settled|gave|handed|transferred|bought|spent|has paid|got (?:it|this))\b|(<\d+>)(?: has|'s) (?:covered|paid|sorted|fronted|picked)|(?:on|off|from|with)\s(<\d+>)'s (?:\w+ )?(?:card|account|amex|visa|phone)|\((<\d+>)'s\)|(?:owe|reimburse|pay back|owes)\s(<\d+>)|(<\d+>) (?:ne|has it on)|(?:,|\.|-)\s(<\d+>) paid",
    )
});
static I_PAID: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:i|i've|ive)\b[^.?!]{0,25}?\b(?:paid|spent|covered|settled|put|handed|transferred|bought|fronted|bunged|got that one|did it|have paid)\b|\bmy (?:\w+ ){0,2}(?:card|account|visa|amex|pocket|wallet|barclaycard|purse|money|hard earned)\b|\b(?:corp|company|corporate) card\b|\bouta my\b|\b(?:paid )?by me\b|\bby yours truly\b|\bfrom me\b|\bon me\b|,\s?me\b|\bmine\b|\bi(?:'ve)? paid\b|\bput me down\b|\bthat's me\b",
    )
});
static NOBODY_YET: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\bwe owe\b|\bdue\b|\bbalance (?:is|on|for)\b|\bto be paid\b|\bto pay by\b|\bpayable\b|\bstill to (?:pay|come)\b|\bthey(?:'ll| will| want)\b|\bi will pay\b|\bi'll pay\b|\bwe (?:paid|spent)\b|\binvoice for\b|\bnot .* but\b|\bout to\b",
    )
});

static IMPLIED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:paid|spent|transferred|venmo'd|handed over|cleared|coughed up|forked out|shelled out|swiped|tapped|gave|stuck|bunged|dropped|cost me|set me back|got (?:her|his|their)|another|cash)\b",
    )
});

/// Who paid: a name, `me`, or nobody that is known.
pub(super) fn payer(masked: &Masked, names: &[Name]) -> Option<String> {
    if I_PAID.is_match(&masked.text) && !NOBODY_YET.is_match(&masked.text) {
        return Some("me".to_owned());
    }
    // "The caterer's paid in full" says who was paid.
    let passive = masked.text.contains("> paid in full") || masked.text.contains("> paid off");
    if !passive && let Some(name) = first(&PAID_BY, masked, names) {
        return Some(name);
    }
    if I_PAID.is_match(&masked.text) && !masked.text.contains("will pay") {
        return Some("me".to_owned());
    }
    if NOBODY_YET.is_match(&masked.text) {
        return None;
    }
    IMPLIED.is_match(&masked.text).then(|| "me".to_owned())
}

static EVERYONE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:all of us|all of you|between all|between everyone|everyone|everybody|each of you|you all|split (?:it )?(?:\w+ )?(?:between )?all)\b",
    )
});
static LIST: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?:(?:\bme\b|\bi\b|<\d+>|\bhim\b|\bher\b)(?:\s?,\s?and |\s?, ?| and | & | ?\+ ?| n ))+(?:me\b|i\b|<\d+>)",
    )
});
static SPLIT: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"\b(?:split|halves|thirds|quarters|shared?|sharing|between|each|both|that's me|go(?:ing|es)? (?:halves|thirds|quarters)|the two of us|off each of|except)\b",
    )
});
static WITH: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?:split|halves|shared?|sharing|going halves|half)[^.?!]{0,20}\b(?:with|w/|w)\s?(<\d+>)",
    )
});

/// Who shares it: names and `me`, or `everyone`; nothing when the text does not say.
pub(super) fn split(masked: &Masked, names: &[Name], payer: Option<&str>) -> Option<Vec<String>> {
    let text = &masked.text;
    if !SPLIT.is_match(text) && !EVERYONE.is_match(text) {
        return None;
    }
    let lists: Vec<_> = LIST.find_iter(text).collect();
    for list in lists.into_iter().rev() {
        // "me, Meera, Liv and both mums" names people that nobody can resolve.
        let rest = text[list.end()..].trim_start();
        if rest.starts_with("and ") && !rest.contains("would") || rest.starts_with("both") {
            continue;
        }
        let mut people = listed(list.as_str(), names, payer);
        if text[list.end()..].contains("with me") && !people.contains(&"me".to_owned()) {
            people.insert(0, "me".to_owned());
        }
        return Some(people);
    }
    if let Some(with) = WITH.captures(text).and_then(|hit| who(hit.get(1)?.as_str(), names)) {
        return Some(vec!["me".to_owned(), with]);
    }
    EVERYONE.is_match(text).then(|| vec!["everyone".to_owned()])
}

fn listed(list: &str, names: &[Name], payer: Option<&str>) -> Vec<String> {
    let mut people = Vec::new();
    for part in list.split([',', '&', '+', ' ']).filter(|part| !part.is_empty()) {
        let person = match part {
            "and" | "n" => None,
            "him" | "her" => payer.map(str::to_owned),
            other => who(other, names),
        };
        people.extend(person.filter(|person| !people.contains(person)));
    }
    people
}

const JOB: &str = r"(?:book|buy|get|grab|bring|call|ring|contact|ask|send|make|order|sort|arrange|check|confirm|chase|do|pick|collect|take|find|look|speak|message|email|text|tell|organi[sz]e|hire|pay|drop|fix|help|put|line|build|bake|design|set|handle|fetch|return|print|post|share|run|lead|let|give|give)";
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"\b(?:can|could|would|will|has|thinking|if|get|ask|remind|tell|over to you|to you|that's you|lovely if)\s@?(<\d+>)(?:\s(?:&|and)\s(<\d+>))?\s?(?:bhai|please|pls|plz|maybe|to|could|can|takes?|do|bring|order|for|{JOB}|\.|,|!|$)|@?(<\d+>),?\s(?:bhai |beta |dear |love )?(?:please|pls|plz|can (?:yo)?u|could you|would you|will you|you're on|you(?:'re| are) in charge|to {JOB}|you'll have to|you have to|it's time|your mission|could fix|should|must give|must|hai)\b|\byou'?re on \w+,? (<\d+>)|(<\d+>)\s?(?:&|and)\s?(<\d+>) doing it|(<\d+>) doing it|\bai for (<\d+>)|@(<\d+>)\s|(?:[?.,]\s|looking at )(<\d+>)(?:, looking at you|\?|$)|^(<\d+>), (?:the|that|since|pls|please)|(<\d+>) (?:knows|you mentioned|you're up|you said)|(<\d+>), looking at you|that's you (<\d+>)"
    ))
});
static TWO: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"(<\d+>) (?:&|and) (<\d+>) (?:doing|are on|on it|can you|could you)"));
static MINE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(&format!(
        r"\b(?:i'll|i will|i shall|i'm (?:gonna|going|making|booking|sorting|taking|getting|doing|buying|on it|writing|chasing|down for|bringing|ordering|looking)|i can (?:do|take|bring|get|collect|{JOB})|i could {JOB}|dibs|leave .*(?:to|with) me|let me|i've got the|on me\b|mine\b|i'd better|i need to|i must|myself to|remind me|reminder to self|note to self|let me forget|i guess that leaves me|shall make|happy to|me and)"
    ))
});
static ANYONE: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r#"\b(?:someone|somebody|sb|somebodys|anyone|anybody|whoever|one of (?:you|us|the)|any of you|volunteer|a hero|can (?:yo)?u|can ya|could (?:yo)?u|will you|would you|can you two|the person|"someone"|to me by)\b"#,
    )
});
static ALL: LazyLock<Regex> = LazyLock::new(|| {
    fixed(
        r"(?:^|[.!:,] ?|@|to |and )(everyone|everybody|all of you|you all)\b[ :,]*(?:please|pls|send|bring|upload|fill|add|if|remember|:)|\bfrom everyone to\b|\bur baby\b|\byour inbox and sign\b",
    )
});

/// Who is to do it: names joined with ", ", `me`, `someone`, `everyone`, or nobody said.
pub(super) fn assignee(masked: &Masked, names: &[Name]) -> Option<String> {
    if let Some(hit) = TWO.captures(&masked.text) {
        let pair = [1, 2].map(|at| hit.get(at).and_then(|part| who(part.as_str(), names)));
        if let [Some(one), Some(other)] = pair {
            return Some(format!("{one}, {other}"));
        }
    }
    if ALL.is_match(&masked.text) {
        return Some("everyone".to_owned());
    }
    if let Some(name) = first(&NAMED, masked, names) {
        return Some(name);
    }
    let mine = MINE.find(&masked.text).map(|hit| hit.start());
    let anyone = ANYONE.find(&masked.text).map(|hit| hit.start());
    match (mine, anyone) {
        (Some(mine), Some(anyone)) if anyone < mine => Some("someone".to_owned()),
        (Some(_), _) => Some("me".to_owned()),
        (None, Some(_)) => Some("someone".to_owned()),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, read: impl Fn(&Masked, &[Name]) -> T) -> T {
        let text = Text::new(text);
        let names = names(&text, None);
        read(&Masked::new(&text, &names), &names)
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
            ("Bill: £486.00. Paid on card (Helen's)", Some("Helen")),
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
        assert_eq!(of("split evenly me + Dre"), list(&["me", "Dre"]));
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
            ("let's get the quiz written. Nat & Jo doing it", Some("Nat, Jo")),
            ("everyone send me your photos", Some("everyone")),
            ("we need a photographer", None),
        ] {
            assert_eq!(read(text, assignee).as_deref(), who, "{text}");
        }
    }
}
