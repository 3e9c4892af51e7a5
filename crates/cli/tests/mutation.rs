//! The case files of the examples notice when somebody changes a policy: of two hundred seeded changes
//! that still load, at least nine in ten. A change that does not load is noticed by the reader.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use narrows_cases::{Runner, Written};
use narrows_core::PolicyValue;
use narrows_model::{Filter, disagreements};
use narrows_oracle::Random;

/// Changes of a policy that load.
const CHANGES: usize = 200;
/// What no case can see, and why.
const UNSEEN: [(&str, &str); 8] = [
    (".maxWeight", "room for a weight that is not there yet: it moves nobody while the slot is the last"),
    ("maxWeight", "the same, taken out"),
    ("rollback", "what requests come to: a case has one request. tests/vm/split/rollback has it"),
    (".learn", "what is written into the log"),
    (".limits", "how many series there may be"),
    (".tags.component", "the workload beside which the proxy stands: tests/e2e/tags has it"),
    (".tags.application", "the same of its labels"),
    (".metrics[1]", "a histogram: cases compare counters"),
];
/// Attempts for each of them.
const ATTEMPTS: usize = 50;

#[test]
fn cases_notice_what_changes_in_the_policies_of_the_examples() {
    let mut wrong = String::new();
    let mut seen = BTreeSet::new();
    for (policy, files) in policies() {
        let tree = read(&policy);
        let filter = named(&tree);
        assert!(notice(filter, &tree, &files) == Some(false), "{}", policy.display());
        let (mut noticed, mut silent, mut random) = (0, Vec::new(), Random::new(17));
        for _ in 0..CHANGES * ATTEMPTS {
            if noticed + silent.len() == CHANGES {
                break;
            }
            let (changed, what) = change(&tree, filter.name() != "egress-policy", &mut random);
            if UNSEEN.iter().any(|(place, _)| what.contains(place)) {
                continue;
            }
            match notice(filter, &changed, &files) {
                Some(true) => noticed += 1,
                Some(false) if changed != tree => silent.push(what),
                _ => {}
            }
        }
        seen.insert(policy.clone());
        assert_eq!(noticed + silent.len(), CHANGES, "{}", policy.display());
        if noticed * 10 < CHANGES * 9 {
            silent.sort();
            let count = |what: &String| silent.iter().filter(|other| *other == what).count();
            let mut told: Vec<String> =
                silent.iter().map(|what| format!("{} x {what}", count(what))).collect();
            told.dedup();
            wrong.push_str(&format!(
                "{}: {noticed} of {CHANGES}:
  {}
",
                policy.display(),
                told.join(
                    "
  "
                )
            ));
        }
    }
    assert_eq!(seen, shipped(), "each policy of the examples has cases");
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whether a case notices the policy; none if it does not load.
fn notice(filter: Filter, tree: &PolicyValue, files: &[Written]) -> Option<bool> {
    let policy = filter.compile(tree).ok()?;
    let mut cases = files.iter().flat_map(|file| &file.cases).filter(|case| case.runs_in(Runner::Core));
    Some(cases.any(|case| !disagreements(&case.expect, &policy.run(case)).is_empty()))
}

/// The policies of the examples that have case files.
fn policies() -> Vec<(PathBuf, Vec<Written>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut found: Vec<(PathBuf, Vec<Written>)> = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let Ok(files) = fs::read_dir(folder.join("cases")) else { continue };
        let mut files: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let written = Written::parse(&fs::read_to_string(&file).unwrap()).unwrap();
            let Some(policy) = &written.policy_file else { continue };
            let policy = fs::canonicalize(folder.join("cases").join(policy)).unwrap();
            match found.iter_mut().find(|(known, _)| *known == policy) {
                Some((_, files)) => files.push(written),
                None => found.push((policy, vec![written])),
            }
        }
    }
    found
}

/// Every policy of the examples.
fn shipped() -> BTreeSet<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let is_policy = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        name.starts_with("policy") && path.extension().is_some_and(|ending| ending == "yaml")
    };
    files.filter(is_policy).map(|path| fs::canonicalize(path).unwrap()).collect()
}

