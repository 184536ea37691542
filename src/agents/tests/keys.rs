//! Two events never see each other's cached data: every agent's every kind of question, by properties.
//!
//! Whatever is an event's own begins with a mark that no word of ours has, so that
//! where it went can be seen.

use proptest::prelude::*;

use crate::agents::question::{Question, SharedQuestion};
use crate::agents::samples;
use crate::agents::suggester::Standing;
use crate::agents::{AgentName, Plan, classification, plan, routing, wording};
use crate::domain::chat::{Event, Message, Participant};
use crate::domain::ids::{EventId, MessageId, PersonId, RoomId};
use crate::domain::intent::{
    CATEGORIES, Entities, ExpenseEntities, PollEntities, QueryEntities, TaskEntities,
};
use crate::domain::money::Currency;
use crate::domain::projection::Projections;
use crate::model::Brief;
use crate::model::offline::VendorKind;

/// What every word of an event begins with.
const MARK: &str = "zq";
/// The language of code's sentences is not among them, as it needs no wording.
const LOCALES: [&str; 5] = ["de-DE", "fr-FR", "pt-BR", "hi-IN", "es"];

/// What was said in an event, from which every kind of question is made.
#[derive(Debug, Clone)]
struct Said {
    message: Message,
    /// Words of the group: things, choices, names.
    words: Vec<String>,
    /// Which known kind and category.
    place: usize,
}

fn word() -> impl Strategy<Value = String> {
    "zq[a-z0-9]{1,12}"
}

prop_compose! {
    fn an_event()(
        id in word(), name in word(), kind in word(), tenant in word(), locale in 0..LOCALES.len(),
        people in prop::collection::vec(word(), 1..4), budget in prop::option::of(1i64..10_000_000),
        day in 0i64..2_000,
    ) -> Event {
        let starts_at = samples::event().starts_at.map(|at| at + jiff::SignedDuration::from_hours(24 * day));
        let person = |name: &String| Participant { id: PersonId(name.clone()), name: name.clone() };
        Event {
            id: EventId::parse(&id).unwrap(), tenant, name, kind, starts_at,
            locale: LOCALES[locale].to_owned(), budget,
            participants: people.iter().map(person).collect(), ..samples::event()
        }
    }
}

/// Two events: all but the same, or not at all.
fn two_events() -> impl Strategy<Value = (Event, Event)> {
    (an_event(), an_event(), any::<bool>())
        .prop_map(|(one, other, twins)| match twins {
            true => (one.clone(), Event { id: other.id, ..one }),
            false => (one, other),
        })
        .prop_filter("two events have two IDs", |(one, other)| one.id != other.id)
}

prop_compose! {
    fn said()(
        words in prop::collection::vec(word(), 4), text in word(), place in 0usize..1_000,
    ) -> Said {
        let message = Message {
            id: MessageId::parse(&words[0]).unwrap(), room: RoomId::parse(&words[1]).unwrap(),
            sender: PersonId(words[2].clone()), ..samples::message(&text)
        };
        Said { message, words, place }
    }
}

fn planned(event: &Event, said: &Said, entities: Entities) -> Question {
    let Plan::Ask(question) = plan(event, &said.message, &samples::detection(entities)) else {
        panic!("nothing is asked")
    };
    question
}

/// Every kind of question that an event can ask; two of them are shared.
fn questions(event: &Event, said: &Said) -> Vec<Question> {
    let Said { message, words, place } = said;
    let (who, due) = (Some(words[1].clone()), Some(words[2].clone()));
    let known = VendorKind::all().nth(place % VendorKind::all().count()).unwrap();
    let task = |object: &str| {
        let (object, action) = (object.to_owned(), words[3].clone());
        Entities::Task(TaskEntities { object, action, assignee: who.clone(), due: due.clone() })
    };
    let expense = |category: Option<&str>, what: Option<&String>| {
        Entities::Expense(ExpenseEntities {
            amount: 50.0,
            category: category.map(str::to_owned),
            what: what.cloned(),
            paid_by: who.clone(),
            split_between: Some(words.clone()),
            ..ExpenseEntities::default()
        })
    };
    let poll =
        PollEntities { question: words[0].clone(), options: words.clone(), keys: Vec::new() };
    let query = samples::detection(Entities::Query(QueryEntities::default()));
    let rows = Projections::default();
    let standing = Standing { event, at: message.sent_at, rows: &rows, earlier: &[] };
    let mut asked = [
        task(known.name()),
        expense(Some(CATEGORIES[place % CATEGORIES.len()]), words.first()),
        task(&words[0]),
        expense(None, words.first()),
        expense(None, None),
    ]
    .map(|entities| planned(event, said, entities))
    .to_vec();
    // A poll of choices that are one and the same needs no model.
    if let Plan::Ask(question) = plan(event, message, &samples::detection(Entities::Poll(poll))) {
        asked.push(question);
    }
    asked.push(routing(event, message));
    asked.extend(wording(event, &format!("{} is open.", words[0])).map(|it| it.question));
    asked.push(standing.question());
    asked.push(classification(event, message, &query));
    asked
}

