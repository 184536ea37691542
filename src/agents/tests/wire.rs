//! What is sent: every agent's questions, asked of every model over real HTTP.
//!
//! `snapshots` holds requests to each kind of endpoint against the record in
//! `tests/snapshots`; `rules` holds requests to every model in the table
//! against what the providers' pages say.

mod capture;
mod rules;
mod snapshots;

use std::sync::Arc;

use uuid::Uuid;

use crate::agents::samples::{briefs, event, message};
use crate::agents::{AgentName, BadAnswer, Locale, PrivateQuestion, SharedQuestion, repair};
use crate::context::assemble;
use crate::domain::chat::{Event, Participant};
use crate::domain::ids::PersonId;
use crate::domain::usage::{Tier, Usage};
use crate::model::anthropic::Anthropic;
use crate::model::estimate::Estimate;
use crate::model::offline::{Category, vendor_kind};
use crate::model::openai::OpenAi;
use crate::model::prices::PriceBook;
use crate::model::{Brief, Model, ModelError, ModelRequest};
use crate::settings::{EndpointSettings, Protocol};
use crate::store::ContextRows;
use capture::Sent;

/// What the message in hand says: chat text, which may stand in the data alone.
const CHAT: &str = "can someone sort Nani's harmonium before the sangeet?";

/// What every request may come to in output.
const MAX_TOKENS: u32 = 800;

/// A request of each kind, by name: all agents, shared and private, short and long, a repair.
fn requests() -> Vec<(&'static str, ModelRequest)> {
    let mut requests = vec![
        ("shared_task", SharedQuestion::task(vendor_kind("photographer").unwrap(), locale())),
        ("shared_expense", SharedQuestion::expense(Category::named("venue").unwrap(), locale())),
    ]
    .into_iter()
    .map(|(name, question)| (name, question.request(MAX_TOKENS)))
    .collect::<Vec<_>>();
    for brief in briefs() {
        let name = match brief {
            Brief::Task { .. } => "task",
            Brief::Expense { .. } => "expense",
            Brief::Poll { .. } => "poll",
            Brief::Route { .. } => "route",
            Brief::Wording { .. } => "wording",
            Brief::Next { .. } => "next",
            Brief::Intent { .. } => "intent",
        };
        requests.push((name, private(&event(), brief)));
    }
    let [task, expense, ..] = briefs();
    requests.push(("expense_of_many", private(&crowd(), expense)));
    let cut = ModelError::Unusable {
        why: "it was cut at max_tokens".into(),
        usage: Usage::default(),
        tier: Tier::Standard,
        model: "m".into(),
    };
    let answer = serde_json::json!({"category": "Music"});
    let mended = repair(&private(&event(), task), &BadAnswer::unusable(&cut), &answer);
    requests.push(("task_repair", mended));
    requests
}

fn locale() -> Locale {
    Locale::of("en-GB")
}

fn private(event: &Event, brief: Brief) -> ModelRequest {
    let question = PrivateQuestion::new(event, brief);
    let rows = ContextRows::default();
    let context = assemble(question.level(), event, &message(CHAT), &rows, &Estimate::HIGH);
    question.request(&context, MAX_TOKENS)
}

/// An event of so many people that its facts alone are worth a provider's cache.
fn crowd() -> Event {
    let person = |nr: usize| {
        let name = format!("Guest-{nr:03} of the bride's side");
        Participant { id: PersonId(name.clone()), name }
    };
    Event { participants: (0..200).map(person).collect(), ..event() }
}

/// What a model sends for a request.
async fn sent(model: &str, request: &ModelRequest) -> Sent {
    let protocol = protocol_of(model);
    capture::one(|address| {
        let path = if protocol == Protocol::Openai { "/v1" } else { "" };
        let endpoint = EndpointSettings {
            protocol,
            base_url: format!("http://{address}{path}"),
            api_key: "key-of-a-test".into(),
            connect_timeout_s: 5,
            call_timeout_s: 30,
            concurrency: 1,
            total_price: String::new(),
        };
        let accepts = PriceBook::bundled().capabilities(model, protocol);
        let client: Arc<dyn Model> = match protocol {
            Protocol::Openai => Arc::new(OpenAi::new(&endpoint, model, accepts).unwrap()),
            Protocol::Anthropic | Protocol::Offline => {
                Arc::new(Anthropic::new(&endpoint, model, accepts).unwrap())
            }
        };
        let request = request.clone();
        async move { client.ask(&request, Uuid::nil()).await }
    })
    .await
}

fn protocol_of(model: &str) -> Protocol {
    if model.starts_with("claude") { Protocol::Anthropic } else { Protocol::Openai }
}

#[test]
fn every_agent_has_a_request_among_the_samples() {
    let asked: Vec<&str> = requests().iter().map(|(_, request)| request.agent).collect();
    for agent in AgentName::ALL {
        assert!(asked.contains(&agent.name()), "{agent:?}");
    }
}
