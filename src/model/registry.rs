//! Which models each agent asks, from the settings; all mistakes at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::access::Access;
use super::account::Account;
use super::anthropic::Anthropic;
use super::breaker::BreakerPolicy;
use super::chain::Entry;
use super::estimate::TokenEstimates;
use super::http::BadEndpoint;
use super::offline::{self, Offline};
use super::openai::OpenAi;
use super::prices::{PriceBook, TotalPrice};
use super::pricing::Pricing;
use super::{Model, gate};
use crate::settings::{
    AgentSettings, EndpointSettings, Mistake, OnUnavailable, Protocol, Settings,
};

pub use super::chain::{Assigned, Choice};

/// All agents that can be given a model, as the settings name them.
pub const AGENTS: [&str; 6] = [
    "task_enricher",
    "budget_analyst",
    "poll_enricher",
    "query_answerer",
    "suggester",
    "intent_classifier",
];

/// The models of all agents in the settings.
#[derive(Debug)]
pub struct Models {
    agents: BTreeMap<&'static str, Assigned>,
    offline: Choice,
}

impl Models {
    /// Assigns each agent in the settings its models.
    ///
    /// # Errors
    /// All mistakes at once, each with its key.
    pub fn new(settings: &Settings, prices: Arc<PriceBook>) -> Result<Self, Vec<Mistake>> {
        let mut assigning = Assigning::new(settings, prices);
        for (name, endpoint) in &settings.endpoints {
            assigning.check_total(name, &endpoint.total_price);
        }
        assigning.cheaper = assigning.degrade_to();
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
        let offline = assigning.offline;
        if mistakes.is_empty() { Ok(Self { agents, offline }) } else { Err(mistakes) }
    }

    /// What an agent asks; `None` when the settings give it no model.
    pub fn agent(&self, name: &str) -> Option<&Assigned> {
        self.agents.get(name)
    }

    /// The offline model, which is free.
    pub fn offline(&self) -> &Choice {
        &self.offline
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
    offline: Choice,
    accounts: BTreeMap<String, Arc<Account>>,
    /// By endpoint and model, so that all agents share what is learnt of them.
    choices: BTreeMap<(String, String), Choice>,
    /// Whom all agents ask when a budget has no room for their own.
    cheaper: Vec<Choice>,
    mistakes: Vec<Mistake>,
}

impl<'a> Assigning<'a> {
    fn new(settings: &'a Settings, prices: Arc<PriceBook>) -> Self {
        let account = Arc::new(Account::new(offline::NAME, Duration::ZERO));
        // Nobody waits for the offline model, so its way is never taken.
        let access = Access::new(offline::NAME, account, BreakerPolicy::default(), u32::MAX);
        let offline = Choice {
            endpoint: offline::NAME.to_owned(),
            model: Arc::new(Offline::bundled()),
            access: Arc::new(access),
            connect_timeout: Duration::ZERO,
            prices: Arc::new(pricing(&prices, offline::NAME, None, settings)),
            estimates: Arc::new(TokenEstimates::default()),
        };
        let (accounts, choices) = (BTreeMap::new(), BTreeMap::new());
        let (cheaper, mistakes) = (Vec::new(), Vec::new());
        Self { settings, prices, offline, accounts, choices, cheaper, mistakes }
    }

    fn assign(&mut self, name: &str, agent: &AgentSettings) -> Option<Assigned> {
        let Some(known) = AGENTS.into_iter().find(|known| *known == name) else {
            let problem = format!("there is no such agent; there are {}", AGENTS.join(", "));
            return self.mistake(format!("agents.{name}"), problem);
        };
        let primary = self.primary(name, agent);
        let fallbacks = self.fallbacks(name, agent);
        // After whoever is free nobody is asked.
        let mut chain = Vec::new();
        for choice in primary?.into_iter().chain(fallbacks?) {
            let is_last = choice.model.is_free();
            chain.push(choice);
            if is_last {
                break;
            }
        }
        let primary = chain.remove(0);
        let (cheaper, max_tokens) = (self.cheaper.clone(), agent.max_tokens);
        Some(Assigned { agent: known, primary, fallbacks: chain, cheaper, max_tokens })
    }

    /// The agent's own model. Without a key an agent that falls back has none: `Some(None)`.
    fn primary(&mut self, name: &str, agent: &AgentSettings) -> Option<Option<Choice>> {
        let endpoint = self.endpoint(&agent.endpoint, format!("agents.{name}.endpoint"))?;
        self.check_tokens(name, agent.max_tokens, &agent.model, endpoint.protocol);
        let falls_back = agent.on_unavailable == OnUnavailable::Fallback;
        if falls_back && lacks_key(endpoint) {
            return Some(None);
        }
        self.choice(&agent.endpoint, &agent.model, endpoint).map(Some)
    }