fn shared(asked: &[Question]) -> impl Iterator<Item = &SharedQuestion> {
    asked.iter().filter_map(|question| match question {
        Question::Shared(shared) => Some(shared),
        Question::Private(_) => None,
    })
}

#[test]
fn every_agent_and_every_kind_of_question_is_among_them() {
    let event = Event { locale: "de-DE".into(), ..samples::event() };
    let words = ["zqa", "zqb", "zqc", "zqd"].map(str::to_owned).to_vec();
    let said = Said { message: samples::message("zq"), words, place: 0 };
    let asked = questions(&event, &said);
    for agent in AgentName::ALL {
        assert!(asked.iter().any(|question| question.agent() == agent), "{agent:?}");
    }
    for brief in samples::briefs() {
        let kind = std::mem::discriminant::<Brief>(&brief);
        let among = |question: &Question| std::mem::discriminant(&question.brief()) == kind;
        assert!(asked.iter().any(among), "{brief:?}");
    }
    assert_eq!(shared(&asked).count(), 2);
}

proptest! {
    #[test]
    fn two_events_share_a_key_only_where_nothing_of_either_is_asked(
        (one, other) in two_events(), said in said(), also in said(), same in any::<bool>(),
    ) {
        let (here, there) = (questions(&one, &said), questions(&other, if same { &said } else { &also }));
        for (mine, theirs) in here.iter().flat_map(|mine| there.iter().map(move |it| (mine, it))) {
            if mine.key("m") != theirs.key("m") {
                continue;
            }
            let (Question::Shared(mine), Question::Shared(theirs)) = (mine, theirs) else {
                return Err(TestCaseError::fail(format!("{mine:?} and {theirs:?}")));
            };
            let (mine, theirs) = (mine.request(9), theirs.request(9));
            prop_assert_eq!((mine.system, mine.facts, mine.user), (theirs.system, theirs.facts, theirs.user));
        }
    }

    #[test]
    fn a_shared_question_holds_nothing_of_its_event(event in an_event(), said in said()) {
        for question in shared(&questions(&event, &said)) {
            let request = question.request(9);
            prop_assert_eq!(&request.facts, "");
            let all = format!("{request:?} {}", Question::Shared(question.clone()).key("m"));
            prop_assert!(!all.contains(MARK), "{}", all);
        }
    }

    #[test]
    fn what_is_not_shared_names_its_event_and_no_key_holds_words(event in an_event(), said in said()) {
        for question in questions(&event, &said) {
            let is_shared = matches!(question, Question::Shared(_));
            prop_assert_eq!(question.event(), (!is_shared).then_some(&event.id));
            prop_assert!(!question.key("m").contains(MARK));
        }
    }

    #[test]
    fn another_model_language_or_prompt_is_another_key(
        event in an_event(), said in said(), model in word(), other in word(),
    ) {
        prop_assume!(model != other);
        let place = LOCALES.iter().position(|locale| event.locale == *locale).unwrap();
        let spoken = Event { locale: LOCALES[(place + 1) % LOCALES.len()].into(), ..event.clone() };
        let translated = questions(&spoken, &said);
        for (question, elsewhere) in questions(&event, &said).iter().zip(&translated) {
            let key = question.key(&model);
            prop_assert_ne!(&key, &question.key(&other));
            prop_assert_ne!(&key, &elsewhere.key(&model));
            let of_version = |version: &str| question.digest_of(version, "key", &model);
            prop_assert_ne!(of_version("one prompt"), of_version("another"));
        }
    }

    #[test]
    fn two_questions_of_an_event_have_two_keys(event in an_event(), said in said(), also in said()) {
        let mut asked = questions(&event, &said);
        asked.extend(questions(&event, &also));
        for (nr, question) in asked.iter().enumerate() {
            for other in asked[..nr].iter().filter(|other| *other != question) {
                prop_assert_ne!(question.key("m"), other.key("m"), "{:?} and {:?}", question, other);
            }
        }
    }

    #[test]
    fn what_changes_an_event_changes_all_that_was_answered_for_it(event in an_event(), said in said()) {
        let before = questions(&event, &said);
        let later = event.starts_at.map(|at| at + jiff::SignedDuration::from_hours(24));
        let newcomer = Participant { id: PersonId("zq-new".into()), name: "zq-new".into() };
        let participants = event.participants.iter().cloned().chain([newcomer]).collect();
        let changed = [
            Event { name: "zq another".into(), ..event.clone() },
            Event { kind: "zq another".into(), ..event.clone() },
            Event { starts_at: later, ..event.clone() },
            Event { time_zone: "Asia/Kolkata".into(), ..event.clone() },
            Event { currency: Currency::parse("INR").unwrap(), ..event.clone() },
            Event { budget: event.budget.map_or(Some(1), |minor| Some(minor + 1)), ..event.clone() },
            Event { participants, ..event.clone() },
        ];
        for event in changed {
            for (was, is) in before.iter().zip(questions(&event, &said)) {
                let is_shared = matches!(is, Question::Shared(_));
                prop_assert_eq!(was.key("m") == is.key("m"), is_shared, "{:?} and {:?}", was, is);
            }
        }
    }
}
