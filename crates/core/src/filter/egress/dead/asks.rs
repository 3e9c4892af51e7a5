//! Requests that stand for all that a rule covers.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::filter::egress::caller::Caller;
use crate::filter::egress::destination::{self, Destination};
use crate::filter::egress::private::Private;
use crate::filter::egress::rule::{Outgoing, Rule, key};
use crate::matching::hosts::HostPattern;
use crate::matching::source::{Cidr, PrincipalPattern};

/// Labels that no policy names: what a rule leaves open may be called anything. They share no character, so
/// that no pattern means both.
const ANY: [&str; 2] = ["0-any-label-0", "zqx9"];
/// Requests for one rule; a rule that needs more is not looked at.
const MOST: usize = 10_000;

/// What the rules of a policy name. A request that stands for what a rule leaves open has a value that none
/// of them names, or one that some of them spare.
#[derive(Debug, Default)]
pub(super) struct Mentioned {
    ports: BTreeSet<u16>,
    principals: BTreeSet<Vec<u8>>,
    namespaces: BTreeSet<Vec<u8>>,
    /// The first address of each block, and the one behind its last.
    edges: BTreeSet<IpAddr>,
}

/// One request.
#[derive(Debug)]
pub(super) struct Ask {
    caller: Named,
    /// In its one form.
    host: Vec<u8>,
    address: Option<IpAddr>,
    /// Whether it stands for a block.
    block: Option<Cidr>,
    port: Option<u16>,
    method: Vec<u8>,
}

/// A caller.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    principal: Option<Vec<u8>>,
    namespace: Option<Vec<u8>>,
    workload: Option<Vec<u8>>,
}

/// A destination: its host in one form, its address, and the block for which it stands.
type Place = (Vec<u8>, Option<IpAddr>, Option<Cidr>);

impl Mentioned {
    pub(super) fn by(rules: &[Rule]) -> Self {
        let mut mentioned = Self::default();
        for rule in rules {
            let from = rule.from();
            mentioned.ports.extend(rule.ports());
            mentioned.namespaces.extend(from.not_namespaces.iter().map(|name| name.to_vec()));
            let exact = |pattern: &PrincipalPattern| match pattern {
                PrincipalPattern::Exact(name) => vec![name.to_vec()],
                PrincipalPattern::Prefix(prefix) => completed(prefix, ANY[0].as_bytes(), ANY[0].as_bytes()),
            };
            mentioned.principals.extend(from.not_principals.iter().flat_map(exact));
            mentioned.edges.extend(rule.cidrs().iter().flat_map(|block| edges(*block)));
            let addresses = rule.hosts().iter().filter_map(|host| address(key(host)));
            let single = addresses.filter_map(|address| Cidr::new(&address.to_string()));
            mentioned.edges.extend(single.flat_map(edges));
        }
        mentioned
    }

    /// Requests of a rule, of which one is covered by no more other rules than any request that the rule
    /// covers; nothing if there would be too many.
    pub(super) fn asks(&self, rule: &Rule) -> Option<Vec<Ask>> {
        let places = self.places(rule);
        let ports: Vec<Option<u16>> = match rule.ports() {
            [] => vec![Some((1..=u16::MAX).find(|port| !self.ports.contains(port))?), None],
            ports => ports.iter().copied().map(Some).chain([None]).collect(),
        };
        let methods: Vec<Vec<u8>> = match rule.methods() {
            [] => vec![ANY[0].into()],
            methods => methods.iter().map(|method| method.to_vec()).collect(),
        };
        let callers = self.callers(rule);
        let sizes = [places.len(), ports.len(), methods.len(), callers.len()];
        if sizes.into_iter().fold(1, usize::saturating_mul) > MOST {
            return None;
        }
        let mut asks = Vec::new();
        for (host, address, block) in &places {
            for port in &ports {
                for method in &methods {
                    asks.extend(callers.iter().map(|caller| Ask {
                        caller: caller.clone(),
                        host: host.clone(),
                        address: *address,
                        block: *block,
                        port: *port,
                        method: method.clone(),
                    }));
                }
            }
        }
        asks.retain(|ask| ask.is_of(rule));
        Some(asks)
    }

    fn places(&self, rule: &Rule) -> Vec<Place> {
        let is_open = rule.hosts().is_empty() && rule.cidrs().is_empty();
        let any = (is_open || rule.hosts().contains(&HostPattern::Any)).then_some(HostPattern::Any);
        let named = rule.hosts().iter().filter(|host| **host != HostPattern::Any).chain(&any);
        let samples = named.flat_map(|pattern| ANY.map(|label| sample(pattern, label)));
        let names = samples.filter_map(|text| place(&text, None));
        let all = [Cidr::new("0.0.0.0/0"), Cidr::new("::/0")].into_iter().flatten();
        let blocks = rule.cidrs().iter().copied().chain(all.filter(|_| any.is_some()));
        let addresses = blocks.flat_map(|block| {
            let inside =
                self.edges.iter().copied().chain(edges(block)).filter(move |edge| block.contains(*edge));
            inside.filter_map(move |address| place(&destination::Host::Address(address).text(), Some(block)))
        });
        names.chain(addresses).collect()
    }

