//! The tables of the settings file, one struct each; what they mean stands in `config/default.toml` too.
//!
//! Serialised, they are the effective settings with every secret masked: a secret
//! field does not compile without a mask. The schema marks secrets `writeOnly`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::mask;

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the truth is kept.
    pub database: DatabaseSettings,
    /// Where hints come from and completion events go.
    pub broker: BrokerSettings,
    /// The daemon's own port.
    pub http: HttpSettings,
    /// Slots, leases, attempts.
    pub worker: WorkerSettings,
    /// Hints and sweeps.
    pub scheduler: SchedulerSettings,
    /// Pattern detection.
    pub detect: DetectSettings,
    /// The answer cache.
    pub cache: CacheSettings,
    /// Rate limits.
    pub limits: LimitSettings,
    /// Budgets.
    pub budgets: BudgetSettings,
    /// What models cost.
    pub prices: PriceSettings,
    /// Endpoints of models, by name.
    pub endpoints: BTreeMap<String, EndpointSettings>,
    /// Which model each agent asks, by agent.
    pub agents: BTreeMap<String, AgentSettings>,
    /// Suggestion runs.
    pub suggestions: SuggestionSettings,
    /// Completion events.
    pub events: EventSettings,
    /// How long rows are kept.
    pub retention: RetentionSettings,
    /// When somebody is told that something is wrong.
    pub alerts: AlertSettings,
    /// Logs.
    pub log: LogSettings,
}

/// `[database]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSettings {
    /// `sqlite:PATH` or `postgres://…`; also `DATABASE_URL`. May hold a password.
    #[schemars(with = "String", extend("writeOnly" = true))]
    #[serde(serialize_with = "mask::url")]
    pub url: SecretString,
    /// PostgreSQL: the schema that holds everything.
    pub schema: String,
    /// PostgreSQL: connections of the pool; SQLite: readers.
    pub connections: u32,
    /// How long a statement waits for a free connection.
    pub acquire_timeout_s: u64,
    /// Whether the daemon migrates at start; otherwise `gleaner migrate` must have run.
    pub migrate_at_start: bool,
}

/// What Gleaner does about exchanges and queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Declares them.
    Declare,
    /// Checks that they are there, and stops when they are not.
    Check,
    /// Leaves them alone.
    Off,
}

/// `[broker]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// `amqp://…` or `amqps://…`; also `AMQP_URL`. Empty: the embedded queue. May hold a password.
    #[schemars(with = "String", extend("writeOnly" = true))]
    #[serde(serialize_with = "mask::url")]
    pub url: SecretString,
    /// The beginning of every exchange's and queue's name.
    pub prefix: String,
    /// What to do about exchanges and queues at start.
    pub topology: Topology,
    /// The work queue's delivery limit: a crash net only, attempts are counted in the row.
    pub delivery_limit: u32,
    /// How long a publish waits for its confirm.
    pub confirm_timeout_s: u64,
    /// The longest pause between two attempts to connect.
    pub reconnect_longest_s: u64,
}

/// `[http]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Address and port; port 0 takes a free one.
    pub bind: String,
    /// The bearer token that is demanded beyond loopback. Empty: none is set.
    #[schemars(with = "String", extend("writeOnly" = true))]
    #[serde(serialize_with = "mask::secret")]
    pub token: SecretString,
}

/// `[worker]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerSettings {
    /// Messages that are worked on at the same time.
    pub slots: u16,
    /// How long a claim's lease lasts.
    pub lease_s: u64,
    /// How often held leases are renewed.
    pub renew_every_s: u64,
    /// From claim to record at most.
    pub deadline_s: u64,
    /// Attempts before an item fails.
    pub attempts: u32,
    /// The first pause after a passing fault.
    pub backoff_first_ms: u64,
    /// The longest pause after a passing fault.
    pub backoff_longest_s: u64,
    /// How long after its first claim an item may still be parked.
    pub longest_wait_s: u64,
    /// How long a message may be missing before its item fails.
    pub missing_grace_s: u64,
    /// How long a drain waits for what runs.
    pub drain_grace_s: u64,
}

/// `[scheduler]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchedulerSettings {
    /// How often due rows are looked for.
    pub tick_ms: u64,
    /// How many rows a tick takes at most.
    pub window: u32,
    /// How long a hint may take before a second one is published; doubles from there.
    pub hint_after_s: u64,
}

