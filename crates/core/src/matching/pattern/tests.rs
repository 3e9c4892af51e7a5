use regex_automata::nfa::thompson::WhichCaptures;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::automaton::Automaton;
use super::sets::Sets;
use super::table::Table;
use super::{Engine, Pattern, Replacer, nfa};
use crate::language::limits;
use threads::Threads;

#[test]
fn the_whole_value_must_match() {
    let pattern = Pattern::new("a|ab", false).unwrap();
    assert!(pattern.matches(b"ab"));
    assert!(!pattern.matches(b"abc"));
    assert!(!pattern.matches(b"a\nb"));
    assert!(Pattern::new("[a-z]+", true).unwrap().matches(b"ABC"));
    assert!(Pattern::new(r"\xff.*", false).unwrap().matches(b"\xff\x80"));
}

#[test]
fn unusable_expressions_are_refused() {
    for text in ["a)|(?:b", "(", "(?=a)", r"(a)\1", "(a{1000}){1000}", "(?x) a # b"] {
        assert!(Pattern::new(text, false).is_err(), "{text}");
    }
}

#[test]
fn groups_as_envoy_writes_them() {
    let replacer = Replacer::new("^/v([0-9]+)/(.*)$", r"/\2/$v\1").unwrap();
    assert_eq!(replacer.rewrite(b"/v2/books"), Some(b"/books/$v2".to_vec()));
    assert_eq!(replacer.rewrite(b"/books"), None);
    assert!(Replacer::new("a", r"\1").is_err());
}

#[test]
fn common_expressions_have_a_table() {
    for text in [
        r"/v[0-9]+/.*",
        r"^/api/(users|orders)/[^/]+$",
        r".*(iPhone|iPad|Android|Windows Phone).*",
        r"[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}",
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}",
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
        r".*[0-9]{16}.*",
        r"(?i)bearer [a-z0-9._~+/-]+=*",
        r"(?s:.*)(?:/books/[[:alnum:]]*$)(?s:.*)",
        r"a{1000}",
    ] {
        let pattern = Pattern::new(text, false).unwrap();
        assert!(matches!(pattern.engine, Engine::Table(_)), "{text}");
        // A policy has room for dozens of the most expensive ones.
        assert!(pattern.cost() < limits::REGEX_WORK / 30, "{text}: {}", pattern.cost());
    }
}

#[test]
fn the_price_says_how_far_a_value_is_read() {
    let cost = |text| Pattern::new(text, false).unwrap().cost();
    assert!(cost("user-[0-9]{1,8}") < 1_000);
    assert!(cost("user-7-.*") < cost("user-[0-9]+") / 4);
    assert!(cost(".*foo.{0,500}bar.*") > cost(".*foo.*bar.*"));
    let prefix = |text| Pattern::new(text, false).unwrap().prefix().to_vec();
    assert_eq!(prefix("/svc7/[0-9]+"), b"/svc7/");
    assert_eq!(prefix("/a(/b)?/.*"), b"/a/");
    assert_eq!(prefix("ab?"), b"a");
    assert_eq!(prefix("(?i)ab"), b"");
    assert_eq!(prefix(".*a"), b"");
    assert_eq!(prefix(""), b"");
}

#[test]
fn what_is_too_dear_is_refused() {
    for text in [r"(a?){500}", r".{0,1000}a.{0,1000}", r"(\w+,){0,60}(foo|bar|baz){40}x{900}"] {
        let refused = Pattern::new(text, false).unwrap_err().to_string();
        assert!(refused.contains("too dear"), "{text}: {refused}");
    }
}

/// The result of a search with threads (Pike, 1987). It shares no code with [`super`].
mod threads {
    use regex_automata::nfa::thompson::pikevm::PikeVM;
    use regex_automata::{Anchored, Input};

    use super::{WhichCaptures, nfa};

    pub(super) struct Threads(PikeVM);

    impl Threads {
        pub(super) fn of(text: &str) -> Self {
            Self(PikeVM::new_from_nfa(nfa(text, false, WhichCaptures::All).unwrap()).unwrap())
        }

        pub(super) fn is_match(&self, value: &[u8]) -> bool {
            let mut cache = self.0.create_cache();
            self.0.is_match(&mut cache, Input::new(value).anchored(Anchored::Yes))
        }

        /// Every match, with its groups.
        pub(super) fn rewrite(&self, value: &[u8], groups: &[usize]) -> Option<Vec<u8>> {
            let mut cache = self.0.create_cache();
            let mut written = Vec::new();
            let mut end = None;
            for found in self.0.captures_iter(&mut cache, value) {
                let whole = found.get_group(0).unwrap();
                written.extend_from_slice(&value[end.unwrap_or(0)..whole.start]);
                for group in groups {
                    written.push(b'<');
                    written
                        .extend_from_slice(found.get_group(*group).map_or(b"", |span| &value[span.range()]));
                    written.push(b'>');
                }
                end = Some(whole.end);
            }
            written.extend_from_slice(&value[end?..]);
            Some(written)
        }
    }
}

/// A small generator: the tests need no crate for it.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// An expression of a few letters, and how many groups it has.
fn expression(random: &mut Random, depth: u32, groups: &mut usize) -> String {
    let mut inner = |random: &mut Random| expression(random, depth - 1, groups);
    if depth == 0 {
        return random
            .one_of(&[
                "a", "b", "/", ".", "[ab]", "[^/]", "", "ab", "(?s:.)", "a.b", r"\n", "^", "$", r"\b", r"\B",
                "(?m:^)", "(?m:$)",
            ])
            .to_owned();
    }
    match random.below(8) {
        0 | 1 => format!("{}{}", inner(random), inner(random)),
        2 => format!("(?:{}|{})", inner(random), inner(random)),
        3 => {
            *groups += 1;
            format!("({})", expression(random, depth - 1, groups))
        }
        4 => format!("(?:{}){}", inner(random), random.one_of(&["*", "+", "?", "*?", "+?", "??"])),
        5 => format!(
            "(?:{}){}",
            inner(random),
            random.one_of(&["{2}", "{0,3}", "{1,2}?", "{3,}", "{70}", "{0,90}"])
        ),
        6 => format!("{}{}{}", inner(random), inner(random), inner(random)),
        _ => inner(random),
    }
}

