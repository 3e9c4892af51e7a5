//! A push with another `maxTraces`: lanes may be lost, and none is taken for another.

use narrows_vm::{Exchange, Plugin, Response};

use super::{POLICY, Workers};

/// Ids that come in under each policy; each has a lane of its own.
const EACH: usize = 100;
/// Those of them that are still being served when the next policy comes.
const OPEN: usize = 20;

fn policy(most: usize) -> String {
    POLICY.replace("\"ttl\": \"10s\"", &format!("\"ttl\": \"1h\", \"maxTraces\": {most}"))
}

fn push(workers: &mut Workers, policy: &str) {
    (0..workers.vms.len()).for_each(|worker| push_to(workers, worker, policy));
}

fn push_to(workers: &mut Workers, worker: usize, policy: &str) {
    let (vm, root) = &mut workers.vms[worker];
    let plugin = vm.configure(Plugin::new("lanes", policy));
    assert!(plugin.accepted, "{:?}", plugin.work.logs);
    *root = plugin.root;
}

fn lane_of(number: usize) -> String {
    format!("dev-{number}")
}

/// A request that comes in and is not answered yet: its worker, and its stream.
fn opens(workers: &mut Workers, number: usize) -> (usize, u32) {
    let worker = number % workers.vms.len();
    let (vm, root) = &mut workers.vms[worker];
    let exchange = Exchange::get("orders", "/").header("x-lane", lane_of(number));
    let mut exchange = exchange.header("x-request-id", number.to_string());
    exchange.properties.set(&["xds", "listener_direction"], 1_i64);
    (worker, vm.open(*root, exchange))
}

fn ends(workers: &mut Workers, (worker, stream): (usize, u32)) {
    let (vm, _) = &mut workers.vms[worker];
    vm.forward(stream, |_| Response::ok());
    assert_eq!(vm.close(stream).work.trap, None);
}

/// How many of these ids still have a lane. It is theirs on every worker.
fn found(workers: &mut Workers, numbers: std::ops::Range<usize>, most: usize) -> usize {
    let mut found = 0;
    for number in numbers {
        let id = number.to_string();
        for worker in 0..workers.vms.len() {
            let Some(lane) = workers.goes_out(worker, &[("x-request-id", &id)]) else { continue };
            assert_eq!(lane, lane_of(number), "the lane of {id}, under \"maxTraces\": {most}");
            found += 1;
        }
    }
    found
}

#[test]
fn another_size_loses_lanes_and_confuses_none() -> anyhow::Result<()> {
    let mut workers = Workers::new(2, &policy(2_000))?;
    let (mut next, mut open) = (0, Vec::new());
    for most in [2_000, 40, 1, 100_000, 33, 5_000, 64, 2_000] {
        push(&mut workers, &policy(most));
        let earlier = found(&mut workers, 0..next, most);
        // What began under the older policy ends under this one.
        for stream in std::mem::take(&mut open) {
            ends(&mut workers, stream);
        }
        let still = found(&mut workers, 0..next, most);
        for number in next..next + EACH {
            let stream = opens(&mut workers, number);
            if number < next + OPEN {
                open.push(stream);
            } else {
                ends(&mut workers, stream);
            }
        }
        let own = found(&mut workers, next..next + EACH, most);
        println!("maxTraces {most}: {earlier} and then {still} calls of {next} earlier ids, {own} of {EACH}");
        assert!(own > 0, "none is found under \"maxTraces\": {most}");
        // Later, what is left of other sizes takes places too.
        assert!(next > 0 || own == 2 * EACH, "{own} under \"maxTraces\": {most}");
        next += EACH;
        found(&mut workers, 0..next, most);
    }
    Ok(())
}

/// The ids have requests without a lane under the smaller size; then the first size is back.
fn nothing_comes_back(workers: &mut Workers) {
    let id = |number: usize| number.to_string();
    for number in 0..200 {
        workers.comes_in(number % 2, &[("x-request-id", &id(number))]);
    }
    push(workers, &policy(2_000));
    for number in 0..200 {
        let lane = workers.goes_out(number % 2, &[("x-request-id", &id(number))]);
        assert_eq!(lane, None, "{number} had a request without a lane");
    }
}

/// What an id has said is not forgotten for a time, and then known again.
#[test]
fn what_was_remembered_under_one_size_does_not_come_back_with_it() -> anyhow::Result<()> {
    let mut workers = Workers::new(2, &policy(2_000))?;
    let id = |number: usize| number.to_string();
    for number in 0..200 {
        workers.comes_in(number % 2, &[("x-lane", "gray"), ("x-request-id", &id(number))]);
    }
    push(&mut workers, &policy(40));
    nothing_comes_back(&mut workers);
    Ok(())
}

/// Nor what a worker has remembered that got the policy of another size later than the others.
#[test]
fn what_a_late_worker_remembered_does_not_come_back() -> anyhow::Result<()> {
    let mut workers = Workers::new(2, &policy(2_000))?;
    push_to(&mut workers, 0, &policy(40));
    let id = |number: usize| number.to_string();
    for number in 0..200 {
        workers.comes_in(1, &[("x-lane", "gray"), ("x-request-id", &id(number))]);
        assert_eq!(workers.goes_out(1, &[("x-request-id", &id(number))]).as_deref(), Some("gray"));
    }
    push_to(&mut workers, 1, &policy(40));
    nothing_comes_back(&mut workers);
    Ok(())
}
