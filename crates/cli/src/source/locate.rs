//! From the place of a fault in a policy to the bytes in its file.

use std::ops::Range;

use narrows_core::{Code, Fault, PathSegment};

use super::{Node, Value};
use crate::code::policy;
use crate::finding::{Finding, Level};

impl Node {
    /// The finding for a fault of this policy, in its file.
    pub fn finding(&self, fault: &Fault) -> Finding {
        Finding {
            code: policy::of(fault.code),
            level: Level::Error,
            at: self.locate(fault),
            place: fault.place.to_string(),
            message: fault.message.clone(),
            help: fault.help.clone(),
        }
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
