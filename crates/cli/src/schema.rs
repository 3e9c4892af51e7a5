//! The policy language as JSON Schemas (draft 2020-12), for editors and for programs that write policies:
//! of a filter's policies, of the resources that carry them, and of case files.
//!
//! It is made from the description that the core has of each field beside its reader. A schema sees one
//! policy, and only its form. `narrows lint` checks the rest: that a name is unique, that weights fit,
//! that an expression compiles.

mod cases;
mod resource;

use std::collections::BTreeSet;

use narrows_core::describe::{Absent, Choice, Field, Object, Type};
use serde_json::{Map, Value, json};

use crate::documents::Kind;
use crate::filter::Filter;

/// What a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The policies of a filter.
    Policy(Filter),
    /// Istio's `WasmPlugin` with a policy in it.
    WasmPlugin,
    /// Istio's `TrafficExtension` with a policy in it.
    TrafficExtension,
    /// Case files.
    Cases,
}

impl Subject {
    /// Everything that has a schema.
    pub fn all() -> impl Iterator<Item = Self> {
        Filter::ALL.into_iter().map(Self::Policy).chain([
            Self::WasmPlugin,
            Self::TrafficExtension,
            Self::Cases,
        ])
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy(filter) => filter.name(),
            Self::WasmPlugin => "wasm-plugin",
            Self::TrafficExtension => "traffic-extension",
            Self::Cases => "cases",
        }
    }
}

/// The schema of a subject.
pub fn of(subject: Subject) -> Value {
    let mut definitions = Definitions::default();
    let (title, schema) = match subject {
        Subject::Policy(filter) => {
            (format!("A policy of the Narrows filter {}", filter.name()), definitions.policy(filter))
        }
        Subject::WasmPlugin => {
            let policy = definitions.any_policy();
            (
                "A WasmPlugin of Istio with a filter of Narrows".to_owned(),
                resource::of(Kind::WasmPlugin, &policy),
            )
        }
        Subject::TrafficExtension => {
            let policy = definitions.any_policy();
            let title = "A TrafficExtension of Istio with a filter of Narrows".to_owned();
            (title, resource::of(Kind::TrafficExtension, &policy))
        }
        Subject::Cases => {
            let policy = definitions.any_policy();
            ("A case file of Narrows".to_owned(), cases::of(&policy))
        }
    };
    definitions.resolve();
    let mut root = Map::new();
    root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".to_owned(), title.into());
    root.insert("$defs".to_owned(), Value::Object(definitions.done));
    root.extend(schema.as_object().cloned().unwrap_or_default());
    Value::Object(root)
}

/// The objects that a schema names, each defined once.
#[derive(Default)]
struct Definitions {
    done: Map<String, Value>,
    wanted: Vec<&'static Object>,
    named: BTreeSet<&'static str>,
}

impl Definitions {
    /// Defines the wanted objects until none is left.
    fn resolve(&mut self) {
        while let Some(object) = self.wanted.pop() {
            let defined = self.object(object);
            self.done.insert(object.summary.name.to_owned(), defined);
        }
    }

    fn policy(&mut self, filter: Filter) -> Value {
        let mut schema = self.object(filter.language());
        if let Some(named) = schema.pointer_mut("/properties/filter").and_then(Value::as_object_mut) {
            named.insert("const".to_owned(), filter.name().into());
        }
        schema
    }

    /// A policy of the filter that its field `filter` names. Without that field, something else names the
    /// filter, and only lint knows it.
    fn any_policy(&mut self) -> Value {
        let each: Vec<Value> = Filter::ALL
            .into_iter()
            .map(|filter| {
                let name = format!("policy of {}", filter.name());
                let policy = self.policy(filter);
                self.done.insert(name.clone(), policy);
                json!({
                    "if": { "properties": { "filter": { "const": filter.name() } }, "required": ["filter"] },
                    "then": { "$ref": format!("#/$defs/{}", name.replace(' ', "%20")) },
                })
            })
            .collect();
        json!({
            "type": "object",
            "description": "The policy.",
            "properties": { "filter": { "enum": Filter::ALL.map(Filter::name) } },
            "allOf": each,
        })
    }

    fn reference(&mut self, object: &'static Object) -> Value {
        if self.named.insert(object.summary.name) {
            self.wanted.push(object);
        }
        json!({ "$ref": format!("#/$defs/{}", object.summary.name) })
    }

