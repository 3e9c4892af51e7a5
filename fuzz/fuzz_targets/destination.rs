//! The one form of a destination is its own form, and no two spellings of an address
//! are two destinations.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use narrows_core::egress::ambiguity::Ambiguity;
use narrows_core::egress::destination::{Destination, Host};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(destination) = Destination::of(bytes) {
        let form = destination.to_string();
        assert_eq!(Destination::of(form.as_bytes()).as_ref(), Ok(&destination));
        // Letter case never makes another destination.
        let shouted = bytes.to_ascii_uppercase();
        assert_eq!(Destination::of(&shouted).as_ref(), Ok(&destination));
        // What the standard library reads as an address is that address.
        if let Host::Name(name) = &destination.host {
            let name = std::str::from_utf8(name).expect("ASCII");
            assert!(name.parse::<IpAddr>().is_err(), "{name}");
            assert!(!name.ends_with('.') && !name.bytes().any(|b| b.is_ascii_uppercase()));
        }
    }
    let Some((address, choices)) = bytes.split_first_chunk::<16>() else { return };
    let mut choices = choices.iter().copied();
    let mut choose = |below: u8| choices.next().unwrap_or(0) % below;

    let v6 = Ipv6Addr::from(*address);
    let v4 = Ipv4Addr::from(*address.last_chunk::<4>().expect("sixteen bytes"));
    let (spelling, is_ambiguous) = spelling_v4(v4, &mut choose);
    match Destination::of(spelling.as_bytes()) {
        Ok(destination) => {
            assert!(!is_ambiguous, "{spelling}");
            assert_eq!(destination.host, Host::Address(IpAddr::V4(v4)), "{spelling}");
        }
        Err(reason) => assert!(is_ambiguous && reason == Ambiguity::Address, "{spelling}: {reason:?}"),
    }

    // An address that holds another is that one; every other is itself.
    let holds = match choose(4) {
        0 => Some(v4.to_ipv6_mapped()),
        1 => Some(Ipv6Addr::from(u128::from(v4.to_bits()) | 0x64_ff9b_u128 << 96)),
        _ => None,
    };
    let spelling = spelling_v6(holds.unwrap_or(v6), &mut choose);
    let found =
        Destination::of(spelling.as_bytes()).unwrap_or_else(|reason| panic!("{spelling}: {reason:?}"));
    let standard = format!("[{}]", holds.unwrap_or(v6));
    let same = Destination::of(standard.as_bytes()).expect("the standard spelling");
    assert_eq!(found.host, same.host, "{spelling}");
    let itself = if holds.is_some() { IpAddr::V4(v4) } else { IpAddr::V6(v6) };
    assert!([Host::Address(itself), Host::Address(IpAddr::V4(v4))].contains(&found.host), "{spelling}");
    if holds.is_none() && v6.segments()[0] & 0xe000 == 0x2000 {
        assert_eq!(found.host, Host::Address(IpAddr::V6(v6)), "{spelling}: a public address");
    }
});

/// A spelling that some reader reads as the address, and whether another reads another:
/// what is octal to one is decimal to the next.
fn spelling_v4(address: Ipv4Addr, choose: &mut dyn FnMut(u8) -> u8) -> (String, bool) {
    let bits = address.to_bits();
    let parts = u32::from(choose(4)) + 1;
    let (mut text, mut is_ambiguous) = (String::new(), false);
    for part in 1..=parts {
        let left = 8 * (5 - part);
        let value = match (part < parts, left) {
            (true, _) => bits >> (32 - 8 * part) & 0xff,
            (false, 32) => bits,
            (false, left) => bits & ((1 << left) - 1),
        };
        text += &match choose(6) {
            0 => format!("0x{value:x}"),
            1 => format!("0X{value:08X}"),
            octal @ (2 | 3) => {
                is_ambiguous |= value > 7;
                format!("{}{value:o}", if octal == 2 { "0" } else { "000" })
            }
            _ => value.to_string(),
        };
        if part < parts {
            text.push('.');
        }
    }
    (text + [".", "", ":80", ".:443", ":"][usize::from(choose(5))], is_ambiguous)
}

fn spelling_v6(address: Ipv6Addr, choose: &mut dyn FnMut(u8) -> u8) -> String {
    let segments = address.segments();
    let [.., high, low] = segments;
    let dotted = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let joined = |segments: &[u16]| segments.iter().map(|s| format!("{s:x}")).collect::<Vec<_>>().join(":");
    let inside = match choose(4) {
        0 => address.to_string(),
        1 => joined(&segments),
        2 => segments.iter().map(|s| format!("{s:04X}")).collect::<Vec<_>>().join(":"),
        _ => format!("{}:{dotted}", joined(&segments[..6])),
    };
    let zone = ["", "%eth0", "%25eth0", "%25a.b-c_d~1"][usize::from(choose(4))];
    format!("[{inside}{zone}]{}", ["", ":80", ":", ":00443"][usize::from(choose(4))])
}
