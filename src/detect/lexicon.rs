//! The rules file: word lists, things, actions and weighted rules, parsed once.
//!
//! A rule adds its weight to an intent when its pattern is in the message. A
//! mistake in the file is refused with its line.

mod kinds;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use toml::Spanned;

use super::flags::Flags;
use super::phrases::{Draft, Hit, Phrasebook, Token, Tree};
use crate::domain::intent::{ACTIONS, CATEGORIES, FollowUpKind, Intent};
use kinds::{bundled_things, own_things};

const BUNDLED: &str = include_str!("../../config/intents.toml");

/// A rules file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the {file}: {reason}")]
pub struct BadRules {
    /// In which of the two files: the intent rules or the things.
    pub file: &'static str,
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    things: BTreeMap<String, Spanned<ThingEntry>>,
    actions: BTreeMap<String, Spanned<Vec<String>>>,
    rule: Vec<Spanned<RuleEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThingEntry {
    category: Option<String>,
    usual: Option<String>,
    words: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: String,
    intent: Option<Intent>,
    follow_up: Option<FollowUpKind>,
    weight: f32,
    #[serde(default)]
    phrases: Vec<Spanned<String>>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
}

/// A thing's canonical name and category.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) category: Option<String>,
    /// What is usually done about it.
    pub(super) usual: Option<String>,
    /// Whether it is named in passing where another thing stands beside it.
    pub(super) weak: bool,
}

#[derive(Debug)]
struct Rule {
    /// A digest of its name.
    mark: u32,
    /// Its place among [`VOICES`].
    voice: usize,
    weight: f32,
    /// Whether one of its phrases must be there.
    phrased: bool,
    needs: Flags,
    without: Flags,
}

/// What rules can speak for: the intents, then the kinds of follow-up.
pub(super) const VOICES: usize = Intent::ALL.len() + FollowUpKind::ALL.len();

/// What the rules say for each intent, in the order of [`Intent::ALL`], and then for each kind of follow-up.
pub(super) type Scores = [f32; VOICES];

/// The rules file, ready for use.
#[derive(Debug)]
pub(super) struct Lexicon {
    book: Phrasebook,
    things: Vec<Entry>,
    /// The verbs' names, which follow the things as meanings.
    actions: Vec<String>,
    rules: Vec<Rule>,
    phrases: Vec<Phrase>,
}

/// A phrase of a rule.
#[derive(Debug)]
struct Phrase {
    rule: usize,
    /// A digest of what is written.
    mark: u32,
}

/// What the rules say of a message.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// The sums of their weights.
    pub(super) scores: Scores,
    /// Digests of the rules that hold and of their phrases that were found; the weights know them by these.
    pub(super) marks: Vec<u32>,
}

/// What a word or words of the lexicon mean.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning<'l> {
    Thing(&'l Entry),
    Action(&'l str),
}

/// The rules that the crate brings along, read once.
pub(super) fn bundled() -> &'static Arc<Lexicon> {
    static READ: LazyLock<Arc<Lexicon>> = LazyLock::new(|| {
        let lexicon = Lexicon::parse(BUNDLED);
        Arc::new(lexicon.expect("the bundled rules are good: a test parses them"))
    });
    &READ
}

impl Lexicon {
    /// Reads a rules file; the things that come along are known beside its own.
    pub(super) fn parse(source: &str) -> Result<Self, BadRules> {
        let file: File = Source::RULES.with(source).read()?;
        let mut book = Draft::new(&file.words);
        let mut things = own_things(source, &file, &mut book)?;
        bundled_things(kinds::BUNDLED, &mut book, &mut things)?;
        let actions = actions(source, &file, &mut book, things.len())?;
        let (rules, phrases) = rules(source, &file, &mut book)?;
        Ok(Self { book: book.closed(), things, actions, rules, phrases })
    }

    /// The phrases of the file.
    pub(super) fn book(&self) -> &Phrasebook {
        &self.book
    }

