//! A path in the forms in which a server may read it.
//!
//! Servers differ in what they decode, merge and resolve, and a rule must not depend on the server
//! behind it. So a path has *readings*: as it is decoded, and with path parameters cut, dot segments
//! resolved and slashes merged, in every order that makes a difference. A rule that denies matches if
//! any reading does. A rule that allows matches only if all do. A path without a safe reading (with an
//! encoded slash or a backslash, a control byte, an encoding within an encoding) is ambiguous: no rule
//! with `paths` allows it, and every such rule that denies does deny it.

mod folds;
pub(super) mod literal;

use std::borrow::Cow;

use xxhash_rust::xxh64::xxh64;

use super::ambiguity::Ambiguity;
use crate::language::limits;
use crate::wire::percent;

/// The readings of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readings<'a> {
    /// Percent-decoded once.
    pub(super) plain: Cow<'a, [u8]>,
    /// How some servers read it otherwise.
    others: Vec<Vec<u8>>,
}

impl<'a> Readings<'a> {
    /// A path as it came, for a policy that does not judge paths.
    pub(super) fn as_sent(path: &'a [u8]) -> Self {
        Self { plain: Cow::Borrowed(path), others: Vec::new() }
    }

    /// The readings of a path without its query. `OPTIONS` may have `*`, which is read as it is. A `CONNECT` has no
    /// path: what is asked for in the tunnel nobody sees, so it has no reading. A path with more readings than
    /// [`most`] is ambiguous.
    pub(super) fn of(path: &'a [u8]) -> Result<Self, Ambiguity> {
        if path == b"*" {
            return Ok(Self::as_sent(path));
        }
        if !path.starts_with(b"/") {
            return Err(Ambiguity::PathForm);
        }
        let plain = decode(path)?;
        // `..;x` is `..` to servers that know path parameters.
        let hides_dots =
            |segment: &[u8]| segment.contains(&b';') && matches!(name_of(segment), b"" | b"." | b"..");
        if plain.split(|b| *b == b'/').any(hides_dots) {
            return Err(Ambiguity::PathSeparator);
        }
        let mut readings = Spread::of(plain.to_vec(), path.len());
        if matches!(plain, Cow::Owned(_)) {
            // Servers that resolve before they decode do not see an encoded dot.
            let mut early = Spread::of(path.to_vec(), path.len());
            early.finish()?;
            for path in early.paths {
                readings.add(decode(&path)?.into_owned());
            }
        }
        readings.finish()?;
        Ok(Self { plain, others: readings.paths.split_off(1) })
    }

    /// The readings, the plain one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.plain).chain(self.others.iter().map(Vec::as_slice))
    }
}

/// How many readings of a path of that many bytes are looked at. A path with more is written to
/// confuse. The longer the path, the fewer readings, so that the bytes to be compared are bounded too.
fn most(length: usize) -> usize {
    let affordable = limits::READING_BYTES.checked_div(length).unwrap_or(usize::MAX);
    // A long path with one slash too many has two.
    affordable.clamp(2, limits::READINGS)
}

/// Paths in the making, each once.
struct Spread {
    paths: Vec<Vec<u8>>,
    /// The hash of each. To compare each path with all others would cost the square of their number.
    hashes: Vec<u64>,
    most: usize,
}

impl Spread {
    fn of(path: Vec<u8>, length: usize) -> Self {
        let mut spread = Self { paths: Vec::new(), hashes: Vec::new(), most: most(length) };
        spread.add(path);
        spread
    }

    fn add(&mut self, path: Vec<u8>) {
        let hash = xxh64(&path, 0);
        let mut alike = self.hashes.iter().zip(&self.paths).filter(|(other, _)| **other == hash);
        if !alike.any(|(_, other)| *other == path) {
            self.hashes.push(hash);
            self.paths.push(path);
        }
    }

    /// Adds the paths that result from cutting, resolving and merging, in any order.
    fn finish(&mut self) -> Result<(), Ambiguity> {
        let mut done = 0;
        while let Some(from) = self.paths.get(done) {
            let new = [cut, resolve, merge].map(|step| step(from));
            new.into_iter().flatten().for_each(|path| self.add(path));
            done = done.saturating_add(1);
            if self.paths.len() > self.most {
                return Err(Ambiguity::PathReadings);
            }
        }
        Ok(())
    }
}

/// Decodes a path or a part of one, once, if everyone who decodes it gets the same.
fn decode(path: &[u8]) -> Result<Cow<'_, [u8]>, Ambiguity> {
    check_encoding(path)?;
    let plain = percent::decode(path);
    // `%2f` is a slash to some servers. The rest is a slash to Windows, or ends a path.
    let slashes = |text: &[u8]| text.iter().filter(|b| **b == b'/').count();
    if plain.iter().any(|b| b"\\#?".contains(b)) || slashes(&plain) != slashes(path) {
        return Err(Ambiguity::PathSeparator);
    }
    if plain.iter().any(u8::is_ascii_control) {
        return Err(Ambiguity::PathControl);
    }
    // If the next hop decoded it again, it would be another path.
    if plain.contains(&b'%') {
        return Err(Ambiguity::PathEncoding);
    }
    // `%c0%ae` is not UTF-8, but servers that decode it all the same read a dot.
    let text = std::str::from_utf8(&plain).map_err(|_| Ambiguity::PathEncoding)?;
    if text.chars().any(folds::is_folded) {
        return Err(Ambiguity::PathSeparator);
    }
    Ok(plain)
}

/// Whether every percent sign starts a byte.
fn check_encoding(path: &[u8]) -> Result<(), Ambiguity> {
    let mut rest = path;
    while let Some(mark) = rest.iter().position(|b| *b == b'%') {
        rest = rest.get(mark.saturating_add(1)..).unwrap_or_default();
        if !rest.first_chunk::<2>().is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)) {
            return Err(Ambiguity::PathEncoding);
        }
    }
    Ok(())
}

/// A segment without its parameters.
fn name_of(segment: &[u8]) -> &[u8] {
    segment.split(|b| *b == b';').next().unwrap_or_default()
}

/// The path without parameters (RFC 3986 §3.3), if it has any.
fn cut(path: &[u8]) -> Option<Vec<u8>> {
    path.contains(&b';').then(|| joined(segments(path).map(name_of)))
}

/// The path without dot segments (RFC 3986 §5.2.4), if it has any. An empty segment counts like any
/// other.
fn resolve(path: &[u8]) -> Option<Vec<u8>> {
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    segments(path).any(is_dots).then(|| {
        let mut kept: Vec<&[u8]> = Vec::new();
        let mut ends_in_dots = false;
        for segment in segments(path) {
            ends_in_dots = is_dots(segment);
            match segment {
                b"." => {}
                b".." => _ = kept.pop(),
                _ => kept.push(segment),
            }
        }
        if ends_in_dots {
            kept.push(b"");
        }
        joined(kept.into_iter())
    })
}

/// The path with one slash in place of several, if there are several.
fn merge(path: &[u8]) -> Option<Vec<u8>> {
    path.windows(2).any(|pair| pair == b"//").then(|| {
        let mut merged: Vec<u8> = Vec::with_capacity(path.len());
        for byte in path {
            if *byte != b'/' || merged.last() != Some(&b'/') {
                merged.push(*byte);
            }
        }
        merged
    })
}

fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|b| *b == b'/').skip(1)
}

fn joined<'s>(segments: impl Iterator<Item = &'s [u8]>) -> Vec<u8> {
    let mut path = Vec::new();
    for segment in segments {
        path.push(b'/');
        path.extend_from_slice(segment);
    }
    path
}

#[cfg(test)]
mod tests;
