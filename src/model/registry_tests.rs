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

fn names(agent: &Assigned) -> Vec<String> {
    agent.chain().map(|choice| format!("{}:{}", choice.endpoint, choice.model.name())).collect()
}

/// The task enricher with a key, these fallbacks, and what it does after them.
fn chain(fallbacks: &[&str], on_unavailable: OnUnavailable) -> Settings {
    settings(|s| {
        anthropic(s).api_key = "key".into();
        let agent = s.agents.get_mut("task_enricher").unwrap();
        agent.fallbacks = fallbacks.iter().map(|entry| (*entry).to_owned()).collect();
        agent.on_unavailable = on_unavailable;
    })
}

fn chain_names(settings: &Settings) -> Vec<String> {
    names(models(settings).unwrap().agent("task_enricher").unwrap())
}

fn keys(settings: &Settings) -> Vec<String> {
    models(settings).unwrap_err().into_iter().map(|mistake| mistake.key).collect()
}

#[test]
fn without_a_key_the_defaults_are_answered_offline() {
    let models = models(&settings(|_| {})).unwrap();
    let agent = models.agent("task_enricher").unwrap();
    assert_eq!(names(agent), ["offline:offline"]);
    assert!(agent.primary.model.is_free());
    let is_free = |name: &&str| models.agent(name).is_some_and(|it| it.primary.model.is_free());
    assert!(AGENTS.iter().all(is_free));
}

#[test]
fn with_a_key_agents_ask_their_model_and_share_its_breaker() {
    let models = models(&settings(|s| anthropic(s).api_key = "key".into())).unwrap();
    let task = models.agent("task_enricher").unwrap();
    let budget = models.agent("budget_analyst").unwrap();
    assert_eq!(names(task), ["anthropic:claude-sonnet-5-5", "offline:offline"]);
    assert!(Arc::ptr_eq(&task.primary.access, &budget.primary.access));
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
    assert_eq!(names(agent), ["openai:llama-9"]);
    assert!(!agent.primary.has_price());
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

#[test]
fn a_chain_is_asked_in_its_order_and_ends_offline_where_the_agent_falls_back() {
    let listed = ["openai:gpt-6-sol", "anthropic:claude-haiku-5-5"];
    let fallback = chain(&listed, OnUnavailable::Fallback);
    let asked = ["anthropic:claude-sonnet-5-5", listed[0], listed[1]];
    assert_eq!(chain_names(&fallback), [&asked[..], &["offline:offline"]].concat());
    assert_eq!(chain_names(&chain(&listed, OnUnavailable::Park)), asked);
    let said = chain(&["openai:gpt-6-sol", "offline"], OnUnavailable::Fallback);
    assert_eq!(chain_names(&said).len(), 3);
}

#[test]
fn without_its_key_an_agent_that_falls_back_begins_with_its_fallbacks() {
    let mut settings = chain(&["openai:gpt-6-sol"], OnUnavailable::Fallback);
    anthropic(&mut settings).api_key = "".into();
    assert_eq!(chain_names(&settings), ["openai:gpt-6-sol", "offline:offline"]);
}

#[test]
fn models_of_one_endpoint_share_its_account_and_not_their_ways() {
    let models = models(&chain(&["anthropic:claude-haiku-5-5"], OnUnavailable::Park)).unwrap();
    let agent = models.agent("task_enricher").unwrap();
    let (own, other) = (&agent.primary.access, &agent.fallbacks[0].access);
    assert!(std::ptr::eq(own.account(), other.account()));
    assert!(!Arc::ptr_eq(own, other));
}

#[test]
fn mistakes_in_a_chain_are_told_with_their_keys() {
    let of = |fallbacks: &[&str]| {
        let mistakes = models(&chain(fallbacks, OnUnavailable::Fallback)).unwrap_err();
        let told = mistakes.into_iter().map(|m| format!("{} {}", m.key, m.problem));
        told.collect::<Vec<_>>().join("\n")
    };
    let key = "agents.task_enricher.fallbacks";
    for (fallbacks, problem) in [
        (&["elsewhere:gpt-6-sol"][..], "there is no endpoint \"elsewhere\""),
        (&["gpt-6-sol"], "\"gpt-6-sol\" is neither offline nor ENDPOINT:MODEL"),
        (&["openai:llama-9"], "llama-9 has no price"),
        (&["offline", "openai:gpt-6-sol"], "nobody is asked after offline"),
        (&["anthropic:claude-sonnet-5-5"], "anthropic:claude-sonnet-5-5 stands in the chain twice"),
    ] {
        let told = of(fallbacks);
        assert!(told.contains(&format!("{key} {problem}")), "{told}");
    }
    let told = of(&["elsewhere:one", "two", "openai:three"]);
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn a_fallback_without_its_key_is_a_mistake() {
    let mut settings = chain(&["anthropic:claude-haiku-5-5"], OnUnavailable::Fallback);
    anthropic(&mut settings).api_key = "".into();
    assert_eq!(keys(&settings), ["endpoints.anthropic.api_key"]);
}

#[test]
fn a_price_for_totals_must_be_in_the_table() {
    let wrong = settings(|s| {
        let anthropic = anthropic(s);
        anthropic.api_key = "key".into();
        anthropic.total_price = "per_word".into();
    });
    let mistakes = models(&wrong).unwrap_err();
    assert_eq!(keys(&wrong), ["endpoints.anthropic.total_price"]);
    assert!(mistakes[0].problem.contains("per_1k_tokens"), "{}", mistakes[0].problem);
    // Also where nobody asks.
    let unused = settings(|s| {
        s.endpoints.get_mut("openai").unwrap().total_price = "per_word".into();
    });
    assert_eq!(keys(&unused), ["endpoints.openai.total_price"]);
}

#[test]
fn an_endpoint_with_a_price_for_totals_prices_a_model_that_is_not_listed() {
    let models = models(&settings(|s| {
        s.endpoints.get_mut("openai").unwrap().total_price = "per_1k_tokens".into();
        let agent = s.agents.get_mut("task_enricher").unwrap();
        agent.endpoint = "openai".into();
        agent.model = "llama-9".into();
    }));
    assert!(models.unwrap().agent("task_enricher").unwrap().primary.has_price());
}

#[test]
fn a_fallback_without_a_price_is_one_where_the_settings_let_it_be_asked() {
    let mut settings = chain(&["anthropic:claude-next"], OnUnavailable::Fallback);
    assert_eq!(keys(&settings), ["agents.task_enricher.fallbacks"]);
    settings.prices.unpriced = crate::settings::Unpriced::Alert;
    let models = models(&settings).unwrap();
    let fallback = &models.agent("task_enricher").unwrap().fallbacks[0];
    assert!(fallback.is_asked() && !fallback.has_price());
}
