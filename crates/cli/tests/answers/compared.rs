//! `diff` never says that nobody is concerned where somebody may be.

mod merged;

use std::fs;

use super::{directory, narrows};

const SPLIT: &str = "filter: canary-split
trust: mesh
splits:
  - name: stock
    service: stock.shop
    key: [{ header: x-user-id }]
    onMissingKey: canary
    override: { header: x-canary }
    include: [{ backend: canary, matches: [{ headers: { x-beta: { exact: '1' } } }] }]
    backends:
      - { name: stable, baseline: true }
      - { name: canary, authority: stock-canary, weight: 5 }
";

/// The exit code and the output where a text of the old policy is replaced.
fn diff(place: &str, old: &str, (replace, with): (&str, &str), options: &[&str]) -> (Option<i32>, String) {
    let here = directory(place);
    assert!(old.contains(replace), "{replace}");
    fs::write(here.join("old.yaml"), old).unwrap();
    fs::write(here.join("new.yaml"), old.replacen(replace, with, 1)).unwrap();
    let requests =
        "- { authority: stock.shop, headers: ['x-beta: 1', 'x-user-id: a'] }\n- { authority: stock.shop }
- { authority: stock.shop, headers: ['x-canary: always', 'x-user-id: a'] }\n";
    fs::write(here.join("requests.yaml"), requests).unwrap();
    let (code, output, errors) = narrows(&here, &[&["diff", "old.yaml", "new.yaml"], options].concat());
    (code, output + &errors)
}

#[test]
fn what_chooses_whatever_the_bucket_may_send_users_back() {
    let include = "    include: [{ backend: canary, matches: [{ headers: { x-beta: { exact: '1' } } }] }]\n";
    for (replace, with, lost) in [
        ("    onMissingKey: canary\n", "", 1),
        (include, "", 1),
        ("    override: { header: x-canary }\n", "", 1),
        (
            "    backends",
            "    exclude: [{ matches: [{ headers: { x-beta: { exact: '1' } } }] }]\n    backends",
            1,
        ),
        ("    key:", "    matches: [{ path: { exact: /nowhere } }]\n    key:", 3),
        ("trust: mesh\n", "", 1),
    ] {
        let (code, output) = diff("chooses", SPLIT, (replace, with), &[]);
        assert_eq!(code, Some(1), "{with}{output}");
        assert!(output.contains("someone may be sent back\n") && !output.contains("nobody is"), "{output}");
        assert_eq!(diff("chooses", SPLIT, (replace, with), &["--allow-back"]).0, Some(0));
        let (code, output) = diff("chooses", SPLIT, (replace, with), &["--requests", "requests.yaml"]);
        assert_eq!(code, Some(1), "{with}{output}");
        assert!(output.contains(&format!("{lost}  taken off a canary\n")), "{replace}{output}");
        assert!(output.contains("someone is taken off a canary\n"), "{replace}{output}");
    }
    // Without a weight, only these have users on the canary.
    let unweighted = SPLIT.replace("weight: 5", "weight: 0");
    for (replace, with) in
        [("trust", "mode: 'off'\ntrust"), ("stock-canary", "stock-next"), ("name: stock", "name: other")]
    {
        let (code, output) = diff("chosen", &unweighted, (replace, with), &[]);
        assert!(code == Some(1) && output.contains("someone may be sent back\n"), "{with}{output}");
    }
    let idle = unweighted.replace("    onMissingKey: canary\n", "").replace(include, "");
    let idle = idle.replace("    override: { header: x-canary }\n", "");
    for (old, replace, with) in [
        (&*idle, "stock.shop", "stock.books"),
        (SPLIT, "weight: 5", "weight: 6"),
        (&idle, "weight: 0", "weight: 9"),
    ] {
        let (code, output) = diff("chosen", old, (replace, with), &["--requests", "requests.yaml"]);
        assert!(code == Some(0) && output.contains("nobody is sent back\n"), "{with}{output}");
    }
}

#[test]
fn a_new_split_takes_requests_of_those_behind_it() {
    let before = "splits:\n  - name: first\n    service: stock.shop\n    key: [{ header: x-user-id }]
    backends: [{ name: stable, baseline: true }, { name: canary, to: v3, weight: 1 }]\n";
    let (code, output) = diff("before", SPLIT, ("splits:\n", before), &[]);
    assert!(code == Some(1) && output.contains("someone may be sent back\n"), "{output}");
    assert!(output.contains("a request that fits both stock and first is now one of first"), "{output}");
    let other = before.replace("stock.shop", "orders.shop");
    assert_eq!(diff("before", SPLIT, ("splits:\n", &other), &[]).0, Some(0));
}

