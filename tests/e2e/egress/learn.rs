//! What a client sends to hide an attempt is told, and so is the attempt.

use std::thread::sleep;
use std::time::Duration;

use narrows::learn::Learnt;
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_tests::Bench;

#[test]
fn junk_hides_no_host_and_no_private_address() {
    let policy = r#"{ "denyPrivateAddresses": true, "learn": { "maxHosts": 20, "logEvery": "5s" } }"#;
    let bench = Bench::fixed("egress-policy", policy).unwrap();
    let mut client = Connection::connect(bench.at).unwrap();
    let mut ask = |host: &str| {
        assert_eq!(client.exchange(&Request::get(host, "/")).unwrap().status, 403, "{host}");
    };
    for round in 0..15 {
        for number in 0..25 {
            ask(&format!("junk-{round}-{number}.example"));
        }
        ask("evil-1.example");
    }
    ask("10.20.30.40:9000");
    // The last of them wait for their line.
    let learnt = || Learnt::of(&bench.envoy.log(), &[]);
    for _ in 0..200 {
        if learnt().hosts() == 15 * 25 + 2 {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    let learnt = learnt();
    assert_eq!((learnt.hosts(), learnt.unnamed), (15 * 25 + 2, 0));
    let policy = learnt.policy();
    assert!(policy.contains("evil-1.example") && policy.contains("except: [\"10.20.30.40\"]"), "{policy}");
}
