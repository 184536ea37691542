//! Settings with mistakes, and `gleaner check`.

use crate::support::daemon::gleaner;
use crate::support::world::World;

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
    for line in
        ["asks claude-sonnet-5-5; 127.0.0.1 answers", "database: PostgreSQL 15", "broker: RabbitMQ"]
    {
        assert!(said.contains(line), "no {line:?} in:\n{said}");
    }
}
