#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{Ambiguity, Readings};
use crate::filter::egress::destination::tests::spellings::Random;

fn readings(path: &str) -> Result<Vec<String>, Ambiguity> {
    let readings = Readings::of(path.as_bytes())?;
    Ok(readings.iter().map(|r| String::from_utf8(r.to_vec()).unwrap()).collect())
}

#[test]
fn plain_paths_have_one_reading() {
    for path in ["/", "/a", "/a/", "/a/b.c", "/...", "/.well-known", "/ä/東京", "*"] {
        assert_eq!(readings(path).unwrap(), [path]);
    }
    assert_eq!(readings(""), Err(Ambiguity::PathForm), "what is in a tunnel nobody sees");
    assert_eq!(readings("/%61%2e").unwrap(), ["/a."]);
    assert_eq!(readings("/caf%C3%A9").unwrap(), ["/café"]);
}

#[test]
fn dots_slashes_and_parameters_have_more() {
    for (path, others) in [
        ("/a/../b", &["/b"][..]),
        ("/a/%2e%2E/b", &["/b"]),
        ("/a/./b", &["/a/b"]),
        ("/a/b/..", &["/a/"]),
        ("/../../a", &["/a"]),
        ("/a//b", &["/a/b"]),
        ("/a//", &["/a/"]),
        ("//", &["/"]),
        ("/..", &["/"]),
        ("/.", &["/"]),
        ("/a;v=1/b;w", &["/a/b"]),
        ("/a%3Bv/b", &["/a/b"]),
        ("/a;", &["/a"]),
        // To RFC 3986 the empty segment is what `..` leaves; to others it is none.
        ("/a//../b", &["/a/b", "/a/../b", "/b"]),
        // Resolved, then merged.
        ("//a//../b", &["//a/b", "/a/../b", "/a/b", "/b"]),
        ("/a;x/../b", &["/a/../b", "/b"]),
        // Resolved, then decoded.
        ("/x/../a/%2e%2e/b", &["/a/../b", "/b"]),
        ("/x//../a/%2e%2e/b", &["/x/../a/../b", "/x/b", "/x/a/../b", "/a/../b", "/b"]),
        ("/a;x//b", &["/a//b", "/a;x/b", "/a/b"]),
    ] {
        let mut all = readings(path).unwrap().split_off(1);
        all.sort_unstable();
        let mut others = others.to_vec();
        others.sort_unstable();
        assert_eq!(all, others, "{path}");
    }
    assert_eq!(readings("/a%2e/%2E%2e/b").unwrap()[0], "/a./../b");
}

#[test]
fn no_path_has_many_readings() {
    let mut random = Random(11);
    let mut most = 0;
    for _ in 0..20_000 {
        let pieces = (0..random.below(14)).map(|_| {
            random.one_of(&["a", "/", "//", "/.", "/..", "/%2e%2e", "/%2e", ";x", "%3by", "/b", "/../c"])
        });
        let path: String = std::iter::once("/").chain(pieces).collect();
        most = most.max(readings(&path).map_or(0, |all| all.len()));
    }
    assert!((10..=crate::language::limits::READINGS).contains(&most), "{most}");
}

#[test]
fn what_has_no_reading() {
    use Ambiguity::{PathControl, PathEncoding, PathForm, PathSeparator};
    for (path, reason) in [
        ("/a%2fb", PathSeparator),
        ("/a%5Cb", PathSeparator),
        ("/a\\b", PathSeparator),
        ("/a%23", PathSeparator),
        ("/a%3Fb", PathSeparator),
        ("/a/..;/b", PathSeparator),
        ("/a/..%3bx/b", PathSeparator),
        ("/a/;x/b", PathSeparator),
        ("/a/;", PathSeparator),
        ("/%ef%bc%8e%ef%bc%8e/b", PathSeparator),
        ("/a%ef%bc%8fb", PathSeparator),
        ("/a\u{ff0f}b", PathSeparator),
        ("/%e2%80%a5/b", PathSeparator),
        ("/a%e2%88%95b", PathSeparator),
        // Circled, superscript, mathematical, small, Roman, a ligature, a long s, a Kelvin.
        ("/%e2%93%90dmin", PathSeparator),
        ("/\u{1d43}dmin", PathSeparator),
        ("/\u{1d41a}dmin", PathSeparator),
        ("/keys\u{b2}", PathSeparator),
        ("/v\u{2170}", PathSeparator),
        ("/\u{fb01}les", PathSeparator),
        ("/key\u{17f}", PathSeparator),
        ("/\u{212a}eys", PathSeparator),
        ("/a%00", PathControl),
        ("/a%0d%0a", PathControl),
        ("/%252e%252e/", PathEncoding),
        ("/%25%32%65", PathEncoding),
        ("/100%25", PathEncoding),
        ("/%", PathEncoding),
        ("/%zz", PathEncoding),
        ("/%u002e", PathEncoding),
        ("/%c0%ae%c0%ae/b", PathEncoding),
        ("/%e0%80%ae%e0%80%ae/b", PathEncoding),
        ("/a%c0%afb", PathEncoding),
        ("/caf%e9", PathEncoding),
        ("/%ed%a0%80", PathEncoding),
        ("http://a/", PathForm),
        ("a", PathForm),
    ] {
        assert_eq!(readings(path), Err(reason), "{path}");
    }
    assert_eq!(Readings::of(b"/\xc0\xae"), Err(PathEncoding));
}

#[test]
fn a_long_path_has_few_readings() {
    // Twelve, if they are all looked at.
    let path = |length: usize| format!("/x//../a/%2e%2e/b;c//d{}", "e".repeat(length));
    let many = readings(&path(0)).unwrap().len();
    assert!((10..=16).contains(&many), "{many}");
    assert_eq!(readings(&path(4_000)).unwrap().len(), many);
    assert_eq!(readings(&path(8_000)), Err(Ambiguity::PathReadings));
    assert_eq!(readings(&format!("/a//{}", "e".repeat(60_000))).unwrap().len(), 2);
    assert_eq!(readings(&format!("/a//b;c/{}", "e".repeat(60_000))), Err(Ambiguity::PathReadings));
    assert_eq!(readings(&format!("/{}", "e".repeat(1_000_000))).unwrap().len(), 1);
}

#[test]
fn a_reading_is_read_as_what_it_was_read_from() {
    for path in ["/a/../b//c", "/%61/.", "//x/..", "/a/%2e%2e/%2e", "/a;x//..;y=1.5/b", "//a;b//../c"] {
        let Ok(all) = readings(path) else { continue };
        for reading in &all {
            for again in readings(reading).unwrap() {
                assert!(all.contains(&again), "{path}: {reading} is {again} too");
            }
        }
    }
}
