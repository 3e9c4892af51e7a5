//! Reads a rule: what an operator writes becomes a [`Rule`] and its paths.

use super::from::FROM;
use super::{CallerMatch, Rule, To, key};
use crate::filter::egress::destination::{Destination, Host};
use crate::filter::egress::path::literal;
use crate::filter::egress::private;
use crate::filter::egress::{Action, RESERVED};
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, modes, names};
use crate::matching::budget;
use crate::matching::hosts::{Globs, HostPattern};
use crate::matching::parse::{self, Budget};
use crate::matching::path::PathMatch;

pub(in crate::filter::egress) const ACTIONS: [(&str, Action); 2] =
    [("allow", Action::Allow), ("deny", Action::Deny)];

pub(in crate::filter::egress) static RULE: Object = object!(
    "egressRule",
    Any,
    "A rule: who may, or may not, ask whom.",
    [],
    [
        field!(
            "name",
            NAME,
            Required,
            "Its name in metrics, filter state and answers; no other rule may have it."
        ),
        field!("action", Words(|| words(&ACTIONS)), Required, "Whether what it names may leave."),
        modes::MODE,
        field!("from", Table(&FROM), Optional, "Who asks; without it, anyone."),
        field!("to", Table(&TO), Optional, "What is asked for; without it, anything."),
    ],
);

static TO: Object = object!(
    "to",
    Any,
    "Destinations: a host or block must be the request's, and all other fields that are there must hold.",
    [],
    [
        field!(
            "hosts",
            List(&Text(1, limits::TEXT_BYTES), 1, limits::HOSTS),
            Optional,
            "Names, addresses, `*.` before a domain, or `*`."
        ),
        field!(
            "cidrs",
            List(&Text(1, limits::TEXT_BYTES), 1, limits::SOURCES),
            Optional,
            "Blocks of addresses, such as `192.168.50.0/24`: the host is written as an address in one of them."
        ),
        field!("ports", List(&Integer(1, 65535), 1, limits::PORTS), Optional, "Ports."),
        field!(
            "methods",
            List(&Pattern("^[A-Z-]+$", METHOD), 1, limits::METHODS),
            Optional,
            "Methods, in capitals."
        ),
        field!(
            "paths",
            List(&Table(&parse::PATH), 1, limits::MATCHES),
            Optional,
            "Paths, without their query and decoded."
        ),
    ],
);

/// The most bytes of a name in Kubernetes.
pub(super) const LABEL: usize = 253;
/// The most bytes of a method: more than any registered method has.
const METHOD: usize = 32;

impl Rule {
    /// Reads a rule and its paths.
    pub(in crate::filter::egress) fn read(
        tree: &PolicyValue,
        budget: &Budget,
    ) -> Result<(Self, Vec<PathMatch>), Invalid> {
        budget.hold(budget::RULE)?;
        Fields::read(tree, &RULE, |fields| Self::of(fields, budget))
    }

    fn of(fields: Fields<'_>, budget: &Budget) -> Result<(Self, Vec<PathMatch>), Invalid> {
        let mut faults = read::Faults::default();
        let name = faults.take(fields.required("name", name));
        let action = faults.take(fields.required("action", |t| read::word(t, &ACTIONS)));
        let mode = faults.take(modes::mode(fields));
        let from = faults.take(fields.optional("from", CallerMatch::read));
        let to = faults.take(fields.optional("to", |t| To::read(t, budget))).flatten().unwrap_or_default();
        let rule = Self {
            name: name.unwrap_or_default(),
            action: action.unwrap_or(Action::Deny),
            mode: mode.unwrap_or_default(),
            from: from.flatten().unwrap_or_default(),
            to: to.0,
        };
        faults.or((rule, to.1))
    }
}

impl To {
    fn read(tree: &PolicyValue, budget: &Budget) -> Result<(Self, Vec<PathMatch>), Invalid> {
        let fields = Fields::open(tree, &TO)?;
        let port = |t| read::integer(t, 1..=65535).map(|port| u16::try_from(port).unwrap_or_default());
        let hosts = fields.optional("hosts", |t| filled(t, limits::HOSTS, &host))?.unwrap_or_default();
        let named = hosts.iter().fold(0, |sum: usize, host| sum.saturating_add(key(host).len()));
        // Each host is kept, indexed and counted.
        let each = budget::SERIES.saturating_add(budget::MATCH);
        budget.hold(hosts.len().saturating_mul(each).saturating_add(named.saturating_mul(4)))?;
        let globs = globs(&hosts, budget)?;
        // Sorted by insertion: there are few hosts, and a call to sort would be the larger half of this
        // file in the module.
        let mut sorted: Vec<usize> = Vec::with_capacity(hosts.len());
        for (index, host) in hosts.iter().enumerate() {
            let at = sorted.partition_point(|other| hosts.get(*other).map(key) < Some(key(host)));
            sorted.insert(at, index);
        }
        let to = Self {
            hosts,
            sorted,
            globs,
            cidrs: fields
                .optional("cidrs", |t| filled(t, limits::SOURCES, &private::block))?
                .unwrap_or_default(),
            ports: fields.optional("ports", |t| filled(t, limits::PORTS, &port))?.unwrap_or_default(),
            methods: fields.optional("methods", |t| filled(t, limits::METHODS, &method))?.unwrap_or_default(),
        };
        let path = |t| {
            budget.hold(budget::MATCH)?;
            parse::path(&literal::decoded(t)?, budget)
        };
        let paths = fields.optional("paths", |t| filled(t, limits::MATCHES, &path))?.unwrap_or_default();
        Ok((to, paths))
    }
}

