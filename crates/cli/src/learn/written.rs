//! The policy that allows what was learnt, within the limits of policies.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use narrows_core::egress::destination::Destination;
use narrows_core::{PolicyValue, limits};

use super::Learnt;
use crate::write::yaml;

/// A policy, for a person to read and to shorten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its text, with comments.
    pub policy: String,
    /// What a policy has no room for, a phrase each.
    pub left_out: Vec<String>,
}

/// Addresses as `except` lists them.
#[derive(Default)]
struct Except {
    /// Addresses, or blocks of which every address was requested.
    blocks: Vec<String>,
    /// The hosts for which there is no room.
    left_out: BTreeSet<String>,
}

impl Learnt {
    /// A policy that allows all of these destinations.
    pub fn policy(&self) -> String {
        self.policy_that(&|_| true).policy
    }

    /// A policy that allows these destinations, or as many as a policy can have: `loads` tells whether
    /// the filter takes it.
    pub fn policy_that(&self, loads: &dyn Fn(&PolicyValue) -> bool) -> Written {
        let private: Vec<(&str, Option<IpAddr>)> = self.private().collect();
        let addresses = private.iter().filter_map(|(host, address)| Some((*host, (*address)?)));
        let except = Except::of(&addresses.collect::<Vec<_>>());
        let names: Vec<&str> =
            private.iter().filter(|(_, address)| address.is_none()).map(|(host, _)| *host).collect();
        let hosts: Vec<&str> =
            self.hosts.keys().map(String::as_str).filter(|host| !except.left_out.contains(*host)).collect();
        let first = |count: usize| self.tree(hosts.get(..count).unwrap_or(&hosts), &except.blocks);
        let fits = |count: usize| loads(&first(count));
        let most = hosts.len().min(limits::RULES);
        let room = if fits(most) { most } else { most_that(most, &fits) };
        let mut left_out = Vec::new();
        if !except.left_out.is_empty() {
            left_out.push(format!(
                "{} private addresses are left out, because \"except\" takes no more than {} addresses and blocks",
                except.left_out.len(),
                limits::SOURCES
            ));
        }
        if let Some(from) = hosts.get(room) {
            left_out.push(format!(
                "{} hosts are left out, {from} and those after it in the alphabet, because a policy takes no more",
                hosts.len().saturating_sub(room)
            ));
        }
        let policy =
            self.comments(room, &left_out, !except.blocks.is_empty(), &names) + &yaml::document(&first(room));
        Written { policy, left_out }
    }

