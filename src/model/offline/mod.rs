//! The model without a network: a knowledge base and general sense.
//!
//! It reads the typed [`Brief`] and no prose, answers the same shapes as any
//! other model, costs nothing, and says so: its name is `offline`.

mod knowledge;
mod generic;
mod next;
mod polls;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Brief, Model, ModelError, ModelRequest, ModelResponse, Terms};
use crate::domain::enrichment::{ExpenseBase, TaskBase};
use crate::domain::usage::{Tier, Usage};

pub use knowledge::{Category, VendorKind, vendor_category, vendor_kind};
pub use next::is_named;

/// The name of the offline model, as answers, metrics and settings have it.
pub const NAME: &str = "offline";

/// Answers from the knowledge base, and says so: its name is `offline`.
#[derive(Debug, Default)]
pub struct Offline;

impl Offline {
    /// With the knowledge base that is part of the binary.
    pub fn bundled() -> Self {
        Self
    }
}

#[async_trait]
impl Model for Offline {
    fn name(&self) -> &str {
        NAME
    }

    async fn reach(&self) -> Result<String, ModelError> {
        Ok("it needs no network".to_owned())
    }

    fn is_free(&self) -> bool {
        true
    }

    fn terms(&self, _: &ModelRequest) -> Terms {
        Terms { tiers: &[], writes_cache: false }
    }

    async fn ask(&self, request: &ModelRequest, _: Uuid) -> Result<ModelResponse, ModelError> {
        let answer = match &request.brief {
            Brief::Task { object, action } => to_json(&task(object, action)),
            Brief::Expense { category, what } => to_json(&expense(category.as_deref(), what)),
            Brief::Poll { options, .. } => to_json(&polls::views(options)),
            // It reads no prose: what the patterns did not understand stays so.
            Brief::Route { .. } => Ok(json!({
                "ask": "not_kept", "thing": "", "person": "", "category": "", "until": "",
            })),
            Brief::Wording { answer } => Ok(json!({ "sentence": answer })),
            Brief::Next { kind, days_left, known } => {
                to_json(&next::steps(kind, *days_left, known))
            }
            Brief::Intent { guess } => Ok(json!({ "intent": guess.name() })),
        }?;
        let (usage, tier) = (Usage::default(), Tier::Standard);
        Ok(ModelResponse { model: NAME.to_owned(), answer, usage, tier })
    }
}

fn to_json(base: &impl Serialize) -> Result<serde_json::Value, ModelError> {
    serde_json::to_value(base).map_err(|error| ModelError::Unreadable(error.to_string()))
}

/// What is known of doing something with a thing; general sense where nothing is.
fn task(object: &str, action: &str) -> TaskBase {
    let knowledge = knowledge::bundled();
    knowledge
        .task(object)
        .unwrap_or_else(|| generic::task(object, action, knowledge.category_by_word(object)))
}

/// What is known of an expense category, found by the words of `what` where none is named.
fn expense(category: Option<&str>, what: &str) -> ExpenseBase {
    let knowledge = knowledge::bundled();
    let category =
        category.and_then(Category::named).unwrap_or_else(|| knowledge.category_by_word(what));
    knowledge.expense(category).unwrap_or_else(|| ExpenseBase {
        category: category.name().to_owned(),
        typical_share: 5.0,
        advice: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(brief: Brief) -> ModelRequest {
        ModelRequest {
            agent: "test",
            system: String::new(),
            facts: String::new(),
            user: String::new(),
            brief,
            schema: json!({}),
            max_tokens: 1,
        }
    }

    async fn asked(brief: Brief) -> ModelResponse {
        Offline::bundled().ask(&request(brief), Uuid::nil()).await.unwrap()
    }

    fn task_of(object: &str) -> Brief {
        Brief::Task { object: object.into(), action: "book".into() }
    }

    #[tokio::test]
    async fn a_known_vendor_is_answered_from_the_knowledge_base_for_nothing() {
        let response = asked(task_of("photographer")).await;
        assert_eq!((response.model.as_str(), response.usage), ("offline", Usage::default()));
        let base: TaskBase = serde_json::from_value(response.answer).unwrap();
        assert_eq!((base.category.as_str(), base.lead_time_days), ("photography", 240));
        assert!(Offline::bundled().is_free());
    }

    #[tokio::test]
    async fn an_unknown_thing_gets_general_sense() {
        let base: TaskBase = serde_json::from_value(asked(task_of("alpaca")).await.answer).unwrap();
        assert_eq!(base.category, "other");
        assert!(base.checklist[0].contains("alpaca"));
    }

    #[tokio::test]
    async fn an_expense_without_category_is_put_into_one_by_its_words() {
        let brief = Brief::Expense { category: None, what: "lodge deposit".into() };
        let base: ExpenseBase = serde_json::from_value(asked(brief).await.answer).unwrap();
        assert_eq!(base.category, "accommodation");
        let brief = Brief::Expense { category: Some("Music".into()), what: String::new() };
        let base: ExpenseBase = serde_json::from_value(asked(brief).await.answer).unwrap();
        assert_eq!(base.category, "music");
    }
}