    fn callers(&self, rule: &Rule) -> BTreeSet<Named> {
        let from = rule.from();
        let or_any = |names: &[Box<[u8]>]| -> BTreeSet<Vec<u8>> {
            let any = names.is_empty().then(|| ANY[0].as_bytes().to_vec());
            names.iter().map(|name| name.to_vec()).chain(any).collect()
        };
        let mut namespaces = or_any(&from.namespaces);
        namespaces.extend(self.namespaces.iter().cloned());
        let workloads = or_any(&from.workloads);
        let mut principals = self.principals.clone();
        let mut callers = BTreeSet::from([Named { principal: None, namespace: None, workload: None }]);
        principals.insert(ANY[0].into());
        for namespace in &namespaces {
            for workload in &workloads {
                principals.extend(completed(b"spiffe://", namespace, workload));
                for pattern in &from.principals {
                    match pattern {
                        PrincipalPattern::Exact(name) => _ = principals.insert(name.to_vec()),
                        PrincipalPattern::Prefix(prefix) => {
                            principals.extend(completed(prefix, namespace, workload));
                        }
                    }
                }
                let [namespace, workload] = [namespace, workload].map(|name| Some(name.clone()));
                callers.insert(Named { principal: None, namespace, workload });
            }
        }
        callers.extend(principals.iter().map(|name| Named::by_certificate(name)));
        callers
    }
}

impl Ask {
    /// Whether a rule covers it, whatever its path.
    pub(super) fn is_of(&self, rule: &Rule) -> bool {
        rule.concerns(&Outgoing {
            caller: self.caller.view(),
            believed: self.caller.view(),
            moves: false,
            host: &self.host,
            address: self.address,
            ports: [self.port, None],
            port_in_digits: Vec::new(),
            method: &self.method,
            method_in_capitals: Vec::new(),
            readings: None,
        })
    }

    /// Whether it, and all for which it stands, is denied as private.
    pub(super) fn is_private(&self, private: &Private) -> bool {
        match self.block {
            Some(block) => private.denies_all(block),
            None => Destination::of(&self.host).is_ok_and(|to| private.denies(&to.host)),
        }
    }
}

impl Named {
    fn by_certificate(name: &[u8]) -> Self {
        let Caller { principal, namespace, workload } = Caller::by_certificate(name);
        let [principal, namespace, workload] =
            [principal, namespace, workload].map(|name| name.map(<[u8]>::to_vec));
        Self { principal, namespace, workload }
    }

    fn view(&self) -> Caller<'_> {
        Caller {
            principal: self.principal.as_deref(),
            namespace: self.namespace.as_deref(),
            workload: self.workload.as_deref(),
        }
    }
}

/// Names with a prefix: the prefix may end in any part of `spiffe://DOMAIN/ns/NAMESPACE/sa/WORKLOAD`.
fn completed(prefix: &[u8], namespace: &[u8], workload: &[u8]) -> Vec<Vec<u8>> {
    let any = ANY[0].as_bytes();
    let last = prefix.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let rest = |name: &[u8]| name.strip_prefix(last).unwrap_or(name).to_vec();
    let account = [b"/sa/", workload].concat();
    let whole = [b"/ns/", namespace, &account].concat();
    let ends = [
        Vec::new(),
        any.to_vec(),
        rest(workload),
        rest(account.get(1..).unwrap_or_default()),
        account.clone(),
        [&rest(namespace)[..], &account].concat(),
        [any, &account].concat(),
        rest(whole.get(1..).unwrap_or_default()),
        whole.clone(),
        [any, &whole].concat(),
    ];
    ends.map(|end| [prefix, &end].concat()).into()
}

fn place(host: &[u8], block: Option<Cidr>) -> Option<Place> {
    let to = Destination::of(host).ok()?;
    Some((to.host.text().into_owned(), to.host.address(), block))
}

fn address(host: &[u8]) -> Option<IpAddr> {
    Destination::of(host).ok()?.host.address()
}

/// A host that a pattern covers and nothing narrower does.
fn sample(pattern: &HostPattern, any: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(key(pattern));
    match pattern {
        HostPattern::Any => format!("{any}.{any}"),
        HostPattern::Suffix(_) => format!("{any}{text}"),
        HostPattern::Glob(_) => text.replace('*', any),
        HostPattern::Exact(_) => text.into_owned(),
    }
    .into_bytes()
}

/// The first address of a block, and the one behind its last.
fn edges(block: Cidr) -> impl Iterator<Item = IpAddr> {
    let (length, network) = block.block();
    let width = if length.v6 { u128::MAX } else { u128::from(u32::MAX) };
    let behind = (network | (!length.mask & width)).checked_add(1);
    [Some(network), behind].into_iter().flatten().filter_map(move |bits| {
        Some(if length.v6 {
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).ok()?))
        })
    })
}
