//! Every dependency is used: an unused one costs build time and trust.

use regex::Regex;

use crate::code::{root, rust_files};
use crate::nobody_complains;

#[test]
fn every_dependency_is_named_in_the_code() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let mut complaints = Vec::new();
    for (table, folders) in
        [("dependencies", &["src"][..]), ("dev-dependencies", &["src", "tests", "benches"][..])]
    {
        let code: String = folders
            .iter()
            .flat_map(|folder| rust_files(folder))
            .map(|source| source.code + "\n")
            .collect();
        let names = manifest.get(table).and_then(toml::Value::as_table);
        for name in names.into_iter().flat_map(toml::Table::keys) {
            let crate_name = name.replace('-', "_");
            let naming = format!(r"(?m)(?:^|[^:\w]){crate_name}::|\buse\s+{crate_name}\b");
            if !Regex::new(&naming).unwrap().is_match(&code) {
                let line = text.lines().position(|line| line.starts_with(name.as_str()));
                complaints.push(format!(
                    "Cargo.toml:{}: {name} is named nowhere in {}: take it out",
                    line.unwrap_or_default() + 1,
                    folders.join(", ")
                ));
            }
        }
    }
    nobody_complains(&complaints);
}
