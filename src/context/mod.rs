//! Context levels: what of an event's past a model may see, within a token cap.
//!
//! [`query`] says which rows a level reads, [`assemble()`] writes them: what
//! changes least stands first (the event and its people, then tasks, expenses,
//! messages), so that a provider's prompt cache can keep the beginning; the
//! message itself stands last and is always there.

mod assemble;
mod text;

use crate::domain::chat::{Event, Message};
use crate::store::ContextQuery;

pub use crate::model::estimate::estimate;
pub use assemble::{Context, assemble};
pub use text::{escape, escape_line};

/// How much of an event's past an agent may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The event and the message.
    Minimal,
    /// And the last few messages and tasks.
    Standard,
    /// And expenses and participants.
    Rich,
    /// And as much of the past as is ever read.
    Full,
}

/// What a level allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of the context with the message, by the estimate that it is assembled with.
    pub tokens: u32,
    /// Messages before the one in hand.
    pub messages: u32,
    /// Tasks.
    pub tasks: u32,
    /// Expenses.
    pub expenses: u32,
    /// Whether the participants are listed.
    pub participants: bool,
}

impl Level {
    /// All levels, the least first.
    pub const ALL: [Self; 4] = [Self::Minimal, Self::Standard, Self::Rich, Self::Full];

    /// The level's name in rows and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Standard => "standard",
            Self::Rich => "rich",
            Self::Full => "full",
        }
    }

    /// What the level allows.
    pub fn limits(self) -> Limits {
        let (tokens, messages, tasks, expenses, participants) = match self {
            Self::Minimal => (500, 0, 0, 0, false),
            Self::Standard => (2_000, 10, 20, 0, false),
            Self::Rich => (5_000, 50, 50, 50, true),
            Self::Full => (15_000, 200, 100, 100, true),
        };
        Limits { tokens, messages, tasks, expenses, participants }
    }
}

/// The rows that a level reads, as of the message; `None` when it reads none.
pub fn query(level: Level, event: &Event, message: &Message) -> Option<ContextQuery> {
    let limits = level.limits();
    if limits.messages == 0 && limits.tasks == 0 && limits.expenses == 0 {
        return None;
    }
    Some(ContextQuery {
        event: event.clone(),
        before: (message.sent_at, message.id.clone()),
        messages: limits.messages,
        tasks: limits.tasks,
        expenses: limits.expenses,
    })
}

#[cfg(test)]
mod tests {
    use super::assemble::samples;
    use super::*;

    #[test]
    fn the_levels_are_the_ones_that_were_promised() {
        let of = |level: Level| {
            let limits = level.limits();
            (limits.tokens, limits.messages, limits.tasks, limits.expenses > 0, limits.participants)
        };
        assert_eq!(of(Level::Minimal), (500, 0, 0, false, false));
        assert_eq!(of(Level::Standard), (2_000, 10, 20, false, false));
        assert_eq!(of(Level::Rich), (5_000, 50, 50, true, true));
        assert_eq!(of(Level::Full), (15_000, 200, 100, true, true));
    }

    #[test]
    fn a_query_ends_just_before_the_message() {
        let (event, message) = (samples::event(), samples::message(7, "hello"));
        let query = query(Level::Rich, &event, &message).unwrap();
        assert_eq!(query.before, (message.sent_at, message.id.clone()));
        assert_eq!((query.messages, query.tasks, query.expenses), (50, 50, 50));
    }

    #[test]
    fn a_minimal_context_reads_no_rows() {
        assert_eq!(query(Level::Minimal, &samples::event(), &samples::message(7, "hello")), None);
    }
}
