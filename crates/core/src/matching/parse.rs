//! Reading matches: what an operator writes becomes a [`Match`] or a fault.

mod hosts;

use super::matches::Match;
use super::named::{Named, QueryMatch};
use super::needles::Needle;
use super::path::{PathForm, PathMatch};
use super::source::{Cidr, PrincipalPattern, SourceMatch};
use super::value::{Test, ValueMatch};
use crate::language::invalid::{Code, Invalid};
use crate::language::path_template::PathTemplate;
use crate::language::read::{self, Faults, Fields};
use crate::language::tree::Tree;
use crate::language::{limits, names};
use crate::matching::budget;
pub(crate) use crate::matching::budget::Budget;
use crate::matching::kind::Kind;
pub(crate) use hosts::{host, hosts_or_service};

/// The fields of a match.
pub(crate) const MATCH: &[&str] =
    &["hosts", "service", "path", "method", "headers", "withoutHeaders", "cookies", "queryParams", "source"];

const VALUE: &[&str] = &["exact", "prefix", "suffix", "contains", "regex", "in", "range", "present"];
const PATH: &[&str] = &["exact", "prefix", "suffix", "contains", "regex", "in", "pathPrefix", "template"];

/// Reads `matches`.
pub(crate) fn matches(tree: &Tree, budget: &Budget) -> Result<Vec<Match>, Invalid> {
    read::list(tree, limits::MATCHES, |element| one(element, budget))
}

/// Reads one match.
pub(crate) fn one(tree: &Tree, budget: &Budget) -> Result<Match, Invalid> {
    read_one(tree, false, budget)
}

/// The same where a repeated header is one value: see [`Match`].
pub(crate) fn joined(tree: &Tree, budget: &Budget) -> Result<Match, Invalid> {
    read_one(tree, true, budget)
}

fn read_one(tree: &Tree, joins: bool, budget: &Budget) -> Result<Match, Invalid> {
    budget.hold(budget::MATCH)?;
    let fields = Fields::open(tree, MATCH)?;
    let named = |tree| conditions(tree, names::request_header, |t| of_header(value(t, budget)?));
    let unwanted = |tree| conditions(tree, names::request_header, |t| of_header(plain(t, budget)?));
    let mut faults = Faults::default();
    let mut read = Match {
        hosts: faults.take(hosts_or_service(fields)).flatten(),
        path: faults.take(fields.optional("path", |t| path(t, budget))).flatten(),
        method: faults.take(fields.optional("method", |t| value(t, budget))).flatten(),
        headers: faults.take(fields.optional("headers", named)).flatten().unwrap_or_default(),
        without: faults.take(fields.optional("withoutHeaders", unwanted)).flatten().unwrap_or_default(),
        cookies: faults
            .take(fields.optional("cookies", |t| conditions(t, names::cookie, |t| value(t, budget))))
            .flatten()
            .unwrap_or_default(),
        query: faults
            .take(fields.optional("queryParams", |t| query(t, budget)))
            .flatten()
            .unwrap_or_default(),
        source: faults.take(fields.optional("source", source)).flatten(),
        joins,
    };
    if let Some(hosts) = &read.hosts {
        budget.hold(hosts.weight())?;
    }
    if let Some(method) = &mut read.method {
        budget.needle(method, Kind::Method, b"", true)?;
    }
    let header = if joins { Kind::Joined } else { Kind::Header };
    let headers = read
        .headers
        .iter_mut()
        .map(|header| (header, joins))
        .chain(read.without.iter_mut().map(|without| (without, false)));
    for (Named { name, value }, joins) in headers {
        budget.needle(value, if joins { header } else { Kind::Header }, name, true)?;
    }
    for Named { name, value } in &mut read.cookies {
        if value.invert {
            budget.each_value()?;
        }
        budget.needle(value, Kind::Cookie, name, false)?;
    }
    for QueryMatch { named: Named { name, value }, any } in &mut read.query {
        if *any || value.invert {
            budget.each_value()?;
        }
        budget.needle(value, Kind::Query, name, *any)?;
    }
    faults.or(read)
}

