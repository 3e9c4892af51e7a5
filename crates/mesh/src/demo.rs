//! The demo: traffic through the mesh, what happened, and whether it was promised.
//!
//! One file for each chapter of the story; each prints what it does as it does it.

mod east_west;
mod egress;
mod lanes;
mod multicluster;
mod north_south;
mod picture;
mod promises;
mod rollback;
mod tags;

use std::time::Instant;

use super::Mesh;
use narrows_harness::message::Response;
use picture::say;
use promises::Promises;

pub use east_west::user;

/// Drives traffic and prints what happened. Returns whether every promise was kept.
pub fn run(mesh: &Mesh) -> anyhow::Result<bool> {
    let start = Instant::now();
    let mut promises = Promises::default();
    let told = story(mesh, &mut promises);
    // What had been kept until then says where to look.
    let kept = promises.show();
    told?;
    let verdict = if kept { "all kept" } else { "BROKEN" };
    say(&format!("\n{verdict} in {:.1} s of traffic", start.elapsed().as_secs_f64()));
    Ok(kept)
}

fn story(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    north_south::show(mesh, promises)?;
    let served = east_west::show(mesh, promises)?;
    tags::show(mesh, &served, promises)?;
    lanes::show(mesh, promises)?;
    rollback::show(mesh, promises)?;
    egress::show(mesh, promises)?;
    multicluster::show(mesh, promises)
}

/// Who answered: an application's name, or the proxy that stood before it.
fn answered_by(response: &Response) -> String {
    response.headers.text("x-app").unwrap_or_else(|| format!("refused with {}", response.status))
}
