//! Reads a table of an old configuration, and refuses what nobody has read: nothing is dropped silently.

use narrows_core::PolicyValue;

use super::difference::Log;
use crate::meant::suggestion;
use crate::source::{Key, Node, Value};

/// A table that is read field by field.
pub(super) struct Fields<'n> {
    node: &'n Node,
    taken: Vec<&'n str>,
    /// Every name that was asked for: what a misspelt one may mean.
    known: Vec<String>,
}

impl<'n> Fields<'n> {
    /// Of a table; of anything else there are no fields, and it is refused.
    pub(super) fn of(node: &'n Node, log: &mut Log) -> Self {
        if !matches!(node.value, Value::Table(_)) {
            log.refuse(&node.at, "this is not a table", "write its fields");
        }
        Self { node, taken: Vec::new(), known: Vec::new() }
    }

    /// The table itself.
    pub(super) fn node(&self) -> &'n Node {
        self.node
    }

    /// A field, if it has a value. It is read then.
    pub(super) fn take(&mut self, name: &str) -> Option<&'n Node> {
        self.known.push(name.to_owned());
        let (key, value) = self.node.fields().iter().find(|(key, _)| key.name == name)?;
        self.taken.push(&key.name);
        (!matches!(value.value, Value::Scalar(PolicyValue::Null))).then_some(value)
    }

    /// A text. Anything else is refused.
    pub(super) fn text(&mut self, name: &str, log: &mut Log) -> Option<&'n str> {
        let node = self.take(name)?;
        let text = node.text();
        if text.is_none() {
            log.refuse(&node.at, format!("\"{name}\" is not a text"), "write it in quotes");
        }
        text
    }

    /// A whole number from 0. Anything else is refused.
    pub(super) fn number(&mut self, name: &str, log: &mut Log) -> Option<u64> {
        let node = self.take(name)?;
        let number = match &node.value {
            Value::Scalar(PolicyValue::Integer(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        if number.is_none() {
            log.refuse(&node.at, format!("\"{name}\" is not a whole number"), "write a number from 0");
        }
        number
    }

    /// The number of a port. Anything else is refused.
    pub(super) fn port(&mut self, name: &str, log: &mut Log) -> Option<u64> {
        let port = self.number(name, log)?;
        if let (Some(node), false) = (self.node.get(name), (1..=65_535).contains(&port)) {
            log.refuse(&node.at, format!("{port} is no port"), "write a number from 1 to 65535");
        }
        Some(port)
    }

    /// Yes or no; `false` if it is not there. Anything else is refused.
    pub(super) fn flag(&mut self, name: &str, log: &mut Log) -> bool {
        self.flag_or(name, false, log)
    }

    /// Yes or no, or what it is if it is not there. Anything else is refused.
    pub(super) fn flag_or(&mut self, name: &str, default: bool, log: &mut Log) -> bool {
        let Some(node) = self.take(name) else { return default };
        if let Value::Scalar(PolicyValue::Flag(flag)) = &node.value {
            return *flag;
        }
        log.refuse(&node.at, format!("\"{name}\" is neither true nor false"), "write true or false");
        default
    }

    /// The fields of a table; none if it is not there. Anything else is refused.
    pub(super) fn table(&mut self, name: &str, log: &mut Log) -> &'n [(Key, Node)] {
        let Some(node) = self.take(name) else { return &[] };
        if !matches!(node.value, Value::Table(_)) {
            log.refuse(&node.at, format!("\"{name}\" is not a table"), "write its fields");
        }
        node.fields()
    }

    /// The elements of a list; none if it is not there. Anything else is refused.
    pub(super) fn list(&mut self, name: &str, log: &mut Log) -> &'n [Node] {
        let Some(node) = self.take(name) else { return &[] };
        if !matches!(node.value, Value::List(_)) {
            log.refuse(&node.at, format!("\"{name}\" is not a list"), "write a list");
        }
        node.elements()
    }

    /// The texts of a list.
    pub(super) fn texts(&mut self, name: &str, log: &mut Log) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.list(name, log) {
            match node.text() {
                Some(text) => texts.push(text.to_owned()),
                None => log.refuse(&node.at, format!("\"{name}\" has something that is no text"), "quote it"),
            }
        }
        texts
    }

    /// The names and texts of a table.
    pub(super) fn pairs(&mut self, name: &str, log: &mut Log) -> Vec<(&'n str, &'n str, &'n Node)> {
        let mut pairs = Vec::new();
        for (key, value) in self.table(name, log) {
            match value.text() {
                Some(text) => pairs.push((key.name.as_str(), text, value)),
                None => {
                    log.refuse(&value.at, format!("\"{}\" is not a text", key.name), "write it in quotes");
                }
            }
        }
        pairs
    }

    /// Fields that are refused if they are there, each with what to use in its place.
    pub(super) fn refuse(&mut self, fields: &[(&str, &str)], log: &mut Log) {
        for (name, help) in fields {
            self.known.push((*name).to_owned());
            if let Some((key, _)) = self.node.field(name) {
                log.refuse(&key.at, format!("\"{name}\" is not converted"), *help);
            }
            let known = self.node.fields().iter().find(|(key, _)| key.name == *name);
            self.taken.extend(known.map(|(key, _)| key.name.as_str()));
        }
    }

    /// Fields that are no matter of a policy.
    pub(super) fn ignore(&mut self, fields: &[&str]) {
        for name in fields {
            self.take(name);
        }
    }

    /// Every field that nobody has read, as it is written.
    pub(super) fn others(&self) -> Vec<(&'n str, &'n Node)> {
        let fields = self.node.fields().iter().map(|(key, value)| (key.name.as_str(), value));
        fields.filter(|(name, _)| !self.taken.contains(name)).collect()
    }

    /// Refuses every field that nobody has read.
    pub(super) fn rest(self, what: &str, log: &mut Log) {
        // One that is there already is not meant.
        let is_there = |name: &str| self.node.fields().iter().any(|(key, _)| key.name == name);
        let free: Vec<&str> = self.known.iter().map(String::as_str).filter(|name| !is_there(name)).collect();
        for (key, value) in self.node.fields() {
            let is_null = matches!(value.value, Value::Scalar(PolicyValue::Null));
            if !self.taken.contains(&key.name.as_str()) && !is_null {
                let name = &key.name;
                let other =
                    || "take it out, and do what it does by hand: nothing is left out silently".to_owned();
                log.refuse(
                    &key.at,
                    format!("\"{name}\" of {what} is not converted"),
                    suggestion(name, &free).unwrap_or_else(other),
                );
            }
        }
    }
}
