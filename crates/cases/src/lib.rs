//! Case files: what a filter does, said once and executed everywhere.
//!
//! `filters/<filter>/cases/*.yaml` hold a policy and requests, with what becomes of each. The same
//! file runs in the core, in the `.wasm` and in a real Envoy (`crates/runners`): a filter's meaning
//! is what all three agree on.
//!
//! ```yaml
//! about: one sentence
//! policy: { ... }               # as an operator writes it; or policyFile: ../policy.yaml
//! vm: { strict: true }          # the VM's configuration; this is the default
//! cases:
//!   - name: a beta user
//!     send:                     # everything optional
//!       method: GET
//!       target: /api?a=1        # as on the wire: a path, an absolute form, `*`
//!       authority: shop.example.com
//!       headers: ['x-user-group: beta', 'x-bytes: \xff']   # lines in order, bytes as \xNN
//!       body: ""
//!       protocol: http1         # or http2
//!       source: { address: "10.0.0.1:5000", principal: "spiffe://cluster.local/ns/b/sa/c" }
//!       metadata: { my.filter: { group: beta, level: 7 } }   # what filters in front wrote
//!       stripped: x-narrows-*   # what an earlier filter left in filter state; not in Envoy
//!     answer: { status: 200, headers: ['x-a: 1'] }         # what the upstream answers
//!     expect:                   # only what is written is compared
//!       upstream: { method: GET, target: /, authority: a, headers: { x-a: "1" }, absent: [x-b] }
//!       reply: { status: 404, body: "", headers: {}, absent: [], grpc_status: 5 }
//!       response: { status: 200, headers: {}, absent: [] }
//!       state: { narrows_rule: beta, narrows_stripped: null }
//!       counts: { "rule=.=beta;.;narrows_router_requests_total": 1 }
//!     budget: true              # default: false; the price is kept in tests/vm/budgets.txt
//!     runners: [core]           # default: all that can; a restriction says `because`
//!     because: no proxy can be made to do this
//! refused:                      # policies that must not load, and why
//!   - { name: a bad status, policy: { ... }, fault: "NRW107 rules[0].respond.status" }
//! ```
//!
//! `upstream` says that the request arrived there, `reply` that the filter answered in its place.
//! A header's value is all its values, joined with `,`; as a list it is one value for each line.

pub mod bytes;
pub mod expect;
mod fault;
mod file;
pub mod metadata;
mod send;
mod sender;
pub mod table;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use fault::{Fault, yaml};
pub use file::{Answer, Case, File, Refused, Runner, Written};
pub use send::{AUTHORITY, MOST_REPEATS, Send};
pub use sender::{Account, Protocol, Source};

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
