//! Did a request come by https? The filter says what Envoy's own `require_tls` says.

use narrows_harness::client::{Client, Protocol};
use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::Bench;
use serde_json::{Value, json};

const REQUESTS: usize = 60;
/// What stands in `x-forwarded-proto`.
const SAID: [&str; 12] = [
    "https",
    "https",
    "https",
    "https",
    "https",
    "http",
    "HTTPS",
    "Https",
    "wss",
    "https,http",
    "httpss",
    "https;",
];

/// Who is asked: a redirect of the filter, a condition of the filter, Envoy.
const REDIRECT: &str = "redirect.example";
const CONDITION: &str = "condition.example";
const NATIVE: &str = "native.example";

fn start(settings: &[(&str, Value)]) -> anyhow::Result<Bench> {
    let policy = json!({ "rules": [
        { "name": "redirect", "matches": [{ "hosts": [REDIRECT] }], "redirect": { "scheme": "https", "status": 301 } },
        { "name": "http", "matches": [{ "hosts": [CONDITION], "scheme": "http" }], "respond": { "status": 301 } },
        { "name": "https", "matches": [{ "hosts": [CONDITION], "scheme": "https" }] },
        { "name": "neither", "matches": [{ "hosts": [CONDITION] }], "respond": { "status": 500 } } ] });
    let to_echo = json!([{ "match": { "prefix": "/" }, "route": { "cluster": "echo" } }]);
    let routes = json!({ "name": "main", "virtual_hosts": [
        { "name": "native", "domains": [NATIVE], "require_tls": "ALL", "routes": to_echo },
        { "name": "other", "domains": ["*"], "routes": to_echo }] });
    let policy = policy.to_string();
    let plan = Bench::of(&[("header-router", &policy)]).named("tls").hcm("route_config", routes);
    settings.iter().fold(plan, |plan, (name, value)| plan.hcm(name, value.clone())).start()
}

#[test]
fn https_is_what_envoys_require_tls_takes_for_it() -> anyhow::Result<()> {
    let mut random = Random::new(15);
    let hops = |hops: u32| vec![("use_remote_address", json!(true)), ("xff_num_trusted_hops", json!(hops))];
    let (mut compared, mut passed) = (0, 0);
    for settings in [vec![], vec![("use_remote_address", json!(true))], hops(1), hops(2)] {
        let bench = start(&settings)?;
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let mut client = bench.client(protocol)?;
            for _ in 0..REQUESTS {
                let lines: Vec<&str> =
                    (0..random.pick(&[0, 1, 1, 1, 2])).map(|_| random.pick(&SAID)).collect();
                let statuses = [NATIVE, REDIRECT, CONDITION].map(|host| status(&mut client, host, &lines));
                let [native, redirect, condition] = statuses;
                let shown = format!("{settings:?} {protocol:?} {lines:?}");
                assert!(matches!(native, 200 | 301), "{shown}: {native}");
                assert_eq!((redirect, condition), (native, native), "{shown}");
                compared += 1;
                passed += usize::from(native == 200);
            }
        }
    }
    println!("{compared} compared, {passed} came by https");
    // Where Envoy believes no client, nothing came by https.
    assert!(passed > compared / 10 && passed < compared / 2);
    Ok(())
}

fn status(client: &mut Client, host: &str, lines: &[&str]) -> u16 {
    let request = Request::get(host, "/a").header("x-forwarded-for", "10.9.8.7, 10.1.1.1");
    let request = lines.iter().fold(request, |request, line| request.header("x-forwarded-proto", line));
    client.exchange(&request).unwrap().status
}
