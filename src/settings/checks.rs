//! What the schema cannot say: meanings, and how settings fit together.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};

use super::{
    AgentSettings, AlertSettings, BrokerSettings, BudgetSettings, CacheSettings, DatabaseSettings,
    EndpointSettings, OverBudget, Protocol, RetentionSettings, Settings, WorkerSettings,
};

/// Longest of all times: a year. What is longer is a mistyped unit.
const LONGEST_S: u64 = 366 * 24 * 3600;

/// A rule that is broken.
#[derive(Debug)]
pub(super) struct Broken {
    /// The key to change.
    pub key: String,
    /// The other keys that the rule reads.
    pub with: Vec<String>,
    /// What is wrong, as the rest of a sentence that begins with the key.
    pub problem: String,
}

/// Collects broken rules.
#[derive(Default)]
struct Rules(Vec<Broken>);

impl Rules {
    fn hold(&mut self, key: &str, holds: bool, problem: &str) {
        self.hold_with(key, &[], holds, problem);
    }

    fn hold_with(&mut self, key: &str, with: &[&str], holds: bool, problem: &str) {
        if !holds {
            let with = with.iter().map(|key| (*key).to_owned()).collect();
            self.0.push(Broken { key: key.into(), with, problem: problem.into() });
        }
    }

    fn at_least_one(&mut self, key: &str, value: u64) {
        self.hold(key, value >= 1, "must be at least 1");
    }

    /// A time that must pass, and ends within a year.
    fn seconds(&mut self, key: &str, value: u64) {
        let problem = format!("must be from 1 to {LONGEST_S} seconds");
        self.hold(key, (1..=LONGEST_S).contains(&value), &problem);
    }

    /// A time that may be nothing, and ends within a year.
    fn pause_seconds(&mut self, key: &str, value: u64) {
        self.hold(key, value <= LONGEST_S, &format!("must be at most {LONGEST_S} seconds"));
    }

    fn pause_millis(&mut self, key: &str, value: u64) {
        let most = LONGEST_S * 1000;
        self.hold(key, value <= most, &format!("must be at most {most} milliseconds"));
    }
}

/// All rules that are broken. `known_agents` are those that the defaults name.
pub(super) fn broken(settings: &Settings, known_agents: &[String]) -> Vec<Broken> {
    let mut rules = Rules::default();
    database(&mut rules, &settings.database);
    broker(&mut rules, &settings.broker);
    http(&mut rules, &settings.http.bind, &settings.http.token);
    worker(&mut rules, &settings.worker);
    numbers(&mut rules, settings);
    budgets(&mut rules, &settings.budgets);
    retention(&mut rules, &settings.retention);
    for (name, endpoint) in &settings.endpoints {
        one_endpoint(&mut rules, &format!("endpoints.{name}"), endpoint);
    }
    for (name, agent) in &settings.agents {
        one_agent(&mut rules, name, agent, settings, known_agents);
    }
    alerts(&mut rules, &settings.alerts);
    events_and_log(&mut rules, settings);
    rules.0
}

fn database(rules: &mut Rules, database: &DatabaseSettings) {
    let url = database.url.expose_secret();
    let file = url.strip_prefix("sqlite:").is_some_and(|path| !path.trim_matches('/').is_empty());
    let server = ["postgres", "postgresql"].iter().any(|scheme| has_host(url, scheme));
    let expected = "must be sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE";
    rules.hold("database.url", file || server, expected);
    let schema = &database.schema;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let identifier = schema.len() <= 63
        && schema.chars().all(letters)
        && schema.starts_with(|c: char| !c.is_ascii_digit())
        && !schema.starts_with("pg_");
    let expected = "must be an identifier: lower-case letters, digits and underscores, not a digit \
                    or pg_ first, at most 63";
    rules.hold("database.schema", identifier, expected);
    rules.at_least_one("database.connections", database.connections.into());
    rules.seconds("database.acquire_timeout_s", database.acquire_timeout_s);
}

