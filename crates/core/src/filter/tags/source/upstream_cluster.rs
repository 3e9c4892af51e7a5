//! `upstreamCluster`: the cluster that a request went to.

use super::{Late, Reading, TagSource, Value};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct UpstreamCluster(usize);

impl TagSource for UpstreamCluster {
    const FIELD: Field =
        field!("upstreamCluster", True, Optional, "Envoy's name of the cluster that the request went to.");
    const IS_LONG: bool = true;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        Ok(Self(reading.reads.index(&["xds", "cluster_name"])))
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        late.text(&[self.0])
    }

    fn properties(&self) -> &[usize] {
        std::slice::from_ref(&self.0)
    }
}
