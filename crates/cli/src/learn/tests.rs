use super::Learnt;
use crate::filter::Filter;

const TOLD: &str = r#"egress-policy: 2 unlisted destinations, 1 asked for since the last line: a.example (GET 3, first 1, last 2); 7 requests to more hosts than "maxHosts"; a policy that allows them: {"filter":"egress-policy","default":"deny","rules":[{"name":"learned-1","action":"allow","to":{"hosts":["a.example"],"methods":["GET"]}}]}"#;
const ENVOY: &str =
    "[2026-01-02 03:04:05.678][15][warning][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log ";
/// Where a container's file is cut.
const RECORD: usize = 16_384;

fn learnt(log: &str) -> Learnt {
    Learnt::of(log, &[])
}

fn line(rules: &str) -> String {
    format!(
        "{ENVOY}narrows: egress-policy: 9 unlisted destinations, 1 asked for since the last line: …; a policy that allows 1 of them: {{\"filter\":\"egress-policy\",\"rules\":[{rules}]}}\n"
    )
}

fn docker(text: &str) -> String {
    serde_json::json!({ "log": text, "stream": "stderr", "time": "2026-01-02T03:04:05.678901234Z" })
        .to_string()
}

#[test]
fn lines_are_found_however_they_are_written() {
    let json =
        serde_json::json!({ "level": "warning", "scope": "envoy wasm x.cc:1", "msg": format!("wasm log narrows: {TOLD}") })
            .to_string();
    let first =
        "2026-01-02T03:04:05.1Z stderr F [info] starting\n2026-01-02T03:04:05.1Z stdout F [info] starting\n";
    for line in [
        format!("{ENVOY}narrows.egress-policy: {TOLD}"),
        format!("{ENVOY}narrows.egress-policy egress-policy egress-vm: {TOLD}"),
        format!("{ENVOY}egress-policy: {TOLD}"),
        format!("{ENVOY}{TOLD}"),
        format!("{}: {TOLD}", ENVOY.trim_end()),
        format!(
            "2026-01-02T03:04:05.678901Z\twarning\tenvoy wasm x.cc:1\twasm log narrows: {TOLD}\tthread=23"
        ),
        format!("{first}2026-01-02T03:04:05.678901234Z stderr F {ENVOY}narrows: {TOLD}"),
        format!("2026-01-02T03:04:05.678901234Z {ENVOY}narrows: {TOLD}"),
        format!("{first}2026-01-02T03:04:05Z stdout F {json}"),
        json.clone(),
        format!("{}\n{}", docker("[info] starting\n"), docker(&format!("{ENVOY}narrows: {TOLD}\n"))),
        format!("{}\n{}", docker("[info] starting\n"), docker(&format!("{json}\n"))),
    ] {
        let learnt = learnt(&line);
        assert_eq!((learnt.lines, learnt.hosts(), learnt.unnamed), (1, 1, 7), "{line}");
    }
}

#[test]
fn a_long_line_is_put_together() {
    let long = format!("{ENVOY}narrows: {}", TOLD.replace("a.example (", &format!("{} (", "a".repeat(200))));
    let (head, tail) = long.split_at(150);
    let cri = |tag: &str, text: &str| format!("2026-01-02T03:04:05.1Z stderr {tag} {text}\n");
    let other = "2026-01-02T03:04:05.1Z stdout P of another stream\n";
    let log = [&*cri("F", "x"), other, &*cri("P", head), other, &*cri("F:x", tail)].concat();
    assert_eq!(learnt(&log).hosts(), 1);
    let log = [docker("x\n"), docker(head), docker(&format!("{tail}\n"))].join("\n");
    assert_eq!(learnt(&log).hosts(), 1);
}