fn broker(rules: &mut Rules, broker: &BrokerSettings) {
    let url = broker.url.expose_secret();
    let fits = url.is_empty() || ["amqp", "amqps"].iter().any(|scheme| has_host(url, scheme));
    let expected =
        "must be amqp://USER:PASSWORD@HOST/VHOST or amqps://…, or empty for the embedded queue";
    rules.hold("broker.url", fits, expected);
    let prefix = &broker.prefix;
    let letters = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let safe = (1..=64).contains(&prefix.len())
        && prefix.chars().all(letters)
        && prefix.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !prefix.starts_with("amq.");
    let expected = "must be 1 to 64 letters, digits, dots, dashes and underscores, a letter or \
                    digit first, and not begin with amq., which RabbitMQ keeps for itself";
    rules.hold("broker.prefix", safe, expected);
    rules.at_least_one("broker.delivery_limit", broker.delivery_limit.into());
    rules.seconds("broker.confirm_timeout_s", broker.confirm_timeout_s);
    rules.seconds("broker.reconnect_longest_s", broker.reconnect_longest_s);
}

/// Whether a URL has the scheme, a host, and a port that is one.
fn has_host(url: &str, scheme: &str) -> bool {
    let rest = url.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
    let Some(rest) = rest else { return false };
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let authority = place.split(['/', '?', '#']).next().unwrap_or_default();
    if url.contains(char::is_whitespace) {
        return false;
    }
    // The colons of an IPv6 address stand in brackets.
    let after = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    match after.rsplit_once(':') {
        Some((_, port)) => authority.len() > port.len() + 1 && port.parse::<u16>().is_ok(),
        None => !authority.is_empty(),
    }
}

fn http(rules: &mut Rules, bind: &str, token: &SecretString) {
    let token = token.expose_secret();
    let address = bind.parse::<SocketAddr>();
    let expected = "must be an IP address with a port, such as 127.0.0.1:8080";
    rules.hold("http.bind", address.is_ok(), expected);
    let open = address.is_ok_and(|address| !address.ip().is_loopback());
    let wanted = "must be set, as http.bind is open beyond this machine";
    rules.hold_with("http.token", &["http.bind"], !(open && token.is_empty()), wanted);
    let visible = token.bytes().all(|b| b.is_ascii_graphic());
    rules.hold("http.token", visible, "must be visible ASCII characters, as it goes into a header");
}

fn worker(rules: &mut Rules, worker: &WorkerSettings) {
    rules.at_least_one("worker.slots", worker.slots.into());
    // The prefetch is 1.25 times the slots, and AMQP counts it in 16 bits.
    let most = "must be at most 10000, as the prefetch grows with it";
    rules.hold("worker.slots", worker.slots <= 10_000, most);
    rules.at_least_one("worker.attempts", worker.attempts.into());
    rules.seconds("worker.lease_s", worker.lease_s);
    rules.seconds("worker.renew_every_s", worker.renew_every_s);
    rules.hold_with(
        "worker.lease_s",
        &["worker.renew_every_s"],
        worker.lease_s > worker.renew_every_s.saturating_mul(2),
        "must be more than twice worker.renew_every_s, so that one missed renewal loses nothing",
    );
    rules.seconds("worker.deadline_s", worker.deadline_s);
    // RabbitMQ takes a delivery back after 30 minutes.
    let most =
        "must be at most 1500, as RabbitMQ takes back what is not acknowledged in 30 minutes";
    rules.hold("worker.deadline_s", worker.deadline_s <= 1_500, most);
    rules.seconds("worker.backoff_longest_s", worker.backoff_longest_s);
    rules.hold_with(
        "worker.backoff_first_ms",
        &["worker.backoff_longest_s"],
        worker.backoff_first_ms <= worker.backoff_longest_s.saturating_mul(1000),
        "must not be longer than worker.backoff_longest_s",
    );
    rules.seconds("worker.longest_wait_s", worker.longest_wait_s);
    rules.pause_seconds("worker.missing_grace_s", worker.missing_grace_s);
    rules.pause_seconds("worker.drain_grace_s", worker.drain_grace_s);
}

