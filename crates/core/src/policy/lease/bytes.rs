//! The register as the bytes that the VMs of a proxy share.

use super::register::{Plugin, Register, Root};

/// The first bytes of what is shared. Another format would begin with other bytes.
const FORM: u64 = u64::from_le_bytes(*b"narrows1");
/// The words of the head, and of each row.
const WORDS: usize = 5;

/// The bits of a root context, and of a plugin.
const BAD: u64 = 1;
const BUSY: u64 = 2;
const PLUGIN: u64 = 4;
const LOADED: u64 = 8;

impl Register {
    /// Reads what is shared. Anybody may write there, so what makes no sense reads as nothing.
    pub fn decode(shared: &[u8]) -> Self {
        let mut rows = shared.chunks_exact(WORDS * 8).map(|row| {
            let word = |at: usize| row.get(at..).and_then(<[u8]>::first_chunk).copied();
            [0, 8, 16, 24, 32].map(|at| word(at).map_or(0, u64::from_le_bytes))
        });
        let Some([FORM, last, ever, shown, _]) = rows.next() else { return Self::default() };
        let mut register = Self { last, ever: ever != 0, shown: shown != 0, ..Self::default() };
        for [id, second, third, fourth, bits] in rows {
            if bits & PLUGIN != 0 {
                register.plugins.push(Plugin {
                    id,
                    in_force: second,
                    since: fourth,
                    refused: third,
                    is_loaded: bits & LOADED != 0,
                });
            } else {
                let [beat, bound] = [fourth >> 32, fourth & u64::from(u32::MAX)];
                // The search for a root context relies on their order.
                if register.roots.last().is_some_and(|before| before.id >= id) {
                    continue;
                }
                register.roots.push(Root {
                    id,
                    plugin: second,
                    policy: third,
                    beat: u32::try_from(beat).unwrap_or(u32::MAX),
                    bound: u32::try_from(bound).unwrap_or(u32::MAX),
                    is_bad: bits & BAD != 0,
                    is_busy: bits & BUSY != 0,
                });
            }
        }
        register
    }

    /// What to share.
    pub fn encode(&self) -> Vec<u8> {
        let rows = self.plugins.len().saturating_add(self.roots.len()).saturating_add(1);
        let mut shared = Vec::with_capacity(rows.saturating_mul(WORDS * 8));
        let mut row = |words: [u64; WORDS]| {
            words.iter().for_each(|word| shared.extend_from_slice(&word.to_le_bytes()));
        };
        row([FORM, self.last, self.ever.into(), self.shown.into(), 0]);
        let bit = |is: bool, bit: u64| if is { bit } else { 0 };
        for plugin in &self.plugins {
            row([
                plugin.id,
                plugin.in_force,
                plugin.refused,
                plugin.since,
                PLUGIN | bit(plugin.is_loaded, LOADED),
            ]);
        }
        for root in &self.roots {
            let bits = bit(root.is_bad, BAD) | bit(root.is_busy, BUSY);
            let counts = u64::from(root.beat) << 32 | u64::from(root.bound);
            row([root.id, root.plugin, root.policy, counts, bits]);
        }
        shared
    }
}
