//! The layers above the defaults: a file, and the environment.
//!
//! Each is judged on its own, so that a mistake can say where it stands; what
//! does not fit is taken out, so that the rest can still be judged.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::mistake::Mistake;
use super::shape::{Shape, is_secret, is_table, type_of};

/// Names that other tools know, and the keys they set; `GLEANER__…` goes over them.
const KEPT_NAMES: [(&str, &str); 5] = [
    ("ANTHROPIC_API_KEY", "endpoints.anthropic.api_key"),
    ("AI_RATE_LIMIT_PER_MINUTE", "limits.event_per_window"),
    ("AI_CACHE_TTL_MS", "cache.ttl_ms"),
    ("DATABASE_URL", "database.url"),
    ("AMQP_URL", "broker.url"),
];

/// What begins the name of every other variable.
const PREFIX: &str = "GLEANER__";

/// Some settings, and where each was set.
#[derive(Debug)]
pub(super) struct Layer {
    /// The settings as nested tables.
    pub values: Value,
    /// Where each key was set.
    pub origins: BTreeMap<String, String>,
}

impl Default for Layer {
    fn default() -> Self {
        Self { values: json!({}), origins: BTreeMap::new() }
    }
}

impl Layer {
    fn set(&mut self, path: &[String], value: Value, origin: String) {
        let mut node = &mut self.values;
        for name in path {
            if !node.is_object() {
                *node = json!({});
            }
            let Value::Object(table) = node else { return };
            node = table.entry(name.clone()).or_insert(Value::Null);
        }
        *node = value;
        self.origins.insert(path.join("."), origin);
    }
}

/// Reads a settings file; an unreadable or broken one is one mistake.
pub(super) fn file(path: &Path, shape: &Shape, mistakes: &mut Vec<Mistake>) -> Layer {
    let origin = path.display().to_string();
    let mut broken = |problem: String| {
        mistakes.push(Mistake { key: String::new(), layer: origin.clone(), problem });
        Layer::default()
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return broken(format!("cannot be read: {error}")),
    };
    let table: toml::Table = match toml::from_str(&text) {
        Ok(table) => table,
        Err(error) => return broken(syntax_problem(&text, &error)),
    };
    let Ok(mut values) = serde_json::to_value(table) else {
        return broken("holds a value that settings cannot hold".into());
    };
    for finding in shape.judge(&values) {
        take_out(&mut values, &finding.path);
        mistakes.push(Mistake {
            key: finding.path.join("."),
            layer: origin.clone(),
            problem: finding.problem,
        });
    }
    let mut origins = BTreeMap::new();
    note_leaves(&values, &mut Vec::new(), &origin, &mut origins);
    Layer { values, origins }
}

/// Where the syntax breaks and how; the line itself is not shown, it may hold a secret.
fn syntax_problem(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("line {line}, column {column}: {}", error.message().replace('\n', ", "))
}

/// Takes out what a finding is about, so that the rest can still be judged.
pub(super) fn take_out(values: &mut Value, path: &[String]) {
    let Some((last, tables)) = path.split_last() else { return };
    let table = tables.iter().try_fold(values, |node, name| node.get_mut(name));
    if let Some(Value::Object(table)) = table {
        table.remove(last);
    }
}

fn note_leaves(
    node: &Value,
    path: &mut Vec<String>,
    origin: &str,
    origins: &mut BTreeMap<String, String>,
) {
    let Value::Object(table) = node else {
        origins.insert(path.join("."), origin.to_owned());
        return;
    };
    for (name, node) in table {
        path.push(name.clone());
        note_leaves(node, path, origin, origins);
        path.pop();
    }
}

/// A variable that sets a key.
struct Variable<'a> {
    name: &'a str,
    path: Vec<String>,
    /// The value names a file that holds the secret.
    by_file: bool,
    value: &'a str,
}

