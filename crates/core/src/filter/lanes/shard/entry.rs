//! An id in the memory, and how it is written: four numbers, a word, and a lane.

/// What is remembered of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry<'s> {
    pub(super) id: u64,
    /// When it was first noted, in milliseconds since the epoch.
    pub(super) born: u64,
    /// When it is forgotten, once its requests have been served.
    pub(super) until: u64,
    /// How many of its requests are being served.
    pub(super) open: u16,
    /// How often its lane was used.
    pub(super) uses: u16,
    pub(super) kind: Kind<'s>,
}

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'s> {
    /// No lane.
    Bare,
    /// Nothing.
    Mixed,
    /// A lane.
    Lane(&'s [u8]),
}

/// Bytes of an entry before its lane.
const HEAD: usize = 8 + 8 + 8 + 2 + 2 + 1 + 1;

/// The entries of a shard. A broken one ends them.
pub(super) fn all(mut bytes: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let (id, rest) = bytes.split_first_chunk()?;
        let (born, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (open, rest) = rest.split_first_chunk()?;
        let (uses, rest) = rest.split_first_chunk()?;
        let ([kind, length], rest) = rest.split_first_chunk()?;
        let (lane, rest) = rest.split_at_checked(usize::from(*length))?;
        bytes = rest;
        Some(Entry {
            id: u64::from_le_bytes(*id),
            born: u64::from_le_bytes(*born),
            until: u64::from_le_bytes(*until),
            open: u16::from_le_bytes(*open),
            uses: u16::from_le_bytes(*uses),
            kind: match kind {
                0 => Kind::Bare,
                1 => Kind::Lane(lane),
                _ => Kind::Mixed,
            },
        })
    })
}

/// Entries as bytes.
pub(super) fn write(entries: &[Entry<'_>]) -> Vec<u8> {
    let lanes: usize = entries.iter().map(|entry| lane(entry).len()).sum();
    let mut bytes = Vec::with_capacity(entries.len().saturating_mul(HEAD).saturating_add(lanes));
    for entry in entries {
        let lane = lane(entry);
        let kind = match entry.kind {
            Kind::Bare => 0,
            Kind::Lane(_) => 1,
            Kind::Mixed => 2,
        };
        bytes.extend_from_slice(&entry.id.to_le_bytes());
        bytes.extend_from_slice(&entry.born.to_le_bytes());
        bytes.extend_from_slice(&entry.until.to_le_bytes());
        bytes.extend_from_slice(&entry.open.to_le_bytes());
        bytes.extend_from_slice(&entry.uses.to_le_bytes());
        bytes.extend_from_slice(&[kind, u8::try_from(lane.len()).unwrap_or_default()]);
        bytes.extend_from_slice(lane);
    }
    bytes
}

/// The lane of an entry. A policy has no lane that is longer than a byte can say.
fn lane<'s>(entry: &Entry<'s>) -> &'s [u8] {
    match entry.kind {
        Kind::Lane(lane) if u8::try_from(lane.len()).is_ok() => lane,
        Kind::Lane(_) | Kind::Bare | Kind::Mixed => &[],
    }
}
