//! `from` of a rule: who asks.

use super::super::Action;
use super::super::caller::Caller;
use super::read::{LABEL, filled, label};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::Fields;
use crate::matching::parse;
use crate::matching::source::PrincipalPattern;

/// An AND of the fields, an OR within each. What is not known matches none of the names; and of the
/// names that are spared, it is none if the rule denies.
#[derive(Clone, Debug, Default)]
pub(in crate::filter::egress) struct CallerMatch {
    pub(in crate::filter::egress) principals: Vec<PrincipalPattern>,
    pub(in crate::filter::egress) namespaces: Vec<Box<[u8]>>,
    pub(in crate::filter::egress) workloads: Vec<Box<[u8]>>,
    pub(in crate::filter::egress) not_principals: Vec<PrincipalPattern>,
    pub(in crate::filter::egress) not_namespaces: Vec<Box<[u8]>>,
}

pub(super) static FROM: Object = object!(
    "from",
    AtLeastOne,
    "Callers: all of the fields that are there must hold, each by one of its values.",
    [],
    [
        field!(
            "principals",
            List(&Text(1, limits::TEXT_BYTES), 1, limits::SOURCES),
            Optional,
            "SPIFFE names, perhaps with `*` at the end."
        ),
        field!(
            "namespaces",
            List(&Pattern("^[a-z0-9.-]+$", LABEL), 1, limits::SOURCES),
            Optional,
            "Kubernetes namespaces."
        ),
        field!(
            "workloads",
            List(&Pattern("^[a-z0-9.-]+$", LABEL), 1, limits::SOURCES),
            Optional,
            "Names of workloads."
        ),
        field!(
            "notPrincipals",
            List(&Text(1, limits::TEXT_BYTES), 1, limits::SOURCES),
            Optional,
            "SPIFFE names that it is none of; a rule that denies also takes a caller without a name."
        ),
        field!(
            "notNamespaces",
            List(&Pattern("^[a-z0-9.-]+$", LABEL), 1, limits::SOURCES),
            Optional,
            "Namespaces that it is none of; a rule that denies also takes a caller without one."
        ),
    ],
);

impl CallerMatch {
    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &FROM)?;
        let names = |name| {
            fields.optional(name, |t| filled(t, limits::SOURCES, &label)).map(Option::unwrap_or_default)
        };
        let principals = |name| {
            let read = fields.optional(name, |t| filled(t, limits::SOURCES, &parse::principal));
            read.map(Option::unwrap_or_default)
        };
        let from = Self {
            principals: principals("principals")?,
            namespaces: names("namespaces")?,
            workloads: names("workloads")?,
            not_principals: principals("notPrincipals")?,
            not_namespaces: names("notNamespaces")?,
        };
        if from.is_anyone() {
            return Err(Invalid::new(
                Code::MissingField,
                "no caller is named",
                "add \"principals\", \"namespaces\" or \"workloads\", or leave \"from\" out",
            ));
        }
        Ok(from)
    }

    /// Whether it names nobody, and so means everybody.
    pub(super) fn is_anyone(&self) -> bool {
        self.principals.is_empty()
            && self.namespaces.is_empty()
            && self.workloads.is_empty()
            && self.not_principals.is_empty()
            && self.not_namespaces.is_empty()
    }

    pub(super) fn covers(&self, caller: &Caller<'_>, action: Action) -> bool {
        let is_one = |names: &[Box<[u8]>], name: &[u8]| names.iter().any(|known| **known == *name);
        let is_principal = |names: &[PrincipalPattern], name: &[u8]| names.iter().any(|p| p.covers(name));
        let known = |names: &[Box<[u8]>], name: Option<&[u8]>| {
            names.is_empty() || name.is_some_and(|name| is_one(names, name))
        };
        // Who is not known may be one of those that are spared: no reason to allow, nor to spare.
        let is_other = |name: Option<&[u8]>, is_spared: &dyn Fn(&[u8]) -> bool| {
            name.map_or(action == Action::Deny, |name| !is_spared(name))
        };
        (self.principals.is_empty()
            || caller.principal.is_some_and(|name| is_principal(&self.principals, name)))
            && known(&self.namespaces, caller.namespace)
            && known(&self.workloads, caller.workload)
            && (self.not_namespaces.is_empty()
                || is_other(caller.namespace, &|name| is_one(&self.not_namespaces, name)))
            && (self.not_principals.is_empty()
                || is_other(caller.principal, &|name| is_principal(&self.not_principals, name)))
    }
}
