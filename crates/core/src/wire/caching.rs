//! Whether a cache may keep an answer, and how it is kept to one browser (RFC 9111).
//!
//! A cache that kept a `set-cookie` would give one visitor's cookie to everybody.

/// Whether a shared cache might keep an answer with this status and these headers, or some cache that
/// does not go by the standard. Where the answer says nothing, it might if it can be checked later, or
/// if its status is for ever.
pub(crate) fn may_be_kept(status: &[u8], headers: &[(&[u8], &[u8])]) -> bool {
    let mut said = Said { lasts: matches!(status, b"301" | b"308" | b"410"), ..Said::default() };
    for (name, value) in headers {
        match *name {
            b"cache-control" => directives(value).for_each(|one| said.hear(one)),
            // They are for caches of other people, and hold there in place of `cache-control`.
            b"cdn-cache-control" | b"surrogate-control" => said.is_for_shared = true,
            b"expires" | b"etag" | b"last-modified" => said.lasts = true,
            _ => {}
        }
    }
    said.is_for_shared || (said.lasts && !said.is_kept_back)
}

/// What an answer says of caches.
#[derive(Default)]
struct Said {
    /// It has a time for which it is fresh, or something by which it can be checked later.
    lasts: bool,
    /// It says that no shared cache may keep it.
    is_kept_back: bool,
    /// It says that shared caches may keep it, or speaks to certain ones alone.
    is_for_shared: bool,
}

impl Said {
    fn hear(&mut self, directive: &[u8]) {
        // `private="name"` keeps back that one header. `no-cache` lets a cache keep the answer, and serve it again
        // to whoever comes once the origin has said that it did not change.
        let is = |word: &str| directive.eq_ignore_ascii_case(word.as_bytes());
        if is("private") || is("no-store") {
            self.is_kept_back = true;
        } else if is("public") || begins(directive, "s-maxage=") {
            self.is_for_shared = true;
        } else if begins(directive, "max-age=") || is("immutable") {
            self.lasts = true;
        }
    }
}

/// `cache-control` as it keeps an answer with these headers to one browser: `private`, and of what the
/// answer says what does not speak to shared caches.
pub(crate) fn kept_to_one(headers: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut kept = b"private".to_vec();
    let lines = headers.iter().filter(|(name, _)| *name == b"cache-control");
    for directive in lines.flat_map(|(_, line)| directives(line)) {
        let is = |word: &str| directive.eq_ignore_ascii_case(word.as_bytes());
        let is_for_shared =
            is("public") || is("private") || is("proxy-revalidate") || begins(directive, "s-maxage=");
        if !is_for_shared && !directive.is_empty() {
            kept.extend_from_slice(b", ");
            kept.extend_from_slice(directive);
        }
    }
    kept
}

fn begins(directive: &[u8], word: &str) -> bool {
    directive.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

/// The directives of one line. A comma within double quotes ends none.
fn directives(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    let ends = move |byte: &u8| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    };
    line.split(ends).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{kept_to_one, may_be_kept};

    fn pairs<'h>(headers: &[&'h str]) -> Vec<(&'h [u8], &'h [u8])> {
        let pair = |line: &'h str| line.split_once(": ").unwrap();
        headers
            .iter()
            .map(|line| pair(line))
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect()
    }

    #[test]
    fn answers_that_a_cache_might_keep() {
        for (status, headers) in [
            ("200", vec!["cache-control: public, max-age=60"]),
            ("200", vec!["cache-control: max-age=60"]),
            ("200", vec!["cache-control: max-age=0"]),
            ("200", vec!["cache-control: S-MaxAge=60, private"]),
            ("200", vec!["cache-control: no-store", "cache-control: public"]),
            ("200", vec!["cache-control: private=\"x-a, private\", max-age=60"]),
            ("200", vec!["cache-control: no-cache=\"set-cookie\"", "etag: \"a\""]),
            ("200", vec!["cache-control: no-cache", "etag: \"a\""]),
            ("200", vec!["cache-control: max-age=60,No-Cache"]),
            ("200", vec!["cache-control: private", "cdn-cache-control: max-age=60"]),
            ("200", vec!["cache-control: no-store", "surrogate-control: max-age=60"]),
            ("200", vec!["expires: Thu, 01 Dec 2044 16:00:00 GMT"]),
            ("200", vec!["etag: \"a\""]),
            ("404", vec!["last-modified: Thu, 01 Dec 1994 16:00:00 GMT"]),
            ("301", vec![]),
            ("308", vec![]),
            ("410", vec![]),
        ] {
            assert!(may_be_kept(status.as_bytes(), &pairs(&headers)), "{status} {headers:?}");
        }
    }

    #[test]
    fn answers_that_no_cache_keeps() {
        for (status, headers) in [
            ("200", vec![]),
            ("302", vec![]),
            ("503", vec!["content-type: text/plain"]),
            ("200", vec!["cache-control: private, max-age=60"]),
            ("200", vec!["cache-control: no-store"]),
            ("200", vec!["cache-control: No-Cache"]),
            ("200", vec!["cache-control: no-cache, no-store", "etag: \"a\""]),
            ("301", vec!["cache-control: private"]),
            ("200", vec!["cache-control: must-revalidate"]),
            ("200", vec!["cache-control: x=\"public, max-age=5\""]),
        ] {
            assert!(!may_be_kept(status.as_bytes(), &pairs(&headers)), "{status} {headers:?}");
        }
    }

    #[test]
    fn an_answer_is_kept_to_one_browser() {
        for (lines, wanted) in [
            (vec![], "private"),
            (vec!["public, max-age=60"], "private, max-age=60"),
            (vec!["max-age=60, S-MAXAGE=5", "proxy-revalidate,immutable"], "private, max-age=60, immutable"),
            (vec!["private=\"a, b\", ,no-cache"], "private, private=\"a, b\", no-cache"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| (&b"cache-control"[..], line.as_bytes())).collect();
            let kept = kept_to_one(&lines);
            assert_eq!(String::from_utf8(kept).unwrap(), wanted);
        }
    }
}
