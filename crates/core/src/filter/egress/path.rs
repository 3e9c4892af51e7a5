//! A path in the forms in which a server may read it.
//!
//! Servers differ in what they decode, merge and resolve, and a rule must not depend
//! on which server is behind it. So a path has *readings*: as it is decoded, and with
//! path parameters cut, dot segments resolved and slashes merged, in every order that
//! makes a difference. A rule that denies matches if any reading does; a rule that
//! allows, only if all do. What has no safe reading (an encoded or backward slash, a
//! control byte, an encoding within an encoding) is ambiguous: no rule with `paths`
//! allows it, and every one that denies does.

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
    /// What some servers make of it.
    others: Vec<Vec<u8>>,
}

impl<'a> Readings<'a> {
    /// A path as it came, for a policy that asks nothing of it.
    pub(super) fn as_sent(path: &'a [u8]) -> Self {
        Self { plain: Cow::Borrowed(path), others: Vec::new() }
    }

    /// The readings of a path without its query. `CONNECT` has none, `OPTIONS` may
    /// have `*`: both are read as they are. What has more than [`most`] is ambiguous.
    pub(super) fn of(path: &'a [u8]) -> Result<Self, Ambiguity> {
        if path.is_empty() || path == b"*" {
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
            // An encoded dot is none to those who resolve before they decode.
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

/// Readings of a path of that many bytes that are looked at: what has more is written to
/// confuse. The longer the path, the fewer, so that the bytes to be compared are bounded too.
fn most(length: usize) -> usize {
    let affordable = limits::READING_BYTES.checked_div(length).unwrap_or(usize::MAX);
    // A long path with a slash too many has two.
    affordable.clamp(2, limits::READINGS)
}

/// Paths in the making, each once.
struct Spread {
    paths: Vec<Vec<u8>>,
    /// Of each: to compare it with all others would cost the square of what they are.
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

    /// Adds what the paths are read as by those who cut, resolve and merge, in any order.
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

/// Decodes a path or a part of one, once, if everyone who decodes it finds the same.
fn decode(path: &[u8]) -> Result<Cow<'_, [u8]>, Ambiguity> {
    check_encoding(path)?;
    let plain = percent::decode(path);
    // `%2f` is a slash to some; the rest is one to Windows, or ends a path.
    let slashes = |text: &[u8]| text.iter().filter(|b| **b == b'/').count();
    if plain.iter().any(|b| b"\\#?".contains(b)) || slashes(&plain) != slashes(path) {
        return Err(Ambiguity::PathSeparator);
    }
    if plain.iter().any(u8::is_ascii_control) {
        return Err(Ambiguity::PathControl);
    }
    // Decoded twice by the next hop it would be another path.
    if plain.contains(&b'%') {
        return Err(Ambiguity::PathEncoding);
    }
    // `%c0%ae` is no UTF-8, and a dot to those who decode it all the same.
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

/// The path without dot segments (RFC 3986 §5.2.4), if it has any: an empty segment is
/// one like others.
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

/// The path with one slash for several, if there are several.
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
