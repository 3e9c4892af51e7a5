//! A path in the forms in which a server may read it.
//!
//! Servers differ in what they decode, merge and resolve, and a rule must not depend
//! on which server is behind it. So a path has *readings*: as it is decoded, and with
//! dot segments resolved and slashes merged. A rule that denies matches if any reading
//! does; a rule that allows, only if all do. What has no safe reading (an encoded or
//! backward slash, a control byte, an encoding within an encoding) is ambiguous: no
//! rule with `paths` allows it, and every one that denies does.

use std::borrow::Cow;

use super::destination::Ambiguity;
use crate::request::percent;

/// The readings of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readings<'a> {
    /// Percent-decoded once.
    pub(super) plain: Cow<'a, [u8]>,
    /// With dot segments resolved and slashes merged, if that differs.
    pub(super) resolved: Option<Vec<u8>>,
}

impl<'a> Readings<'a> {
    /// The readings of a path without its query. `CONNECT` has none, `OPTIONS` may
    /// have `*`: both are read as they are.
    pub(super) fn of(path: &'a [u8]) -> Result<Self, Ambiguity> {
        if path.is_empty() || path == b"*" {
            return Ok(Self { plain: Cow::Borrowed(path), resolved: None });
        }
        if !path.starts_with(b"/") {
            return Err(Ambiguity::PathForm);
        }
        check_encoding(path)?;
        let plain = percent::decode(path);
        // `%2f` is a slash to some; the rest is one to Windows, or ends a path.
        let slashes = |text: &[u8]| text.iter().filter(|b| **b == b'/').count();
        if plain.contains(&b'\\') || plain.contains(&b'#') || slashes(&plain) != slashes(path) {
            return Err(Ambiguity::PathSeparator);
        }
        if plain.iter().any(u8::is_ascii_control) {
            return Err(Ambiguity::PathControl);
        }
        // Decoded twice by the next hop it would be another path.
        if plain.contains(&b'%') {
            return Err(Ambiguity::PathEncoding);
        }
        let mut segments: Vec<&[u8]> = Vec::new();
        let mut all = plain.split(|b| *b == b'/').skip(1).peekable();
        let mut differs = false;
        while let Some(segment) = all.next() {
            let is_last = all.peek().is_none();
            // `..;x` is `..` to servers that know path parameters.
            let name = segment.split(|b| *b == b';').next().unwrap_or_default();
            if name.len() < segment.len() && matches!(name, b"" | b"." | b"..") {
                return Err(Ambiguity::PathSeparator);
            }
            match segment {
                b"" if !is_last => differs = true,
                b"." | b".." => {
                    differs = true;
                    if segment == b".." {
                        segments.pop();
                    }
                    if is_last {
                        segments.push(b"");
                    }
                }
                _ => segments.push(segment),
            }
        }
        let resolved = differs.then(|| {
            let mut path = Vec::with_capacity(plain.len());
            for segment in &segments {
                path.push(b'/');
                path.extend_from_slice(segment);
            }
            if path.is_empty() {
                path.push(b'/');
            }
            path
        });
        Ok(Self { plain, resolved })
    }

    /// The readings, the plain one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&*self.plain).chain(self.resolved.as_deref())
    }
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

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Ambiguity, Readings};

    fn readings(path: &str) -> Result<Vec<String>, Ambiguity> {
        let readings = Readings::of(path.as_bytes())?;
        Ok(readings.iter().map(|r| String::from_utf8(r.to_vec()).unwrap()).collect())
    }

    #[test]
    fn plain_paths_have_one_reading() {
        for path in ["/", "/a", "/a/", "/a/b.c", "/a;v=1/b", "/...", "/.well-known", "*", ""] {
            assert_eq!(readings(path).unwrap(), [path]);
        }
        assert_eq!(readings("/%61%2e").unwrap(), ["/a."]);
        assert_eq!(readings("/caf%C3%A9").unwrap(), ["/café"]);
    }

    #[test]
    fn dots_and_slashes_have_two() {
        let resolved = |path: &str| readings(path).unwrap().pop().unwrap();
        for (path, expected) in [
            ("/a/../b", "/b"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/./b", "/a/b"),
            ("/a/b/..", "/a/"),
            ("/../../a", "/a"),
            ("/a//b", "/a/b"),
            ("//", "/"),
            ("/..", "/"),
            ("/.", "/"),
        ] {
            assert_eq!(resolved(path), expected, "{path}");
        }
        assert_eq!(readings("/a/../b").unwrap(), ["/a/../b", "/b"]);
    }

    #[test]
    fn what_has_no_reading() {
        use Ambiguity::{PathControl, PathEncoding, PathForm, PathSeparator};
        for (path, reason) in [
            ("/a%2fb", PathSeparator),
            ("/a%5Cb", PathSeparator),
            ("/a\\b", PathSeparator),
            ("/a%23", PathSeparator),
            ("/a/..;/b", PathSeparator),
            ("/a/;x/b", PathSeparator),
            ("/a%00", PathControl),
            ("/a%0d%0a", PathControl),
            ("/%252e%252e/", PathEncoding),
            ("/%25%32%65", PathEncoding),
            ("/100%25", PathEncoding),
            ("/%", PathEncoding),
            ("/%zz", PathEncoding),
            ("/%u002e", PathEncoding),
            ("http://a/", PathForm),
            ("a", PathForm),
        ] {
            assert_eq!(readings(path), Err(reason), "{path}");
        }
    }

    #[test]
    fn a_reading_reads_as_itself() {
        for path in ["/a/../b//c", "/%61/.", "//x/..", "/a/%2e%2e/%2e"] {
            for reading in readings(path).unwrap().into_iter().skip(1) {
                assert_eq!(readings(&reading).unwrap(), [reading]);
            }
        }
    }
}
