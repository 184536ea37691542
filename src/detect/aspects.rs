//! What the weights say of an intent's entities: who paid, what kind of expense, which action.
//!
//! Readers find names, nouns and verbs; whether the payer is the sender or a name, which of
//! fifteen categories an expense belongs to, is judged by the words as a whole.

use std::ops::Range;

use serde_json::Value;

use super::learn::Target;
use crate::domain::intent::{ACTIONS, CATEGORIES, Intent, TOPICS};

/// Who an entity names: the payer of an expense, the one who is to do a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Nobody, or nobody that is known.
    Nobody,
    /// The sender.
    Me,
    /// Somebody by name.
    Named,
    /// Whoever will.
    Someone,
    /// All of the group.
    Everyone,
}

impl Who {
    /// Who an entity as read names.
    pub(super) fn of(said: Option<&str>) -> Self {
        match said {
            None => Self::Nobody,
            Some("me") => Self::Me,
            Some("someone") => Self::Someone,
            Some("everyone") => Self::Everyone,
            Some(_) => Self::Named,
        }
    }

    /// A word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Me => "me",
            Self::Named => "named",
            Self::Someone => "someone",
            Self::Everyone => "everyone",
        }
    }
}

const WHO: [Who; 5] = [Who::Nobody, Who::Me, Who::Named, Who::Someone, Who::Everyone];

/// Something that is judged about an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Payer,
    Category,
    Assignee,
    Action,
    Topic,
}

/// How many outputs all aspects have.
pub(super) const ASPECTS: usize = Aspect::Payer.size()
    + Aspect::Category.size()
    + Aspect::Assignee.size()
    + Aspect::Action.size()
    + Aspect::Topic.size();

impl Aspect {
    const ALL: [Self; 5] = [Self::Payer, Self::Category, Self::Assignee, Self::Action, Self::Topic];

    /// How many outputs it has.
    pub(super) const fn size(self) -> usize {
        match self {
            // Nobody is paid by whoever will, or by all: only the first three.
            Self::Payer => 3,
            Self::Category => CATEGORIES.len(),
            Self::Assignee => WHO.len(),
            Self::Action => ACTIONS.len(),
            Self::Topic => TOPICS.len(),
        }
    }

    /// Its places among the outputs.
    pub(super) fn places(self) -> Range<usize> {
        let before = Self::ALL.iter().take_while(|aspect| **aspect != self);
        let start = before.map(|aspect| aspect.size()).sum();
        start..start + self.size()
    }
}

/// The places among the outputs of all that is judged of an intent's entities.
pub(super) fn judged(intent: Intent) -> Range<usize> {
    match intent {
        Intent::ExpenseEntry => Aspect::Payer.places().start..Aspect::Category.places().end,
        Intent::TaskCreation => Aspect::Assignee.places().start..Aspect::Action.places().end,
        Intent::Query => Aspect::Topic.places(),
        Intent::PollCreation | Intent::None => 0..0,
    }
}

/// The right outputs of a labelled message, each with the places among which it is one.
pub(super) fn targets(intent: Intent, entities: &Value) -> Vec<Target> {
    let among = |aspect: Aspect, place: Option<usize>| {
        let places = aspect.places();
        place.map(|at| (places.clone(), places.start + at))
    };
    let listed = |list: &[&str], key: &str| {
        let said = entities[key].as_str();
        said.and_then(|said| list.iter().position(|it| *it == said))
    };
    let who = |key: &str| {
        let who = Who::of(entities[key].as_str());
        WHO.iter().position(|it| *it == who)
    };
    let found = match intent {
        Intent::ExpenseEntry => vec![
            among(Aspect::Payer, who("paid_by").filter(|at| *at < Aspect::Payer.size())),
            among(Aspect::Category, listed(&CATEGORIES, "category")),
        ],
        Intent::TaskCreation => vec![
            among(Aspect::Assignee, who("assignee")),
            among(Aspect::Action, listed(&ACTIONS, "action")),
        ],
        Intent::Query => vec![among(Aspect::Topic, listed(&TOPICS, "topic"))],
        Intent::PollCreation | Intent::None => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// What the weights say of a message's entities.
#[derive(Debug, Clone)]
pub(super) struct Aspects(pub(super) [f32; ASPECTS]);

impl Aspects {
    /// The likeliest of an aspect, by its place.
    fn likeliest(&self, aspect: Aspect) -> usize {
        let logits = &self.0[aspect.places()];
        (0..logits.len()).max_by(|one, other| logits[*one].total_cmp(&logits[*other])).unwrap_or(0)
    }

    /// Who paid.
    pub(super) fn payer(&self) -> Who {
        WHO[self.likeliest(Aspect::Payer)]
    }

    /// Who is to do it.
    pub(super) fn assignee(&self) -> Who {
        WHO[self.likeliest(Aspect::Assignee)]
    }

    /// The category of an expense.
    pub(super) fn category(&self) -> &'static str {
        CATEGORIES[self.likeliest(Aspect::Category)]
    }

    /// The action of a task.
    pub(super) fn action(&self) -> &'static str {
        ACTIONS[self.likeliest(Aspect::Action)]
    }

    /// The topic of a question.
    pub(super) fn topic(&self) -> &'static str {
        TOPICS[self.likeliest(Aspect::Topic)]
    }
}
