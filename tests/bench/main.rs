//! `make bench`: see `narrows_tests::bill`.
//!
//! ```text
//! narrows-bill                           measures everything, and writes docs/costs.md
//! narrows-bill smoke                     sends a few requests through every chain
//! narrows-bill fuel LABEL DIST           counts the instructions of every case, beside the modules in DIST
//! narrows-bill profile LABEL DIST        samples where the time goes, beside the modules in DIST
//! narrows-bill against LABEL DIST RUNS   measures the modules in DIST beside those of this tree
//! ```

use narrows_tests::bill::{Extent, compare, fuel, other, profile, smoke, write};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => write(Extent::FULL),
        ["smoke"] => smoke().map(|chains| println!("{chains} chains answer as they should")),
        ["fuel", label, dist] => fuel(&other(label, dist)),
        ["profile", label, dist] => profile(&other(label, dist)),
        ["against", label, dist, runs] => compare(&other(label, dist), runs.parse()?, Extent::FULL),
        _ => anyhow::bail!(
            "narrows-bill takes nothing, or smoke, or: fuel LABEL DIST, profile LABEL DIST, or: \
             against LABEL DIST RUNS"
        ),
    }
}
