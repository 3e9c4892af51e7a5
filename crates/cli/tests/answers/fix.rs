//! `narrows lint --fix`: what it changes is what was meant, and nothing else.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use narrows::edit;
use narrows::lint::{Options, check, fix};
use narrows::source::{Node, SourceFile};

use super::{directory, narrows};

const WRONG: &str = "# The shop.\nfilter: header-router\nmode: Report # for a week\nrules:\n  - { name: a, rote: { to: v2 }, matches: [{ path: { exact: /a } }] }\n  - { name: b, respond: { status: 99 } }\n";

#[test]
fn a_file_is_set_right_in_place() {
    let here = directory("fix");
    fs::write(here.join("shop.yaml"), WRONG).unwrap();
    fs::set_permissions(here.join("shop.yaml"), fs::Permissions::from_mode(0o640)).unwrap();
    symlink("shop.yaml", here.join("link.yaml")).unwrap();
    let expected = WRONG.replace("Report", "report").replace("rote", "route");

    let (code, patch, errors) = narrows(&here, &["lint", "--fix", "--dry-run", "link.yaml"]);
    assert_eq!((code, &*errors), (Some(1), ""));
    assert_eq!(fs::read_to_string(here.join("shop.yaml")).unwrap(), WRONG, "a dry run changes nothing");
    let run = std::process::Command::new("patch")
        .args(["--output", "-", "shop.yaml"])
        .current_dir(&here)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    // Where there is no patch, its reading is not tried.
    if let Ok(mut run) = run {
        std::io::Write::write_all(&mut run.stdin.take().unwrap(), patch.as_bytes()).unwrap();
        let output = run.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{patch}");
    }

    let (code, said, errors) = narrows(&here, &["lint", "--fix", "link.yaml"]);
    assert_eq!((code, &*errors), (Some(1), "set right: 2 findings\n"), "what is left is reported");
    assert!(said.contains("NRW107") && !said.contains("NRW101"), "{said}");
    assert_eq!(fs::read_to_string(here.join("shop.yaml")).unwrap(), expected);
    assert!(here.join("link.yaml").is_symlink());
    let mode = fs::metadata(here.join("shop.yaml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_dir(&here).unwrap().count(), 2, "nothing is left beside it");

    let (code, said, _) = narrows(&here, &["lint", "--fix", "--dry-run", "shop.yaml"]);
    assert_eq!((code, &*said), (Some(0), ""), "there is nothing more to set right");
}

/// Where the known name takes another type, or is there already, it was not what was meant.
#[test]
fn a_change_that_is_refused_is_not_made() {
    let here = directory("fix-refused");
    for text in [
        "filter: header-router\nrules: [{ name: a, matches: [{ host: a.example }] }]\n",
        "filter: header-router\nmode: report\nmoode: enforce\n",
    ] {
        fs::write(here.join("a.yaml"), text).unwrap();
        let (code, _, errors) = narrows(&here, &["lint", "--fix", "a.yaml"]);
        assert_eq!((code, &*errors), (Some(1), ""));
        assert_eq!(fs::read_to_string(here.join("a.yaml")).unwrap(), text);
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let here = directory("fix-stdin");
    let run = std::process::Command::new("bash")
        .args([
            "-c",
            "printf 'filter: header-router\nruls: []\n' | \"$0\" lint --fix -",
            env!("CARGO_BIN_EXE_narrows"),
        ])
        .current_dir(&here)
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("cannot be changed in place"));
}

/// The policies of the examples, and the fixtures that have no finding.
fn right() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = fs::read_dir(here.join("tests/fixtures")).unwrap().map(|entry| entry.unwrap().path());
    let examples = fs::read_dir(here.join("../../examples")).unwrap().map(|entry| entry.unwrap().path());
    let examples = examples.filter(|path| path.is_dir()).map(|path| path.join("policy.yaml"));
    fixtures.chain(examples).filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect()
}

/// Each name of a field is misspelt in several ways. What is set right is what was there before.
#[test]
fn a_misspelt_name_becomes_the_one_that_was_meant_or_stays() {
    let (mut mended, mut asked) = (0, 0);
    for path in right() {
        let source = SourceFile::read(&path).unwrap();
        let whole = check(source.clone(), &Options::default());
        if !whole.findings.is_empty() || whole.policies == 0 {
            continue;
        }
        let mut names = Vec::new();
        source.documents().unwrap().iter().for_each(|node| keys(node, &mut names));
        for at in names {
            let name = &source.text[at.clone()];
            for misspelt in misspellings(name) {
                let mut text = source.text.clone();
                text.replace_range(at.clone(), &misspelt);
                let checked = check(SourceFile { text: text.clone(), ..source.clone() }, &Options::default());
                let edits: Vec<_> =
                    checked.findings.iter().filter_map(|finding| fix::of(&text, finding)).collect();
                asked += 1;
                if !edits.is_empty() {
                    let after = edit::apply(&text, edits);
                    assert_eq!(after, source.text, "{}: {misspelt:?} for {name:?}", path.display());
                    mended += 1;
                }
            }
        }
    }
    assert!(asked >= 3000 && mended >= 1000, "{mended} of {asked} are set right");
}

fn keys(node: &Node, names: &mut Vec<std::ops::Range<usize>>) {
    names.extend(node.fields().iter().map(|(key, _)| key.at.clone()));
    node.children().for_each(|inner| keys(inner, names));
}

/// A letter less, two letters changed round, a letter twice, other letter case.
fn misspellings(name: &str) -> Vec<String> {
    if name.len() < 4 || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    let middle = name.len() / 2;
    let (start, end) = name.split_at(middle);
    let mut turned: Vec<char> = name.chars().collect();
    turned.swap(middle - 1, middle);
    let others = [
        format!("{start}{}", &end[1..]),
        turned.into_iter().collect(),
        format!("{start}{}{end}", &end[..1]),
        name.to_ascii_uppercase(),
        format!("{name}s"),
    ];
    others.into_iter().filter(|other| other != name).collect()
}
