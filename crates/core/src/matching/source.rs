//! Conditions on the sender of a request.

use std::net::IpAddr;

use crate::matching::request::Peer;
use crate::wire::host::split_port;

/// An AND of the kinds, an OR within each kind. A fact that the proxy does not know never matches.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceMatch {
    pub(crate) cidrs: Vec<Cidr>,
    pub(crate) principals: Vec<PrincipalPattern>,
}

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    network: u128,
    mask: u128,
    v6: bool,
}

/// The length of a block's network in bits, and its IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) mask: u128,
    pub(crate) v6: bool,
}

/// A SPIFFE name, or all names with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalPattern {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
}

impl SourceMatch {
    pub(crate) fn matches(&self, source: Peer<'_>) -> bool {
        let address = || source.address.and_then(ip);
        let principal = || source.principal.filter(|name| !name.is_empty());
        (self.cidrs.is_empty() || address().is_some_and(|ip| self.cidrs.iter().any(|cidr| cidr.contains(ip))))
            && (self.principals.is_empty()
                || principal().is_some_and(|name| self.principals.iter().any(|p| p.covers(name))))
    }
}

impl Cidr {
    /// Reads `10.0.0.0/8`, `fd00::/8` or a single address.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(width);
        let host_bits = width.checked_sub(length)?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self { network: bits(address) & mask, mask, v6: address.is_ipv6() })
    }

    /// Its length in bits, and its network: by these an address is filed.
    pub(crate) fn block(self) -> (Length, u128) {
        (Length { mask: self.mask, v6: self.v6 }, self.network)
    }

    /// Whether the other block is in this one.
    #[cfg(any(test, feature = "describe"))]
    pub(crate) fn holds(self, other: Self) -> bool {
        self.v6 == other.v6
            && self.mask & other.mask == self.mask
            && other.network & self.mask == self.network
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        self.v6 == address.is_ipv6() && bits(address) & self.mask == self.network
    }
}

impl Length {
    /// The network of that length that an address is in, if the address is of that version.
    pub(crate) fn network(self, address: IpAddr) -> Option<u128> {
        (self.v6 == address.is_ipv6()).then(|| bits(address) & self.mask)
    }
}

impl PrincipalPattern {
    pub(crate) fn covers(&self, name: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => name == &**exact,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }
}

/// The address of `10.1.2.3:4711`, without its port; an IPv4 address mapped into
/// IPv6 is the IPv4 address.
pub(crate) fn ip(address: &[u8]) -> Option<IpAddr> {
    let read = |host: &[u8]| -> Option<IpAddr> {
        let host = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
        std::str::from_utf8(host).ok()?.parse().ok()
    };
    // An address without a port may have colons too.
    let ip = read(split_port(address).0).or_else(|| read(address))?;
    Some(ip.to_canonical())
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Cidr, ip};

    #[test]
    fn blocks() {
        let inside =
            |block: &str, address: &str| Cidr::new(block).unwrap().contains(ip(address.as_bytes()).unwrap());
        assert!(inside("10.0.0.0/8", "10.255.0.1:80"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1:80"));
        assert!(inside("10.1.2.3", "10.1.2.3:1"));
        assert!(inside("0.0.0.0/0", "8.8.8.8:53"));
        assert!(!inside("0.0.0.0/0", "[::1]:53"));
        assert!(inside("::/0", "[::1]:53"));
        assert!(inside("fd00::/8", "[fd12::1]:53"));
        assert!(inside("10.0.0.0/8", "[::ffff:10.1.1.1]:80"));
        assert!(inside("fd00::/8", "fd12::a:1") && inside("fd00::/8", "[fd12::1]"));
        for bad in ["10.0.0.0/33", "10.0.0/8", "a", "", "10.0.0.0/-1", "::/129"] {
            assert_eq!(Cidr::new(bad), None, "{bad}");
        }
    }
}