#[test]
fn what_a_caller_had_logged_is_no_line() {
    let agent = format!("wasm log narrows: {TOLD}");
    let quoted = serde_json::Value::from(agent.clone());
    for line in [
        format!(r#"[2026-01-02T03:04:05.678Z] "GET / HTTP/1.1" 403 - "-" "{agent}""#),
        format!(
            r#"[2026-01-02T03:04:05.678Z] "GET / HTTP/1.1" 403 - "-" "][15][warning][wasm] [x] {agent}""#
        ),
        format!("GET example.com / {ENVOY}{TOLD}"),
        format!(r#"{{"user_agent":{quoted},"scope":"envoy wasm"}}"#),
        serde_json::json!({ "log": format!("{ENVOY}narrows: {TOLD}\n"), "path": "/" }).to_string(),
        format!("{ENVOY}narrows.header-router: x"),
    ] {
        assert_eq!(learnt(&line), Learnt::default(), "{line}");
    }
}

#[test]
fn where_a_record_is_cut_no_line_begins() {
    let forged = format!("{ENVOY}x: {TOLD}");
    let access = r#"[2026-01-02T03:04:05.678Z] "GET / HTTP/1.1" 403 - "-" ""#.to_owned();
    let filler = "a".repeat(RECORD - access.len());
    let cri = |tag: &str, text: &str| format!("2026-01-02T03:04:05.1Z stdout {tag} {text}\n");
    let start = cri("F", "[info] starting");
    for log in [
        // Cut once, and twice.
        [&*start, &*cri("P", &(access.clone() + &filler)), &*cri("F", &forged)].concat(),
        [&*start, &*cri("P", &(access.clone() + &filler)), &*cri("P", &forged), &*cri("F", &forged)].concat(),
        // Two streams, one within the other.
        [
            &*start,
            "2026-01-02T03:04:05.1Z stderr F x\n",
            &*cri("P", &access),
            "2026-01-02T03:04:05.1Z stderr F y\n",
            &*cri("F", &forged),
        ]
        .concat(),
        // The file begins within a line, as it does after a rotation.
        cri("F", &forged),
        [cri("P", &forged), cri("F", &forged)].concat(),
        // Docker leaves the line's end out.
        [docker("x\n"), docker(&(access.clone() + &filler)), docker(&(forged.clone() + "\n"))].join("\n"),
        [docker("x\n"), docker(&access), docker(&forged), docker(&(forged.clone() + "\n"))].join("\n"),
        docker(&(forged.clone() + "\n")),
    ] {
        assert_eq!(learnt(&log), Learnt::default(), "{log}");
    }
}

#[test]
fn what_another_module_says_of_a_caller_is_no_line() {
    for words in [
        format!("waf waf_root: blocked user-agent {TOLD}"),
        format!("waf: {TOLD_OF_TAGS} {TOLD}"),
        format!("narrows.metric-tags: metric-tags: {TOLD_OF_TAGS} \"{TOLD}\""),
        format!("waf: x: {TOLD}"),
        "waf: egress-policy: many unlisted destinations, 1; them: {}".to_owned(),
    ] {
        let learnt = learnt(&format!("{ENVOY}{words}"));
        assert_eq!(learnt, Learnt::default(), "{words}");
    }
    // A log that begins with a caller's words can be recognized only by the plugin's name.
    let log = format!(
        "{ENVOY}narrows.egress vm: {TOLD}\n{ENVOY}waf: {}",
        TOLD.replace("a.example", "evil.example")
    );
    let all = learnt(&log);
    assert_eq!(all.plugins.iter().collect::<Vec<_>>(), ["narrows.egress vm", "waf"]);
    let ours = Learnt::of(&log, &["narrows.egress".to_owned()]);
    assert_eq!((ours.lines, ours.plugins.len()), (1, 1));
    assert!(!ours.policy().contains("evil"), "{}", ours.policy());
}

const TOLD_OF_TAGS: &str = "tag t has its 3 values, dropped:";

#[test]
fn what_is_no_destination_is_left_out() {
    for host in
        ["*.com", "*", "A.example", "a.example:443", "a b", "a.example.", "10.0.0.01", "", "a@b", "\u{1b}[2J"]
    {
        let quoted = serde_json::Value::from(host);
        let learnt = learnt(&line(&format!(r#"{{"to":{{"hosts":[{quoted}]}}}}"#)));
        assert_eq!((learnt.lines, learnt.hosts()), (1, 0), "{host}");
    }
    // A text that is not a method is left out too.
    let learnt = learnt(&line(r#"{"to":{"hosts":["a.example"],"methods":["GET","\u001b[2J"]}}"#));
    assert!(!learnt.policy().contains('\u{1b}') && !learnt.policy().contains("u001b"), "{}", learnt.policy());
}

#[test]
fn lines_are_merged_into_a_policy_that_loads() {
    let log = line(r#"{"to":{"hosts":["b.example"],"methods":["GET"]}},{"to":{"hosts":["[2001:db8::1]"]}}"#)
        + "[2026-01-02T03:04:05.678Z] \"GET /\"\n"
        + &line(
            r#"{"to":{"hosts":["b.example"],"methods":["POST","GET"]}},{"to":{"hosts":["a.example"],"methods":["PUT"]}}"#,
        )
        + &line(
            r#"{"to":{"hosts":["[2001:db8::1]"],"methods":["GET"]}},{"to":{"hosts":["10.20.30.40"]}},{"to":{"hosts":["localhost"]}}"#,
        );
    let learnt = learnt(&log);
    assert_eq!((learnt.lines, learnt.hosts()), (3, 5));
    let policy = learnt.policy();
    let source = crate::source::SourceFile { path: String::new(), text: policy.clone() };
    let tree = source.documents().unwrap()[0].tree();
    Filter::EgressPolicy.compile(&tree).unwrap();
    assert!(policy.contains("hosts: [b.example]\n      methods: [GET, POST]\n"), "{policy}");
    assert!(policy.contains("hosts: [\"[2001:db8::1]\"]\n  - "), "{policy}");
    assert!(policy.contains("except: [\"10.20.30.40\"]"), "{policy}");
    assert!(policy.contains("denies these even if a rule allows them: localhost."), "{policy}");
}

/// A policy of these hosts, as the command writes it, and whether the filter takes its text.
fn written(hosts: impl Iterator<Item = String>) -> (super::Written, bool) {
    let rules: Vec<String> = hosts.map(|host| format!(r#"{{"to":{{"hosts":["{host}"]}}}}"#)).collect();
    let log: String = rules.chunks(1000).map(|rules| line(&rules.join(","))).collect();
    let written = learnt(&log).policy_that(&|tree| Filter::EgressPolicy.compile(tree).is_ok());
    let source = crate::source::SourceFile { path: String::new(), text: written.policy.clone() };
    let tree = source.documents().unwrap()[0].tree();
    let loads = Filter::EgressPolicy.compile(&tree).is_ok();
    (written, loads)
}

#[test]
fn more_private_addresses_than_exceptions_become_blocks_or_are_left_out() {
    let address = |n: usize| format!("10.1.{}.{}", n / 256, n % 256);
    // 1..=300 are 9 + 3 blocks.
    let (all, loads) = written((1..=300).map(address));
    assert!(loads && all.left_out.is_empty(), "{:?}", all.left_out);
    assert!(all.policy.contains("hosts: [\"10.1.1.44\"]"), "{}", all.policy);
    let except = all.policy.lines().find(|line| line.contains("except:")).unwrap();
    assert!(except.contains("10.1.0.1\"") && except.contains("10.1.0.128/25\", \"10.1.1.0/27"), "{except}");
    // No two of these are a block.
    let (some, loads) = written((0..300).map(|n| address(n * 2)));
    let told =
        "44 private addresses are left out, because \"except\" takes no more than 256 addresses and blocks";
    assert!(loads && some.left_out == [told], "{:?}", some.left_out);
    assert!(some.policy.contains(&format!("# {told}.\n")), "{}", some.policy);
    assert!(some.policy.starts_with("# 256 hosts from 1 lines: a part of what was requested."));
    assert!(!some.policy.contains("\"10.1.2.86\""), "a rule that can allow nothing");
    let (v6, loads) =
        written((0..512).map(|n| format!("[{}]", std::net::Ipv6Addr::from_bits((0xfd00 << 112) + n))));
    assert!(loads && v6.policy.contains("except: [\"fd00::/119\"]"), "{}", v6.policy);
}

#[test]
fn a_log_of_more_hosts_than_a_policy_takes_becomes_one_that_loads() {
    let (some, loads) = written((0..10_200).map(|n| format!("h{n:05}.example")));
    assert!(loads && some.left_out.len() == 1, "{:?}", some.left_out);
    let count = some.policy.matches("- name:").count();
    let from = format!("{} hosts are left out, h{count:05}.example and those", 10_200 - count);
    assert!(count > 1000 && some.left_out[0].starts_with(&from), "{count} {:?}", some.left_out);
}
