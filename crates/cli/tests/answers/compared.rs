//! `diff` never says that nobody is concerned where somebody may be.

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

#[test]
fn a_merged_policy_that_loses_its_splits_sends_users_back() {
    let split = SPLIT.split_once("splits:").unwrap().1.replace('\n', "\n  ");
    let old = format!("filter: narrows\ntrust: mesh\nsplit:\n  splits:{}\n", split.trim_end());
    let (code, output) = diff("merged", &old, (&old, "filter: narrows\ntrust: mesh\n"), &[]);
    assert!(code == Some(1) && output.contains("someone may be sent back\n"), "{output}");
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
