//! What keeps a canary off, and what lets it on again.

use std::time::Duration;

use narrows_vm::Response;
use serde_json::{Value, json};

use super::rig::{Chance, Proxy, error, policy};

fn enforce(weight: u32, more: &Value) -> Value {
    let mut rollback = json!({ "errors": "enforce" });
    for (name, value) in more.as_object().into_iter().flatten() {
        rollback[name] = value.clone();
    }
    policy(weight, &rollback)
}

/// A proxy whose canary is off.
fn off(policy: &Value) -> anyhow::Result<Proxy> {
    let mut proxy = Proxy::new(2, policy)?;
    let fails = |_: &mut Chance, is_canary: bool| if is_canary { error() } else { Response::ok() };
    anyhow::ensure!(proxy.until_off(5, 200, 2_000, fails).is_some());
    anyhow::ensure!(!proxy.is_on());
    Ok(proxy)
}

#[test]
fn a_weight_an_equal_policy_and_a_new_vm_do_not_let_it_on() -> anyhow::Result<()> {
    let mut proxy = off(&enforce(20, &json!({})))?;
    proxy.push(&enforce(40, &json!({})));
    assert!(!proxy.is_on());
    for _ in 0..10 {
        proxy.push(&enforce(40, &json!({})));
        proxy.wait(Duration::from_secs(1));
        assert!(!proxy.is_on());
    }
    proxy.restart(0, &enforce(40, &json!({})))?;
    assert!(!proxy.is_on(), "from its first request");
    proxy.restart(1, &enforce(40, &json!({})))?;
    proxy.wait(Duration::from_secs(700));
    assert!(!proxy.is_on());
    assert_eq!((proxy.value("rollback_state"), proxy.trips()), (Some(4), [1, 0, 0]));
    // Off by itself: what `report` says is not acted on, and back under `enforce` it is.
    proxy.push(&policy(40, &json!({})));
    assert!(proxy.is_on());
    proxy.wait(Duration::from_secs(1));
    assert_eq!(proxy.value("rollback_state"), Some(3));
    proxy.push(&enforce(40, &json!({})));
    assert!(!proxy.is_on());
    Ok(())
}

#[test]
fn a_higher_generation_and_another_destination_let_it_on() -> anyhow::Result<()> {
    let mut proxy = off(&enforce(20, &json!({})))?;
    proxy.push(&enforce(20, &json!({ "generation": 2 })));
    assert!(proxy.is_on());
    proxy.wait(Duration::from_secs(12));
    assert_eq!(proxy.value("rollback_state"), Some(1), "nothing was seen for ten seconds");
    proxy.wait(Duration::from_secs(700));
    let fails = |_: &mut Chance, is_canary: bool| if is_canary { error() } else { Response::ok() };
    assert!(proxy.until_off(5, 400, 2_000, fails).is_some(), "it is judged again");
    let mut moved = enforce(20, &json!({ "generation": 2 }));
    moved["splits"][0]["backends"][1]["authority"] = json!("stock-canary-2");
    proxy.push(&moved);
    assert!(proxy.is_on());
    Ok(())
}

/// The root context of an older policy, whose requests are drained, neither adds nor takes anything back.
#[test]
fn an_older_policy_keeps_out_of_it() -> anyhow::Result<()> {
    let mut proxy = off(&enforce(20, &json!({})))?;
    proxy.push(&enforce(20, &json!({ "generation": 2 })));
    proxy.wait(Duration::from_secs(5));
    proxy.restart(0, &enforce(20, &json!({ "generation": 2 })))?;
    assert!(proxy.is_on());
    Ok(())
}

#[test]
fn after_its_time_it_is_on_again() -> anyhow::Result<()> {
    let held = enforce(20, &json!({ "hold": "60s" }));
    let mut proxy = off(&held)?;
    proxy.wait(Duration::from_secs(55));
    assert!(!proxy.is_on());
    proxy.push(&held);
    assert!(!proxy.is_on());
    proxy.wait(Duration::from_secs(5));
    assert!(proxy.is_on());
    assert_eq!(proxy.value("rollback_state"), Some(1), "nothing was seen for ten seconds");
    Ok(())
}

/// While a canary is off its ramp stands, and goes on after a push.
#[test]
fn a_ramp_stands_until_a_push() -> anyhow::Result<()> {
    let ramped = |note: u32| {
        let mut policy = enforce(0, &json!({ "hold": "60s" }));
        let canary = &mut policy["splits"][0]["backends"][1];
        canary.as_object_mut().unwrap().remove("weight");
        let at = |seconds: u64| narrows_core::moment::utc(1_790_000_000 + seconds);
        canary["ramp"] = json!({ "steps": [{ "at": at(0), "weight": 20 }, { "at": at(30), "weight": 80 },
            { "at": at(4_000 + u64::from(note)), "weight": 90 }] });
        policy
    };
    let mut proxy = off(&ramped(0))?;
    assert_eq!(proxy.value("buckets"), Some(0));
    proxy.wait(Duration::from_secs(65));
    assert!(proxy.is_on());
    assert_eq!(proxy.value("buckets"), Some(200_000), "as when it was switched off");
    proxy.push(&ramped(0));
    proxy.wait(Duration::from_secs(2));
    assert_eq!(proxy.value("buckets"), Some(200_000), "the same policy is no push");
    proxy.push(&ramped(1));
    proxy.wait(Duration::from_secs(2));
    assert_eq!(proxy.value("buckets"), Some(800_000));
    Ok(())
}
