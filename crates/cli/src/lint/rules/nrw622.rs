//! NRW622: headers are stripped, or a host is restored, after authorization.

use narrows_core::names;

use crate::code::Code;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::chain::{Chain, Judged, Own};
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::site::Side;
use crate::placement::{Deeds, deed, stripping, strips_for_others};

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW622",
        title: "stripping or restoring after authorization",
        text:
            "An AuthorizationPolicy by headers checks what the client wrote in them, unless they were stripped
before. One by hosts checks the host of the canary, unless \"restoreHost\" has restored that of the
caller before. `narrows render` attaches both before authorization. A CUSTOM policy runs before
every phase: it always sees what the client sent.",
    },
    checks: &[Check::Run(in_istio), Check::Chain(in_envoy)],
};

fn in_istio(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    let authorized = run.attached.iter().enumerate().filter(|(_, attached)| attached.site.authorizes());
    for (i, one) in authorized.filter(|(_, attached)| attached.position().is_behind_authorization()) {
        let found = [restored(one), stripped(one, run.meetings.covering(i, &run.attached))];
        findings.extend(found.into_iter().flatten().map(|finding| (one.file, finding)));
    }
}

fn restored(attached: &Attached<'_>) -> Option<Finding> {
    attached.policy().filter(|policy| attached.deeds.restores && deed::acts(policy))?;
    let message =
        "\"restoreHost\" runs after authorization: an AuthorizationPolicy checks the host of the canary";
    let slot = attached.slot();
    let help = format!("write phase {} and priority {}", slot.phase, slot.priority);
    Some(attached.at(&["spec.phase"], &RULE.code, message, &help))
}

/// A header that this filter strips after authorization, and that no filter strips before it.
fn stripped<'a, 'n: 'a>(
    attached: &Attached<'_>,
    covering: impl Iterator<Item = &'a Attached<'n>>,
) -> Option<Finding> {
    if !strips_for_others(attached.filter) {
        return None;
    }
    let before: Vec<_> = covering
        .filter(|other| !other.position().is_behind_authorization())
        .filter(|other| other.side == Side::Both || other.side == attached.side)
        .collect();
    let is_left = |name: &&String| !before.iter().any(|other| other.takes_away(name));
    let left = attached.strips.iter().find(is_left)?;
    let message = format!(
        "{left:?} is stripped after authorization: an AuthorizationPolicy checks what the client wrote in it"
    );
    let slot = stripping(attached.filter);
    let help = format!(
        "strip in a plugin of its own before it, phase {} and priority {}: narrows render writes both{}",
        slot.phase,
        slot.priority,
        attached.or_outbound()
    );
    Some(attached.at(&["spec.phase"], &RULE.code, &message, &help))
}

fn in_envoy(chain: &Chain, findings: &mut Vec<Finding>) {
    for (place, own) in chain.own() {
        findings.extend(restored_in_chain(chain, place, own));
        findings.extend(stripped_in_chain(chain, place, own));
    }
}

fn restored_in_chain(chain: &Chain, place: usize, own: &Own) -> Option<Finding> {
    let restores = Deeds::of(own.filter, &own.policy).restores && deed::acts(&own.policy);
    if !restores || !chain.rbac_before(place).any(|(_, judged)| judged.reads_host()) {
        return None;
    }
    let node = own.policy.get("restoreHost")?;
    let message = "the RBAC filter before this one checks the host of the canary, not the restored one";
    let help = "put this filter before it";
    Some(Finding::warning(&RULE.code, &node.head(), "restoreHost", message, help))
}

fn stripped_in_chain(chain: &Chain, place: usize, own: &Own) -> Option<Finding> {
    if !strips_for_others(own.filter) {
        return None;
    }
    let covers = |patterns: &[String], name: &str| {
        patterns.iter().any(|pattern| names::covers(pattern.as_bytes(), name.as_bytes()))
    };
    // If a filter before the RBAC filter has removed a header, the header is not the client's.
    let is_gone = |before: usize, name: &str| {
        chain.own().any(|(other, earlier)| other < before && covers(&earlier.strips, name))
    };
    let left = |(index, judged): (usize, &Judged)| {
        judged.headers.iter().find(|name| covers(&own.strips, name) && !is_gone(index, name)).cloned()
    };
    let name = chain.rbac_before(place).find_map(left)?;
    let message = format!("the RBAC filter before this one checks {name:?} as the client wrote it");
    let help = "strip it before that, in a filter with the same \"strip\" and no rules";
    let node = own.policy.get("strip").unwrap_or(&own.policy);
    Some(Finding::warning(&RULE.code, &node.head(), "strip", &message, help))
}
