//! The `.wasm`'s runner, in the stand-in for Envoy.

use narrows_cases::bytes::header_line;
use narrows_cases::{Case, File, Runner, Send};
use narrows_harness::form::{Attached, Form};
use narrows_model::{Observed, Reply, arrives, disagreements, plain, seen};
use narrows_vm::{Exchange, Module, Outcome, Plugin, Proxy, Response, Vm, VmOptions};

use crate::filter::Filter;

/// Runs a file's cases in a form; returns the disagreements.
pub fn run(file: &File, form: Form) -> anyhow::Result<Vec<String>> {
    let filter = Filter::named(&file.filter)?;
    let attached = |policy: &str| filter.attached(form, policy).map(|(_, attached)| attached);
    let plugin = |policy: &str| {
        let Attached { root_id, policy, .. } = attached(policy)?;
        anyhow::Ok(Plugin { root_id: root_id.to_owned(), ..Plugin::new("narrows", policy) })
    };
    let module = &Module::load(attached(&file.policy)?.wasm)?;
    let mut wrong = Vec::new();
    let mut note = |name: &str, what: String| wrong.push(format!("{} [wasm] {name}: {what}", file.label()));
    let options = VmOptions { vm_configuration: file.vm.clone().into_bytes(), ..VmOptions::default() };
    for refused in &file.refused {
        let mut vm = Vm::new(module, options.clone())?;
        let configured = vm.configure(plugin(&refused.policy.to_string())?);
        let code = refused.fault.split(' ').next().unwrap_or_default();
        if configured.accepted || !configured.work.logged(code) {
            note(
                &refused.name,
                format!("accepted: {}; log: {:?}", configured.accepted, configured.work.logs),
            );
        }
    }
    let mut vm = Vm::new(module, options.clone())?;
    let configured = plugin(&file.policy)?;
    let plugin = vm.configure(configured.clone());
    if !plugin.accepted {
        note("the policy", format!("refused: {:?}", plugin.work.logs));
        return Ok(wrong);
    }
    for case in file.cases_for(Runner::Wasm) {
        // The time of a proxy does not run back, so each moment has a proxy of its own. And so has a case in
        // which requests are remembered.
        let mut own;
        let is_apart = case.send.at.is_some() || case.send.direction.is_some();
        let vm = if is_apart {
            own = Vm::new(module, VmOptions { proxy: proxy(case.send.at), ..options.clone() })?;
            own.configure(configured.clone());
            &mut own
        } else {
            &mut vm
        };
        for lines in &case.send.came_in {
            vm.request(plugin.root, sent(&Send::earlier(lines)), |_| Response::ok());
        }
        let outcome = vm.request(plugin.root, exchange(case), |_| answer(case));
        if let Some(trap) = &outcome.work.trap {
            note(&case.name, format!("trapped: {trap}"));
            break;
        }
        for hazard in &outcome.hazards {
            note(&case.name, format!("hazard: {hazard}"));
        }
        for what in disagreements(&case.expect, &observed(outcome)) {
            note(&case.name, what);
        }
    }
    Ok(wrong)
}

/// A proxy of its own, whose clock shows this moment.
fn proxy(at: Option<u64>) -> Proxy {
    let proxy = Proxy::default();
    if let Some(at) = at {
        proxy.clock.set_nanos(at.saturating_mul(1_000_000_000));
    }
    proxy
}

/// A case's request as it reaches the filter.
pub fn exchange(case: &Case) -> Exchange {
    sent(&case.send)
}

fn sent(send: &Send) -> Exchange {
    let mut exchange = Exchange::new(arrives(send)).body(&send.body);
    let address = send.source.address.as_deref().unwrap_or("127.0.0.1:50000");
    exchange.properties.set(&["source", "address"], address);
    if let Some(principal) = &send.source.principal {
        exchange.properties.set(&["connection", "uri_san_peer_certificate"], principal.as_str());
        exchange.properties.set(&["connection", "mtls"], true);
        exchange.properties.set(&["connection", "peer_certificate_valid"], send.source.verified);
    }
    if let Some(direction) = send.direction {
        exchange.properties.set(&["xds", "listener_direction"], direction.number());
    }
    if let Some(metadata) = send.metadata() {
        exchange.properties.set(&["metadata"], metadata);
    }
    if let Some(stripped) = &send.stripped {
        exchange = exchange.state("wasm.narrows_stripped", stripped);
    }
    exchange
}

/// What a case's upstream answers.
pub fn answer(case: &Case) -> Response {
    let lines = case.answer.headers.iter().map(|line| header_line(line));
    let response = lines
        .fold(Response::status(case.answer.status), |response, (name, value)| response.header(name, value));
    response.cluster("echo")
}

fn observed(outcome: Outcome) -> Observed {
    let response = outcome.response.unwrap_or_default();
    let state = outcome.filter_state.iter().filter_map(|(key, value)| {
        let key = std::str::from_utf8(key).ok()?.strip_prefix("wasm.")?;
        Some((key.to_owned(), value.to_vec()))
    });
    let mut observed = Observed {
        upstream: outcome.reached_upstream.then(|| seen(&outcome.request)),
        answer: Reply {
            status: response.text(":status").and_then(|status| status.parse().ok()).unwrap_or(0),
            headers: plain(&response),
            body: outcome.response_body,
        },
        state: state.collect(),
        ..Observed::default()
    };
    for change in &outcome.work.metrics {
        let name = change.name.to_string();
        let moved = outcome.work.added(&name);
        observed.counts.insert(name, moved);
    }
    observed
}
