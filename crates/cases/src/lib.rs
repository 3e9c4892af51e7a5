//! Case files: what a filter does, said once and executed everywhere.
//!
//! `filters/<filter>/cases/*.yaml` hold a policy and requests, with what becomes of each. The same
//! file runs in the core, in the `.wasm` and in a real Envoy (`crates/runners`): a filter's meaning
//! is what all three agree on.
//!
//! `docs/case-files.md` describes the format.

pub mod bytes;
pub mod expect;
mod fault;
mod file;
pub mod metadata;
mod number;
mod send;
mod sender;
pub mod table;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use fault::{Fault, yaml};
pub use file::{Answer, Case, File, Refused, Runner, Written};
pub use send::{AUTHORITY, MOST_REPEATS, Send};
pub use sender::{Account, Direction, Protocol, Source};
pub use words::{Words, in_words};

/// Every case file of every filter and example, in the order of their paths; `root` is the
/// workspace, and `only` keeps those whose path contains it.
pub fn files(root: &Path, only: Option<&str>) -> anyhow::Result<Vec<File>> {
    let mut paths = Vec::new();
    for place in ["filters", "examples"] {
        for folder in std::fs::read_dir(root.join(place))? {
            let Ok(cases) = std::fs::read_dir(folder?.path().join("cases")) else { continue };
            for file in cases {
                let path = file?.path();
                let wanted = only.is_none_or(|only| path.to_string_lossy().contains(only));
                if wanted && path.extension().is_some_and(|extension| extension == "yaml") {
                    paths.push(path);
                }
            }
        }
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let file = File::read(path)?;
        file.check_runners().with_context(|| path.display().to_string())?;
        Ok(file)
    };
    paths.iter().map(read).collect()
}
