//! What a conversion has to say, for people and for programs.

use serde_json::{Value, json};

use super::command;
use crate::escape;
use crate::migrate::Made;
use crate::migrate::attach::Attach;
use crate::migrate::difference::{Difference, Kind};
use crate::source::SourceFile;

/// More places of one difference are only counted.
const PLACES: usize = 8;

/// For people: each difference once, with all of its places, the gravest first.
pub(super) fn text(sources: &[SourceFile], all: &[Difference]) -> String {
    let mut out = String::new();
    for kind in [Kind::Refused, Kind::Differs, Kind::Stays] {
        let mut said: Vec<&Difference> = Vec::new();
        for one in all.iter().filter(|one| one.kind == kind) {
            let same = |known: &&&Difference| known.what == one.what && known.help == one.help;
            if said.iter().any(|known| same(&known)) {
                continue;
            }
            said.push(one);
            let places: Vec<String> = all
                .iter()
                .filter(|other| other.kind == kind && other.what == one.what && other.help == one.help)
                .map(|other| place(sources, other))
                .collect();
            out.push_str(&format!("{}: {}\n", kind.word(), escape::line(&one.what)));
            for place in places.iter().take(PLACES) {
                out.push_str(&format!("  --> {place}\n"));
            }
            if places.len() > PLACES {
                out.push_str(&format!("  and {} more places\n", places.len() - PLACES));
            }
            out.push_str(&format!("  = help: {}\n", escape::line(&one.help)));
        }
    }
    out
}

fn place(sources: &[SourceFile], one: &Difference) -> String {
    let Some(source) = sources.get(one.file) else { return String::new() };
    let (line, column) = source.position(one.at.start);
    format!("{}:{line}:{column}", escape::line(&source.path))
}

/// For programs: everything.
pub(super) fn json(sources: &[SourceFile], all: &[Difference], made: Option<&Made>) -> String {
    let difference = |one: &Difference| {
        let source = sources.get(one.file);
        let (line, column) = source.map(|source| source.position(one.at.start)).unwrap_or_default();
        json!({ "kind": one.kind.word(), "file": source.map(|source| &source.path), "line": line,
            "column": column, "message": one.what, "help": one.help })
    };
    let mut whole = json!({ "version": 1, "differences": all.iter().map(difference).collect::<Vec<_>>() });
    if let Some(made) = made {
        let values =
            |list: &[narrows_core::PolicyValue]| -> Value { list.iter().map(super::value).collect() };
        whole["filter"] = made.filter.name().into();
        whole["policy"] = super::value(&made.policy);
        whole["routes"] = values(&made.routes);
        whole["cases"] = values(&made.cases);
        whole["withoutCase"] = json!(made.without_case);
        let attach = |place: &Attach| json!({ "proxies": place.proxies, "command": command("policy.yaml", made.filter, place) });
        whole["attach"] = made.attach.iter().map(attach).collect();
    }
    format!("{whole:#}\n")
}
