//! Hashing and sorting, compiled once for all types. The standard library's sort adds three kilobytes
//! to every module for each type.

use std::cmp::Ordering;

use xxhash_rust::xxh64::{Xxh64, xxh64};

/// A hash, compiled once: every inlined copy would take a kilobyte.
#[inline(never)]
pub(crate) fn hash(text: &[u8], seed: u64) -> u64 {
    xxh64(text, seed)
}

/// The hash of two texts, with a zero byte between them. It hashes a key under a salt where the key
/// itself must not be shown, or it hashes a name.
pub fn hash_of(salt: &[u8], key: &[u8]) -> u64 {
    let mut hash = Xxh64::new(0);
    hash.update(salt);
    hash.update(&[0]);
    hash.update(key);
    hash.digest()
}

/// The numbers below `count` in the order that `compare` gives; equal ones keep their order. It sorts
/// by merging, so no choice of a client makes it slower.
pub(crate) fn sorted(count: usize, compare: &dyn Fn(u32, u32) -> Ordering) -> Vec<u32> {
    let numbers = 0..u32::try_from(count).unwrap_or(u32::MAX);
    merged(numbers.collect(), |a, b| compare(*a, *b).is_gt())
}

/// The numbers in ascending order, each once.
pub(crate) fn distinct(numbers: Vec<u64>) -> Vec<u64> {
    if numbers.len() < 2 {
        return numbers;
    }
    let mut sorted = merged(numbers, |a, b| a > b);
    sorted.dedup();
    sorted
}

/// The same for what is sorted often. Each use adds a few hundred bytes to every module.
pub(crate) fn merged<T: Copy>(mut from: Vec<T>, is_after: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let mut to: Vec<T> = Vec::with_capacity(from.len());
    let mut width = 1usize;
    while width < from.len() {
        to.clear();
        for pair in from.chunks(width.saturating_mul(2)) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some((a, after_a)), Some((b, after_b))) = (left.split_first(), right.split_first()) {
                if is_after(a, b) {
                    to.push(*b);
                    right = after_b;
                } else {
                    to.push(*a);
                    left = after_a;
                }
            }
            to.extend_from_slice(left);
            to.extend_from_slice(right);
        }
        std::mem::swap(&mut from, &mut to);
        width = width.saturating_mul(2);
    }
    from
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::sorted;

    #[test]
    fn equal_ones_stay_as_they_are() {
        for count in 0..70 {
            let keys: Vec<usize> = (0..count).map(|n| n * 37 % 11).collect();
            let mut expected: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
            expected.sort_by_key(|place| keys[*place as usize]);
            assert_eq!(sorted(count, &|a, b| keys[a as usize].cmp(&keys[b as usize])), expected);
        }
    }
}