    /// The things and actions among these words.
    pub(super) fn words(&self, tokens: &[Token<'_>]) -> impl Iterator<Item = (Meaning<'_>, Hit)> {
        let mut hits = Vec::with_capacity(tokens.len());
        self.book.find(Tree::Words, tokens, &mut hits);
        hits.into_iter().map(|hit| {
            let at = hit.meaning as usize;
            let meaning = match self.things.get(at) {
                Some(thing) => Meaning::Thing(thing),
                None => Meaning::Action(&self.actions[at - self.things.len()]),
            };
            (meaning, hit)
        })
    }

    /// What the rules say.
    pub(super) fn judge(&self, tokens: &[Token<'_>], flags: Flags) -> Said {
        let mut hits = Vec::with_capacity(32);
        self.book.find(Tree::Rules, tokens, &mut hits);
        hits.sort_unstable_by_key(|hit| hit.meaning);
        hits.dedup_by_key(|hit| hit.meaning);
        let mut phrases = hits.iter().map(|hit| &self.phrases[hit.meaning as usize]).peekable();
        let mut said = Said::default();
        for (at, rule) in self.rules.iter().enumerate() {
            let allowed = flags.contains(rule.needs) && !flags.meets(rule.without);
            let mut holds = allowed && !rule.phrased;
            while let Some(phrase) = phrases.next_if(|phrase| phrase.rule == at) {
                if allowed {
                    holds = true;
                    said.marks.push(phrase.mark);
                }
            }
            if holds {
                said.scores[rule.voice] += rule.weight;
                said.marks.push(rule.mark);
            }
        }
        said
    }
}

/// A file that is read, with its name for those who have to mend it.
#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    file: &'static str,
    text: &'a str,
}

impl<'a> Source<'a> {
    const RULES: Source<'static> = Source { file: "intent rules", text: "" };
    const THINGS: Source<'static> = Source { file: "things", text: "" };

    fn with(self, text: &str) -> Source<'_> {
        Source { file: self.file, text }
    }

    fn read<T: serde::de::DeserializeOwned>(self) -> Result<T, BadRules> {
        toml::from_str(self.text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            self.refuse(start, error.message().to_owned())
        })
    }

    /// What is wrong at this byte.
    fn refuse(self, at: usize, reason: String) -> BadRules {
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        BadRules { file: self.file, line, reason }
    }
}

fn bad<T>(source: &str, at: &Spanned<T>, reason: String) -> BadRules {
    Source::RULES.with(source).refuse(at.span().start, reason)
}

fn a_category(name: &str) -> Result<(), String> {
    let known = CATEGORIES.contains(&name);
    if known { Ok(()) } else { Err(format!("{name:?} is no expense category")) }
}

fn an_action(name: &str) -> Result<(), String> {
    let known = ACTIONS.contains(&name);
    if known { Ok(()) } else { Err(format!("{name:?} is no action of tasks")) }
}

fn actions(
    source: &str,
    file: &File,
    book: &mut Draft,
    first: usize,
) -> Result<Vec<String>, BadRules> {
    let mut actions = Vec::with_capacity(file.actions.len());
    for (name, verbs) in &file.actions {
        if !ACTIONS.contains(&name.as_str()) {
            return Err(bad(source, verbs, format!("{name:?} is no action of tasks")));
        }
        for verb in verbs.get_ref() {
            let meaning = (first + actions.len()) as u32;
            book.add(Tree::Words, verb, meaning).map_err(|why| bad(source, verbs, why))?;
        }
        actions.push(name.clone());
    }
    Ok(actions)
}