fn read(path: &Path) -> PolicyValue {
    let value: serde_json::Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    PolicyValue::parse(value.to_string().as_bytes()).unwrap()
}

fn named(policy: &PolicyValue) -> Filter {
    let PolicyValue::Table(fields) = policy else { panic!("a policy is a table") };
    let (_, name) = fields.iter().find(|(name, _)| name == "filter").unwrap();
    let PolicyValue::Text(name) = name else { panic!("a filter has a name") };
    Filter::named(name).unwrap()
}

/// The policy with one thing changed, and what that is.
fn change(policy: &PolicyValue, ordered: bool, random: &mut Random) -> (PolicyValue, String) {
    let mut changed = policy.clone();
    let count = places(policy);
    let mut at = random.below(count);
    let mut path = String::new();
    let what = descend(&mut changed, &mut at, &mut path, random);
    // The order of these rules means nothing.
    if !ordered && what.as_ref().is_some_and(|what| what.starts_with("swap")) {
        return (policy.clone(), "nothing".to_owned());
    }
    (changed, format!("{path}: {}", what.unwrap_or_default()))
}

/// How many values there are, the policy's own fields included.
fn places(value: &PolicyValue) -> usize {
    1 + match value {
        PolicyValue::Table(fields) => fields.iter().map(|(_, value)| places(value)).sum(),
        PolicyValue::List(elements) => elements.iter().map(places).sum(),
        _ => 0,
    }
}

/// Finds the place with that number, and changes it.
fn descend(
    value: &mut PolicyValue,
    at: &mut usize,
    path: &mut String,
    random: &mut Random,
) -> Option<String> {
    if *at == 0 {
        return Some(mutate(value, path, random));
    }
    *at -= 1;
    let before = path.len();
    let mut inner: Vec<(String, &mut PolicyValue)> = match value {
        PolicyValue::Table(fields) => {
            fields.iter_mut().map(|(name, value)| (format!(".{name}"), value)).collect()
        }
        PolicyValue::List(elements) => {
            elements.iter_mut().enumerate().map(|(n, value)| (format!("[{n}]"), value)).collect()
        }
        _ => return None,
    };
    for (name, value) in &mut inner {
        path.push_str(name);
        if let Some(what) = descend(value, at, path, random) {
            return Some(what);
        }
        path.truncate(before);
    }
    None
}

fn mutate(value: &mut PolicyValue, path: &str, random: &mut Random) -> String {
    match value {
        PolicyValue::Flag(flag) => {
            *flag = !*flag;
            format!("{flag}")
        }
        PolicyValue::Integer(number) => {
            *number += random.pick(&[-1, 1, 10, 100]);
            format!("{number}")
        }
        PolicyValue::Text(text) => {
            let changed = match random.below(4) {
                0 => format!("{text}x"),
                1 => format!("x{text}"),
                2 => text.chars().skip(1).collect(),
                _ => OTHER
                    .iter()
                    .find(|(word, _)| word == text)
                    .map_or("x".to_owned(), |(_, other)| (*other).to_owned()),
            };
            *text = changed;
            format!("{text:?}")
        }
        PolicyValue::List(elements) if !elements.is_empty() => {
            let at = random.below(elements.len());
            // Elsewhere the order means nothing.
            let is_ordered = [".rules", ".splits", ".key"].iter().any(|list| path.ends_with(list));
            if is_ordered && elements.len() > 1 && random.once_in(2) {
                let other = (at + 1) % elements.len();
                elements.swap(at, other);
                return format!("swap {at} and {other}");
            }
            elements.remove(at);
            format!("without {at}")
        }
        PolicyValue::Table(fields) if !fields.is_empty() => {
            let at = random.below(fields.len());
            // What the module says already.
            if fields[at].0 == "filter" {
                return "nothing".to_owned();
            }
            let (name, _) = fields.remove(at);
            format!("without {name}")
        }
        _ => "nothing".to_owned(),
    }
}

/// Words that mean the contrary.
const OTHER: [(&str, &str); 8] = [
    ("allow", "deny"),
    ("deny", "allow"),
    ("mesh", "edge"),
    ("edge", "mesh"),
    ("GET", "POST"),
    ("POST", "GET"),
    ("enforce", "off"),
    ("baseline", "random"),
];