/// `[detect]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectSettings {
    /// The confidence below which a detection is doubtful. The best guess stands, and says so.
    pub threshold: f32,
    /// Rules instead of the bundled ones, in the form of `config/intents.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<PathBuf>,
    /// Weights instead of the bundled ones, as `gleaner train` writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

/// `[cache]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// How long an answer stays; also `AI_CACHE_TTL_MS`.
    pub ttl_ms: u64,
    /// Entries in this process's memory at most.
    pub entries: u64,
    /// Bytes of answers in this process's memory at most, keys included; up to 4 GiB.
    pub bytes: u64,
    /// Entries in the store at most.
    pub store_entries: u64,
    /// Bytes of answers in the store at most.
    pub store_bytes: u64,
    /// Whether every question goes to its model, whatever the cache holds; answers are still kept.
    pub bypass: bool,
}

/// `[limits]`; 0 lifts a limit.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Model requests of one event per window; also `AI_RATE_LIMIT_PER_MINUTE`.
    pub event_per_window: u32,
    /// Model requests for one sender per window.
    pub sender_per_window: u32,
    /// The window.
    pub window_s: u64,
    /// How long a permit may wait before it is sent.
    pub send_within_ms: u64,
}

/// Whether a budget can be passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetKind {
    /// Never: a request is allowed at the most that it can cost.
    Hard,
    /// By what is in flight when it is spent: a request is allowed at what it will likely cost.
    Soft,
}

/// What becomes of a request that a spent budget has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverBudget {
    /// Its message waits for the next window; only where there is one.
    Park,
    /// It is asked for less: a lower context level, a cheaper model, at last the offline one.
    Degrade,
    /// Its message fails as `over_budget`.
    Refuse,
}

/// A budget: `[budgets.event]`, `[budgets.tenant]`, `[budgets.day]`, `[budgets.month]`, `[budgets.total]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneBudgetSettings {
    /// The most that it may come to, in US dollars; 0 lifts it. `gleaner budget set` goes before it.
    pub usd: f64,
    /// Whether it can be passed.
    pub kind: BudgetKind,
    /// What becomes of a request when it is spent.
    pub over: OverBudget,
}

/// `[budgets]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetSettings {
    /// The IANA time zone in which days and months begin.
    pub time_zone: String,
    /// Of what is left of a hard budget, the share that requests in flight may hold together, at
    /// the most that each can cost: what a crash leaves in doubt is never more. One request always may.
    pub in_flight_share: f64,
    /// Who is asked when a budget has no room for an agent's own model, in this order:
    /// `ENDPOINT:MODEL`; after them the offline model.
    pub degrade_to: Vec<String>,
    /// What one event may cost in its life.
    pub event: OneBudgetSettings,
    /// What each tenant may cost in a calendar month.
    pub tenant: OneBudgetSettings,
    /// What this deployment may cost on a calendar day.
    pub day: OneBudgetSettings,
    /// What this deployment may cost in a calendar month.
    pub month: OneBudgetSettings,
    /// What this deployment may cost in all; `demo` sets it.
    pub total: OneBudgetSettings,
}

/// What becomes of a question whose model has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unpriced {
    /// It is not asked: the message fails as `unpriced`.
    Block,
    /// It is asked, and counted at the dearest price that is known until a person resolves it.
    Alert,
}

/// `[prices]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceSettings {
    /// A table in the form of `config/models.toml`; its models stand before the bundled ones. Empty: none.
    pub file: String,
    /// What becomes of a question whose model has no price.
    pub unpriced: Unpriced,
}

/// Which protocol an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's chat completions, as many servers speak it.
    Openai,
    /// No network: answers from the knowledge base and arithmetic.
    Offline,
}

/// `[endpoints.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it is, without the path.
    pub base_url: String,
    /// Its key; for `anthropic` also `ANTHROPIC_API_KEY`. Empty: none is sent.
    #[schemars(with = "String", extend("writeOnly" = true))]
    #[serde(serialize_with = "mask::secret")]
    pub api_key: SecretString,
    /// How long a connection may take to be made.
    pub connect_timeout_s: u64,
    /// How long a whole call may take.
    pub call_timeout_s: u64,
    /// The most requests in flight to one model, however well it answers.
    #[serde(default = "default_concurrency")]
    pub concurrency: u32,
    /// For an endpoint that reports its tokens as one total and no classes: the name of a price for
    /// all of them, `[[total]]` in the price table. Empty: such a response has no price.
    #[serde(default)]
    pub total_price: String,
}

