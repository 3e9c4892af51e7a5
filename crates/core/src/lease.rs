//! Who serves a good policy of a plugin: a record for each root context of a proxy.
//!
//! A root context is made and removed by itself: a module that is replaced has root
//! contexts of the old and of the new one side by side, and what the old one says as it
//! goes must not speak for the new one.

/// How long a root context may be silent, in milliseconds: three missed renewals.
const HOLDS: u64 = 20_000;
/// The bytes of a record: who, since when, and when it was renewed.
const RECORD: usize = 24;
/// The root contexts that are known at a time: twice the workers of any machine.
const MOST: usize = 4096;

/// One root context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// A number that no other one has.
    pub id: u64,
    /// When its policy was loaded, in milliseconds.
    pub since: u64,
}

/// Whether any root context serves.
pub fn is_live(shared: &[u8], now: u64) -> bool {
    !kept(shared, &|_, renewed| is_fresh(renewed, now)).is_empty()
}

/// What is shared, once a root context has said that it serves.
pub fn renewed(shared: &[u8], by: Holder, now: u64) -> Vec<u8> {
    let mut records = kept(shared, &|holder, renewed| holder.id != by.id && is_fresh(renewed, now));
    records.truncate(MOST * RECORD - RECORD);
    for word in [by.id, by.since, now] {
        records.extend_from_slice(&word.to_le_bytes());
    }
    records
}

/// What is shared, once a root context has said that it is removed.
///
/// Envoy tries a policy in a VM that it throws away without a word. Its record is as
/// old as those of the root contexts that were made after it, and was never renewed.
pub fn released(shared: &[u8], by: Holder) -> Vec<u8> {
    kept(shared, &|holder, renewed| {
        let was_tried = holder.since == renewed && holder.since <= by.since;
        holder.id != by.id && !was_tried
    })
}

fn is_fresh(renewed: u64, now: u64) -> bool {
    // A clock that was set back must not keep a plugin alive for years.
    now.abs_diff(renewed) < HOLDS
}

/// The records that stay.
fn kept(shared: &[u8], stays: &dyn Fn(Holder, u64) -> bool) -> Vec<u8> {
    let mut left = Vec::new();
    for record in shared.chunks_exact(RECORD) {
        let word = |at: usize| record.get(at..).and_then(<[u8]>::first_chunk).copied();
        let [id, since, renewed] = [0, 8, 16].map(|at| word(at).map_or(0, u64::from_le_bytes));
        if stays(Holder { id, since }, renewed) {
            left.extend_from_slice(record);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Holder, is_live, released, renewed};

    const OLD: Holder = Holder { id: 1, since: 1_000 };
    const NEW: Holder = Holder { id: 2, since: 60_000 };

    #[test]
    fn it_holds_for_twenty_seconds() {
        assert!(!is_live(b"", 1_000));
        let shared = renewed(b"", OLD, 1_000);
        assert!(is_live(&shared, 20_999));
        assert!(!is_live(&shared, 21_000));
        // The clock is set back by a year.
        assert!(!is_live(&renewed(b"", OLD, 31_536_000_000), 1_000));
        // Anybody may write there: what makes no sense is nobody.
        assert!(!is_live(b"nonsense", 1_000));
    }

    #[test]
    fn who_goes_speaks_for_nobody_else() {
        let mut shared = renewed(b"", OLD, 1_000);
        shared = renewed(&shared, NEW, 60_000);
        shared = renewed(&shared, OLD, 61_000);
        shared = released(&shared, OLD);
        assert!(is_live(&shared, 61_000));
        shared = released(&renewed(&shared, NEW, 65_000), NEW);
        assert!(!is_live(&shared, 65_000));
        assert!(shared.is_empty());
    }

    #[test]
    fn a_vm_that_was_only_asked_goes_with_those_made_after_it() {
        let tried = Holder { id: 7, since: 999 };
        let shared = renewed(&renewed(b"", tried, 999), OLD, 1_000);
        // A newer one has been tried: it stays.
        let next = Holder { id: 8, since: 60_000 };
        let shared = released(&renewed(&shared, next, 60_000), OLD);
        assert_eq!(shared, renewed(b"", next, 60_000));
        // So does an older one that serves.
        let shared = released(&renewed(&shared, OLD, 61_000), NEW);
        assert_eq!(shared, renewed(b"", OLD, 61_000));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let shared =
            (0..10_000).fold(Vec::new(), |shared, id| renewed(&shared, Holder { id, since: 5 }, 1_000));
        assert_eq!(shared.len(), 4096 * 24);
        let shared = renewed(&shared, NEW, 60_000);
        assert_eq!(shared.len(), 24, "the old ones are forgotten");
    }
}
