//! The ABI's form of headers.

pub use narrows_model::Headers;
pub(super) use narrows_model::Kind;

/// A count, the lengths, then names and values each with a NUL behind it.
pub(super) fn encode(headers: &Headers) -> Vec<u8> {
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len() + 10).sum();
    let mut bytes = Vec::with_capacity(4 + size);
    bytes.extend_from_slice(&word(headers.len()));
    for (name, value) in headers.iter() {
        bytes.extend_from_slice(&word(name.len()));
        bytes.extend_from_slice(&word(value.len()));
    }
    for (name, value) in headers.iter() {
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(value);
        bytes.push(0);
    }
    bytes
}

/// Reads the ABI's form. What is too long or broken comes out empty, as from Envoy's
/// `PairsUtil::toPairs`, which is why a filter must never send a whole map.
pub(super) fn decode(bytes: &[u8]) -> Headers {
    if bytes.len() > MAX_PAIRS_BYTES {
        return Headers::new();
    }
    try_decode(bytes).unwrap_or_default()
}

fn try_decode(bytes: &[u8]) -> Option<Headers> {
    let read = |at: usize| -> Option<usize> {
        let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(word) as usize)
    };
    let count = read(0)?;
    if count > MAX_PAIRS {
        return None;
    }
    let mut headers = Headers::new();
    let mut at = 4 + 8 * count;
    for pair in 0..count {
        let (name_len, value_len) = (read(4 + 8 * pair)?, read(8 + 8 * pair)?);
        let name = bytes.get(at..at.checked_add(name_len)?)?;
        at += name_len + 1;
        let value = bytes.get(at..at.checked_add(value_len)?)?;
        at += value_len + 1;
        headers.add(name, value);
    }
    Some(headers)
}

fn word(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// Limits of Envoy's decoder for pairs that come from a filter (proxy-wasm-cpp-host `limits.h`).
const MAX_PAIRS: usize = 1024;
const MAX_PAIRS_BYTES: usize = 1 << 20;
