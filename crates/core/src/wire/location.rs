//! The `location` of an answer, and the authority that it names.

use super::host::{self, Host};

/// The header.
pub const HEADER: &str = "location";
/// The schemes whose authorities are replaced, and the ports that they leave out.
const SCHEMES: [(&[u8], u16); 2] = [(b"http://", 80), (b"https://", 443)];

/// A `location` with another authority in place of the one that it names. None if it is not absolute, or
/// names another authority than `named`, another port included: that is another server.
pub fn moved(location: &[u8], named: &[u8], by: &[u8]) -> Option<Vec<u8>> {
    let found = SCHEMES.iter().find_map(|(scheme, port)| {
        let (start, rest) = location.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some((start, rest, *port))
    });
    let (scheme, rest, default) = found?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let is_same = server(authority, default)? == server(named, default)?;
    is_same.then(|| [scheme, by, behind].concat())
}

/// The host and the port of an authority; none if what follows its host is no port. `user@host` is no
/// host of ours.
fn server(authority: &[u8], default: u16) -> Option<(Host<'_>, u16)> {
    let (name, port) = host::split_port(authority);
    let port = port.map_or(Some(default), host::number)?;
    Some((Host::of(name), port))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::moved;

    #[test]
    fn an_authority_gives_way_to_the_callers() {
        for (location, named, wanted) in [
            ("http://stock-canary/a?b=c#d", "stock-canary", "http://shop/a?b=c#d"),
            ("http://stock-canary", "stock-canary", "http://shop"),
            ("HTTPS://Stock-Canary.?a", "stock-canary", "HTTPS://shop?a"),
            ("http://stock-canary:8080/", "stock-canary:8080", "http://shop/"),
            ("http://stock-canary:80/", "stock-canary", "http://shop/"),
            ("http://stock-canary/", "stock-canary:80", "http://shop/"),
            ("https://stock-canary:443/", "stock-canary", "https://shop/"),
            ("http://[::1]:9/", "[::1]:9", "http://shop/"),
            ("http://stock-canary/\u{ff}", "stock-canary", "http://shop/\u{ff}"),
        ] {
            let found = moved(location.as_bytes(), named.as_bytes(), b"shop");
            assert_eq!(found.as_deref(), Some(wanted.as_bytes()), "{location}");
        }
    }

    #[test]
    fn anything_else_stays() {
        for (location, named) in [
            ("/login", "stock-canary"),
            ("login", "stock-canary"),
            ("", "stock-canary"),
            ("http:/stock-canary/", "stock-canary"),
            ("//stock-canary/login", "stock-canary"),
            ("ftp://stock-canary/", "stock-canary"),
            ("http://stock-canary.evil/", "stock-canary"),
            ("http://a.stock-canary/", "stock-canary"),
            ("http://stock-canary:8080/", "stock-canary"),
            ("http://stock-canary/", "stock-canary:8080"),
            ("https://stock-canary:80/", "stock-canary"),
            ("http://user@stock-canary/", "stock-canary"),
            ("http://stock-canary:x@evil/", "stock-canary"),
            ("http://stock-canary:@evil/", "stock-canary"),
            ("http://evil/stock-canary", "stock-canary"),
            ("http://evil?http://stock-canary/", "stock-canary"),
            ("http:///stock-canary", "stock-canary"),
        ] {
            assert_eq!(moved(location.as_bytes(), named.as_bytes(), b"shop"), None, "{location}");
        }
    }
}
