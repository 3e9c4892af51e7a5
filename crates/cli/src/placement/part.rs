//! One policy as the plugins that it needs.

use narrows_core::limits::STRIP;
use narrows_core::{PolicyValue, names};

use super::site::Site;
use super::{Deeds, Slot, stripping, strips_for_others};
use crate::error::CliError;
use crate::filter::{AnyPolicy, Filter};
use crate::istio::Mode;
use crate::source::Node;

/// One plugin of a policy.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its filter: the one that strips for a merged policy is a header-router.
    pub filter: Filter,
    /// The text that is appended to the name of the resource.
    pub suffix: &'static str,
    /// Where it belongs.
    pub slot: Slot,
    /// Its policy.
    pub policy: PolicyValue,
    /// Whether it is the one that decides.
    pub decides: bool,
    /// The side that it is for, if its policy has another plugin for the other.
    pub mode: Option<Mode>,
}

/// The plugins that a policy needs on proxies of that kind, in the order in which they run. They are
/// the policy itself and, if it strips but runs too late for that, a plugin before it that strips.
pub fn parts(
    filter: Filter,
    written: &PolicyValue,
    policy: &AnyPolicy,
    site: Site,
) -> Result<Vec<Part>, CliError> {
    let deeds = Deeds::of(filter, &Node::unplaced(written, &(0..0)));
    let slot = deeds.slot(filter, site);
    let itself = Part { filter, suffix: "", slot, policy: written.clone(), decides: true, mode: None };
    if filter == Filter::TrafficLanes && site == Site::Mixed {
        // Its place in the order is another one on each side.
        let early = deeds.slot(filter, Site::Outbound);
        let restores = Part { suffix: "-restore", slot: early, mode: Some(Mode::Client), ..itself.clone() };
        return Ok(vec![restores, Part { mode: Some(Mode::Server), ..itself }]);
    }
    let is_late = site.authorizes() && slot.position().is_behind_authorization();
    let names = policy.strips();
    if !is_late || !strips_for_others(filter) || names.is_empty() {
        return Ok(vec![itself]);
    }
    let filter = if filter == Filter::Narrows { Filter::HeaderRouter } else { filter };
    let policy = only_stripping(filter, written, &names)?;
    let slot = stripping(filter);
    Ok(vec![Part { filter, suffix: "-strip", slot, policy, decides: false, mode: None }, itself])
}

/// A policy that strips the same headers and does nothing else. It writes into filter state which
/// headers it has stripped, so that the policy itself keeps the headers that filters between the two
/// write.
fn only_stripping(filter: Filter, written: &PolicyValue, names: &[&str]) -> Result<PolicyValue, CliError> {
    let PolicyValue::Table(fields) = written else { return Ok(written.clone()) };
    let of = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    let route_header = match of("routeHeader") {
        Some(PolicyValue::Text(name)) => name,
        Some(_) | None => narrows_core::destination::ROUTE_HEADER.to_owned(),
    };
    // "trust" and "routeHeader" strip these already.
    let mesh = of("trust").is_some_and(|trust| trust == PolicyValue::Text("mesh".to_owned()));
    let implied = |name: &str| !mesh && (name == "x-narrows-*" || name.eq_ignore_ascii_case(&route_header));
    let listed: Vec<&str> = names.iter().copied().filter(|name| !implied(name)).collect();
    let is_covered = |name: &str, place: usize| {
        let mut others = listed.iter().enumerate().filter(|(other, _)| *other != place);
        others.any(|(other, pattern)| {
            names::covers(pattern.as_bytes(), name.as_bytes())
                && (other < place || !names::covers(name.as_bytes(), pattern.as_bytes()))
        })
    };
    let strip: Vec<PolicyValue> = listed
        .iter()
        .enumerate()
        .filter(|(place, name)| !is_covered(name, *place))
        .map(|(_, name)| PolicyValue::Text((*name).to_owned()))
        .collect();
    if strip.len() > STRIP {
        return Err(CliError::new(
            format!("the policy strips {} names, more than the {STRIP} of one plugin", strip.len()),
            "write fewer names, some with \"*\" at the end; or strip in a policy of your own, in phase AUTHN",
        ));
    }
    let mut kept = Vec::new();
    let mut keep =
        |name: &str, value: Option<PolicyValue>| kept.extend(value.map(|value| (name.to_owned(), value)));
    keep("filter", Some(PolicyValue::Text(filter.name().to_owned())));
    keep("mode", of("mode"));
    keep("trust", Some(of("trust").unwrap_or_else(|| PolicyValue::Text("edge".to_owned()))));
    keep("labels", of("labels"));
    keep("routeHeader", of("routeHeader"));
    keep("strip", (!strip.is_empty()).then_some(PolicyValue::List(strip)));
    let nothing = if filter == Filter::HeaderRouter { "rules" } else { "splits" };
    keep(nothing, Some(PolicyValue::List(Vec::new())));
    Ok(PolicyValue::Table(kept))
}

#[cfg(test)]
mod tests {
    use narrows_core::{PolicyValue, names};

    use super::parts;
    use crate::filter::Filter;
    use crate::placement::site::Site;