/// The smaller tables.
fn numbers(rules: &mut Rules, settings: &Settings) {
    let Settings { scheduler, detect, cache, limits, suggestions, .. } = settings;
    rules.at_least_one("scheduler.tick_ms", scheduler.tick_ms);
    rules.pause_millis("scheduler.tick_ms", scheduler.tick_ms);
    rules.at_least_one("scheduler.window", scheduler.window.into());
    rules.seconds("scheduler.hint_after_s", scheduler.hint_after_s);
    let threshold = (0.0..=1.0).contains(&detect.threshold);
    rules.hold("detect.threshold", threshold, "must be from 0 to 1");
    one_cache(rules, cache);
    rules.seconds("limits.window_s", limits.window_s);
    rules.pause_millis("limits.send_within_ms", limits.send_within_ms);
    rules.pause_seconds("suggestions.every_s", suggestions.every_s);
    rules.pause_seconds("suggestions.quiet_s", suggestions.quiet_s);
}

fn retention(rules: &mut Rules, retention: &RetentionSettings) {
    let RetentionSettings { metrics_days, hours_days, ledger_days, alerts_days } = *retention;
    let problem = "must be at least 31, as a month is reported, or 0 to keep for ever";
    let named = [
        ("metrics_days", metrics_days, 31),
        ("hours_days", hours_days, 31),
        ("ledger_days", ledger_days, 31),
        ("alerts_days", alerts_days, 1),
    ];
    for (name, days, least) in named {
        let key = format!("retention.{name}");
        rules.hold(&key, days == 0 || least == 1 || days >= least, problem);
        rules.hold(&key, days <= 36_500, "must be at most 36500 days");
    }
    let longer = hours_days == 0 || (metrics_days > 0 && hours_days >= metrics_days);
    let problem = "must be no less than retention.metrics_days, as hours are made of those rows";
    rules.hold_with("retention.hours_days", &["retention.metrics_days"], longer, problem);
}

fn one_cache(rules: &mut Rules, cache: &CacheSettings) {
    rules.pause_millis("cache.ttl_ms", cache.ttl_ms);
    // Whoever wants no cache says `bypass`; a bound of nothing is a slip.
    rules.at_least_one("cache.entries", cache.entries);
    let weighable = (1..=u64::from(u32::MAX)).contains(&cache.bytes);
    rules.hold("cache.bytes", weighable, "must be from 1 to 4294967295, which is 4 GiB");
    rules.at_least_one("cache.store_entries", cache.store_entries);
    rules.at_least_one("cache.store_bytes", cache.store_bytes);
}

fn budgets(rules: &mut Rules, budgets: &BudgetSettings) {
    let zone = jiff::tz::TimeZone::get(&budgets.time_zone).is_ok();
    rules.hold("budgets.time_zone", zone, "must be an IANA time zone, such as Europe/London");
    let share = budgets.in_flight_share > 0.0 && budgets.in_flight_share <= 1.0;
    rules.hold("budgets.in_flight_share", share, "must be more than 0 and at most 1");
    let BudgetSettings { event, tenant, day, month, total, .. } = budgets;
    let named =
        [("event", event), ("tenant", tenant), ("day", day), ("month", month), ("total", total)];
    for (name, budget) in named {
        // Beyond this, nano-dollars leave 64 bits.
        let fits = (0.0..=9e9).contains(&budget.usd);
        let expected = "must be an amount of US dollars, 0 to lift the budget";
        rules.hold(&format!("budgets.{name}.usd"), fits, expected);
        let lasts = matches!(name, "event" | "total") && budget.over == OverBudget::Park;
        let endless = "must be degrade or refuse: this budget has no next window to wait for";
        rules.hold(&format!("budgets.{name}.over"), !lasts, endless);
    }
}

fn one_endpoint(rules: &mut Rules, key: &str, endpoint: &EndpointSettings) {
    let url = &endpoint.base_url;
    let http = ["http", "https"].iter().any(|scheme| has_host(url, scheme));
    let needs_none = endpoint.protocol == Protocol::Offline && url.is_empty();
    let under = |name: &str| format!("{key}.{name}");
    rules.hold(&under("base_url"), http || needs_none, "must be an http:// or https:// address");
    let bare = "must hold no user or password: the key belongs into api_key";
    rules.hold(&under("base_url"), !url.contains('@'), bare);
    let visible = endpoint.api_key.expose_secret().bytes().all(|b| b.is_ascii_graphic());
    let expected = "must be visible ASCII characters, as it goes into a header";
    rules.hold(&under("api_key"), visible, expected);
    rules.seconds(&under("connect_timeout_s"), endpoint.connect_timeout_s);
    rules.seconds(&under("call_timeout_s"), endpoint.call_timeout_s);
    rules.at_least_one(&under("concurrency"), endpoint.concurrency.into());
}

