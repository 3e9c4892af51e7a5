//! A clock that is set back: who judges goes on.

use std::time::Duration;

use narrows_vm::Response;
use serde_json::json;

use super::rig::{Proxy, error, policy};

const HOUR: Duration = Duration::from_hours(1);

/// A proxy that has served for some seconds before its clock was set back by an hour.
fn set_back(rollback: &serde_json::Value) -> anyhow::Result<Proxy> {
    let mut proxy = Proxy::new(2, &policy(10, rollback))?;
    for _ in 0..3 {
        proxy.second(200, 2_000, |_, _| Response::ok());
    }
    proxy.set_back(HOUR);
    Ok(proxy)
}

#[test]
fn a_canary_is_switched_off_after_the_clock_was_set_back() -> anyhow::Result<()> {
    let mut proxy = set_back(&json!({ "errors": "enforce" }))?;
    let off = proxy.until_off(6, 200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() });
    assert!(off.is_some(), "it fails for everybody");
    assert_eq!(proxy.trips(), [1, 0, 0]);
    Ok(())
}

#[test]
fn a_time_that_it_is_off_runs_out_all_the_same() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &policy(10, &json!({ "errors": "enforce", "hold": "10s" })))?;
    let off = proxy.until_off(6, 200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() });
    assert!(off.is_some());
    proxy.set_back(HOUR);
    proxy.wait(Duration::from_secs(5));
    assert!(!proxy.is_on(), "a step back takes no time");
    proxy.wait(Duration::from_secs(8));
    assert!(proxy.is_on());
    Ok(())
}

#[test]
fn a_step_of_a_second_between_two_workers_is_none() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &policy(10, &json!({ "errors": "enforce" })))?;
    for _ in 0..20 {
        proxy.second(200, 2_000, |_, _| Response::ok());
        proxy.set_back(Duration::from_millis(600));
    }
    assert_eq!(proxy.trips(), [0; 3]);
    let off = proxy.until_off(6, 200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() });
    assert!(off.is_some());
    Ok(())
}
