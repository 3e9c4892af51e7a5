//! Higress's `traffic-tag`: a header by conditions, by weights, or by default.

use narrows_core::PolicyValue;

use super::destinations::plain;
use super::difference::Log;
use super::fields::Fields;
use super::old::{Action, Backend, Condition, Edits, Group, Hosts, Match, On, Route, Sense, Test};
use super::value::{one, text};
use crate::source::Node;

/// All weights together.
const TOTAL: u64 = 100;

/// Whether a table is a configuration of this plugin.
pub(super) fn is_one(node: &Node) -> bool {
    node.get("conditionGroups").is_some() || node.get("weightGroups").is_some()
}

/// Reads a configuration. The second value is the header that it sets.
pub(super) fn read(node: &Node, file: usize, log: &mut Log) -> (Group, String) {
    let mut fields = Fields::of(node, log);
    let conditions = fields.list("conditionGroups", log);
    let weights = fields.list("weightGroups", log);
    let default_key = fields.text("defaultTagKey", log).filter(|key| !key.is_empty());
    let default_value = fields.text("defaultTagVal", log).filter(|value| !value.is_empty());
    fields.rest("traffic-tag", log);
    let default = default_key.zip(default_value);
    let named =
        conditions.iter().chain(weights).filter_map(|group| Some((group.text_at("headerName")?, group)));
    let header = named.clone().map(|(name, _)| name).next().or(default_key).unwrap_or("x-mse-tag");
    let header = header.to_ascii_lowercase();
    let others = named.filter(|(name, _)| !name.eq_ignore_ascii_case(&header)).map(|(_, group)| group.head());
    let other_default = default.filter(|(name, _)| !name.eq_ignore_ascii_case(&header)).map(|_| node.head());
    if let Some(at) = others.chain(other_default).next() {
        log.refuse(&at, "it sets several headers", "write a configuration for each header");
    }
    log.differs(
        &node.head(),
        format!("a client may still choose its tag: {header} is taken from whoever sends it"),
        format!("list {header} in \"strip\" at the edge"),
    );
    let mut routes = vec![kept(node, &header)];
    for (number, group) in conditions.iter().enumerate() {
        routes.extend(tagged(
            group,
            number,
            number + 1 == conditions.len() && weights.is_empty(),
            &header,
            default,
            log,
        ));
    }
    let is_split = routes.last().is_some_and(|route| route.split().is_some());
    if !weights.is_empty() {
        routes.push(shared(node, weights, default, log));
    } else if let (Some((_, value)), false) = (default, is_split) {
        let mut route = Route::new("default".to_owned(), node.head(), Action::Pass);
        route.request.set.push((header.clone(), escaped(value)));
        routes.push(route);
    }
    let group = Group { file, name: "traffic-tag".to_owned(), hosts: Hosts::Any, routes, remains: None };
    (group, header)
}

/// A tag that is there already stays, and nothing else is looked at.
fn kept(node: &Node, header: &str) -> Route {
    let mut route = Route::new("tagged-already".to_owned(), node.head(), Action::Pass);
    let there = Condition {
        on: On::Header(header.to_owned()),
        test: Test::Regex(".+".to_owned()),
        ignore_case: false,
        sense: Sense::Holds,
    };
    route.matches.push(Match { conditions: vec![there], ..Match::default() });
    route
}

/// A percent sign is no quotation there.
fn escaped(value: &str) -> String {
    value.replace('%', "%%")
}

/// A group of conditions.
fn tagged(
    node: &Node,
    number: usize,
    is_last: bool,
    header: &str,
    default: Option<(&str, &str)>,
    log: &mut Log,
) -> Option<Route> {
    let mut fields = Fields::of(node, log);
    fields.ignore(&["headerName"]);
    let value = fields.text("headerValue", log).unwrap_or_default();
    let is_or = match fields.text("logic", log).unwrap_or_default() {
        "and" => false,
        "or" => true,
        other => {
            log.refuse(
                &node.head(),
                format!("the logic {other:?} is neither \"and\" nor \"or\""),
                "write one",
            );
            return None;
        }
    };
    let list = fields.list("conditions", log);
    fields.rest("a group of conditions", log);
    let name = plain(&format!("tag-{}-{value}", number + 1));
    if let [only] = list
        && only.text_at("operator") == Some("percentage")
    {
        if is_last {
            return percentage(only, name, value, default, log);
        }
        log.refuse(
            &only.head(),
            "a percentage before other groups is not converted",
            "make it the last group, or write a split of its own",
        );
        return None;
    }
    let mut conditions = Vec::new();
    for entry in list {
        conditions.extend(condition(entry, log));
    }
    if conditions.len() != list.len() || list.is_empty() {
        if list.is_empty() {
            log.refuse(&node.head(), "a group without conditions is not converted", "take it out");
        }
        return None;
    }
    let mut route = Route::new(name, node.head(), Action::Pass);
    route.request.set.push((header.to_owned(), escaped(value)));
    route.matches = if is_or {
        conditions.into_iter().map(|one| Match { conditions: vec![one], ..Match::default() }).collect()
    } else {
        vec![Match { conditions, ..Match::default() }]
    };
    Some(route)
}

