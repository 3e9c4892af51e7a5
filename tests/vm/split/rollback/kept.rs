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

/// The memory of the proxy's process is all that keeps it off.
#[test]
fn another_process_tries_it_again() -> anyhow::Result<()> {
    let policy = enforce(20, &json!({}));
    let mut proxy = off(&policy)?;
    // New VMs alone do not.
    for worker in 0..2 {
        proxy.restart(worker, &policy)?;
    }
    assert!(!proxy.is_on());
    proxy.reboot(&policy)?;
    assert!(proxy.is_on());
    assert_eq!((proxy.value("rollback_state"), proxy.trips()), (Some(1), [0; 3]), "nothing was seen");
    assert_eq!(proxy.value("rolled_back_total"), Some(0));
    let fails = |_: &mut Chance, is_canary: bool| if is_canary { error() } else { Response::ok() };
    assert!(proxy.until_off(5, 200, 2_000, fails).is_some(), "it is judged again");
    Ok(())
}

#[test]
fn under_another_name_it_is_tried_again() -> anyhow::Result<()> {
    let policy = enforce(20, &json!({}));
    let [mut split, mut backend] = [policy.clone(), policy.clone()];
    split["splits"][0]["name"] = json!("stock-2");
    backend["splits"][0]["backends"][1]["name"] = json!("canary-2");
    for (what, plugin, renamed) in [
        ("plugin", "canary-split-2", &policy),
        ("split", "canary-split", &split),
        ("backend", "canary-split", &backend),
    ] {
        let mut proxy = off(&policy)?;
        proxy.plugin = plugin;
        proxy.push(renamed);
        assert!(reaches(&mut proxy), "another {what}");
        proxy.wait(Duration::from_secs(3));
        assert!(reaches(&mut proxy), "another {what}, later");
        proxy.restart(1, renamed)?;
        assert!(reaches(&mut proxy), "another {what}, in a new VM");
        // A push that takes the name back is none that lets it on.
        proxy.plugin = "canary-split";
        proxy.push(&policy);
        assert!(!reaches(&mut proxy), "the {what} as it was");
    }
    Ok(())
}

/// Requests that are of the split now too, by a match more or a service more, are no other destination.
#[test]
fn what_is_split_does_not_let_it_on() -> anyhow::Result<()> {
    let policy = enforce(20, &json!({}));
    let [mut twice, mut more] = [policy.clone(), policy.clone()];
    twice["splits"][0]["matches"] =
        json!([{ "path": { "pathPrefix": "/" } }, { "path": { "pathPrefix": "/b" } }]);
    more["splits"][0].as_object_mut().unwrap().remove("service");
    more["splits"][0]["matches"] = json!([{ "service": "stock.books" }, { "service": "orders.books" }]);
    let mut proxy = off(&policy)?;
    for (what, policy) in [("a match", &twice), ("a service", &more), ("as it was", &policy)] {
        proxy.push(policy);
        assert!(!reaches(&mut proxy), "{what}");
        proxy.wait(Duration::from_secs(3));
        assert!(!reaches(&mut proxy), "{what}, later");
    }
    Ok(())
}

/// The generation that was found worse is not higher than itself, whatever was pushed between.
#[test]
fn a_generation_that_comes_back_does_not_let_it_on() -> anyhow::Result<()> {
    let [first, second] = [1, 2].map(|generation| enforce(20, &json!({ "generation": generation })));
    let mut proxy = off(&second)?;
    for policy in [&first, &second] {
        proxy.push(policy);
        proxy.wait(Duration::from_secs(2));
        assert!(!proxy.is_on(), "{policy}");
    }
    proxy.push(&enforce(20, &json!({ "generation": 3 })));
    assert!(proxy.is_on());
    // A higher one that was fine is no mark to pass: of those that were found worse the last counts.
    let mut proxy = Proxy::new(2, &enforce(20, &json!({ "generation": 5 })))?;
    proxy.push(&first);
    let fails = |_: &mut Chance, is_canary: bool| if is_canary { error() } else { Response::ok() };
    assert!(proxy.until_off(5, 200, 2_000, fails).is_some());
    assert!(!proxy.is_on());
    proxy.push(&second);
    assert!(proxy.is_on());
    Ok(())
}

/// Whether users get to the canary on each worker, whatever it is called.
fn reaches(proxy: &mut Proxy) -> bool {
    let mut reaches = |worker: usize| {
        (0..100).any(|number| {
            let outcome = proxy.outcome(worker, &format!("user-{number}"), &Response::ok);
            outcome.request.text(":authority").is_some_and(|host| host.starts_with("stock-canary"))
        })
    };
    let each = [reaches(0), reaches(1)];
    assert_eq!(each[0], each[1], "the workers disagree");
    each[0]
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
