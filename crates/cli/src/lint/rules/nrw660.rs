//! NRW660: a condition on a value that no request has.

use narrows_core::describe::{Object, Type};

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::rule::{Check, Rule};
use crate::lint::wire::{Carrier, Part};
use crate::placement::deed::is_on;
use crate::source::{Node, Value};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW660",
        title: "a value that no request has",
        text: "The condition compares with a text that no request can carry, or with an expression that matches no such
text, so it never holds; with \"invert\", or under \"withoutHeaders\", it always does. A path has no blanks
and is compared without its query. Blanks around a header's value are no part of it, and a proxy refuses
line ends. A cookie ends at \";\". Methods are written in capitals, and their letter case counts. A query
parameter may have any value.",
    },
    checks: &[Check::Policy(check)],
};

/// Methods that clients write in capitals (RFC 9110 §9.3, RFC 5789).
const METHODS: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

fn check(filter: Filter, policy: &Node, findings: &mut Vec<Finding>) {
    walk(filter.language(), policy, "", findings);
}

/// Looks for matches wherever the language of the filter has one.
fn walk(object: &'static Object, node: &Node, place: &str, findings: &mut Vec<Finding>) {
    if object.summary.name == "match" {
        return matched(node, place, findings);
    }
    for (key, value) in node.fields() {
        let place = if place.is_empty() { key.name.clone() } else { format!("{place}.{}", key.name) };
        if let Some(kind) = kind_of(object, &key.name) {
            of_type(kind, value, &place, findings);
        }
    }
}

fn of_type(kind: &Type, node: &Node, place: &str, findings: &mut Vec<Finding>) {
    match kind {
        Type::Table(object) => walk(object, node, place, findings),
        Type::List(kind, ..) => {
            let elements = node.elements().iter().enumerate();
            elements.for_each(|(i, node)| of_type(kind, node, &format!("{place}[{i}]"), findings));
        }
        Type::Map(_, kind, _) => {
            let fields = node.fields().iter();
            fields.for_each(|(key, node)| of_type(kind, node, &format!("{place}.{}", key.name), findings));
        }
        // The shape that fits; of the others nothing is found.
        Type::Either(kinds) => kinds.iter().for_each(|kind| of_type(kind, node, place, findings)),
        _ => {}
    }
}

fn kind_of(object: &'static Object, name: &str) -> Option<&'static Type> {
    let own = object.fields.iter().find(|field| field.name == name).map(|field| &field.about.kind);
    own.or_else(|| object.includes.iter().find_map(|included| kind_of(included, name)))
}

fn matched(node: &Node, place: &str, findings: &mut Vec<Finding>) {
    for (key, value) in node.fields() {
        let place = format!("{place}.{}", key.name);
        let mut named = |carrier, is_without| {
            for (name, test) in value.fields() {
                let kind = match carrier {
                    Carrier::Query => "query parameter",
                    _ if is_without => "header",
                    _ => key.name.trim_end_matches('s'),
                };
                let what = format!("{kind} {:?}", name.name);
                tested(carrier, is_without, &what, test, &format!("{place}.{}", name.name), findings);
            }
        };
        match key.name.as_str() {
            "headers" => named(Carrier::Header, false),
            "withoutHeaders" => named(Carrier::Header, true),
            "cookies" => named(Carrier::Cookie, false),
            "queryParams" => named(Carrier::Query, false),
            "path" => tested(Carrier::Path, false, "path", value, &place, findings),
            "method" => tested(Carrier::Method, false, "method", value, &place, findings),
            _ => {}
        }
    }
}

/// A test of one value. `is_without` turns around what it says.
fn tested(
    carrier: Carrier,
    is_without: bool,
    what: &str,
    test: &Node,
    place: &str,
    findings: &mut Vec<Finding>,
) {
    let is_inverted = is_without != is_on(test, "invert");
    let ignores_case = is_on(test, "ignoreCase");
    for (key, value) in test.fields() {
        let part = match key.name.as_str() {
            "exact" | "in" => Part::Whole,
            "prefix" | "pathPrefix" => Part::Start,
            "template" if carrier == Carrier::Path => Part::Start,
            "suffix" => Part::End,
            "contains" => Part::Inside,
            "regex" => {
                let why = value.text().and_then(|regex| carrier.lacks_match(regex, ignores_case));
                findings.extend(why.map(|why| {
                    let message = format!(
                        "no request has a {what} that matches {:?}{}",
                        value.text().unwrap_or_default(),
                        then(is_inverted)
                    );
                    Finding::warning(&RULE.code, &value.at, &format!("{place}.regex"), &message, why)
                }));
                continue;
            }
            _ => continue,
        };
        let list = matches!(value.value, Value::List(_));
        let texts = if list { value.elements() } else { std::slice::from_ref(value) };
        for (i, node) in texts.iter().enumerate() {
            let Some(text) = node.text() else { continue };
            let at_place = |message: &str, help: &str| {
                let list = if list { format!("[{i}]") } else { String::new() };
                let place = format!("{place}.{}{list}", key.name);
                Finding::warning(&RULE.code, &node.at, &place, message, help)
            };
            if let Some(method) = meant(carrier, part, text).filter(|_| !ignores_case) {
                let message = format!("{text:?} is another method than {method}");
                findings.push(at_place(
                    &message,
                    &format!("write {method:?}: the letter case of methods counts"),
                ));
            }
            let Some(why) = carrier.lacks(part, text) else { continue };
            let then = if list && texts.len() > 1 { "" } else { then(is_inverted) };
            let message = format!("no request has a {what} {} {text:?}{then}", words(part));
            findings.push(at_place(&message, why));
        }
    }
}

/// What becomes of a condition that nothing meets.
fn then(is_inverted: bool) -> &'static str {
    if is_inverted { ": the condition always holds" } else { ": the condition never holds" }
}

/// The method that is meant by a text that differs from it in letter case alone.
fn meant(carrier: Carrier, part: Part, text: &str) -> Option<&'static str> {
    let is_meant = |method: &&str| method.eq_ignore_ascii_case(text) && **method != *text;
    METHODS.into_iter().find(is_meant).filter(|_| carrier == Carrier::Method && part == Part::Whole)
}

const fn words(part: Part) -> &'static str {
    match part {
        Part::Whole => "that is",
        Part::Start => "that begins with",
        Part::End => "that ends with",
        Part::Inside => "that holds",
    }
}
