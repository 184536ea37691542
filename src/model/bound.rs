//! The most that a request can be billed for: tokens, and at which prices.
//!
//! Hard budgets stand on it, so every part is an upper bound, also for a chat
//! that is written to be dear.

use unicode_normalization::UnicodeNormalization as _;

use super::estimate::estimate;
use super::{Model, ModelRequest};
use crate::domain::usage::Tier;

/// Tokens for what a provider adds: its words about tools or structured output (340 tokens at most
/// in Anthropic's list, which ends with older models), a second copy of a schema, turns and roles.
const HIDDEN: u64 = 1_000;

/// At which prices a request can be billed, by what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The tiers in which it may be answered.
    pub tiers: &'static [Tier],
    /// Whether the provider may write a part of its prompt to its cache. It does so for five
    /// minutes: for an hour nobody asks.
    pub writes_cache: bool,
}

/// The most that a request can be billed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The most tokens of its prompt.
    pub prompt: u64,
    /// The most output tokens.
    pub output: u64,
    /// At which prices.
    pub terms: Terms,
}

impl Bound {
    /// That of a request to a model.
    pub fn of(model: &dyn Model, request: &ModelRequest) -> Self {
        Self {
            prompt: most_prompt_tokens(request),
            output: request.max_tokens.into(),
            terms: model.terms(request),
        }
    }
}

/// The most tokens that a request's prompt can come to, whatever tokenizer counts them.
///
/// Our own words are known. Prompts take 0.23 to 0.26 tokens a character in public vocabularies
/// (o200k, cl100k, an older Claude's), schemas 0.21 to 0.27; with the third more that Claude's
/// models count since 4.7 both stay below 0.36, and the high estimate says 0.42 and more.
///
/// Data are what anybody wrote, and no share of their characters is safe: English takes 0.3, letters
/// at random 0.7 before that third, Amharic a token for every byte. More than a token a byte there
/// cannot be, since byte-level vocabularies hold each single byte.
fn most_prompt_tokens(request: &ModelRequest) -> u64 {
    let ours = estimate(&request.system) + estimate(&request.schema.to_string());
    u64::from(ours) + most_tokens(&request.facts) + most_tokens(&request.user) + HIDDEN
}

/// The most tokens of any text: its bytes, also when a tokenizer takes ligatures and the like apart
/// first (NFKC makes up to eleven bytes of one).
fn most_tokens(text: &str) -> u64 {
    let apart: usize = text.nfkc().map(char::len_utf8).sum();
    text.len().max(apart) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Brief;
    use crate::model::offline::Offline;

    fn request(user: &str) -> ModelRequest {
        ModelRequest {
            agent: "task_enricher",
            system: "You know how events are planned.".into(),
            facts: "<event>\n".into(),
            user: user.into(),
            brief: Brief::Task { object: "cake".into(), action: "book".into() },
            schema: serde_json::json!({"type": "object"}),
            max_tokens: 100,
        }
    }

    #[test]
    fn a_short_prompt_is_bounded_by_what_it_holds() {
        let bound = Bound::of(&Offline::bundled(), &request("who books the band?"));
        let ours = estimate("You know how events are planned.") + estimate(r#"{"type":"object"}"#);
        assert_eq!(bound.prompt, u64::from(ours) + 8 + 19 + HIDDEN);
        assert_eq!(bound.output, 100);
    }

    #[test]
    fn a_character_that_is_taken_apart_counts_with_all_that_comes_of_it() {
        assert_eq!(most_tokens("ﷺ"), 33);
        assert_eq!(most_tokens("½ cup"), 9);
        assert_eq!(most_tokens("እባክዎ"), 12);
    }

    proptest! {
        #[test]
        fn no_text_has_more_bytes_than_its_bound(text in any::<String>()) {
            prop_assert!(most_tokens(&text) >= text.len() as u64);
            let apart: String = text.nfkc().collect();
            prop_assert!(most_tokens(&text) >= apart.len() as u64);
            prop_assert!(most_prompt_tokens(&request(&text)) >= most_tokens(&text) + HIDDEN);
        }
    }
}
