//! What an Envoy holds: with each form of the filters by workers, and with many rules.

use std::time::{Duration, Instant};

use narrows_harness::bootstrap::bootstrap;
use narrows_harness::client::Protocol;
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use serde_json::Value;

use super::chain::{Behind, Chain, End};
use super::form::Modules;
use super::load::Load;
use super::ours::{COUNTS, parts};
use super::policies::{FEW, request, router};
use super::processor;
use super::section::READY_WITHIN;

pub(super) const WORKERS: [u32; 3] = [1, 2, 4];

/// Memory that forms add to an Envoy without a filter, in KiB.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// By name of the form, and by workers.
    pub(super) forms: Vec<(String, [i64; 3])>,
    /// By number of rules, with one worker: over an Envoy without a filter, and the time until it is ready.
    pub(super) rules: Vec<(usize, i64, Duration)>,
    /// An Envoy without a filter, by workers.
    pub(super) bare: [i64; 3],
}

/// Reads the memory of Envoys that have served a few requests.
pub(super) fn measure(modules: &Modules) -> anyhow::Result<Memory> {
    let bare = by_workers(&[])?;
    let mut forms = Vec::new();
    for (name, filters) in forms_of(modules) {
        let held = by_workers(&filters)?;
        forms.push((modules.named(name), [held[0] - bare[0], held[1] - bare[1], held[2] - bare[2]]));
    }
    let mut rules = Vec::new();
    for count in COUNTS {
        let (held, ready) = lowest(&modules.apart("memory", &[("header-router", router(count))]), 1)?;
        rules.push((count, held - bare[0], ready));
    }
    Ok(Memory { forms, rules, bare })
}

pub(super) const ONE: &str = "header-router";
pub(super) const TOGETHER: &str = "four on one module";

fn forms_of(modules: &Modules) -> Vec<(&'static str, Vec<Value>)> {
    let [router, ..] = parts();
    let forms = [
        (ONE, Some(modules.apart("memory", &[router]))),
        ("four modules", Some(modules.apart("memory", &parts()))),
        (TOGETHER, modules.together("memory", &parts())),
        ("one plugin", modules.merged("memory", &parts())),
    ];
    forms.into_iter().filter_map(|(name, filters)| Some((name, filters?))).collect()
}

fn by_workers(filters: &[Value]) -> anyhow::Result<[i64; 3]> {
    let [one, two, four] = WORKERS;
    Ok([lowest(filters, one)?.0, lowest(filters, two)?.0, lowest(filters, four)?.0])
}

/// The lower of two Envoys: what is held by chance only adds.
fn lowest(filters: &[Value], workers: u32) -> anyhow::Result<(i64, Duration)> {
    let (first, second) = (held(filters, workers)?, held(filters, workers)?);
    Ok((first.0.min(second.0), first.1.min(second.1)))
}

fn held(filters: &[Value], workers: u32) -> anyhow::Result<(i64, Duration)> {
    let chain = Chain::new("memory", filters.to_vec(), request(FEW - 1), End::Canary);
    let listener = chain.listener("http", Behind::Nothing);
    let options = EnvoyOptions {
        concurrency: workers,
        log_level: "warning".to_owned(),
        ready_within: READY_WITHIN,
        ..EnvoyOptions::named("memory")
    };
    let begun = Instant::now();
    let envoy = Envoy::start(bootstrap(&[listener], &[]), options)?;
    let ready = begun.elapsed();
    let end = if filters.is_empty() { End::Stable } else { End::Canary };
    for _ in 0..CONNECTIONS {
        Load::to(envoy.listener("http")?, &Chain { end, ..chain.clone() }, Protocol::Http1, Behind::Nothing)?
            .send(REQUESTS)?;
    }
    Ok((i64::try_from(processor::resident(envoy.pid())?)?, ready))
}

/// Enough that every worker gets some.
const CONNECTIONS: u32 = 16;
const REQUESTS: u32 = 20;
