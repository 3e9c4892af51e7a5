//! NRW647: ids for browsers, away from a gateway.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::lint::splits;
use crate::placement::site::Site;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW647",
        title: "anonymous ids away from a gateway",
        text: "\"anonymousId\" gives a cookie to a browser, with a page that it asks for. The proxy that a browser
speaks with is a gateway. What a sidecar or a waypoint answers goes to a program, which keeps no
cookie, or which keeps one for all its users. If the gateway is one of yours that the files do not
show, narrows.toml can name its labels.",
    },
    checks: &[Check::Run(check)],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let elsewhere = run.attached.iter().filter(|attached| attached.site != Site::Gateway);
    findings.extend(elsewhere.filter_map(|attached| Some((attached.file, found(attached)?))));
}

fn found(attached: &Attached<'_>) -> Option<Finding> {
    let mut splits = splits::of(attached.filter, attached.policy()?);
    let (place, ids) = splits.find_map(|(place, split)| {
        let (_, ids) = split.field("anonymousId")?;
        Some((format!("{place}.anonymousId"), ids))
    })?;
    let message = match attached.site {
        Site::Waypoint => "the answers of a waypoint go to programs, which keep no cookie for a user",
        Site::Mixed => "this attaches to more than gateways: a program would get the cookie of a user",
        _ => "the answers of a sidecar go to programs, which keep no cookie for a user",
    };
    let help = "attach it to the gateway, and take the key there from the cookie: {\"cookie\": ...}";
    Some(Finding::error(&RULE.code, &ids.at, &place, message, help))
}
