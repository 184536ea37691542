//! Which model each agent asks, from the settings; all mistakes at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::Model;
use super::anthropic::Anthropic;
use super::breaker::{Breaker, BreakerPolicy};
use super::http::BadEndpoint;
use super::offline::Offline;
use super::openai::OpenAi;
use super::prices::PriceBook;
use crate::settings::{
    AgentSettings, EndpointSettings, Mistake, OnUnavailable, Protocol, Settings,
};

/// All agents that can be given a model, as the settings name them.
pub const AGENTS: [&str; 6] = [
    "task_enricher",
    "budget_analyst",
    "poll_enricher",
    "query_answerer",
    "suggester",
    "intent_classifier",
];

/// What an agent asks.
#[derive(Clone)]
pub struct Assigned {
    /// The agent.
    pub agent: &'static str,
    /// The endpoint's name in the settings; `offline` where no key is set.
    pub endpoint: String,
    /// Its model.
    pub model: Arc<dyn Model>,
    /// Who answers when the model is unavailable; `None`: the message waits.
    pub fallback: Option<Arc<dyn Model>>,
    /// The most output tokens that are paid for.
    pub max_tokens: u32,
    /// The breaker, shared by all agents that ask this model at this endpoint.
    pub breaker: Arc<Breaker>,
    /// What it costs.
    pub prices: Arc<PriceBook>,
}

impl Assigned {
    /// Whether its requests can be paid for; one without a price is never sent.
    pub fn has_price(&self) -> bool {
        self.model.is_free() || self.prices.has_price(self.model.name(), jiff::Timestamp::now())
    }
}

impl std::fmt::Debug for Assigned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assigned")
            .field("agent", &self.agent)
            .field("endpoint", &self.endpoint)
            .field("model", &self.model.name())
            .field("fallback", &self.fallback.is_some())
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}

/// The models of all agents in the settings.
#[derive(Debug)]
pub struct Models {
    agents: BTreeMap<&'static str, Assigned>,
}

impl Models {
    /// Assigns each agent in the settings its model.
    ///
    /// # Errors
    /// All mistakes at once, each with its key.
    pub fn new(settings: &Settings, prices: Arc<PriceBook>) -> Result<Self, Vec<Mistake>> {
        let mut assigning = Assigning {
            settings,
            prices,
            offline: Arc::new(Offline::bundled()),
            breakers: BTreeMap::new(),
            mistakes: Vec::new(),
        };
        let mut agents = BTreeMap::new();
        for (name, agent) in &settings.agents {
            if let Some(assigned) = assigning.assign(name, agent) {
                agents.insert(assigned.agent, assigned);
            }
        }
        let mut mistakes = assigning.mistakes;
        // Agents that share an endpoint share its mistakes.
        mistakes.sort_by(|one, other| (&one.key, &one.problem).cmp(&(&other.key, &other.problem)));
        mistakes.dedup();
        if mistakes.is_empty() { Ok(Self { agents }) } else { Err(mistakes) }
    }

    /// What an agent asks; `None` when the settings give it no model.
    pub fn agent(&self, name: &str) -> Option<&Assigned> {
        self.agents.get(name)
    }

    /// All agents that have a model, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Assigned> {
        self.agents.values()
    }
}

/// The work of [`Models::new`].
struct Assigning<'a> {
    settings: &'a Settings,
    prices: Arc<PriceBook>,
    offline: Arc<Offline>,
    breakers: BTreeMap<(String, String), Arc<Breaker>>,
    mistakes: Vec<Mistake>,
}

