//! What the trained weights see of a message: hashed words, pairs, pieces of words, the skeleton, the flags.
//!
//! The skeleton keeps the small words and puts a class in place of each word of
//! matter (`<thing>`, `<verb>`, `<amt>`), so that "can you ring the florist" and
//! "can somebody book a hall" look alike.

use super::aspects::Aspect;
use super::findings::Findings;
use super::heard::Context;
use super::lexicon::Said;
use super::phrases::{AMOUNT, NAME, NUMBER, THING};
use super::read::Reading;
use super::words;

/// A hashed feature with its strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Feature {
    pub(super) hash: u32,
    pub(super) value: f32,
}

/// The features of a message, in groups that count alike however long the message is.
#[derive(Debug, Clone, Default)]
pub(super) struct Features {
    /// Of the message alone.
    pub(super) own: Vec<Feature>,
    /// Of what was said before it.
    pub(super) context: Vec<Feature>,
}

/// How many words the skeleton is read for.
const READ: usize = 64;

/// A running hash; starting values keep the groups apart.
#[derive(Debug, Clone, Copy)]
struct Hash(u64);

impl Hash {
    fn of(group: u8) -> Self {
        Self(0xcbf2_9ce4_8422_2325).byte(group)
    }

    fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    fn bytes(self, text: &str) -> Self {
        text.bytes().fold(self, Self::byte)
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text).byte(0)
    }

    fn number(self, number: u32) -> Self {
        number.to_le_bytes().into_iter().fold(self, Self::byte)
    }

    fn end(self) -> u32 {
        ((self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
    }
}

/// Reads the features of a message.
pub(super) fn features(findings: &Findings<'_, '_>, said: &Said, context: &Context) -> Features {
    let forms = forms(findings);
    let mut own = Vec::with_capacity(384);
    group(&mut own, 1.0, |out| words_and_pairs(&forms, out));
    group(&mut own, 1.0, |out| pieces(findings, out));
    group(&mut own, 1.0, |out| skeleton(&forms, out));
    group(&mut own, 1.0, |out| shape(findings, &forms, out));
    group(&mut own, 1.0, |out| {
        out.extend(said.marks.iter().map(|mark| Hash::of(20).number(*mark).end()));
    });
    let mut around = Vec::new();
    if context.is_given {
        group(&mut around, 1.0, |out| before(findings, &forms, context, out));
    }
    Features { own, context: around }
}

/// The readers' guesses about an intent's entities, as features.
pub(super) fn guessed(reading: &Reading<'_>) -> Vec<Feature> {
    let hash = |(aspect, sure, guess): (Aspect, &str, &str)| {
        let hash = Hash::of(21).number(aspect.places().start as u32);
        hash.bytes(guess).text(sure).end()
    };
    let guesses = reading.guesses().into_iter();
    guesses.map(|guess| Feature { hash: hash(guess), value: 1.0 }).collect()
}

/// Adds a group of features; together they weigh as much as any other group.
fn group(features: &mut Vec<Feature>, weight: f32, add: impl FnOnce(&mut Vec<u32>)) {
    let mut hashes = Vec::with_capacity(128);
    add(&mut hashes);
    let value = weight / (hashes.len().max(1) as f32).sqrt();
    features.extend(hashes.into_iter().map(|hash| Feature { hash, value }));
}

/// A token as written and as its class.
struct Form<'a> {
    word: &'a str,
    class: &'a str,
    opens: bool,
}

fn forms<'a>(findings: &'a Findings<'_, '_>) -> Vec<Form<'a>> {
    let tokens = findings.tokens.tokens.iter().zip(&findings.tokens.spans).take(READ);
    let mut actions = findings.actions.iter().peekable();
    tokens
        .map(|(token, span)| {
            while actions.next_if(|action| action.span.end <= span.start).is_some() {}
            let verb = actions.peek().is_some_and(|action| action.span.start <= span.start);
            let written = &findings.text.folded()[span.clone()];
            let digits = written.starts_with(|c: char| c.is_ascii_digit());
            let (word, class) = match token.mask {
                Some(NAME) => ("<name>", "<name>"),
                Some(AMOUNT) => ("<amt>", "<amt>"),
                Some(NUMBER) => ("<num>", "<num>"),
                Some(THING) => (written, "<thing>"),
                _ if digits => ("<digits>", "<digits>"),
                _ if words::is_function(written) => (written, written),
                _ if words::DAYS.contains(written) => (written, "<day>"),
                _ if verb => (written, "<verb>"),
                _ => (written, class_of(written)),
            };
            Form { word, class, opens: token.opens }
        })
        .collect()
}

