//! What a question is about: its topic among the records, and its subject.
//!
//! Every telling word speaks for a topic; the topic with most behind it wins.

mod subject;
mod topic;
mod named;

use super::findings::Findings;
use crate::domain::intent::QueryEntities;

pub(crate) use named::named;
pub(super) use topic::{Topic, of as topic};

/// Reads a question on this topic.
pub(super) fn read_as(findings: &Findings<'_, '_>, topic: Topic) -> QueryEntities {
    QueryEntities { topic: topic.name().to_owned(), subject: subject::of(findings, topic) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::lexicon;
    use crate::detect::text::Text;

    fn asked(text: &str) -> (String, Option<String>) {
        let (lexicon, text) = (lexicon::bundled(), Text::new(text));
        let findings = Findings::of(&text, None, lexicon);
        let read = read_as(&findings, topic(&findings));
        (read.topic, read.subject)
    }

    #[test]
    fn the_topic_is_the_one_most_words_speak_for() {
        for (text, topic) in [
            ("how much have we spent so far?", "spending"),
            ("what time does the coach leave?", "schedule"),
            ("who's bringing the cool box?", "tasks"),
            ("how many people said yes?", "people"),
            ("which option won the vote?", "polls"),
            ("what's the wifi password?", "other"),
        ] {
            assert_eq!(asked(text).0, topic, "{text}");
        }
    }

    #[test]
    fn the_subject_is_a_whole_or_what_is_asked_about() {
        for (text, subject) in [
            ("how much is left in the budget?", "budget remaining"),
            ("what is overdue?", "overdue"),
            ("what have we spent in total?", "total"),
            ("how many people are coming?", "headcount"),
        ] {
            assert_eq!(asked(text).1.as_deref(), Some(subject), "{text}");
        }
        assert_eq!(asked("when is it?").1, None);
    }
}
