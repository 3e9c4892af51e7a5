//! Reads matches: the operator's text becomes a [`Match`] or a fault.

mod hosts;
pub(crate) mod metadata;
mod path;
mod scheme;
mod value;

use super::matches::Match;
use super::named_condition::{NamedCondition, QueryMatch};
use super::source::{Cidr, PrincipalPattern, SourceMatch};
use super::value::ValueMatch;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Faults, Fields};
use crate::language::{limits, names};
use crate::matching::budget;
pub(crate) use crate::matching::budget::Budget;
use crate::matching::kind::Kind;
use crate::matching::needles::Hay;
pub(crate) use hosts::{HOSTS, host, host_or_beginning, hosts_or_service, split_port};
#[cfg(any(test, feature = "describe"))]
pub(crate) use path::PATH;
pub(crate) use path::{absolute, expression, of_path, path};
use value::{of_header, plain, query};

/// The conditions of a match.
pub(crate) static MATCH: Object = object!(
    "match",
    Any,
    "Conditions on a request, all of which must hold. Without any it is every request.",
    [&HOSTS],
    [
        field!("path", Table(&PATH), Optional, "The path, without its query and as it was sent."),
        field!("method", Table(&value::VALUE), Optional, "The method."),
        field!(
            "scheme",
            Words(|| words(&scheme::SCHEMES)),
            Optional,
            "Whether it came by `http` or `https`, as Envoy's `require_tls` judges it."
        ),
        field!(
            "headers",
            Map(TOKEN, &Table(&value::VALUE), limits::CONDITIONS),
            Optional,
            "A condition for each name; of a repeated header one value must meet it."
        ),
        field!(
            "withoutHeaders",
            Map(TOKEN, &Table(&value::VALUE), limits::CONDITIONS),
            Optional,
            "Conditions of which none may hold, without `invert`."
        ),
        field!(
            "cookies",
            Map(TOKEN, &Table(&value::VALUE), limits::CONDITIONS),
            Optional,
            "A condition for each name; of several cookies the first counts."
        ),
        field!(
            "queryParams",
            Map("^.", &Table(&value::QUERY_VALUE), limits::CONDITIONS),
            Optional,
            "A condition for each name, percent-decoded; of several parameters the first counts."
        ),
        field!(
            "metadata",
            List(&Table(&metadata::CLAIM), 0, limits::CONDITIONS),
            Optional,
            "Conditions on dynamic metadata, such as a verified token's claims; of a list one element must meet it."
        ),
        field!("source", Table(&SOURCE), Optional, "Who sent the request."),
    ],
);

static SOURCE: Object = object!(
    "source",
    AtLeastOne,
    "Who sent a request; both must hold where both are there.",
    [],
    [
        field!(
            "cidrs",
            List(&Text(1, limits::TEXT_BYTES), 0, limits::SOURCES),
            Optional,
            "Blocks of addresses, such as `10.0.0.0/8`: the caller's is in one of them."
        ),
        field!(
            "principals",
            List(&Text(1, limits::TEXT_BYTES), 0, limits::SOURCES),
            Optional,
            "SPIFFE names, perhaps with `*` at the end: the caller's certificate carries one of them."
        ),
    ],
);

/// Reads `matches`.
pub(crate) fn matches(tree: &PolicyValue, budget: &Budget) -> Result<Vec<Match>, Invalid> {
    read::list(tree, limits::MATCHES, |element| read_match(element, budget))
}

/// Reads one match.
pub(crate) fn read_match(tree: &PolicyValue, budget: &Budget) -> Result<Match, Invalid> {
    read_one(tree, false, budget)
}

/// The same where a repeated header counts as one value: see [`Match`].
pub(crate) fn joined(tree: &PolicyValue, budget: &Budget) -> Result<Match, Invalid> {
    read_one(tree, true, budget)
}

fn read_one(tree: &PolicyValue, joins: bool, budget: &Budget) -> Result<Match, Invalid> {
    budget.hold(budget::MATCH)?;
    Fields::read(tree, &MATCH, |fields| match_of(fields, joins, budget))
}

