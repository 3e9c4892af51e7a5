//! Whether every path of one condition is one of another, as far as it can be said.

use crate::matching::path::{PathForm, PathMatch};
use crate::matching::value::Terms;

/// Whether `outer` holds for every path for which `inner` does; `None` is any path, also none at all.
pub(super) fn is_within(inner: Option<&PathMatch>, outer: Option<&PathMatch>) -> bool {
    let Some(outer) = outer else { return true };
    let Some(inner) = inner.filter(|inner| !inner.invert) else { return false };
    if let PathForm::Value(value) = &inner.form {
        if value.ignore_case || value.invert {
            return false;
        }
        match value.test.sole_terms() {
            Terms::Is(text) => return outer.matches(text),
            Terms::In(texts) => return texts.iter().all(|text| outer.matches(text)),
            _ => {}
        }
    }
    let (Some(inner), Some(outer)) = (inner.start(), outer.start()) else { return false };
    if inner.ignore_case && !outer.ignore_case {
        return false;
    }
    let is_same = |one: &[u8], other: &[u8]| {
        if outer.ignore_case { one.eq_ignore_ascii_case(other) } else { one == other }
    };
    let Some((begin, rest)) = inner.text.split_at_checked(outer.text.len()) else { return false };
    is_same(begin, outer.text)
        && (!outer.is_whole || rest.starts_with(b"/") || (rest.is_empty() && inner.is_whole))
}
