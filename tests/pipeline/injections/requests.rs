//! What the endpoint was sent: people's words stand between tags, and nowhere else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::scene::OBEYING;
use crate::support::injections;

fn text_of(content: &Value) -> String {
    match content.as_str() {
        Some(text) => text.to_owned(),
        None => {
            let blocks = content.as_array().into_iter().flatten();
            blocks.filter_map(|block| block["text"].as_str()).collect()
        }
    }
}

fn users_part(body: &Value) -> String {
    body["messages"].as_array().unwrap().iter().map(|one| text_of(&one["content"])).collect()
}

#[test]
fn the_system_part_is_the_same_whatever_the_chat_says() {
    let systems: BTreeSet<String> =
        OBEYING.requests.iter().map(|body| text_of(&body["system"])).collect();
    assert_eq!(systems.len(), 7, "one for each thing that is asked");
    for injection in injections::all() {
        let mark = injection.mark();
        assert!(systems.iter().all(|system| !system.contains(&mark)), "{}", injection.id);
    }
}

#[test]
fn no_text_closes_or_opens_a_tag() {
    let tag = regex::Regex::new(
        "</?(event|participants|tasks|expenses|messages|message|message_in_hand|question|last_answer\
         |wrong)( from=\"[^\"<>]*\" at=\"[^\"<>]*\")?>",
    )
    .unwrap();
    for body in &OBEYING.requests {
        let prompt = users_part(body);
        let outside = tag.replace_all(&prompt, "");
        assert!(!outside.contains(['<', '>']), "{outside}");
        let mut open: Vec<String> = Vec::new();
        for found in tag.captures_iter(&prompt) {
            let name = found[1].to_owned();
            if found[0].starts_with("</") {
                assert_eq!(open.pop(), Some(name), "{prompt}");
            } else {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?} in {prompt}");
    }
}

#[test]
fn people_stand_only_between_tags() {
    let between = regex::Regex::new(r"(?s)<(\w+)[^>]*>.*?</(\w+)>\n?").unwrap();
    for body in &OBEYING.requests {
        let prompt = users_part(body);
        let whole = prompt.replace("<messages>\n", "").replace("</messages>\n", "");
        let outside = between.replace_all(&whole, "").trim().to_owned();
        let ours =
            "Answer the question again, with what is wrong put right. Give the JSON object alone.";
        assert!(outside.is_empty() || outside == ours, "{outside}");
    }
}

#[test]
fn shared_questions_and_what_is_worded_hold_no_word_of_the_message() {
    let shared = ["shared-task", "shared-expense", "exp-amount", "exp-currency"];
    let asks = |body: &Value, field: &str| body.to_string().contains(&format!("\"{field}\":"));
    for injection in injections::all() {
        let worded = injection.aims_at.ends_with("wording");
        if !worded && !shared.contains(&injection.id.as_str()) {
            continue;
        }
        let field = injection.order().field;
        let first: String = injection.text.chars().take(40).collect();
        let told = OBEYING.requests.iter().filter(|body| asks(body, &field));
        let told: Vec<&Value> = told.filter(|body| users_part(body).contains(&first)).collect();
        assert!(told.is_empty(), "{}: {told:#?}", injection.id);
    }
}