    const REWRITING: [(Filter, &str); 8] = [
        (Filter::HeaderRouter, r#"{"rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#),
        (
            Filter::HeaderRouter,
            r#"{"trust": "edge", "routeHeader": "x-lane", "strip": ["x-internal-*", "x-internal-user"],
                "mode": "report", "labels": "stock", "rules": [{"name": "r", "rewrite": {"authority": "b"}}]}"#,
        ),
        (
            Filter::HeaderRouter,
            r#"{"trust": "mesh", "strip": ["x-a"], "rules": [{"name": "r", "route": {"authority": "b"}}]}"#,
        ),
        (
            Filter::CanarySplit,
            r#"{"strip": ["x-internal-*"], "splits": [{"name": "s", "key": [{"header": "u"}], "override": {"header": "x-canary"},
                "backends": [{"name": "a", "baseline": true}, {"name": "b", "authority": "b", "weight": 5}]}]}"#,
        ),
        (
            Filter::CanarySplit,
            r#"{"splits": [{"name": "s", "key": [{"header": "u"}], "override": {"header": "x-internal-canary"},
                "backends": [{"name": "a", "baseline": true}, {"name": "b", "to": "b", "weight": 5}]}]}"#,
        ),
        (
            Filter::CanarySplit,
            r#"{"trust": "mesh", "strip": ["x-a"], "splits": [{"name": "s", "key": [{"header": "u"}],
                "backends": [{"name": "a", "baseline": true}, {"name": "b", "authority": "b", "weight": 5}]}]}"#,
        ),
        (
            Filter::Narrows,
            r#"{"router": {"routeHeader": "x-lane", "strip": ["x-b"], "rules": [{"name": "r",
                "redirect": {"scheme": "https"}}]}, "split": {"splits": [{"name": "s", "key": [{"header": "u"}],
                "override": {"header": "x-canary"}, "backends": [{"name": "a", "baseline": true},
                {"name": "b", "to": "b", "weight": 5}]}]}}"#,
        ),
        (
            Filter::Narrows,
            r#"{"trust": "mesh", "split": {"strip": ["x-b"], "splits": [{"name": "s",
                "key": [{"header": "u"}], "backends": [{"name": "a", "baseline": true},
                {"name": "b", "to": "b", "weight": 5}]}]}}"#,
        ),
    ];

    #[test]
    fn the_part_that_strips_strips_the_same_and_comes_first() {
        for (filter, text) in REWRITING {
            let tree = PolicyValue::parse(text.as_bytes()).unwrap();
            let policy = filter.compile(&tree).unwrap();
            for site in [Site::Gateway, Site::Inbound, Site::Waypoint, Site::Mixed] {
                let parts = parts(filter, &tree, &policy, site).unwrap();
                let [first, second] = &parts[..] else { panic!("{text}: {parts:?}") };
                assert_eq!((first.slot.phase, second.slot.phase), ("AUTHN", "STATS"), "{text}");
                assert_eq!(second.policy, tree);
                let stripping = first.filter.compile(&first.policy).unwrap();
                // Neither strips a header that the other does not strip.
                for (one, other) in [(&policy, &stripping), (&stripping, &policy)] {
                    let other = other.strips();
                    let is_covered = |name: &&str| {
                        other.iter().any(|pattern| names::covers(pattern.as_bytes(), name.as_bytes()))
                    };
                    assert!(one.strips().iter().all(is_covered), "{text}: {:?}", first.policy);
                }
            }
            let parts = parts(filter, &tree, &policy, Site::Outbound).unwrap();
            assert_eq!(parts.len(), 1, "{text}");
        }
    }

    #[test]
    fn one_plugin_does_where_one_can() {
        for (filter, text, phase) in [
            (Filter::HeaderRouter, r#"{"rules": [{"name": "r", "route": {"to": "v2"}}]}"#, "AUTHZ"),
            (Filter::HeaderRouter, r#"{"strip": ["x-a"], "rules": []}"#, "AUTHN"),
            (
                Filter::HeaderRouter,
                r#"{"trust": "mesh", "rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#,
                "STATS",
            ),
            (
                Filter::CanarySplit,
                r#"{"trust": "mesh", "restoreHost": true, "strip": ["x-a"], "splits": [{"name": "s", "service": "a.b",
                    "key": [{"header": "u"}], "backends": [{"name": "a", "baseline": true},
                    {"name": "b", "authority": "b", "weight": 5}]}]}"#,
                "AUTHZ",
            ),
            (
                Filter::MetricTags,
                r#"{"metrics": [{"name": "r_total", "type": "counter", "tags": []}]}"#,
                "STATS",
            ),
            (Filter::EgressPolicy, r#"{"default": "deny"}"#, "STATS"),
        ] {
            let tree = PolicyValue::parse(text.as_bytes()).unwrap();
            let policy = filter.compile(&tree).unwrap();
            let parts = parts(filter, &tree, &policy, Site::Gateway).unwrap();
            assert_eq!(parts.len(), 1, "{text}");
            assert_eq!(parts[0].slot.phase, phase, "{text}");
        }
    }

    #[test]
    fn what_one_plugin_cannot_strip_is_refused() {
        let splits: Vec<String> = (0..65)
            .map(|i| {
                format!(
                    r#"{{"name": "s{i}", "hosts": ["h{i}"], "key": [{{"header": "u"}}], "override": {{"header": "x-{i}"}},
                        "backends": [{{"name": "a", "baseline": true}}, {{"name": "b", "to": "b", "weight": 5}}]}}"#
                )
            })
            .collect();
        let tree = PolicyValue::parse(format!(r#"{{"splits": [{}]}}"#, splits.join(",")).as_bytes()).unwrap();
        let policy = Filter::CanarySplit.compile(&tree).unwrap();
        let refused = parts(Filter::CanarySplit, &tree, &policy, Site::Gateway).unwrap_err();
        assert!(refused.to_string().contains("strips 65 names"), "{refused}");
    }
}
