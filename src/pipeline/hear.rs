//! Detection of a claimed message with its room's talk in mind.
//!
//! A short answer says little by itself: who asked, and what was offered, stands
//! in the messages before it, which the claim brought along.

use crate::detect::{self, Conversation, Detector, Subject};
use crate::domain::chat::{Event, Message, Remark};
use crate::domain::intent::Detection;

/// What the producer detected when that is well formed, else what we do.
pub(super) fn detect(
    detector: &Detector,
    before: &[Remark],
    message: &Message,
    event: &Event,
) -> Detection {
    if let Some(taken) = detect::taken(message) {
        return taken;
    }
    let mut talk = Conversation::default();
    for remark in before {
        let sender = remark.sender.as_ref().map(|person| event.name_of(person));
        let text = &remark.text;
        detector.hear(&mut talk, &Subject { text, sender, sent_at: None, event: Some(event) });
    }
    let subject = Subject {
        text: &message.text,
        sender: Some(event.name_of(&message.sender)),
        sent_at: Some(message.sent_at),
        event: Some(event),
    };
    detector.detect_next(&mut talk, &subject)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::detect::Label;
    use crate::domain::ids::{EventId, MessageId, PersonId, RoomId};
    use crate::domain::intent::{FollowUpKind, Intent};
    use crate::domain::money::Currency;

    const QUESTION: &str = "Band or DJ for the party?";
    const ANSWER: &str = "DJ";

    fn event() -> Event {
        Event {
            id: EventId::parse("party").unwrap(),
            tenant: Event::DEFAULT_TENANT.into(),
            name: "The party".into(),
            kind: "birthday".into(),
            starts_at: None,
            time_zone: "UTC".into(),
            locale: "en".into(),
            currency: Currency::parse("GBP").unwrap(),
            budget: None,
            participants: Vec::new(),
        }
    }

    fn answer() -> Message {
        Message {
            id: MessageId::parse("m2").unwrap(),
            room: RoomId::parse("room").unwrap(),
            sender: PersonId("Ben".into()),
            sent_at: Timestamp::UNIX_EPOCH,
            text: ANSWER.into(),
            revision: 1,
            deleted_at: None,
            detected_intent: None,
            extracted_entities: None,
        }
    }

    fn question() -> Remark {
        Remark { sender: Some(PersonId("Ana".into())), text: QUESTION.into() }
    }

    /// A detector that learnt one thing: the answer is a vote after the question, and nothing alone.
    fn taught() -> Detector {
        let detector = Detector::new();
        let event = event();
        let said = |text, sender| Subject { text, sender, sent_at: None, event: Some(&event) };
        let mut samples = Vec::new();
        for follow_up in [None, Some(FollowUpKind::Vote)].repeat(20) {
            let mut talk = Conversation::default();
            if follow_up.is_some() {
                detector.hear(&mut talk, &said(QUESTION, Some("Ana")));
            }
            let label = Label {
                intent: Intent::None,
                entities: &serde_json::Value::Null,
                follow_up: Some(follow_up),
            };
            samples.push(detector.sample(&said(ANSWER, Some("Ben")), Some(&mut talk), label));
        }
        detector.trained(&samples.iter().collect::<Vec<_>>(), 1)
    }

    #[test]
    fn a_short_answer_is_read_with_the_question_before_it() {
        let (detector, event, answer) = (taught(), event(), answer());
        let alone = detect(&detector, &[], &answer, &event);
        assert_eq!(alone.follow_up, None);
        let asked = detect(&detector, &[question()], &answer, &event);
        assert_eq!(asked.follow_up.map(|vote| vote.kind), Some(FollowUpKind::Vote));
    }

    #[test]
    fn what_the_producer_detected_is_taken_whatever_was_said_before() {
        let mut answer = answer();
        answer.detected_intent = Some("task_creation".into());
        answer.extracted_entities = Some(json!({"object": "dj", "action": "book"}));
        let taken = detect(&Detector::new(), &[question()], &answer, &event());
        assert_eq!((taken.intent(), taken.follow_up), (Intent::TaskCreation, None));
    }
}
