//! What is asked, answered and billed.

use gleaner::domain::usage::NanoUsd;
use gleaner::model::prices::PriceBook;
use gleaner::model::{Bound, ModelRequest, ModelResponse};
use gleaner::settings::Protocol;
use jiff::Timestamp;
use uuid::Uuid;

use super::{anthropic, ask, both, openai, request, schema};
use crate::support::fake_model::{FakeModel, Mode, Nonsense};

#[tokio::test]
async fn every_model_in_the_table_is_asked_by_its_own_rules_and_answers_by_the_schema() {
    let fake = FakeModel::start().await;
    let book = PriceBook::bundled();
    for name in book.models() {
        let model = match name.starts_with("gpt") {
            true => openai(&fake.openai_url(), name),
            false => anthropic(&fake.url(), name, 10),
        };
        let response = ask(&model).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(response.model, name);
        // What constrained decoding cannot say is checked by whoever asked: here, two steps.
        let mut decoded = schema();
        decoded["properties"]["steps"]["minItems"] = 0.into();
        assert!(jsonschema::is_valid(&decoded, &response.answer), "{name}: {}", response.answer);
    }
}

#[tokio::test]
async fn a_model_outside_the_table_is_told_the_schema_and_answers_by_all_of_it() {
    let fake = FakeModel::start().await;
    let response = ask(&anthropic(&fake.url(), "claude-next", 10)).await.unwrap();
    assert!(jsonschema::is_valid(&schema(), &response.answer), "{}", response.answer);
    assert_eq!((fake.bill().billed, fake.bill().unpriced), (1, 1));
}

#[tokio::test]
async fn our_cost_is_the_providers_bill_to_the_nano_dollar() {
    let fake = FakeModel::start().await;
    let long = ModelRequest { system: "Plan. ".repeat(2_000), ..request() };
    let mut cost = NanoUsd::ZERO;
    for model in both(&fake) {
        for request in [request(), long.clone(), long.clone()] {
            let response = model.ask(&request, Uuid::new_v4()).await.unwrap();
            let ModelResponse { model, usage, tier, .. } = response;
            let priced = PriceBook::bundled().price(&model, tier, &usage, Timestamp::now());
            cost += priced.unwrap();
        }
    }
    let bill = fake.bill();
    assert_eq!((bill.billed, NanoUsd(bill.nano_usd)), (6, cost));
    // Anthropic's long prefix was written once and read once.
    assert_eq!((bill.usage.cache_write_5m, bill.usage.cache_read), (3_000, 3_000));
}

#[tokio::test]
async fn no_bill_passes_the_worst_case_that_was_reserved() {
    let fake = FakeModel::start().await;
    let long = ModelRequest { system: "Plan. ".repeat(2_000), ..request() };
    for model in both(&fake) {
        for request in [request(), long.clone()] {
            let bound = Bound::of(model.as_ref(), &request);
            let worst = PriceBook::bundled().worst_case(model.name(), &bound, Timestamp::now());
            for mode in [Mode::Answer, Mode::MaxTokens, Mode::Refuse] {
                fake.script([mode]);
                drop(model.ask(&request, Uuid::new_v4()).await);
                let seen = fake.requests().pop().unwrap();
                assert!(seen.cost.unwrap() <= worst.unwrap(), "{seen:?}");
                assert!(seen.usage.unwrap().prompt() <= bound.prompt, "{seen:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_endpoint_notes_what_came_when_and_for_which_event() {
    let fake = FakeModel::start().await;
    let id = Uuid::new_v4();
    for model in both(&fake) {
        model.ask(&request(), id).await.unwrap();
    }
    let seen = fake.requests();
    assert!(seen.iter().all(|seen| seen.request_id == Some(id)));
    let paths: Vec<_> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/v1/messages", "/v1/chat/completions"]);
    assert!(seen.iter().all(|seen| seen.event.as_deref() == Some("wedding-1")));
    assert!(seen.iter().all(|seen| seen.status == Some(200)));
    assert!(seen[0].instant <= seen[1].instant);
    let minute = std::time::Duration::from_secs(60);
    assert_eq!(fake.most_within(minute, Some("wedding-1")), 2);
    assert_eq!(fake.most_within(minute, Some("wedding-2")), 0);
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_schema_reaches_whoever_asked() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Nonsense { kind: Nonsense::Schema });
    for model in both(&fake) {
        let response = ask(&model).await.unwrap();
        assert!(!jsonschema::is_valid(&schema(), &response.answer));
        assert!(response.usage.total() > 0);
    }
}

#[tokio::test]
async fn a_schema_with_only_nullable_options_is_asked_for_strictly() {
    let fake = FakeModel::start().await;
    ask(&openai(&fake.openai_url(), "gpt-6-sol")).await.unwrap();
    let format = &fake.requests()[0].body["response_format"]["json_schema"];
    assert_eq!(format["strict"], true);
    let accepts = PriceBook::bundled().capabilities("gpt-6-sol", Protocol::Openai);
    assert!(accepts.completion_tokens);
}
