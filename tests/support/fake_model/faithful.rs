//! What an honest model answers: the schema's instance, true to the question.

use serde_json::{Value, json};

use super::asked::Asked;
use super::instance;

/// The schema's instance, with what an honest model would say to the question.
pub(super) fn answer(asked: &Asked) -> Value {
    let prompt = unescaped(&asked.text);
    let question = prompt.rsplit_once("<question>").map_or("", |(_, question)| question);
    let of = |label: &str| -> Vec<&str> {
        question.lines().filter_map(|line| line.strip_prefix(label)?.strip_prefix(": ")).collect()
    };
    let mut answer = instance::of(&asked.schema);
    if has_field(asked, "intent") {
        answer["intent"] = json!(of("guess").first());
    }
    if has_field(asked, "sentence") {
        answer["sentence"] = json!(of("answer").first());
    }
    if has_field(asked, "ask") {
        answer = json!({"ask": "not_kept", "thing": "", "person": "", "category": "", "until": ""});
    }
    if has_field(asked, "options") {
        let view = |option: &str| json!({"option": option, "pros": ["It suits"], "cons": []});
        let views: Vec<Value> = of("option").into_iter().map(view).collect();
        answer = json!({"options": views, "recommendation": "", "reason": ""});
    }
    answer
}

/// Whether the answer that is asked for has this field.
pub(super) fn has_field(asked: &Asked, name: &str) -> bool {
    asked.schema["properties"].get(name).is_some()
}

/// A prompt's text as people wrote it.
pub(super) fn unescaped(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (name, mark)| text.replace(name, mark))
}
