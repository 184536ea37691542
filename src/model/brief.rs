//! What an agent wants to know, typed: all that the offline model answers from.

use crate::domain::intent::Intent;

/// A question in closed words and short phrases; the prose of a request says the same.
#[derive(Debug, Clone, PartialEq)]
pub enum Brief {
    /// What is generally known of doing something with a thing; answered by a `TaskBase`.
    Task {
        /// The thing, singular and lower-case.
        object: String,
        /// The action.
        action: String,
    },
    /// How expenses of a category are handled; answered by an `ExpenseBase`.
    Expense {
        /// The category, where detection found one.
        category: Option<String>,
        /// What it was for, a short noun phrase.
        what: String,
    },
    /// What speaks for and against the choices of a poll; answered by a `PollBase`.
    Poll {
        /// The question.
        question: String,
        /// The choices.
        options: Vec<String>,
    },
    /// Which of the queries that the records can answer a question means; answered by a `Routed`.
    Route {
        /// The question.
        question: String,
    },
    /// An answer in the language of the group; answered by a `Wording`.
    Wording {
        /// The answer that code computed.
        answer: String,
    },
    /// What comes next for an event; answered by a `NextBase`.
    Next {
        /// What kind of event it is.
        kind: String,
        /// Days until it begins, negative after it; `None` where its day is not known.
        days_left: Option<i32>,
        /// Things that are on the list already, done or open, bought or suggested before.
        known: Vec<String>,
    },
    /// What a message is for; answered by a `Classified`.
    Intent {
        /// The best guess of detection.
        guess: Intent,
    },
}

impl Brief {
    /// What the model is told, a line a fact, in a fixed order: part of every key.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let said = |text: &str, absent: &str| {
            let text = text.trim();
            if text.is_empty() { absent.to_owned() } else { text.to_owned() }
        };
        match self {
            Self::Task { object, action } => {
                vec![("object", object.clone()), ("action", action.clone())]
            }
            Self::Expense { category, what } => vec![
                ("category", said(category.as_deref().unwrap_or_default(), "not known")),
                ("what", said(what, "not said")),
            ],
            Self::Poll { question, options } => std::iter::once(("poll", question.clone()))
                .chain(options.iter().map(|option| ("option", option.clone())))
                .collect(),
            Self::Route { question } => vec![("asked", question.clone())],
            Self::Wording { answer } => vec![("answer", answer.clone())],
            Self::Next { kind, days_left, known } => {
                let days = days_left.map_or("not known".to_owned(), |days| days.to_string());
                [("kind", said(kind, "not said")), ("days left", days)]
                    .into_iter()
                    .chain(known.iter().map(|thing| ("known", thing.clone())))
                    .collect()
            }
            Self::Intent { guess } => vec![("guess", guess.name().to_owned())],
        }
    }
}
