//! All spellings of an address are one destination.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::{Ambiguity, Destination};
use super::of;

/// A small generator: the tests need no crate for that.
pub(in crate::filter::egress) struct Random(pub(in crate::filter::egress) u64);

impl Random {
    pub(in crate::filter::egress) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    pub(in crate::filter::egress) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// Some spelling of an IPv4 address that some reader reads as that address.
fn spelling_v4(random: &mut Random, address: Ipv4Addr) -> String {
    let bits = address.to_bits();
    let number = |random: &mut Random, n: u32| match random.below(6) {
        0 => format!("0x{n:x}"),
        1 => format!("0X{n:08X}"),
        2 => format!("0{n:o}"),
        3 => format!("000{n:o}"),
        _ => n.to_string(),
    };
    let parts = 1 + random.below(4);
    let mut text = String::new();
    for part in 1..parts {
        let octet = bits >> (32 - 8 * part) & 0xff;
        text += &number(random, octet);
        text.push('.');
    }
    let left = 8 * (5 - parts);
    let rest = if left == 32 { bits } else { bits & ((1 << left) - 1) };
    text += &number(random, rest);
    text + random.one_of(&["", ".", ":80", ".:443", ":"])
}

/// Some spelling of an IPv6 address that holds an IPv4 address.
fn spelling_v6(random: &mut Random, address: Ipv4Addr) -> String {
    let (high, low) = (address.to_bits() >> 16, address.to_bits() & 0xffff);
    let prefix = random.one_of(&[
        "::ffff:",
        "::FFFF:",
        "0:0:0:0:0:ffff:",
        "64:ff9b::",
        "0064:FF9B:0:0:0:0:",
        "::ffff:0:",
    ]);
    let suffix = match random.below(3) {
        0 => address.to_string(),
        1 => format!("{high:x}:{low:x}"),
        _ => format!("{high:04X}:{low:04x}"),
    };
    let zone = random.one_of(&["", "", "%eth0", "%25eth0"]);
    format!("[{prefix}{suffix}{zone}]{}", random.one_of(&["", ":80", ":"]))
}

#[test]
fn no_two_spellings_of_an_address_differ() {
    let mut random = Random(0x5eed);
    let mut read = 0;
    for _ in 0..20_000 {
        let address = Ipv4Addr::from_bits(u32::try_from(random.below(1 << 32)).unwrap());
        let spelling = if random.below(3) == 0 {
            spelling_v6(&mut random, address)
        } else {
            spelling_v4(&mut random, address)
        };
        match Destination::of(spelling.as_bytes()) {
            Ok(destination) => {
                read += 1;
                assert_eq!(destination.host, super::super::Host::Address(IpAddr::V4(address)), "{spelling}");
            }
            // Octal to one reader is decimal to another: such a spelling is refused.
            Err(reason) => {
                assert_eq!(reason, Ambiguity::Address, "{spelling}");
                assert!(
                    spelling.split(['.', ':']).any(|part| part.len() > 1 && part.starts_with('0')),
                    "{spelling}"
                );
            }
        }
    }
    assert!(read > 8_000, "{read}");
}

#[test]
fn no_two_spellings_of_a_v6_address_differ() {
    let mut random = Random(0xabc);
    for _ in 0..5_000 {
        let mut segments = [0u16; 8];
        for segment in &mut segments {
            *segment = random.one_of(&[0, 0, 1, 0xfe80, 0x2001, 0xffff, 0xabc]);
        }
        let long: Vec<String> = segments.iter().map(|segment| format!("{segment:04X}")).collect();
        let short: Vec<String> = segments.iter().map(|segment| format!("{segment:x}")).collect();
        let standard = Ipv6Addr::from(segments).to_string();
        let form = |inside: &str| of(&format!("[{inside}]")).unwrap();
        assert_eq!(form(&long.join(":")), form(&standard));
        assert_eq!(form(&short.join(":")), form(&standard));
    }
}
