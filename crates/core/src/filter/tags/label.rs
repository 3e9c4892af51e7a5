//! The names that a tag may have: its name becomes a label and, if published, filter state.

use super::source::AnySource;
use crate::action::sanitize;
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::policy::state;

/// The labels of all filters' own series: Istio finds a label by the end of its name.
const LABELS: [&str; 13] = [
    "action",
    "backend",
    "code_class",
    "destination",
    "fault",
    "filter",
    "lane",
    super::registry::OVERFLOW,
    "plugin",
    "result",
    "rule",
    "split",
    "tag",
];

/// The names that a tag may have.
#[cfg(any(test, feature = "describe"))]
pub(super) const PATTERN: &str = "^[A-Za-z][A-Za-z0-9_]*$";

/// The name of a tag: a label of Prometheus.
pub(super) fn read(written: &str) -> Result<Box<str>, Invalid> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let first = written.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    if !first || written.len() > limits::NAME || !written.bytes().all(plain) {
        return refuse(
            format!("{written:?} cannot be a label"),
            format!("use 1 to {} letters, digits and _, a letter first", limits::NAME),
        );
    }
    if ["le", "quantile", super::registry::OVERFLOW].contains(&written) {
        return refuse(format!("{written:?} is a reserved label"), "choose another name".to_owned());
    }
    Ok(written.into())
}

/// Istio finds a label by the text `name=.=`, even at the end of a longer name. So neither of two
/// labels may end in the other.
pub(super) fn distinct(name: &str, others: &[Box<str>]) -> Result<(), Invalid> {
    let clash = |other: &&str| *other != name && (name.ends_with(*other) || other.ends_with(name));
    let Some(other) = others.iter().map(|other| &**other).chain(LABELS).find(clash) else { return Ok(()) };
    let (long, short) = if name.len() > other.len() { (name, other) } else { (other, name) };
    refuse(
        format!("label {short:?} is a suffix of label {long:?}; Istio's extraction would match both"),
        "choose another name".to_owned(),
    )
}

/// The filter state in which a tag is published. A request must not forge what filters publish about
/// their decisions, so only a copy of such filter state may have its name.
pub(super) fn published(name: &str, source: &AnySource, reads: &[super::Path]) -> Result<Box<str>, Invalid> {
    let state = format!("{}{name}", state::TAG);
    let is_state =
        |index: &usize| reads.get(*index).is_some_and(|path| matches!(&**path, [only] if **only == *state));
    let indices = source.properties();
    let copies = !indices.is_empty() && indices.iter().all(is_state);
    if state::DECISIONS.iter().chain(&[sanitize::PROVENANCE]).any(|decision| *decision == state) && !copies {
        return refuse(
            format!("{state:?} holds what a filter decided; this tag would overwrite it"),
            format!("choose another name, or write {{\"property\": \"{state}\"}} to publish that"),
        );
    }
    Ok(state.into())
}

/// The filter state of an attribute is its name.
pub(super) fn attribute(written: &str) -> Result<Box<str>, Invalid> {
    if written.starts_with(state::TAG) {
        return refuse(
            format!("filter state that begins with {:?} is reserved for the filters", state::TAG),
            "choose another name".to_owned(),
        );
    }
    read(written)
}

fn refuse<T>(message: String, help: String) -> Result<T, Invalid> {
    Err(Invalid::new(Code::BadLabel, message, help))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::LABELS;
    use crate::policy::signals::METRICS;

    #[test]
    fn no_series_has_a_label_that_is_not_reserved() {
        let reserved: BTreeSet<_> = LABELS.into_iter().collect();
        let series = METRICS.iter().flat_map(|metric| metric.labels).copied();
        let of_filters: BTreeSet<_> = series.chain([super::super::registry::OVERFLOW]).collect();
        assert_eq!(of_filters, reserved);
    }

    #[test]
    fn none_of_our_own_labels_is_found_in_another() {
        for label in LABELS {
            let others = LABELS.into_iter().filter(|other| *other != label);
            assert_eq!(others.filter(|other| other.ends_with(label)).collect::<Vec<_>>(), [""; 0], "{label}");
        }
    }
}
