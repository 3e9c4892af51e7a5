//! As much of JSON Schema as the schemas use; any other keyword is a fault of theirs.

use regex_automata::nfa::thompson::pikevm::PikeVM;
use serde_json::{Map, Value};

/// A schema with its definitions.
pub(super) struct Schema<'s>(pub(super) &'s Value);

impl Schema<'_> {
    /// What of a value does not fit, if anything.
    pub(super) fn misfit(&self, value: &Value) -> Option<String> {
        self.of(self.0, value).err()
    }

    fn of(&self, schema: &Value, value: &Value) -> Result<(), String> {
        if schema == true {
            return Ok(());
        }
        let schema = schema.as_object().expect("a schema is an object");
        for (keyword, rule) in schema {
            if !self.holds(schema, keyword, rule, value)? {
                return Err(format!("{value} does not fit {keyword}: {rule}"));
            }
        }
        Ok(())
    }

    fn holds(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
    ) -> Result<bool, String> {
        let rules = || rule.as_array().expect("a list of schemas").iter();
        let (text, list, table, number) =
            (value.as_str(), value.as_array(), value.as_object(), value.as_f64());
        let limit = || usize::try_from(rule.as_u64().expect("a number")).unwrap();
        Ok(match keyword {
            "$schema" | "$defs" | "$comment" | "title" | "description" | "default" => true,
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap().replace("%20", " ");
                return self.of(self.0.pointer(&pointer).expect(&pointer), value).map(|()| true);
            }
            "type" => match rule {
                Value::Array(_) => rules().any(|one| is(one, value)),
                one => is(one, value),
            },
            "const" => value == rule,
            "enum" => rules().any(|one| one == value),
            "pattern" => text.is_none_or(|text| matches(rule.as_str().unwrap(), text)),
            "minLength" => text.is_none_or(|text| text.chars().count() >= limit()),
            "maxLength" => text.is_none_or(|text| text.chars().count() <= limit()),
            "minimum" => number.is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => number.is_none_or(|number| number <= rule.as_f64().unwrap()),
            "minItems" => list.is_none_or(|list| list.len() >= limit()),
            "maxItems" => list.is_none_or(|list| list.len() <= limit()),
            "maxProperties" => table.is_none_or(|table| table.len() <= limit()),
            other => return self.holds_inside(schema, other, rule, value),
        })
    }

    /// Whether the fields that a schema does not name fit the rule for them.
    fn others(
        &self,
        schema: &Map<String, Value>,
        rule: &Value,
        table: Option<&Map<String, Value>>,
    ) -> Result<bool, String> {
        let known = |name: &String| {
            schema.get("properties").is_some_and(|fields| fields.get(name).is_some())
                || schema
                    .get("patternProperties")
                    .is_some_and(|fields| fields.as_object().unwrap().keys().any(|p| matches(p, name)))
        };
        let mut others = table.into_iter().flatten().filter(|(name, _)| !known(name));
        if rule == false {
            return Ok(others.next().is_none());
        }
        others.try_for_each(|(_, value)| self.of(rule, value))?;
        Ok(true)
    }

    /// The same for keywords that hold schemas.
    fn holds_inside(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
    ) -> Result<bool, String> {
        let fits = |schema: &Value| self.of(schema, value).is_ok();
        let rules = || rule.as_array().expect("a list of schemas").iter();
        let (list, table) = (value.as_array(), value.as_object());
        let has = |names: &Value| {
            let mut names = names.as_array().expect("a list of names").iter();
            table.is_none_or(|table| names.all(|name| table.contains_key(name.as_str().unwrap())))
        };
        Ok(match keyword {
            "items" => {
                list.into_iter().flatten().try_for_each(|element| self.of(rule, element))?;
                true
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    table.and_then(|table| table.get(name)).map_or(Ok(()), |value| self.of(schema, value))?;
                }
                true
            }
            "patternProperties" => {
                for (pattern, schema) in rule.as_object().unwrap() {
                    let mut fields = table.into_iter().flatten().filter(|(name, _)| matches(pattern, name));
                    fields.try_for_each(|(_, value)| self.of(schema, value))?;
                }
                true
            }
            "additionalProperties" => return self.others(schema, rule, table),
            "if" => {
                if fits(rule) {
                    self.of(&schema["then"], value)?;
                }
                true
            }
            "then" => true,
            "required" => has(rule),
            "dependentRequired" => {
                let mut rules = rule.as_object().unwrap().iter();
                rules.all(|(name, names)| table.is_none_or(|table| !table.contains_key(name)) || has(names))
            }
            "dependentSchemas" => {
                for (name, schema) in rule.as_object().unwrap() {
                    table
                        .filter(|table| table.contains_key(name))
                        .map_or(Ok(()), |_| self.of(schema, value))?;
                }
                true
            }
            "allOf" => {
                rules().try_for_each(|schema| self.of(schema, value))?;
                true
            }
            "anyOf" => rules().any(fits),
            "oneOf" => rules().filter(|schema| fits(schema)).count() == 1,
            "not" => !fits(rule),
            other => panic!("the keyword {other:?}"),
        })
    }
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("the type {other:?}"),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    thread_local! {
        static KNOWN: std::cell::RefCell<std::collections::BTreeMap<String, PikeVM>> = const { std::cell::RefCell::new(std::collections::BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        let engine = known.entry(pattern.to_owned()).or_insert_with(|| PikeVM::new(pattern).expect(pattern));
        engine.is_match(&mut engine.create_cache(), text)
    })
}
