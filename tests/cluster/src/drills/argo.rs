//! Argo Rollouts sets the weight: a version rises in steps, the next one fails and is taken back, another one rises.

use std::collections::BTreeSet;

use anyhow::ensure;
use narrows_harness::wait;

use super::rollouts::{Rollouts, SERVICE};
use super::service::settle;
use crate::cluster::{Cluster, PATIENCE};

/// The steps of the example.
const STEPS: [u64; 3] = [10, 30, 100];
/// How often a proxy has found the canary worse.
const ROLLBACKS: &str = "narrows_split_rollbacks_total";

pub(super) fn run(cluster: &Cluster) -> anyhow::Result<String> {
    let rollouts = Rollouts::open(cluster)?;
    ensure!(SERVICE.written(cluster)? == (0, 1), "the policy has changed before the first rollout");
    let rose = rises(&rollouts, "v2", 2)?;
    let fell = is_taken_back(&rollouts, "v3", "v2")?;
    let again = rises(&rollouts, "v4", 4)?;
    rollouts.close()?;
    Ok(format!("v2: {rose}; v3: {fell}; v4: {again}"))
}

/// Step by step, under load: exactly the users of the policy, nobody goes back, no request is lost.
fn rises(rollouts: &Rollouts<'_>, version: &str, generation: u64) -> anyhow::Result<String> {
    let cluster = rollouts.cluster;
    let load = SERVICE.caller(cluster).load(&SERVICE.requests(), 8)?;
    rollouts.bring(version, 200)?;
    let mut before = BTreeSet::new();
    let mut shares = Vec::new();
    // Each weight is a step, and the pause after it.
    for (pause, weight) in (1..).step_by(2).zip(STEPS) {
        rollouts.until_weight(weight)?;
        ensure!(
            SERVICE.written(cluster)? == (weight, generation),
            "{:?} is written",
            SERVICE.written(cluster)?
        );
        let chosen = SERVICE.chosen(cluster, &SERVICE.policy(cluster)?.to_string())?;
        ensure!(chosen.is_superset(&before) && chosen.len() > before.len(), "somebody goes back at {weight}");
        settle(&chosen, || SERVICE.served_by(cluster, version))?;
        shares.push(chosen.len().to_string());
        before = chosen;
        rollouts.promote(pause)?;
    }
    rollouts.until("the version to be promoted", |status| status.phase == "Healthy")?;
    rollouts.until_weight(0)?;
    let everybody = (0..SERVICE.users).collect();
    settle(&everybody, || SERVICE.served_by(cluster, version))?;
    let seen = load.end()?;
    seen.none_lost()?;
    Ok(format!("{} of {} users, {} requests, 0 failed", shares.join(", "), SERVICE.users, seen.requests))
}

/// A version that answers 500: the proxy switches it off while the Rollout is still at its first step. The analysis
/// then ends the Rollout, and the weight is 0.
fn is_taken_back(rollouts: &Rollouts<'_>, version: &str, stable: &str) -> anyhow::Result<String> {
    let cluster = rollouts.cluster;
    let before = SERVICE.series(cluster, ROLLBACKS)?;
    let load = SERVICE.caller(cluster).load(&SERVICE.requests(), 8)?;
    rollouts.bring(version, 500)?;
    wait::until("the proxy to find the canary worse", PATIENCE, || {
        Ok((SERVICE.series(cluster, ROLLBACKS)? > before).then_some(()))
    })?;
    let everybody = (0..SERVICE.users).collect();
    settle(&everybody, || SERVICE.served_by(cluster, stable))?;
    ensure!(
        SERVICE.written(cluster)? == (STEPS[0], 3),
        "the policy says {:?} when the proxy has switched the canary off",
        SERVICE.written(cluster)?
    );
    let status = rollouts.until("the Rollout to be aborted", |status| status.phase == "Degraded")?;
    ensure!(
        status.message.contains("\"switched-off\" assessed Failed"),
        "aborted for another reason: {}",
        status.message
    );
    rollouts.until_weight(0)?;
    let seen = load.end()?;
    let by_canary = seen.answers_of(version);
    ensure!(
        by_canary > 0 && seen.failed == by_canary,
        "others have failed than the canary's: {}",
        seen.report
    );
    Ok(format!("off at step {}, aborted; {by_canary} of {} requests failed", STEPS[0], seen.requests))
}
