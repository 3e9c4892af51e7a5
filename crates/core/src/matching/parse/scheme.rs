//! `scheme`: a condition on the header in which Envoy keeps by which scheme a request came.

use super::{Budget, of_header, value};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::matching::matches::Match;
use crate::matching::named_condition::NamedCondition;
use crate::matching::request::FORWARDED_PROTO;

/// The words, and whether each means https.
pub(super) const SCHEMES: [(&str, bool); 2] = [("http", false), ("https", true)];

/// Reads it, and adds the condition. Whatever is not https is http, as for Envoy.
pub(super) fn read(tree: &PolicyValue, read: &mut Match, budget: &Budget) -> Result<(), Invalid> {
    let is_https = read::word(tree, &SCHEMES)?;
    let https = PolicyValue::Table(vec![("exact".to_owned(), PolicyValue::Text("https".to_owned()))]);
    let condition =
        NamedCondition { name: FORWARDED_PROTO.into(), value: of_header(value::value(&https, budget)?)? };
    let conditions = if is_https { &mut read.headers } else { &mut read.without };
    conditions.push(condition);
    Ok(())
}
