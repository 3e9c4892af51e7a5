//! The core's runner for a policy whose series are named as requests are served.

use narrows_cases::Case;
use narrows_cases::bytes::header_line;
use narrows_core::tags::{Admission, CardinalityLimit, Metered, Report};

use crate::observed::Observed;

/// Measures a request that has been served, with what Envoy would know of it.
pub(super) fn measure<P: Metered>(
    policy: &P,
    cardinality: &CardinalityLimit,
    verdict: &P::Verdict,
    case: &Case,
    observed: &mut Observed,
) {
    if !policy.is_measured(verdict) {
        return;
    }
    let known: Vec<_> =
        cardinality.reads().iter().map(|path| property(&path.join("."), case, observed)).collect();
    for admission in [Admission::Open, Admission::Open, Admission::Closed] {
        match policy.report(verdict, &known, admission) {
            Report::NeedsAdmission(entries) => {
                entries
                    .iter()
                    .filter(|entry| cardinality.admits(entry))
                    .for_each(|entry| cardinality.apply(entry));
            }
            Report::Measured { measurements, state, .. } => {
                let mut series = policy.common().series.clone();
                series.extend(cardinality.series_from(0));
                observed.count(&series, measurements);
                observed.state.extend(state.into_iter().map(|(key, value)| (key, value.into_bytes())));
                return;
            }
        }
    }
}

fn property(path: &str, case: &Case, observed: &Observed) -> Option<Vec<u8>> {
    let number = |number: u64| Some(number.to_le_bytes().to_vec());
    if let Some(header) = path.strip_prefix("response.headers.") {
        let lines = case.answer.headers.iter().map(|line| header_line(line));
        let values: Vec<_> =
            lines.filter(|(name, _)| name == header.as_bytes()).map(|(_, value)| value).collect();
        return (!values.is_empty()).then(|| values.join(&b","[..]));
    }
    match path {
        "response.code" => number(observed.answer.status.into()),
        "response.flags" | "response.size" => number(0),
        "request.size" => number(case.send.body.len().try_into().unwrap_or(0)),
        "request.duration" => number(1_000_000),
        "connection.mtls" => Some(vec![case.send.source.principal.is_some().into()]),
        "connection.uri_san_peer_certificate" => case.send.source.principal.clone().map(String::into_bytes),
        "connection.peer_certificate_valid" => {
            let source = &case.send.source;
            Some(vec![(source.principal.is_some() && source.verified).into()])
        }
        "xds.cluster_name" => Some(b"echo".to_vec()),
        _ => observed.state.get(path).cloned(),
    }
}
