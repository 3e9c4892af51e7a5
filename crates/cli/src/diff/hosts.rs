//! Hosts that a policy of egress-policy newly allows or denies.
//!
//! Both policies are asked about every host that one of them names, and about the first and the last
//! address of every block, from every caller, on every port, with every method and path that one of them
//! names, and about one of each that none names. That proves a difference, and cannot prove that there is
//! none: a path between two that are named may be one.

use std::collections::BTreeMap;

use narrows_cases::Send;
use serde_json::{Value, json};

use super::named::{ANY, Caller, Named, Questions};
use crate::escape::printable;
use crate::filter::AnyPolicy;
use crate::simulate::Sent;
use crate::source::Node;

/// A host on which two policies decide otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostDiff {
    /// The host as it is written; a star stands for one name.
    pub host: String,
    /// Whether it is allowed now, and was denied.
    pub allowed: bool,
    /// A request that shows it.
    pub example: String,
    /// How many of the requests that were asked about.
    pub requests: usize,
}

/// No policy names it.
const UNNAMED: &str = "host.that.no.rule.names";
/// More questions than anyone waits for.
const MOST: usize = 2_000_000;

/// Compares two policies of egress-policy. The flag says whether all questions were asked.
pub fn hosts(old: (&AnyPolicy, &Node), new: (&AnyPolicy, &Node)) -> (Vec<HostDiff>, bool) {
    if old.1.tree() == new.1.tree() {
        return (Vec::new(), true);
    }
    let mut named = Named::default();
    for written in [old.1, new.1] {
        named.read(written.get("egress").unwrap_or(written));
    }
    named.hosts.insert(UNNAMED.to_owned());
    let questions = named.questions(MOST);
    let mut found: BTreeMap<(String, bool), HostDiff> = BTreeMap::new();
    let mut asked = 0;
    for host in &named.hosts {
        for send in requests(&questions, host) {
            asked += 1;
            if asked > MOST {
                return (found.into_values().collect(), false);
            }
            let sent = Sent::new(send, 0);
            let allows = |policy: &AnyPolicy| policy.decide(&sent).reply.is_none();
            let allowed = allows(new.0);
            if allows(old.0) == allowed {
                continue;
            }
            let entry = found.entry((host.clone(), allowed)).or_insert_with(|| HostDiff {
                host: if host == UNNAMED { "a host that no rule names".to_owned() } else { host.clone() },
                allowed,
                example: told(&sent),
                requests: 0,
            });
            entry.requests += 1;
        }
    }
    (found.into_values().collect(), !questions.is_cut)
}

/// Every request to a host that is asked about.
fn requests<'q>(questions: &'q Questions, host: &str) -> impl Iterator<Item = Send> + 'q {
    let name = host.replace('*', ANY);
    let Questions { callers, ports, methods, paths, .. } = questions;
    callers.iter().flat_map(move |caller| {
        let name = name.clone();
        ports.iter().flat_map(move |port| {
            let authority = format!("{name}:{port}");
            methods.iter().flat_map(move |method| {
                let authority = authority.clone();
                paths.iter().map(move |path| Send {
                    method: method.clone(),
                    scheme: if port == "443" { "https" } else { "http" }.to_owned(),
                    authority: authority.clone(),
                    target: path.clone(),
                    source: caller.as_ref().map(Caller::source).unwrap_or_default(),
                    ..Send::default()
                })
            })
        })
    })
}

fn told(sent: &Sent) -> String {
    let request = sent.request();
    let info = request.stream_info();
    match (request.source().principal, info.namespace, info.workload) {
        (Some(by), ..) => format!("{} by {}", sent.title(), printable(by)),
        (None, Some(namespace), Some(workload)) => {
            let (namespace, workload) = (printable(namespace), printable(workload));
            format!("{} by the workload {workload} of the namespace {namespace}", sent.title())
        }
        _ => sent.title(),
    }
}

impl HostDiff {
    /// The same as data.
    pub fn json(&self) -> Value {
        json!({
            "host": self.host,
            "now": if self.allowed { "allowed" } else { "denied" },
            "example": self.example,
            "requests": self.requests,
        })
    }
}
