//! Detection of a claimed message with its room's talk in mind.
//!
//! A short answer says little by itself: who asked, and what was offered, stands
//! in the messages before it, which the claim brought along.

use crate::detect::{Conversation, Detector, Subject};
use crate::domain::chat::{Event, Message, Remark};
use crate::domain::intent::{Detection, Intent};

/// What the message says after what was said before it.
pub(super) fn detect(
    detector: &Detector,
    before: &[Remark],
    message: &Message,
    event: &Event,
) -> Detection {
    let mut talk = heard(detector, before, event);
    detector.detect_next(&mut talk, &subject(message, event))
}

/// What the message says when it is known to be for this; `None` when it lacks what that needs.
pub(super) fn read_as(
    detector: &Detector,
    before: &[Remark],
    message: &Message,
    event: &Event,
    intent: Intent,
) -> Option<Detection> {
    let mut talk = heard(detector, before, event);
    detector.read_next_as(&mut talk, &subject(message, event), intent)
}

/// The room's talk before the message.
fn heard(detector: &Detector, before: &[Remark], event: &Event) -> Conversation {
    let mut talk = Conversation::default();
    for remark in before {
        let sender = remark.sender.as_ref().map(|person| event.name_of(person));
        let text = &remark.text;
        detector.hear(&mut talk, &Subject { text, sender, sent_at: None, event: Some(event) });
    }
    talk
}

fn subject<'a>(message: &'a Message, event: &'a Event) -> Subject<'a> {
    Subject {
        text: &message.text,
        sender: Some(event.name_of(&message.sender)),
        sent_at: Some(message.sent_at),
        event: Some(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Label;
    use crate::domain::ids::{EventId, MessageId, PersonId, RoomId};
    use crate::domain::intent::FollowUpKind;
    use crate::domain::money::Currency;
    use jiff::Timestamp;

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
    fn a_message_is_read_as_what_it_is_known_to_be_when_it_can_be() {
        let (detector, event) = (Detector::new(), event());
        let mut message = answer();
        message.text = "hmm the florist wants 80 quid".into();
        let read = |intent| read_as(&detector, &[question()], &message, &event, intent);
        assert_eq!(read(Intent::ExpenseEntry).unwrap().intent(), Intent::ExpenseEntry);
        assert_eq!(read(Intent::None).unwrap().intent(), Intent::None);
        assert_eq!(read(Intent::PollCreation), None);
    }
}
