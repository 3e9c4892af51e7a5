//! Policies that cannot be meant, and their errors.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::refusal;
use crate::filter::tags::Tagger;
use crate::language::policy_value::PolicyValue;
use crate::policy::Policy;

#[test]
fn each_fault_has_a_place_and_a_remedy() {
    let tag =
        |tag: &str| format!(r#"{{"tags": {{"x": {tag}}}, "metrics": [{{"name": "m", "tags": ["x"]}}]}}"#);
    let stock = |tag: &str| format!(r#"{{"labels": "stock", "tags": {{"x": {tag}}}}}"#);
    for (policy, expected) in [
        (stock(r#"{"header": "x", "stockLabel": "response_code"}"#), "error[NRW303]: tags.x.stockLabel: \"response_code\" carries a code"),
        (stock(r#"{"statusCode": true, "stockLabel": "response_code_class"}"#), "error[NRW303]: tags.x.stockLabel: "),
        (stock(r#"{"statusClass": true, "stockLabel": "response_code_class", "missing": "none"}"#), "error[NRW303]: tags.x.missing: "),
        (
            r#"{"labels": "stock", "attributes": [{"output_attribute": "op", "match": [{"value": "v", "condition": "true"}]}],
                "metrics": [{"name": "m", "tags": ["op"]}]}"#
                .to_owned(),
            "error[NRW303]: metrics[0].tags[0]: tag \"op\" has no stock label; an attribute cannot have one",
        ),
        (tag("{}"), "error[NRW103]: tags.x: expected exactly one of \"fixed\""),
        (tag(r#"{"header": "a", "cookie": "b"}"#), "error[NRW110]: tags.x: \"header\" and \"cookie\" exclude each other"),
        (tag(r#"{"header": "a b"}"#), "error[NRW503]: tags.x.header: "),
        (tag(r#"{"fixed": "a;b"}"#), "error[NRW108]: tags.x.fixed: a label's value cannot hold ';'"),
        (tag(r#"{"fixed": "a", "maxValues": 5}"#), "error[NRW110]: tags.x.maxValues: "),
        (tag(r#"{"header": "a", "maxValues": 100000}"#), "error[NRW107]: tags.x.maxValues: "),
        (tag(r#"{"header": "a", "allow": "\n"}"#), "error[NRW108]: tags.x.allow: "),
        (tag(r#"{"pathTemplates": ["/a/{b}", "/a/{c}"]}"#), "error[NRW301]: tags.x.pathTemplates[1]: "),
        (tag(r#"{"pathTemplates": ["a"]}"#), "error[NRW505]: tags.x.pathTemplates[0]: "),
        (tag(r#"{"hostMap": {"*": "x"}}"#), "error[NRW502]: tags.x.hostMap[\"*\"]: \"*\" is every host; write its value as \"other\""),
        (tag(r#"{"durationClass": [5, 5]}"#), "error[NRW108]: tags.x.durationClass: the bounds are not ascending"),
        (tag(r#"{"statusClass": false}"#), "error[NRW108]: tags.x.statusClass: must be true"),
        (tag(r#"{"statusClass": true, "stockLabel": "tag"}"#), "error[NRW110]: tags.x.stockLabel: "),
        (tag(r#"{"statusClass": true, "values": ["2xx"]}"#), "error[NRW110]: tags.x.values: "),
        (tag(r#"{"host": true, "map": {"a": "b"}}"#), "error[NRW110]: tags.x.map: "),
        (tag(r#"{"property": "a..b"}"#), "error[NRW108]: tags.x.property: "),
        (r#"{"tags": {"class": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags.class: label \"class\" is a suffix of label \"code_class\""),
        (r#"{"tags": {"flow": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags.flow: label \"flow\" is a suffix of label \"overflow\""),
        (
            r#"{"tags": {"a_b": {"fixed": "a"}, "b": {"fixed": "a"}}}"#.to_owned(),
            "error[NRW302]: tags.a_b: label \"b\" is a suffix of label \"a_b\"",
        ),
        (
            r#"{"tags": {"stripped": {"header": "a"}}, "publish": ["stripped"]}"#.to_owned(),
            "error[NRW302]: publish[0]: \"narrows_stripped\" holds what a filter decided",
        ),
        (
            r#"{"tags": {"rule": {"property": ["narrows_split"]}}, "publish": ["rule"]}"#.to_owned(),
            "error[NRW302]: publish[0]: \"narrows_rule\" holds what a filter decided",
        ),
        (
            r#"{"tags": {"rollback": {"header": "a"}}, "publish": ["rollback"]}"#.to_owned(),
            "error[NRW302]: publish[0]: \"narrows_rollback\" holds what a filter decided",
        ),
        (
            r#"{"tags": {"lane": {"header": "x-lane"}}, "publish": ["lane"]}"#.to_owned(),
            "error[NRW302]: publish[0]: \"narrows_lane\" holds what a filter decided",
        ),
        (
            r#"{"attributes": [{"output_attribute": "narrows_egress", "match": [{"value": "v", "condition": "true"}]}]}"#.to_owned(),
            "error[NRW302]: attributes[0].output_attribute: ",
        ),
        (tag(r#"{"property": "response.code"}"#), "error[NRW108]: tags.x.property: \"response.code\" is not text; write {\"statusCode\": true}"),
        (tag(r#"{"property": ["request", "duration"]}"#), "error[NRW108]: tags.x.property: \"request.duration\" is not text"),
        (tag(&format!(r#"{{"pathTemplates": [{}]}}"#, two_ways(6))), "error[NRW106]: tags.x.pathTemplates: one path could be compared with 127 segments"),
        (r#"{"tags": {"my_rule": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags.my_rule: label \"rule\" is a suffix of label \"my_rule\""),
        (r#"{"tags": {"a-b": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags[\"a-b\"]: \"a-b\" cannot be a label"),
        (r#"{"tags": {"overflow": {"fixed": "a"}}}"#.to_owned(), "error[NRW302]: tags.overflow: "),
    ] {
        let message = refusal(&policy);
        assert!(message.starts_with(expected), "{policy}\n{message}");
    }
}

#[test]
fn each_fault_of_a_metric_has_one_too() {
    for (policy, expected) in [
        (r#"{"metrics": [{"name": "m", "tags": ["x"]}]}"#.to_owned(), "error[NRW111]: metrics[0].tags[0]: there is no tag \"x\""),
        (r#"{"metrics": [{"name": "m-x"}]}"#.to_owned(), "error[NRW302]: metrics[0].name: "),
        (r#"{"metrics": [{"name": "narrows_x"}]}"#.to_owned(), "error[NRW302]: metrics[0].name: "),
        (r#"{"metrics": [{"name": "m"}, {"name": "m"}]}"#.to_owned(), "error[NRW105]: metrics[1].name: "),
        (r#"{"metrics": [{"name": "m", "type": "histogram"}]}"#.to_owned(), "error[NRW110]: metrics[0].value: "),
        (r#"{"metrics": [{"name": "m", "type": "gauge", "value": 1}]}"#.to_owned(), "error[NRW110]: metrics[0].value: "),
        (r#"{"metrics": [{"name": "m", "value": "time"}]}"#.to_owned(), "error[NRW110]: metrics[0].value: "),
        (r#"{"metrics": [{"name": "m"}], "limits": {"maxSeries": 1}}"#.to_owned(), "error[NRW107]: limits.maxSeries: "),
        (r#"{"limits": {"maxSeries": 20000}}"#.to_owned(), "error[NRW107]: limits.maxSeries: "),
        (r#"{"publish": ["x"]}"#.to_owned(), "error[NRW111]: publish[0]: there is no tag \"x\""),
        (r#"{"tag": {}}"#.to_owned(), "error[NRW101]: tag: unknown field \"tag\"; did you mean \"tags\"?"),
        (r#"{"filter": "header-router"}"#.to_owned(), "error[NRW109]: filter: "),
        (
            r#"{"labels": "stock", "tags": {"x": {"fixed": "a"}}, "metrics": [{"name": "m", "tags": ["x"]}]}"#.to_owned(),
            "error[NRW303]: metrics[0].tags[0]: tag \"x\" has no stock label",
        ),
        (
            r#"{"labels": "stock", "tags": {"x": {"fixed": "a", "stockLabel": "tag"}, "u": {"fixed": "a", "stockLabel": "tag"}},
                "metrics": [{"name": "m", "tags": ["x", "u"]}]}"#
                .to_owned(),
            "error[NRW303]: metrics[0].tags[1]: the stock label of tag \"u\" is taken",
        ),
    ] {
        let message = refusal(&policy);
        assert!(message.starts_with(expected), "{policy}\n{message}");
    }
}

/// Templates of so many segments, each a literal or a variable, in every combination.
fn two_ways(depth: u32) -> String {
    let template = |number: u32| -> String {
        (0..depth).map(|bit| if number >> bit & 1 == 1 { "/{x}" } else { "/a" }).collect()
    };
    (0..1 << depth).map(|number| format!("\"{}\"", template(number))).collect::<Vec<_>>().join(",")
}

#[test]
fn a_filter_s_word_may_be_published_as_it_is() {
    let policy = r#"{"tags": {"backend": {"property": "narrows_backend"}}, "publish": ["backend"]}"#;
    assert!(Tagger::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).is_ok());
}

#[test]
fn no_tag_is_found_in_a_label_of_a_filter() {
    let message = refusal(r#"{"tags": {"in": {"fixed": "a"}}}"#);
    let expected = "error[NRW302]: tags.in: label \"in\" is a suffix of label \"plugin\"";
    assert!(message.starts_with(expected), "{message}");
}
