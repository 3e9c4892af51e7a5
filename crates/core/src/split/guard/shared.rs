//! What the VMs of a proxy know in common: which backends are switched off.
//!
//! One value for a plugin, of records of sixteen bytes: who, and since when; the
//! highest bit of that says that a probe found it so. A backend that serves has no
//! record.

use super::Absence;

/// The bytes of a record.
const RECORD: usize = 16;
/// A record of an unknown backend is of an older policy: it is dropped after an hour.
const FORGET: u64 = 3_600_000;
/// The backends that are remembered: more are not switched off at a time.
const MOST: usize = 4096;

/// No time in milliseconds has this bit.
const PROBED: u64 = 1 << 63;

/// Why a backend is switched off.
pub(super) fn absence(shared: &[u8], id: u64) -> Option<Absence> {
    records(shared).find(|(known, _)| *known == id).map(|(_, absence)| absence)
}

/// What is shared, with what one VM has to say about some backends.
pub(super) fn merge(shared: &[u8], own: &[(u64, Option<Absence>)], now: u64) -> Vec<u8> {
    let others = records(shared).filter(|(id, absence)| {
        own.iter().all(|(own, _)| own != id) && now.saturating_sub(absence.since) < FORGET
    });
    // What a probe has found absent, a request that has not heard of it finds so too.
    let probed = |id| absence(shared, id).is_some_and(|known| known.probed);
    let off = own.iter().filter_map(|(id, found)| {
        let found = (*found)?;
        Some((*id, Absence { probed: found.probed || probed(*id), ..found }))
    });
    let mut merged = Vec::new();
    for (id, absence) in off.chain(others).take(MOST) {
        let since = absence.since | if absence.probed { PROBED } else { 0 };
        merged.extend_from_slice(&id.to_le_bytes());
        merged.extend_from_slice(&since.to_le_bytes());
    }
    merged
}

fn records(shared: &[u8]) -> impl Iterator<Item = (u64, Absence)> {
    shared.chunks_exact(RECORD).filter_map(|record| {
        let (id, since) = record.split_first_chunk()?;
        let since = u64::from_le_bytes(*since.first_chunk()?);
        let absence = Absence { since: since & !PROBED, probed: since & PROBED != 0 };
        Some((u64::from_le_bytes(*id), absence))
    })
}
