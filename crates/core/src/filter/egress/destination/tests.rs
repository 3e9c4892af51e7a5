#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Ambiguity, Destination};
use spellings::Random;

pub(in crate::filter::egress) mod spellings;

fn of(authority: &str) -> Result<String, Ambiguity> {
    Destination::of(authority.as_bytes()).map(|destination| destination.to_string())
}

#[test]
fn names_have_one_form() {
    for (written, form) in [
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("EXAMPLE.com.:443", "example.com:443"),
        ("example.com:", "example.com"),
        ("example.com:00443", "example.com:443"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_acme.example.com", "_acme.example.com"),
        ("0x0a.example", "0x0a.example"),
        ("1.2.3.4.example", "1.2.3.4.example"),
        ("0xyz", "0xyz"),
    ] {
        assert_eq!(of(written).as_deref(), Ok(form), "{written}");
    }
}

#[test]
fn addresses_have_one_form() {
    for written in [
        "10.0.0.1",
        "10.0.0.1.",
        "10.1",
        "10.0.1",
        "167772161",
        "0x0a000001",
        "0XA000001",
        "0xa.0.0.1",
        "10.0x0.0.1",
        "0x0000000a.1",
        "10.0.0.01",
        "[::ffff:10.0.0.1]",
        "[::ffff:a00:1]",
        "[::FFFF:0a00:0001]",
        "[0:0:0:0:0:ffff:10.0.0.1]",
        "[::10.0.0.1]",
        "[64:ff9b::a00:1]",
        "[::ffff:0:a00:1]",
        "[::ffff:10.0.0.1%25eth0]",
        "[::ffff:10.0.0.1%eth0]",
    ] {
        assert_eq!(of(written).as_deref(), Ok("10.0.0.1"), "{written}");
    }
    for written in ["[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[::1%lo]"] {
        assert_eq!(of(written).as_deref(), Ok("[::1]"), "{written}");
    }
    assert_eq!(of("[2001:DB8::1]:8443").as_deref(), Ok("[2001:db8::1]:8443"));
}

#[test]
fn what_is_ambiguous_is_refused() {
    use Ambiguity::{
        Address, Character, Encoded, Label, Missing, NonAscii, Port, Punycode, Repeated, Userinfo,
    };
    for (written, reason) in [
        ("", Missing),
        (":443", Missing),
        ("::1", Port),
        ("exämple.com", NonAscii),
        ("１０.0.0.1", NonAscii),
        ("example。com", NonAscii),
        ("user@example.com", Userinfo),
        ("a.example,b.example", Repeated),
        ("ex%61mple.com", Encoded),
        ("example.com%00", Encoded),
        ("exa mple.com", Character),
        (" ", Character),
        (" example.com", Character),
        ("example.com\t", Character),
        ("example.com: 80", Port),
        (" [::1]", Port),
        ("[::1] ", Character),
        ("example.com/x", Character),
        ("example.com\\x", Character),
        ("example.com#", Character),
        ("[::1]x", Character),
        ("example..com", Label),
        (".example.com", Label),
        ("example.com..", Label),
        ("xn--example-.com", Punycode),
        ("xn--.com", Punycode),
        ("example.com:0", Port),
        ("example.com:65536", Port),
        ("example.com:x", Port),
        ("example.com:443:80", Port),
        ("example.com:+443", Port),
        ("010.0.0.1", Address),
        ("0177.0.0.1", Address),
        ("127.0.0.08", Address),
        ("256.0.0.1", Address),
        ("1.2.3.4.5", Address),
        ("4294967296", Address),
        ("10.16777216", Address),
        ("0x", Address),
        ("10.0.0.0x", Address),
        ("example.1", Address),
        ("[10.0.0.1]", Address),
        ("[example.com]", Address),
        ("[::1", Address),
        ("[::1%]", Address),
        ("[v1.x]", Address),
        ("[::ffff:010.0.0.1]", Address),
    ] {
        assert_eq!(of(written), Err(reason), "{written:?}");
    }
    assert_eq!(of(&format!("{}.com", "a".repeat(64))), Err(Label));
    assert_eq!(of(&["a"; 127].join(".")).map(|s| s.len()), Ok(253));
    assert_eq!(of(&["aa"; 127].join(".")), Err(Label));
}

#[test]
fn private_addresses() {
    let private = |written: &str| Destination::of(written.as_bytes()).unwrap().host.is_private();
    for written in [
        "0.0.0.0",
        "0",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "168.63.129.16",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::2]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[64:ff9b:1::1]",
        "[100::1]",
        "[2002:a00:1::]",
        "[2001:0:a00:1::]",
        "[2001:0:808:808:0:0:f5ff:fffe]",
        "[64:ff9b::a9fe:a9fe]",
        "localhost",
        "a.localhost",
        "LOCALHOST.",
        "metadata.google.internal",
        "metadata",
        "Metadata.:80",
        "instance-data.ec2.internal",
        "localhost4",
        "localhost4.localdomain4",
        "localhost6",
        "localhost6.localdomain6",
        "localhost4",
        "LocalHost4.LocalDomain4.:80",
        "localhost.localdomain",
        "a.localhost.localdomain",
        "ip6-allnodes",
        "ipv6-loopback",
        "_gateway",
        "[2001:db8::5efe:10.0.0.1]",
        "[2001:db8::200:5efe:a00:1]",
    ] {
        assert!(private(written), "{written}");
    }
    for written in [
        "8.8.8.8",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.169.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "[2606:4700::1111]",
        "[2001:4860:4860::8888]",
        "[2002:808:808::]",
        "[64:ff9b::808:808]",
        "example.com",
        "localhost.example.com",
        "metadata.example.com",
        "[2001:db8::5efe:8.8.8.8]",
        "[2001:db8::100:5efe:a00:1]",
        "notlocalhost",
        "localhost4.example.com",
        "localhost5",
        "a.localhost4",
        "localdomain",
        "a.localdomain",
        "gateway",
    ] {
        assert!(!private(written), "{written}");
    }
}