    /// The agent's fallbacks; one that falls back ends offline, whether its list says so or not.
    fn fallbacks(&mut self, name: &str, agent: &AgentSettings) -> Option<Vec<Choice>> {
        let key = format!("agents.{name}.fallbacks");
        let entries: Vec<Option<Entry<'_>>> =
            agent.fallbacks.iter().map(|text| Entry::read(text)).collect();
        self.check_order(&key, agent, &entries);
        let mut chain: Vec<Option<Choice>> = Vec::new();
        for (text, entry) in agent.fallbacks.iter().zip(&entries) {
            chain.push(match *entry {
                Some(Entry::Offline) => Some(self.offline.clone()),
                Some(Entry::At { endpoint, model }) => {
                    self.fallback(name, agent.max_tokens, endpoint, model)
                }
                None => {
                    let problem = format!("{text:?} is neither offline nor ENDPOINT:MODEL");
                    self.mistake(key.clone(), problem)
                }
            });
        }
        if agent.on_unavailable == OnUnavailable::Fallback {
            chain.push(Some(self.offline.clone()));
        }
        chain.into_iter().collect()
    }

    /// Whom a budget that is spent leaves. Who cannot be asked for want of a key is left out: there
    /// may be no other endpoint with one, and the offline model comes after them anyway.
    fn degrade_to(&mut self) -> Vec<Choice> {
        let key = "budgets.degrade_to";
        let mut cheaper = Vec::new();
        for text in &self.settings.budgets.degrade_to {
            let Some(entry) = Entry::read(text) else {
                let problem = format!("{text:?} is neither offline nor ENDPOINT:MODEL");
                self.note(key.to_owned(), problem);
                continue;
            };
            let Entry::At { endpoint, model } = entry else { break };
            let Some(settings) = self.endpoint(endpoint, key.to_owned()) else { continue };
            if lacks_key(settings) {
                continue;
            }
            let Some(choice) = self.choice(endpoint, model, settings) else { continue };
            if !choice.has_price() {
                self.note(
                    key.to_owned(),
                    format!("{model} has no price: nobody knows that it is cheaper"),
                );
            }
            cheaper.push(choice);
        }
        cheaper
    }

    fn fallback(
        &mut self,
        name: &str,
        max_tokens: u32,
        endpoint: &str,
        model: &str,
    ) -> Option<Choice> {
        let key = format!("agents.{name}.fallbacks");
        let settings = self.endpoint(endpoint, key.clone())?;
        self.check_tokens(name, max_tokens, model, settings.protocol);
        let choice = self.choice(endpoint, model, settings)?;
        if !choice.is_asked() {
            self.note(key, format!("{model} has no price, so it would never be asked"));
        }
        Some(choice)
    }

    /// Nobody is asked twice, and nobody after the offline model, which is never unavailable.
    fn check_order(&mut self, key: &str, agent: &AgentSettings, entries: &[Option<Entry<'_>>]) {
        let own = Entry::At { endpoint: &agent.endpoint, model: &agent.model };
        let mut before = vec![own];
        for entry in entries.iter().copied().flatten() {
            if before.contains(&Entry::Offline) {
                return self.note(key.to_owned(), "nobody is asked after offline".to_owned());
            }
            if before.contains(&entry) {
                let problem = format!("{entry} stands in the chain twice");
                self.note(key.to_owned(), problem);
            }
            before.push(entry);
        }
    }

    fn check_tokens(&mut self, name: &str, tokens: u32, model: &str, protocol: Protocol) {
        let most = self.prices.capabilities(model, protocol).max_output.unwrap_or(u32::MAX);
        if !(1..=most).contains(&tokens) {
            let problem = format!("it must be from 1 to {most}, which is what {model} gives");
            self.note(format!("agents.{name}.max_tokens"), problem);
        }
    }

    fn endpoint(&mut self, name: &str, key: String) -> Option<&'a EndpointSettings> {
        let settings = self.settings;
        let found = settings.endpoints.get(name);
        if found.is_none() {
            let names: Vec<_> = settings.endpoints.keys().map(String::as_str).collect();
            let there_are = names.join(", ");
            self.note(key, format!("there is no endpoint {name:?}; there are {there_are}"));
        }
        found
    }

