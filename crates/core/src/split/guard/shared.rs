//! What the VMs of a proxy know in common: which backends are switched off.
//!
//! One value for a plugin, of records of sixteen bytes: who, and since when. A
//! backend that serves has no record.

/// The bytes of a record.
const RECORD: usize = 16;
/// A record of an unknown backend is of an older policy: it is dropped after an hour.
const FORGET: u64 = 3_600_000;
/// The backends that are remembered: more are not switched off at a time.
const MOST: usize = 4096;

/// Since when a backend is switched off.
pub(super) fn since(shared: &[u8], id: u64) -> Option<u64> {
    records(shared).find(|(known, _)| *known == id).map(|(_, since)| since)
}

/// What is shared, with what one VM has to say about some backends.
pub(super) fn merge(shared: &[u8], own: &[(u64, Option<u64>)], now: u64) -> Vec<u8> {
    let others = records(shared)
        .filter(|(id, since)| own.iter().all(|(own, _)| own != id) && now.saturating_sub(*since) < FORGET);
    let off = own.iter().filter_map(|(id, since)| Some((*id, (*since)?)));
    let mut merged = Vec::new();
    for (id, since) in off.chain(others).take(MOST) {
        merged.extend_from_slice(&id.to_le_bytes());
        merged.extend_from_slice(&since.to_le_bytes());
    }
    merged
}

fn records(shared: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    shared.chunks_exact(RECORD).filter_map(|record| {
        let (id, since) = record.split_first_chunk()?;
        Some((u64::from_le_bytes(*id), u64::from_le_bytes(*since.first_chunk()?)))
    })
}
