//! The form in which tests attach a filter: a module for each filter, all of them in one module, or as
//! the parts of one plugin.
//!
//! `FORM=modules|bundle|plugin` chooses for a whole run; without it, it is `modules`.

use std::path::{Path, PathBuf};

/// The module that holds all filters.
const BUNDLE: &str = "narrows";
/// The filters, each with its part of the merged policy. A test compares them with the core's table.
pub const PARTS: [(&str, &str); 5] = [
    ("header-router", "router"),
    ("traffic-lanes", "lanes"),
    ("canary-split", "split"),
    ("metric-tags", "tags"),
    ("egress-policy", "egress"),
];
/// The fields that stand beside the parts.
pub const COMMON: [&str; 7] = ["filter", "mode", "trust", "callers", "explain", "filterState", "labels"];

/// How a filter is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each filter is a module.
    Modules,
    /// Each filter is a plugin of its own, and all are in one module.
    Bundle,
    /// The policy is a part of the merged plugin's.
    Plugin,
}

/// A filter in some form.
#[derive(Clone, Debug)]
pub struct Attached {
    /// The module.
    pub wasm: PathBuf,
    /// The root id; empty in a module of one filter.
    pub root_id: &'static str,
    /// The policy.
    pub policy: String,
    /// The VM id, if plugins of this form share a VM.
    pub vm_id: Option<&'static str>,
}

impl Form {
    /// All forms.
    pub const ALL: [Self; 3] = [Self::Modules, Self::Bundle, Self::Plugin];

    /// The form that `FORM` asks for.
    ///
    /// # Panics
    /// If there is no such form: a run on another one would prove nothing.
    pub fn chosen() -> Self {
        match std::env::var("FORM").as_deref() {
            Err(_) | Ok("" | "modules") => Self::Modules,
            Ok("bundle") => Self::Bundle,
            Ok("plugin") => Self::Plugin,
            Ok(other) => panic!("FORM={other:?} is none of modules, bundle, plugin"),
        }
    }

    /// A filter with its policy in this form. `wasm` is the filter's own module; what is none of ours, or
    /// has no bundle beside it, stays as it is.
    pub fn attach(self, wasm: &Path, policy: &str) -> Attached {
        let stem = wasm.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let bundle = wasm.with_file_name(format!("{BUNDLE}.wasm"));
        let alone = Attached { wasm: wasm.into(), root_id: "", policy: policy.into(), vm_id: None };
        if stem == BUNDLE {
            return Attached { root_id: BUNDLE, ..alone };
        }
        let Some((filter, part)) = PARTS.iter().find(|(filter, _)| *filter == stem) else { return alone };
        match self {
            Self::Modules => alone,
            _ if !bundle.is_file() => alone,
            Self::Bundle => Attached { wasm: bundle, root_id: filter, vm_id: Some(BUNDLE), ..alone },
            Self::Plugin => Attached {
                wasm: bundle,
                root_id: BUNDLE,
                policy: as_part(filter, part, policy),
                vm_id: Some(BUNDLE),
            },
        }
    }
}

/// A filter's policy as the merged plugin's. A text that is no JSON object stays as it is.
fn as_part(filter: &str, part: &str, policy: &str) -> String {
    let Some(members) = members(policy) else { return policy.to_owned() };
    let (mut common, mut own) = (Vec::new(), Vec::new());
    for (name, value) in members {
        let own_name = format!("\"{filter}\"");
        match name.trim_matches('"') {
            "filter" if value.trim() == own_name => common.push(format!("\"filter\":\"{BUNDLE}\"")),
            known if COMMON.contains(&known) => common.push(format!("{name}:{value}")),
            _ => own.push(format!("{name}:{value}")),
        }
    }
    common.push(format!("\"{part}\":{{{}}}", own.join(",")));
    format!("{{{}}}", common.join(","))
}

/// The members of a JSON object as they are written, repeated ones included; none if it is no object.
fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok()?;
    let inside = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let (mut start, mut colon, mut found) = (0, None, Vec::new());
    for (at, byte) in inside.bytes().chain([b',']).enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b':' if depth == 0 && colon.is_none() => colon = Some(at),
            b',' if depth == 0 => {
                let end = at.min(inside.len());
                if let Some(colon) = colon.take() {
                    found.push((inside[start..colon].trim(), &inside[colon + 1..end]));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::{as_part, members};

    #[test]
    fn a_policy_becomes_a_part_as_it_is_written() {
        let policy = r#"{ "filter": "header-router", "trust": "mesh", "rules": [{"name": "a,}\""}], "x": 1, "x": {} }"#;
        assert_eq!(
            as_part("header-router", "router", policy),
            r#"{"filter":"narrows","trust": "mesh","router":{"rules": [{"name": "a,}\""}],"x": 1,"x": {} }}"#
        );
        assert_eq!(as_part("header-router", "router", "{}"), r#"{"router":{}}"#);
        assert_eq!(
            as_part("header-router", "router", r#"{"filter":"other"}"#),
            r#"{"filter":"other","router":{}}"#
        );
        assert_eq!(as_part("header-router", "router", "{"), "{");
        assert_eq!(members("[]"), None);
    }
}
