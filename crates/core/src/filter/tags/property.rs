//! Envoy's attributes as values: those that are text.

use super::cardinality_limit::Path;
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read;

/// Attributes that are numbers, flags or maps, whose bytes make no label; each with the help that its
/// error gives.
const OTHERS: [(&str, &str); 8] = [
    ("response.code", "write {\"statusCode\": true} or {\"statusClass\": true}"),
    ("response.grpc_status", "write {\"grpcStatus\": true}"),
    ("response.flags", "write {\"responseFlags\": true}"),
    ("connection.mtls", "write {\"connectionSecurity\": true}"),
    ("request.time", "use it as a gauge's \"value\": \"time\""),
    (
        "request.duration response.backend_latency upstream.cx_pool_ready_duration",
        "write {\"durationClass\": [100, 500]}, or a histogram of \"duration\"",
    ),
    (
        "request.size request.total_size response.size response.total_size",
        "use a metric's \"value\": \"requestBytes\" or \"responseBytes\"",
    ),
    (
        "source.port destination.port upstream.port upstream.request_attempt_count connection.id \
         xds.listener_direction request.headers response.headers xds.node metadata",
        "it cannot be a label",
    ),
];

/// A property that is a number.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().copied().map(u64::from_le_bytes)
}

/// Names in the path of a property, at most.
pub(super) const LONGEST: usize = 8;

/// The path of a property whose value is text.
pub(super) fn text(tree: &PolicyValue) -> Result<Path, Invalid> {
    let path = path(tree)?;
    let is = |name: &&str| name.split('.').eq(path.iter().map(|part| &**part));
    let found = OTHERS.iter().find_map(|(names, help)| Some((names.split(' ').find(is)?, help)));
    if metadata(&path).is_some_and(|at| at.saturating_add(3) > path.len()) {
        let message = "this is a whole table of metadata, not a value in it";
        let help = "write a list: [\"metadata\", \"filter_metadata\", \"FILTER\", \"NAME\"]";
        return Err(Invalid::new(Code::BadValue, message, help));
    }
    match found {
        None => Ok(path),
        Some((name, help)) => Err(Invalid::new(Code::BadValue, format!("{name:?} is not text"), *help)),
    }
}

/// How many names of a path lead to metadata as a whole, if the path leads to a value in it:
/// `metadata.filter_metadata.FILTER.NAME`, `xds.route_metadata.filter_metadata.FILTER.NAME`.
pub(super) fn metadata(path: &[Box<str>]) -> Option<usize> {
    let at = path.iter().position(|name| &**name == "filter_metadata")?;
    let whole = at.checked_sub(1).and_then(|before| path.get(before))?;
    whole.ends_with("metadata").then_some(at)
}

/// The path of a property: a list of names, or text with dots between them.
pub(super) fn path(tree: &PolicyValue) -> Result<Path, Invalid> {
    let path: Path = match tree {
        PolicyValue::Text(text) => text.split('.').map(Into::into).collect(),
        other => read::list(other, LONGEST, |t| read::text(t).map(Into::into))?.into(),
    };
    if path.is_empty() || path.iter().any(|name| name.is_empty() || name.contains('\0')) {
        return Err(Invalid::new(
            Code::BadValue,
            "this is not the path of a property",
            "write \"narrows_backend\", \"xds.route_name\", or a list if a name holds dots",
        ));
    }
    Ok(path)
}
