//! The knowledge base: vendor kinds, errands and expense categories, as read from `config/knowledge/`.
//!
//! It is part of the binary. A [`VendorKind`] or [`Category`] can only be had
//! from here: what may be asked without any event's data is a closed list, and
//! the types are the proof.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::domain::enrichment::{ExpenseBase, TaskBase};
use crate::domain::intent::CATEGORIES;

const VENDORS: [&str; 3] = [
    include_str!("../../../config/knowledge/people.toml"),
    include_str!("../../../config/knowledge/things.toml"),
    include_str!("../../../config/knowledge/errands.toml"),
];
const EXPENSES: &str = include_str!("../../../config/knowledge/expenses.toml");

static BUNDLED: LazyLock<Knowledge> = LazyLock::new(|| {
    Knowledge::read(&VENDORS, EXPENSES).expect("a test holds that the bundled knowledge base reads")
});

/// A kind of vendor or errand that the knowledge base knows: `photographer`, `sound system`…
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VendorKind(&'static str);

impl VendorKind {
    /// Its name, singular and lower-case; vendors of the application carry it as their kind.
    pub fn name(self) -> &'static str {
        self.0
    }

    /// All kinds, in the order of the knowledge base.
    pub fn all() -> impl Iterator<Item = Self> {
        BUNDLED.kinds.iter().map(|kind| Self(&kind.name))
    }
}

impl fmt::Display for VendorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The kind that goes by this name or synonym, in either number and case.
pub fn vendor_kind(object: &str) -> Option<VendorKind> {
    let place = BUNDLED.place_of(object)?;
    Some(VendorKind(&BUNDLED.kinds[place].name))
}

/// The category under which a vendor of that name is paid.
pub fn vendor_category(object: &str) -> Option<&'static str> {
    let place = BUNDLED.place_of(object)?;
    Some(&BUNDLED.kinds[place].category)
}

/// An expense category of the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(&'static str);

impl Category {
    /// The category of that name, in either case.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        CATEGORIES.into_iter().find(|known| known.eq_ignore_ascii_case(name)).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    kind: Vec<Kind>,
}

/// One `[[kind]]` of a vendor file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kind {
    name: String,
    category: String,
    synonyms: Vec<String>,
    checklist: Vec<String>,
    questions: Vec<String>,
    lead_time_days: u32,
    share_low: f64,
    share_high: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpenseFile {
    category: Vec<Spending>,
}

/// One `[[category]]` of the expense file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spending {
    name: String,
    typical_share: f64,
    words: Vec<String>,
    advice: Vec<String>,
}

/// The whole of it.
#[derive(Debug)]
pub(super) struct Knowledge {
    kinds: Vec<Kind>,
    spending: Vec<Spending>,
    /// The kind's place, by name and synonym.
    places: HashMap<String, usize>,
}

/// The knowledge base that is part of the binary.
pub(super) fn bundled() -> &'static Knowledge {
    &BUNDLED
}

impl Knowledge {
    fn read(vendors: &[&str], expenses: &str) -> Result<Self, toml::de::Error> {
        let mut kinds = Vec::new();
        for file in vendors {
            kinds.extend(toml::from_str::<VendorFile>(file)?.kind);
        }
        let spending = toml::from_str::<ExpenseFile>(expenses)?.category;
        let mut places = HashMap::new();
        for (place, kind) in kinds.iter().enumerate() {
            for name in std::iter::once(&kind.name).chain(&kind.synonyms) {
                places.insert(name.clone(), place);
            }
        }
        Ok(Self { kinds, spending, places })
    }

    fn place_of(&self, object: &str) -> Option<usize> {
        let name = object.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let found = |name: &str| self.places.get(name).copied();
        found(&name)
            .or_else(|| found(name.strip_suffix('s')?))
            .or_else(|| found(name.strip_suffix("es")?))
            .or_else(|| found(&format!("{name}s")))
    }

    /// What is known of a kind.
    pub(super) fn task(&self, object: &str) -> Option<TaskBase> {
        let kind = &self.kinds[self.place_of(object)?];
        Some(TaskBase {
            category: kind.category.clone(),
            checklist: kind.checklist.clone(),
            questions: kind.questions.clone(),
            lead_time_days: kind.lead_time_days,
            budget_share_low: kind.share_low,
            budget_share_high: kind.share_high,
        })
    }

    /// What is known of a category.
    pub(super) fn expense(&self, category: Category) -> Option<ExpenseBase> {
        let spending = self.spending.iter().find(|known| known.name == category.name())?;
        Some(ExpenseBase {
            category: spending.name.clone(),
            typical_share: spending.typical_share,
            advice: spending.advice.clone(),
        })
    }

