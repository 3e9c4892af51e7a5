//! NRW609 and NRW615: the order of the filters on one proxy.
//!
//! Within a phase, higher priorities run first. A missing priority is the lowest. Of two equal
//! priorities, the older resource runs first.

use crate::code::Code;
use crate::filter::Filter;
use crate::finding::Finding;
use crate::lint::attached::Attached;
use crate::lint::rule::{Check, Rule};
use crate::lint::run::Run;
use crate::placement::Deeds;

pub(in crate::lint) static RULE: Rule = Rule {
    code: Code {
        id: "NRW609",
        title: "undefined order",
        text:
            "Within a phase higher priorities run first. A missing priority is the lowest of all. Of two equal
priorities the older resource runs first, so the order can be another one in a new cluster.",
    },
    checks: &[Check::Run(check)],
};

/// The same check finds it.
pub(in crate::lint) static MISPLACED: Rule = Rule {
    code: Code {
        id: "NRW615",
        title: "filters in the wrong order",
        text: "The order is header-router, traffic-lanes, canary-split, metric-tags, egress-policy: a request is routed
before its lane is remembered and before it is divided, counted when all is known, and outgoing calls are checked
in their final form. On the outbound side of sidecars traffic-lanes comes first: a call gets its lane back before
anything is decided by it. The places are header-router AUTHZ 200, traffic-lanes STATS 250 (outbound AUTHZ 400),
canary-split STATS 200, metric-tags STATS 100, egress-policy STATS 50. Where Istio authorizes requests, a header-router that rewrites path or host is STATS 300,
and a canary-split with \"restoreHost\" is AUTHZ 300, before all others. A missing priority is the
lowest of its phase, and a missing phase comes after STATS. A header-router in AUTHN is right if
authentication needs what it writes.",
    },
    checks: &[],
};

fn check(run: &Run<'_>, findings: &mut Vec<(usize, Finding)>) {
    for (i, later) in run.attached.iter().enumerate() {
        let mut others = run.meetings.before(i, &run.attached);
        let pair = others.find_map(|earlier| beside(later, earlier));
        let alone = || Filter::ALL.into_iter().find_map(|other| among(later, other));
        findings.extend(pair.or_else(alone).map(|finding| (later.file, finding)));
    }
}

/// The fault in the order of two filters of the run.
fn beside(later: &Attached<'_>, earlier: &Attached<'_>) -> Option<Finding> {
    // Its place depends on the side, so it is judged where both have the same.
    let has_sides = [later, earlier].iter().any(|one| one.filter == Filter::TrafficLanes);
    if has_sides && later.site != earlier.site {
        return None;
    }
    let (own, other) =
        (later.deeds.rank(later.filter, later.site)?, earlier.deeds.rank(earlier.filter, earlier.site)?);
    if later.filter == earlier.filter {
        return None;
    }
    if later.position() == earlier.position() {
        let message =
            format!("it is undefined whether {} runs before {}", later.filter.name(), earlier.filter.name());
        return Some(later.finding(&RULE.code, &message, "give each a priority: higher runs first"));
    }
    let is_first = later.position() < earlier.position();
    (is_first != (own < other)).then(|| misplaced(later, "runs", own < other, earlier.filter))
}

/// Checks the place of one filter against the default place of another one, which may be added later.
fn among(attached: &Attached<'_>, other: Filter) -> Option<Finding> {
    let site = attached.site;
    let (own, others) = (attached.deeds.rank(attached.filter, site)?, Deeds::default().rank(other, site)?);
    // A filter that restores hosts comes before all others, wherever authorization lets it.
    if other == attached.filter || attached.deeds.restores {
        return None;
    }
    let meant = Deeds::default().slot(other, attached.site).position();
    let is_first = attached.position() < meant;
    if is_first == (own < others) {
        return None;
    }
    if attached.position().is_last() {
        let name = attached.filter.name();
        let message = format!("without a phase {name} runs after every other filter of Narrows");
        return Some(attached.finding(&MISPLACED.code, &message, &attached.place()));
    }
    Some(misplaced(attached, "would run", own < others, other))
}

fn misplaced(attached: &Attached<'_>, runs: &str, belongs_first: bool, other: Filter) -> Finding {
    let (is, should) = if belongs_first { ("after", "before") } else { ("before", "after") };
    let message =
        format!("{} {runs} {is} {}, but must run {should} it", attached.filter.name(), other.name());
    attached.finding(&MISPLACED.code, &message, &attached.place())
}
