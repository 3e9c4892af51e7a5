//! Reads hosts, and the services that may be written in their place.

use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::hosts::{HostPattern, HostSet};
use crate::wire::host::is_name;

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
            "Names, `*.` before a domain, or `*`: the request asks for one of these hosts."
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

/// Reads one host: a name, an address, or `*.` before a domain.
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
        None if name.contains('*') => return refuse("write one leading \"*.\" and nothing more"),
        None if !is_name(name.as_bytes()) => return refuse("use letters, digits, \"-\" and \".\""),
        None => {}
    }
    Ok(if wildcard {
        HostPattern::Suffix(format!(".{name}").into_bytes().into())
    } else {
        HostPattern::Exact(name.into_bytes().into())
    })
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
