//! The policies of the repository: of the cases, the examples and the documents.

use std::fs;
use std::path::{Path, PathBuf};

use narrows::documents;
use narrows::filter::Filter;
use narrows::source::SourceFile;
use serde_json::Value;

/// Every policy, with its filter and where it is written.
pub(super) fn policies() -> Vec<(Filter, String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for filter in Filter::ALL {
        let folder = root.join("filters").join(filter.name());
        for path in files(&folder.join("cases"), "yaml") {
            let file: Value = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let refused = file["refused"].as_array().into_iter().flatten().map(|refused| &refused["policy"]);
            for policy in [&file["policy"]].into_iter().chain(refused).filter(|policy| policy.is_object()) {
                found.push((filter, path.display().to_string(), policy.clone()));
            }
        }
        for path in files(&folder, "md") {
            let text = fs::read_to_string(&path).unwrap();
            let blocks = text.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
            let parsed = blocks.filter_map(|block| serde_json::from_str::<Value>(block).ok());
            let is_policy = |value: &Value| {
                ["rules", "splits", "tags", "metrics"].iter().any(|field| value.get(field).is_some())
            };
            found.extend(parsed.filter(is_policy).map(|policy| (filter, path.display().to_string(), policy)));
        }
    }
    for path in
        files(&root.join("examples"), "yaml").into_iter().chain(files(&root.join("envoy-configs"), "yaml"))
    {
        let source = SourceFile::read(&path).unwrap();
        let written = source.documents().unwrap();
        for resource in written.iter().flat_map(documents::resources) {
            for policy in documents::policies(&source, resource, &mut Vec::new()) {
                let Some(filter) = policy.filter else { continue };
                found.push((filter, path.display().to_string(), value(&policy.policy.tree())));
            }
        }
    }
    found.into_iter().map(|(filter, place, policy)| (filter, place, without_nulls(policy))).collect()
}

/// Every case file of the filters and examples.
pub(super) fn case_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let below = |folder: &str| files(&root.join(folder), "yaml");
    let is_case = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("cases"));
    below("filters").into_iter().chain(below("examples")).filter(is_case).collect()
}

/// `null` is as good as absent to a reader; a schema does not say so.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect::<Vec<_>>().into(),
        value => value,
    }
}

pub(super) fn value(tree: &narrows_core::PolicyValue) -> Value {
    use narrows_core::PolicyValue;
    match tree {
        PolicyValue::Null => Value::Null,
        PolicyValue::Flag(flag) => (*flag).into(),
        PolicyValue::Integer(number) => (*number).into(),
        PolicyValue::Fraction(number) => (*number).into(),
        PolicyValue::Text(text) => text.as_str().into(),
        PolicyValue::List(elements) => elements.iter().map(value).collect::<Vec<_>>().into(),
        PolicyValue::Table(fields) => fields
            .iter()
            .map(|(name, tree)| (name.clone(), value(tree)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

/// The files below a folder.
pub(super) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|has| has == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
