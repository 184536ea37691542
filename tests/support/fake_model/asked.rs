//! What a request asks, whichever protocol it speaks.

use gleaner::settings::Protocol;
use serde_json::Value;

/// How the answer's shape was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// By the API's own schema output.
    Format,
    /// By a forced tool.
    Tool,
    /// In the prompt, or not at all.
    Prompt,
}

/// A request, as far as an answer depends on it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) protocol: Protocol,
    pub(super) model: String,
    pub(super) way: Way,
    /// The answer's schema; anything fits when none was given.
    pub(super) schema: Value,
    pub(super) max_tokens: u64,
    /// All text of the prompt.
    pub(super) text: String,
    /// The part of it that is marked for the prompt cache.
    pub(super) cacheable: Option<String>,
}

impl Asked {
    /// Reads a request's body, taking what is wrong or absent as empty.
    pub(super) fn read(protocol: Protocol, body: &Value) -> Self {
        let mut blocks = Vec::new();
        collect(&body["system"], &mut blocks);
        for message in body["messages"].as_array().into_iter().flatten() {
            collect(&message["content"], &mut blocks);
        }
        let text = blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join("\n");
        let cached = blocks.iter().rposition(|block| block.is_cached);
        let cacheable =
            cached.map(|last| blocks[..=last].iter().map(|b| b.text.as_str()).collect());
        let (way, schema) = shape(body, &text);
        let limit = ["max_tokens", "max_completion_tokens"].map(|name| body[name].as_u64());
        Self {
            protocol,
            model: body["model"].as_str().unwrap_or_default().into(),
            way,
            schema,
            max_tokens: limit.into_iter().flatten().next().unwrap_or_default(),
            text,
            cacheable,
        }
    }

    /// The prompt's tokens.
    pub(super) fn prompt_tokens(&self) -> u64 {
        let schema = match self.way {
            Way::Format | Way::Tool => tokens(&self.schema.to_string()),
            Way::Prompt => 0,
        };
        tokens(&self.text) + schema
    }

    /// The event that the prompt names, as `"event_id": "…"` or `event: …`.
    pub(super) fn event(&self) -> Option<String> {
        let named = regex::Regex::new(
            r#"(?i)\bevent(?:[_ ]?id)?["']?\s*[:=]\s*["']?([A-Za-z0-9][A-Za-z0-9_.-]*)"#,
        )
        .expect("the expression is right");
        Some(named.captures(&self.text)?[1].to_owned())
    }
}

/// Characters ÷ 4, rounded up.
pub(super) fn tokens(text: &str) -> u64 {
    text.chars().count().div_ceil(4) as u64
}

struct Block {
    text: String,
    is_cached: bool,
}

/// Collects text that stands as a string or as a list of blocks.
fn collect(content: &Value, blocks: &mut Vec<Block>) {
    if let Some(text) = content.as_str() {
        blocks.push(Block { text: text.into(), is_cached: false });
    }
    for block in content.as_array().into_iter().flatten() {
        let text = block["text"].as_str().unwrap_or_default().into();
        blocks.push(Block { text, is_cached: block.get("cache_control").is_some() });
    }
}

fn shape(body: &Value, text: &str) -> (Way, Value) {
    let formats = [
        &body["output_config"]["format"]["schema"],
        &body["response_format"]["json_schema"]["schema"],
    ];
    if let Some(schema) = formats.into_iter().find(|schema| schema.is_object()) {
        return (Way::Format, schema.clone());
    }
    if body["tool_choice"]["type"] == "tool" {
        return (Way::Tool, body["tools"][0]["input_schema"].clone());
    }
    let told =
        text.split_once("JSON Schema").and_then(|(_, rest)| rest.find('{').map(|at| &rest[at..]));
    let schema = told.and_then(|told| serde_json::Deserializer::from_str(told).into_iter().next());
    (Way::Prompt, schema.and_then(Result::ok).unwrap_or(Value::Bool(true)))
}
