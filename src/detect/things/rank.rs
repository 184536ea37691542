//! Which of several nouns a task is about: what is seen of each, weighed.

use super::classes::{is_behind, is_plain};
use super::nouns::{Noun, Standing};
use super::{Action, Thing};
use crate::detect::text::Text;

macro_rules! cues {
    ($($cue:ident $weight:literal,)*) => {
        /// What may be seen of a noun.
        #[derive(Debug, Clone, Copy)]
        enum Cue { $($cue),* }

        /// How much each cue speaks for the noun, in their order.
        const WEIGHTS: &[f32] = &[$($weight),*];
    };
}

// The weights are fitted on labelled messages, so that the labelled noun outweighs the others.
cues! {
    Known 1.10, // the lexicon knows it
    Passing -0.72, // the lexicon knows it as named in passing
    Marked -0.85, // unknown, with an article or a number before it
    Bare -1.61, // unknown, with nothing before it
    Outdone -0.80, // another noun is known better
    First 0.29, // the first noun of the text
    Second -0.09,
    Third -0.45,
    Later -0.48,
    Last -0.27,
    Again 0.74, // named more than once
    Near 0.26, // the first noun after the verb, within four words
    Far -1.13, // the first noun after the verb, further off
    Next -0.47, // one more noun after the verb
    OtherSentence -0.25, // after the verb, in another sentence
    BeforeVerb 0.02,
    AfterContact 0.55, // the first noun after this verb, as those below
    AfterConfirm -0.60,
    AfterSend 0.23,
    AfterPay -0.63,
    AfterCollect 0.02,
    AfterCheck 0.07,
    AfterBring 0.20,
    AfterMake 0.07,
    AfterBook 1.47,
    AfterBuy -0.44,
    AfterArrange 0.36,
    To -1.31, // the word before it, as those below
    With -0.76,
    Of 0.01,
    For 0.10,
    From -1.04,
    At -1.11,
    In -0.59,
    On 0.34,
    About 0.98,
    Need 1.39,
    Definite 0.28,
    Indefinite 0.08,
    Own 0.16,
    Behind -0.41, // any preposition stands before it
    BehindNobody -0.50, // "nobody on the cake"
    Lacks 0.02, // "the band isn't booked"
    Missing 0.94, // "no glasses", "without a priest"
    Opens 0.02, // nothing stands before it
    Subject 0.18, // a sentence begins with it
    Owner 1.67, // "the piper's timings"
    Person -1.66, // somebody who is not to be told
    PersonTold -1.89, // somebody, with a verb of telling
    Venue 0.03,
    VenueBehind -0.28, // a venue where something else happens
    Food 0.25,
    Transport 0.11, // transport or accommodation
    Paper 0.04,
    Category 0.84, // of any other category
    NoCategory 0.27,
    UsualFits 0.57, // the verb is what is usually done about it
    Long 0.79, // of more than one word
    Name 0.31, // written with a capital
}

/// What is seen of one noun.
#[derive(Debug, Default)]
struct Seen(u64);

impl Seen {
    fn note(&mut self, cue: Cue, holds: bool) {
        self.0 |= u64::from(holds) << cue as u32;
    }

    fn weight(&self) -> f32 {
        let mut left = self.0;
        let mut sum = 0.0;
        while left != 0 {
            sum += WEIGHTS.get(left.trailing_zeros() as usize).copied().unwrap_or_default();
            left &= left - 1;
        }
        sum
    }
}

/// The sentence around the nouns.
struct Scene<'t> {
    text: &'t Text<'t>,
    nouns: &'t [Noun],
    things: &'t [Thing<'t>],
    verb: Option<&'t Action<'t>>,
}

/// The noun that the task is about.
pub(super) fn best<'n>(
    text: &Text<'_>,
    nouns: &'n [Noun],
    things: &[Thing<'_>],
    verb: Option<&Action<'_>>,
) -> Option<&'n Noun> {
    let scene = Scene { text, nouns, things, verb };
    let mut best: Option<(&Noun, f32)> = None;
    for (place, noun) in nouns.iter().enumerate() {
        let seen = scene.seen(place);
        let score = seen.weight();
        if best.is_none_or(|(_, top)| score > top) {
            best = Some((noun, score));
        }
    }
    best.map(|(noun, _)| noun)
}

