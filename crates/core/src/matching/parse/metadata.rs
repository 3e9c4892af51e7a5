//! Reads conditions on dynamic metadata, and the paths in it.

use super::Budget;
use super::value::{OPTIONS, TEST, open, value_of};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::matching::named_condition::NamedCondition;

/// A condition on the values under a path.
pub(super) static CLAIM: Object = object!(
    "metadataValue",
    Any,
    "A condition on dynamic metadata: one test.",
    [&TEST, &OPTIONS],
    [field!(
        "path",
        List(&Text(1, limits::TEXT_BYTES), 2, limits::METADATA_DEPTH),
        Required,
        "The filter that wrote it, and the names that lead to it, such as `payload` and a claim."
    )],
);

/// Reads `metadata`.
pub(super) fn claims(tree: &PolicyValue, budget: &Budget) -> Result<Vec<NamedCondition>, Invalid> {
    read::list(tree, limits::CONDITIONS, |tree| {
        let fields = open(tree, &CLAIM)?;
        let name = fields.required("path", path)?;
        budget.metadata(&name)?;
        Ok(NamedCondition { name, value: value_of(fields, budget)? })
    })
}

/// Reads a path: a list of names, kept as one text with zero bytes between them.
pub(crate) fn path(tree: &PolicyValue) -> Result<Box<[u8]>, Invalid> {
    let names = read::list(tree, limits::METADATA_DEPTH, |t| {
        let name = read::text(t)?;
        if name.is_empty() || name.contains('\0') {
            let help = "write the names as the filter writes them";
            return Err(Invalid::new(Code::BadValue, format!("{name:?} is no name in metadata"), help));
        }
        Ok(name)
    })?;
    if names.len() < 2 {
        return Err(Invalid::new(
            Code::BadValue,
            "a path has the filter that wrote it, and a name",
            "write [\"envoy.filters.http.jwt_authn\", \"payload\", \"group\"]",
        ));
    }
    Ok(names.join("\0").into_bytes().into())
}
