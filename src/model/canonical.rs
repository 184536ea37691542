//! An answer with what only looks wrong put right, by its schema.
//!
//! Structured output is no guarantee for capitals, and some models write whole
//! numbers with a decimal point. Nothing else is touched: what is really wrong
//! is left for whoever checks the answer.

use serde_json::{Map, Value};

/// How deep a schema's references and alternatives are followed.
const DEEPEST: usize = 16;

/// The answer with each word of a closed list spelt as the list has it (capitals and blanks around
/// it aside), and each whole number without a decimal point where an integer is due.
pub fn canonical(mut answer: Value, schema: &Value) -> Value {
    Shape { root: schema, at: schema }.mend(&mut answer);
    answer
}

/// A part of a schema.
#[derive(Clone, Copy)]
struct Shape<'a> {
    root: &'a Value,
    at: &'a Value,
}

impl<'a> Shape<'a> {
    fn mend(self, value: &mut Value) {
        let shapes = self.alternatives();
        match value {
            Value::String(text) => mend_word(text, &shapes),
            Value::Number(_) => mend_number(value, &shapes),
            Value::Array(items) => {
                for items_shape in shapes.iter().filter_map(|shape| shape.part("items")) {
                    items.iter_mut().for_each(|item| items_shape.mend(item));
                }
            }
            Value::Object(fields) => shapes.iter().for_each(|shape| shape.mend_fields(fields)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn mend_fields(self, fields: &mut Map<String, Value>) {
        let Some(properties) = self.part("properties") else { return };
        for (name, value) in fields {
            if let Some(property) = properties.part(name) {
                property.mend(value);
            }
        }
    }

    fn part(self, keyword: &str) -> Option<Self> {
        Some(Self { at: self.at.get(keyword)?, ..self })
    }

    /// The schema itself and all that it refers to or chooses from.
    fn alternatives(self) -> Vec<Self> {
        let mut found = Vec::new();
        self.collect(&mut found, 0);
        found
    }

    fn collect(self, found: &mut Vec<Self>, depth: usize) {
        // A schema that refers to itself ends here.
        if depth > DEEPEST {
            return;
        }
        found.push(self);
        let target =
            self.at["$ref"].as_str().and_then(|name| self.root.pointer(name.strip_prefix('#')?));
        if let Some(at) = target {
            Self { at, ..self }.collect(found, depth + 1);
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for at in self.at[keyword].as_array().into_iter().flatten() {
                Self { at, ..self }.collect(found, depth + 1);
            }
        }
    }

    /// The words of its closed list.
    fn words(self) -> impl Iterator<Item = &'a str> {
        let listed = self.at["enum"].as_array().into_iter().flatten();
        listed.chain(self.at.get("const")).filter_map(Value::as_str)
    }

    fn is_of_type(self, name: &str) -> bool {
        let kind = &self.at["type"];
        kind == name || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name))
    }
}

/// Spells a word as its list does; a list that holds it in two spellings leaves it alone.
fn mend_word(text: &mut String, shapes: &[Shape<'_>]) {
    let words: Vec<&str> = shapes.iter().flat_map(|shape| shape.words()).collect();
    if words.contains(&text.as_str()) {
        return;
    }
    let said = text.trim().to_lowercase();
    let mut alike: Vec<&str> =
        words.into_iter().filter(|word| word.to_lowercase() == said).collect();
    alike.dedup();
    if let [word] = alike[..] {
        *text = word.to_owned();
    }
}

/// Takes the decimal point off a whole number where only an integer is due.
fn mend_number(value: &mut Value, shapes: &[Shape<'_>]) {
    let is = |name| shapes.iter().any(|shape| shape.is_of_type(name));
    if !is("integer") || is("number") {
        return;
    }
    // Beyond 2^53 a decimal is no longer exact.
    let whole = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0);
    if let Some(whole) = whole.filter(|_| value.is_f64()) {
        *value = Value::from(whole as i64);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "category": {"type": "string", "enum": ["venue", "DJ", "day after"]},
                "status": {"anyOf": [{"$ref": "#/$defs/Status"}, {"type": "null"}]},
                "days": {"type": ["integer", "null"]},
                "share": {"type": "number"},
                "title": {"type": "string"},
                "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}},
            },
            "$defs": {
                "Status": {"oneOf": [{"const": "paid"}, {"const": "due"}]},
                "Step": {"type": "object", "properties": {
                    "kind": {"enum": ["call", "pay", null]}, "next": {"$ref": "#/$defs/Step"}}},
            },
        })
    }

    #[test]
    fn words_of_closed_lists_are_spelt_as_the_lists_have_them_wherever_they_stand() {
        let said = json!({"category": " Day After", "status": "PAID", "days": 3.0, "share": 12.0,
            "title": "Venue", "steps": [{"kind": "Call", "next": {"kind": "PAY"}}, {"kind": null}]});
        let meant = json!({"category": "day after", "status": "paid", "days": 3, "share": 12.0,
            "title": "Venue", "steps": [{"kind": "call", "next": {"kind": "pay"}}, {"kind": null}]});
        assert_eq!(canonical(said, &schema()).to_string(), meant.to_string());
        let dj = canonical(json!({"category": "dj"}), &schema());
        assert_eq!(dj, json!({"category": "DJ"}));
    }

    #[test]
    fn what_is_really_wrong_stays_as_it_was() {
        for wrong in [
            json!({"category": "venues", "days": 3.5, "title": 7}),
            json!({"status": ["Paid"], "steps": "Call", "other": "Paid"}),
            json!({"days": 1e300}),
            json!(["Venue"]),
            json!(null),
        ] {
            assert_eq!(canonical(wrong.clone(), &schema()), wrong);
        }
    }

    #[test]
    fn two_words_that_differ_by_capitals_alone_are_left_to_the_check() {
        let schema = json!({"enum": ["May", "may"]});
        assert_eq!(canonical(json!("may"), &schema), json!("may"));
        assert_eq!(canonical(json!("MAY"), &schema), json!("MAY"));
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let schema = json!({"$ref": "#", "anyOf": [{"$ref": "#"}, {"enum": ["a"]}]});
        assert_eq!(canonical(json!({"x": "A"}), &schema), json!({"x": "A"}));
    }
}
