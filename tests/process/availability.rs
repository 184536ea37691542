//! Chains of models, as an operator meets them.

use crate::support::daemon::gleaner;
use crate::support::fake_model::FakeModel;

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_everybody_in_the_chain() {
    let (fake, gone) = (FakeModel::start().await, FakeModel::start().await);
    let (there, away) = (fake.url(), gone.openai_url());
    gone.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let checked = gleaner()
        .arg("check")
        .env("DATABASE_URL", format!("sqlite:{}", folder.path().join("gleaner.db").display()))
        .env("ANTHROPIC_API_KEY", "any")
        .env("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", there)
        .env("GLEANER__ENDPOINTS__OPENAI__BASE_URL", away)
        .env("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", "openai:gpt-6-sol,offline")
        .output()
        .unwrap();
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stdout).unwrap();
    for line in [
        "ok      agent task_enricher: asks claude-sonnet-5-5 at anthropic; 127.0.0.1 answers",
        "FAILED  agent task_enricher: then asks gpt-6-sol at openai; cannot connect",
        "ok      agent task_enricher: then asks offline; it needs no network",
    ] {
        assert!(said.contains(line), "{line:?} is not in\n{said}");
    }
}

#[test]
fn mistakes_in_chains_are_told_all_at_once_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let refused = gleaner()
        .arg("run")
        .current_dir(folder.path())
        .env("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", "elsewhere:one,two")
        .env("GLEANER__AGENTS__BUDGET_ANALYST__FALLBACKS", "openai:no-such-model")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    for part in
        ["task_enricher.fallbacks", "elsewhere", "two", "budget_analyst.fallbacks", "no price"]
    {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
