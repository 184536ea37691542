//! Settings with mistakes, and `gleaner check`.

use crate::support::daemon::gleaner;
use crate::support::world::{World, wedding};

#[test]
fn three_mistakes_are_all_named_before_a_port_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    std::fs::write(
        &file,
        "[worker]\nslots = \"many\"\nslotz = 3\n[broker]\ntopology = \"perhaps\"\n",
    )
    .unwrap();
    let ended = gleaner().args(["run", "--config"]).arg(&file).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let said = String::from_utf8(ended.stderr).unwrap();
    for key in ["worker.slots", "worker.slotz", "broker.topology"] {
        assert!(said.contains(key), "{key} is not named in:\n{said}");
    }
    assert!(!said.contains("listening"), "a port was bound:\n{said}");
}

#[test]
fn files_of_rules_or_weights_that_do_not_load_are_named_before_a_port_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.file");
    std::fs::write(&bad, "nonsense").unwrap();
    let files = [
        ("rules", "/nowhere.toml"),
        ("rules", bad.to_str().unwrap()),
        ("weights", bad.to_str().unwrap()),
    ];
    for (name, file) in files {
        let key = format!("GLEANER__DETECT__{}", name.to_uppercase());
        let ended = gleaner()
            .arg("run")
            .env(key, file)
            .env("GLEANER__PRICES__FILE", "/no-prices.toml")
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        for part in [&format!("detect.{name} does not load: "), file, "prices.file"] {
            assert!(said.contains(part), "{part} is not named in:\n{said}");
        }
        assert!(!said.contains("listening"), "a port was bound:\n{said}");
    }
}

#[test]
fn check_prints_the_settings_without_secrets_and_tries_each_connection() {
    let folder = tempfile::tempdir().unwrap();
    let ended = gleaner()
        .arg("check")
        .current_dir(folder.path())
        .env("ANTHROPIC_API_KEY", "sk-very-secret")
        .env("AMQP_URL", "amqp://user:hunter2@127.0.0.1:1/%2f")
        .output()
        .unwrap();
    let (said, errors) =
        (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(
        ended.status.code(),
        Some(1),
        "a broker that is not there fails the check: {said}{errors}"
    );
    for secret in ["sk-very-secret", "hunter2"] {
        assert!(
            !said.contains(secret) && !errors.contains(secret),
            "{secret} was printed:\n{said}{errors}"
        );
    }
    assert!(said.contains("FAILED  broker"), "{said}");
    assert!(said.contains("slots = 32"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_passes_where_database_broker_and_model_are_there() {
    let world = World::new("check").await;
    let environment = world.environment(&[]);
    let run =
        tokio::task::spawn_blocking(|| gleaner().arg("check").envs(environment).output().unwrap());
    let ended = run.await.unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{said}");
    for line in [
        "asks claude-sonnet-5-5 at anthropic; 127.0.0.1 answers",
        "database: PostgreSQL 15",
        "broker: RabbitMQ",
    ] {
        assert!(said.contains(line), "no {line:?} in:\n{said}");
    }
}

const LOCAL_MODEL: &str = r#"
[[model]]
name = "llama-of-ours"
vendor = "other"
structured_output = "instruction"
forced_tool = false
sampling = true
cache_min_prefix = 0
max_output = 4096
context_window = 8192
prices = [{ input = 0, output = 0 }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_local_model_is_asked_once_a_price_table_names_it() {
    let mut world = World::new("local").await;
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("prices.toml");
    std::fs::write(&table, LOCAL_MODEL).unwrap();
    let endpoint = world.model.openai_url();
    let daemon = world.daemon(&[
        ("GLEANER__PRICES__FILE", table.to_str().unwrap()),
        ("GLEANER__ENDPOINTS__OPENAI__BASE_URL", &endpoint),
        ("GLEANER__AGENTS__TASK_ENRICHER__ENDPOINT", "openai"),
        ("GLEANER__AGENTS__TASK_ENRICHER__MODEL", "llama-of-ours"),
    ]);
    world.produce(&wedding("local", &["Please book a photographer"])).await;
    let data = world.completion_of("local-0").await;
    assert_eq!((&data["outcome"], &data["cost_usd"]), (&"completed".into(), &0.0.into()), "{data}");
    drop(daemon);
    let missing =
        gleaner().arg("run").env("GLEANER__PRICES__FILE", "/nowhere.toml").output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("prices.file"), "the key is named");
}
