//! Plans, from detection to enrichment.

mod keys;
mod wire;

use serde_json::json;

use super::samples::{detection, event, message};
use super::*;
use crate::domain::intent::{ExpenseEntities, PollEntities, TaskEntities};
use crate::model::Model;
use crate::model::offline::Offline;
use crate::store::ContextRows;

fn task(object: &str) -> Detection {
    let (object, action) = (object.to_owned(), "book".to_owned());
    detection(Entities::Task(TaskEntities { object, action, ..TaskEntities::default() }))
}

fn expense(category: Option<&str>) -> Detection {
    detection(Entities::Expense(ExpenseEntities {
        amount: 50.0,
        category: category.map(str::to_owned),
        what: Some("barn deposit".into()),
        ..ExpenseEntities::default()
    }))
}

fn planned(detection: &Detection) -> Question {
    match plan(&event(), &message("…"), detection) {
        Plan::Ask(question) => question,
        other @ (Plan::Answer(_) | Plan::Records(_) | Plan::Nothing) => panic!("planned {other:?}"),
    }
}

#[test]
fn known_vendors_and_categories_are_asked_for_all_events_and_all_else_for_one() {
    assert!(matches!(planned(&task("photographer")), Question::Shared(_)));
    assert!(matches!(planned(&task("nani's harmonium")), Question::Private(_)));
    assert!(matches!(planned(&expense(Some("Venue"))), Question::Shared(_)));
    assert!(matches!(planned(&expense(None)), Question::Private(_)));
    assert!(matches!(planned(&expense(Some("bribes"))), Question::Private(_)));
}

#[test]
fn a_poll_without_a_choice_needs_code_alone_and_a_query_the_records() {
    let plan_of = |entities| plan(&event(), &message("Where?"), &detection(entities));
    let poll = |options: &[&str]| {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Entities::Poll(PollEntities { question: "Where?".into(), options, keys: Vec::new() })
    };
    assert!(matches!(plan_of(poll(&["Bath"])), Plan::Answer(Enrichment::Poll(_))));
    assert!(matches!(plan_of(poll(&["Bath", "Hull"])), Plan::Ask(Question::Private(_))));
    assert!(matches!(plan_of(Entities::Query(QueryEntities::default())), Plan::Records(_)));
    assert_eq!(plan_of(Entities::None), Plan::Nothing);
}

#[test]
fn a_private_question_has_its_agents_level_and_a_shared_one_none() {
    assert_eq!(planned(&task("photographer")).level(), None);
    assert_eq!(planned(&task("harmonium")).level(), Some(Level::Standard));
    assert_eq!(planned(&expense(None)).level(), Some(Level::Rich));
}

#[test]
fn only_what_a_detection_needs_is_read() {
    let needs = personal_needs;
    assert_eq!(needs(&task("snapper")), PersonalNeeds::default());
    assert_eq!(needs(&task("dj")).vendors.map(VendorKind::name), Some("dj"));
    assert!(needs(&expense(None)).rows && !needs(&task("dj")).rows);
}

#[tokio::test]
async fn the_offline_model_answers_every_question_in_its_shape() {
    for detection in [task("photographer"), task("alpaca"), expense(None), expense(Some("cake"))] {
        let question = planned(&detection);
        let request = match &question {
            Question::Shared(shared) => shared.request(100),
            Question::Private(private) => {
                let context = crate::context::assemble(
                    private.level(),
                    &event(),
                    &message("…"),
                    &ContextRows::default(),
                    &crate::model::estimate::Estimate::HIGH,
                );
                private.request(&context, 100)
            }
        };
        let answer = Offline::bundled().ask(&request, uuid::Uuid::nil()).await.unwrap().answer;
        let base = read(&question, &answer).unwrap();
        let done = finish(&event(), &message("…"), &detection, base, &Personal::default());
        assert!(done.is_some(), "{detection:?}");
    }
}

#[test]
fn a_base_of_another_question_is_not_finished() {
    let answer = json!({"category": "cake", "typical_share": 3.0, "advice": ["Taste it"]});
    let base = read(&planned(&expense(None)), &answer).unwrap();
    assert_eq!(finish(&event(), &message("…"), &task("dj"), base, &Personal::default()), None);
}
