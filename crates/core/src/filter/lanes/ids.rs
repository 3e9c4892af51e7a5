//! The ids of a request's trace, in a form that every hop gives them.

use crate::language::describe::{Field, field};
use crate::language::invalid::{Code, Invalid};
use crate::language::names;
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, read};
use crate::matching::request::Request;
use crate::order::hash_of;
use crate::wire::trace;

/// The headers that are read if a policy names none.
const DEFAULT: [&str; 4] = ["traceparent", "b3", "x-b3-traceid", "x-request-id"];
/// The header whose id Envoy itself makes and marks.
const REQUEST_ID: &str = "x-request-id";
/// The length of an id that is a UUID, and the place of the digit in which Envoy says what it traces.
const UUID: usize = 36;
const MARK: usize = 14;

/// `trace` of a policy.
pub(super) const TRACE: Field = field!(
    "trace",
    List(&Pattern(TOKEN, 256), 1, limits::TRACE_HEADERS),
    Optional,
    "The headers with the ids of a request's trace; without it `traceparent`, `b3`, `x-b3-traceid` and `x-request-id`."
);

/// The headers that carry ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sources(Vec<Box<str>>);

impl Default for Sources {
    fn default() -> Self {
        Self(DEFAULT.map(Box::from).to_vec())
    }
}

impl Sources {
    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let headers = read::list(tree, limits::TRACE_HEADERS, |t| names::request_header(read::text(t)?))?;
        if headers.is_empty() {
            return Err(Invalid::new(
                Code::BadValue,
                "no header is listed",
                "write one, such as \"traceparent\"",
            ));
        }
        each_once(&headers.iter().map(|header| &**header))?;
        Ok(Self(headers))
    }

    pub(super) fn covers(&self, header: &str) -> bool {
        self.0.iter().any(|known| **known == *header)
    }

    /// The ids of a request, each once, in the order of the headers. `space` keeps the ids of different lane
    /// headers apart.
    pub(super) fn ids(&self, request: &Request<'_>, space: &[u8]) -> Vec<u64> {
        let mut ids = Vec::with_capacity(self.0.len());
        for header in &self.0 {
            let Some(value) = only(request, header.as_bytes()) else { continue };
            let Some(id) = id(header, value, space) else { continue };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

/// Refuses a text that a list has twice.
pub(super) fn each_once<'t>(texts: &(impl Iterator<Item = &'t str> + Clone)) -> Result<(), Invalid> {
    for (at, text) in texts.clone().enumerate() {
        if texts.clone().take(at).any(|earlier| earlier == text) {
            let message = format!("{text:?} is listed twice");
            return Err(Invalid::new(Code::RepeatedName, message, "keep one of them").in_index(at));
        }
    }
    Ok(())
}

/// The value of a header, if all its lines agree.
pub(super) fn only<'a>(request: &Request<'a>, header: &[u8]) -> Option<&'a [u8]> {
    let mut values = request.values(header);
    let first = values.next()?;
    values.all(|other| other == first).then_some(first)
}

/// The id in a value. One trace has one id, in whichever header it comes; an id of another kind is told apart
/// by its header.
fn id(header: &str, value: &[u8], space: &[u8]) -> Option<u64> {
    if trace::carries(header.as_bytes()) {
        let bits = trace::low_bits(header.as_bytes(), value)?;
        return Some(hash_of(space, &bits.to_le_bytes()));
    }
    if value.is_empty() {
        return None;
    }
    // Envoy writes into a UUID whether it traces the request, and may change that at each hop.
    let (start, end) = match value.split_at_checked(MARK) {
        Some((start, [_, end @ ..])) if header == REQUEST_ID && value.len() == UUID => (start, end),
        _ => (value, [].as_slice()),
    };
    Some(hash_of(space, &[header.as_bytes(), b"\0", start, b"\0", end].concat()))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Sources;
    use crate::matching::request::Request;

    fn ids(headers: &[(&'static str, &'static str)]) -> Vec<u64> {
        let lines = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        Sources::default().ids(&Request::new(lines), b"x-lane")
    }

    #[test]
    fn one_trace_has_one_id_in_every_header() {
        let low = ids(&[("x-b3-traceid", "a3ce929d0e0e4736")]);
        assert_eq!(low.len(), 1);
        for (name, value) in [
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-1111111111111111-00"),
            ("b3", "a3ce929d0e0e4736-1111111111111111-1"),
            ("b3", "0000000000000000A3CE929D0E0E4736-1111111111111111"),
        ] {
            assert_eq!(ids(&[(name, value)]), low, "{value}");
        }
        let both = [("b3", "0"), ("x-b3-traceid", "a3ce929d0e0e4736"), ("x-request-id", "1")];
        assert_eq!(ids(&both).len(), 2);
        assert_eq!(ids(&both)[0], low[0]);
        assert!(ids(&[("b3", "0")]).is_empty());
        assert!(ids(&[("x-b3-traceid", "0000000000000000")]).is_empty());
    }

    #[test]
    fn what_envoy_changes_in_a_uuid_is_left_out() {
        let of = |value| ids(&[("x-request-id", value)]);
        assert_eq!(of("f5a2b3c4-d5e6-4789-abcd-ef0123456789"), of("f5a2b3c4-d5e6-a789-abcd-ef0123456789"));
        assert_ne!(of("f5a2b3c4-d5e6-4789-abcd-ef0123456789"), of("f5a2b3c4-d5e6-4789-abcd-ef0123456780"));
        assert_ne!(of("0123456789abcd1"), of("0123456789abcd2"));
        assert!(of("").is_empty());
    }

    #[test]
    fn lines_that_disagree_are_no_id() {
        assert!(ids(&[("x-request-id", "1"), ("x-request-id", "2")]).is_empty());
        assert_eq!(ids(&[("x-request-id", "1"), ("x-request-id", "1")]).len(), 1);
    }
}
