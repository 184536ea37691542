//! The rules file: word lists, things, actions and weighted rules, parsed once.
//!
//! A rule adds its weight to an intent when its pattern is in the message. A
//! mistake in the file is refused with its line.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::flags::Flags;
use super::phrases::{Hit, Phrasebook, Token, Tree};
use super::text::singular;
use crate::domain::intent::{CATEGORIES, FollowUpKind, Intent};

/// The actions a task may have.
pub(super) const ACTIONS: &[&str] = &[
    "book", "buy", "confirm", "contact", "arrange", "send", "pay", "collect", "make", "check",
    "cancel", "bring", "return",
];

const BUNDLED: &str = include_str!("../../config/intents.toml");

/// A rules file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the intent rules: {reason}")]
pub struct BadRules {
    /// Where, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    words: BTreeMap<String, Vec<String>>,
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

/// The rules that the crate brings along.
pub(super) fn bundled() -> Lexicon {
    Lexicon::parse(BUNDLED).expect("the bundled rules are good: a test parses them")
}

impl Lexicon {
    /// Reads a rules file.
    pub(super) fn parse(source: &str) -> Result<Self, BadRules> {
        let file: File = toml::from_str(source).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            BadRules { line: line_of(source, start), reason: error.message().to_owned() }
        })?;
        let mut book = Phrasebook::new(&file.words);
        let things = things(source, &file, &mut book)?;
        let actions = actions(source, &file, &mut book, things.len())?;
        let (rules, phrases) = rules(source, &file, &mut book)?;
        Ok(Self { book, things, actions, rules, phrases })
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

fn line_of(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn bad<T>(source: &str, at: &Spanned<T>, reason: String) -> BadRules {
    BadRules { line: line_of(source, at.span().start), reason }
}

fn things(source: &str, file: &File, book: &mut Phrasebook) -> Result<Vec<Entry>, BadRules> {
    let mut things: Vec<Entry> = Vec::with_capacity(file.things.len());
    for (name, spanned) in &file.things {
        let entry = spanned.get_ref();
        let refuse = |reason| bad(source, spanned, reason);
        if let Some(category) = &entry.category
            && !CATEGORIES.contains(&category.as_str())
        {
            return Err(refuse(format!("{category:?} is no expense category")));
        }
        if let Some(usual) = &entry.usual
            && !ACTIONS.contains(&usual.as_str())
        {
            return Err(refuse(format!("{usual:?} is no action of tasks")));
        }
        for word in entry.words.iter().chain([name]) {
            for written in [spaced(word), spaced(&plural(word))] {
                book.add(Tree::Words, &written, things.len() as u32).map_err(refuse)?;
            }
        }
        let (category, usual) = (entry.category.clone(), entry.usual.clone());
        things.push(Entry { name: name.clone(), category, usual });
    }
    Ok(things)
}

/// The words of a name that is written with hyphens.
fn spaced(name: &str) -> String {
    name.replace('-', " ")
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        _ if singular(word) != word => word.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x', 'h']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

fn actions(
    source: &str,
    file: &File,
    book: &mut Phrasebook,
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
    book: &mut Phrasebook,
) -> Result<(Vec<Rule>, Vec<Phrase>), BadRules> {
    let mut rules: Vec<Rule> = Vec::with_capacity(file.rule.len());
    let mut phrases = Vec::new();
    for spanned in &file.rule {
        let entry = spanned.get_ref();
        let refuse = |reason| bad(source, spanned, reason);
        if !entry.weight.is_finite() {
            return Err(refuse("the weight is no finite number".to_owned()));
        }
        let mark = digest(&entry.name);
        if rules.iter().any(|rule| rule.mark == mark) {
            return Err(refuse(format!("there is a rule {:?} already", entry.name)));
        }
        for phrase in &entry.phrases {
            let (written, meaning) = (phrase.get_ref(), phrases.len() as u32);
            book.add(Tree::Rules, written, meaning).map_err(|why| bad(source, phrase, why))?;
            phrases.push(Phrase { rule: rules.len(), mark: digest(written) });
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
fn digest(text: &str) -> u32 {
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
    fn a_bad_pattern_is_refused_with_its_line() {
        let error = refused("[[rule]]\nintent = 'query'\nweight = 1.0\npattern = 'a('\n");
        assert_eq!(error.line, 7);
        assert!(error.reason.contains("unclosed group"), "{error}");
    }

    #[test]
    fn an_unknown_list_feature_intent_or_key_is_refused() {
        for (rule, named) in [
            ("pattern = '{verbs}'", "verbs"),
            ("needs = ['wings']", "wings"),
            ("colour = 'red'", "colour"),
        ] {
            let error = refused(&format!("[[rule]]\nintent = 'query'\nweight = 1.0\n{rule}\n"));
            assert!(error.reason.contains(named), "{error}");
            assert!(error.line >= 7, "{error}");
        }
        assert!(refused("[[rule]]\nintent = 'party'\nweight = 1.0\n").line >= 7);
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
