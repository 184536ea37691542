//! OpenAI's chat completions, as many servers speak them.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::capabilities::{Capabilities, StructuredOutput};
use super::failure::{self, printable};
use super::gate::Gate;
use super::http::{BadEndpoint, Http, Reply, secret_header};
use super::schema;
use super::{Model, ModelError, ModelRequest, ModelResponse, Terms};
use crate::domain::usage::{Tier, Usage};
use crate::settings::EndpointSettings;

/// What a request is answered in that asks for `service_tier: "default"`.
const DEFAULT: &[Tier] = &[Tier::Standard];

/// What a request may be answered in that names no tier.
const ANY: &[Tier] = &[Tier::Standard, Tier::Flex, Tier::Priority];

/// A model behind chat completions.
#[derive(Debug)]
pub struct OpenAi {
    http: Http,
    model: String,
    accepts: Capabilities,
}

impl OpenAi {
    /// A model at an endpoint; without a key, none is sent.
    ///
    /// # Errors
    /// When the endpoint's address or key cannot be used.
    pub fn new(
        endpoint: &EndpointSettings,
        model: &str,
        accepts: Capabilities,
    ) -> Result<Self, BadEndpoint> {
        let mut headers = HeaderMap::new();
        if let Some(key) = secret_header("Bearer ", &endpoint.api_key)? {
            headers.insert(AUTHORIZATION, key);
        }
        let http = Http::new(endpoint, "/chat/completions", headers)?;
        Ok(Self { http, model: model.into(), accepts })
    }

    /// Tells a gate what each response says of the provider's limits.
    pub(super) fn telling(self, gate: Arc<Gate>) -> Self {
        Self { http: self.http.telling(gate), ..self }
    }

    /// The request's body.
    fn body(&self, request: &ModelRequest) -> Value {
        let mut body = json!({"model": self.model});
        let mut system = request.system.clone();
        match self.accepts.structured_output {
            StructuredOutput::Format => body["response_format"] = response_format(&request.schema),
            // A forced tool adds nothing here that the other two ways do not have.
            StructuredOutput::Tool | StructuredOutput::Instruction => {
                system = schema::instruct(&system, &request.schema);
            }
        }
        body["messages"] = json!([
            {"role": "system", "content": system},
            // The facts come first: equal beginnings are cached without being asked for.
            {"role": "user", "content": format!("{}{}", request.facts, request.user)},
        ]);
        let limit =
            if self.accepts.completion_tokens { "max_completion_tokens" } else { "max_tokens" };
        body[limit] = json!(request.max_tokens);
        if self.accepts.service_tier {
            // Else the project's setting decides, and it may be a dearer tier.
            body["service_tier"] = json!("default");
        }
        if let Some(effort) = &self.accepts.effort {
            body["reasoning_effort"] = json!(effort);
        }
        if self.accepts.sampling {
            body["temperature"] = json!(0);
        }
        body
    }

    /// Reads a response with status 200, which may still be anything.
    fn read(&self, reply: &Reply) -> Result<ModelResponse, ModelError> {
        let body = reply.json()?;
        if body.get("error").is_some_and(|error| !error.is_null()) {
            let kind = printable(body["error"]["type"].as_str().unwrap_or_default());
            return Err(ModelError::Unreadable(format!("an error under status 200: {kind}")));
        }
        let unreadable = || ModelError::Unreadable("JSON that is no completion with usage".into());
        let completion = Completion::deserialize(&body).map_err(|_| unreadable())?;
        let model = Some(printable(&completion.model)).filter(|name| !name.is_empty());
        let model = model.unwrap_or_else(|| self.model.clone());
        let named = Tier::named(completion.service_tier.as_deref());
        let (usage, tier) = completion.usage.billed(named).ok_or_else(unreadable)?;
        let unusable =
            |why: String| ModelError::Unusable { why, usage, tier, model: model.clone() };
        let refused = |category: &str| ModelError::Refused {
            category: category.into(),
            usage,
            tier,
            model: model.clone(),
        };
        let Some(choice) = completion.choices.into_iter().next() else {
            return Err(unusable("it has no choice".into()));
        };
        if choice.message.refusal.as_deref().is_some_and(|words| !words.is_empty()) {
            return Err(refused("refusal"));
        }
        match choice.finish_reason.as_deref() {
            Some("stop") => {}
            Some("length") => return Err(unusable("it was cut at max_tokens".into())),
            Some("content_filter") => return Err(refused("content_filter")),
            Some(other) => {
                return Err(unusable(format!("it stopped with {:?}", printable(other))));
            }
            None => return Err(unusable("it has no stop reason".into())),
        }
        let text = choice.message.content.map(Content::text).unwrap_or_default();
        let answer =
            schema::read(&text).ok_or_else(|| unusable("it holds no JSON object".into()))?;
        Ok(ModelResponse { model, answer, usage, tier })
    }
}

#[async_trait]
impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.model
    }

    async fn reach(&self) -> Result<String, ModelError> {
        self.http.reach("../models").await
    }

    fn is_free(&self) -> bool {
        false
    }

    fn terms(&self, _: &ModelRequest) -> Terms {
        // What is cached is the provider's choice, and newer models bill for it.
        Terms { tiers: if self.accepts.service_tier { DEFAULT } else { ANY }, writes_cache: true }
    }

    async fn ask(&self, request: &ModelRequest, id: Uuid) -> Result<ModelResponse, ModelError> {
        self.accepts.check_fits(request)?;
        let reply = self.http.post(&self.body(request), id).await?;
        if reply.is_success() { self.read(&reply) } else { Err(failure::judge(&reply, request)) }
    }
}

/// The schema as the API wants it; strict wherever the dialect can say it.
fn response_format(answer: &Value) -> Value {
    let schema = schema::constrained(answer);
    let (schema, strict) = match schema::all_required(&schema) {
        Some(strict) => (strict, true),
        None => (schema, false),
    };
    json!({
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": strict, "schema": schema},
    })
}

/// A response, as far as it is read.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    model: String,
    choices: Vec<Choice>,
    usage: WireUsage,
    service_tier: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<Content>,
    refusal: Option<String>,
}

/// What was said: a text, or parts of which some are texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
}

impl Content {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}

/// The usage on the wire: the prompt includes what the cache gave and took.
#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    /// All that some servers tell.
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

impl WireUsage {
    /// The tokens, and at which prices: those of the tier, if classes are told. `None` when neither
    /// classes nor a total are.
    fn billed(&self, tier: Tier) -> Option<(Usage, Tier)> {
        match (self.prompt_tokens, self.completion_tokens) {
            (Some(prompt), Some(output)) => Some((self.disjoint(prompt, output), tier)),
            (None, None) => self.total_tokens.map(Usage::of_total),
            (Some(_), None) | (None, Some(_)) => None,
        }
    }

    /// The tokens in disjoint classes: every part of the prompt is taken off what is left of it.
    fn disjoint(&self, prompt: u64, output: u64) -> Usage {
        let part = |of: fn(&PromptDetails) -> Option<u64>| {
            self.prompt_tokens_details.as_ref().and_then(of).unwrap_or_default()
        };
        let cache_read = part(|details| details.cached_tokens).min(prompt);
        let rest = prompt - cache_read;
        let cache_write_5m = part(|details| details.cache_write_tokens).min(rest);
        Usage {
            input: rest - cache_write_5m,
            output,
            cache_read,
            cache_write_5m,
            cache_write_1h: 0,
        }
    }
}

#[cfg(test)]
#[path = "openai_tests.rs"]
mod tests;
