//! The shape of the settings: the JSON schema of the tables.
//!
//! It says which keys there are and what each may hold, so that a layer can be
//! judged whole before anything is read from it, and that an environment string
//! becomes a number where a number is due.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value, json};

use super::Settings;

/// Something wrong with a value or a key of a layer.
#[derive(Debug)]
pub(super) struct Finding {
    /// Where.
    pub path: Vec<String>,
    /// What, as the rest of a sentence that begins with the key.
    pub problem: String,
}

/// The schema, ready to judge with.
pub(super) struct Shape {
    schema: Value,
    part: Validator,
    whole: Validator,
}

impl Shape {
    /// The shape of [`Settings`].
    pub(super) fn of_settings() -> Self {
        let mut schema = schemars::schema_for!(Settings).to_value();
        tighten(&mut schema);
        let mut partial = schema.clone();
        forgive_missing(&mut partial);
        let ready = |schema| Validator::new(schema).expect("the tables' schema is a valid schema");
        Self { part: ready(&partial), whole: ready(&schema), schema }
    }

    /// The schema of the value at a path, if there can be one.
    pub(super) fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<&Value> {
        path.iter().try_fold(&self.schema, |node, name| {
            let named = node.get("properties").and_then(|keys| keys.get(name.as_ref()));
            let any = node.get("additionalProperties").filter(|node| node.is_object());
            self.resolved(named.or(any)?)
        })
    }

    fn resolved<'a>(&'a self, node: &'a Value) -> Option<&'a Value> {
        match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.schema.pointer(reference.trim_start_matches('#')),
            None => Some(node),
        }
    }

    /// All that is wrong with a layer, which may leave out what it likes.
    pub(super) fn judge(&self, layer: &Value) -> Vec<Finding> {
        self.part.iter_errors(layer).flat_map(|error| self.findings(&error)).collect()
    }

    /// The keys that are missing from the merged layers.
    pub(super) fn missing(&self, merged: &Value) -> Vec<Finding> {
        self.whole.iter_errors(merged).flat_map(|error| self.findings(&error)).collect()
    }

    fn findings(&self, error: &jsonschema::ValidationError<'_>) -> Vec<Finding> {
        let path = self.up_to_list(segments(error.instance_path().as_str()));
        let under = |name: &str, problem: String| {
            let path = path.iter().cloned().chain([name.to_owned()]).collect();
            Finding { path, problem }
        };
        // A schema error that is not named here is about the value itself.
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            return unexpected.iter().map(|key| under(key, self.no_such_key(&path))).collect();
        }
        if let ValidationErrorKind::Required { property } = error.kind() {
            return vec![under(property.as_str().unwrap_or_default(), "is missing".into())];
        }
        if let ValidationErrorKind::PropertyNames { error } = error.kind() {
            let name = error.instance().as_str().unwrap_or_default().to_owned();
            let problem = "is not a name of lower-case letters, digits and underscores";
            return vec![under(&name, problem.into())];
        }
        let problem = self.misfit(&path, error.instance());
        vec![Finding { path, problem }]
    }

    /// A path that leads into a list ends there: a list is set as a whole.
    fn up_to_list(&self, mut path: Vec<String>) -> Vec<String> {
        let is_list =
            |depth: &usize| self.at(&path[..*depth]).is_some_and(|n| type_of(n) == "array");
        if let Some(depth) = (1..path.len()).find(is_list) {
            path.truncate(depth);
        }
        path
    }

    /// What to say of a key that is not there.
    pub(super) fn no_such_key<S: AsRef<str>>(&self, table: &[S]) -> String {
        let keys =
            self.at(table).and_then(|node| node.get("properties")).and_then(Value::as_object);
        let keys: Vec<&str> = keys.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        if keys.is_empty() {
            return "is not a setting".into();
        }
        format!("is not a setting; there are {}", keys.join(", "))
    }

    /// What to say of a value that does not fit. A secret is never shown, nor a value that stands
    /// where a table is due, for it may hold one.
    pub(super) fn misfit<S: AsRef<str>>(&self, path: &[S], value: &Value) -> String {
        let Some(node) = self.at(path) else { return "is not a setting".into() };
        let expected = expected(node);
        if is_secret(node) || is_table(node) {
            return format!("is not {expected}");
        }
        let shown: String = value.to_string().chars().take(60).collect();
        format!("= {shown} is not {expected}")
    }
}

/// Whether the schema marks a secret.
pub(super) fn is_secret(node: &Value) -> bool {
    node.get("writeOnly").is_some_and(|mark| mark == true)
}

/// Whether the schema is a table's.
pub(super) fn is_table(node: &Value) -> bool {
    node.get("type").is_some_and(|kind| kind == "object")
}

/// Whether the schema is a number's.
pub(super) fn type_of(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or("string")
}

/// What a value must be, in words.
fn expected(node: &Value) -> String {
    if let Some(choices) = node.get("oneOf").and_then(Value::as_array) {
        let names: Vec<&str> = choices.iter().filter_map(|c| c.get("const")?.as_str()).collect();
        return format!("one of {}", names.join(", "));
    }
    let bound = |name: &str| node.get(name).map(|bound| bound.as_u64().unwrap_or_default());
    match (type_of(node), bound("minimum"), bound("maximum")) {
        ("integer", Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        ("integer", ..) => "a whole number".into(),
        ("number", ..) => "a number".into(),
        ("boolean", ..) => "true or false".into(),
        ("object", ..) => "a table".into(),
        ("array", ..) if node.get("items").is_some_and(|item| type_of(item) == "integer") => {
            "a list of whole numbers".into()
        }
        ("array", ..) => "a list of texts".into(),
        _ => "text".into(),
    }
}

/// `/endpoints/local` as its names.
fn segments(pointer: &str) -> Vec<String> {
    let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
    pointer.split('/').skip(1).map(unescaped).collect()
}

/// Adds what the derived schema leaves out: the largest numbers, and what a table may be called.
fn tighten(node: &mut Value) {
    let Value::Object(fields) = node else { return };
    let most = match fields.get("format").and_then(Value::as_str) {
        Some("uint32") => Some(u64::from(u32::MAX)),
        // TOML's largest.
        Some("uint64") => Some(i64::MAX as u64),
        _ => None,
    };
    if let Some(most) = most {
        fields.insert("maximum".into(), json!(most));
    }
    if fields.get("additionalProperties").is_some_and(Value::is_object) {
        fields.insert("propertyNames".into(), json!({ "pattern": "^[a-z][a-z0-9_]*$" }));
    }
    fields.values_mut().for_each(tighten);
}

/// Makes every key optional, as a single layer may hold as little as it likes.
fn forgive_missing(node: &mut Value) {
    let Value::Object(fields) = node else { return };
    fields.remove("required");
    fields.values_mut().for_each(forgive_missing);
}