fn one_agent(
    rules: &mut Rules,
    name: &str,
    agent: &AgentSettings,
    settings: &Settings,
    known_agents: &[String],
) {
    let key = format!("agents.{name}");
    let known = known_agents.iter().any(|known| known == name);
    let there_are = format!("is not an agent; there are {}", known_agents.join(", "));
    rules.hold(&key, known, &there_are);
    let endpoint = &agent.endpoint;
    let there = settings.endpoints.contains_key(endpoint);
    let names: Vec<&str> = settings.endpoints.keys().map(String::as_str).collect();
    let problem = format!("= {endpoint:?} is not an endpoint; there are {}", names.join(", "));
    let described = format!("endpoints.{endpoint}");
    rules.hold_with(&format!("{key}.endpoint"), &[described.as_str()], there, &problem);
    rules.hold(&format!("{key}.model"), !agent.model.trim().is_empty(), "must name a model");
    rules.at_least_one(&format!("{key}.max_tokens"), agent.max_tokens.into());
}

fn alerts(rules: &mut Rules, alerts: &AlertSettings) {
    rules.pause_seconds("alerts.every_s", alerts.every_s);
    rules.seconds("alerts.window_s", alerts.window_s);
    let hysteresis = (0.0..=0.9).contains(&alerts.hysteresis);
    rules.hold("alerts.hysteresis", hysteresis, "must be from 0 to 0.9");
    let factor = alerts.cost_spike_factor;
    let multiple = factor == 0.0 || (1.0..=1e6).contains(&factor);
    rules.hold("alerts.cost_spike_factor", multiple, "must be 1 or more, 0 to turn the rule off");
    let dollars =
        [("cost_spike_usd", alerts.cost_spike_usd), ("ambiguous_usd", alerts.ambiguous_usd)];
    for (name, usd) in dollars {
        // Beyond this, nano-dollars leave 64 bits.
        let fits = (0.0..=9e9).contains(&usd);
        rules.hold(&format!("alerts.{name}"), fits, "must be an amount of US dollars");
    }
    let percents =
        [("hit_rate_percent", alerts.hit_rate_percent), ("error_percent", alerts.error_percent)];
    for (name, percent) in percents {
        let fits = (0.0..=100.0).contains(&percent);
        rules.hold(&format!("alerts.{name}"), fits, "must be from 0 to 100, 0 to turn it off");
    }
    let levels = &alerts.budget_percent;
    let fit = levels.len() <= 10 && levels.iter().all(|percent| (50..=1000).contains(percent));
    let expected = "must be at most ten percentages from 50 to 1000: a budget is looked at once \
                    half of it is spent, and a soft one can be passed";
    rules.hold("alerts.budget_percent", fit, expected);
    rules.pause_millis("alerts.p95_ms", alerts.p95_ms);
    rules.pause_seconds("alerts.provider_paused_s", alerts.provider_paused_s);
    rules.pause_seconds("alerts.no_accounting_s", alerts.no_accounting_s);
    rules.pause_seconds("alerts.oldest_due_s", alerts.oldest_due_s);
    let url = alerts.webhook.url.expose_secret();
    let fits = url.is_empty() || ["http", "https"].iter().any(|scheme| has_host(url, scheme));
    let expected = "must be an http:// or https:// address, or empty for none";
    rules.hold("alerts.webhook.url", fits, expected);
    let timeout = (1..=300).contains(&alerts.webhook.timeout_s);
    rules.hold("alerts.webhook.timeout_s", timeout, "must be from 1 to 300 seconds");
}

fn events_and_log(rules: &mut Rules, settings: &Settings) {
    let source = &settings.events.source;
    let reference = !source.is_empty() && source.bytes().all(|b| b.is_ascii_graphic());
    rules.hold("events.source", reference, "must be a URI reference, such as /gleaner");
    let directives = tracing_subscriber::EnvFilter::try_new(&settings.log.level);
    let expected = "must be a level, such as info, or directives, such as gleaner=debug,warn";
    rules.hold("log.level", directives.is_ok(), expected);
}
