//! What was said before a message: who asked, what was offered, which sums and things were named.

use std::collections::VecDeque;

use super::findings::Findings;
use crate::domain::intent::Intent;

/// How many messages back are remembered.
pub(super) const REACH: usize = 8;

/// What is remembered of a message.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    sender: Option<String>,
    /// What it looked like, by itself.
    intent: Intent,
    asks: bool,
    amounts: Vec<f64>,
    things: Vec<String>,
    /// The words of the choices it put.
    options: Vec<String>,
}

/// The messages before one, the latest last.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    heard: VecDeque<Heard>,
}

/// What the messages before one say about it, as marks for the weights.
#[derive(Debug, Clone, Default)]
pub(super) struct Context {
    /// Whether the message is part of a conversation at all.
    pub(super) is_given: bool,
    pub(super) marks: Vec<u32>,
}

impl Heard {
    /// What to remember of a message with these findings.
    pub(super) fn of(findings: &Findings<'_, '_>, sender: Option<&str>, intent: Intent) -> Self {
        let options = findings.choices.iter().flat_map(|choices| &choices.options);
        Self {
            sender: sender.map(str::to_owned),
            intent,
            asks: findings.text.folded().contains('?'),
            amounts: findings.amounts.iter().map(|amount| amount.value).collect(),
            things: findings.things.iter().map(|thing| thing.name.to_owned()).collect(),
            options: options.map(|option| option.to_lowercase()).collect(),
        }
    }
}

impl Memory {
    /// Remembers a message; the oldest gives way.
    pub(super) fn push(&mut self, heard: Heard) {
        if self.heard.len() == REACH {
            self.heard.pop_front();
        }
        self.heard.push_back(heard);
    }

    /// What the memory says about the next message.
    pub(super) fn context(&self, findings: &Findings<'_, '_>, sender: Option<&str>) -> Context {
        let mut marks = Vec::with_capacity(16);
        let mut recent = self.heard.iter().rev();
        let kind = |heard: &Heard| heard.intent.place() as u32 * 2 + u32::from(heard.asks);
        if let Some(last) = recent.next() {
            let same = u32::from(last.sender.is_some() && last.sender.as_deref() == sender);
            marks.push(10 + kind(last));
            marks.push(20 + kind(last) * 2 + same);
        }
        if let Some(other) = recent.next() {
            marks.push(40 + kind(other));
        }
        let polled = self.heard.iter().any(|heard| heard.intent == Intent::PollCreation);
        marks.push(60 + u32::from(polled));
        marks.push(62 + u32::from(self.picks(findings)));
        marks.push(64 + u32::from(self.restates(findings)));
        marks.push(66 + u32::from(self.names_again(findings)));
        let asked = self.heard.iter().rev().take(3).any(|heard| heard.intent == Intent::Query);
        marks.push(68 + u32::from(asked));
        Context { is_given: true, marks }
    }

    /// Whether the message names a choice that was put.
    fn picks(&self, findings: &Findings<'_, '_>) -> bool {
        let folded = findings.text.folded();
        let said = |option: &String| {
            folded.contains(option.as_str())
                || option.split(' ').any(|word| word.len() > 3 && folded.contains(word))
        };
        self.heard.iter().any(|heard| heard.options.iter().any(said))
    }

    /// Whether the message repeats a sum that was named.
    fn restates(&self, findings: &Findings<'_, '_>) -> bool {
        let known = |value: f64| self.heard.iter().any(|heard| heard.amounts.contains(&value));
        findings.amounts.iter().any(|amount| known(amount.value))
    }

    /// Whether the message names a thing that was named.
    fn names_again(&self, findings: &Findings<'_, '_>) -> bool {
        let known = |name: &str| {
            self.heard.iter().any(|heard| heard.things.iter().any(|thing| thing == name))
        };
        findings.things.iter().any(|thing| known(thing.name))
    }
}
