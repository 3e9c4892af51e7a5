use std::cell::Cell;

use super::{Api, Use, read};
use crate::filter::Filter;
use crate::source::SourceFile;
use crate::write::yaml;

thread_local! {
    /// How often a template was put into its shape.
    pub(super) static SHAPES: Cell<usize> = const { Cell::new(0) };
}

fn api(text: &str) -> Result<Api, String> {
    let source = SourceFile { path: String::new(), text: format!("openapi: 3.1.0\n{text}") };
    let document = source.documents().unwrap().remove(0);
    read(&source, &document).map_err(|error| error.to_string())
}

/// The hosts, methods and paths of every rule of egress-policy, which the filter takes.
fn rules(text: &str) -> Vec<String> {
    let policy = api(text).unwrap().policy(Use::Egress);
    Filter::EgressPolicy.compile(&policy).unwrap();
    let text = yaml::document(&policy);
    let lines = text.lines().map(str::trim);
    let told = lines.filter_map(|line| {
        ["hosts: ", "methods: ", "- template: "].iter().find_map(|field| line.strip_prefix(field))
    });
    told.map(|value| value.trim_matches('"').to_owned()).collect()
}

#[test]
fn every_server_has_its_paths() {
    let two = "servers: [ { url: 'https://a.example/v1' }, { url: 'https://b.example:8443/v2/' },
  { url: 'https://c.example/v1' } ]\npaths: { /orders: { get: {} } }";
    assert_eq!(
        rules(two),
        ["[a.example, c.example]", "[GET]", "/v1/orders", "[b.example]", "[GET]", "/v2/orders"]
    );
    let tags = yaml::document(&api(two).unwrap().policy(Use::Tags));
    assert!(tags.contains("pathTemplates: [/v1/orders, /v2/orders]"), "{tags}");
    // A path and an operation may have servers of their own.
    let own = "servers: [ { url: 'https://a.example' } ]\npaths:\n  /orders:
    servers: [ { url: 'https://b.example' } ]\n    get: {}\n    put: { servers: [ { url: '//[2001:db8::1]:80/w' } ] }";
    assert_eq!(rules(own), ["[b.example]", "[GET]", "/orders", "[\"[2001:db8::1]\"]", "[PUT]", "/w/orders"]);
    let variables = "servers: [ { url: 'https://{region}.{zone}.example/{version}', variables: {
  region: { enum: [eu, us], default: eu }, zone: { default: z } } }, { url: 'https://{tenant}.example' } ]
paths: { /a: { get: {} } }";
    assert_eq!(rules(variables)[..3], ["[eu.z.example, us.z.example]", "[GET]", "/{version}/a"]);
    let remarks = api(variables).unwrap().remarks(Use::Egress);
    assert!(
        remarks[0].starts_with("the host of the server https://{tenant}.example is not known"),
        "{remarks:?}"
    );
}

#[test]
fn what_is_written_elsewhere_is_read_or_refused() {
    let local = "paths:\n  /orders/{id}: { get: {} }\n  /a: { $ref: '#/components/pathItems/my.orders', put: {} }
  /b: { $ref: '#/paths/~1orders~1%7Bid%7D' }\ncomponents: { pathItems: { my.orders: { post: {}, query: {} } } }";
    let rules = rules(local);
    assert_eq!(rules[..2], ["[api.example.com]", "[GET]"]);
    assert_eq!(rules[2..], ["/orders/{id}", "/b", "[api.example.com]", "[POST, PUT, QUERY]", "/a"]);
    for (written, told) in [
        (
            "paths: { /a: { $ref: ./orders.yaml } }",
            "the path \"/a\" is in another file, \"./orders.yaml\", at line 2, column 22",
        ),
        (
            "paths: { /a: { $ref: '#/b/c' } }",
            "refers to \"#/b/c\" at line 2, column 22, which leads to no path",
        ),
        ("paths: { /a: { $ref: '#/paths/~1a' } }", "which leads to no path"),
        ("paths: { $ref: paths.yaml }", "the list of paths is in another file"),
        ("paths: { orders: { get: {} } }", "\"orders\" under \"paths\" is no path, at line 2, column 10"),
    ] {
        let error = api(written).unwrap_err();
        assert!(error.contains(told), "{written}: {error}");
    }
}

#[test]
fn a_path_without_operations_allows_no_method() {
    let text = "paths: { /a: { parameters: [] }, /b: { get: {} }, x-a: {} }";
    assert_eq!(rules(text), ["[api.example.com]", "[GET]", "/b"]);
    let api = api(text).unwrap();
    assert_eq!(api.remarks(Use::Routing), ["/a has no operation and is left out"]);
    assert!(!yaml::document(&api.policy(Use::Routing)).contains("/a"));
    assert!(api.remarks(Use::Tags).is_empty());
}

#[test]
fn an_api_may_have_more_paths_than_a_rule() {
    let paths: String = (0..150).map(|n| format!("  /p{n}: {{ get: {{}} }}\n")).collect();
    let text = format!("paths:\n{paths}");
    assert_eq!(rules(&text).len(), 3 * 2 + 150);
    let policy = api(&text).unwrap().policy(Use::Routing);
    Filter::HeaderRouter.compile(&policy).unwrap();
    let text = yaml::document(&policy);
    assert!(["- name: api\n", "- name: api-2\n", "- name: api-3\n"].iter().all(|name| text.contains(name)));
}

#[test]
fn no_path_is_compared_with_every_other() {
    let paths: String = (0..100).map(|n| format!("  /p{n}/{{id}}: {{ get: {{}}, put: {{}} }}\n")).collect();
    let servers = "servers: [ { url: 'https://a.example/v1' }, { url: 'https://b.example/v2' } ]";
    SHAPES.set(0);
    let api = api(&format!("{servers}\npaths:\n{paths}")).unwrap();
    assert_eq!(api.paths.len(), 100 * 2);
    for of in [Use::Tags, Use::Routing, Use::Egress] {
        api.policy(of);
        api.remarks(of);
    }
    // One for each operation of each server.
    assert_eq!(SHAPES.get(), 100 * 2 * 2);
}

#[test]
fn paths_that_differ_in_the_names_of_variables_are_one() {
    let text = "paths: { '/a/{x}': { get: {} }, '/a/{y}.json': { get: {} }, '/a/{y}': { put: {} }, '/a/b': { get: {} } }";
    let api = api(text).unwrap();
    let told: Vec<String> =
        api.paths.iter().map(|path| format!("{} {}", path.template, path.methods.join(","))).collect();
    assert_eq!(told, ["/a/{x} GET,PUT", "/a/{y}.json GET", "/a/b GET"]);
}