/// Two splits, each with users on its canary.
const TWO: &str = "filter: canary-split
splits:
  - name: one
    hosts: [a.example, c.example]
    key: [{ header: x-user-id }]
    include: [{ backend: canary, matches: [{ headers: { x-beta: { in: ['1', '2'] } } }] }]
    exclude: [{ matches: [{ headers: { x-plan: { exact: gold } } }] }]
    override: { header: x-canary }
    backends: [{ name: stable, baseline: true }, { name: canary, to: v2, weight: 5 }]
  - name: two
    hosts: [www.b.example]
    key: [{ header: x-user-id }]
    backends: [{ name: stable, baseline: true }, { name: canary, to: v2, weight: 5 }]
";

#[test]
fn what_says_the_same_or_takes_more_sends_nobody_back() {
    let front = |host: &str| {
        format!(
            "splits:\n  - name: front\n    hosts: ['{host}']\n    key: [{{ header: x-user-id }}]
    backends: [{{ name: stable, baseline: true }}, {{ name: canary, to: v3, weight: 1 }}]\n"
        )
    };
    let gold = "    exclude: [{ matches: [{ headers: { x-plan: { exact: gold } } }] }]\n";
    let beta = "[{ headers: { x-beta: { in: ['1', '2'] } } }]";
    let free = "    exclude: [{ matches: [{ headers: { x-plan: { exact: free } } }] }]\n";
    let hosts = "[a.example, c.example]";
    for (replace, with, is_alarm) in [
        ("    override", "    onMissingKey: baseline\n    override", false),
        ("    override", "    onMissingKey: stable\n    override", false),
        ("splits:", "strip: []\ntrust: edge\ncallers: presented\nrestoreHost: false\nsplits:", false),
        ("splits:", "strip: [x-beta]\nsplits:", true),
        ("splits:", "trust: mesh\nsplits:", true),
        ("x-canary }", "x-canary, always: always, backend: canary }", false),
        ("x-canary }", "x-canary, always: sure }", true),
        ("x-canary }", "x-other }", true),
        (hosts, "[c.example, A.example.]", false),
        (hosts, "[a.example, c.example, d.example]", false),
        (hosts, "[a.example, c.example, www.b.example]", true),
        (hosts, "[a.example, c.example, '*.b.example']", true),
        (hosts, "['*']", true),
        (hosts, "[a.example]", true),
        (hosts, "[a.example, d.example]", true),
        ("['1', '2']", "['2', '1']", false),
        ("['1', '2']", "['2']", true),
        (beta, "[{ headers: { x-beta: { in: ['1', '2'] } } }, { path: { exact: / } }]", false),
        (beta, "[]", false),
        (beta, "[{ path: { exact: / } }]", true),
        (gold, "", false),
        (gold, free, true),
        ("splits:\n", &front("www.a.example"), false),
        ("splits:\n", &front("c.example"), true),
        ("splits:\n", &front("*.b.example"), true),
    ] {
        let (code, output) = diff("same", TWO, (replace, with), &[]);
        let last = if is_alarm { "someone may be sent back\n" } else { "nobody is sent back\n" };
        assert!(code == Some(i32::from(is_alarm)) && output.ends_with(last), "{replace} {with}{output}");
    }
    // Another canary would lose them.
    let three = TWO.replacen("weight: 5 }]", "weight: 5 }, { name: next, to: v3, weight: 5 }]", 1);
    let three = three.replace("    override: { header: x-canary }\n", "");
    let more = "[{ headers: { x-beta: { in: ['1', '2'] } } }, { path: { exact: / } }]";
    let (code, output) = diff("same", &three, (beta, more), &[]);
    assert!(code == Some(1) && output.ends_with("someone may be sent back\n"), "{output}");
}

#[test]
fn only_users_of_a_canary_are_taken_from_a_split_behind() {
    let head = "filter: canary-split\nsplits:\n";
    let split = |name: &str, fields: &str, weight: u32| {
        format!(
            "  - name: {name}\n{fields}    key: [{{ header: x-user-id }}]
    backends: [{{ name: stable, baseline: true }}, {{ name: canary, to: v2, weight: {weight} }}]\n"
        )
    };
    let asked = |fields: &str| split("behind", fields, 5);
    let front = split("front", "    hosts: [a.example]\n", 0);
    let host = "    hosts: [a.example]\n";
    let open = "    matches: [{ hosts: [b.example] }, { path: { exact: / } }]\n";
    let service = "    service: a.shop\n";
    for (behind, is_alarm) in [
        (asked(host), true),
        (asked(open), true),
        (asked("    hosts: [a.other]\n"), false),
        (asked("    service: b.shop\n"), false),
        (split("behind", host, 0), false),
        (asked(&format!("    mode: report\n{host}")), false),
        (split("behind", &format!("{host}    onMissingKey: canary\n"), 0), true),
        (split("behind", &format!("{host}    override: {{ header: x-c }}\n"), 0), true),
    ] {
        let old = format!("{head}{behind}");
        let (code, output) = diff("behind", &old, (head, &format!("{head}{front}")), &[]);
        assert_eq!(code, Some(i32::from(is_alarm)), "{behind}{output}");
    }
    // A caller may write a service without its namespace, or with more.
    for name in ["a", "a.shop.svc.cluster.local"] {
        let front = front.replace("a.example", name);
        let old = format!("{head}{}", asked(service));
        assert_eq!(diff("behind", &old, (head, &format!("{head}{front}")), &[]).0, Some(1), "{name}");
    }
    // One in front that has no users takes more than before.
    let old = format!("{head}{front}{}", asked("    hosts: [d.example]\n"));
    for (with, is_alarm) in [("[a.example, d.example]", true), ("[a.example, e.example]", false)] {
        let (code, output) = diff("behind", &old, ("[a.example]", with), &[]);
        assert_eq!(code, Some(i32::from(is_alarm)), "{with}{output}");
    }
    let off = old.replace("a.example]\n", "d.example]\n    mode: 'off'\n");
    assert_eq!(diff("behind", &off, ("    mode: 'off'\n", ""), &[]).0, Some(1));
}