fn default_concurrency() -> u32 {
    64
}

/// What an agent does when its model is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnavailable {
    /// Its fallbacks are asked; then the message waits.
    Park,
    /// Its fallbacks are asked, the offline model last, and the answer says who gave it.
    Fallback,
}

/// `[agents.NAME]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// The endpoint's name.
    pub endpoint: String,
    /// The model's name there; in the price book, but for `offline`.
    pub model: String,
    /// The most output tokens that are paid for.
    pub max_tokens: u32,
    /// What to do when the model is unavailable.
    pub on_unavailable: OnUnavailable,
    /// Who is asked instead, in this order: `ENDPOINT:MODEL`, or `offline` as the last one.
    #[serde(default)]
    pub fallbacks: Vec<String>,
}

/// `[suggestions]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestionSettings {
    /// The least time between two suggestion runs of an event; 0: there are none.
    pub every_s: u64,
    /// How long an event must not have changed before its run, which waits for that no longer
    /// than for the longer of the two.
    pub quiet_s: u64,
}

/// What becomes of a completion event that no queue is bound for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unrouted {
    /// It counts as published to nobody.
    Accept,
    /// It is tried again until a queue takes it.
    Hold,
}

/// `[events]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSettings {
    /// The CloudEvents `source`, a URI reference.
    pub source: String,
    /// What becomes of events that no queue is bound for.
    pub unrouted: Unrouted,
}

/// `[retention]`; 0 keeps for ever.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionSettings {
    /// Days for which metric rows and minutes' sums are kept; 31 at least, as the month needs them.
    pub metrics_days: u32,
    /// Days for which hours' sums are kept.
    pub hours_days: u32,
    /// Days for which closed ledger rows are kept; then only their sums are, one row a budget.
    pub ledger_days: u32,
    /// Days for which resolved alerts are kept.
    pub alerts_days: u32,
}

/// `[alerts]`; a threshold of 0 turns its rule off.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertSettings {
    /// How often one of the replicas looks; 0: there are no alerts.
    pub every_s: u64,
    /// The stretch of time that latency, hit rate, error rate and failures are judged over.
    pub window_s: u64,
    /// Answered messages that a window must have before its rates are judged.
    pub least_items: u64,
    /// How far back below its threshold a value must come before an alert is resolved, as a share
    /// of the threshold.
    pub hysteresis: f64,
    /// The last hour's cost as a multiple of the median of the same hours of the seven days before.
    pub cost_spike_factor: f64,
    /// The least that the last hour must have cost to be a spike, in US dollars.
    pub cost_spike_usd: f64,
    /// How much of a budget is spent, in percent; one alert each.
    pub budget_percent: Vec<u32>,
    /// The latency that 95 of 100 answers stay below, in milliseconds.
    pub p95_ms: u64,
    /// Answers from the cache, in percent: an alert when it is below.
    pub hit_rate_percent: f64,
    /// Failed messages, in percent of failed and answered ones.
    pub error_percent: f64,
    /// Failed messages in a window.
    pub failed_items: u64,
    /// What may have been billed and nobody knows, in US dollars.
    pub ambiguous_usd: f64,
    /// Answers without a price that nobody resolved.
    pub unpriced_rows: u64,
    /// For how long a provider asks for a pause.
    pub provider_paused_s: u64,
    /// For how long nothing was written to ledger and metrics while messages wait.
    pub no_accounting_s: u64,
    /// For how long the longest due message has been due.
    pub oldest_due_s: u64,
    /// Whom to tell.
    pub webhook: WebhookSettings,
}

/// `[alerts.webhook]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where Slack-compatible JSON is posted; it may hold a secret. Empty: nowhere.
    #[schemars(with = "String", extend("writeOnly" = true))]
    #[serde(serialize_with = "mask::secret")]
    pub url: SecretString,
    /// What posts are signed with (HMAC-SHA-256). Empty: they are not.
    #[schemars(with = "String", extend("writeOnly" = true))]
    #[serde(serialize_with = "mask::secret")]
    pub secret: SecretString,
    /// How long a post may take.
    pub timeout_s: u64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Which lines: `info`, or `tracing` directives such as `gleaner=debug,warn`.
    pub level: String,
    /// How they look.
    pub format: LogFormat,
}
