//! Addresses in every spelling that some resolver reads as one.
//!
//! `inet_aton` and the URL standard read one to four numbers, decimal, octal or hex. An IPv6 address
//! can hold an IPv4 address. What two readers would read differently (`010.0.0.1` is 8.0.0.1 to some
//! and 10.0.0.1 to others) is not an address here but an [`Ambiguity`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ambiguity::Ambiguity;

/// Whether the last label of a name is a number: then the whole name is an IPv4 address or invalid (URL
/// standard, "ends in a number").
pub(super) fn ends_in_number(name: &[u8]) -> bool {
    let last = name.rsplit(|b| *b == b'.').next().unwrap_or_default();
    match hex_digits(last) {
        Some(digits) => digits.iter().all(u8::is_ascii_hexdigit),
        None => !last.is_empty() && last.iter().all(u8::is_ascii_digit),
    }
}

/// Reads one to four numbers. The last number fills the bytes that are left.
pub(super) fn v4(name: &[u8]) -> Result<Ipv4Addr, Ambiguity> {
    let mut parts = name.split(|b| *b == b'.').map(number).collect::<Result<Vec<u32>, _>>()?;
    let last = parts.pop().ok_or(Ambiguity::Address)?;
    let mut bits: u32 = 0;
    let mut shift: u32 = 32;
    for part in &parts {
        // A fifth number would find no bits left.
        shift = shift.checked_sub(8).filter(|left| *left > 0).ok_or(Ambiguity::Address)?;
        bits |= u32::from(u8::try_from(*part).map_err(|_| Ambiguity::Address)?) << shift;
    }
    if u64::from(last) >= 1u64 << shift {
        return Err(Ambiguity::Address);
    }
    Ok(Ipv4Addr::from_bits(bits | last))
}

/// Reads the inside of brackets. A zone only names an interface.
pub(super) fn v6(inside: &[u8]) -> Result<IpAddr, Ambiguity> {
    let (address, zone) = match inside.iter().position(|b| *b == b'%') {
        None => (inside, None),
        Some(mark) => {
            let (address, zone) = inside.split_at(mark);
            (address, zone.get(1..))
        }
    };
    let is_zone = |zone: &[u8]| {
        !zone.is_empty() && zone.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b))
    };
    if !zone.is_none_or(is_zone) {
        return Err(Ambiguity::Address);
    }
    let text = std::str::from_utf8(address).map_err(|_| Ambiguity::Address)?;
    let address: Ipv6Addr = text.parse().map_err(|_| Ambiguity::Address)?;
    Ok(embedded(address).map_or(IpAddr::V6(address), IpAddr::V4))
}

/// The IPv4 address that an IPv6 address embeds: mapped (RFC 4291), compatible (RFC 4291, deprecated),
/// translated (RFC 2765) or NAT64 (RFC 6052).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let v4 = Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(v4),
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0] if high != 0 || low > 1 => Some(v4),
        _ => None,
    }
}

/// Whether an address is not on the internet: private, local, shared, reserved or a
/// cloud's metadata service.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_private_v4(v4),
        IpAddr::V6(v6) => is_private_v6(v6),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // This network, RFC 1918, loopback, link-local (with the metadata services).
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] => true,
        [172, second, ..] => (16..32).contains(&second),
        // Carrier NAT (RFC 6598), with Alibaba's metadata service.
        [100, second, ..] => (64..128).contains(&second),
        // Protocol assignments, with Oracle's and others' services; benchmarks.
        [192, 0, 0, _] | [198, 18 | 19, ..] => true,
        // Azure's platform service has a public address.
        [168, 63, 129, 16] => true,
        // Multicast, reserved, broadcast.
        [first, ..] => first >= 224,
    }
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, high, low] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low));
    // ISATAP (RFC 5214) embeds an IPv4 address under any prefix.
    if e & 0xfdff == 0 && f == 0x5efe && is_private_v4(v4(high, low)) {
        return true;
    }
    match (a, b) {
        // Unspecified and loopback. The rest below is not assigned.
        (0, _) => true,
        // Local NAT64 (RFC 8215): it leads wherever the operator of the network wants.
        (0x64, 0xff9b) => c == 1,
        // Discard.
        (0x100, 0) => c == 0 && d == 0,
        // 6to4 and Teredo embed an IPv4 address to which they are sent.
        (0x2002, _) => is_private_v4(v4(b, c)),
        (0x2001, 0) => is_private_v4(v4(!high, !low)) || is_private_v4(v4(c, d)),
        // Unique-local (with Amazon's metadata service), link-local, site-local, multicast.
        _ => a & 0xfe00 == 0xfc00 || a & 0xffc0 == 0xfe80 || a & 0xffc0 == 0xfec0 || a & 0xff00 == 0xff00,
    }
}

fn hex_digits(part: &[u8]) -> Option<&[u8]> {
    part.strip_prefix(b"0x").or_else(|| part.strip_prefix(b"0X"))
}

fn number(part: &[u8]) -> Result<u32, Ambiguity> {
    let in_base = |digits: &[u8], base| {
        std::str::from_utf8(digits)
            .ok()
            .and_then(|text| u32::from_str_radix(text, base).ok())
            .ok_or(Ambiguity::Address)
    };
    if let Some(digits) = hex_digits(part) {
        return in_base(digits, 16);
    }
    let decimal = in_base(part, 10)?;
    // Octal to some readers, decimal to others: accepted only if both read the same.
    let is_octal = part.len() > 1 && part.starts_with(b"0");
    if is_octal && in_base(part, 8) != Ok(decimal) {
        return Err(Ambiguity::Address);
    }
    Ok(decimal)
}