impl Scene<'_> {
    fn seen(&self, place: usize) -> Seen {
        let mut seen = Seen::default();
        let Some(noun) = self.nouns.get(place) else { return seen };
        self.order(&mut seen, noun, place);
        self.after_verb(&mut seen, noun, place);
        self.before(&mut seen, noun);
        self.kind(&mut seen, noun);
        seen
    }

    fn order(&self, seen: &mut Seen, noun: &Noun, place: usize) {
        seen.note(Cue::Known, noun.standing == Standing::Known);
        seen.note(Cue::Passing, noun.standing == Standing::Passing);
        let is_guess = noun.standing == Standing::Guessed;
        seen.note(Cue::Marked, is_guess && noun.is_marked);
        seen.note(Cue::Bare, is_guess && !noun.is_marked);
        seen.note(Cue::First, place == 0);
        seen.note(Cue::Second, place == 1);
        seen.note(Cue::Third, place == 2);
        seen.note(Cue::Later, place > 2);
        seen.note(Cue::Last, place + 1 == self.nouns.len());
        let again = self.nouns.iter().filter(|other| other.name == noun.name).count() > 1;
        seen.note(Cue::Again, again);
        let is_outdone = |other: &Noun| other.standing > noun.standing;
        seen.note(Cue::Outdone, self.nouns.iter().any(is_outdone));
    }

    fn after_verb(&self, seen: &mut Seen, noun: &Noun, place: usize) {
        let Some(verb) = self.verb else { return };
        let end = self.text.word_from(verb.span.end);
        if noun.at.start < end {
            return seen.note(Cue::BeforeVerb, true);
        }
        if !is_one_sentence(self.text, end, noun.at.start) {
            return seen.note(Cue::OtherSentence, true);
        }
        let before = self.nouns.get(..place).unwrap_or_default();
        if before.iter().any(|other| other.at.start >= end) {
            return seen.note(Cue::Next, true);
        }
        let is_near = noun.at.start - end <= 4;
        seen.note(Cue::Near, is_near);
        seen.note(Cue::Far, !is_near);
        seen.note(after(verb.name), true);
    }

    fn before(&self, seen: &mut Seen, noun: &Noun) {
        let text = self.text;
        let before = opening(text, noun);
        let lead = before.checked_sub(1).map_or("", |at| text.word(at));
        let nobody = ["nobody", "one", "someone", "anyone", "nothing", "somebody"].contains(&lead);
        let word = if before == usize::MAX { "" } else { text.word(before) };
        match word {
            "" => seen.note(Cue::Opens, true),
            _ if is_behind(word) || word == "for" => {
                seen.note(Cue::Behind, !nobody);
                seen.note(Cue::BehindNobody, nobody);
            }
            _ => {}
        }
        let just = noun.at.start.checked_sub(1).map_or("", |at| text.word(at));
        match word {
            "to" => seen.note(Cue::To, true),
            "with" | "w" | "wi" => seen.note(Cue::With, true),
            "of" => seen.note(Cue::Of, true),
            "for" => seen.note(Cue::For, true),
            "from" => seen.note(Cue::From, true),
            "at" => seen.note(Cue::At, true),
            "in" | "into" | "inside" => seen.note(Cue::In, true),
            "on" | "onto" => seen.note(Cue::On, true),
            "about" | "abt" | "re" => seen.note(Cue::About, true),
            "need" | "needs" | "get" | "getting" | "want" | "wants" => seen.note(Cue::Need, true),
            _ => {}
        }
        match just {
            "the" | "that" | "this" | "those" | "these" => seen.note(Cue::Definite, true),
            "a" | "an" | "some" | "any" => seen.note(Cue::Indefinite, true),
            "my" | "our" | "your" | "his" | "her" | "their" | "ur" => seen.note(Cue::Own, true),
            _ => {}
        }
        let start = text.words().get(noun.at.start).map_or(0, |it| it.start);
        seen.note(Cue::Subject, text.starts_sentence(start));
        seen.note(Cue::Missing, is_missing(text, before, lead, just));
        seen.note(Cue::Lacks, LACKS.contains(&text.word(noun.at.end)));
        seen.note(Cue::Owner, text.word(noun.at.end - 1).ends_with("'s"));
    }

    fn kind(&self, seen: &mut Seen, noun: &Noun) {
        seen.note(Cue::Long, noun.at.len() > 1);
        let word = self.text.words().get(noun.at.start);
        seen.note(
            Cue::Name,
            word.is_some_and(|it| self.text.is_capital(it) && !self.text.starts_sentence(it.start)),
        );
        let Some(thing) = noun.thing.and_then(|at| self.things.get(at)) else { return };
        let is_told = self.verb.is_some_and(|it| matches!(it.name, "contact" | "pay" | "send"));
        let is_person = thing.usual == Some("contact");
        seen.note(Cue::Person, is_person && !is_told);
        seen.note(Cue::PersonTold, is_person && is_told);
        let is_behind = seen.0 & (1 << Cue::Behind as u32 | 1 << Cue::To as u32) != 0;
        match thing.category {
            Some("venue") => seen.note(if is_behind { Cue::VenueBehind } else { Cue::Venue }, true),
            Some("catering") => seen.note(Cue::Food, true),
            Some("transport" | "accommodation") => seen.note(Cue::Transport, true),
            Some("stationery") => seen.note(Cue::Paper, true),
            Some(_) => seen.note(Cue::Category, true),
            None => seen.note(Cue::NoCategory, true),
        }
        let fits = self.verb.is_some_and(|verb| thing.usual == Some(verb.name));
        seen.note(Cue::UsualFits, fits);
    }
}

