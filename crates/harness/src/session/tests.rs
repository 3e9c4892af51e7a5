use super::{PLAIN, Session, shows};
use crate::temp::TempDir;

#[test]
fn a_session_shows_all_that_is_printed() {
    let said = ["a", "b", "", "c"].map(str::to_owned);
    for shown in [&["a", "b", "", "c"][..], &["a", "...", "c", ""], &["..."], &["...", "", "c"]] {
        assert!(shows(shown, &said), "{shown:?}");
    }
    for shown in [&[][..], &["a", "b"], &["b", "...", "c"], &["a", "b", "c"], &["...", "c", "? 1"]] {
        assert!(!shows(shown, &said), "{shown:?}");
    }
}

fn check(text: &str) -> anyhow::Result<usize> {
    let directory = TempDir::new("session")?;
    let session = Session { directory: directory.path().to_owned(), programs: directory.path().to_owned() };
    session.check_or_update(&directory.write("a.md", text)?, PLAIN, false)
}

#[test]
fn what_is_printed_is_compared() {
    let good = "- a\n  ```console\n  $ echo a; echo b >&2; exit 3\n  a\n  b\n  ? 3\n\n  $ true\n  ```\n";
    assert_eq!(check(good).unwrap(), 2);
    for elsewhere in ["console skip", "console cluster"] {
        assert_eq!(check(&good.replace("console", elsewhere)).unwrap(), 0, "{elsewhere}");
    }
    for bad in [good.replace("  b\n", ""), good.replace("? 3", "? 2"), good.replace("$ true", "$ echo c")] {
        let wrong = check(&bad).unwrap_err().to_string();
        assert!(wrong.contains("line "), "{wrong}");
    }
    assert!(check("```console\nno command\n```\n").is_err());
    assert!(check("```console\n$ true\n").is_err());
}
