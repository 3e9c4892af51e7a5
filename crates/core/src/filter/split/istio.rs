//! Istio's names of clusters, `outbound|8080||stock-canary.books.svc.cluster.local`, and of virtual hosts,
//! `stock-canary.books.svc.cluster.local:8080`.

use crate::wire::host::Host;

/// The virtual host that took a request, by its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taker<'n> {
    /// The one of this host.
    Host(Host<'n>),
    /// The one of every host that no other is for.
    Rest,
    /// The only one of a listener that serves a workload or, at a waypoint, a service.
    Inbound,
    /// Of any other name.
    Unknown,
}

impl<'n> Taker<'n> {
    pub(super) fn of(name: &'n [u8]) -> Self {
        if name.starts_with(b"inbound|") {
            return Self::Inbound;
        }
        let host = Host::of(name);
        match host.name() {
            b"allow_any" | b"block_all" | b"*" => Self::Rest,
            _ if host.port().is_some() => Self::Host(host),
            _ => Self::Unknown,
        }
    }
}

/// Whether a full name is the name of this host, which may be its first labels alone.
pub(super) fn is_of(name: &[u8], host: &str) -> bool {
    name.strip_prefix(host.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
}

/// Direction, port, subset and host; `None` for a name of any other form.
pub(super) fn parts(cluster: &[u8]) -> Option<[&[u8]; 4]> {
    let mut parts = cluster.split(|b| *b == b'|');
    let direction =
        parts.next().filter(|direction| [b"outbound".as_slice(), b"inbound-vip"].contains(direction))?;
    let four = [direction, parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(four)
}

/// Whether two clusters are the same one, or two ports of one.
pub(super) fn differ_by_port_at_most(one: &[u8], other: &[u8]) -> bool {
    let portless = |cluster| parts(cluster).map(|[_, _, subset, host]| (subset, host));
    one == other || portless(one).is_some_and(|one| portless(other) == Some(one))
}
