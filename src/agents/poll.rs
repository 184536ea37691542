//! Polls, by code alone: the choices as written, cleaned.

use crate::domain::enrichment::PollEnrichment;
use crate::domain::intent::PollEntities;

/// The most choices a poll keeps.
const MOST_OPTIONS: usize = 20;
/// The longest question and choice, in characters.
const LONGEST: usize = 200;

/// The poll with its choices trimmed, without empty and repeated ones.
pub(super) fn finish(poll: &PollEntities) -> PollEnrichment {
    let mut options: Vec<String> = Vec::new();
    for option in &poll.options {
        let option = cleaned(option);
        let again = options.iter().any(|known| known.to_lowercase() == option.to_lowercase());
        if !option.is_empty() && !again && options.len() < MOST_OPTIONS {
            options.push(option);
        }
    }
    let question = poll.question.split_whitespace().collect::<Vec<_>>().join(" ");
    PollEnrichment { question: question.chars().take(LONGEST).collect(), options }
}

/// One line, without a leading bullet and a trailing mark.
fn cleaned(option: &str) -> String {
    let line = option.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches(['-', '*', '•', ' ']);
    let line = line.trim_end_matches(['?', '!', '.', ',', ';', ':', ' ']);
    line.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_trimmed_and_stand_once() {
        let poll = PollEntities {
            question: " HEN.  Cardiff, Bath or\nBristol?? ".into(),
            options: ["Cardiff", " - Bath ", "", "bath", "Bristol??"].map(str::to_owned).into(),
        };
        let poll = finish(&poll);
        assert_eq!(poll.question, "HEN. Cardiff, Bath or Bristol??");
        assert_eq!(poll.options, ["Cardiff", "Bath", "Bristol"]);
    }

    #[test]
    fn a_poll_is_bounded() {
        let options = (0..100).map(|nr| format!("{nr} {}", "x".repeat(900))).collect();
        let poll = finish(&PollEntities { question: "?".repeat(9_000), options });
        assert_eq!((poll.options.len(), poll.question.len()), (20, 200));
        assert!(poll.options.iter().all(|option| option.len() <= 200));
    }
}
