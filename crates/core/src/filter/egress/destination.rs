//! The destination of a request, in the one form that rules compare.
//!
//! One host has many spellings, and a rule that sees only one of them is worthless. So every authority
//! is brought to one form, or it is an [`Ambiguity`] and refused: what two readers could read
//! differently is never guessed.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::address;
use super::ambiguity::Ambiguity;
use crate::wire::host;

/// A host and perhaps a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port, if one was written.
    pub port: Option<u16>,
}

/// A host in its one form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name: lower case, no trailing dot, never a number at the end.
    Name(Cow<'a, [u8]>),
    /// An address; IPv4 where possible.
    Address(IpAddr),
}

impl<'a> Destination<'a> {
    /// The destination of an `:authority` or `Host` value.
    pub fn of(authority: &'a [u8]) -> Result<Self, Ambiguity> {
        if authority.is_empty() {
            return Err(Ambiguity::Missing);
        }
        if !authority.is_ascii() {
            return Err(Ambiguity::NonAscii);
        }
        if authority.contains(&b'@') {
            return Err(Ambiguity::Userinfo);
        }
        if authority.contains(&b',') {
            return Err(Ambiguity::Repeated);
        }
        if let Some(rest) = authority.strip_prefix(b"[") {
            let end = rest.iter().position(|b| *b == b']').ok_or(Ambiguity::Address)?;
            let (inside, after) = rest.split_at(end);
            let port = match after.get(1..).unwrap_or_default() {
                b"" => None,
                port => port_of(port.strip_prefix(b":").ok_or(Ambiguity::Character)?)?,
            };
            return Ok(Self { host: Host::Address(address::v6(inside)?), port });
        }
        let mut parts = authority.splitn(2, |b| *b == b':');
        let name = parts.next().unwrap_or_default();
        let port = parts.next().map_or(Ok(None), port_of)?;
        Ok(Self { host: Host::of(name)?, port })
    }
}

impl<'a> Host<'a> {
    /// Reads the host of a name or an IPv4 address.
    fn of(written: &'a [u8]) -> Result<Self, Ambiguity> {
        if written.is_empty() {
            return Err(Ambiguity::Missing);
        }
        if written.contains(&b'%') {
            return Err(Ambiguity::Encoded);
        }
        let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        if !written.iter().all(is_plain) {
            return Err(Ambiguity::Character);
        }
        let name = written.strip_suffix(b".").unwrap_or(written);
        if name.len() > host::LONGEST
            || name.split(|b| *b == b'.').any(|label| label.is_empty() || label.len() > 63)
        {
            return Err(Ambiguity::Label);
        }
        if address::ends_in_number(name) {
            return address::v4(name).map(|v4| Self::Address(IpAddr::V4(v4)));
        }
        let name = if name.iter().any(u8::is_ascii_uppercase) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        // `xn--example-` decodes to `example`.
        let is_plain_punycode = |label: &[u8]| {
            label.strip_prefix(b"xn--").is_some_and(|rest| rest.is_empty() || rest.ends_with(b"-"))
        };
        if name.split(|b| *b == b'.').any(is_plain_punycode) {
            return Err(Ambiguity::Punycode);
        }
        Ok(Self::Name(name))
    }

    /// The host as rules and people write it. An IPv6 address has its brackets.
    pub fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Name(name) => Cow::Borrowed(name),
            Self::Address(IpAddr::V4(v4)) => Cow::Owned(v4.to_string().into_bytes()),
            Self::Address(IpAddr::V6(v6)) => Cow::Owned(format!("[{v6}]").into_bytes()),
        }
    }

    /// The address, if it is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        if let Self::Address(address) = self { Some(*address) } else { None }
    }

    /// Whether it is not on the internet: a private address, or a name that means one everywhere.
    pub fn is_private(&self) -> bool {
        match self {
            Self::Address(address) => address::is_private(*address),
            Self::Name(name) => {
                LOCAL.contains(&&**name) || BELOW_LOCAL.iter().any(|domain| name.ends_with(domain))
            }
        }
    }
}

/// Names that belong to nobody on the internet: names of this machine (RFC 6761, and what distributions and
/// container engines write into `/etc/hosts` or their resolver answers by itself), of its link, or of a cloud's
/// metadata service.
const LOCAL: [&[u8]; 37] = [
    b"localhost",
    b"localhost.localdomain",
    b"localhost4",
    b"localhost4.localdomain4",
    b"localhost6",
    b"localhost6.localdomain6",
    b"ip6-localhost",
    b"ip6-loopback",
    b"ip6-localnet",
    b"ip6-mcastprefix",
    b"ip6-allnodes",
    b"ip6-allrouters",
    b"ip6-allhosts",
    b"ipv6-localhost",
    b"ipv6-loopback",
    b"ipv6-localnet",
    b"ipv6-mcastprefix",
    b"ipv6-allnodes",
    b"ipv6-allrouters",
    b"ipv6-allhosts",
    b"broadcasthost",
    b"loghost",
    b"loopback",
    b"_gateway",
    b"_outbound",
    b"_localdnsstub",
    b"_localdnsproxy",
    b"host.docker.internal",
    b"gateway.docker.internal",
    b"kubernetes.docker.internal",
    b"host.containers.internal",
    b"metadata",
    b"metadata.google.internal",
    b"metadata.goog",
    b"instance-data",
    b"instance-data.ec2.internal",
    b"metadata.tencentyun.com",
];

/// Domains in which every name means this machine: RFC 6761, and systemd's resolver.
const BELOW_LOCAL: [&[u8]; 2] = [b".localhost", b".localhost.localdomain"];

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.host.text()))?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Reads a port. An empty port means no port (RFC 3986 §3.2.3).
fn port_of(digits: &[u8]) -> Result<Option<u16>, Ambiguity> {
    if digits.is_empty() {
        return Ok(None);
    }
    host::number(digits).map(Some).ok_or(Ambiguity::Port)
}

#[cfg(test)]
pub(super) mod tests;
