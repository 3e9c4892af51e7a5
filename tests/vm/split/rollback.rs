//! The rollback in many VMs of one proxy, whose clock is ours to set: when a canary is switched off, when it
//! is not, and what keeps it off.

mod clock;
mod hanging;
mod kept;
mod latency;
mod nameless;
mod rig;
mod turned_back;

use narrows_vm::Response;
use serde_json::json;

use rig::{Proxy, error, left, policy, status};

/// A tenth of the users; what the canary fails, of a hundred; and the most seconds and requests of the canary
/// until it is off: twice the worst of the table in the README, and two seconds for tick and merge.
#[test]
fn a_canary_that_fails_is_switched_off() -> anyhow::Result<()> {
    for (percent, seconds) in [(5, 23), (20, 6), (100, 2)] {
        let mut proxy = Proxy::new(2, &policy(10, &json!({ "errors": "enforce" })))?;
        let most = 2 * seconds + 2;
        let off = proxy.until_off(most, 200, 2_000, |chance, is_canary| {
            if is_canary && chance.percent() < percent { error() } else { Response::ok() }
        });
        println!("{percent} % errors: off after {off:?} (seconds, requests of the canary)");
        assert!(off.is_some_and(|(_, requests)| requests <= most * 20 * 5 / 4), "{percent} %: {off:?}");
        assert_eq!(proxy.value("rollback_state"), Some(4));
        assert_eq!(proxy.trips(), [1, 0, 0], "one of the VMs counts");
        let turned = proxy.second(200, 2_000, |_, _| Response::ok());
        assert_eq!(turned, 0, "no request gets there");
        assert_eq!(proxy.value("rollback_open"), Some(0));
    }
    Ok(())
}

#[test]
fn nothing_that_both_sides_share_switches_it_off() -> anyhow::Result<()> {
    type Fault = fn(&mut rig::Chance, bool) -> bool;
    let shapes: [(&str, Fault); 4] = [
        ("both fail", |chance, _| chance.percent() < 20),
        ("the baseline is worse", |chance, is_canary| !is_canary && chance.percent() < 20),
        ("nobody fails", |_, _| false),
        ("all fail", |_, _| true),
    ];
    for (name, fails) in shapes {
        let mut proxy =
            Proxy::new(2, &policy(10, &json!({ "errors": "enforce", "clientErrors": "enforce" })))?;
        for _ in 0..40 {
            proxy.second(
                200,
                2_000,
                |chance, is_canary| {
                    if fails(chance, is_canary) { error() } else { Response::ok() }
                },
            );
        }
        assert_eq!(proxy.value("rollback_state"), Some(0), "{name}");
        assert_eq!(proxy.trips(), [0; 3], "{name}");
    }
    Ok(())
}

/// Whatever says that the client left, or was at fault, is no error of the canary.
#[test]
fn what_is_no_error_switches_nothing_off() -> anyhow::Result<()> {
    let canary = [left(), status(404), status(499), Response::from_envoy(0, 1 << 28, "http2.remote_reset")];
    for response in canary {
        let mut proxy = Proxy::new(2, &policy(10, &json!({ "errors": "enforce" })))?;
        for _ in 0..15 {
            proxy.second(
                200,
                2_000,
                |_, is_canary| if is_canary { response.clone() } else { Response::ok() },
            );
        }
        assert_eq!(proxy.trips(), [0; 3], "{response:?}");
    }
    Ok(())
}

#[test]
fn errors_of_the_client_are_a_class_of_their_own() -> anyhow::Result<()> {
    let refused = policy(10, &json!({ "errors": "enforce", "clientErrors": "enforce" }));
    let mut proxy = Proxy::new(2, &refused)?;
    let off =
        proxy.until_off(10, 200, 2_000, |_, is_canary| if is_canary { status(400) } else { Response::ok() });
    assert!(off.is_some(), "{off:?}");
    assert_eq!(proxy.trips(), [0, 0, 1]);
    Ok(())
}

#[test]
fn a_call_of_grpc_says_it_in_its_status() -> anyhow::Result<()> {
    for (statuses, trips) in [(&[1, 3, 5, 6, 7, 8, 9, 10, 11][..], 0), (&[2, 4, 12, 13, 14, 15], 1)] {
        for (number, in_trailers) in statuses.iter().zip([true, false].into_iter().cycle()) {
            let mut proxy = Proxy::new(1, &policy(10, &json!({ "errors": "enforce" })))?;
            proxy.is_grpc = true;
            for _ in 0..4 {
                proxy.second(200, 2_000, |_, is_canary| {
                    rig::grpc(if is_canary { *number } else { 0 }, in_trailers)
                });
            }
            assert_eq!(proxy.trips(), [trips, 0, 0], "{number}");
        }
    }
    Ok(())
}

/// A request that Envoy had to try again, where the policy says so.
#[test]
fn a_retry_hides_a_failure_unless_the_policy_says_so() -> anyhow::Result<()> {
    for retries in [false, true] {
        let mut proxy = Proxy::new(1, &policy(10, &json!({ "errors": "enforce", "retries": retries })))?;
        for _ in 0..4 {
            proxy.second(200, 2_000, |_, is_canary| {
                let attempts = if is_canary { 2_i64 } else { 1 };
                Response::ok().property(&["upstream", "request_attempt_count"], attempts)
            });
        }
        assert_eq!(proxy.trips(), [u64::from(retries), 0, 0]);
    }
    Ok(())
}

