//! What each model accepts, by table: how to ask it for a shaped answer.
//!
//! The table is `config/models.toml`, read by [`super::prices::PriceBook`]. Code
//! never asks for a model's name; it asks for what the model accepts.

use serde::Deserialize;

use super::{ModelError, ModelRequest};
use crate::settings::Protocol;

/// How a shaped answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StructuredOutput {
    /// The API's own JSON-schema output.
    Format,
    /// One forced tool, whose input is the answer.
    Tool,
    /// The schema stands in the prompt, and the text is read as JSON.
    Instruction,
}

/// What a model accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// How a shaped answer is asked for.
    pub structured_output: StructuredOutput,
    /// Whether `tool_choice` may name a tool.
    pub forced_tool: bool,
    /// Whether a tool may be declared strict.
    pub strict_tool: bool,
    /// Whether sampling parameters may be sent; then the temperature is 0, so that equal
    /// requests have equal answers.
    pub sampling: bool,
    /// The effort to send, where thinking would otherwise eat the answer's tokens.
    pub effort: Option<String>,
    /// Tokens from which a prompt prefix is cached; 0 means that caching is never asked for.
    pub cache_min_prefix: u64,
    /// Output tokens at most, where known.
    pub max_output: Option<u32>,
    /// Input and output tokens together at most, where known.
    pub context_window: Option<u64>,
    /// Whether the output limit is called `max_completion_tokens`, as OpenAI's own models have
    /// it; other servers know only `max_tokens`.
    pub completion_tokens: bool,
    /// Whether a request can ask for the standard tier as OpenAI's own models have it; other servers
    /// may refuse the field.
    pub service_tier: bool,
}

impl Capabilities {
    /// What is assumed of a model that is not in the table: the least that still works.
    ///
    /// An Anthropic-like endpoint is told the schema in the prompt; servers that speak OpenAI's
    /// protocol know `response_format` nearly all.
    pub fn unknown(protocol: Protocol) -> Self {
        let structured_output = match protocol {
            Protocol::Openai => StructuredOutput::Format,
            Protocol::Anthropic | Protocol::Offline => StructuredOutput::Instruction,
        };
        Self {
            structured_output,
            forced_tool: false,
            strict_tool: false,
            sampling: false,
            effort: None,
            cache_min_prefix: 0,
            max_output: None,
            context_window: None,
            completion_tokens: false,
            service_tier: false,
        }
    }

    /// Refuses a request that surely does not fit the context window: what the endpoint would
    /// answer with a 400 is told before anything is sent.
    ///
    /// # Errors
    /// [`ModelError::TooLong`].
    pub(super) fn check_fits(&self, request: &ModelRequest) -> Result<(), ModelError> {
        let Some(window) = self.context_window else { return Ok(()) };
        let schema = request.schema.to_string();
        let texts = [&request.system, &schema, &request.facts, &request.user];
        let prompt: u64 = texts.map(|text| least_tokens(text)).iter().sum();
        if prompt + u64::from(request.max_tokens) <= window {
            return Ok(());
        }
        Err(ModelError::TooLong { prompt, max_tokens: request.max_tokens, window })
    }
}

/// A lower bound for the tokens of a text: providers' tokenizers give at least one token for
/// four bytes of English, so that caching is asked for only when it surely works.
pub(super) fn least_tokens(text: &str) -> u64 {
    text.len() as u64 / 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::prices::PriceBook;

    fn of(model: &str) -> Capabilities {
        PriceBook::bundled().capabilities(model, Protocol::Anthropic)
    }

    #[test]
    fn models_that_always_think_are_never_forced_to_a_tool() {
        for model in [
            "claude-opus-5-5",
            "claude-sonnet-5-5",
            "claude-fable-5-1",
            "claude-mythos-5-1",
            "claude-haiku-5-5",
        ] {
            let accepts = of(model);
            assert!(!accepts.forced_tool, "{model}");
            assert_ne!(accepts.structured_output, StructuredOutput::Tool, "{model}");
        }
    }

    #[test]
    fn sampling_parameters_end_with_opus_4_6() {
        for model in ["claude-opus-4-7", "claude-sonnet-5", "claude-haiku-5-5", "gpt-6-sol"] {
            assert!(!of(model).sampling, "{model}");
        }
        for model in ["claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5"] {
            assert!(of(model).sampling, "{model}");
        }
    }

    #[test]
    fn the_shortest_cacheable_prefix_is_each_models_own() {
        let prefix = |model| of(model).cache_min_prefix;
        assert_eq!(prefix("claude-opus-5"), 512);
        assert_eq!(prefix("claude-sonnet-5"), 1024);
        assert_eq!(prefix("claude-opus-4-7"), 2048);
        assert_eq!(prefix("claude-haiku-4-5-20251001"), 4096);
    }

    #[test]
    fn a_model_outside_the_table_is_asked_the_plainest_way() {
        assert_eq!(of("claude-next").structured_output, StructuredOutput::Instruction);
        let local = PriceBook::bundled().capabilities("llama-9", Protocol::Openai);
        assert_eq!(local.structured_output, StructuredOutput::Format);
        assert!(!local.sampling && !local.completion_tokens);
    }
}