/// Reads the environment: kept names first, so that `GLEANER__…` goes over them.
pub(super) fn environment(
    variables: &[(String, String)],
    shape: &Shape,
    mistakes: &mut Vec<Mistake>,
) -> Layer {
    let mut layer = Layer::default();
    let kept = variables.iter().filter_map(|(name, value)| kept_variable(name, value, shape));
    let own = variables.iter().filter_map(|(name, value)| {
        own_variable(name, value, shape).unwrap_or_else(|mistake| {
            mistakes.push(mistake);
            None
        })
    });
    let own: Vec<Variable<'_>> = own.collect();
    let found: Vec<Variable<'_>> = kept.chain(own).collect();
    for variable in &found {
        let said = |problem| Mistake {
            key: variable.path.join("."),
            layer: layer_name(variable.name),
            problem,
        };
        let rival = found.iter().find(|other| {
            variable.by_file && !other.by_file && format!("{}_FILE", other.name) == variable.name
        });
        if let Some(rival) = rival {
            mistakes.push(said(format!("is set by {} too; keep one of them", rival.name)));
            continue;
        }
        match value_of(variable, shape) {
            Ok(value) => layer.set(&variable.path, value, layer_name(variable.name)),
            Err(problem) => mistakes.push(said(problem)),
        }
    }
    layer
}

fn layer_name(variable: &str) -> String {
    format!("environment variable {variable}")
}

/// A variable under a kept name, or the `…_FILE` of one that holds a secret. An empty one counts
/// as not set, as compose files and shells leave such behind.
fn kept_variable<'a>(name: &'a str, value: &'a str, shape: &Shape) -> Option<Variable<'a>> {
    let key_of = |name: &str| KEPT_NAMES.iter().find(|(kept, _)| *kept == name).map(|kept| kept.1);
    let path_of = |key: &str| key.split('.').map(str::to_owned).collect::<Vec<_>>();
    if value.is_empty() {
        return None;
    }
    if let Some(key) = key_of(name) {
        return Some(Variable { name, path: path_of(key), by_file: false, value });
    }
    let path = path_of(key_of(name.strip_suffix("_FILE")?)?);
    shape.at(&path).is_some_and(is_secret).then_some(Variable { name, path, by_file: true, value })
}

/// A variable of ours, if it is one; a mistake if it names no setting.
fn own_variable<'a>(
    name: &'a str,
    value: &'a str,
    shape: &Shape,
) -> Result<Option<Variable<'a>>, Mistake> {
    let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(None) };
    let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
    if shape.at(&path).is_some_and(|node| !is_table(node)) {
        return Ok(Some(Variable { name, path, by_file: false, value }));
    }
    let secret = path.split_last().and_then(|(last, tables)| {
        let named = last.strip_suffix("_file")?.to_owned();
        let path: Vec<String> = tables.iter().cloned().chain([named]).collect();
        shape.at(&path).is_some_and(is_secret).then_some(path)
    });
    if let Some(path) = secret {
        return Ok(Some(Variable { name, path, by_file: true, value }));
    }
    let problem = if shape.at(&path).is_some() {
        "is a table; name one of its keys".into()
    } else {
        shape.no_such_key(path.split_last().map_or(&[], |(_, tables)| tables))
    };
    Err(Mistake { key: path.join("."), layer: layer_name(name), problem })
}

/// The variable's value in the type that its key has.
fn value_of(variable: &Variable<'_>, shape: &Shape) -> Result<Value, String> {
    let text = if variable.by_file {
        let content = std::fs::read_to_string(variable.value);
        let content = content
            .map_err(|error| format!("cannot be read from file {}: {error}", variable.value))?;
        content.trim().to_owned()
    } else {
        variable.value.to_owned()
    };
    let node = shape.at(&variable.path).unwrap_or(&Value::Null);
    let coerced = match type_of(node) {
        "integer" => text.trim().parse::<i64>().map(Value::from).ok(),
        "number" => text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from),
        "boolean" => text.trim().parse::<bool>().map(Value::from).ok(),
        "array" => Some(list_of(&text, node)),
        _ => Some(Value::from(text.clone())),
    };
    let value = coerced.unwrap_or_else(|| Value::from(text));
    let nested =
        variable.path.iter().rev().fold(value.clone(), |value, name| {
            Value::Object(Map::from_iter([(name.clone(), value)]))
        });
    match shape.judge(&nested).into_iter().next() {
        Some(finding) => Err(finding.problem),
        None => Ok(value),
    }
}

/// A list's items from one text with commas, each in the type that the list holds.
fn list_of(text: &str, node: &Value) -> Value {
    let numbers = node.get("items").is_some_and(|item| type_of(item) == "integer");
    let item = |text: &str| match text.parse::<i64>() {
        Ok(number) if numbers => Value::from(number),
        _ => Value::from(text),
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(item).collect()
}
