//! A resource of Istio as a schema, from the table of its fields.

use serde_json::{Map, Value, json};

use crate::documents::Kind;
use crate::istio::fields::{FieldType, Schema};

/// What is not an object's own fields.
#[derive(Default)]
struct Place {
    kind: Option<Value>,
    fields: Vec<(&'static str, Self)>,
    required: Vec<&'static str>,
}

/// The schema of a kind of resource for the newest Istio; its policy fits `policy`.
pub(super) fn of(kind: Kind, policy: &Value) -> Value {
    let Some(resource) = Schema::of(kind) else { return json!({}) };
    let mut root = Place::default();
    for field in resource.fields() {
        let (parent, name) = field.path.rsplit_once('.').unwrap_or(("", field.path));
        let place = root.at(parent);
        if field.required {
            place.required.push(name);
        }
        place.at(name).kind = Some(of_type(&field.field_type));
    }
    let plugin = kind.plugin().unwrap_or_default();
    root.at(plugin).at("pluginConfig").kind = Some(policy.clone());
    // Of the kinds of extensions it is Wasm.
    if let Some((parent, name)) = plugin.rsplit_once('.') {
        root.at(parent).required.push(name);
    }
    root.at("kind").kind = Some(json!({ "const": resource.name }));
    root.required.push("kind");
    let versions: Vec<&str> = resource.versions.iter().map(|(version, _)| *version).collect();
    root.at("apiVersion").kind = Some(json!({ "enum": versions }));
    root.schema()
}

impl Place {
    /// The place at a path; `[]` goes into a list.
    fn at(&mut self, path: &'static str) -> &mut Self {
        let names = path.split('.').filter(|name| !name.is_empty());
        names.fold(self, |place, name| {
            let (name, in_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
            let place = place.field(name);
            if in_list { place.field("[]") } else { place }
        })
    }

    fn field(&mut self, name: &'static str) -> &mut Self {
        let at = self.fields.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.fields.push((name, Self::default()));
            self.fields.len() - 1
        });
        &mut self.fields[at].1
    }

    fn schema(&self) -> Value {
        let mut schema = self.kind.clone().unwrap_or_else(|| json!({ "type": "object" }));
        if let Some((_, element)) = self.fields.iter().find(|(name, _)| *name == "[]") {
            schema["items"] = element.schema();
            return schema;
        }
        if self.fields.is_empty() {
            return schema;
        }
        let properties: Map<String, Value> = self
            .fields
            .iter()
            .filter(|(name, _)| *name != "*")
            .map(|(name, place)| ((*name).to_owned(), place.schema()))
            .collect();
        let others = self.fields.iter().find(|(name, _)| *name == "*").map(|(_, place)| place.schema());
        schema["properties"] = properties.into();
        schema["additionalProperties"] = others.unwrap_or(Value::Bool(false));
        if !self.required.is_empty() {
            schema["required"] = self.required.clone().into();
        }
        schema
    }
}

fn of_type(kind: &FieldType) -> Value {
    match kind {
        FieldType::Text => json!({ "type": "string" }),
        FieldType::Name => json!({ "type": "string", "minLength": 1 }),
        FieldType::Bool => json!({ "type": "boolean" }),
        FieldType::Table => json!({ "type": "object" }),
        FieldType::List => json!({ "type": "array" }),
        FieldType::Integer(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        FieldType::Word(words) => json!({ "enum": words.iter().map(|(word, _)| *word).collect::<Vec<_>>() }),
        // Neither of the two kinds of resource has such a field; lint compares them.
        FieldType::AnyCase(_) => json!({ "type": "string" }),
        FieldType::Any => json!(true),
    }
}
