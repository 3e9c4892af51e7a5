//! Every policy that comes with the project, as Istio delivers it, with the number that it must have.

use std::fs;
use std::path::PathBuf;

use narrows_core::{PolicyValue, policy_digest};
use narrows_harness::root;
use serde_json::Value;

/// A policy: its filter, the file, the text as a proxy gets it, and its number by the core.
#[derive(Clone, Debug)]
pub struct Shipped {
    /// The filter.
    pub filter: String,
    /// Where it is written.
    pub file: PathBuf,
    /// Its text after a control plane: every number a double, the fields in another order.
    pub delivered: String,
    /// The number of what is in the file.
    pub digest: u64,
}

/// The policies of the filters' suites and of the examples.
///
/// # Panics
/// If one cannot be read.
pub fn policies() -> Vec<Shipped> {
    let mut files: Vec<PathBuf> = super::filters()
        .iter()
        .map(|(filter, _)| root().join("filters").join(filter).join("every-request.json"))
        .collect();
    for example in fs::read_dir(root().join("examples")).expect("examples").flatten() {
        let names = fs::read_dir(example.path()).into_iter().flatten().flatten().map(|entry| entry.path());
        files.extend(names.filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("policy"))
        }));
    }
    files.sort();
    files.into_iter().map(shipped).collect()
}

fn shipped(file: PathBuf) -> Shipped {
    let text = fs::read_to_string(&file).expect("a policy");
    let value: Value = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let folder =
        file.parent().and_then(|folder| folder.file_name()).map(|name| name.to_string_lossy().into_owned());
    let filter = value["filter"].as_str().map(str::to_owned).or(folder).unwrap_or_default();
    let tree = PolicyValue::parse(value.to_string().as_bytes()).expect("a table");
    Shipped { filter, file, delivered: delivered(&value), digest: policy_digest(&tree) }
}

/// As Istio writes it into a listener: fields in no order that anybody knows, numbers as doubles.
fn delivered(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_i64() => format!("{number}.0"),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(delivered).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().rev();
            let fields =
                fields.map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), delivered(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
