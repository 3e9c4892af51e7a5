//! Reads hosts as policies write them, and the services that may be written in their place.
//!
//! Requests write hosts too. [`crate::wire::host`] reads those, and forgives what Envoy forgives. Only
//! `egress-policy` reads the hosts of its rules elsewhere: as it reads those of its requests.

use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::hosts::{HostPattern, HostSet};
use crate::wire::host::{self, LONGEST, is_name};

/// The hosts of a match or split.
pub(crate) static HOSTS: Object = object!(
    "hosts",
    AtMostOne,
    "Which hosts a request may ask for.",
    [],
    [
        field!(
            "hosts",
            List(&Text(1, limits::TEXT_BYTES), 0, limits::HOSTS),
            Optional,
            "Names, perhaps with `*` inside a label, `*.` before a domain, or `*`: the request asks for one of these hosts."
        ),
        field!(
            "service",
            Text(1, limits::TEXT_BYTES),
            Optional,
            "`name.namespace` in place of `hosts`: every form of a Kubernetes service's name."
        ),
    ],
);

/// Reads `hosts`, or the `service` that may be written in its place.
pub(crate) fn hosts_or_service(fields: Fields<'_>) -> Result<Option<HostSet>, Invalid> {
    if fields.has("hosts") && fields.has("service") {
        fields.exactly_one(HOSTS.fields)?;
    }
    let hosts = fields.optional("hosts", |t| read::list(t, limits::HOSTS, host))?;
    let service = fields.optional("service", service)?;
    Ok(hosts.map(HostSet::new).or(service.map(HostSet::of_service)))
}

/// Reads one host: a name, perhaps with one `*` inside a label, an address, or `*.` before a domain.
pub(crate) fn host(tree: &PolicyValue) -> Result<HostPattern, Invalid> {
    let written = read::text(tree)?;
    let refuse = |help: &str| Err(Invalid::new(Code::BadHost, format!("{written:?} is not a host"), help));
    if written == "*" {
        return Ok(HostPattern::Any);
    }
    let (wildcard, rest) = written.strip_prefix("*.").map_or((false, written), |rest| (true, rest));
    let name = rest.strip_suffix('.').unwrap_or(rest).to_ascii_lowercase();
    if !name.is_ascii() {
        return refuse("write it in punycode: xn--...");
    }
    if name.contains('/') {
        return refuse("write the host alone: no scheme, no path");
    }
    let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    match address {
        Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() && !wildcard => {}
        Some(_) => return refuse("write an IPv6 address as [2001:db8::1]"),
        None if name.contains(':') => return refuse("leave out the port: it is ignored"),
        None if name.split('.').any(|label| label.matches('*').count() > 1) => {
            return refuse("write at most one \"*\" in each label");
        }
        None if !is_name(name.replace('*', "a").as_bytes()) => {
            return refuse("use letters, digits, \"-\" and \".\"");
        }
        None => {}
    }
    if name.contains('*') {
        let deep = if wildcard { "*." } else { "" };
        return Ok(HostPattern::Glob(format!("{deep}{name}").into_bytes().into()));
    }
    Ok(if wildcard {
        HostPattern::Suffix(format!(".{name}").into_bytes().into())
    } else {
        HostPattern::Exact(name.into_bytes().into())
    })
}

/// Splits `host` or `host:port` as written; `None` if the port is not a number. Port 0 is no port.
pub(crate) fn split_port(written: &str) -> Option<(&str, Option<u16>)> {
    match written.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port: u16 = port.parse().ok()?;
            Some((host, Some(port).filter(|port| *port > 0)))
        }
        _ => Some((written, None)),
    }
}

/// Reads a host, or the beginning of one with a `*` at its end, into the form in which hosts are
/// compared.
pub(crate) fn host_or_beginning(written: &str) -> Result<Box<str>, Invalid> {
    let host = written.to_ascii_lowercase();
    let is_beginning = host.ends_with('*');
    let stem = host.strip_suffix('*').unwrap_or_else(|| host.trim_end_matches('.'));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.[:]".contains(&b);
    // The beginning of an IPv6 address has colons that do not start a port.
    let may_have_colons = is_beginning && stem.starts_with('[');
    let has_port = !may_have_colons && host::split_port(stem.as_bytes()).1.is_some();
    if stem.is_empty() || stem.len() > LONGEST || has_port || !stem.bytes().all(plain) {
        return Err(Invalid::new(
            Code::BadHost,
            format!("{written:?} is not a host, nor the beginning of one"),
            "write \"keycloak.example.com\", \"keycloak*\" or \"pr-*.example.com\": no scheme, no port",
        ));
    }
    Ok(if is_beginning { host.into() } else { stem.into() })
}

/// Reads `name.namespace` into the forms in which a mesh calls that service.
fn service(tree: &PolicyValue) -> Result<Vec<HostPattern>, Invalid> {
    let written = read::text(tree)?.to_ascii_lowercase();
    let mut labels = written.split('.');
    match (labels.next(), labels.next(), labels.next()) {
        (Some(name), Some(namespace), None) if is_name(written.as_bytes()) => Ok([
            written.clone(),
            format!("{name}.{namespace}.svc"),
            format!("{name}.{namespace}.svc.cluster.local"),
            name.to_owned(),
        ]
        .map(|form| HostPattern::Exact(form.into_bytes().into()))
        .into()),
        _ => Err(Invalid::new(
            Code::BadHost,
            format!("{written:?} is not a service"),
            "write \"name.namespace\"; use \"hosts\" for anything else",
        )),
    }
}
