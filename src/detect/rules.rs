//! From features and rules to an intent with a confidence.

use super::lexicon::Lexicon;
use super::money::Amount;
use super::options::{Choices, Shape, calls_a_vote};
use super::people::Name;
use super::text::Text;
use super::things::Thing;
use crate::domain::intent::Intent;
use crate::domain::money::Currency;

/// What the readers found in a message, as flags that rules can ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Features(u16);

const NAMES: &[&str] = &[
    "money", "amount", "choices", "keyed", "set", "or", "many", "thing", "question", "name",
    "short", "long", "vote", "ask",
];

impl Features {
    /// The flags of these names.
    pub(super) fn named(names: &[String]) -> Result<Self, String> {
        names.iter().try_fold(Self::default(), |flags, name| {
            let place = NAMES.iter().position(|known| known == name);
            place
                .map(|at| Self(flags.0 | 1 << at))
                .ok_or_else(|| format!("there is no feature {name:?}"))
        })
    }

    fn set(&mut self, name: &str, holds: bool) {
        if let (true, Some(at)) = (holds, NAMES.iter().position(|known| *known == name)) {
            self.0 |= 1 << at;
        }
    }

    /// Whether all of the other's flags are set.
    pub(super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of the other's flags is set.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What was found in a message.
#[derive(Debug)]
pub(super) struct Findings<'a, 'l> {
    pub(super) text: &'a Text<'a>,
    pub(super) names: &'a [Name],
    pub(super) amounts: &'a [Amount],
    pub(super) choices: Option<&'a Choices>,
    pub(super) things: &'a [Thing<'l>],
    /// The event's currency.
    pub(super) currency: Option<Currency>,
}

impl Findings<'_, '_> {
    /// The findings as flags.
    pub(super) fn features(&self) -> Features {
        let folded = self.text.folded().trim_end();
        let words = self.text.words().len();
        let shape = self.choices.map(|choices| choices.shape);
        let mut flags = Features::default();
        flags.set("money", self.amounts.iter().any(|amount| amount.sure));
        flags.set("amount", !self.amounts.is_empty());
        flags.set("choices", shape.is_some());
        flags.set("keyed", shape == Some(Shape::Keyed));
        flags.set("set", shape == Some(Shape::Set));
        flags.set("or", shape == Some(Shape::Or));
        flags.set("many", self.choices.is_some_and(|choices| choices.options.len() > 2));
        flags.set("thing", !self.things.is_empty());
        flags.set("question", folded.contains('?'));
        flags.set("ask", folded.ends_with('?'));
        flags.set("name", !self.names.is_empty());
        flags.set("short", words <= 4);
        flags.set("long", words > 25);
        flags.set("vote", shape.is_some() && calls_a_vote(folded));
        flags
    }

    /// The folded text with `<name>`, `<amt>` (sure) and `<num>` (perhaps money) in their places.
    pub(super) fn masked(&self) -> String {
        let names = self.names.iter().map(|name| (&name.span, "<name>"));
        let amounts =
            self.amounts.iter().map(|it| (&it.span, if it.sure { "<amt>" } else { "<num>" }));
        let mut spans: Vec<_> = names.chain(amounts).collect();
        spans.sort_by_key(|(span, _)| span.start);
        let folded = self.text.folded();
        let mut masked = String::with_capacity(folded.len() + 16);
        let mut from = 0;
        for (span, mask) in spans {
            if span.start >= from {
                masked.push_str(&folded[from..span.start]);
                masked.push_str(mask);
                from = span.end;
            }
        }
        masked.push_str(&folded[from..]);
        masked
    }
}

/// Intents in the order in which they win when two are level.
const PRECEDENCE: [Intent; 5] =
    [Intent::ExpenseEntry, Intent::TaskCreation, Intent::PollCreation, Intent::Query, Intent::None];

/// The intents, likeliest first, each with its lead over the next.
pub(super) fn judge(lexicon: &Lexicon, findings: &Findings<'_, '_>) -> Vec<(Intent, f32)> {
    let scores = lexicon.scores(&findings.masked(), findings.features());
    let of = |intent: Intent| {
        Intent::ALL.iter().position(|it| *it == intent).map_or(0.0, |place| scores[place])
    };
    let mut ranked: Vec<(Intent, f32)> =
        PRECEDENCE.iter().map(|intent| (*intent, of(*intent))).collect();
    ranked.sort_by(|one, other| other.1.total_cmp(&one.1));
    let leads: Vec<f32> = ranked.windows(2).map(|pair| pair[0].1 - pair[1].1).collect();
    ranked
        .iter()
        .zip(leads.into_iter().chain([0.0]))
        .map(|((intent, _), lead)| (*intent, lead))
        .collect()
}

/// How often a detection with this lead is right.
pub(super) fn confidence(intent: Intent, lead: f32) -> f32 {
    let (floor, reach) = match intent {
        Intent::TaskCreation | Intent::Query => (0.5, 0.42),
        Intent::ExpenseEntry | Intent::PollCreation => (0.55, 0.42),
        Intent::None => (0.55, 0.35),
    };
    let lead = lead.clamp(0.0, 4.0);
    floor + reach * (1.0 - (-lead).exp())
}
