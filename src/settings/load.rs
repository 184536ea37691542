//! Reads the layers, one over the other, and reports every mistake at once.

use std::collections::BTreeMap;
use std::path::Path;

use config::{Config, FileFormat};
use serde_json::Value;

use super::mistake::{Mistake, Mistakes};
use super::shape::Shape;
use super::{Settings, checks, layers};

/// The lowest layer.
const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Reads `config/default.toml`, the file and the environment, one over the other.
///
/// # Errors
/// All mistakes of all layers at once, each with its key and where it was set.
pub fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Settings, Mistakes> {
    let shape = Shape::of_settings();
    let mut mistakes = Vec::new();
    let file = file.map(|path| layers::file(path, &shape, &mut mistakes)).unwrap_or_default();
    let environment = layers::environment(environment, &shape, &mut mistakes);
    let mut merged = match merge(&[&file.values, &environment.values]) {
        Ok(merged) => merged,
        Err(error) => {
            mistakes.push(unforeseen(&error));
            return Err(Mistakes(mistakes));
        }
    };
    let origins: BTreeMap<String, String> =
        file.origins.into_iter().chain(environment.origins).collect();
    report_missing(&mut merged, &shape, &origins, &mut mistakes);
    match serde_json::from_value::<Settings>(merged) {
        Ok(settings) => {
            report_broken_rules(&settings, &origins, &mut mistakes);
            if mistakes.is_empty() { Ok(settings) } else { Err(Mistakes(mistakes)) }
        }
        Err(error) => {
            mistakes.push(unforeseen(&error));
            Err(Mistakes(mistakes))
        }
    }
}

/// What the schema let pass and the types do not take.
fn unforeseen(error: &dyn std::error::Error) -> Mistake {
    Mistake { key: String::new(), layer: "settings".into(), problem: error.to_string() }
}

fn merge(layers: &[&Value]) -> Result<Value, config::ConfigError> {
    let defaults = config::File::from_str(DEFAULTS, FileFormat::Toml);
    let mut builder = Config::builder().add_source(defaults);
    for layer in layers {
        // As text: the crate would merge the lists of a value item by item.
        let text = toml::to_string(layer)
            .map_err(|error| config::ConfigError::Foreign(Box::new(error)))?;
        builder = builder.add_source(config::File::from_str(&text, FileFormat::Toml));
    }
    builder.build()?.try_deserialize()
}

/// Reports keys that no layer sets, and takes the tables that miss them out. Only endpoints and
/// agents can miss any: the defaults set all else.
fn report_missing(
    merged: &mut Value,
    shape: &Shape,
    origins: &BTreeMap<String, String>,
    mistakes: &mut Vec<Mistake>,
) {
    for finding in shape.missing(merged) {
        let key = finding.path.join(".");
        if !mistakes.iter().any(|mistake| touches(&mistake.key, &key)) {
            let table = finding.path.split_last().map_or(String::new(), |(_, t)| t.join("."));
            let layer = origin(&table, origins);
            mistakes.push(Mistake { key, layer, problem: finding.problem });
        }
        let table = finding.path.split_last().map_or(&[][..], |(_, table)| table);
        layers::take_out(merged, table);
    }
}

/// Reports broken rules, but for those that read a value which is reported already: that value
/// was taken out, and the rule saw the one beneath it.
fn report_broken_rules(
    settings: &Settings,
    origins: &BTreeMap<String, String>,
    mistakes: &mut Vec<Mistake>,
) {
    let reported: Vec<String> = mistakes.iter().map(|mistake| mistake.key.clone()).collect();
    for broken in checks::broken(settings, &known_agents()) {
        let read: Vec<&String> = broken.with.iter().chain([&broken.key]).collect();
        if read.iter().any(|key| reported.iter().any(|other| touches(other, key))) {
            continue;
        }
        let set = read.iter().rev().find_map(|key| origins.get(*key));
        let layer = set.cloned().unwrap_or_else(|| origin(&broken.key, origins));
        mistakes.push(Mistake { layer, key: broken.key, problem: broken.problem });
    }
}

/// Whether one key is the other, or a part of it.
fn touches(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    !short.is_empty()
        && long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Where a key, or something beneath it, was set.
fn origin(key: &str, origins: &BTreeMap<String, String>) -> String {
    let set = origins.iter().find(|(set, _)| *set == key || set.starts_with(&format!("{key}.")));
    set.map_or_else(|| "default".to_owned(), |(_, origin)| origin.clone())
}

/// The agents that there are: the defaults name each.
fn known_agents() -> Vec<String> {
    let defaults: toml::Table = toml::from_str(DEFAULTS).unwrap_or_default();
    let agents = defaults.get("agents").and_then(toml::Value::as_table);
    agents.into_iter().flat_map(toml::Table::keys).cloned().collect()
}

#[cfg(test)]
mod tests;
