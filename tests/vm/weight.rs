//! What a policy may take, it takes at most: the worst policies within the limits, in real modules.
//!
//! Each is made as large as its filter takes it, by halving. Then the module's memory is what the
//! limits promise, nothing traps, and the next larger one is refused by its weight, with a remedy.

mod worst;

use narrows_core::limits;
use narrows_runners::Filter;
use narrows_tests::filters;
use narrows_vm::{Module, Plugin, Vm, VmOptions};
use serde_json::{Value, json};

use worst::{WORST, Worst};

/// What a VM may take for one policy, the policy as written and as read included.
const MOST: usize = 64 * 1024 * 1024;

#[test]
fn the_heaviest_policies_fit_and_heavier_ones_are_refused() -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    for Worst { filter, name, most, policy } in WORST {
        let module = Module::load(Filter::named(filter)?.wasm()?)?;
        let load = |count: usize| -> anyhow::Result<(bool, usize, String)> {
            let mut vm = Vm::new(&module, VmOptions::default())?;
            let text = policy(count).to_string();
            let plugin = vm.configure(Plugin::new("narrows", &text));
            let logs = plugin.work.logs.iter().map(|log| log.text.as_str()).collect::<Vec<_>>().join("\n");
            anyhow::ensure!(vm.trap().is_none(), "{filter}, {name}, {count}: {:?}", vm.trap());
            Ok((logs.contains("policy loaded"), vm.memory_bytes(), logs))
        };
        let (mut taken, mut refused) = (0, most + 1);
        let mut peak = 0;
        let mut said = String::new();
        // As many as there may be, or else by halving to within a tenth.
        let mut next = *most;
        loop {
            let (loaded, memory, logs) = load(next)?;
            peak = peak.max(memory);
            if loaded {
                taken = next;
            } else {
                refused = next;
                said = logs;
            }
            if refused - taken <= 1 + taken / 10 {
                break;
            }
            next = taken.midpoint(refused);
        }
        println!("{filter:14} {name:32} {taken:>6} of {most:>6}, {:>6} KiB", peak / 1024);
        if peak > MOST {
            wrong.push(format!("{filter}, {name}: {peak} bytes"));
        }
        if taken == 0 {
            wrong.push(format!("{filter}, {name}: refused in any size: {said}"));
        }
        let is_named = ["NRW112", "NRW106"].iter().any(|code| said.contains(code));
        if refused <= *most && !is_named {
            wrong.push(format!("{filter}, {name}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_no_policy_takes_little_and_is_told_shortly() -> anyhow::Result<()> {
    let long = "x".repeat(4_000_000);
    let texts = [
        ("blanks", " ".repeat(10_000_000), "bytes"),
        ("too long", format!("{{\"rules\":[],\"a\":\"{}\"}}", "x".repeat(limits::POLICY_BYTES)), "bytes"),
        ("a long field", format!("{{\"{long}\":1}}"), "bytes"),
        ("a long name", json!({ "rules": [{ "name": long }] }).to_string(), "bytes"),
        ("many fields", format!("{{{}}}", (0..300_000).map(|n| format!("\"{n}\":1")).collect::<Vec<_>>().join(",")), "MiB"),
        ("many values", format!("{{\"rules\":[{}0]}}", "0,".repeat(2_000_000)), "MiB"),
        ("many lists", format!("{{\"rules\":[{}0]}}", "[],".repeat(1_300_000)), "MiB"),
        ("long names", json!({ "rules": (0..60).map(|_| json!({ "name": "\u{1}".repeat(10_000) })).collect::<Vec<_>>() }).to_string(), "NRW108"),
        ("long unknown fields", format!("{{{}}}", (0..60).map(|n| format!("\"{n}{}\":1", "y".repeat(60_000))).collect::<Vec<_>>().join(",")), "NRW101"),
        ("a long host", json!({ "rules": [{ "name": "a", "matches": [{ "hosts": ["!".repeat(60_000)] }] }] }).to_string(), "NRW5"),
    ];
    for filter in ["header-router", "egress-policy"] {
        let module = Module::load(Filter::named(filter)?.wasm()?)?;
        for (name, text, word) in &texts {
            if filter != "header-router" && name.ends_with("host") {
                continue;
            }
            let mut vm = Vm::new(&module, VmOptions::default())?;
            let work = vm.configure(Plugin::new("narrows", text)).work;
            anyhow::ensure!(vm.trap().is_none(), "{name}: {:?}", vm.trap());
            let logs: Vec<_> = work.logs.iter().map(|log| log.text.as_str()).collect();
            let all = logs.join("\n");
            println!("{filter} {name:20} {:>6} KiB, {:>6} bytes of log", vm.memory_bytes() / 1024, all.len());
            assert!(all.contains("rejected") && all.contains(word), "{name}: {all}");
            assert!(logs.iter().all(|line| line.len() < 1_200), "{name}: {all}");
            assert!(vm.memory_bytes() <= MOST, "{name}: {} bytes", vm.memory_bytes());
        }
    }
    Ok(())
}

/// The faults that one refusal names.
const FAULTS: usize = 20;

/// However many faults a policy has, and wherever they are.
#[test]
fn a_refusal_names_twenty_faults_at_most() -> anyhow::Result<()> {
    let unknown = |count: usize| (0..count).map(|n| (format!("field-{n}"), json!(1))).collect::<Value>();
    let rules = |count: usize| (0..count).map(|_| json!({ "nmae": "r", "nwae": "s" })).collect::<Value>();
    for (filter, _) in filters() {
        let module = Module::load(Filter::named(filter)?.wasm()?)?;
        let refused = |policy: &Value| -> anyhow::Result<usize> {
            let mut vm = Vm::new(&module, VmOptions::default())?;
            let plugin = Plugin { root_id: filter.to_owned(), ..Plugin::new("narrows", policy.to_string()) };
            let logs = vm.configure(plugin).work.logs;
            let faults = logs.iter().filter(|log| log.text.contains("policy rejected: error[")).count();
            // Beside them one line says what follows.
            assert_eq!(logs.len(), faults + 1, "{filter}: {logs:?}");
            Ok(faults)
        };
        for count in [1, FAULTS - 1, FAULTS, FAULTS + 1, 500] {
            assert_eq!(refused(&unknown(count))?, count.min(FAULTS), "{filter}: {count} unknown fields");
        }
        let parts = ["router", "lanes", "split", "tags", "egress"];
        let parts = parts.map(|part| (part.to_owned(), unknown(15)));
        let lists = ["rules", "splits", "metrics"].map(|list| (list.to_owned(), rules(500)));
        let both: Value = parts.iter().chain(&lists).cloned().collect();
        let [parts, lists]: [Value; 2] = [parts.into_iter().collect(), lists.into_iter().collect()];
        for (what, policy) in [("parts", parts), ("lists", lists), ("both", both)] {
            let faults = refused(&policy)?;
            println!("{filter}, {what}: {faults}");
            assert!((1..=FAULTS).contains(&faults), "{filter}, {what}: {faults}");
        }
        // What is a list of the filter's has more than are named.
        let list = [("header-router", "rules"), ("egress-policy", "rules"), ("canary-split", "splits")];
        let list = list.into_iter().chain([("metric-tags", "metrics")]).find(|(of, _)| *of == filter);
        if let Some((_, list)) = list {
            assert_eq!(refused(&json!({ list: rules(16) }))?, FAULTS, "{filter}: {list}");
        }
    }
    Ok(())
}