/// Verbs lead their object in ways of their own: who is told comes first, what is sent as well.
fn after(verb: &str) -> Cue {
    match verb {
        "contact" => Cue::AfterContact,
        "confirm" => Cue::AfterConfirm,
        "send" => Cue::AfterSend,
        "pay" => Cue::AfterPay,
        "collect" | "return" => Cue::AfterCollect,
        "check" => Cue::AfterCheck,
        "bring" => Cue::AfterBring,
        "make" => Cue::AfterMake,
        "book" => Cue::AfterBook,
        "buy" => Cue::AfterBuy,
        _ => Cue::AfterArrange,
    }
}

/// What follows the subject of a gap: "the band isn't booked".
const LACKS: &[&str] = &[
    "isn't", "isnt", "aren't", "arent", "hasn't", "hasnt", "haven't", "havent", "need", "needs",
    "still", "not", "won't", "ain't", "is", "are", "has", "have", "was", "wants", "want",
];

/// Whether it is said that there is none of it: "no glasses", "0 plates", "without a priest", "out of ice".
fn is_missing(text: &Text<'_>, before: usize, lead: &str, just: &str) -> bool {
    let word = text.word(before);
    let is_out = matches!(word, "of" | "on" | "for")
        && matches!(lead, "out" | "short" | "low" | "shy" | "fresh" | "lack");
    is_out
        || matches!(just, "no" | "0" | "zero" | "enough" | "more" | "without")
        || matches!(word, "without" | "no" | "lack" | "lacking" | "missing" | "zero")
}

/// The word before the noun with what marks it.
fn opening(text: &Text<'_>, noun: &Noun) -> usize {
    const MARKS: &[&str] = &[
        "the", "a", "an", "my", "your", "our", "his", "her", "their", "some", "this", "that",
        "these", "those",
    ];
    let mut at = noun.at.start;
    while let Some(before) = at.checked_sub(1) {
        let word = text.word(before);
        let counts = word.starts_with(|c: char| c.is_ascii_digit());
        if !(MARKS.contains(&word) || is_plain(word) || counts) {
            return before;
        }
        at = before;
    }
    usize::MAX
}

fn is_one_sentence(text: &Text<'_>, from: usize, to: usize) -> bool {
    let start = from.checked_sub(1).and_then(|at| text.words().get(at)).map_or(0, |it| it.end);
    let Some(end) = text.words().get(to).map(|word| word.start) else { return false };
    !text.folded().get(start..end).unwrap_or("").contains(['.', '!', '?', '\n'])
}
