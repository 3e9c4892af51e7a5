//! Every policy in the documents compiles.

use std::path::PathBuf;

use narrows::filter::Filter;
use narrows_core::{PolicyValue, filter};
use narrows_harness::markdown;
use serde_json::Value;

use super::markdown_files;

/// A fenced block of a document.
struct Block {
    file: PathBuf,
    block: markdown::Block,
}

#[test]
fn every_policy_in_the_documentation_compiles() {
    let mut compiled = 0;
    // A reader is shown what is refused too, under such a name.
    for block in blocks().into_iter().filter(|block| !block.block.info.ends_with(" refused")) {
        let documents: Vec<Value> = match block.block.language() {
            "json" => {
                vec![
                    serde_json::from_str(&block.block.text())
                        .unwrap_or_else(|e| panic!("{}: {e}", block.place())),
                ]
            }
            "yaml" => serde_saphyr::from_multiple(&block.block.text())
                .unwrap_or_else(|e| panic!("{}: {e}", block.place())),
            _ => continue,
        };
        for (policy, attached) in documents.iter().filter_map(|document| policy_in(document, &block)) {
            let filter = block.filter(&policy).or(attached);
            let filter = filter.unwrap_or_else(|| panic!("{}: for which filter?", block.place()));
            let tree = PolicyValue::parse(policy.to_string().as_bytes()).unwrap();
            let checked =
                filter::check(&filter, &tree).unwrap_or_else(|| panic!("{}: no {filter}", block.place()));
            checked.unwrap_or_else(|e| panic!("{}: {filter}: {e}", block.place()));
            compiled += 1;
        }
    }
    assert!(compiled >= 2, "only {compiled} policies found");
}

/// The policy in a document: a policy itself, or the one that a manifest carries, with the filter that it
/// attaches.
fn policy_in(document: &Value, block: &Block) -> Option<(Value, Option<String>)> {
    let carriers = [document.pointer("/spec"), document.pointer("/spec/wasm")];
    let mut carried =
        carriers.into_iter().flatten().filter_map(|spec| Some((spec, spec.get("pluginConfig")?)));
    if let Some((spec, policy)) = carried.next() {
        let attached = Filter::of_plugin(spec["url"].as_str(), spec["pluginName"].as_str());
        return Some((policy.clone(), attached.map(|filter| filter.name().to_owned())));
    }
    // In YAML there are other people's rules too: a policy says that it is one.
    let is_ours = block.block.language() == "json" || document.get("filter").is_some();
    let kind = ["rules", "lane", "splits", "tags", "metrics", "router"];
    (is_ours && block.filter(document).is_some() && kind.iter().any(|field| document.get(field).is_some()))
        .then(|| (document.clone(), None))
}

impl Block {
    fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.block.start)
    }

    /// The filter that a policy names, or else the one whose folder this is.
    fn filter(&self, policy: &Value) -> Option<String> {
        let named = policy["filter"].as_str().map(str::to_owned);
        named.or_else(|| {
            let folder = self.file.parent()?.file_name()?.to_str()?;
            filter::FILTERS.contains(&folder).then(|| folder.to_owned())
        })
    }
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for file in markdown_files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let found = markdown::blocks(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        blocks.extend(found.into_iter().map(|block| Block { file: file.clone(), block }));
    }
    blocks
}