fn on(fields: &mut Fields<'_>, log: &mut Log) -> Option<On> {
    let kind = fields.text("conditionType", log).unwrap_or_default();
    let key = fields.text("key", log).unwrap_or_default().to_owned();
    match kind {
        "header" => Some(On::Header(key.to_ascii_lowercase())),
        "cookie" => Some(On::Cookie(key)),
        "parameter" => Some(On::Query(key)),
        other => {
            log.refuse(
                &fields.node().head(),
                format!("the conditionType {other:?} is not known"),
                "write header, parameter or cookie",
            );
            None
        }
    }
}

fn condition(node: &Node, log: &mut Log) -> Option<Condition> {
    let mut fields = Fields::of(node, log);
    let on = on(&mut fields, log)?;
    let operator = fields.text("operator", log).unwrap_or_default();
    let values = fields.texts("value", log);
    fields.rest("a condition", log);
    let first = values.first().cloned().unwrap_or_default();
    let (test, sense) = match operator {
        "equal" => (Test::Exact(first), Sense::Holds),
        "prefix" => (Test::Prefix(first), Sense::Holds),
        "in" => (Test::In(values), Sense::Holds),
        "regex" => (Test::Regex(format!(".*(?:{first}).*")), Sense::Holds),
        "not_equal" => (Test::Exact(first), Sense::Differs),
        "not_in" => (Test::In(values), Sense::Differs),
        "exists" => (Test::Present, Sense::Holds),
        "not_exists" => (Test::Present, Sense::Fails),
        "percentage" => {
            log.refuse(
                &node.head(),
                "a percentage beside other conditions is not converted",
                "write a split with these conditions as its \"matches\"",
            );
            return None;
        }
        other => {
            log.refuse(&node.head(), format!("the operator {other:?} is not known"), "write \"equal\"");
            return None;
        }
    };
    if sense == Sense::Differs && !matches!(on, On::Header(_)) {
        log.refuse(
            &node.head(),
            format!("\"{operator}\" of a cookie or a parameter is not converted: it asks that there is one"),
            "write \"invert\" in a rule by hand: it also holds for requests without it",
        );
        return None;
    }
    Some(Condition { on, test, ignore_case: false, sense })
}

/// A share of the users, by a hash of the value.
fn percentage(
    node: &Node,
    name: String,
    value: &str,
    default: Option<(&str, &str)>,
    log: &mut Log,
) -> Option<Route> {
    let mut fields = Fields::of(node, log);
    let key = match on(&mut fields, log)? {
        On::Header(key) => one("header", text(key)),
        On::Cookie(key) => one("cookie", text(key)),
        On::Query(key) => one("queryParam", text(key)),
        _ => return None,
    };
    fields.ignore(&["operator"]);
    let share = fields.texts("value", log).first().and_then(|text| text.parse::<u64>().ok());
    fields.rest("a condition", log);
    let Some(share) = share.filter(|share| *share <= TOTAL) else {
        log.refuse(&node.head(), "the percentage is not a whole number from 0 to 100", "write \"10\"");
        return None;
    };
    log.differs(
        &node.head(),
        "the hash is another one, so users change their side once when the policy replaces the plugin",
        "change over at a small weight",
    );
    let mut route = split(node, name, vec![(value.to_owned(), share)], default, vec![key]);
    route.draws_keyless = false;
    Some(route)
}

/// Shares at random.
fn shared(node: &Node, weights: &[Node], default: Option<(&str, &str)>, log: &mut Log) -> Route {
    let mut shares: Vec<(String, u64)> = Vec::new();
    for entry in weights {
        let mut fields = Fields::of(entry, log);
        fields.ignore(&["headerName"]);
        let value = fields.text("headerValue", log).unwrap_or_default().to_owned();
        shares.push((value, fields.number("weight", log).unwrap_or_default()));
        fields.rest("a group of weights", log);
    }
    if shares.iter().map(|(_, weight)| weight).sum::<u64>() > TOTAL {
        log.refuse(&node.head(), "the weights are more than 100 together", "lower them");
    }
    split(node, "weights".to_owned(), shares, default, Vec::new())
}

/// A split whose first backend is everybody else.
fn split(
    node: &Node,
    name: String,
    shares: Vec<(String, u64)>,
    default: Option<(&str, &str)>,
    key: Vec<PolicyValue>,
) -> Route {
    let taken: u64 = shares.iter().map(|(_, weight)| weight).sum();
    let backend =
        |(to, weight)| Backend { to, weight, request: Edits::default(), response: Edits::default() };
    // The baseline is the default tag, or no tag.
    let rest = default.map(|(_, value)| value.to_owned()).unwrap_or_default();
    let mut backends = vec![backend((rest, TOTAL.saturating_sub(taken)))];
    backends.extend(shares.into_iter().map(backend));
    let mut route = Route::new(name, node.head(), Action::Forward(backends));
    route.key = key;
    route.stable = Some(0);
    route
}
