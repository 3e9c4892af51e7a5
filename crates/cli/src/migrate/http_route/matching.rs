//! The matches of an `HTTPRoute`.

use crate::migrate::difference::Log;
use crate::migrate::fields::Fields;
use crate::migrate::old::{Condition, Match, On, PathKind, PathTest, Sense, Test};
use crate::source::Node;

/// Reads one match.
pub(super) fn read(node: &Node, log: &mut Log) -> Match {
    let mut fields = Fields::of(node, log);
    let mut found = Match::default();
    if let Some(node) = fields.take("path") {
        found.path = path(node, log);
    }
    if let Some(method) = fields.text("method", log) {
        found.conditions.push(condition(On::Method, Test::Exact(method.to_owned())));
    }
    for node in fields.list("headers", log) {
        let (name, test) = pair(node, log);
        let on = On::Header(name.to_ascii_lowercase());
        // Of several with one name the first counts.
        if !found.conditions.iter().any(|known| known.on == on) {
            found.conditions.push(condition(on, test));
        }
    }
    for node in fields.list("queryParams", log) {
        crate::migrate::parameters(&node.at, log);
        let (name, test) = pair(node, log);
        let on = On::Query(name);
        if !found.conditions.iter().any(|known| known.on == on) {
            found.conditions.push(condition(on, test));
        }
    }
    fields.rest("a match", log);
    found
}

fn condition(on: On, test: Test) -> Condition {
    Condition { on, test, ignore_case: false, sense: Sense::Holds }
}

fn pair(node: &Node, log: &mut Log) -> (String, Test) {
    let mut fields = Fields::of(node, log);
    let name = fields.text("name", log).unwrap_or_default().to_owned();
    let value = fields.text("value", log).unwrap_or_default().to_owned();
    let test = match fields.text("type", log).unwrap_or("Exact") {
        "Exact" => Test::Exact(value),
        "RegularExpression" => Test::Regex(value),
        other => {
            log.refuse(&node.at, format!("the type {other:?} is not one of Gateway API"), "write \"Exact\"");
            Test::Present
        }
    };
    fields.rest("a condition", log);
    (name, test)
}

fn path(node: &Node, log: &mut Log) -> Option<PathTest> {
    let mut fields = Fields::of(node, log);
    let text = fields.text("value", log).unwrap_or("/").to_owned();
    let how = match fields.text("type", log).unwrap_or("PathPrefix") {
        "Exact" => PathKind::Exact,
        "PathPrefix" => PathKind::Segments,
        "RegularExpression" => PathKind::Regex,
        other => {
            log.refuse(
                &node.at,
                format!("the type {other:?} is not one of Gateway API"),
                "write \"PathPrefix\"",
            );
            return None;
        }
    };
    fields.rest("a path", log);
    // A slash at the end of a prefix means nothing.
    let text = match how {
        PathKind::Segments if text.len() > 1 => text.trim_end_matches('/').to_owned(),
        _ => text,
    };
    Some(PathTest { how, text, ignore_case: false })
}
