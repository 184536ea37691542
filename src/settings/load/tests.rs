use std::io::Write as _;

use secrecy::ExposeSecret as _;
use tempfile::NamedTempFile;

use super::*;
use crate::settings::{LogFormat, OnUnavailable, Topology, masked};

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from_file(text: &str) -> Result<Settings, Mistakes> {
    load(Some(file(text).path()), &[])
}

fn from_environment(pairs: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    load(None, &variables(pairs))
}

fn keys(mistakes: &Mistakes) -> Vec<&str> {
    mistakes.0.iter().map(|mistake| mistake.key.as_str()).collect()
}

fn only_mistake(result: Result<Settings, Mistakes>) -> Mistake {
    let Mistakes(mut mistakes) = result.unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.remove(0)
}

#[test]
fn the_defaults_stand_by_themselves() {
    let settings = load(None, &[]).unwrap();
    assert_eq!(settings.database.url.expose_secret(), "sqlite:gleaner.db");
    assert_eq!(settings.worker.slots, 32);
}

#[test]
fn the_file_goes_over_the_defaults_and_the_environment_over_both() {
    let file = file("[worker]\nslots = 8\nattempts = 3\n");
    let environment = variables(&[("GLEANER__WORKER__SLOTS", "4"), ("PATH", "/bin")]);
    let settings = load(Some(file.path()), &environment).unwrap();
    let worker = settings.worker;
    assert_eq!((worker.slots, worker.attempts, worker.deadline_s), (4, 3, 120));
}

#[test]
fn kept_names_set_their_keys_and_our_own_names_go_over_them() {
    let settings = from_environment(&[
        ("ANTHROPIC_API_KEY", "sk-1"),
        ("AI_RATE_LIMIT_PER_MINUTE", "7"),
        ("AI_CACHE_TTL_MS", "1000"),
        ("GLEANER__DATABASE__URL", "sqlite:own.db"),
        ("DATABASE_URL", "postgres://db/app"),
        ("AMQP_URL", ""),
    ])
    .unwrap();
    assert_eq!(settings.endpoints["anthropic"].api_key.expose_secret(), "sk-1");
    assert_eq!((settings.limits.event_per_window, settings.cache.ttl_ms), (7, 1000));
    assert_eq!(settings.database.url.expose_secret(), "sqlite:own.db");
    assert_eq!(settings.broker.url.expose_secret(), "");
}

#[test]
fn fallbacks_are_a_list_in_the_file_and_one_text_with_commas_in_the_environment() {
    let agents = "[agents.task_enricher]\nfallbacks = [\"openai:gpt-6-sol\", \"offline\"]\n";
    let listed = |settings: Settings| settings.agents["task_enricher"].fallbacks.clone();
    let expected = ["openai:gpt-6-sol", "offline"];
    assert_eq!(listed(from_file(agents).unwrap()), expected);
    let variable = "GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS";
    let text = "openai:gpt-6-sol, offline,";
    assert_eq!(listed(from_environment(&[(variable, text)]).unwrap()), expected);
    let shorter = variables(&[(variable, "openai:gpt-6-luna")]);
    let over = load(Some(file(agents).path()), &shorter).unwrap();
    assert_eq!(listed(over), ["openai:gpt-6-luna"]);
    let none = load(Some(file(agents).path()), &variables(&[(variable, "")])).unwrap();
    assert!(listed(none).is_empty());
}

#[test]
fn a_list_of_something_else_is_one_mistake_with_the_lists_key() {
    for wrong in ["[1, 2]", "\"offline\"", "{ first = \"offline\" }"] {
        let text = format!("[agents.task_enricher]\nfallbacks = {wrong}\n");
        let Mistakes(mistakes) = from_file(&text).unwrap_err();
        let keys: Vec<&str> = mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
        assert!(keys.iter().all(|key| *key == "agents.task_enricher.fallbacks"), "{keys:?}");
        assert!(mistakes[0].problem.ends_with("is not a list of texts"), "{mistakes:?}");
    }
}

#[test]
fn a_list_of_numbers_is_read_from_the_environment_too() {
    let variable = "GLEANER__ALERTS__BUDGET_PERCENT";
    let levels =
        |text: &str| from_environment(&[(variable, text)]).map(|it| it.alerts.budget_percent);
    assert_eq!(levels("60, 90,100,").unwrap(), [60, 90, 100]);
    assert!(levels("").unwrap().is_empty());
    let Mistakes(mistakes) = levels("60,most").unwrap_err();
    assert_eq!(mistakes[0].key, "alerts.budget_percent");
    assert!(mistakes[0].problem.ends_with("is not a list of whole numbers"), "{mistakes:?}");
}

