//! The rules file: word lists, things, actions and weighted rules, parsed once.
//!
//! A rule adds its weight to an intent when its pattern is in the message. A
//! mistake in the file is refused with its line.

use std::collections::{BTreeMap, HashMap};

use regex::bytes::{RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::rules::Features;
use super::text::singular;
use crate::domain::intent::{CATEGORIES, Intent};

/// The actions a task may have.
pub(super) const ACTIONS: &[&str] = &[
    "book", "buy", "confirm", "contact", "arrange", "send", "pay", "collect", "make", "check",
    "cancel", "bring", "return",
];

const BUNDLED: &str = include_str!("../../config/intents.toml");
/// The compiled patterns may take this much memory each, in bytes.
const PATTERN_ROOM: usize = 64 << 20;

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
    intent: Intent,
    weight: f32,
    #[serde(default)]
    pattern: Option<String>,
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
    intent: Intent,
    weight: f32,
    /// Its place in the set of patterns; a rule without a pattern always matches.
    pattern: Option<usize>,
    needs: Features,
    without: Features,
}

/// The rules file, ready for use.
#[derive(Debug)]
pub(super) struct Lexicon {
    things: HashMap<String, Entry>,
    actions: HashMap<String, String>,
    patterns: RegexSet,
    rules: Vec<Rule>,
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
        let (patterns, rules) = compile(source, &file)?;
        Ok(Self {
            things: things(source, &file)?,
            actions: actions(source, &file)?,
            patterns,
            rules,
        })
    }

    /// The thing that this folded phrase names.
    pub(super) fn thing(&self, phrase: &str) -> Option<&Entry> {
        let phrase = phrase.strip_suffix("'s").unwrap_or(phrase);
        self.things.get(phrase)
    }

    /// The action that this folded phrase names.
    pub(super) fn action(&self, phrase: &str) -> Option<&String> {
        self.actions.get(phrase)
    }

    /// What the rules say for each intent, in the order of [`Intent::ALL`].
    pub(super) fn scores(&self, masked: &str, features: Features) -> [f32; 5] {
        let matched = self.patterns.matches(masked.as_bytes());
        let mut scores = [0.0; 5];
        for rule in &self.rules {
            let holds = rule.pattern.is_none_or(|at| matched.matched(at))
                && features.contains(rule.needs)
                && !features.meets(rule.without);
            if holds {
                scores[place(rule.intent)] += rule.weight;
            }
        }
        scores
    }
}

fn place(intent: Intent) -> usize {
    match intent {
        Intent::TaskCreation => 0,
        Intent::ExpenseEntry => 1,
        Intent::PollCreation => 2,
        Intent::Query => 3,
        Intent::None => 4,
    }
}

fn line_of(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn bad<T>(source: &str, at: &Spanned<T>, reason: String) -> BadRules {
    BadRules { line: line_of(source, at.span().start), reason }
}

fn things(source: &str, file: &File) -> Result<HashMap<String, Entry>, BadRules> {
    let mut things = HashMap::new();
    for (name, spanned) in &file.things {
        let entry = spanned.get_ref();
        if let Some(category) = &entry.category
            && !CATEGORIES.contains(&category.as_str())
        {
            return Err(bad(source, spanned, format!("{category:?} is no expense category")));
        }
        if let Some(usual) = &entry.usual
            && !ACTIONS.contains(&usual.as_str())
        {
            return Err(bad(source, spanned, format!("{usual:?} is no action of tasks")));
        }
        for word in entry.words.iter().chain([name]) {
            let entry = || Entry {
                name: name.clone(),
                category: entry.category.clone(),
                usual: entry.usual.clone(),
            };
            things.insert(word.clone(), entry());
            things.entry(plural(word)).or_insert_with(entry);
        }
    }
    Ok(things)
}

fn plural(word: &str) -> String {
    match word.strip_suffix('y') {
        _ if singular(word) != word => word.to_owned(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ if word.ends_with(['s', 'x', 'h']) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

fn actions(source: &str, file: &File) -> Result<HashMap<String, String>, BadRules> {
    let mut actions = HashMap::new();
    for (name, verbs) in &file.actions {
        if !ACTIONS.contains(&name.as_str()) {
            return Err(bad(source, verbs, format!("{name:?} is no action of tasks")));
        }
        for verb in verbs.get_ref() {
            actions.insert(verb.clone(), name.clone());
        }
    }
    Ok(actions)
}

fn compile(source: &str, file: &File) -> Result<(RegexSet, Vec<Rule>), BadRules> {
    let mut patterns = Vec::new();
    let mut rules = Vec::with_capacity(file.rule.len());
    for spanned in &file.rule {
        let entry = spanned.get_ref();
        if !entry.weight.is_finite() {
            return Err(bad(source, spanned, "the weight is no finite number".to_owned()));
        }
        let refuse = |reason| bad(source, spanned, reason);
        let pattern = match &entry.pattern {
            Some(pattern) => {
                let pattern = expand(pattern, &file.words).map_err(refuse)?;
                patterns.push(pattern);
                Some(patterns.len() - 1)
            }
            None => None,
        };
        rules.push(Rule {
            intent: entry.intent,
            weight: entry.weight,
            pattern,
            needs: Features::named(&entry.needs).map_err(refuse)?,
            without: Features::named(&entry.without).map_err(refuse)?,
        });
    }
    let set = RegexSetBuilder::new(&patterns)
        .unicode(false)
        .size_limit(PATTERN_ROOM)
        .dfa_size_limit(PATTERN_ROOM)
        .build()
        .map_err(|error| culprit(source, file, &error))?;
    Ok((set, rules))
}

/// Finds the rule whose pattern does not compile by compiling each alone.
fn culprit(source: &str, file: &File, together: &regex::Error) -> BadRules {
    for spanned in &file.rule {
        let pattern = spanned.get_ref().pattern.as_deref().unwrap_or("");
        let expanded = expand(pattern, &file.words).unwrap_or_default();
        if let Err(error) = RegexBuilder::new(&expanded).unicode(false).build() {
            return bad(source, spanned, error.to_string());
        }
    }
    BadRules { line: 1, reason: format!("the patterns together: {together}") }
}

/// Puts the lists in: `{verb}` becomes the alternatives of the list `verb`.
fn expand(pattern: &str, lists: &BTreeMap<String, Vec<String>>) -> Result<String, String> {
    let mut expanded = String::with_capacity(pattern.len() * 2);
    let mut rest = pattern;
    while let Some(open) = rest.find('{') {
        expanded.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}').map(|at| open + at) else {
            return Err("a { is never closed".to_owned());
        };
        let name = &rest[open + 1..close];
        if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            let list = lists.get(name).ok_or_else(|| format!("there is no word list {name:?}"))?;
            expanded.push_str("(?:");
            expanded.push_str(&list.join("|"));
            expanded.push(')');
        } else {
            expanded.push_str(&rest[open..=close]);
        }
        rest = &rest[close + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
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
