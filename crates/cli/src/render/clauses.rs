//! The direction and the ports that a plugin is restricted to: each as the command line says, or else as
//! the resource does.

use narrows_core::PolicyValue;

use super::{RenderRequest, table, text};
use crate::istio::Mode;
use crate::placement::part::Part;
use crate::placement::site::Site;

/// A direction, if it is not both, and ports, if they are not all.
type Clause = (Option<Mode>, Vec<u16>);

/// The clauses of one plugin, as `match` has them, if there are any.
pub(super) fn of_istio(request: &RenderRequest<'_>, part: &Part) -> Option<PolicyValue> {
    if part.mode.is_none() && is_of_resource(request) {
        return request.kept.clauses();
    }
    let clauses = of(request, part);
    (!clauses.is_empty()).then(|| PolicyValue::List(clauses.iter().map(clause).collect()))
}

/// Whether there is any clause.
pub(super) fn are_given(request: &RenderRequest<'_>) -> bool {
    !is_of_resource(request) || request.kept.clauses().is_some()
}

/// The places of one plugin in Envoy, in the words of an `EnvoyFilter`; without a port, all ports.
pub(super) fn places(
    request: &RenderRequest<'_>,
    site: Site,
    part: &Part,
) -> Vec<(&'static str, Option<u16>)> {
    let clauses = of(request, part);
    let [outbound, inbound] = [Mode::Client, Mode::Server].map(|side| ports(&clauses, side));
    let (outbound, inbound) = (outbound.as_slice(), inbound.as_slice());
    let sides = if request.gateway || site == Site::Gateway {
        // All traffic of a gateway is outbound.
        vec![("GATEWAY", if outbound.is_empty() { inbound } else { outbound })]
    } else if outbound == inbound {
        vec![("ANY", outbound)]
    } else if site == Site::Mixed {
        vec![("SIDECAR_OUTBOUND", outbound), ("GATEWAY", outbound), ("SIDECAR_INBOUND", inbound)]
    } else {
        vec![("SIDECAR_OUTBOUND", outbound), ("SIDECAR_INBOUND", inbound)]
    };
    let each = |(context, ports): &(&'static str, &[Option<u16>])| {
        ports.iter().map(|port| (*context, *port)).collect::<Vec<_>>()
    };
    sides.iter().flat_map(each).collect()
}

/// The ports of one side: each once, or all of them.
fn ports(clauses: &[Clause], side: Mode) -> Vec<Option<u16>> {
    let of_side = || clauses.iter().filter(|(mode, _)| mode.is_none_or(|mode| mode == side));
    if clauses.is_empty() || of_side().any(|(_, ports)| ports.is_empty()) {
        return vec![None];
    }
    let mut all: Vec<_> = of_side().flat_map(|(_, ports)| ports.iter().copied().map(Some)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether the command line says nothing of them.
fn is_of_resource(request: &RenderRequest<'_>) -> bool {
    request.mode.is_none() && request.ports.is_empty()
}

fn of(request: &RenderRequest<'_>, part: &Part) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = request.kept.restrictions().collect();
    if !is_of_resource(request) {
        clauses = said(request, clauses);
    }
    let Some(side) = part.mode else { return clauses };
    // The policy has another plugin for the other side.
    let own = clauses.into_iter().filter(|(mode, _)| mode.is_none_or(|mode| mode == side));
    let own: Vec<Clause> = own.map(|(_, ports)| (Some(side), ports)).collect();
    if own.is_empty() { vec![(Some(side), request.ports.clone())] } else { own }
}

/// The clauses of the resource, with what the command line says in place of theirs; each once.
fn said(request: &RenderRequest<'_>, clauses: Vec<Clause>) -> Vec<Clause> {
    let clauses = if clauses.is_empty() { vec![(None, Vec::new())] } else { clauses };
    let mut said: Vec<Clause> = Vec::new();
    for (mode, ports) in clauses {
        let ports = if request.ports.is_empty() { ports } else { request.ports.clone() };
        let clause = (request.mode.or(mode), ports);
        if !said.contains(&clause) {
            said.push(clause);
        }
    }
    said
}

fn clause((mode, ports): &Clause) -> PolicyValue {
    let mut clause = Vec::new();
    clause.extend(mode.map(|mode| ("mode".to_owned(), text(mode.as_str()))));
    if !ports.is_empty() {
        let number = |port: &u16| table([("number", PolicyValue::Integer((*port).into()))]);
        clause.push(("ports".to_owned(), PolicyValue::List(ports.iter().map(number).collect())));
    }
    PolicyValue::Table(clause)
}