    /// The category that the words of a phrase speak of; `other` where none does.
    /// The last word that says anything wins: a "cake stand hire deposit" is about hiring.
    pub(super) fn category_by_word(&self, phrase: &str) -> Category {
        let phrase = phrase.to_lowercase();
        if let Some(place) = self.place_of(&phrase) {
            return named_or_other(&self.kinds[place].category);
        }
        let words: Vec<&str> = phrase
            .split(|c: char| !c.is_alphanumeric() && c != '-')
            .filter(|w| !w.is_empty())
            .collect();
        for place in (0..words.len()).rev() {
            let pair = words[place..].get(..2).map(|two| two.join(" "));
            let said = pair.as_deref().and_then(|pair| self.category_of(pair));
            if let Some(category) = said.or_else(|| self.category_of(words[place])) {
                return category;
            }
        }
        named_or_other("other")
    }

    fn category_of(&self, word: &str) -> Option<Category> {
        if let Some(category) = Category::named(word) {
            return Some(category);
        }
        if let Some(place) = self.place_of(word) {
            return Category::named(&self.kinds[place].category);
        }
        let singular = word.strip_suffix('s').unwrap_or(word);
        let spending = self.spending.iter().find(|known| {
            known
                .words
                .iter()
                .any(|it| it == word || it.strip_suffix('s').unwrap_or(it) == singular)
        })?;
        Category::named(&spending.name)
    }
}

fn named_or_other(name: &str) -> Category {
    Category::named(name).unwrap_or(Category("other"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_bundled_files_read_and_know_more_than_forty_kinds() {
        let knowledge = Knowledge::read(&VENDORS, EXPENSES).unwrap();
        assert!(knowledge.kinds.len() >= 40, "{} kinds", knowledge.kinds.len());
    }

    #[test]
    fn every_name_and_synonym_stands_for_one_kind() {
        let mut seen = BTreeSet::new();
        for kind in &bundled().kinds {
            for name in std::iter::once(&kind.name).chain(&kind.synonyms) {
                assert_eq!(*name, name.trim().to_lowercase(), "{name} is not lower-case");
                assert!(seen.insert(name), "{name} stands twice");
            }
        }
    }

    #[test]
    fn a_kinds_own_name_and_its_plural_are_never_another_kind() {
        for (place, kind) in bundled().kinds.iter().enumerate() {
            for name in std::iter::once(&kind.name).chain(&kind.synonyms) {
                assert_eq!(bundled().place_of(name), Some(place), "{name}");
                assert_eq!(bundled().place_of(&format!("{name}s")), Some(place), "{name}s");
            }
        }
    }

    #[test]
    fn every_kind_says_what_to_do_what_to_ask_when_and_for_how_much() {
        for kind in &bundled().kinds {
            let name = &kind.name;
            assert!(Category::named(&kind.category).is_some(), "{name}: {}", kind.category);
            assert!((3..=8).contains(&kind.checklist.len()), "{name}: checklist");
            assert!((3..=6).contains(&kind.questions.len()), "{name}: questions");
            assert!(kind.questions.iter().all(|ask| ask.ends_with('?')), "{name}: questions");
            assert!((7..=400).contains(&kind.lead_time_days), "{name}: lead time");
            assert!(kind.share_low >= 0.0 && kind.share_low <= kind.share_high, "{name}: shares");
            assert!(kind.share_high <= 40.0, "{name}: shares");
        }
    }

    #[test]
    fn every_category_has_a_kind_and_an_expense_entry() {
        let known: Vec<&str> = bundled().spending.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(known, CATEGORIES);
        for category in CATEGORIES {
            assert!(bundled().kinds.iter().any(|kind| kind.category == category), "{category}");
            let base = bundled().expense(Category::named(category).unwrap()).unwrap();
            assert!((1.0..=40.0).contains(&base.typical_share), "{category}");
            assert!(base.advice.len() >= 3, "{category}");
        }
    }

    #[test]
    fn synonyms_plurals_and_capitals_find_their_kind() {
        for (said, kind) in [
            ("photographer", "photographer"),
            ("Wedding  Photographers", "photographer"),
            ("flowers", "florist"),
            ("coach", "transport"),
            ("portaloos", "toilet"),
            ("tables", "chair"),
            ("dhol player", "musician"),
            ("invite", "invitations"),
        ] {
            assert_eq!(vendor_kind(said).map(VendorKind::name), Some(kind), "{said}");
        }
        assert_eq!(vendor_kind("grandma's secret"), None);
        assert_eq!(vendor_kind(""), None);
    }

    #[test]
    fn a_phrase_is_put_into_a_category_by_its_words() {
        for (phrase, category) in [
            ("barn deposit", "venue"),
            ("petrol for the van", "transport"),
            ("photographer deposit", "photography"),
            ("two kegs and ice", "catering"),
            ("mystery thing", "other"),
            ("", "other"),
        ] {
            assert_eq!(bundled().category_by_word(phrase).name(), category, "{phrase}");
        }
    }
}