    fn object(&mut self, object: &'static Object) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut choices = Vec::new();
        self.fields(object, &mut properties, &mut required, &mut choices);
        let mut schema = json!({
            "type": "object",
            "description": object.summary.text,
            "properties": properties,
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if let Choice::Where(keywords) = object.summary.choice {
            let keywords: Value = serde_json::from_str(keywords).expect("the test of schemas reads it");
            schema
                .as_object_mut()
                .into_iter()
                .for_each(|s| s.extend(keywords.as_object().cloned().unwrap_or_default()));
        }
        if !choices.is_empty() {
            schema["allOf"] = choices.into();
        }
        schema
    }

    /// Adds the fields of an object and of those that it includes.
    fn fields(
        &mut self,
        object: &'static Object,
        properties: &mut Map<String, Value>,
        required: &mut Vec<Value>,
        choices: &mut Vec<Value>,
    ) {
        for included in object.includes {
            self.fields(included, properties, required, choices);
        }
        for field in object.fields {
            properties.insert(field.name.to_owned(), self.field(field));
            if field.about.absent == Absent::Required {
                required.push(field.name.into());
            }
        }
        let mut names = Vec::new();
        all_names(object, &mut names);
        choices.extend(choice(object.summary.choice, &names));
    }

    fn field(&mut self, field: &Field) -> Value {
        let mut schema = self.of_type(&field.about.kind);
        schema["description"] = field.about.text.into();
        match field.about.absent {
            Absent::Says(text) => schema["default"] = text.into(),
            Absent::Counts(number) => schema["default"] = number.into(),
            Absent::Holds(flag) => schema["default"] = flag.into(),
            Absent::Required | Absent::Optional => {}
        }
        schema
    }

    fn of_type(&mut self, kind: &Type) -> Value {
        match kind {
            Type::Text(0, most) => json!({ "type": "string", "maxLength": most }),
            Type::Text(least, most) => json!({ "type": "string", "minLength": least, "maxLength": most }),
            Type::Pattern(pattern, most) => {
                json!({ "type": "string", "pattern": pattern, "maxLength": most })
            }
            Type::Words(words) => json!({ "enum": words() }),
            Type::Duration(from, to) => json!({
                "type": "string",
                "pattern": "^[0-9]+(ms|s|m|h|d)$",
                "$comment": format!("{from} ms to {to} ms"),
            }),
            Type::Flag => json!({ "type": "boolean" }),
            Type::True => json!({ "const": true }),
            Type::Integer(i64::MIN, i64::MAX) => json!({ "type": "integer" }),
            Type::Integer(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
            Type::Count(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
            Type::Numbers(numbers) => json!({ "enum": numbers }),
            Type::Table(object) => self.reference(object),
            Type::List(kind, 0, most) => {
                json!({ "type": "array", "items": self.of_type(kind), "maxItems": most })
            }
            Type::List(kind, least, most) => {
                json!({ "type": "array", "items": self.of_type(kind), "minItems": least, "maxItems": most })
            }
            // Not a pattern that fits all: some readers take an empty one for none.
            Type::Map("", kind, most) => json!({
                "type": "object",
                "additionalProperties": self.of_type(kind),
                "maxProperties": most,
            }),
            Type::Map(pattern, kind, most) => json!({
                "type": "object",
                "patternProperties": { (*pattern): self.of_type(kind) },
                "additionalProperties": false,
                "maxProperties": most,
            }),
            Type::Either(kinds) => {
                json!({ "anyOf": kinds.iter().map(|kind| self.of_type(kind)).collect::<Vec<_>>() })
            }
        }
    }
}

fn all_names(object: &'static Object, names: &mut Vec<&'static str>) {
    object.includes.iter().for_each(|included| all_names(included, names));
    names.extend(object.fields.iter().map(|field| field.name));
}

/// The choice among fields, in the form of a schema.
fn choice(choice: Choice, names: &[&str]) -> Option<Value> {
    let each: Vec<Value> = names.iter().map(|name| json!({ "required": [name] })).collect();
    match choice {
        Choice::Any | Choice::Where(_) => None,
        Choice::ExactlyOne => Some(json!({ "oneOf": each })),
        Choice::AtLeastOne => Some(json!({ "anyOf": each })),
        Choice::AtMostOne => {
            let none = json!({ "not": { "anyOf": each } });
            Some(json!({ "oneOf": each.iter().cloned().chain([none]).collect::<Vec<_>>() }))
        }
    }
}
