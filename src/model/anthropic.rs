//! Anthropic's Messages API.
//!
//! How a shaped answer is asked for is the model's capability, and success is a
//! stop reason that is known, never a status.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::capabilities::{Capabilities, StructuredOutput, least_tokens};
use super::failure::{self, printable};
use super::gate::Gate;
use super::http::{BadEndpoint, Http, Reply, secret_header};
use super::schema;
use super::{Model, ModelError, ModelRequest, ModelResponse, Terms};
use crate::domain::usage::{Tier, Usage};
use crate::settings::EndpointSettings;

/// The only version of the API.
const VERSION: &str = "2023-06-01";

/// The forced tool's name.
const TOOL: &str = "answer";

/// What a request may be answered in that names no tier. `service_tier: "standard_only"` would keep
/// out the third; but that is only for who bought it beforehand, and older models and gateways may
/// refuse the field. Where the account's requests stay in one country is the account's setting.
const TIERS: &[Tier] = &[Tier::Standard, Tier::Us, Tier::Priority];

/// A model behind the Messages API.
#[derive(Debug)]
pub struct Anthropic {
    http: Http,
    model: String,
    accepts: Capabilities,
}

impl Anthropic {
    /// A model at an endpoint.
    ///
    /// # Errors
    /// When the endpoint's address or key cannot be used.
    pub fn new(
        endpoint: &EndpointSettings,
        model: &str,
        accepts: Capabilities,
    ) -> Result<Self, BadEndpoint> {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        if let Some(key) = secret_header("", &endpoint.api_key)? {
            headers.insert("x-api-key", key);
        }
        let http = Http::new(endpoint, "/v1/messages", headers)?;
        Ok(Self { http, model: model.into(), accepts })
    }

    /// Tells a gate what each response says of the provider's limits.
    pub(super) fn telling(self, gate: Arc<Gate>) -> Self {
        Self { http: self.http.telling(gate), ..self }
    }

    /// The request's body.
    fn body(&self, request: &ModelRequest) -> Value {
        let mut body = json!({"model": self.model, "max_tokens": request.max_tokens});
        let mut prefix = Prefix { least: self.accepts.cache_min_prefix, tokens: 0 };
        let mut system = request.system.clone();
        match self.accepts.structured_output {
            StructuredOutput::Format => {
                let schema = schema::constrained(&request.schema);
                prefix.grow(&schema.to_string());
                body["output_config"]["format"] = json!({"type": "json_schema", "schema": schema});
            }
            StructuredOutput::Tool => {
                let tool = self.tool(&request.schema);
                prefix.grow(&tool.to_string());
                body["tools"] = json!([tool]);
                body["tool_choice"] =
                    json!({"type": "tool", "name": TOOL, "disable_parallel_tool_use": true});
            }
            StructuredOutput::Instruction => system = schema::instruct(&system, &request.schema),
        }
        if let Some(effort) = &self.accepts.effort {
            body["output_config"]["effort"] = json!(effort);
        }
        if self.accepts.sampling {
            body["temperature"] = json!(0);
        }
        body["system"] = json!([prefix.block(&system)]);
        let content = match request.facts.as_str() {
            "" => json!(request.user),
            facts => json!([prefix.block(facts), {"type": "text", "text": request.user}]),
        };
        body["messages"] = json!([{"role": "user", "content": content}]);
        body
    }

    fn tool(&self, answer: &Value) -> Value {
        let mut tool = json!({
            "name": TOOL,
            "description": "Gives the answer.",
            "input_schema": schema::constrained(answer),
        });
        if self.accepts.strict_tool {
            tool["strict"] = json!(true);
        }
        tool
    }

    /// Reads a response with status 200, which may still be anything.
    fn read(&self, reply: &Reply) -> Result<ModelResponse, ModelError> {
        let body = reply.json()?;
        if body["type"] == "error" {
            let kind = printable(body["error"]["type"].as_str().unwrap_or_default());
            return Err(ModelError::Unreadable(format!("an error under status 200: {kind}")));
        }
        let unreadable = || ModelError::Unreadable("JSON that is no message with usage".into());
        let message = Message::deserialize(&body).map_err(|_| unreadable())?;
        let model = Some(printable(&message.model)).filter(|name| !name.is_empty());
        let model = model.unwrap_or_else(|| self.model.clone());
        let (usage, tier) = message.usage.billed().ok_or_else(unreadable)?;
        if let Some(problem) = problem_of_stop(&message) {
            return Err(match problem {
                Problem::Refused(category) => ModelError::Refused { category, usage, tier, model },
                Problem::Unusable(why) => ModelError::Unusable { why, usage, tier, model },
            });
        }
        match answer(message.content.unwrap_or_default()) {
            Some(answer) => Ok(ModelResponse { model, answer, usage, tier }),
            None => {
                let why = "it holds no JSON object".into();
                Err(ModelError::Unusable { why, usage, tier, model })
            }
        }
    }
}

/// The beginning of a prompt in the order that the cache has it (tools and schema, system,
/// messages), as far as it is written.
struct Prefix {
    /// Tokens from which it is cached; 0: never.
    least: u64,
    /// What it surely holds.
    tokens: u64,
}

