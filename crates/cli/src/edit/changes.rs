//! What an edit has changed: by an alias it may be more than what was edited.

use crate::source::{Key, Node, Value};

/// A place where two readings of a file differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path of the table or list.
    pub within: String,
    /// The path of what differs in it.
    pub path: String,
}

/// Every place where two readings of a file differ; `each` is what they consist of.
pub fn changes(each: &str, old: &[Node], new: &[Node]) -> Vec<Change> {
    let mut found = Vec::new();
    for (number, (before, after)) in old.iter().zip(new).enumerate() {
        let path = if old.len() > 1 { format!("{each} {}: ", number + 1) } else { String::new() };
        compare(before, after, Change { within: String::new(), path }, &mut found);
    }
    if old.len() != new.len() {
        let path = format!("{each} {}", old.len().min(new.len()) + 1);
        found.push(Change { within: String::new(), path });
    }
    found
}

fn compare(old: &Node, new: &Node, place: Change, found: &mut Vec<Change>) {
    match (&old.value, &new.value) {
        (Value::Table(before), Value::Table(after)) => {
            let [olds, news] = [before, after].map(|fields| names(fields));
            if olds == news {
                for ((key, old), (_, new)) in before.iter().zip(after) {
                    compare(old, new, place.field(&key.name), found);
                }
                return;
            }
            for (key, old) in before {
                match after.iter().find(|(other, _)| other.name == key.name) {
                    Some((_, new)) => compare(old, new, place.field(&key.name), found),
                    None => found.push(place.field(&key.name)),
                }
            }
            let added = news.into_iter().filter(|name| !olds.contains(name));
            found.extend(added.map(|name| place.field(name)));
        }
        (Value::List(before), Value::List(after)) if before.len() == after.len() => {
            for (index, (old, new)) in before.iter().zip(after).enumerate() {
                let element = Change { within: place.path.clone(), path: format!("{}[{index}]", place.path) };
                compare(old, new, element, found);
            }
        }
        _ if old.tree() != new.tree() => found.push(place),
        _ => {}
    }
}

fn names(fields: &[(Key, Node)]) -> Vec<&str> {
    fields.iter().map(|(key, _)| key.name.as_str()).collect()
}

impl Change {
    /// A field of what is there.
    fn field(&self, name: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.ends_with(' ') { "" } else { "." };
        Self { within: self.path.clone(), path: format!("{}{dot}{name}", self.path) }
    }
}
