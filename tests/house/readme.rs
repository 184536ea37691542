//! The README lists what a reader will meet.

use gleaner::domain::outcome::Reason;
use gleaner::monitor::alerts::Rule;

use crate::code::root;
use crate::nobody_complains;

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md"))
        .expect("README.md:1: there is none, and it is what a newcomer reads first")
}

#[test]
fn the_readme_explains_every_reason() {
    let readme = readme();
    let missing =
        Reason::ALL.into_iter().filter(|reason| !readme.contains(&format!("`{}`", reason.name())));
    let complaints: Vec<String> = missing
        .map(|reason| {
            let name = reason.name();
            format!(
                "README.md:1: does not list `{name}`: who finds a reason in a row looks it up there"
            )
        })
        .collect();
    nobody_complains(&complaints);
}

#[test]
fn the_readme_says_what_to_do_about_every_alert() {
    let readme = readme();
    let missing =
        Rule::ALL.into_iter().filter(|rule| !readme.contains(&format!("| `{}` |", rule.name())));
    let complaints: Vec<String> = missing
        .map(|rule| format!("README.md:1: has no row for the alert `{}`", rule.name()))
        .collect();
    nobody_complains(&complaints);
}

#[test]
fn the_readme_has_every_settings_table() {
    let readme = readme();
    let defaults = std::fs::read_to_string(root().join("config/default.toml")).unwrap();
    let defaults: toml::Table = toml::from_str(&defaults).unwrap();
    let complaints: Vec<String> = defaults
        .keys()
        .filter(|table| {
            let ways = [format!("[{table}"), format!("`{table}."), format!("`{table}`")];
            !ways.iter().any(|way| readme.contains(way))
        })
        .map(|table| format!("README.md:1: does not name the settings table [{table}]"))
        .collect();
    nobody_complains(&complaints);
}
