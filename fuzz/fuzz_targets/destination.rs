//! The one form of a destination is its own form, and no two spellings of an address
//! are two destinations.
#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use libfuzzer_sys::fuzz_target;
use narrows_core::egress::destination::{Ambiguity, Destination, Host};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(destination) = Destination::of(bytes) {
        let form = destination.to_string();
        assert_eq!(Destination::of(form.as_bytes()).as_ref(), Ok(&destination));
        // Letter case and surrounding space never make another destination.
        let shouted = [b" ", bytes.to_ascii_uppercase().as_slice(), b" "].concat();
        assert_eq!(Destination::of(&shouted).as_ref(), Ok(&destination));
        // What the standard library reads as an address is that address.
        if let Host::Name(name) = &destination.host {
            let name = std::str::from_utf8(name).expect("ASCII");
            assert!(name.parse::<IpAddr>().is_err(), "{name}");
            assert!(!name.ends_with('.') && !name.bytes().any(|b| b.is_ascii_uppercase()));
        }
    }
    if let Some((address, choices)) = bytes.split_first_chunk::<4>() {
        let address = Ipv4Addr::from(*address);
        let spelling = spelling(address, choices);
        match Destination::of(spelling.as_bytes()) {
            Ok(destination) => assert_eq!(destination.host, Host::Address(IpAddr::V4(address)), "{spelling}"),
            // Only what is octal to some and decimal to others.
            Err(reason) => assert!(reason == Ambiguity::Address && spelling.contains('0'), "{spelling}: {reason:?}"),
        }
    }
});

fn spelling(address: Ipv4Addr, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().chain(std::iter::repeat(0));
    let mut choose = || choices.next().unwrap_or(0);
    let bits = address.to_bits();
    let (high, low) = (bits >> 16, bits & 0xffff);
    match choose() % 8 {
        0 => format!("[::ffff:{high:x}:{low:x}]"),
        1 => format!("[::FFFF:{address}%25eth{}]", choose()),
        2 => format!("[64:ff9b::{high:X}:{low:x}]:443"),
        parts => {
            let parts = u32::from(parts).min(4).max(1);
            let mut text = String::new();
            for part in 1..=parts {
                let left = 8 * (5 - part);
                let value = if part < parts { bits >> (32 - 8 * part) & 0xff } else if left == 32 { bits } else { bits & ((1 << left) - 1) };
                text += &match choose() % 4 {
                    0 => value.to_string(),
                    1 => format!("0x{value:x}"),
                    2 => format!("0X{value:08X}"),
                    _ => format!("0{value:o}"),
                };
                if part < parts {
                    text.push('.');
                }
            }
            text + [".", "", ":80", ".:443"][usize::from(choose() % 4)]
        }
    }
}
