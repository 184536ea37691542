//! `gleaner demo`, as a newcomer runs it.

use serde_json::Value;

use crate::support::daemon::gleaner;

#[test]
fn a_newcomer_gets_the_summary_of_the_bundled_chat_without_any_server() {
    let ended = gleaner().args(["demo", "--once", "--json"]).output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{errors}");
    let summary: Value =
        serde_json::from_slice(&ended.stdout).expect("one JSON object on standard output");
    assert_eq!(summary["messages"], 376);
    for list in ["tasks", "expenses", "polls", "transfers"] {
        assert!(!summary[list].as_array().unwrap().is_empty(), "no {list}");
    }
    assert!(summary["cacheHits"].as_u64().unwrap() > 0, "nothing came from the cache");
    assert_eq!(
        (summary["modelCalls"].as_u64(), summary["totalCost"].as_f64()),
        (Some(0), Some(0.0))
    );
    assert!(summary["naiveCost"].as_f64().unwrap() > 0.5, "{}", summary["naiveCost"]);
    assert!(errors.contains("ANTHROPIC_API_KEY"), "it says where answers come from: {errors}");
}

#[test]
fn the_summary_for_a_person_says_who_owes_whom_and_what_it_cost() {
    let ended = gleaner().args(["demo", "--once"]).output().unwrap();
    assert!(ended.status.success());
    let text = String::from_utf8(ended.stdout).unwrap();
    for part in ["Priya & Tom's wedding", "Tasks", "Expenses", "owes", "cache"] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn a_demo_touches_no_database_that_the_environment_names() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("theirs.db");
    let ended = gleaner()
        .args(["demo", "--once", "--json"])
        .env("DATABASE_URL", format!("sqlite:{}", theirs.display()))
        .env("AMQP_URL", "amqp://127.0.0.1:1/")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(ended.status.success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it left files behind");
}

#[test]
fn without_the_cache_every_answer_is_asked_for() {
    let ended = gleaner().args(["demo", "--once", "--json", "--no-cache"]).output().unwrap();
    assert!(ended.status.success());
    let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(summary["cacheHits"], 0);
}
