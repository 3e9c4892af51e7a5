//! Who calls, as far as it is proven.

use crate::matching::request::{Request, StreamInfo};

/// The identity behind a request. A part that is missing matches no rule's `from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller<'a> {
    pub(super) principal: Option<&'a [u8]>,
    pub(super) namespace: Option<&'a [u8]>,
    pub(super) workload: Option<&'a [u8]>,
}

impl<'a> Caller<'a> {
    /// The peer's certificate if there is one: it names `spiffe://…/ns/NS/sa/ACCOUNT`. Otherwise the
    /// workload of which this proxy is the sidecar; a gateway is not a sidecar.
    pub(super) fn of(request: &Request<'a>) -> Self {
        if let Some(principal) = request.source().principal.filter(|name| !name.is_empty()) {
            return Self::by_certificate(principal);
        }
        let StreamInfo { namespace, workload, .. } = request.stream_info();
        let named = |name: Option<&'a [u8]>| name.filter(|name| !name.is_empty());
        Self { principal: None, namespace: named(namespace), workload: named(workload) }
    }

    /// The caller whose certificate has this name.
    pub(super) fn by_certificate(principal: &'a [u8]) -> Self {
        let parts = spiffe(principal);
        Self {
            principal: Some(principal),
            namespace: parts.map(|(namespace, _)| namespace),
            workload: parts.map(|(_, account)| account),
        }
    }
}

impl Caller<'_> {
    /// The same, where no certificate is believed. A caller that presents a certificate is then
    /// unknown, and is not the workload of which this proxy is the sidecar.
    pub(super) fn without_certificate(self) -> Self {
        if self.principal.is_some() { Self::default() } else { self }
    }
}

/// Namespace and service account of exactly `spiffe://DOMAIN/ns/NAMESPACE/sa/ACCOUNT`.
fn spiffe(principal: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = principal.strip_prefix(b"spiffe://")?.split(|b| *b == b'/');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (_, ns, namespace, sa, account) = (next()?, next()?, next()?, next()?, next()?);
    (ns == b"ns" && sa == b"sa" && parts.next().is_none()).then_some((namespace, account))
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::spiffe;

    #[test]
    fn identities() {
        let (namespace, account) = spiffe(b"spiffe://cluster.local/ns/shop/sa/checkout").unwrap();
        assert_eq!((namespace, account), (b"shop".as_slice(), b"checkout".as_slice()));
        for other in [
            "cluster.local/ns/shop/sa/checkout",
            "spiffe:///ns/shop/sa/checkout",
            "spiffe://d/ns/shop/sa/",
            "spiffe://d/ns/shop/sa/a/b",
            "spiffe://d/sa/shop/ns/a",
            "spiffe://d/ns//sa/a",
        ] {
            assert_eq!(spiffe(other.as_bytes()), None, "{other}");
        }
    }
}
