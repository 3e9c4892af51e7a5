//! Into which part of the memory an id falls: a secret of the proxy says so, and nobody outside knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use narrows_vm::Proxy;

use super::{POLICY, Workers};

/// Ids, each with a lane of its own, by which it is found in the memory.
const IDS: usize = 640;
/// The parts of a memory for 2048 ids.
const PARTS: usize = 64;

fn policy() -> String {
    POLICY.replace("\"ttl\": \"10s\"", "\"ttl\": \"1h\", \"maxTraces\": 2048")
}

/// The workers of a proxy whose VMs began so many nanoseconds later.
fn workers(count: usize, later: u64) -> anyhow::Result<Workers> {
    let proxy = Proxy::default();
    proxy.clock.advance(Duration::from_nanos(later));
    Workers::of(proxy, count, &policy())
}

fn comes_in(workers: &mut Workers, worker: usize, number: usize) {
    let (id, lane) = (number.to_string(), format!("dev-{number:03}"));
    workers.comes_in(worker, &[("x-lane", &lane), ("x-request-id", &id)]);
}

/// The parts in which each lane stands.
fn parts(workers: &Workers) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut parts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for key in workers.proxy.shared.keys() {
        if !key.starts_with(b"narrows.lanes.traffic-lanes.") {
            continue;
        }
        let (bytes, _) = workers.proxy.shared.get(&key).unwrap_or_default();
        for lane in bytes.windows(7).filter(|bytes| bytes.starts_with(b"dev-")) {
            parts.entry(lane.to_vec()).or_default().push(key.clone());
        }
    }
    parts
}

/// Who has found ids that fall into one part of one proxy's memory has found nothing for another proxy.
#[test]
fn each_proxy_spreads_ids_in_its_own_way() -> anyhow::Result<()> {
    let mut proxies = [workers(1, 0)?, workers(1, 1)?];
    for proxy in &mut proxies {
        (0..IDS).for_each(|number| comes_in(proxy, 0, number));
    }
    let [first, second] = proxies.each_ref().map(parts);
    for proxy in [&first, &second] {
        assert_eq!(proxy.len(), IDS);
        let all: BTreeSet<_> = proxy.values().flatten().collect();
        assert_eq!(all.len(), PARTS, "all parts are used");
    }
    let same = first.iter().filter(|(lane, parts)| second.get(*lane) == Some(*parts)).count();
    // A 64th of them would be, by chance.
    println!("{same} of {IDS} ids fall into the same part");
    assert!(same < 4 * IDS / PARTS, "{same}");
    let mut together: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (lane, parts) in &first {
        together.entry(parts).or_default().push(&second[lane]);
    }
    for there in together.values() {
        let apart = there.iter().collect::<BTreeSet<_>>().len();
        assert!(2 * apart > there.len(), "{} ids of one part are in {apart} parts there", there.len());
    }
    Ok(())
}

/// The workers of one proxy agree, those that come later too.
#[test]
fn all_workers_of_a_proxy_spread_them_alike() -> anyhow::Result<()> {
    let mut first = workers(3, 0)?;
    first.proxy.clock.advance(Duration::from_mins(1));
    let mut later = Workers::of(first.proxy.clone(), 1, &policy())?;
    for number in 0..IDS {
        (0..3).for_each(|worker| comes_in(&mut first, worker, number));
        comes_in(&mut later, 0, number);
    }
    let parts = parts(&first);
    assert_eq!(parts.len(), IDS);
    for (lane, parts) in &parts {
        assert_eq!(parts.len(), 1, "{}", lane.escape_ascii());
    }
    for number in 0..IDS {
        let (id, lane) = (number.to_string(), format!("dev-{number:03}"));
        let call = [("x-request-id", &*id)];
        assert_eq!(first.goes_out(number % 3, &call).as_deref(), Some(&*lane));
        assert_eq!(later.goes_out(0, &call).as_deref(), Some(&*lane));
    }
    Ok(())
}