#[test]
fn a_webhooks_url_and_secret_are_never_printed() {
    let place = [
        ("GLEANER__ALERTS__WEBHOOK__URL", "https://hooks.example.org/services/hunter2"),
        ("GLEANER__ALERTS__WEBHOOK__SECRET", "hunter2"),
    ];
    let settings = from_environment(&place).unwrap();
    assert!(!masked(&settings).contains("hunter2") && !format!("{settings:?}").contains("hunter2"));
    let wrong = from_environment(&[("GLEANER__ALERTS__WEBHOOK__URL", "hooks.example.org/hunter2")]);
    assert!(!only_mistake(wrong).to_string().contains("hunter2"));
}

#[test]
fn an_endpoint_needs_no_number_in_flight_but_never_none() {
    let endpoint = "[endpoints.local]\nprotocol = \"openai\"\nbase_url = \"http://127.0.0.1:1\"\n\
                    api_key = \"\"\nconnect_timeout_s = 1\ncall_timeout_s = 1\n";
    let settings = from_file(endpoint).unwrap();
    assert_eq!(settings.endpoints["local"].concurrency, 64);
    let none = only_mistake(from_file(&format!("{endpoint}concurrency = 0\n")));
    assert_eq!(none.key, "endpoints.local.concurrency");
}

#[test]
fn endpoints_and_agents_can_be_set_from_the_environment() {
    let settings = from_environment(&[
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", "http://127.0.0.1:9"),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "park"),
        ("GLEANER__BUDGETS__EVENT__USD", "2"),
        ("GLEANER__DATABASE__MIGRATE_AT_START", "false"),
    ])
    .unwrap();
    assert_eq!(settings.endpoints["anthropic"].base_url, "http://127.0.0.1:9");
    assert_eq!(settings.agents["task_enricher"].on_unavailable, OnUnavailable::Park);
    assert!(settings.budgets.event.usd == 2.0 && !settings.database.migrate_at_start);
}

#[test]
fn any_secret_can_be_read_from_a_file() {
    let secret = file("amqp://u:p@mq/v\n");
    let path = secret.path().to_str().unwrap();
    let key = file("  sk-2\n");
    let settings = from_environment(&[
        ("GLEANER__BROKER__URL_FILE", path),
        ("ANTHROPIC_API_KEY_FILE", key.path().to_str().unwrap()),
    ])
    .unwrap();
    assert_eq!(settings.broker.url.expose_secret(), "amqp://u:p@mq/v");
    assert_eq!(settings.endpoints["anthropic"].api_key.expose_secret(), "sk-2");
}

#[test]
fn a_secret_file_that_cannot_be_read_is_named_with_its_key() {
    let mistake = only_mistake(from_environment(&[("DATABASE_URL_FILE", "/no/such/file")]));
    assert_eq!(mistake.key, "database.url");
    assert!(mistake.layer.contains("DATABASE_URL_FILE"));
    assert!(mistake.problem.contains("/no/such/file"));
}

#[test]
fn a_secret_given_twice_is_refused() {
    let mistake =
        only_mistake(from_environment(&[("AMQP_URL", "amqp://mq"), ("AMQP_URL_FILE", "/f")]));
    assert!(mistake.problem.contains("AMQP_URL"), "{mistake}");
}

#[test]
fn what_is_no_secret_cannot_be_named_by_a_file() {
    let mistake = only_mistake(from_environment(&[("GLEANER__WORKER__SLOTS_FILE", "/f")]));
    assert_eq!(mistake.key, "worker.slots_file");
}

#[test]
fn so_many_slots_that_their_prefetch_leaves_its_sixteen_bits_are_a_mistake() {
    assert!(from_file("[worker]\nslots = 10000\n").is_ok());
    for too_many in ["10001", "60000", "70000"] {
        let mistake = only_mistake(from_file(&format!("[worker]\nslots = {too_many}\n")));
        assert_eq!(mistake.key, "worker.slots");
    }
}

#[test]
fn a_file_with_three_mistakes_reports_all_three() {
    let mistakes = from_file(
        "[worker]\nslots = 0\nlease = 5\n[http]\nbind = 8080\n[detect]\nthreshold = 0.5\n",
    )
    .unwrap_err();
    let mut named = keys(&mistakes);
    named.sort_unstable();
    assert_eq!(named, ["http.bind", "worker.lease", "worker.slots"]);
    assert!(mistakes.0.iter().all(|mistake| mistake.layer.ends_with(".toml")), "{mistakes}");
    assert!(mistakes.to_string().contains("3 mistakes"));
}

