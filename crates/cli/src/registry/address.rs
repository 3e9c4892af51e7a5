//! Addresses: whose they are, and how fields are written into them.

use ureq::http::Uri;

/// A scheme, and a host with its port.
pub(super) type Origin = (String, String);

/// The scheme, and the host with its port, of an address.
pub(super) fn origin(to: &str) -> Option<Origin> {
    let uri: Uri = to.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let authority = uri.authority()?;
    // A name in a place is nobody's here.
    if authority.as_str().contains('@') {
        return None;
    }
    let default = if scheme == "https" { 443 } else { 80 };
    let port = authority.port_u16().unwrap_or(default);
    Some((scheme, format!("{}:{port}", authority.host().to_ascii_lowercase())))
}

/// A host for an error.
pub(super) fn host(to: &str) -> String {
    origin(to).map_or_else(|| "the registry".to_owned(), |(_, host)| host)
}

/// A place that an answer names, in full.
pub(super) fn joined(from: &str, location: &str) -> Option<String> {
    if !location.starts_with('/') {
        return Some(location.to_owned());
    }
    let uri: Uri = from.parse().ok()?;
    Some(format!("{}://{}{location}", uri.scheme_str()?, uri.authority()?))
}

/// Fields of a form.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    fields.collect::<Vec<_>>().join("&")
}

fn escaped(value: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    value.bytes().map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::{form, joined, origin};

    #[test]
    fn whose_an_address_is() {
        let of = |scheme: &str, host: &str| Some((scheme.to_owned(), host.to_owned()));
        for (address, expected) in [
            ("https://R.example/v2/", of("https", "r.example:443")),
            ("https://r.example:443/x", of("https", "r.example:443")),
            ("http://r.example", of("http", "r.example:80")),
            ("http://[::1]:5000/", of("http", "[::1]:5000")),
            ("https://r.example@evil.example/", None),
            ("/v2/", None),
            ("", None),
        ] {
            assert_eq!(origin(address), expected, "{address}");
        }
    }

    #[test]
    fn what_an_answer_points_to() {
        let joined = |location| joined("https://r.example:5000/v2/a", location);
        assert_eq!(joined("/v2/b?c=d").as_deref(), Some("https://r.example:5000/v2/b?c=d"));
        assert_eq!(joined("https://s.example/b").as_deref(), Some("https://s.example/b"));
        // It begins with a slash, and is a path of the same host.
        assert_eq!(joined("//evil.example/b").as_deref(), Some("https://r.example:5000//evil.example/b"));
    }

    #[test]
    fn fields_are_escaped() {
        assert_eq!(
            form(&[("scope", "repository:a/b:pull,push"), ("service", "ä b")]),
            "scope=repository%3Aa%2Fb%3Apull%2Cpush&service=%C3%A4%20b"
        );
    }
}
