//! From the place of a fault in a policy to the bytes in its file.

use std::ops::Range;

use narrows_core::{Code, Fault, PathSegment, PolicyValue};

use super::{Key, Node, Value};
use crate::code::policy;
use crate::finding::{Finding, Level};

impl Node {
    /// The finding for a fault of this policy, in its file.
    pub fn finding(&self, fault: &Fault) -> Finding {
        let (message, help) = self.told(fault);
        let (code, at) = (policy::of(fault.code), self.locate(fault));
        Finding { code, level: Level::Error, at, place: fault.place.to_string(), message, help }
    }

    /// What a fault says. A filter says it in few words, and does not have the file.
    fn told(&self, fault: &Fault) -> (String, String) {
        let node = self.at_place(fault);
        let empty = |(key, value): &&(Key, Self)| {
            matches!(value.value, Value::Scalar(PolicyValue::Null))
                && fault.message.contains(&format!("{:?}", key.name))
        };
        if let Some(text) = node.text().filter(|_| fault.message == "expected a list, found a string") {
            return (fault.message.clone(), format!("write a list, such as [{text:?}]"));
        }
        if let Some((key, _)) =
            node.fields().iter().find(empty).filter(|_| fault.message.starts_with("expected exactly one"))
        {
            return (format!("{:?} has no value", key.name), "write one, or take the field out".to_owned());
        }
        (fault.message.clone(), fault.help.clone())
    }

    /// The value that a fault is about, as far as it is there.
    fn at_place(&self, fault: &Fault) -> &Self {
        let mut node = self;
        for segment in fault.place.segments() {
            let next = match segment {
                PathSegment::Index(index) => node.elements().get(*index),
                PathSegment::Field(field) => {
                    node.fields().iter().find(|(key, _)| key.name == *field).map(|(_, value)| value)
                }
            };
            let Some(inner) = next else { break };
            node = inner;
        }
        node
    }

    /// Where a fault is: at the field's name if the name is at fault, else at the value. For a value
    /// over several lines it is at the name.
    pub fn locate(&self, fault: &Fault) -> Range<usize> {
        let of_name = matches!(fault.code, Code::UnknownField | Code::RepeatedField);
        let mut node = self;
        let mut name = None;
        for segment in fault.place.segments() {
            let next = match segment {
                PathSegment::Index(index) => node.elements().get(*index).map(|element| (None, element)),
                PathSegment::Field(field) => {
                    let mut same = node.fields().iter().filter(|(key, _)| key.name == *field);
                    // Of two fields with the same name, the second is the duplicate.
                    let found =
                        if fault.code == Code::RepeatedField { same.next_back() } else { same.next() };
                    found.map(|(key, value)| (Some(key), value))
                }
            };
            // A missing field is reported at the table that should have it.
            let Some((key, inner)) = next else { break };
            (name, node) = (key, inner);
        }
        match (name, &node.value) {
            (Some(key), _) if of_name => key.at.clone(),
            (_, Value::Scalar(_)) => node.at.clone(),
            (Some(key), _) => key.at.clone(),
            (None, _) => node.head(),
        }
    }

    /// Where a value begins: its first name, or its first character.
    pub fn head(&self) -> Range<usize> {
        match (self.fields().first(), &self.value) {
            (Some((key, _)), _) if self.at.is_empty() || key.at.start == self.at.start => key.at.clone(),
            (_, Value::Scalar(_)) => self.at.clone(),
            _ => self.at.start..self.at.start + 1,
        }
    }
}