impl Prefix {
    fn grow(&mut self, text: &str) {
        self.tokens += least_tokens(text);
    }

    /// A block of text that ends the prefix so far, marked for the cache when that is long enough
    /// to be kept.
    fn block(&mut self, text: &str) -> Value {
        self.grow(text);
        let mut block = json!({"type": "text", "text": text});
        if self.least > 0 && self.tokens >= self.least {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
        block
    }
}

#[async_trait]
impl Model for Anthropic {
    fn name(&self) -> &str {
        &self.model
    }

    async fn reach(&self) -> Result<String, ModelError> {
        self.http.reach("models").await
    }

    fn is_free(&self) -> bool {
        false
    }

    fn terms(&self, request: &ModelRequest) -> Terms {
        let body = self.body(request);
        let is_marked = |block: &Value| block.get("cache_control").is_some();
        let blocks = [&body["system"], &body["messages"][0]["content"]];
        let writes_cache = blocks.iter().filter_map(|blocks| blocks.as_array()).flatten();
        Terms { tiers: TIERS, writes_cache: writes_cache.into_iter().any(is_marked) }
    }

    async fn ask(&self, request: &ModelRequest, id: Uuid) -> Result<ModelResponse, ModelError> {
        self.accepts.check_fits(request)?;
        let reply = self.http.post(&self.body(request), id).await?;
        if reply.is_success() { self.read(&reply) } else { Err(failure::judge(&reply, request)) }
    }
}

/// A response, as far as it is read.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    model: String,
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    stop_details: Option<StopDetails>,
    usage: WireUsage,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    ToolUse {
        input: Value,
    },
    /// Thinking, and whatever comes to be.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct StopDetails {
    category: Option<String>,
}

/// The usage on the wire: the three input fields add up to the prompt.
#[derive(Deserialize)]
struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_creation: Option<WireCacheCreation>,
    /// All that some gateways tell.
    total_tokens: Option<u64>,
    service_tier: Option<String>,
    inference_geo: Option<String>,
}

#[derive(Deserialize)]
struct WireCacheCreation {
    #[serde(default)]
    ephemeral_5m_input_tokens: u64,
    #[serde(default)]
    ephemeral_1h_input_tokens: u64,
}

impl WireUsage {
    /// The tokens, and at which prices; `None` when neither classes nor a total are told.
    fn billed(&self) -> Option<(Usage, Tier)> {
        match (self.input_tokens, self.output_tokens) {
            (Some(input), Some(output)) => Some((self.disjoint(input, output), self.tier())),
            (None, None) => self.total_tokens.map(Usage::of_total),
            (Some(_), None) | (None, Some(_)) => None,
        }
    }

    /// The tokens in disjoint classes. Writes that no lifetime is said of lasted five minutes,
    /// the default.
    fn disjoint(&self, input: u64, output: u64) -> Usage {
        let hour = self.cache_creation.as_ref().map_or(0, |c| c.ephemeral_1h_input_tokens);
        let minutes = self.cache_creation.as_ref().map_or(0, |c| c.ephemeral_5m_input_tokens);
        let written = self.cache_creation_input_tokens.unwrap_or_default();
        Usage {
            input,
            output,
            cache_read: self.cache_read_input_tokens.unwrap_or_default(),
            cache_write_5m: minutes.max(written.saturating_sub(hour)),
            cache_write_1h: hour,
        }
    }

    fn tier(&self) -> Tier {
        let tier = Tier::named(self.service_tier.as_deref());
        match self.inference_geo.as_deref() {
            None | Some("" | "global" | "not_available") => tier,
            Some("us") if tier == Tier::Standard => Tier::Us,
            Some(_) => Tier::Unknown,
        }
    }
}

enum Problem {
    Refused(String),
    Unusable(String),
}

/// What is wrong with the way a response stopped. A reason that is not known is no success.
fn problem_of_stop(message: &Message) -> Option<Problem> {
    match message.stop_reason.as_deref() {
        Some("end_turn" | "tool_use" | "stop_sequence") => None,
        Some("max_tokens") => Some(Problem::Unusable("it was cut at max_tokens".into())),
        Some("model_context_window_exceeded") => {
            Some(Problem::Unusable("it was cut where the context window ends".into()))
        }
        Some("refusal") => {
            let category = message.stop_details.as_ref().and_then(|d| d.category.as_deref());
            Some(Problem::Refused(printable(category.unwrap_or("unspecified"))))
        }
        Some(other) => Some(Problem::Unusable(format!("it stopped with {:?}", printable(other)))),
        None => Some(Problem::Unusable("it has no stop reason".into())),
    }
}

/// The answer: the tool's input, else the texts as JSON, whichever was asked for.
fn answer(content: Vec<Block>) -> Option<Value> {
    let mut texts = String::new();
    for block in content {
        match block {
            Block::ToolUse { input } if input.is_object() => return Some(input),
            Block::ToolUse { .. } => {}
            Block::Text { text } => texts.push_str(&text),
            Block::Other => {}
        }
    }
    schema::read(&texts)
}

#[cfg(test)]
#[path = "anthropic_tests.rs"]
mod tests;
