//! Matches as a policy writes them.

use std::ops::Range;

use narrows_core::PolicyValue;

use crate::migrate::difference::Log;
use crate::migrate::old::{Condition, Hosts, Match, On, PathKind, PathTest, Sense, Test};
use crate::migrate::value::{Table, list, text};

/// A match with the hosts that it is for.
pub(super) fn table(hosts: &Hosts, one: &Match, at: &Range<usize>, log: &mut Log) -> Table {
    let conditions = conditions(one, at, log);
    let own = one.host.as_ref().map(|host| list([text(host)]));
    let table = match (own, hosts) {
        (Some(own), _) => Table::default().with("hosts", own),
        (None, Hosts::Any) => Table::default(),
        (None, Hosts::Names(names)) => Table::default().with("hosts", list(names.iter().map(text))),
        (None, Hosts::Service(service)) => Table::default().with("service", text(service)),
    };
    let PolicyValue::Table(fields) = conditions.into() else { return table };
    fields.into_iter().fold(table, |table, (name, value)| table.with(&name, value))
}

/// The conditions of a match, without hosts.
pub(super) fn conditions(one: &Match, at: &Range<usize>, log: &mut Log) -> Table {
    let mut all = Sorted::default();
    for condition in &one.conditions {
        all.add(condition, at, log);
    }
    Table::default()
        .maybe("path", one.path.as_ref().map(path))
        .maybe("method", all.method)
        .maybe("scheme", all.scheme)
        .filled("headers", all.headers)
        .filled("withoutHeaders", all.without)
        .filled("cookies", all.cookies)
        .filled("queryParams", all.query)
        .some("metadata", all.metadata)
}

/// A path.
pub(super) fn path(path: &PathTest) -> PolicyValue {
    let how = match path.how {
        PathKind::Exact => "exact",
        PathKind::Prefix => "prefix",
        PathKind::Segments => "pathPrefix",
        PathKind::Regex => "regex",
    };
    let table = Table::default().with(how, text(&path.text));
    table.maybe("ignoreCase", path.ignore_case.then_some(PolicyValue::Flag(true))).into()
}

/// Conditions by the field that they are in.
#[derive(Default)]
struct Sorted {
    method: Option<PolicyValue>,
    scheme: Option<PolicyValue>,
    headers: Table,
    without: Table,
    cookies: Table,
    query: Table,
    metadata: Vec<PolicyValue>,
}

impl Sorted {
    fn add(&mut self, condition: &Condition, at: &Range<usize>, log: &mut Log) {
        let Condition { on, test, ignore_case, sense } = condition;
        if let On::Header(name) = on
            && name.starts_with("x-narrows-")
        {
            log.differs(
                at,
                format!("{name:?} is removed before the policy reads it, unless it says \"trust: mesh\""),
                "write \"trust: mesh\", or match another header",
            );
        }
        let plain = || value(test, *ignore_case, false);
        let sided = || value(test, *ignore_case, *sense != Sense::Holds);
        match (on, sense) {
            (On::Header(name), Sense::Holds) => put(&mut self.headers, name, plain(), at, log),
            (On::Header(name), Sense::Fails) => put(&mut self.without, name, plain(), at, log),
            (On::Header(name), Sense::Differs) => {
                if self.headers.get(name).is_none() {
                    put(&mut self.headers, name, value(&Test::Present, false, false), at, log);
                }
                put(&mut self.without, name, plain(), at, log);
            }
            (On::Cookie(name), _) => put(&mut self.cookies, name, sided(), at, log),
            (On::Query(name), _) => put(&mut self.query, name, sided(), at, log),
            (On::Method, _) if self.method.is_some() => twice("method", at, log),
            (On::Method, _) => self.method = Some(sided()),
            (On::Scheme, _) => {
                let Test::Exact(scheme) = test else { return };
                self.scheme = Some(text(scheme));
            }
            (On::Metadata(path), _) => {
                let path = list(path.iter().map(text));
                let PolicyValue::Table(fields) = sided() else { return };
                let table = Table::default().with("path", path);
                let table = fields.into_iter().fold(table, |table, (name, value)| table.with(&name, value));
                self.metadata.push(table.into());
            }
        }
    }
}

/// A policy has one condition for each name.
fn put(table: &mut Table, name: &str, value: PolicyValue, at: &Range<usize>, log: &mut Log) {
    if table.get(name).is_some() {
        return twice(name, at, log);
    }
    *table = std::mem::take(table).with(name, value);
}

fn twice(name: &str, at: &Range<usize>, log: &mut Log) {
    log.refuse(
        at,
        format!("there are two conditions on {name:?}, and a match has one"),
        "write both as one expression, or as two routes",
    );
}

/// A test of a value.
fn value(test: &Test, ignore_case: bool, invert: bool) -> PolicyValue {
    let table = match test {
        Test::Exact(one) => Table::default().with("exact", text(one)),
        Test::Prefix(one) => Table::default().with("prefix", text(one)),
        Test::Suffix(one) => Table::default().with("suffix", text(one)),
        Test::Contains(one) => Table::default().with("contains", text(one)),
        Test::Regex(one) => Table::default().with("regex", text(one)),
        Test::In(all) => Table::default().with("in", list(all.iter().map(text))),
        Test::Range(from, to) => {
            let range = Table::default()
                .with("from", PolicyValue::Integer(*from))
                .with("to", PolicyValue::Integer(*to));
            Table::default().with("range", range.into())
        }
        Test::Present => return Table::default().with("present", PolicyValue::Flag(!invert)).into(),
    };
    let flag = |is: bool| is.then_some(PolicyValue::Flag(true));
    table.maybe("ignoreCase", flag(ignore_case)).maybe("invert", flag(invert)).into()
}
