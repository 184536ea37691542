//! What the readers found in a message.

use super::flags::Flags;
use super::lexicon::Lexicon;
use super::money::{self, Amount};
use super::options::{self, Choices};
use super::people::{self, Name};
use super::text::Text;
use super::things::{self, Action, Thing};
use super::tokens::{Tokens, plain};
use crate::domain::chat::Event;
use crate::domain::money::Currency;

/// What was found in a message.
#[derive(Debug)]
pub(super) struct Findings<'a, 'l> {
    pub(super) text: &'a Text<'a>,
    pub(super) names: Vec<Name>,
    pub(super) amounts: Vec<Amount>,
    pub(super) choices: Option<Choices>,
    pub(super) things: Vec<Thing<'l>>,
    pub(super) actions: Vec<Action<'l>>,
    /// The words, with what was found in its place.
    pub(super) tokens: Tokens<'l>,
    /// The event's currency.
    pub(super) currency: Option<Currency>,
    /// The above as flags.
    pub(super) flags: Flags,
}

impl<'a, 'l> Findings<'a, 'l> {
    /// Reads a text.
    pub(super) fn of(text: &'a Text<'a>, event: Option<&Event>, lexicon: &'l Lexicon) -> Self {
        let names = people::names(text, event);
        let amounts = money::amounts(text);
        let words = plain(text, lexicon.book());
        let (things, actions) = things::find(text, &words, lexicon);
        let tokens = Tokens::masked(text, &words, &names, &amounts, &things);
        let mut findings = Self {
            text,
            names,
            amounts,
            choices: options::choices(text),
            things,
            actions,
            tokens,
            currency: event.map(|event| event.currency),
            flags: Flags::default(),
        };
        findings.flags = Flags::of(&findings);
        findings
    }
}
