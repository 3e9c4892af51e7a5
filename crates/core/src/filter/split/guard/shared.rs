//! What the VMs of a proxy know in common: which backends are switched off.
//!
//! There is one value for each plugin, made of records of sixteen bytes: the backend's id, and a word.
//! The word holds whether a probe found the absence, whether it is held, at which port it is, and since
//! when. A backend that serves has no record.

use super::state::Absence;

/// The bytes of a record.
const RECORD: usize = 16;
/// A record of an unknown backend belongs to an older policy: it is dropped after an hour.
const FORGET: u64 = 3_600_000;
/// The most records that are kept: no more backends are switched off at a time.
const MOST: usize = 4096;

/// The subject of a record: a backend, and a port of it or, for a probe, all ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) id: u64,
    /// `None` for what a probe found: that concerns every port.
    pub(super) port: Option<u16>,
}

/// The bits of a word. No time in milliseconds reaches the bits of the port.
const PROBED: u64 = 1 << 63;
const HELD: u64 = 1 << 62;
const PORT_SHIFT: u32 = 46;
const SINCE: u64 = (1 << PORT_SHIFT) - 1;

/// What is shared, updated with what one VM has found about some backends.
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