/// Reads a table of conditions by name.
fn conditions(
    tree: &Tree,
    name: impl FnMut(&str) -> Result<Box<str>, Invalid>,
    value: impl FnMut(&Tree) -> Result<ValueMatch, Invalid>,
) -> Result<Vec<Named>, Invalid> {
    let entries = read::entries(tree, limits::CONDITIONS, name, value)?;
    Ok(entries.into_iter().map(|(name, value)| Named { name: name.into_boxed_bytes(), value }).collect())
}

fn query(tree: &Tree, budget: &Budget) -> Result<Vec<QueryMatch>, Invalid> {
    let read = |tree| -> Result<(ValueMatch, bool), Invalid> {
        let fields = open(tree, VALUE, &["ignoreCase", "invert", "repeated"])?;
        let any = fields
            .optional("repeated", |t| read::word(t, &[("first", false), ("any", true)]))?
            .unwrap_or(false);
        Ok((value_of(fields, budget)?, any))
    };
    let entries = read::entries(tree, limits::CONDITIONS, names::parameter, read)?;
    Ok(entries
        .into_iter()
        .map(|(name, (value, any))| QueryMatch { named: Named { name: name.into_boxed_bytes(), value }, any })
        .collect())
}

/// Reads a value matcher.
pub(crate) fn value(tree: &Tree, budget: &Budget) -> Result<ValueMatch, Invalid> {
    value_of(open(tree, VALUE, &["ignoreCase", "invert"])?, budget)
}

/// Reads a value matcher that may not be turned around, because it has been already.
fn plain(tree: &Tree, budget: &Budget) -> Result<ValueMatch, Invalid> {
    let value = value(tree, budget)?;
    if !value.invert {
        return Ok(value);
    }
    Err(Invalid::new(
        Code::Conflict,
        "\"withoutHeaders\" and \"invert\" say not twice",
        "write it in \"headers\", without \"invert\"",
    )
    .in_field("invert"))
}

/// Refuses what no header's value can be: blanks around it are no part of it, so a condition on
/// them would never hold, and its opposite always.
fn of_header(value: ValueMatch) -> Result<ValueMatch, Invalid> {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let is_padded = |text: &[u8]| is_blank(text.first()) || is_blank(text.last());
    let kind = match &value.test {
        Test::Exact(text) if is_padded(text) => "exact",
        Test::In(texts) if texts.iter().any(is_padded) => "in",
        Test::Prefix(text) if is_blank(text.first()) => "prefix",
        Test::Suffix(text) if is_blank(text.last()) => "suffix",
        _ => return Ok(value),
    };
    Err(Invalid::new(
        Code::BadValue,
        "blanks around a header's value are no part of it: no value is like that",
        "leave out the blanks at the ends",
    )
    .in_field(kind))
}

fn open<'t>(tree: &'t Tree, tests: &[&str], options: &[&str]) -> Result<Fields<'t>, Invalid> {
    if let Tree::Text(text) = tree {
        let help = format!("write {{\"exact\": {text:?}}}");
        return Err(Invalid::new(Code::WrongType, "expected a table, found a string", help));
    }
    let known: Vec<&str> = tests.iter().chain(options).copied().collect();
    Fields::open(tree, &known)
}

fn value_of(fields: Fields<'_>, budget: &Budget) -> Result<ValueMatch, Invalid> {
    budget.hold(budget::CONDITION)?;
    let ignore_case = fields.optional("ignoreCase", read::flag)?.unwrap_or(false);
    let invert = fields.optional("invert", read::flag)?.unwrap_or(false);
    let fold = |text: &str| -> Box<[u8]> {
        if ignore_case { text.to_ascii_lowercase().into_bytes().into() } else { text.as_bytes().into() }
    };
    let literal = |field: &str| {
        fields.required(field, |t| {
            let text = read::text(t)?;
            if text.is_empty() && field != "exact" {
                return Err(Invalid::new(
                    Code::BadValue,
                    format!("an empty {field:?} matches everything"),
                    "use \"present\": true",
                ));
            }
            Ok(fold(text))
        })
    };
    let kind = fields.exactly_one(VALUE)?;
    if ignore_case && matches!(kind, "range" | "present") {
        return Err(Invalid::new(
            Code::Conflict,
            format!("{kind:?} has no letter case"),
            "leave out \"ignoreCase\"",
        ));
    }
    let test = match kind {
        "exact" => Test::Exact(literal("exact")?),
        "prefix" => Test::Prefix(literal("prefix")?),
        "suffix" => Test::Suffix(literal("suffix")?),
        "contains" => Test::Contains(Needle::new(literal("contains")?)),
        "regex" => Test::Regex(fields.required("regex", |t| budget.regex(read::text(t)?, ignore_case))?),
        "in" => {
            let values =
                fields.required("in", |t| read::list(t, limits::VALUES, |v| read::text(v).map(fold)))?;
            if values.is_empty() {
                return Err(Invalid::new(Code::BadValue, "an empty list matches nothing", "add a value")
                    .in_field("in"));
            }
            Test::In(values.into_iter().collect())
        }
        "range" => fields.required("range", range)?,
        _ => Test::Present(fields.required("present", read::flag)?),
    };
    // A regular expression knows letter case by itself.
    let ignore_case = ignore_case && !matches!(test, Test::Regex(_));
    Ok(ValueMatch { test, ignore_case, invert })
}