#[test]
fn mistakes_of_file_and_environment_are_reported_together() {
    let file = file("[cache]\nentries = \"many\"\n");
    let environment =
        variables(&[("GLEANER__WORKER__SLOTS", "70000"), ("GLEANER__WROKER__SLOTS", "1")]);
    let mistakes = load(Some(file.path()), &environment).unwrap_err();
    let mut named = keys(&mistakes);
    named.sort_unstable();
    assert_eq!(named, ["cache.entries", "worker.slots", "wroker.slots"]);
    assert!(mistakes.to_string().contains("from 0 to 65535"), "{mistakes}");
    assert!(mistakes.to_string().contains("environment variable GLEANER__WROKER__SLOTS"));
}

#[test]
fn a_broken_file_names_line_and_column_but_shows_no_line() {
    let text = "[broker]\nurl = \"amqp://u:hunter2@mq\nprefix = \"x\"\n";
    let mistake = only_mistake(from_file(text));
    assert!(mistake.problem.starts_with("line 2, column "), "{mistake}");
    assert!(!mistake.to_string().contains("hunter2"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let mistake = only_mistake(load(Some(Path::new("/no/such.toml")), &[]));
    assert_eq!(mistake.layer, "/no/such.toml");
}

#[test]
fn a_choice_names_what_there_is_to_choose() {
    let mistake = only_mistake(from_file("[broker]\ntopology = \"create\"\n"));
    assert!(mistake.problem.contains("declare, check, off"), "{mistake}");
}

#[test]
fn a_secret_of_the_wrong_kind_is_not_shown() {
    for text in ["[http]\ntoken = 4242424242\n", "broker = \"4242424242\"\n"] {
        let mistakes = from_file(text).unwrap_err();
        assert!(!mistakes.to_string().contains("4242"), "{mistakes}");
    }
}

#[test]
fn an_endpoint_that_lacks_a_key_says_which() {
    let text = "[endpoints.local]\nprotocol = \"openai\"\nbase_url = \"http://127.0.0.1:1\"\n\
                api_key = \"\"\nconnect_timeout_s = 1\n[agents.task_enricher]\nendpoint = \"local\"\n";
    let mistake = only_mistake(from_file(text));
    assert_eq!(mistake.key, "endpoints.local.call_timeout_s");
    assert!(mistake.layer.ends_with(".toml"));
}

#[test]
fn an_agent_needs_a_name_and_an_endpoint_that_there_are() {
    let text = "[agents.task_enricher]\nendpoint = \"anthropc\"\n[agents.poet]\n\
                endpoint = \"openai\"\nmodel = \"m\"\nmax_tokens = 1\non_unavailable = \"park\"\n";
    let mistakes = from_file(text).unwrap_err();
    assert_eq!(keys(&mistakes), ["agents.poet", "agents.task_enricher.endpoint"]);
}

#[test]
fn names_that_no_variable_could_reach_are_refused() {
    let mistake = only_mistake(from_file("[endpoints.\"My.Own\"]\nprotocol = \"openai\"\n"));
    assert_eq!(mistake.key, "endpoints.My.Own");
}

#[test]
fn every_rule_is_held() {
    let broken = [
        ("database.url", "\"mysql://db/app\""),
        ("database.url", "\"postgres://u:p\""),
        ("database.schema", "\"Robert'); drop\""),
        ("database.connections", "0"),
        ("broker.url", "\"http://mq\""),
        ("broker.prefix", "\"\""),
        ("broker.prefix", "\"amq.x\""),
        ("http.bind", "\"localhost\""),
        ("http.token", "\"a b\""),
        ("worker.lease_s", "30"),
        ("worker.deadline_s", "0"),
        ("worker.deadline_s", "1800"),
        ("worker.attempts", "0"),
        ("worker.backoff_first_ms", "300001"),
        ("scheduler.tick_ms", "0"),
        ("detect.threshold", "1.5"),
        ("limits.window_s", "0"),
        ("budgets.event.usd", "-1.0"),
        ("budgets.total.usd", "inf"),
        ("budgets.event.over", "\"park\""),
        ("budgets.time_zone", "\"Moon/Base\""),
        ("budgets.in_flight_share", "0.0"),
        ("endpoints.openai.base_url", "\"ftp://x\""),
        ("endpoints.openai.base_url", "\"https://me:pw@x\""),
        ("agents.task_enricher.max_tokens", "0"),
        ("events.source", "\"\""),
        ("log.level", "\"gleaner=loud\""),
        ("worker.longest_wait_s", "9223372036854775807"),
    ];
    must_be_refused(&broken);
}

#[test]
fn every_rule_of_alerts_is_held() {
    must_be_refused(&[
        ("alerts.every_s", "100000000"),
        ("alerts.window_s", "0"),
        ("alerts.hysteresis", "1.0"),
        ("alerts.hysteresis", "nan"),
        ("alerts.cost_spike_factor", "0.5"),
        ("alerts.cost_spike_usd", "-1.0"),
        ("alerts.budget_percent", "[20]"),
        ("alerts.budget_percent", "[100, 1001]"),
        ("alerts.hit_rate_percent", "101.0"),
        ("alerts.error_percent", "-0.1"),
        ("alerts.webhook.url", "\"ftp://hooks\""),
        ("alerts.webhook.timeout_s", "0"),
    ]);
}

#[test]
fn every_rule_of_the_cache_is_held() {
    must_be_refused(&[
        ("cache.ttl_ms", "31622400001"),
        ("cache.entries", "0"),
        ("cache.bytes", "0"),
        ("cache.bytes", "4294967296"),
        ("cache.store_entries", "0"),
        ("cache.store_bytes", "0"),
    ]);
}

#[test]
fn every_rule_of_retention_is_held() {
    must_be_refused(&[
        ("retention.metrics_days", "30"),
        ("retention.hours_days", "31"),
        ("retention.ledger_days", "1"),
        ("retention.alerts_days", "36501"),
    ]);
}

/// Each of these values is a mistake of its key, and of no other.
fn must_be_refused(broken: &[(&str, &str)]) {
    for (key, value) in broken {
        let mistakes = from_file(&format!("{key} = {value}\n")).expect_err(key);
        assert_eq!(keys(&mistakes), [*key], "{key} = {value}: {mistakes}");
        assert!(mistakes.0[0].layer.ends_with(".toml"), "{mistakes}");
    }
}

#[test]
fn a_token_is_demanded_beyond_loopback() {
    let mistake = only_mistake(from_environment(&[("GLEANER__HTTP__BIND", "0.0.0.0:80")]));
    assert_eq!(mistake.key, "http.token");
    assert!(mistake.layer.contains("GLEANER__HTTP__BIND"));
    let open = [("GLEANER__HTTP__BIND", "0.0.0.0:80"), ("GLEANER__HTTP__TOKEN", "t0ken")];
    assert!(from_environment(&open).is_ok());
    assert!(from_environment(&[("GLEANER__HTTP__BIND", "[::1]:0")]).is_ok());
}

#[test]
fn nothing_secret_is_printed() {
    let settings = from_environment(&[
        ("DATABASE_URL", "postgres://gleaner:hunter2@db/app"),
        ("AMQP_URL", "amqp://gleaner:hunter2@mq/%2f"),
        ("GLEANER__HTTP__TOKEN", "hunter2"),
        ("ANTHROPIC_API_KEY", "hunter2"),
    ])
    .unwrap();
    let shown = masked(&settings);
    assert!(!shown.contains("hunter2") && !format!("{settings:?}").contains("hunter2"));
    assert!(shown.contains("postgres://gleaner:***@db/app"), "{shown}");
    assert!(shown.contains("amqp://gleaner:***@mq/%2f"));
    assert!(shown.contains("slots = 32") && shown.contains("[agents.task_enricher]"));
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let shown = masked(&load(None, &[]).unwrap());
    let again = from_file(&shown).unwrap();
    assert_eq!(masked(&again), shown);
}

#[test]
fn every_secret_field_is_marked_in_the_schema() {
    let tables = include_str!("../tables.rs");
    let secrets = tables.matches(": SecretString,").count();
    assert_eq!(tables.matches("extend(\"writeOnly\" = true)").count(), secrets);
    assert!(secrets >= 4);
}

#[test]
fn the_production_file_needs_only_its_secrets() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/production.toml");
    let environment = variables(&[
        ("DATABASE_URL", "postgres://gleaner:p@db/gleaner"),
        ("AMQP_URL", "amqp://gleaner:p@mq/%2f"),
        ("ANTHROPIC_API_KEY", "sk-3"),
        ("GLEANER__HTTP__TOKEN", "t0ken"),
    ]);
    let settings = load(Some(&path), &environment).unwrap();
    assert!(settings.agents.values().all(|agent| agent.on_unavailable == OnUnavailable::Park));
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.broker.topology, Topology::Declare);
    // Without its secrets it must not fall back to a SQLite file in silence.
    let mistakes = load(Some(&path), &[]).unwrap_err();
    assert_eq!(keys(&mistakes), ["database.url", "broker.url", "http.token"]);
}
