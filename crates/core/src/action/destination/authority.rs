//! A destination by authority: the host to ask for instead.

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read;
use crate::matching::hosts::HostPattern;
use crate::matching::matches::Match;
use crate::matching::parse;
use crate::matching::request::Request;
use crate::wire::host::Host;

/// A host to send to, perhaps with a port of its own.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    pub(super) host: Box<str>,
    pub(super) port: Option<u16>,
    /// The services, as `name.namespace`, whose requests are sent there.
    pub(super) services: Vec<Box<[u8]>>,
}

impl Authority {
    /// The host.
    pub(crate) fn host(&self) -> &[u8] {
        self.host.as_bytes()
    }

    /// The port of its own.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Learns from the matches that lead there which hosts are services.
    pub(crate) fn set_services(&mut self, matches: &[Match]) {
        // Several matches have the hosts of the one split that they are of.
        for service in matches.iter().filter_map(|matches| matches.hosts.as_ref()?.service()) {
            if !self.services.iter().any(|known| **known == *service) {
                self.services.push(service.into());
            }
        }
    }

    /// The authority in the caller's own form. A bare service name replaces the first label, so that
    /// `stock.books.svc:8080` becomes `stock-canary.books.svc:8080`. The port stays, because Envoy
    /// chooses the listener by it. A name of only two labels may be any domain: it is a service only if
    /// the policy names it so.
    pub(crate) fn for_caller(&self, request: &Request<'_>) -> Vec<u8> {
        self.for_host(request.host())
    }

    /// The same, for a caller that asked for `host`.
    pub(crate) fn for_host(&self, host: &Host<'_>) -> Vec<u8> {
        let mut written = self.host.as_bytes().to_vec();
        let is_service = || {
            host.name().split(|b| *b == b'.').nth(2) == Some(b"svc")
                || self.services.iter().any(|service| **service == *host.name())
        };
        if !self.host.contains('.') && is_service() {
            written.extend_from_slice(host.domain());
        }
        match (self.port, host.port()) {
            (Some(port), _) => written.extend_from_slice(format!(":{port}").as_bytes()),
            (None, Some(port)) => {
                written.push(b':');
                written.extend_from_slice(port);
            }
            (None, None) => {}
        }
        written
    }
}

impl Authority {
    /// The authority of a redirect: exactly as written, with the request's port only
    /// if neither host nor scheme gives another.
    pub(crate) fn location(&self, other_scheme: bool, request: &Request<'_>) -> Vec<u8> {
        let same_host = self.host.as_bytes() == request.host().name();
        match (self.port, request.host().port()) {
            (Some(port), _) => format!("{}:{port}", self.host).into_bytes(),
            (None, Some(port)) if same_host && !other_scheme => [self.host.as_bytes(), b":", port].concat(),
            _ => self.host.as_bytes().to_vec(),
        }
    }
}

/// Reads `host` or `host:port`.
pub(crate) fn authority(tree: &PolicyValue) -> Result<Authority, Invalid> {
    let written = read::text(tree)?;
    let refuse = || {
        Invalid::new(
            Code::BadHost,
            format!("{written:?} cannot be an authority"),
            "write a host, perhaps with a port: \"reviews-canary\" or \"example.com:8443\"",
        )
    };
    if written.len() > limits::VALUE_BYTES {
        return Err(refuse());
    }
    let (host, port) = parse::split_port(written).ok_or_else(refuse)?;
    match parse::host(&PolicyValue::Text(host.to_owned()))? {
        HostPattern::Exact(host) => {
            let host = String::from_utf8(host.into_vec()).map_err(|_| refuse())?;
            Ok(Authority { host: host.into(), port, services: Vec::new() })
        }
        _ => Err(refuse()),
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::authority;
    use crate::action::destination::Destination;
    use crate::action::edit::{Draft, Edit};
    use crate::language::modes::Trust;
    use crate::language::policy_value::PolicyValue;
    use crate::matching::parse::{self, Budget};
    use crate::matching::request::Request;

    /// What `from` becomes under a policy for the service `stock.books`.
    fn rewritten(to: &str, from: &str) -> String {
        let matches = PolicyValue::parse(br#"{ "service": "stock.books" }"#).unwrap();
        let mut authority = authority(&PolicyValue::Text(to.into())).unwrap();
        authority.set_services(&[parse::read_match(&matches, &Budget::default()).unwrap()]);
        let request = Request::new([(b":authority".as_slice(), from.as_bytes())]);
        String::from_utf8(authority.for_caller(&request)).unwrap()
    }

    #[test]
    fn port_and_form_are_the_callers() {
        assert_eq!(rewritten("stock-canary", "stock:8080"), "stock-canary:8080");
        assert_eq!(rewritten("stock-canary", "stock"), "stock-canary");
        assert_eq!(rewritten("stock-canary", "Stock.books:8080"), "stock-canary.books:8080");
        assert_eq!(
            rewritten("stock-canary", "Stock.books.svc.cluster.local"),
            "stock-canary.books.svc.cluster.local"
        );
        assert_eq!(rewritten("stock-canary.other", "stock.books:8080"), "stock-canary.other:8080");
        assert_eq!(rewritten("example.com:8443", "stock:8080"), "example.com:8443");
        assert_eq!(rewritten("canary", "shop.example.com"), "canary");
        assert_eq!(rewritten("canary", "[::1]:80"), "canary:80");
    }

    #[test]
    fn a_domain_of_two_labels_is_no_service() {
        assert_eq!(rewritten("canary", "example.com:80"), "canary:80");
        assert_eq!(rewritten("canary", "other.books"), "canary");
    }

    #[test]
    fn nothing_is_written_twice() {
        let headers: [(&[u8], &[u8]); 3] =
            [(b":authority", b"stock:80"), (b"x-narrows-route", b"v2"), (b"x-forwarded-host", b"first")];
        let request = Request::new(headers);
        let mut draft = Draft::new(&request, Trust::Mesh);
        let to = Destination::To("v2".into());
        to.apply("x-narrows-route", &mut draft);
        let canary = Destination::Authority(authority(&PolicyValue::Text("canary".into())).unwrap());
        canary.apply("x-narrows-route", &mut draft);
        let (edits, already_set) = draft.finish();
        assert_eq!(edits, [Edit::Set(":authority".into(), b"canary:80".to_vec().into())]);
        assert_eq!(already_set, ["x-narrows-route"]);
    }
}
