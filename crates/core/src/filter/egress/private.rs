//! `denyPrivateAddresses`: denies destinations that are not on the internet, with exceptions.

use std::net::IpAddr;

use super::address;
use super::destination::Host;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::parse;
use crate::matching::source::Cidr;

/// Which private addresses a policy denies.
#[derive(Clone, Debug, Default)]
pub(super) struct Private {
    denied: bool,
    except: Vec<Cidr>,
}

/// `denyPrivateAddresses` with exceptions.
pub(super) static PRIVATE: Object = object!(
    "denyPrivateAddresses",
    Any,
    "Denies addresses that are not on the internet, but for exceptions.",
    [],
    [field!(
        "except",
        List(&Text(1, limits::TEXT_BYTES), 0, limits::SOURCES),
        Required,
        "Addresses and blocks that a rule may allow, such as `10.20.0.0/16`."
    )],
);

impl Private {
    /// Reads `true`, `false` or `{"except": ["192.168.50.10", "10.20.0.0/16"]}`.
    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        if !matches!(tree, PolicyValue::Table(_)) {
            return Ok(Self { denied: read::flag(tree)?, except: Vec::new() });
        }
        let fields = Fields::open(tree, &PRIVATE)?;
        let except = fields.required("except", |t| read::list(t, limits::SOURCES, block))?;
        Ok(Self { denied: true, except })
    }

    /// Whether a host is denied as private. A name that means a private address everywhere cannot be an
    /// exception.
    pub(super) fn denies(&self, host: &Host<'_>) -> bool {
        let is_excepted = |address: IpAddr| self.except.iter().any(|block| block.contains(address));
        self.denied && host.is_private() && !matches!(host, Host::Address(address) if is_excepted(*address))
    }

    /// Whether every address of a block of IPv4 is denied. Of wider blocks than /8, and of IPv6, that is
    /// not known.
    #[cfg(any(test, feature = "describe"))]
    pub(super) fn denies_all(&self, block: Cidr) -> bool {
        let (length, network) = block.block();
        let last = network | !length.mask;
        let v4 = |bits: u128| u32::try_from(bits).ok().map(|bits| IpAddr::V4(bits.into()));
        let (Some(first), Some(last)) = (v4(network), v4(last)) else { return false };
        // No block that small holds two ranges of private addresses with others between them.
        let is_private = |address| address::is_private(address) && self.denied;
        let is_small = !length.v6 && !length.mask < 1 << 24;
        let is_spared =
            |except: &Cidr| except.contains(first) || except.contains(last) || block.holds(*except);
        is_small && is_private(first) && is_private(last) && !self.except.iter().any(is_spared)
    }
}

/// Whether a text is a block of more than one address.
pub(super) fn is_block(written: &str) -> bool {
    written.contains('/') && Cidr::new(written).is_some()
}

/// Reads a block of addresses in the form in which hosts are compared: IPv4 where possible.
pub(super) fn block(tree: &PolicyValue) -> Result<Cidr, Invalid> {
    let written = read::text(tree)?;
    let network = written.split('/').next().unwrap_or_default();
    match address::v6(network.as_bytes()) {
        Ok(IpAddr::V4(v4)) => Err(Invalid::new(
            Code::BadAddress,
            format!("{written:?} is another spelling of an IPv4 address"),
            format!("write it as IPv4, such as \"{v4}\""),
        )),
        _ => parse::cidr(tree),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::Private;
    use crate::filter::egress::destination::Destination;
    use crate::language::policy_value::PolicyValue;

    fn read(text: &str) -> Result<Private, String> {
        let Ok(PolicyValue::Table(fields)) = PolicyValue::parse(format!(r#"{{"it": {text}}}"#).as_bytes())
        else {
            panic!("{text}")
        };
        Private::read(&fields[0].1).map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn an_exception_lets_out_what_it_names() {
        let private = read(r#"{"except": ["192.168.50.10", "10.20.0.0/16", "fd00:1::/32"]}"#).unwrap();
        let denies = |host: &str| private.denies(&Destination::of(host.as_bytes()).unwrap().host);
        for host in [
            "192.168.50.10",
            "10.20.255.1:9000",
            "[fd00:1::7]",
            "[::ffff:10.20.0.1]",
            "0x0a140001",
            "a.example",
        ] {
            assert!(!denies(host), "{host}");
        }
        for host in ["192.168.50.11", "10.21.0.1", "[fd00:2::7]", "169.254.169.254", "localhost", "127.0.0.1"]
        {
            assert!(denies(host), "{host}");
        }
        assert!(!read("false").unwrap().denies(&Destination::of(b"10.0.0.1").unwrap().host));
        assert!(read("true").unwrap().denies(&Destination::of(b"10.0.0.1").unwrap().host));
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, fault) in [
            (r#"{"except": ["minio.example"]}"#, "is not a block of addresses"),
            (r#"{"except": ["::ffff:10.0.0.0/104"]}"#, "write it as IPv4"),
            (r#"{"except": "10.0.0.1"}"#, "expected a list"),
            (r#"{"exempt": ["10.0.0.1"]}"#, "except"),
            ("{}", "except"),
            ("1", "true or false"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(fault), "{text}: {message}");
        }
    }
}
