//! The links between documents lead somewhere: to a file of the project, and to a heading that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::markdown_files;

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut known: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let (mut files, mut anchors) = (0, 0);
    for document in markdown_files() {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in links(&prose(&text)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) =
                link.split_once('#').map_or((&*link, None), |(path, anchor)| (path, Some(anchor)));
            let beside = document.parent().unwrap_or(Path::new("."));
            let target = if path.is_empty() { document.clone() } else { beside.join(path) };
            if !target.exists() {
                wrong.push(format!("{}: {link}: there is no such file", document.display()));
                continue;
            }
            files += 1;
            let Some(anchor) = anchor else { continue };
            let page = if target.is_dir() { target.join("README.md") } else { target };
            let headings = known.entry(page.clone()).or_insert_with(|| headings(&page));
            anchors += 1;
            if !headings.contains(anchor) {
                wrong.push(format!("{}: {link}: there is no such heading", document.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files >= 300 && anchors >= 60, "only {files} links, {anchors} of them to headings");
}

/// A document without its code.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut inside = false;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        if inside || is_fence {
            continue;
        }
        // Between backquotes nothing is a link.
        let parts = line.split('`').enumerate();
        prose.extend(parts.map(|(i, part)| if i % 2 == 0 { part } else { "code" }));
        prose.push('\n');
    }
    prose
}

/// The targets of the links in a text.
fn links(text: &str) -> Vec<String> {
    let behind = text.split("](").skip(1);
    behind.filter_map(|rest| rest.split_once(')')).map(|(link, _)| link.to_owned()).collect()
}

/// The anchors of a document, as GitHub and mdBook make them from its headings.
fn headings(page: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(page).unwrap_or_default();
    let mut anchors = BTreeSet::new();
    let mut inside = false;
    for line in text.lines() {
        inside ^= line.trim_start().starts_with("```");
        let heading = line.trim_start_matches('#');
        if inside || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = |c: char| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c => c.is_alphanumeric().then(|| c.to_lowercase().next().unwrap_or(c)),
        };
        let anchor: String = heading.trim().chars().filter_map(kept).collect();
        let repeated = (1..).map(|n| format!("{anchor}-{n}"));
        let free = std::iter::once(anchor.clone()).chain(repeated).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}
