//! The modules of a commit, and the three forms in which they are attached.

use std::path::{Path, PathBuf};

use narrows_harness::bootstrap::wasm_config_in;
use narrows_harness::form::Form;
use serde_json::{Value, json};

/// The modules of one commit.
#[derive(Clone, Debug)]
pub struct Modules {
    /// Comes behind the names of its chains; nothing for what is here.
    pub label: String,
    /// Where they are.
    pub dist: PathBuf,
}

/// One of the filters, and its policy.
pub(super) type Part = (&'static str, Value);

impl Modules {
    /// Those of this tree: `dist`.
    pub fn here() -> Self {
        Self { label: String::new(), dist: narrows_harness::workspace().join("dist") }
    }

    /// The module that holds all filters, if this commit has one.
    pub(super) fn all_in_one(&self) -> Option<PathBuf> {
        Some(self.dist.join("narrows.wasm")).filter(|path| path.is_file())
    }

    /// What a chain is called that has these modules.
    pub(super) fn named(&self, name: &str) -> String {
        if self.label.is_empty() { name.to_owned() } else { format!("{name}, {}", self.label) }
    }

    /// Each filter in a module of its own, and each in a VM of its own.
    pub(super) fn apart(&self, chain: &str, parts: &[Part]) -> Vec<Value> {
        let one = |(filter, policy): &Part| {
            let module = self.dist.join(format!("{filter}.wasm"));
            entry(&module, &self.named(&format!("{chain}, {filter}")), "", policy)
        };
        parts.iter().map(one).collect()
    }

    /// Each filter by its root id on one module, so that they share a VM.
    pub(super) fn together(&self, chain: &str, parts: &[Part]) -> Option<Vec<Value>> {
        let module = self.all_in_one()?;
        let vm = self.named(chain);
        Some(parts.iter().map(|(filter, policy)| entry(&module, &vm, filter, policy)).collect())
    }

    /// All of them in one plugin.
    pub(super) fn merged(&self, chain: &str, parts: &[Part]) -> Option<Vec<Value>> {
        let module = self.all_in_one()?;
        let mut policy = json!({ "filter": "narrows" });
        for (filter, part) in parts {
            policy[part_name(filter)] = part.clone();
        }
        Some(vec![entry(&module, &self.named(chain), "narrows", &policy)])
    }
}

/// What the merged policy calls the part of a filter: the second word of `header-router` and
/// `canary-split`, and so on.
fn part_name(filter: &str) -> &str {
    match filter {
        "egress-policy" => "egress",
        _ => filter.split('-').next_back().unwrap_or(filter),
    }
}

/// A plugin; those with one module and one VM's name share a VM.
fn entry(module: &Path, vm: &str, root_id: &str, policy: &Value) -> Value {
    let strict = Some(r#"{"strict": true}"#);
    // A chain says itself in which form its filters are.
    let mut config = wasm_config_in(Form::Modules, vm, module, &policy.to_string(), strict, "FAIL_CLOSED");
    config["config"]["root_id"] = json!(root_id);
    json!({ "name": format!("{vm} {root_id}"), "typed_config": config })
}
