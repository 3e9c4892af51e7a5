//! The bucket of a key: `xxh64(salt ‖ 0x00 ‖ key, seed 0) mod 1 000 000`.
//!
//! xxHash64 by Yann Collet (the XXH64 specification, version 0.1.1). The result is
//! frozen by published vectors made with an independent implementation.

use crate::order::hash_of;

/// The number of buckets: weights are exact to one in a million.
pub const BUCKETS: u32 = 1_000_000;

/// The bucket of a key under a salt.
pub fn bucket(salt: &[u8], key: &[u8]) -> u32 {
    of_hash(hash_of(salt, key))
}

/// The bucket of a hash.
pub fn of_hash(hash: u64) -> u32 {
    // Below a million, so it fits.
    hash.checked_rem(u64::from(BUCKETS)).and_then(|bucket| u32::try_from(bucket).ok()).unwrap_or_default()
}
