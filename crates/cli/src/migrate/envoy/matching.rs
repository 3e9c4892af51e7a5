//! The match of a route of Envoy.

use crate::migrate::difference::Log;
use crate::migrate::fields::Fields;
use crate::migrate::old::{Condition, Match, On, PathKind, PathTest, Sense, Test};
use crate::source::Node;

/// Reads a match.
pub(super) fn read(node: &Node, log: &mut Log) -> Match {
    let mut fields = Fields::of(node, log);
    let ignores = !fields.flag_or("case_sensitive", true, log);
    let mut found = Match::default();
    for (name, how) in [
        ("prefix", PathKind::Prefix),
        ("path", PathKind::Exact),
        ("path_separated_prefix", PathKind::Segments),
    ] {
        if let Some(text) = fields.text(name, log) {
            found.path = Some(PathTest { how, text: text.to_owned(), ignore_case: ignores });
        }
    }
    if let Some(regex) = fields.take("safe_regex").and_then(|node| regex(node, log)) {
        found.path = Some(PathTest { how: PathKind::Regex, text: regex, ignore_case: false });
    }
    for header in fields.list("headers", log) {
        self::header(header, &mut found, log);
    }
    for parameter in fields.list("query_parameters", log) {
        crate::migrate::parameters(&parameter.at, log);
        if let Some(condition) = self::parameter(parameter, log) {
            found.conditions.push(condition);
        }
    }
    fields.refuse(
        &[
            ("runtime_fraction", "write the share as a weight of canary-split"),
            ("grpc", "write the header content-type with the prefix application/grpc"),
            ("dynamic_metadata", "write \"metadata\" in the match of the rule"),
        ],
        log,
    );
    fields.rest("a match", log);
    found
}

/// The expression of a `RegexMatcher`.
pub(super) fn regex(node: &Node, log: &mut Log) -> Option<String> {
    let mut fields = Fields::of(node, log);
    fields.ignore(&["google_re2"]);
    let regex = fields.text("regex", log).map(str::to_owned);
    fields.rest("an expression", log);
    regex
}

/// A `HeaderMatcher`, in its new spelling and in its old one.
fn header(node: &Node, found: &mut Match, log: &mut Log) {
    let mut fields = Fields::of(node, log);
    let name = fields.text("name", log).unwrap_or_default().to_ascii_lowercase();
    let inverts = fields.flag("invert_match", log);
    let as_empty = fields.flag("treat_missing_header_as_empty", log);
    let (mut test, mut ignore_case) = (None, false);
    if let Some(node) = fields.take("string_match") {
        (test, ignore_case) = string(node, log);
    }
    for (field, of) in [
        ("exact_match", Test::Exact as fn(String) -> Test),
        ("prefix_match", Test::Prefix),
        ("suffix_match", Test::Suffix),
        ("contains_match", Test::Contains),
    ] {
        test = fields.text(field, log).map(|text| of(text.to_owned())).or(test);
    }
    if let Some(regex) = fields.take("safe_regex_match").and_then(|node| regex(node, log)) {
        test = Some(Test::Regex(regex));
    }
    if let Some(node) = fields.take("range_match") {
        let mut range = Fields::of(node, log);
        let from = range.number("start", log).unwrap_or_default();
        let to = range.number("end", log).unwrap_or_default();
        range.rest("a range", log);
        test =
            Some(Test::Range(i64::try_from(from).unwrap_or(i64::MAX), i64::try_from(to).unwrap_or(i64::MAX)));
    }
    let is_absent = !fields.flag_or("present_match", true, log);
    fields.rest("a header condition", log);
    let test = test.unwrap_or(Test::Present);
    let sense = match (&test, inverts, as_empty) {
        (Test::Present, _, _) if inverts != is_absent => Sense::Fails,
        (Test::Present, ..) | (_, false, false) => Sense::Holds,
        (_, true, true) => Sense::Fails,
        (_, true, false) => Sense::Differs,
        (_, false, true) => {
            log.refuse(
                &node.at,
                "\"treat_missing_header_as_empty\" without \"invert_match\" is not converted",
                "take it out, or write a second route for requests without the header",
            );
            return;
        }
    };
    let condition = |on| Condition { on, test: test.clone(), ignore_case, sense };
    match &*name {
        ":method" => found.conditions.push(condition(On::Method)),
        ":authority" | "host" | ":path" | ":scheme" => log.refuse(
            &node.at,
            format!("a condition on {name} is not converted"),
            "write \"hosts\", \"path\" or \"scheme\" in the match of the rule",
        ),
        _ => found.conditions.push(condition(On::Header(name))),
    }
}

/// A `StringMatcher`.
fn string(node: &Node, log: &mut Log) -> (Option<Test>, bool) {
    let mut fields = Fields::of(node, log);
    let mut ignore_case = fields.flag("ignore_case", log);
    let mut test = None;
    for (field, of) in [
        ("exact", Test::Exact as fn(String) -> Test),
        ("prefix", Test::Prefix),
        ("suffix", Test::Suffix),
        ("contains", Test::Contains),
    ] {
        test = fields.text(field, log).map(|text| of(text.to_owned())).or(test);
    }
    if let Some(regex) = fields.take("safe_regex").and_then(|node| regex(node, log)) {
        // Envoy does not ask the letter case of an expression.
        (test, ignore_case) = (Some(Test::Regex(regex)), false);
    }
    fields.rest("a text condition", log);
    (test, ignore_case)
}

fn parameter(node: &Node, log: &mut Log) -> Option<Condition> {
    let mut fields = Fields::of(node, log);
    let name = fields.text("name", log)?.to_owned();
    let (mut test, mut ignore_case) = (None, false);
    if let Some(node) = fields.take("string_match") {
        (test, ignore_case) = string(node, log);
    }
    let is_absent = !fields.flag_or("present_match", true, log);
    fields.rest("a parameter", log);
    if is_absent {
        log.refuse(
            &node.at,
            "\"present_match: false\" is not converted",
            "write \"present\": false in the rule",
        );
    }
    let test = test.unwrap_or(Test::Present);
    Some(Condition { on: On::Query(name), test, ignore_case, sense: Sense::Holds })
}
