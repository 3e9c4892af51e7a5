//! What keeps a canary off, and what lets it on again.

use serde_json::{Value, json};

use super::rig::{Live, Shape, policy};

fn enforce(weight: u32, generation: u64) -> Value {
    policy(weight, &json!({ "errors": "enforce", "generation": generation }))
}

#[test]
fn only_a_generation_and_a_destination_let_it_on_again() -> anyhow::Result<()> {
    let mut live = Live::new(&enforce(20, 1))?;
    anyhow::ensure!(live.until_off(800, Shape::Errors(100))?.tripped);
    anyhow::ensure!(live.canaries(30)? == 0);
    live.push(&enforce(40, 1), None)?;
    anyhow::ensure!(live.canaries(30)? == 0, "a weight lets nobody on");
    for _ in 0..10 {
        live.push(&enforce(40, 1), None)?;
    }
    anyhow::ensure!(live.canaries(30)? == 0, "nor does an equal policy, pushed again");
    live.push(&enforce(40, 1), Some(r#"{"strict": true}"#))?;
    anyhow::ensure!(live.canaries(30)? == 0, "nor a new VM");
    anyhow::ensure!(
        live.state()? == 4 && live.trips()? == [1, 0, 0],
        "{}, {:?}",
        live.state()?,
        live.trips()?
    );
    live.push(&enforce(40, 2), None)?;
    anyhow::ensure!(live.canaries(30)? == 30, "a generation does");
    // Those who have failed do not count again, so others must.
    let off = live.until_off(3_000, Shape::Errors(100))?;
    anyhow::ensure!(off.tripped, "{off:?}");
    let mut moved = enforce(40, 2);
    moved["splits"][0]["backends"][1]["authority"] = json!("stock-canary.books");
    live.push(&moved, None)?;
    anyhow::ensure!(live.canaries(30)? == 30, "another destination does");
    Ok(())
}