impl Assigning<'_> {
    fn assign(&mut self, name: &str, agent: &AgentSettings) -> Option<Assigned> {
        let Some(known) = AGENTS.into_iter().find(|known| *known == name) else {
            let problem = format!("there is no such agent; there are {}", AGENTS.join(", "));
            return self.mistake(format!("agents.{name}"), problem);
        };
        let Some(endpoint) = self.settings.endpoints.get(&agent.endpoint) else {
            let names: Vec<_> = self.settings.endpoints.keys().map(String::as_str).collect();
            let problem = format!("there is no such endpoint; there are {}", names.join(", "));
            return self.mistake(format!("agents.{name}.endpoint"), problem);
        };
        self.check_tokens(name, agent, endpoint.protocol);
        if self.is_answered_offline(agent, endpoint) {
            return Some(self.offline(known, agent));
        }
        let model = self.model(agent, endpoint)?;
        let falls_back = agent.on_unavailable == OnUnavailable::Fallback;
        Some(Assigned {
            agent: known,
            endpoint: agent.endpoint.clone(),
            model,
            fallback: falls_back.then(|| self.offline.clone() as Arc<dyn Model>),
            max_tokens: agent.max_tokens,
            breaker: self.breaker(agent, endpoint),
            prices: self.prices.clone(),
        })
    }

    fn check_tokens(&mut self, name: &str, agent: &AgentSettings, protocol: Protocol) {
        let most = self.prices.capabilities(&agent.model, protocol).max_output;
        let most = most.unwrap_or(u32::MAX);
        if !(1..=most).contains(&agent.max_tokens) {
            let problem =
                format!("it must be from 1 to {most}, which is what {} gives", agent.model);
            self.note(format!("agents.{name}.max_tokens"), problem);
        }
    }

    /// Whether an agent is answered offline from the start: by its endpoint, or for want of a key.
    fn is_answered_offline(&self, agent: &AgentSettings, endpoint: &EndpointSettings) -> bool {
        match endpoint.protocol {
            Protocol::Offline => true,
            Protocol::Anthropic => {
                endpoint.api_key.expose_secret().is_empty()
                    && agent.on_unavailable == OnUnavailable::Fallback
            }
            Protocol::Openai => false,
        }
    }

    fn offline(&mut self, agent: &'static str, settings: &AgentSettings) -> Assigned {
        Assigned {
            agent,
            endpoint: "offline".into(),
            model: self.offline.clone(),
            fallback: None,
            max_tokens: settings.max_tokens,
            breaker: Arc::new(Breaker::new(BreakerPolicy::default())),
            prices: self.prices.clone(),
        }
    }

    fn model(
        &mut self,
        agent: &AgentSettings,
        endpoint: &EndpointSettings,
    ) -> Option<Arc<dyn Model>> {
        let key = |part| format!("endpoints.{}.{part}", agent.endpoint);
        for (part, seconds) in [
            ("connect_timeout_s", endpoint.connect_timeout_s),
            ("call_timeout_s", endpoint.call_timeout_s),
        ] {
            if seconds == 0 {
                self.note(key(part), "it must be at least 1".into());
            }
        }
        let accepts = self.prices.capabilities(&agent.model, endpoint.protocol);
        let made = match endpoint.protocol {
            Protocol::Anthropic if endpoint.api_key.expose_secret().is_empty() => {
                let problem = "it is empty, and an agent that parks when its model is \
                               unavailable asks there";
                return self.mistake(key("api_key"), problem.into());
            }
            Protocol::Anthropic => Anthropic::new(endpoint, &agent.model, accepts)
                .map(|model| Arc::new(model) as Arc<dyn Model>),
            Protocol::Openai => OpenAi::new(endpoint, &agent.model, accepts)
                .map(|model| Arc::new(model) as Arc<dyn Model>),
            Protocol::Offline => Ok(self.offline.clone() as Arc<dyn Model>),
        };
        match made {
            Ok(model) => Some(model),
            Err(bad @ BadEndpoint::BaseUrl(_)) => self.mistake(key("base_url"), bad.to_string()),
            Err(bad @ BadEndpoint::Key) => self.mistake(key("api_key"), bad.to_string()),
            Err(bad @ BadEndpoint::Client(_)) => {
                self.mistake(format!("endpoints.{}", agent.endpoint), bad.to_string())
            }
        }
    }

    fn breaker(&mut self, agent: &AgentSettings, endpoint: &EndpointSettings) -> Arc<Breaker> {
        let probe_within = Duration::from_secs(endpoint.call_timeout_s);
        let policy = BreakerPolicy { probe_within, ..BreakerPolicy::default() };
        self.breakers
            .entry((agent.endpoint.clone(), agent.model.clone()))
            .or_insert_with(|| Arc::new(Breaker::new(policy)))
            .clone()
    }

    fn note(&mut self, key: String, problem: String) {
        self.mistakes.push(Mistake { key, layer: "effective settings".to_owned(), problem });
    }

    fn mistake<T>(&mut self, key: String, problem: String) -> Option<T> {
        self.note(key, problem);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(change: impl FnOnce(&mut Settings)) -> Settings {
        let mut settings = toml::from_str(include_str!("../../config/default.toml")).unwrap();
        change(&mut settings);
        settings
    }

    fn models(settings: &Settings) -> Result<Models, Vec<Mistake>> {
        Models::new(settings, PriceBook::bundled())
    }

    fn anthropic(settings: &mut Settings) -> &mut EndpointSettings {
        settings.endpoints.get_mut("anthropic").unwrap()
    }

    fn keys(settings: &Settings) -> Vec<String> {
        models(settings).unwrap_err().into_iter().map(|mistake| mistake.key).collect()
    }

    #[test]
    fn without_a_key_the_defaults_are_answered_offline() {
        let models = models(&settings(|_| {})).unwrap();
        let agent = models.agent("task_enricher").unwrap();
        assert_eq!((agent.model.name(), agent.endpoint.as_str()), ("offline", "offline"));
        assert!(agent.model.is_free() && agent.fallback.is_none());
        assert!(AGENTS.iter().all(|name| models.agent(name).is_some_and(|it| it.model.is_free())));
    }

    #[test]
    fn with_a_key_agents_ask_their_model_and_share_its_breaker() {
        let models = models(&settings(|s| anthropic(s).api_key = "key".into())).unwrap();
        let task = models.agent("task_enricher").unwrap();
        let budget = models.agent("budget_analyst").unwrap();
        assert_eq!(task.model.name(), "claude-sonnet-5-5");
        assert_eq!(task.fallback.as_ref().unwrap().name(), "offline");
        assert!(Arc::ptr_eq(&task.breaker, &budget.breaker));
    }

    #[test]
    fn an_agent_that_parks_needs_a_key() {
        let parks = settings(|s| {
            s.agents.get_mut("task_enricher").unwrap().on_unavailable = OnUnavailable::Park;
        });
        assert_eq!(keys(&parks), ["endpoints.anthropic.api_key"]);
    }

    #[test]
    fn a_local_server_needs_no_key() {
        let models = models(&settings(|s| {
            s.endpoints.get_mut("openai").unwrap().base_url = "http://127.0.0.1:11434/v1".into();
            let agent = s.agents.get_mut("task_enricher").unwrap();
            agent.endpoint = "openai".into();
            agent.model = "llama-9".into();
            agent.on_unavailable = OnUnavailable::Park;
        }));
        let models = models.unwrap();
        let agent = models.agent("task_enricher").unwrap();
        assert!(agent.model.name() == "llama-9" && agent.fallback.is_none());
        assert!(!agent.has_price());
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_with_its_key() {
        let wrong = settings(|s| {
            anthropic(s).api_key = "key".into();
            anthropic(s).base_url = "api.anthropic.com".into();
            anthropic(s).call_timeout_s = 0;
            s.agents.get_mut("budget_analyst").unwrap().endpoint = "elsewhere".into();
            let mut agent = s.agents["task_enricher"].clone();
            agent.max_tokens = 128_001;
            s.agents.insert("poll_enricher".into(), agent.clone());
            s.agents.insert("poet".into(), agent);
        });
        assert_eq!(
            keys(&wrong),
            [
                "agents.budget_analyst.endpoint",
                "agents.poet",
                "agents.poll_enricher.max_tokens",
                "endpoints.anthropic.base_url",
                "endpoints.anthropic.call_timeout_s",
            ]
        );
    }

    #[test]
    fn no_key_is_printed_with_the_models() {
        let models = models(&settings(|s| anthropic(s).api_key = "sk-ant-secret".into())).unwrap();
        assert!(!format!("{models:?}").contains("sk-ant"));
    }
}