#[test]
fn one_client_is_one_user() -> anyhow::Result<()> {
    for (rate, seconds) in [(50, 60), (2, 500)] {
        let mut proxy = Proxy::new(2, &policy(10, &json!({ "errors": "enforce" })))?;
        let user = proxy.user_of_the_canary();
        for _ in 0..seconds {
            for request in 0..rate {
                proxy.ask(request % 2, &user, &error);
            }
            proxy.second(20, 2_000, |_, _| Response::ok());
        }
        assert_eq!(proxy.trips(), [0; 3]);
        // It is one of a hundred there, so the shares differ; but it is one.
        assert_eq!(proxy.value("rollback_state"), Some(2));
        assert_eq!(proxy.lines("suspect"), 1);
    }
    Ok(())
}

#[test]
fn users_that_nobody_can_tell_apart_are_counted_as_requests() -> anyhow::Result<()> {
    let mut random = policy(10, &json!({ "errors": "enforce" }));
    random["splits"][0]["key"] = json!([]);
    random["splits"][0]["onMissingKey"] = json!("random");
    let mut proxy = Proxy::new(2, &random)?;
    for _ in 0..20 {
        proxy.second(200, 2_000, |chance, _| if chance.percent() < 20 { error() } else { Response::ok() });
    }
    assert_eq!(proxy.trips(), [0; 3]);
    let off =
        proxy.until_off(10, 200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() });
    assert!(off.is_some());
    Ok(())
}

/// Requests that key and weight did not decide say nothing: they are not the same people.
#[test]
fn only_what_weight_decided_counts() -> anyhow::Result<()> {
    let mut chosen = policy(10, &json!({ "errors": "enforce" }));
    chosen["splits"][0]["override"] = json!({ "header": "x-canary" });
    let mut proxy = Proxy::new(1, &chosen)?;
    proxy.header = Some(("x-canary", "always"));
    for _ in 0..5 {
        assert_eq!(
            proxy.second(200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() }),
            200
        );
    }
    assert_eq!((proxy.trips(), proxy.value("rollback_state")), ([0; 3], Some(1)));
    // And who may choose still gets to a canary that is off.
    proxy.header = None;
    assert!(
        proxy
            .until_off(5, 200, 2_000, |_, is_canary| if is_canary { error() } else { Response::ok() })
            .is_some()
    );
    let user = proxy.user_of_the_canary_by_weight();
    let turned = proxy.outcome(0, &user, &Response::ok);
    assert_eq!(turned.property_text("narrows_rollback").as_deref(), Some("canary"));
    assert_eq!(turned.property_text("narrows_backend").as_deref(), Some("stable"));
    assert_eq!(proxy.value("rolled_back_total"), Some(1));
    proxy.header = Some(("x-canary", "always"));
    let chosen = proxy.outcome(0, &user, &Response::ok);
    assert_eq!(chosen.property_text("narrows_backend").as_deref(), Some("canary"));
    assert_eq!(chosen.property_text("narrows_rollback"), None);
    Ok(())
}

#[test]
fn report_says_so_and_switches_nothing_off() -> anyhow::Result<()> {
    let mut proxy = Proxy::new(2, &policy(10, &json!({})))?;
    let fails = |_: &mut rig::Chance, is_canary: bool| if is_canary { error() } else { Response::ok() };
    for _ in 0..5 {
        assert!(proxy.second(200, 2_000, fails) > 0);
    }
    assert_eq!((proxy.value("rollback_state"), proxy.trips()), (Some(3), [1, 0, 0]), "once");
    assert_eq!(proxy.lines("which is only reported"), 1);
    // What was found under `report` is found anew under `enforce`.
    proxy.push(&policy(10, &json!({ "errors": "enforce" })));
    assert!(proxy.is_on());
    assert!(proxy.until_off(5, 200, 2_000, fails).is_some());
    Ok(())
}

/// What a request costs: the time, twice, and of a canary's the number that are open.
#[test]
fn what_it_costs() -> anyhow::Result<()> {
    let count = |proxy: &mut Proxy, user: &str| {
        let outcome = proxy.outcome(0, user, &Response::ok);
        let of = |call| outcome.work.count(call);
        [of("proxy_get_current_time_nanoseconds"), of("proxy_get_shared_data"), of("proxy_get_property")]
    };
    let mut without = policy(10, &json!({}));
    without["splits"][0].as_object_mut().unwrap().remove("rollback");
    let [mut with, mut without] = [Proxy::new(1, &policy(10, &json!({})))?, Proxy::new(1, &without)?];
    for proxy in [&mut with, &mut without] {
        let canary = proxy.user_of_the_canary();
        proxy.outcome(0, &canary, &Response::ok);
    }
    let canary = with.user_of_the_canary();
    // Code and cluster, and the time at both ends; with a rollback the flags too, and when the response began.
    assert_eq!(count(&mut without, "user-0"), [2, 0, 2]);
    assert_eq!(count(&mut with, "user-0"), [3, 0, 3]);
    assert_eq!(count(&mut without, &canary), [2, 0, 3]);
    assert_eq!(count(&mut with, &canary), [3, 0, 4]);
    Ok(())
}