/// What the rules of this filter compare, the index, `explain` and Envoy read as the same.
#[test]
fn a_destination_is_the_host_that_other_conditions_see() {
    let mut random = Random(0x0d15_ea5e);
    let pieces = [
        "a", "A", "b", ".", ".", ":", ":80", ":x", ":080", ":0", "[", "]", "[::1]", "1", "10.0.0.1", "@",
        ",", "%", " ", "-", "_", "xn--", "é",
    ];
    let (mut names, mut ports) = (0, 0);
    for _ in 0..100_000 {
        let text: String = (0..=random.below(5)).map(|_| random.one_of(&pieces)).collect();
        let Ok(destination) = Destination::of(text.as_bytes()) else { continue };
        let shared = crate::wire::host::Host::of(text.as_bytes());
        if let super::Host::Name(name) = &destination.host {
            assert_eq!(shared.name(), &**name, "{text:?}");
            names += 1;
        }
        let port = shared.port().map(|digits| std::str::from_utf8(digits).unwrap().parse().unwrap());
        assert_eq!(port, destination.port, "{text:?}");
        ports += usize::from(port.is_some());
        let form = destination.host.text();
        assert_eq!(crate::wire::host::Host::of(&form).name(), &*form, "{text:?}");
    }
    assert!(names > 3_000 && ports > 1_000, "{names} names, {ports} ports");
}

#[test]
fn the_one_form_is_its_own_form() {
    let mut random = Random(7);
    let alphabet: Vec<char> = "aA0x19.-_:[]%@fF5 ,\\é".chars().collect();
    for _ in 0..50_000 {
        let length = random.below(12);
        let text: String = (0..length).map(|_| random.one_of(&alphabet)).collect();
        let Ok(destination) = Destination::of(text.as_bytes()) else { continue };
        let form = destination.to_string();
        assert_eq!(of(&form).as_deref(), Ok(&*form), "{text:?}");
        assert_eq!(Destination::of(form.as_bytes()).unwrap(), destination, "{text:?}");
    }
}
