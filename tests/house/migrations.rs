//! Both engines keep the same tables with the same columns.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::code::{files, root};
use crate::nobody_complains;

/// Tables and their columns, each with where it was made.
type Tables = BTreeMap<String, BTreeMap<String, String>>;

/// What begins a line of a table that is no column.
const CONSTRAINTS: [&str; 7] =
    ["primary", "foreign", "unique", "check", "constraint", "exclude", "like"];

/// What one engine has alone, and why.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "event_state",
    "the row lock under which PostgreSQL's replicas redo an event's fold; SQLite has one writer",
)];

fn tables(engine: &str) -> Tables {
    let mut tables = Tables::new();
    for path in files(&root().join("migrations").join(engine), "sql") {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        read(&std::fs::read_to_string(&path).unwrap(), &name, &mut tables);
    }
    assert!(!tables.is_empty(), "migrations/{engine}: no table is made there");
    tables
}

fn read(text: &str, file: &str, tables: &mut Tables) {
    let sql = without_comments(&text.to_lowercase());
    let create =
        Regex::new(r#"create table\s+(?:if not exists\s+)?(?:[\w"]+\.)?"?(\w+)"?\s*\("#).unwrap();
    for found in create.captures_iter(&sql) {
        let whole = found.get(0).unwrap();
        let place = format!("{file}:{}", sql[..whole.start()].matches('\n').count() + 1);
        let columns = tables.entry(found[1].to_owned()).or_default();
        for part in parts(&sql[whole.end()..]) {
            let first = part.split_whitespace().next().unwrap_or_default().trim_matches('"');
            let word = first.split('(').next().unwrap_or_default();
            if !word.is_empty() && !CONSTRAINTS.contains(&word) {
                columns.insert(word.to_owned(), place.clone());
            }
        }
    }
    let alter = Regex::new(
        r#"alter table\s+(?:if exists\s+)?(?:[\w"]+\.)?"?(\w+)"?\s+add column\s+(?:if not exists\s+)?"?(\w+)"?"#,
    );
    for found in alter.unwrap().captures_iter(&sql) {
        let columns = tables.entry(found[1].to_owned()).or_default();
        columns.insert(found[2].to_owned(), file.to_owned());
    }
}

/// Comments end with their line; lines stay where they are.
fn without_comments(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The comma-separated parts of a table's body; the text begins within its parentheses.
fn parts(body: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in body.chars() {
        match character {
            '(' => depth += 1,
            ')' if depth == 0 => break,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    parts
}

/// What one engine has and the other lacks.
fn lacking(has: &Tables, lacks: &Tables, engine: &str) -> Vec<String> {
    let none = BTreeMap::new();
    let mut complaints = Vec::new();
    for (table, columns) in has {
        if EXCEPTIONS.iter().any(|(name, _)| name == table) {
            continue;
        }
        let others: BTreeSet<_> = lacks.get(table).unwrap_or(&none).keys().collect();
        for (column, place) in columns {
            if !others.contains(column) {
                complaints.push(format!(
                    "{place}: {table}.{column} is missing in migrations/{engine}: both engines keep \
                     the same, so that what is seen on one holds on the other"
                ));
            }
        }
    }
    complaints
}

#[test]
fn both_engines_keep_the_same_tables_and_columns() {
    let (postgres, sqlite) = (tables("postgres"), tables("sqlite"));
    let mut complaints = lacking(&postgres, &sqlite, "sqlite");
    complaints.extend(lacking(&sqlite, &postgres, "postgres"));
    nobody_complains(&complaints);
}

#[test]
fn an_exception_is_a_table_of_exactly_one_engine() {
    let (postgres, sqlite) = (tables("postgres"), tables("sqlite"));
    let complaints: Vec<String> = EXCEPTIONS
        .iter()
        .filter(|(name, _)| postgres.contains_key(*name) == sqlite.contains_key(*name))
        .map(|(name, why)| {
            format!("tests/house/migrations.rs: {name} ({why}) is not one engine's own; take it off the list")
        })
        .collect();
    nobody_complains(&complaints);
}

#[test]
fn tables_are_read_with_their_columns() {
    let mut found = Tables::new();
    let sql = "create table gleaner.a (\n id text primary key, -- b, c\n \"n\" numeric(1, 2),\n\
               primary key (id, n));\nalter table a add column z text;";
    read(sql, "x.sql", &mut found);
    let columns: Vec<&str> = found["a"].keys().map(String::as_str).collect();
    assert_eq!(columns, ["id", "n", "z"]);
}