    /// A model at an endpoint, with all that its agents share.
    fn choice(&mut self, name: &str, model: &str, endpoint: &EndpointSettings) -> Option<Choice> {
        if endpoint.protocol == Protocol::Offline {
            return Some(self.offline.clone());
        }
        let key = (name.to_owned(), model.to_owned());
        if let Some(choice) = self.choices.get(&key) {
            return Some(choice.clone());
        }
        let access = Arc::new(self.access(name, model, endpoint));
        let total = self.prices.total(&endpoint.total_price);
        let prices = Arc::new(pricing(&self.prices, model, total, self.settings));
        let model = self.model(name, model, endpoint, access.gate())?;
        let estimates = self.offline.estimates.clone();
        let connect_timeout = Duration::from_secs(endpoint.connect_timeout_s);
        let endpoint = name.to_owned();
        let choice = Choice { endpoint, model, access, prices, connect_timeout, estimates };
        self.choices.insert(key, choice.clone());
        Some(choice)
    }

    fn access(&mut self, name: &str, model: &str, endpoint: &EndpointSettings) -> Access {
        let call_timeout = Duration::from_secs(endpoint.call_timeout_s);
        let account = self
            .accounts
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Account::new(name, call_timeout)));
        let policy = BreakerPolicy { probe_within: call_timeout, ..BreakerPolicy::default() };
        Access::new(model, account.clone(), policy, endpoint.concurrency)
    }

    fn model(
        &mut self,
        name: &str,
        model: &str,
        endpoint: &EndpointSettings,
        gate: Arc<gate::Gate>,
    ) -> Option<Arc<dyn Model>> {
        let key = |part| format!("endpoints.{name}.{part}");
        self.check_endpoint(name, endpoint);
        if lacks_key(endpoint) {
            let problem = "it is empty, and an agent asks there that does not go on without";
            return self.mistake(key("api_key"), problem.into());
        }
        let accepts = self.prices.capabilities(model, endpoint.protocol);
        let made: Result<Arc<dyn Model>, BadEndpoint> = match endpoint.protocol {
            Protocol::Anthropic => Anthropic::new(endpoint, model, accepts)
                .map(|model| Arc::new(model.telling(gate)) as Arc<dyn Model>),
            Protocol::Openai => OpenAi::new(endpoint, model, accepts)
                .map(|model| Arc::new(model.telling(gate)) as Arc<dyn Model>),
            Protocol::Offline => Ok(self.offline.model.clone()),
        };
        match made {
            Ok(model) => Some(model),
            Err(bad @ BadEndpoint::BaseUrl(_)) => self.mistake(key("base_url"), bad.to_string()),
            Err(bad @ BadEndpoint::Key) => self.mistake(key("api_key"), bad.to_string()),
            Err(bad @ BadEndpoint::Client(_)) => {
                self.mistake(format!("endpoints.{name}"), bad.to_string())
            }
        }
    }

    /// The price for totals that an endpoint names must be in the table.
    fn check_total(&mut self, name: &str, total: &str) {
        if total.is_empty() || self.prices.total(total).is_some() {
            return;
        }
        let there_are = self.prices.totals().collect::<Vec<_>>().join(", ");
        let problem =
            format!("there is no [[total]] {total:?} in the price table; there are {there_are}");
        self.note(format!("endpoints.{name}.total_price"), problem);
    }

    fn check_endpoint(&mut self, name: &str, endpoint: &EndpointSettings) {
        let at_least_one = [
            ("connect_timeout_s", endpoint.connect_timeout_s),
            ("call_timeout_s", endpoint.call_timeout_s),
            ("concurrency", endpoint.concurrency.into()),
        ];
        for (part, value) in at_least_one {
            if value == 0 {
                self.note(format!("endpoints.{name}.{part}"), "it must be at least 1".into());
            }
        }
    }

    fn note(&mut self, key: String, problem: String) {
        self.mistakes.push(Mistake { key, layer: "effective settings".to_owned(), problem });
    }

    fn mistake<T>(&mut self, key: String, problem: String) -> Option<T> {
        self.note(key, problem);
        None
    }
}

fn pricing(
    book: &Arc<PriceBook>,
    model: &str,
    total: Option<TotalPrice>,
    settings: &Settings,
) -> Pricing {
    Pricing::new(Arc::clone(book), model, total, settings.prices.unpriced)
}

/// Whether an endpoint cannot be asked for want of a key; local servers need none.
fn lacks_key(endpoint: &EndpointSettings) -> bool {
    endpoint.protocol == Protocol::Anthropic && endpoint.api_key.expose_secret().is_empty()
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;
