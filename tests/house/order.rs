//! A module names only those above it in `src/lib.rs`.

use regex::Regex;

use crate::code::{Source, root, rust_files};
use crate::nobody_complains;

/// The modules in reading order.
fn reading_order() -> Vec<String> {
    let map = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let module = Regex::new(r"(?m)^pub mod (\w+);").unwrap();
    module.captures_iter(&map).map(|found| found[1].to_owned()).collect()
}

/// The modules that a file names, each with where: `crate::x` and `crate::{x, y::z}`.
fn named(source: &Source) -> Vec<(usize, String)> {
    let path = Regex::new(r"\bcrate::(?:(\w+)|\{)").unwrap();
    let mut names = Vec::new();
    for found in path.captures_iter(&source.code) {
        let whole = found.get(0).unwrap();
        match found.get(1) {
            Some(name) => names.push((whole.start(), name.as_str().to_owned())),
            None => {
                let group = heads(&source.code[whole.end()..]);
                names.extend(group.into_iter().map(|name| (whole.start(), name)));
            }
        }
    }
    names
}

/// The first names of a `use` group's members; the text begins within its braces.
fn heads(group: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let (mut depth, mut in_head) = (0, true);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(String::new());
                in_head = true;
            }
            ':' => in_head = false,
            _ if in_head && depth == 0 && !character.is_whitespace() => {
                names.last_mut().unwrap().push(character);
            }
            _ => {}
        }
    }
    names
}

#[test]
fn a_module_names_only_those_above_it() {
    let order = reading_order();
    let place = |name: &str| order.iter().position(|module| module == name);
    let mut complaints = Vec::new();
    for source in rust_files("src") {
        let inside = source.path.trim_start_matches("src/");
        let own = inside.split('/').next().unwrap().trim_end_matches(".rs");
        let Some(own_place) = place(own) else { continue };
        for (at, name) in named(&source) {
            if place(&name).is_some_and(|other| other > own_place) {
                complaints.push(format!(
                    "{}:{}: {own} names {name}, which stands below it in src/lib.rs: modules \
                     stand in reading order, and what is read first must not need what comes later",
                    source.path,
                    source.line(at)
                ));
            }
        }
    }
    nobody_complains(&complaints);
}

#[test]
fn every_module_has_a_place_in_the_reading_order() {
    let order = reading_order();
    assert!(order.len() > 15, "src/lib.rs no longer lists the modules as `pub mod name;`");
    let mut complaints = Vec::new();
    for source in rust_files("src") {
        let inside = source.path.trim_start_matches("src/");
        let own = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if !["lib", "main"].contains(&own) && !order.iter().any(|module| module == own) {
            complaints.push(format!("{}:1: {own} is not listed in src/lib.rs", source.path));
        }
    }
    nobody_complains(&complaints);
}

#[test]
fn groups_are_read_by_their_members_first_names() {
    assert_eq!(
        heads("domain::{ids, chat::X}, store,\n fault::Fault}; use x::{y}"),
        ["domain", "store", "fault"]
    );
}
