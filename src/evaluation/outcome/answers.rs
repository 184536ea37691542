//! Questions that the records can answer, with what a right answer must say.

use serde::{Deserialize, Serialize};

use super::truth::BadTruth;
use crate::domain::chat::Message;
use crate::store::AnsweredQuestion;

/// A question of a chat with what its answer must say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Expected {
    /// The message that asks.
    pub message_id: String,
    /// Its text, for people.
    pub question: String,
    /// Every one of these must stand in the answer.
    pub expects: Vec<String>,
}

/// How the questions went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// How many were answered rightly and with the rows that the answer rests on.
    pub right: usize,
    /// How many there are.
    pub all: usize,
    /// The others.
    pub wrong: Vec<WrongAnswer>,
}

/// A question that was not answered rightly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongAnswer {
    /// The message that asks.
    pub message_id: String,
    /// What it asks.
    pub question: String,
    /// What the answer lacks, or that there is none.
    pub why: String,
    /// What was answered.
    pub answer: Option<String>,
}

/// Reads an answers file's content.
///
/// # Errors
/// The first thing that is wrong with it, with its place.
pub fn read_answers(json: &[u8], messages: &[Message]) -> Result<Vec<Expected>, BadTruth> {
    let bad = |place: String, why: String| BadTruth { place, why };
    let items: Vec<serde_json::Value> = serde_json::from_slice(json).map_err(|error| {
        bad(format!("line {}, column {}", error.line(), error.column()), "is no JSON list".into())
    })?;
    let mut all = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let read = Expected::deserialize(item);
        let expected = read.map_err(|error| bad(format!("[{at}]"), error.to_string()))?;
        if !messages.iter().any(|message| message.id.as_str() == expected.message_id) {
            let why = format!("the chat has no message {:?}", expected.message_id);
            return Err(bad(format!("[{at}].message_id"), why));
        }
        if expected.expects.iter().all(|it| it.trim().is_empty()) {
            return Err(bad(format!("[{at}].expects"), "expects nothing".into()));
        }
        all.push(expected);
    }
    Ok(all)
}

pub(super) fn judge(expected: &[Expected], answered: &[AnsweredQuestion]) -> Answers {
    let mut wrong = Vec::new();
    for one in expected {
        let answer = answered.iter().find(|it| it.message.as_str() == one.message_id);
        if let Some(why) = fault(one, answer) {
            wrong.push(WrongAnswer {
                message_id: one.message_id.clone(),
                question: one.question.clone(),
                why,
                answer: answer.map(|it| it.answer.clone()),
            });
        }
    }
    Answers { right: expected.len() - wrong.len(), all: expected.len(), wrong }
}

/// What is wrong with an answer; `None` when it is right.
fn fault(expected: &Expected, answer: Option<&AnsweredQuestion>) -> Option<String> {
    let Some(answer) = answer else { return Some("no answer".into()) };
    let said = bare(&answer.answer);
    let lacking: Vec<&str> =
        expected.expects.iter().map(String::as_str).filter(|it| !says(&said, &bare(it))).collect();
    match (lacking.is_empty(), answer.sources.is_empty()) {
        (true, false) => None,
        (true, true) => Some("cites no row".into()),
        (false, _) => Some(format!("lacks {}", lacking.join(", "))),
    }
}

/// In lower case, without the separators of thousands.
fn bare(text: &str) -> String {
    let lower: Vec<char> = text.to_lowercase().chars().collect();
    let digit = |at: usize| lower.get(at).is_some_and(char::is_ascii_digit);
    let separates = |at: usize| {
        let before = at > 0 && digit(at - 1);
        lower[at] == ',' && before && (1..=3).all(|n| digit(at + n)) && !digit(at + 4)
    };
    (0..lower.len()).filter(|at| !separates(*at)).map(|at| lower[at]).collect()
}

/// Whether a text says something as words or a number of its own: 50 is not in 150.00.
fn says(text: &str, wanted: &str) -> bool {
    text.match_indices(wanted).any(|(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        let is_number = |edge: Option<char>| edge.is_some_and(|c| c.is_ascii_digit());
        let joins = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
        let mut back = before.chars().rev();
        let mut front = after.chars();
        let decimals_before = is_number(found.chars().next())
            && back.clone().next() == Some('.')
            && is_number(back.clone().nth(1));
        // "150" says 150.00, and not 150.40.
        let decimals = after.strip_prefix('.').map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits
        });
        let decimals_after = is_number(found.chars().next_back())
            && !found.contains('.')
            && decimals.is_some_and(|digits| digits.chars().any(|digit| digit != '0'));
        !joins(back.next()) && !joins(front.next()) && !decimals_before && !decimals_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{MessageId, derived_uuid};

    fn answered(answer: &str, cites: bool) -> AnsweredQuestion {
        AnsweredQuestion {
            message: MessageId::parse("m1").unwrap(),
            question: "how much?".into(),
            answer: answer.into(),
            sources: if cites { vec![derived_uuid(&["row"])] } else { vec![] },
        }
    }

    fn expected(expects: &[&str]) -> Expected {
        Expected {
            message_id: "m1".into(),
            question: "how much?".into(),
            expects: expects.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn an_answer_is_right_when_it_says_all_and_cites_a_row() {
        let expects = expected(&["1,500.00", "tom"]);
        assert_eq!(fault(&expects, Some(&answered("Tom paid £1500.00.", true))), None);
        let uncited = fault(&expects, Some(&answered("Tom paid £1500.00.", false)));
        assert_eq!(uncited.as_deref(), Some("cites no row"));
        let wrong = fault(&expects, Some(&answered("Sue paid £1,500.00.", true)));
        assert_eq!(wrong.as_deref(), Some("lacks tom"));
        assert_eq!(fault(&expects, None).as_deref(), Some("no answer"));
    }

    #[test]
    fn a_number_is_not_found_within_another_one() {
        for (said, wanted, right) in [
            ("it is 150.00", "150", true),
            ("it is 150.40", "150", false),
            ("it is 1,150", "150", false),
            ("it is 3.50", "50", false),
            ("it is £50, all paid", "50", true),
            ("Tomorrow", "tom", false),
            ("on 14, 200 people", "14,200", false),
        ] {
            assert_eq!(says(&bare(said), &bare(wanted)), right, "{said:?} {wanted:?}");
        }
    }

    #[test]
    fn a_bad_answers_file_is_named_by_its_place() {
        let read = |json: &str| read_answers(json.as_bytes(), &[]).unwrap_err().to_string();
        assert!(read("{").contains("line 1"));
        assert!(read(r#"[{"message_id": "m9"}]"#).starts_with("[0]: missing field"));
        let unknown = r#"[{"message_id": "m9", "question": "", "expects": ["1"]}]"#;
        assert!(read(unknown).starts_with("[0].message_id: the chat has no message \"m9\""));
    }
}
