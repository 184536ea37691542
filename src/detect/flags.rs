//! What the readers found in a message, as flags that rules can ask for.

use super::findings::Findings;
use super::options::{Shape, calls_a_vote};

/// A set of flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(u32);

const NAMES: &[&str] = &[
    "money",
    "amount",
    "choices",
    "keyed",
    "set",
    "or",
    "many",
    "thing",
    "question",
    "name",
    "short",
    "long",
    "vote",
    "ask",
    "action",
    "amounts",
    "lines",
    "yesno",
    "list",
    "questions",
    "loose",
];

impl Flags {
    /// The flags of these names.
    pub(super) fn named(names: &[String]) -> Result<Self, String> {
        names.iter().try_fold(Self::default(), |flags, name| {
            let place = NAMES.iter().position(|known| known == name);
            place
                .map(|at| Self(flags.0 | 1 << at))
                .ok_or_else(|| format!("there is no flag {name:?}; there are {}", NAMES.join(", ")))
        })
    }

    /// What was found.
    pub(super) fn of(findings: &Findings<'_, '_>) -> Self {
        let folded = findings.text.folded().trim_end();
        let words = findings.text.words().len();
        let shape = findings.choices.as_ref().map(|choices| choices.shape);
        let holds = [
            findings.amounts.iter().any(|amount| amount.sure),
            !findings.amounts.is_empty(),
            shape.is_some_and(|shape| shape != Shape::Loose),
            shape == Some(Shape::Keyed),
            shape == Some(Shape::Set),
            shape == Some(Shape::Or),
            findings.choices.as_ref().is_some_and(|choices| choices.options.len() > 2),
            !findings.things.is_empty(),
            folded.contains('?'),
            !findings.names.is_empty(),
            words <= 4,
            words > 25,
            shape.is_some() && calls_a_vote(folded),
            folded.ends_with('?'),
            !findings.actions.is_empty(),
            findings.amounts.len() > 1,
            folded.trim().contains('\n'),
            shape == Some(Shape::YesNo),
            shape == Some(Shape::List),
            shape == Some(Shape::Questions),
            shape == Some(Shape::Loose),
        ];
        Self(holds.iter().enumerate().fold(0, |flags, (at, holds)| flags | u32::from(*holds) << at))
    }

    /// Whether all of the other's flags are set.
    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of the other's flags is set.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The places of the flags that are set.
    pub(super) fn places(self) -> impl Iterator<Item = u32> + Clone {
        (0..u32::BITS).filter(move |at| self.0 & 1 << at != 0)
    }
}