fn range(tree: &Tree) -> Result<Test, Invalid> {
    let fields = Fields::open(tree, &["from", "to"])?;
    let bound = |name: &str| fields.required(name, |t| read::integer(t, i64::MIN..=i64::MAX));
    let (from, to) = (bound("from")?, bound("to")?);
    if from < to {
        return Ok(Test::Range(from, to));
    }
    Err(Invalid::new(
        Code::OutOfRange,
        format!("no number is from {from} and below {to}"),
        "\"to\" is the first number outside",
    ))
}

/// Reads a path matcher.
pub(crate) fn path(tree: &Tree, budget: &Budget) -> Result<PathMatch, Invalid> {
    let fields = open(tree, PATH, &["ignoreCase", "invert"])?;
    let ignore_case = fields.optional("ignoreCase", read::flag)?.unwrap_or(false);
    let invert = fields.optional("invert", read::flag)?.unwrap_or(false);
    let form = match fields.exactly_one(PATH)? {
        "pathPrefix" => {
            let prefix = fields.required("pathPrefix", absolute)?;
            let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
            let prefix = if ignore_case { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
            PathForm::Segments(prefix.into_bytes().into())
        }
        "template" => {
            let template = fields.required("template", |t| PathTemplate::new(read::text(t)?))?;
            PathForm::Template(if ignore_case { template.to_lowercase() } else { template })
        }
        kind => {
            match kind {
                "exact" | "prefix" => _ = fields.required(kind, absolute)?,
                "in" => _ = fields.required(kind, |t| read::list(t, limits::VALUES, absolute))?,
                _ => {}
            }
            let mut value = value_of(fields, budget)?;
            budget.needle(&mut value, Kind::Path, b"", true)?;
            PathForm::Value(value)
        }
    };
    Ok(PathMatch { form, ignore_case, invert })
}

/// A path from its root, without a query.
pub(crate) fn absolute(tree: &Tree) -> Result<&str, Invalid> {
    let path = read::text(tree)?;
    // `OPTIONS *` reaches no filter: Envoy answers a target that is no path itself.
    if path.starts_with('/') && !path.contains(['?', '#']) {
        return Ok(path);
    }
    Err(Invalid::new(
        Code::BadPath,
        format!("{path:?} cannot be a path"),
        "start it with \"/\"; match the query with \"queryParams\"",
    ))
}

/// Reads `source`.
pub(crate) fn source(tree: &Tree) -> Result<SourceMatch, Invalid> {
    let fields = Fields::open(tree, &["cidrs", "principals"])?;
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
pub(crate) fn cidr(tree: &Tree) -> Result<Cidr, Invalid> {
    let written = read::text(tree)?;
    Cidr::new(written).ok_or_else(|| {
        Invalid::new(
            Code::BadAddress,
            format!("{written:?} is not a block of addresses"),
            "write \"10.0.0.0/8\" or \"fd00::/8\"",
        )
    })
}

/// Reads a SPIFFE name; Istio's own form without `spiffe://` is the same.
pub(crate) fn principal(tree: &Tree) -> Result<PrincipalPattern, Invalid> {
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