/// Words of matter by their ending.
fn class_of(word: &str) -> &'static str {
    match word {
        _ if word.ends_with("ing") => "<ing>",
        _ if word.ends_with("ed") => "<ed>",
        _ if word.ends_with("ly") => "<ly>",
        _ if word.len() > 3 && word.ends_with('s') => "<s>",
        _ => "<word>",
    }
}

fn words_and_pairs(forms: &[Form<'_>], out: &mut Vec<u32>) {
    for (at, form) in forms.iter().enumerate() {
        out.push(Hash::of(1).text(form.word).end());
        if let Some(next) = forms.get(at + 1) {
            out.push(Hash::of(2).text(form.word).text(next.word).end());
        }
        if let Some(next) = forms.get(at + 2) {
            out.push(Hash::of(3).text(form.word).text(next.word).end());
        }
    }
}

/// Pieces of three to five bytes within each word.
fn pieces(findings: &Findings<'_, '_>, out: &mut Vec<u32>) {
    for (token, span) in findings.tokens.tokens.iter().zip(&findings.tokens.spans).take(READ) {
        if token.mask.is_some_and(|mask| mask < THING) {
            continue;
        }
        let word = findings.text.folded()[span.clone()].as_bytes();
        let padded = word.len() + 2;
        let byte = |at: usize| match at {
            0 => b'<',
            at if at == padded - 1 => b'>',
            at => word[at - 1],
        };
        for start in 0..padded.saturating_sub(2) {
            let mut hash = Hash::of(4);
            for at in start..padded.min(start + 5) {
                hash = hash.byte(byte(at));
                if at >= start + 2 {
                    out.push(hash.end());
                }
            }
        }
    }
    let folded = findings.text.folded();
    if !folded.is_ascii() {
        for c in folded.chars().filter(|c| !c.is_alphanumeric() && !c.is_ascii()).take(READ) {
            out.push(Hash::of(5).number(u32::from(c)).end());
        }
    }
}

/// Runs of two to four classes, and how each sentence opens.
fn skeleton(forms: &[Form<'_>], out: &mut Vec<u32>) {
    for start in 0..forms.len() {
        let mut hash = Hash::of(6);
        let mut opening = Hash::of(7);
        for (at, form) in forms[start..].iter().take(4).enumerate() {
            hash = hash.text(form.class);
            if at > 0 {
                out.push(hash.end());
            }
            if forms[start].opens {
                opening = opening.text(form.class);
                out.push(opening.end());
            }
        }
    }
}

/// The flags, alone and in pairs, with the message's ends and length.
fn shape(findings: &Findings<'_, '_>, forms: &[Form<'_>], out: &mut Vec<u32>) {
    let flags = findings.flags.places();
    for one in flags.clone() {
        out.push(Hash::of(8).number(one).end());
        for other in flags.clone().filter(|other| *other > one) {
            out.push(Hash::of(9).number(one).number(other).end());
        }
    }
    let length = forms.len().next_power_of_two() as u32;
    out.push(Hash::of(10).number(length).end());
    let last = findings.text.folded().trim_end().bytes().last().filter(u8::is_ascii_punctuation);
    out.push(Hash::of(11).byte(last.unwrap_or(0)).end());
    if let (Some(first), Some(final_form)) = (forms.first(), forms.last()) {
        out.push(Hash::of(12).text(first.word).end());
        out.push(Hash::of(13).text(final_form.word).byte(last.unwrap_or(0)).end());
        out.push(Hash::of(14).text(first.class).text(final_form.class).end());
        for flag in flags {
            out.push(Hash::of(15).text(first.class).number(flag).end());
        }
    }
}

/// What was said before, alone and together with what is said now.
fn before(findings: &Findings<'_, '_>, forms: &[Form<'_>], context: &Context, out: &mut Vec<u32>) {
    out.push(Hash::of(16).end());
    let first = forms.first().map_or("", |form| form.class);
    for mark in &context.marks {
        out.push(Hash::of(17).number(*mark).end());
        out.push(Hash::of(18).number(*mark).text(first).end());
        for flag in findings.flags.places() {
            out.push(Hash::of(19).number(*mark).number(flag).end());
        }
    }
}
