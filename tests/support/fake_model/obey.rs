//! A model that takes the data of its prompt for orders.

use serde_json::Value;

use super::asked::Asked;
use super::faithful::{self, has_field, unescaped};
use super::mode::Order;

/// What the first order that the prompt holds demands, also when asked to mend it; a faithful answer
/// where it holds none for this question.
pub(super) fn answer(orders: &[Order], asked: &Asked) -> String {
    let prompt = unescaped(&asked.text);
    let told = one_line(&prompt);
    let order = orders
        .iter()
        .find(|order| has_field(asked, &order.field) && told.contains(&one_line(&order.mark)));
    match order.map(|order| &order.answer) {
        Some(Value::String(said)) => said.clone(),
        Some(answer) => answer.to_string(),
        None => faithful::answer(asked).to_string(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