#[test]
fn every_engine_finds_what_threads_find() {
    let mut random = Random(5);
    let (mut tables, mut matches, mut rewrites) = (0, 0, 0);
    for _ in 0..3_000 {
        let mut groups = 0;
        let depth = u32::try_from(random.below(5)).unwrap();
        let text = expression(&mut random, depth, &mut groups);
        let Ok(nfa) = nfa(&text, false, WhichCaptures::None) else { continue };
        let Some(automaton) = Automaton::of(&nfa) else { continue };
        let sets = Sets::of(&nfa, &automaton);
        let table = Table::of(&sets);
        let whole = Threads::of(&format!(r"(?:{text})\z"));
        let parts = Threads::of(&text);
        let quoted: Vec<usize> = (0..=groups.min(9)).collect();
        let substitution: String = quoted.iter().map(|group| format!(r"<\{group}>")).collect();
        let replacer = Replacer::new(&text, &substitution).ok();
        tables += usize::from(table.is_some());
        for _ in 0..12 {
            let length = if random.below(20) == 0 { 600 } else { random.below(10) };
            let letters = if random.below(2) == 0 { b"aaab/\n" } else { b"aaaaab" };
            let value: Vec<u8> = (0..length).map(|_| random.one_of(letters)).collect();
            let expected = whole.is_match(&value);
            matches += usize::from(expected);
            let shown = value.escape_ascii();
            assert_eq!(sets.matches(&value), expected, "{text} on {shown}");
            if let Some(table) = &table {
                assert_eq!(table.matches(&value), expected, "{text} on {shown} by a table");
            }
            if let Some(replacer) = &replacer {
                // A longer text is not written.
                let expected = parts.rewrite(&value, &quoted).filter(|text| text.len() < limits::VALUE_BYTES);
                let written = replacer.rewrite(&value).filter(|text| text.len() < limits::VALUE_BYTES);
                rewrites += usize::from(expected.is_some());
                assert!(written == expected, "{text} in {shown}");
            }
        }
    }
    assert!(tables > 2_000 && matches > 2_500 && rewrites > 8_000, "{tables} {matches} {rewrites}");
}

#[test]
fn replacing_as_re2_does() {
    for (pattern, substitution, value, expected) in [
        ("a*", "-", "baac", "-b-c-"),
        ("a|ab", "x", "abab", "xbxb"),
        ("", "-", "ab", "-a-b-"),
        ("(a)|b", r"[\1]", "ab", "[a][]"),
        ("a.*z|a", "x", "aabza", "xx"),
        ("/v[0-9]+(/.*/legacy)?", "/x", "/v1/v1/a/legacy!", "/x!"),
        ("^/", "#", "//", "#/"),
        ("/+$", "", "/a//", "/a"),
        (r"\bfoo\b", "x", "foo foofoo foo", "x foofoo x"),
    ] {
        let replacer = Replacer::new(pattern, substitution).unwrap();
        let written = replacer.rewrite(value.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), expected, "{pattern} in {value}");
    }
}

/// What RE2 itself does with these, told that each byte is a character; `tests/e2e` compares more of
/// them with a real Envoy.
#[test]
fn expressions_as_re2_reads_them() {
    for (text, inside, outside) in [
        ("^/users/{id}$", "/users/{id}", "/users/7"),
        ("a{,2}", "a{,2}", "aa"),
        ("a{02}", "a{02}", "aa"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"\101\x42\x{43}", "ABC", "abc"),
        (r"[[:alpha:]]\pL[\p{Lu}x]", "aBC", "aBc"),
        (r"[^\d\s]+", "a_b", "a b"),
        (r"[a\]-]+", "]-a", "b"),
        ("(?i:b)B", "BB", "bb"),
        ("a(?i)b|c", "C", "AB"),
        ("(?P<n>a)(?<m>b)", "ab", "a"),
        ("\u{e9}", "\u{e9}", "\u{c9}"),
        ("..", "\u{e9}", "e"),
        ("(?U)a+?", "aa", ""),
        (r"\pN\PN", "1a", "11"),
    ] {
        let pattern = Pattern::new(text, false).unwrap();
        assert!(pattern.matches(inside.as_bytes()) && !pattern.matches(outside.as_bytes()), "{text}");
    }
    for text in [
        "(?=a)b",
        "(?<!a)b",
        r"(a)\1",
        r"a\Z",
        "(?>a)",
        "(?x)a",
        "a)",
        "(a",
        "[a",
        r"a\",
        "a**",
        "a*+",
        "a{2}{3}",
        "*",
        "a{1001}",
        "(a{40}){40}",
        "a{2,1}",
        "[z-a]",
        "[[:foo:]]",
        r"\x{100}",
        "(?P<n-m>a)",
        r"\h",
        "(?i-)",
        r"\p{Foo}",
    ] {
        let refused = Pattern::new(text, false).unwrap_err().to_string();
        assert!(
            refused.contains("invalid regular expression") && refused.contains("; "),
            "{text}: {refused}"
        );
    }
    assert!(Pattern::new(&format!("{}a{}", "(".repeat(200), ")".repeat(200)), false).is_err());
}