    fn tree(&self, hosts: &[&str], except: &[String]) -> PolicyValue {
        let table = |fields: Vec<(&str, PolicyValue)>| {
            PolicyValue::Table(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let text = |text: &str| PolicyValue::Text(text.to_owned());
        let rules = hosts.iter().enumerate().map(|(place, host)| {
            let mut to = vec![("hosts", PolicyValue::List(vec![text(host)]))];
            if let Some(Some(methods)) = self.hosts.get(*host) {
                to.push(("methods", PolicyValue::List(methods.iter().map(|method| text(method)).collect())));
            }
            let name = text(&format!("learned-{}", place + 1));
            table(vec![("name", name), ("action", text("allow")), ("to", table(to))])
        });
        let mut policy = vec![("filter", text("egress-policy")), ("default", text("deny"))];
        if !except.is_empty() {
            let except = except.iter().map(|block| text(block)).collect();
            policy.push(("denyPrivateAddresses", table(vec![("except", PolicyValue::List(except))])));
        }
        policy.push(("rules", PolicyValue::List(rules.collect())));
        table(policy)
    }

    /// What a person has to know before the policy.
    fn comments(&self, hosts: usize, left_out: &[String], has_except: bool, names: &[&str]) -> String {
        let what = if left_out.is_empty() {
            "everything that was requested"
        } else {
            "a part of what was requested"
        };
        let mut out =
            format!("# {hosts} hosts from {} lines: {what}. Remove what must not be allowed.\n", self.lines);
        for what in left_out {
            out.push_str(&format!("# {what}.\n"));
        }
        if has_except {
            out.push_str(
                "# \"except\" allows private addresses: remove there, too, what must not be allowed.\n",
            );
        }
        if !names.is_empty() {
            out.push_str(&format!(
                "# \"denyPrivateAddresses\" denies these even if a rule allows them: {}.\n",
                names.join(", ")
            ));
        }
        if self.unnamed > 0 {
            out.push_str(&format!(
                "# {} requests went to hosts that are not in the log: raise \"maxHosts\".\n",
                self.unnamed
            ));
        }
        out
    }

    /// The hosts that are not on the internet, with their addresses.
    fn private(&self) -> impl Iterator<Item = (&str, Option<IpAddr>)> {
        let is_private =
            |host: &&str| Destination::of(host.as_bytes()).is_ok_and(|read| read.host.is_private());
        let hosts = self.hosts.keys().map(String::as_str).filter(is_private);
        hosts.map(|host| (host, host.trim_matches(['[', ']']).parse().ok()))
    }
}

/// The most, below `above`, that fits; what fits less does too.
fn most_that(above: usize, fits: &dyn Fn(usize) -> bool) -> usize {
    let (mut fitting, mut above) = (0, above);
    while above - fitting > 1 {
        let middle = fitting.midpoint(above);
        if fits(middle) { fitting = middle } else { above = middle }
    }
    fitting
}

impl Except {
    /// Each address, if there is room. Otherwise blocks of which every address is one of these; and if
    /// there is no room for all, those that hold the most.
    fn of(hosts: &[(&str, IpAddr)]) -> Self {
        if hosts.len() <= limits::SOURCES {
            return Self {
                blocks: hosts.iter().map(|(_, address)| address.to_string()).collect(),
                ..Self::default()
            };
        }
        let v4: BTreeSet<u128> = hosts
            .iter()
            .filter_map(|(_, address)| match address {
                IpAddr::V4(v4) => Some(u128::from(v4.to_bits())),
                IpAddr::V6(_) => None,
            })
            .collect();
        let v6: BTreeSet<u128> = hosts
            .iter()
            .filter_map(|(_, address)| match address {
                IpAddr::V4(_) => None,
                IpAddr::V6(v6) => Some(v6.to_bits()),
            })
            .collect();
        let of =
            |all: &BTreeSet<u128>, is_v6| blocks(all).into_iter().map(move |block| Block { is_v6, ..block });
        let mut all: Vec<Block> = of(&v4, false).chain(of(&v6, true)).collect();
        all.sort_by_key(|block| std::cmp::Reverse(block.bits));
        let rest = all.split_off(limits::SOURCES.min(all.len()));
        all.sort_by_key(|block| (block.is_v6, block.first));
        let is_left = |address: &IpAddr| rest.iter().any(|block| block.holds(*address));
        let left_out = hosts.iter().filter(|(_, address)| is_left(address));
        Self {
            blocks: all.iter().map(Block::text).collect(),
            left_out: left_out.map(|(host, _)| (*host).to_owned()).collect(),
        }
    }
}

/// A block of addresses.
struct Block {
    is_v6: bool,
    first: u128,
    /// How many bits of its addresses are free.
    bits: u32,
}

/// The fewest blocks that hold these addresses and no other.
fn blocks(addresses: &BTreeSet<u128>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for address in addresses {
        let mut block = Block { is_v6: false, first: *address, bits: 0 };
        // Two halves of a block are the block.
        while let Some(last) = blocks.pop() {
            let is_half = last.bits == block.bits && last.first == block.first ^ (1 << block.bits);
            if !(is_half && last.first < block.first) {
                blocks.push(last);
                break;
            }
            block = Block { bits: last.bits + 1, ..last };
        }
        blocks.push(block);
    }
    blocks
}

impl Block {
    fn holds(&self, address: IpAddr) -> bool {
        let bits = match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        address.is_ipv6() == self.is_v6 && bits >> self.bits == self.first >> self.bits
    }

    fn text(&self) -> String {
        let (address, length) = if self.is_v6 {
            (IpAddr::V6(Ipv6Addr::from_bits(self.first)), u128::BITS)
        } else {
            (IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(self.first).unwrap_or_default())), u32::BITS)
        };
        if self.bits == 0 { address.to_string() } else { format!("{address}/{}", length - self.bits) }
    }
}
