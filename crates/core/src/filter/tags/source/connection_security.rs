//! `connectionSecurity`: how the caller's connection is secured.

use super::{Late, Reading, TagSource, Value, Values};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;

/// Its values, as Istio names them.
const SECURITY: [&str; 3] = ["none", "tls", "mutual_tls"];

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct ConnectionSecurity {
    mutual: usize,
    version: usize,
    values: [u32; 3],
}

impl TagSource for ConnectionSecurity {
    const FIELD: Field = field!(
        "connectionSecurity",
        True,
        Optional,
        "How the caller's connection is secured: `mutual_tls`, `tls`, `none`."
    );
    const VALUES: Values = Values::OfSource;

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        read::flag(tree)?;
        Ok(Self {
            mutual: reading.reads.index(&["connection", "mtls"]),
            version: reading.reads.index(&["connection", "tls_version"]),
            values: SECURITY.map(|security| reading.declare(security)),
        })
    }

    fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
        let is_mutual = late.read(self.mutual).is_some_and(|bytes| bytes.first() == Some(&1));
        let [none, tls, both] = self.values;
        let secured = if late.read(self.version).is_some() { tls } else { none };
        Value::Known(if is_mutual { both } else { secured })
    }
}
