//! The oracle is the filter itself: small policies over small alphabets, and every request over them.

use std::collections::BTreeSet;

use narrows_core::{PolicyValue, Request};

use super::dead;
use crate::filter::Filter;
use crate::source::{Node, SourceFile};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

const HOSTS: [&str; 6] =
    [r#"["a.x"]"#, r#"["b.a.x"]"#, r#"["*.x"]"#, r#"["*.a.x", "a.x"]"#, r#"["*"]"#, r#"["a.x", "b.a.x"]"#];
const PATHS: [&str; 11] = [
    r#"{"exact": "/"}"#,
    r#"{"exact": "/a"}"#,
    r#"{"prefix": "/"}"#,
    r#"{"prefix": "/a"}"#,
    r#"{"pathPrefix": "/"}"#,
    r#"{"pathPrefix": "/a"}"#,
    r#"{"pathPrefix": "/a/b"}"#,
    r#"{"suffix": "b"}"#,
    r#"{"contains": "a/"}"#,
    r#"{"in": ["/a", "/a/b"]}"#,
    r#"{"prefix": "/a", "invert": true}"#,
];
const METHODS: [&str; 3] =
    [r#"{"exact": "GET"}"#, r#"{"in": ["GET", "POST"]}"#, r#"{"exact": "GET", "invert": true}"#];
const VALUES: [&str; 6] = [
    r#"{"exact": "1"}"#,
    r#"{"prefix": "1"}"#,
    r#"{"in": ["1", "12"]}"#,
    r#"{"present": true}"#,
    r#"{"present": false}"#,
    r#"{"suffix": "2"}"#,
];

/// Everything that the tests above tell apart, and one of what they do not.
const SENT_HOSTS: [&str; 5] = ["a.x", "b.a.x", "c.a.x", "c.x", "c.c"];
const SENT_PATHS: [&str; 15] = [
    "/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/c", "/ac", "/ab", "/c", "/cb", "/c/a/c", "*", "/ca/b",
    "",
];
const SENT_METHODS: [&str; 3] = ["GET", "POST", "PUT"];
const SENT_VALUES: [Option<&str>; 6] = [None, Some("1"), Some("12"), Some("13"), Some("2"), Some("3")];

fn policy(dice: &mut Dice, list: &str) -> String {
    let rules = 2 + dice.below(4);
    let rules: Vec<_> = (0..rules)
        .map(|i| {
            let mode = ["enforce", "enforce", "enforce", "report", "off"][dice.below(5)];
            let matches: Vec<_> = (0..=dice.below(2)).map(|_| one(dice)).collect();
            let more = if list == "splits" {
                r#", "key": [{"header": "u"}], "backends": [{"name": "b", "baseline": true}]"#
            } else {
                ""
            };
            format!(r#"{{"name": "r{i}", "mode": "{mode}", "matches": [{}]{more}}}"#, matches.join(", "))
        })
        .collect();
    format!(r#"{{"trust": "mesh", "{list}": [{}]}}"#, rules.join(", "))
}

fn one(dice: &mut Dice) -> String {
    let mut fields = Vec::new();
    if dice.below(2) == 0 {
        fields.push(format!(r#""hosts": {}"#, dice.of(&HOSTS)));
    }
    if dice.below(3) > 0 {
        fields.push(format!(r#""path": {}"#, dice.of(&PATHS)));
    }
    if dice.below(4) == 0 {
        fields.push(format!(r#""method": {}"#, dice.of(&METHODS)));
    }
    for (name, chance) in [("headers", 3), ("cookies", 6), ("queryParams", 6)] {
        if dice.below(chance) == 0 {
            fields.push(format!(r#""{name}": {{"k": {}}}"#, dice.of(&VALUES)));
        }
    }
    format!("{{{}}}", fields.join(", "))
}

/// Every request, as its header lines.
fn requests(text: &str) -> Vec<Vec<(&'static str, String)>> {
    let values = |kind: &str| if text.contains(kind) { &SENT_VALUES[..] } else { &SENT_VALUES[..1] };
    let methods = if text.contains("\"method\"") { &SENT_METHODS[..] } else { &SENT_METHODS[..1] };
    let hosts = if text.contains("\"hosts\"") { &SENT_HOSTS[..] } else { &SENT_HOSTS[..1] };
    let mut all = Vec::new();
    for (host, path) in hosts.iter().flat_map(|host| SENT_PATHS.map(|path| (host, path))) {
        for (method, header) in methods.iter().flat_map(|m| values("headers").iter().map(move |v| (m, v))) {
            for cookie in values("cookies") {
                for query in values("queryParams") {
                    let query = query.map(|value| format!("?k={value}")).unwrap_or_default();
                    let mut lines =
                        vec![(":method", (*method).to_owned()), (":authority", (*host).to_owned())];
                    // CONNECT has none.
                    lines.extend((!path.is_empty()).then(|| (":path", format!("{path}{query}"))));
                    lines.extend(header.map(|value| ("k", value.to_owned())));
                    lines.extend(cookie.map(|value| ("cookie", format!("k={value}"))));
                    all.push(lines);
                }
            }
        }
    }
    all
}

/// The rules that some request reaches: those that decide, and those that would if they acted.
fn reached(filter: Filter, text: &str) -> BTreeSet<String> {
    let tree = PolicyValue::parse(text.as_bytes()).unwrap();
    let policy = filter.compile(&tree).unwrap();
    let mut reached = BTreeSet::new();
    for lines in requests(text) {
        let lines = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let outcome = policy.judge(Request::new(lines));
        let details = outcome.explanation.details.iter();
        let named = details.filter(|(name, _)| ["rule", "reported", "split"].contains(&&**name));
        reached.extend(named.map(|(_, name)| name.clone()));
    }
    reached
}

fn compare(filter: Filter, list: &str, seed: u64, policies: usize) {
    let mut dice = Dice(seed);
    let mut dead_in_all = 0;
    for _ in 0..policies {
        let text = policy(&mut dice, list);
        let source = SourceFile { path: "p.json".to_owned(), text: text.clone() };
        let node = source.documents().unwrap().remove(0);
        let reached = reached(filter, &text);
        let acting = node.get(list).map(Node::elements).unwrap_or_default().iter();
        let acting = acting.filter(|rule| rule.text_at("mode") != Some("off"));
        let unreached: BTreeSet<_> = acting
            .filter_map(|rule| rule.text_at("name"))
            .filter(|name| !reached.contains(*name))
            .map(str::to_owned)
            .collect();
        let found = dead(filter, &node);
        let called: BTreeSet<_> = found.iter().map(|dead| dead.name.to_owned()).collect();
        assert_eq!(called, unreached, "{text}");
        for one in &found {
            assert!(!one.by.is_empty() || one.by.iter().all(|name| *name < one.name), "{text}");
        }
        dead_in_all += called.len();
    }
    assert!(dead_in_all > policies / 10, "{dead_in_all} dead rules in {policies} policies");
}

#[test]
fn a_rule_is_called_dead_if_and_only_if_no_request_reaches_it() {
    compare(Filter::HeaderRouter, "rules", 1, 80);
}

#[test]
fn a_split_is_called_dead_if_and_only_if_no_request_reaches_it() {
    compare(Filter::CanarySplit, "splits", 2, 50);
}

#[test]
fn an_egress_rule_is_called_dead_if_and_only_if_those_before_it_take_its_calls() {
    let mut dice = Dice(3);
    let mut dead_in_all = 0;
    for round in 0..300 {
        let (action, default) = if round % 2 == 0 { ("allow", "deny") } else { ("deny", "allow") };
        let rules: Vec<_> = (0..2 + dice.below(4))
            .map(|i| {
                let methods = [r#"["GET"]"#, r#"["GET", "POST"]"#, r#"["PUT"]"#][dice.below(3)];
                let methods =
                    if dice.below(2) == 0 { format!(r#", "methods": {methods}"#) } else { String::new() };
                format!(
                    r#"{{"name": "r{i}", "action": "{action}", "to": {{"hosts": {}{methods}}}}}"#,
                    dice.of(&HOSTS)
                )
            })
            .collect();
        let text = format!(r#"{{"default": "{default}", "rules": [{}]}}"#, rules.join(", "));
        let policy = Filter::EgressPolicy.compile(&PolicyValue::parse(text.as_bytes()).unwrap()).unwrap();
        let mut reached = BTreeSet::new();
        for (host, method) in
            SENT_HOSTS.iter().flat_map(|host| ["GET", "POST", "PUT", "HEAD"].map(|m| (host, m)))
        {
            let lines = [(":method", method), (":authority", *host), (":path", "/")];
            let lines = lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            let outcome = policy.judge(Request::new(lines));
            let rule = outcome.explanation.details.iter().find(|(name, _)| name == "rule");
            reached.extend(rule.map(|(_, name)| name.clone()));
        }
        let source = SourceFile { path: "p.json".to_owned(), text: text.clone() };
        let node = source.documents().unwrap().remove(0);
        let called: BTreeSet<_> =
            dead(Filter::EgressPolicy, &node).iter().map(|dead| dead.name.to_owned()).collect();
        let names = (0..rules.len()).map(|i| format!("r{i}"));
        let unreached: BTreeSet<_> = names.filter(|name| !reached.contains(name)).collect();
        assert_eq!(called, unreached, "{text}");
        dead_in_all += called.len();
    }
    assert!(dead_in_all > 30, "{dead_in_all}");
}

#[test]
fn of_many_rules_the_dead_ones_are_found_too() {
    let rule = |i: usize, path: &str| {
        format!(
            r#"{{"name": "r{i}", "matches": [{{"path": {path}, "headers": {{"k": {{"exact": "1"}}}}}}]}}"#
        )
    };
    let mut rules: Vec<_> = (0..3_000).map(|i| rule(i, &format!(r#"{{"exact": "/{i}"}}"#))).collect();
    rules.push(rule(3_000, r#"{"in": ["/5", "/7"]}"#));
    rules.push(rule(3_001, r#"{"in": ["/5", "/x"]}"#));
    rules.push(rule(3_002, r#"{"pathPrefix": "/long"}"#));
    rules.push(rule(3_003, r#"{"prefix": "/long/er"}"#));
    let text = format!(r#"{{"rules": [{}]}}"#, rules.join(",\n"));
    let source = SourceFile { path: "p.json".to_owned(), text };
    let node = source.documents().unwrap().remove(0);
    let found = dead(Filter::HeaderRouter, &node);
    let found: Vec<_> = found.iter().map(|dead| (dead.name, dead.by.clone())).collect();
    assert_eq!(found, [("r3000", vec!["r5", "r7"]), ("r3003", vec!["r3002"])]);
}