fn rules(
    source: &str,
    file: &File,
    book: &mut Draft,
) -> Result<(Vec<Rule>, Vec<Phrase>), BadRules> {
    let mut rules: Vec<Rule> = Vec::with_capacity(file.rule.len());
    let mut phrases = Vec::new();
    for spanned in &file.rule {
        let entry = spanned.get_ref();
        let refuse = |reason| bad(source, spanned, reason);
        if !entry.weight.is_finite() {
            return Err(refuse("the weight is no finite number".to_owned()));
        }
        let mark = short_digest(&entry.name);
        if rules.iter().any(|rule| rule.mark == mark) {
            return Err(refuse(format!("there is a rule {:?} already", entry.name)));
        }
        for phrase in &entry.phrases {
            let (written, meaning) = (phrase.get_ref(), phrases.len() as u32);
            book.add(Tree::Rules, written, meaning).map_err(|why| bad(source, phrase, why))?;
            phrases.push(Phrase { rule: rules.len(), mark: short_digest(written) });
        }
        rules.push(Rule {
            mark,
            voice: voice(entry).map_err(refuse)?,
            weight: entry.weight,
            phrased: !entry.phrases.is_empty(),
            needs: Flags::named(&entry.needs).map_err(refuse)?,
            without: Flags::named(&entry.without).map_err(refuse)?,
        });
    }
    Ok((rules, phrases))
}

/// A short digest, the same on every machine.
pub(super) fn short_digest(text: &str) -> u32 {
    let bytes = *blake3::hash(text.as_bytes()).as_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// What the rule speaks for, as a place in [`Scores`].
fn voice(entry: &RuleEntry) -> Result<usize, String> {
    match (entry.intent, entry.follow_up) {
        (Some(intent), None) => Ok(intent.place()),
        (None, Some(kind)) => Ok(Intent::ALL.len() + kind.place()),
        _ => Err("a rule speaks for an intent or for a follow_up".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[words]\nverb = ['book', 'buy']\n[things]\ncake = { category = 'cake', words = ['gateau'] }\n[actions]\nbook = ['hire']\n";

    fn refused(rule: &str) -> BadRules {
        Lexicon::parse(&format!("{HEAD}{rule}")).unwrap_err()
    }

    #[test]
    fn the_bundled_rules_parse() {
        assert!(Lexicon::parse(BUNDLED).is_ok());
    }

    #[test]
    fn a_bad_phrase_is_refused_with_its_line() {
        let error =
            refused("[[rule]]\nname = 'a'\nintent = 'query'\nweight = 1.0\nphrases = ['(a']\n");
        assert_eq!((error.line, error.file), (11, "intent rules"));
        assert!(error.reason.contains("not closed"), "{error}");
    }

    #[test]
    fn an_unknown_list_flag_intent_or_key_is_refused() {
        for (rule, named) in [
            ("phrases = ['{verbs}']", "verbs"),
            ("needs = ['wings']", "wings"),
            ("colour = 'red'", "colour"),
        ] {
            let error =
                refused(&format!("[[rule]]\nname = 'a'\nintent = 'query'\nweight = 1.0\n{rule}\n"));
            assert!(error.reason.contains(named), "{error}");
            assert!(error.line >= 7, "{error}");
        }
        assert!(refused("[[rule]]\nname = 'a'\nintent = 'party'\nweight = 1.0\n").line >= 7);
    }

    #[test]
    fn a_bad_thing_is_refused_with_file_and_line() {
        for (text, line, named) in [
            ("[[kind]]\ncategory = 'yum'\nown = []\n", 2, "yum"),
            ("[[kind]]\nown = ['cup']\nusual = 'fly'\n", 3, "fly"),
            ("[[kind]]\nown = ['a cup',\n'c/d']\n", 3, "c/d"),
            ("[[kind]]\nowned = []\n", 2, "owned"),
        ] {
            let (mut book, mut things) = (Draft::new(&BTreeMap::new()), Vec::new());
            let error = bundled_things(text, &mut book, &mut things).unwrap_err();
            assert_eq!((error.file, error.line), ("things", line), "{error}");
            assert!(error.reason.contains(named), "{error}");
        }
    }

    #[test]
    fn a_thing_of_no_category_and_an_action_off_the_list_are_refused() {
        let error = Lexicon::parse(
            "rule = []\n[words]\n[actions]\n[things]\ncake = { category = 'yum', words = [] }\n",
        )
        .unwrap_err();
        assert_eq!((error.line, error.reason.contains("yum")), (5, true));
        let error =
            Lexicon::parse("rule = []\n[words]\n[things]\n[actions]\nfly = ['fly']\n").unwrap_err();
        assert!(error.reason.contains("fly"), "{error}");
    }
}