fn match_of(fields: Fields<'_>, joins: bool, budget: &Budget) -> Result<Match, Invalid> {
    let header = |name: &str| if joins { names::cel_header(name) } else { names::request_header(name) };
    let named = |tree| conditions(tree, header, |t| of_header(value::value(t, budget)?));
    let unwanted = |tree| conditions(tree, names::request_header, |t| of_header(plain(t, budget)?));
    let mut faults = Faults::default();
    let mut read = Match {
        hosts: faults.take(hosts_or_service(fields)).flatten(),
        path: faults.take(fields.optional("path", |t| path(t, budget))).flatten(),
        method: faults.take(fields.optional("method", |t| value::value(t, budget))).flatten(),
        headers: faults.take(fields.optional("headers", named)).flatten().unwrap_or_default(),
        without: faults.take(fields.optional("withoutHeaders", unwanted)).flatten().unwrap_or_default(),
        cookies: faults
            .take(fields.optional("cookies", |t| conditions(t, names::cookie, |t| value::value(t, budget))))
            .flatten()
            .unwrap_or_default(),
        query: faults
            .take(fields.optional("queryParams", |t| query(t, budget)))
            .flatten()
            .unwrap_or_default(),
        metadata: faults
            .take(fields.optional("metadata", |t| metadata::claims(t, budget)))
            .flatten()
            .unwrap_or_default(),
        source: faults.take(fields.optional("source", source)).flatten(),
        joins,
    };
    faults.take(fields.optional("scheme", |t| scheme::read(t, &mut read, budget)));
    if let Some(hosts) = &read.hosts {
        budget.hold(hosts.weight())?;
    }
    if let Some(method) = &mut read.method {
        search(method, budget, Kind::Method, b"", true)?;
    }
    let header = if joins { Kind::Joined } else { Kind::Header };
    let headers = read
        .headers
        .iter_mut()
        .map(|header| (header, joins))
        .chain(read.without.iter_mut().map(|without| (without, false)));
    for (NamedCondition { name, value }, joins) in headers {
        search(value, budget, if joins { header } else { Kind::Header }, name, true)?;
    }
    for NamedCondition { name, value } in &mut read.cookies {
        if value.invert {
            budget.each_value()?;
        }
        search(value, budget, Kind::Cookie, name, false)?;
    }
    for NamedCondition { name, value } in &mut read.metadata {
        search(value, budget, Kind::Metadata, name, true)?;
    }
    for QueryMatch { named: NamedCondition { name, value }, any } in &mut read.query {
        if *any || value.invert {
            budget.each_value()?;
        }
        search(value, budget, Kind::Query, name, *any)?;
    }
    faults.or(read)
}

/// If a condition looks for a text, adds the text to those that are found together.
fn search(
    condition: &mut ValueMatch,
    budget: &Budget,
    kind: Kind,
    name: &[u8],
    any: bool,
) -> Result<(), Invalid> {
    let ValueMatch { ignore_case, invert, .. } = *condition;
    let Some(needle) = condition.needle() else { return Ok(()) };
    budget.needle(needle, Hay { kind, name: name.into(), ignore_case, any, counts: invert })
}

/// Reads a table of conditions by name.
fn conditions(
    tree: &PolicyValue,
    name: impl FnMut(&str) -> Result<Box<str>, Invalid>,
    value: impl FnMut(&PolicyValue) -> Result<ValueMatch, Invalid>,
) -> Result<Vec<NamedCondition>, Invalid> {
    let entries = read::entries(tree, limits::CONDITIONS, name, value)?;
    Ok(entries
        .into_iter()
        .map(|(name, value)| NamedCondition { name: name.into_boxed_bytes(), value })
        .collect())
}

/// Reads `source`.
pub(crate) fn source(tree: &PolicyValue) -> Result<SourceMatch, Invalid> {
    let fields = Fields::open(tree, &SOURCE)?;
    let source = SourceMatch {
        cidrs: fields.optional("cidrs", |t| read::list(t, limits::SOURCES, cidr))?.unwrap_or_default(),
        principals: fields
            .optional("principals", |t| read::list(t, limits::SOURCES, principal))?
            .unwrap_or_default(),
    };
    if source.cidrs.is_empty() && source.principals.is_empty() {
        return Err(Invalid::new(
            Code::MissingField,
            "no source is named",
            "add \"cidrs\" or \"principals\"",
        ));
    }
    Ok(source)
}

/// Reads a block of addresses.
pub(crate) fn cidr(tree: &PolicyValue) -> Result<Cidr, Invalid> {
    let written = read::text(tree)?;
    Cidr::new(written).ok_or_else(|| {
        Invalid::new(
            Code::BadAddress,
            format!("{written:?} is not a block of addresses"),
            "write \"10.0.0.0/8\" or \"fd00::/8\"",
        )
    })
}

/// Reads a SPIFFE name; Istio's own form without `spiffe://` means the same.
pub(crate) fn principal(tree: &PolicyValue) -> Result<PrincipalPattern, Invalid> {
    let written = read::text(tree)?;
    let (stem, prefix) = written.strip_suffix('*').map_or((written, false), |stem| (stem, true));
    let name = if stem.starts_with("spiffe://") { stem.to_owned() } else { format!("spiffe://{stem}") };
    if stem.is_empty() || stem.contains('*') || !stem.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Invalid::new(
            Code::BadValue,
            format!("{written:?} is not a principal"),
            "write \"spiffe://cluster.local/ns/NAMESPACE/sa/ACCOUNT\", perhaps with \"*\" at the end",
        ));
    }
    let name = name.into_bytes().into();
    Ok(if prefix { PrincipalPattern::Prefix(name) } else { PrincipalPattern::Exact(name) })
}
