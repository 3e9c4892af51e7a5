//! What the VMs of a proxy know in common: which backends are switched off.
//!
//! One value for a plugin, of records of sixteen bytes: who, and a word of who found it,
//! whether it is held, at which port and since when. A backend that serves has no record.

use super::state::Absence;

/// The bytes of a record.
const RECORD: usize = 16;
/// A record of an unknown backend is of an older policy: it is dropped after an hour.
const FORGET: u64 = 3_600_000;
/// The records that are kept: more are not switched off at a time.
const MOST: usize = 4096;

/// What a record is of: a backend, and where requests go or a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) id: u64,
    /// None for what a probe found: that is of every port.
    pub(super) port: Option<u16>,
}

/// The bits of a word: no time in milliseconds reaches the port.
const PROBED: u64 = 1 << 63;
const HELD: u64 = 1 << 62;
const PORT_SHIFT: u32 = 46;
const SINCE: u64 = (1 << PORT_SHIFT) - 1;

/// What is shared, with what one VM has to say about some backends.
pub(super) fn merge(shared: &[u8], own: &[(Subject, Option<Absence>)], now: u64) -> Vec<u8> {
    let others = records(shared).filter(|(subject, absence)| {
        own.iter().all(|(own, _)| own != subject) && now.saturating_sub(absence.since) < FORGET
    });
    let off = own.iter().filter_map(|(subject, found)| Some((*subject, (*found)?)));
    let mut merged = Vec::new();
    for (subject, absence) in off.chain(others).take(MOST) {
        let whose = subject.port.map_or(PROBED, |port| u64::from(port) << PORT_SHIFT);
        let held = if absence.held { HELD } else { 0 };
        merged.extend_from_slice(&subject.id.to_le_bytes());
        merged.extend_from_slice(&(whose | held | absence.since & SINCE).to_le_bytes());
    }
    merged
}

pub(super) fn records(shared: &[u8]) -> impl Iterator<Item = (Subject, Absence)> {
    shared.chunks_exact(RECORD).filter_map(|record| {
        let (id, word) = record.split_first_chunk()?;
        let word = u64::from_le_bytes(*word.first_chunk()?);
        let port = u16::try_from(word >> PORT_SHIFT & 0xffff).ok().filter(|_| word & PROBED == 0);
        let absence = Absence { since: word & SINCE, held: word & HELD != 0 };
        Some((Subject { id: u64::from_le_bytes(*id), port }, absence))
    })
}