#[test]
fn one_bucket_is_somebody() {
    let one = SPLIT
        .replace("weight: 5", "weight: 1")
        .replace("    backends", "    weightTotal: 1000000\n    backends");
    let one = one.replace("    onMissingKey: canary\n", "");
    for (replace, with) in [("    key:", "    salt: new\n    key:"), ("x-user-id", "x-user")] {
        let (code, output) = diff("bucket", &one, (replace, with), &[]);
        assert!(code == Some(1) && !output.contains("nobody"), "{output}");
        assert!(output.contains("canary -> stable        1 of 1000000"), "{output}");
    }
}

#[test]
fn a_mark_of_the_byte_order_is_no_part_of_a_key() {
    let output = |mark: &str| {
        let here = directory("mark");
        fs::write(here.join("old.yaml"), SPLIT).unwrap();
        fs::write(here.join("new.yaml"), SPLIT.replace("weight: 5", "weight: 100")).unwrap();
        let keys: String = (0..50).map(|n| format!("user-{n}\r\n")).collect();
        fs::write(here.join("keys.txt"), format!("{mark}{keys}")).unwrap();
        narrows(&here, &["diff", "old.yaml", "new.yaml", "--keys", "keys.txt"]).1
    };
    assert!(output("").contains("    user-0: stable -> canary\n"), "{}", output(""));
    assert_eq!(output("\u{feff}"), output(""));
}

#[test]
fn egress_policy_is_asked_about_all_that_a_policy_names() {
    let policy = |fields: &str| format!("filter: egress-policy\n{fields}\n");
    let rule = |from: &str, to: &str| {
        policy(&format!("default: deny\nrules: [{{ name: a, action: allow, from: {from}, to: {to} }}]"))
    };
    let host = "{ hosts: [a.example] }";
    let to = |to: &str| rule("{ namespaces: [shop] }", to);
    let open = |except: &str| policy(&format!("default: allow\ndenyPrivateAddresses: {except}"));
    for (old, new) in [
        (rule("{ workloads: [checkout] }", host), rule("{ workloads: [web] }", host)),
        (
            rule("{ workloads: [web], namespaces: [a] }", host),
            rule("{ workloads: [web], namespaces: [b] }", host),
        ),
        (
            rule("{ workloads: [web], principals: ['spiffe://my.domain/*'] }", host),
            rule("{ workloads: [web], principals: ['spiffe://my.domain/ns/a/*'] }", host),
        ),
        (rule("{ workloads: [web] }", host), rule("{ workloads: [web], notNamespaces: [a] }", host)),
        (open("{ except: [192.168.50.10] }"), open("true")),
        (open("{ except: [10.1.0.0/16] }"), open("{ except: [10.1.0.0/17] }")),
        (open("{ except: ['fd00::/16'] }"), open("{ except: ['fd00::/17'] }")),
        (to("{ cidrs: [203.0.113.0/24] }"), to("{ cidrs: [203.0.113.0/28] }")),
        (to("{ hosts: [a.example], methods: [GET] }"), to(host)),
        (to("{ hosts: [a.example], ports: [443] }"), to(host)),
        (to("{ hosts: [a.example], paths: [{ exact: / }] }"), to(host)),
    ] {
        for (old, new) in [(&old, &new), (&new, &old)] {
            let (code, output) = diff("egress", old, (old, new), &[]);
            assert!(code == Some(1) && output.contains("newly "), "{old}{new}{output}");
        }
        assert_eq!(diff("egress", &old, ("filter", "filter"), &[]), (Some(0), "no difference\n".to_owned()));
    }
    // Two rules decide on one caller, each by another name of it.
    let denied = "{ name: b, action: deny, from: { namespaces: [shop] } }, ";
    let rules = "default: deny\nrules: [{ name: a, action: allow, from: { workloads: [web] }, to: { hosts: [a.example] } }]";
    let old = policy(&rules.replace("[{ name: a", &format!("[{denied}{{ name: a")));
    let (code, output) = diff("egress", &old, (denied, ""), &[]);
    assert!(code == Some(1) && output.contains("the workload web of the namespace shop"), "{output}");
}
