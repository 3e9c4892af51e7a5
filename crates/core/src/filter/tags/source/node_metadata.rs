//! `nodeMetadata`: metadata of this proxy, read once when the policy is loaded.

use super::{Reading, TagSource, Value, Values};
use crate::filter::tags::cardinality_limit::Path;
use crate::filter::tags::property;
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct NodeMetadata(Path);

impl TagSource for NodeMetadata {
    const FIELD: Field = field!(
        "nodeMetadata",
        Either(&[Text(1, limits::TEXT_BYTES), List(&Text(1, limits::TEXT_BYTES), 1, property::LONGEST)]),
        Optional,
        "Metadata of this proxy: its name, with dots or as a list."
    );
    const VALUES: Values = Values::OfSource;
    const IS_LONG: bool = true;

    fn read(tree: &PolicyValue, _: &mut Reading<'_>) -> Result<Self, Invalid> {
        let mut path = property::path(tree)?.into_vec();
        path.splice(0..0, ["xds", "node", "metadata"].map(Into::into));
        Ok(Self(path.into()))
    }

    fn of_request<'v>(&'v self, _: &'v Request<'_>) -> Value<'v> {
        Value::Constant
    }

    fn metadata(&self) -> Option<&Path> {
        Some(&self.0)
    }
}
