//! NRW621: a path or host is rewritten before authorization.

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::chain::{Chain, Own};
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::{Deeds, deed, stripping};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW621",
        title: "rewriting before authorization",
        text: "Inbound, at gateways and at waypoints, Istio's AuthorizationPolicy runs between the phases AUTHZ and
STATS. After a filter that rewrites path or host it checks the new one: a DENY of /api/admin* does
not match a request that has become /admin. Attach what rewrites in phase STATS, and what strips in
phase AUTHN; `narrows render` writes both. On the outbound side of a sidecar nothing is authorized.
In Envoy's own files the order is that of the list, and the rules of the RBAC filter say what it
checks.",
    },
    checks: &[Check::Run(in_istio), Check::Chain(in_envoy)],
};

fn in_istio(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let authorized = run.attached.iter().filter(|attached| attached.site.authorizes());
    let before = authorized.filter(|attached| !attached.position().is_behind_authorization());
    findings.extend(before.filter_map(|one| Some((one.file, rewriting(one)?))));
}

fn rewriting(attached: &Attached<'_>) -> Option<Finding> {
    let policy = attached.policy().filter(|_| attached.deeds.rewrites)?;
    let deeds = deed::rewriting(policy);
    let deed = deeds.iter().find(|deed| deed.acts)?;
    let what = if deed.host.is_some() { "host" } else { "path" };
    let message = format!(
        "{} runs before authorization: an AuthorizationPolicy checks the rewritten {what}, not the client's",
        deed.place
    );
    let slot = attached.slot();
    let mut help = format!("write phase {} and priority {}", slot.phase, slot.priority);
    if !attached.strips.is_empty() {
        help.push_str(&format!(", and strip in a plugin of phase {}: ", stripping(attached.filter).phase));
        help.push_str("narrows render writes both");
    }
    help.push_str(attached.or_outbound());
    Some(attached.at(&["spec.phase"], &RULE.code, &message, &help))
}

fn in_envoy(chain: &Chain, findings: &mut Vec<Finding>) {
    findings.extend(chain.own().filter_map(|(place, own)| in_chain(chain, place, own)));
}

fn in_chain(chain: &Chain, place: usize, own: &Own) -> Option<Finding> {
    if !Deeds::of(own.filter, &own.policy).rewrites {
        return None;
    }
    let is_checked = |deed: &deed::Deed<'_>| {
        chain.rbac_behind(place).any(|judged| match deed.host {
            Some(_) => judged.reads_host(),
            None => judged.reads_path(),
        })
    };
    let deeds = deed::rewriting(&own.policy);
    let deed = deeds.iter().find(|deed| deed.acts && is_checked(deed))?;
    let what = if deed.host.is_some() { "host" } else { "path" };
    let message = format!("the RBAC filter after this one checks the rewritten {what}, not the client's");
    let help = "put this filter after it, and one that only strips before it";
    Some(Finding::warning(&RULE.code, &deed.node.head(), &deed.place, &message, help))
}