/// The hosts with `*` inside a label, each under its index. None where there are none.
fn globs(hosts: &[HostPattern], budget: &Budget) -> Result<Option<Box<Globs>>, Invalid> {
    let mut globs: Option<Box<Globs>> = None;
    for (index, host) in hosts.iter().enumerate() {
        if let (HostPattern::Glob(name), Ok(index)) = (host, u32::try_from(index)) {
            budget.hold(Globs::weight(name))?;
            globs.get_or_insert_default().insert(name, index);
        }
    }
    Ok(globs)
}

/// Reads a host into the same one form to which requests are brought.
fn host(tree: &PolicyValue) -> Result<HostPattern, Invalid> {
    let written = read::text(tree)?;
    let refuse = |help: &str| Err(Invalid::new(Code::BadHost, format!("{written:?} is not a host"), help));
    if written == "*" {
        return Ok(HostPattern::Any);
    }
    let (is_wildcard, name) = written.strip_prefix("*.").map_or((false, written), |name| (true, name));
    match Destination::of(name.as_bytes()) {
        _ if !name.is_ascii() => refuse("write it in punycode: xn--..."),
        _ if name.contains('*') => glob(written).ok_or(()).or_else(|()| {
            refuse("write at most one \"*\" in each label of a name; blocks of addresses have no \"*\"")
        }),
        Ok(Destination { port: Some(_), .. }) => {
            refuse("leave out the port: it has a field of its own, \"ports\"")
        }
        Ok(Destination { host: Host::Name(name), .. }) if is_wildcard => {
            Ok(HostPattern::Suffix([b".", &*name].concat().into()))
        }
        Ok(_) if is_wildcard => refuse("an address has no subdomains"),
        Ok(Destination { host, .. }) => Ok(HostPattern::Exact(host.text().into_owned().into())),
        Err(_) if private::is_block(name) => refuse("write a block of addresses in \"cidrs\""),
        Err(_) if name.contains('/') => refuse("write the host alone: no scheme, no path"),
        Err(_) => refuse("write a name, 192.0.2.1 or [2001:db8::1]"),
    }
}

/// A name with `*` inside a label. What ends like an address is none.
fn glob(written: &str) -> Option<HostPattern> {
    let name = written.strip_suffix('.').unwrap_or(written).to_ascii_lowercase();
    let is_one = name.split('.').all(|label| label.matches('*').count() < 2);
    let last = name.rsplit('.').next()?;
    let is_address = last.bytes().all(|b| b.is_ascii_digit() || b == b'*');
    let plain = name.replace('*', "a");
    let is_name =
        matches!(Destination::of(plain.as_bytes()), Ok(Destination { host: Host::Name(_), port: None }));
    (is_one && is_name && !is_address).then(|| HostPattern::Glob(name.into_bytes().into()))
}

fn method(tree: &PolicyValue) -> Result<Box<[u8]>, Invalid> {
    let written = read::text(tree)?;
    let is_token = !written.is_empty()
        && written.len() <= METHOD
        && written.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
    if is_token {
        return Ok(written.as_bytes().into());
    }
    Err(Invalid::new(Code::BadValue, format!("{written:?} is not a method"), "write \"GET\", in capitals"))
}

/// The name of a namespace or workload, as Kubernetes allows it.
pub(super) fn label(tree: &PolicyValue) -> Result<Box<[u8]>, Invalid> {
    let written = read::text(tree)?;
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if !written.is_empty() && written.len() <= LABEL && written.bytes().all(is_plain) {
        return Ok(written.as_bytes().into());
    }
    Err(Invalid::new(
        Code::BadValue,
        format!("{written:?} is not a name in Kubernetes"),
        "use a-z, 0-9, - and .",
    ))
}

fn name(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let name = names::name(tree)?;
    if RESERVED.contains(&&*name) {
        return Err(Invalid::new(
            Code::BadValue,
            format!("{name:?} is reserved: it counts what no rule decided"),
            "choose another name",
        ));
    }
    Ok(name)
}

/// Reads a list that is not empty: an empty one would match nothing, or everything.
pub(super) fn filled<'t, T>(
    tree: &'t PolicyValue,
    limit: usize,
    read: &dyn Fn(&'t PolicyValue) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let values = read::list(tree, limit, read)?;
    if values.is_empty() {
        return Err(Invalid::new(
            Code::BadValue,
            "an empty list matches nothing",
            "add a value, or leave the field out",
        ));
    }
    Ok(values)
}
