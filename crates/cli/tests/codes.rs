//! Every code is explained, and shown in a session.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use narrows::explain;

/// The codes of findings that the sessions show.
fn shown() -> BTreeSet<String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let transcripts = fs::read_dir(home.join("tests/transcripts")).unwrap();
    let files = transcripts.map(|entry| entry.unwrap().path()).chain([home.join("README.md")]);
    let text: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    ["error[NRW", "warning[NRW", "title=NRW"]
        .iter()
        .flat_map(|before| text.split(before).skip(1).map(|rest| format!("NRW{}", &rest[..3])))
        .collect()
}

#[test]
fn every_code_of_a_rule_is_shown() {
    let shown = shown();
    let known: BTreeSet<_> = explain::all().iter().map(|code| code.id.to_owned()).collect();
    let unknown: Vec<_> = shown.difference(&known).collect();
    assert!(unknown.is_empty(), "narrows explain has no {unknown:?}");
    let unseen: Vec<_> = known.iter().filter(|id| id.as_str() >= "NRW600" && !shown.contains(*id)).collect();
    assert!(unseen.is_empty(), "no session in tests/transcripts shows {unseen:?}");
}
