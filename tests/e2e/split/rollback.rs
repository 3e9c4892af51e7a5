//! The rollback on a real Envoy with two workers and two thousand users: how many requests a bad canary
//! costs until it is off, what keeps it off, and what does not switch it off.
//!
//! How long it takes is said, and not tested: a machine may be busy. What it costs in requests is.

mod kept;
mod quiet;
mod retries;
mod rig;
mod slow;

use serde_json::json;

use rig::{Live, Shape, policy};

/// What the canary does, and the most requests of the canary that the table in the README has for that, of
/// those with a tenth of two thousand users.
const SHAPES: [(&str, Shape, usize); 4] = [
    ("5 % of errors", Shape::Errors(5), 600),
    ("20 % of errors", Shape::Errors(20), 200),
    ("100 % of errors", Shape::Errors(100), 200),
    ("every request is reset", Shape::Reset, 200),
];

#[test]
fn a_canary_that_fails_is_off_within_twice_the_table() -> anyhow::Result<()> {
    for (name, shape, worst) in SHAPES {
        let mut live = Live::new(&policy(10, &json!({ "errors": "enforce" })))?;
        let off = live.until_off(4 * worst, shape)?;
        println!("{name}: off after {} requests of the canary, {:?}", off.requests, off.took);
        // What comes while the tick is judged, and the other worker hears of it.
        let most = 2 * worst + 3 * off.most_in_a_second;
        anyhow::ensure!(off.tripped && off.requests <= most, "{name}: {off:?}, {most} at most");
        live.envoy.wait_for_log("switched off, by errors")?;
        anyhow::ensure!(live.trips()? == [1, 0, 0], "{:?}", live.trips()?);
        anyhow::ensure!(live.canaries(50)? == 0, "{name}: a user still gets there");
    }
    Ok(())
}
