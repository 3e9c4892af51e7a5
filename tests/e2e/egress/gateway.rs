use narrows::learn::Learnt;
use narrows_harness::echo::Received;
use narrows_harness::message::Request;

use super::site::Site;

const REQUESTS: &str = "narrows_egress_requests_total";

#[test]
fn the_certificate_says_who_calls() {
    let site = Site::start(1).unwrap();
    let charges = Request::get("api.stripe.com", "/v1/charges");
    let allowed = site.ask("checkout", &charges).unwrap();
    assert_eq!((allowed.status, allowed.headers.text("x-app").as_deref()), (200, Some("outside")));
    assert!(!allowed.headers.contains("x-narrows-egress"));

    let denied = site.ask("web", &charges).unwrap();
    assert_eq!(denied.status, 403);
    assert_eq!(denied.headers.text("x-narrows-egress").as_deref(), Some("denied; rule=default"));
    assert_eq!(denied.text(), "this request may not leave the mesh: egress-policy rule default\n");

    // What a caller writes about itself is not read, and does not leave.
    let forged = [
        ("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/checkout"),
        ("x-narrows-egress", "allowed; rule=payments"),
        ("x-narrows-principal", "spiffe://cluster.local/ns/shop/sa/checkout"),
        ("x-envoy-peer-metadata-id", "sidecar~10.0.0.1~checkout.shop~shop.svc.cluster.local"),
        ("x-internal-user", "root"),
        ("principal", "spiffe://cluster.local/ns/shop/sa/checkout"),
    ];
    let forge = |request: Request| forged.iter().fold(request, |r, (name, value)| r.header(name, value));
    let before = site.outside.requests();
    assert_eq!(site.ask("web", &forge(charges.clone())).unwrap().status, 403);
    assert_eq!(site.outside.requests(), before);
    let seen = Received::from_response(&site.ask("checkout", &forge(charges)).unwrap()).unwrap();
    for (name, _) in forged.iter().take(5) {
        assert!(!seen.headers.contains(name), "{name} left: {:?}", seen.headers);
    }

    // Nobody without a certificate of the mesh.
    let nobody = site.ask("nobody", &Request::get("api.stripe.com", "/v1/charges")).unwrap();
    assert_eq!(nobody.status, 503);
    assert!(!nobody.headers.contains("x-narrows-egress"));

    assert_eq!(site.count(REQUESTS, &[("rule", "payments"), ("action", "allow")]).unwrap(), 2);
    assert_eq!(site.count(REQUESTS, &[("rule", "default"), ("action", "deny")]).unwrap(), 2);
    let by_destination = [("destination", "api.stripe.com"), ("action", "allow")];
    assert_eq!(site.count("narrows_egress_destinations_total", &by_destination).unwrap(), 2);
    assert!(
        site.gateway
            .log_contains("egress=allowed; rule=payments caller=spiffe://cluster.local/ns/shop/sa/checkout")
    );
}

#[test]
fn allow_deny_and_report() {
    let site = Site::start(1).unwrap();
    for (caller, method, host, target, rule) in [
        ("checkout", "GET", "partners.adyen.com", "/v1/x", None),
        ("checkout", "GET", "PARTNERS.Adyen.com.", "/v1/x", None),
        ("web", "GET", "git.example", "/any/thing", None),
        ("checkout", "DELETE", "api.stripe.com", "/v1/charges", Some("default")),
        ("checkout", "GET", "api.stripe.com", "/v2/charges", Some("default")),
        ("checkout", "GET", "api.stripe.com", "/v1/tokens/1", Some("no-tokens")),
        ("checkout", "GET", "api.stripe.com", "/v1/tokens;x", Some("no-tokens")),
        ("checkout", "GET", "api.stripe.com", "/v1%3Bx/../v1/tokens%3by/1", Some("no-tokens")),
        ("checkout", "GET", "api.stripe.com", "/v1/%c0%ae%c0%ae/v1/tokens", Some("no-tokens")),
        ("web", "GET", "git.example", "/v1/tokens", Some("no-tokens")),
        ("checkout", "GET", "169.254.169.254", "/latest/meta-data", Some("metadata")),
        ("checkout", "GET", "0xa9fea9fe", "/latest/meta-data", Some("metadata")),
        ("checkout", "GET", "10.0.0.1", "/", Some("private-address")),
        ("checkout", "GET", "[::ffff:10.0.0.1]", "/", Some("private-address")),
        ("checkout", "GET", "a.vendor.example", "/", Some("default")),
        ("fronting", "GET", "api.stripe.com", "/v1/charges", Some("sni-mismatch")),
        ("fronting", "GET", "partners.adyen.com", "/v1/x", None),
    ] {
        let answer = site.ask(caller, &Request::new(method, host, target)).unwrap();
        let expected = rule.map(|rule| format!("denied; rule={rule}"));
        // Envoy has no route for a trailing dot; the policy lets it through all the same.
        let reached = answer.status == 200 || (answer.status == 404 && host.ends_with('.'));
        assert_eq!(reached, rule.is_none(), "{caller} {method} {host}{target}: {}", answer.status);
        assert_eq!(answer.headers.text("x-narrows-egress"), expected, "{caller} {method} {host}{target}");
        // On a connection of its own the same request would be judged by its host.
        assert_eq!(answer.status == 421, rule == Some("sni-mismatch"), "{caller} {method} {host}{target}");
    }
    assert_eq!(site.count(REQUESTS, &[("rule", "new-vendor"), ("action", "would-allow")]).unwrap(), 1);
    assert_eq!(site.count(REQUESTS, &[("rule", "sni-mismatch"), ("action", "deny")]).unwrap(), 1);

    let explained = Request::get("a.vendor.example", "/").header("x-explain", "please");
    assert_eq!(
        site.ask("web", &explained).unwrap().headers.text("x-narrows-explain").as_deref(),
        Some("filter=egress-policy; denied; rule=default; destination=a.vendor.example; trial=new-vendor")
    );
    let grpc =
        Request::new("POST", "api.stripe.com", "/v1.Charges/List").header("content-type", "application/grpc");
    let refused = site.ask("web", &grpc).unwrap();
    assert_eq!((refused.status, refused.headers.text("grpc-status").as_deref()), (200, Some("7")));
    assert_eq!(refused.headers.text("x-narrows-egress").as_deref(), Some("denied; rule=default"));
}

#[test]
fn what_is_allowed_passes_untouched() {
    let site = Site::start(1).unwrap();
    // A websocket.
    let mut socket = site.connect("web").unwrap();
    let upgrade =
        Request::get("git.example", "/socket").header("connection", "upgrade").header("upgrade", "websocket");
    assert_eq!(socket.exchange(&upgrade).unwrap().status, 101);
    socket.send_raw(b"\x00\xffping").unwrap();
    assert_eq!(socket.read_exact(6).unwrap(), b"\x00\xffping");
    assert_eq!(
        site.ask("web", &Request { authority: Some("evil.example".to_owned()), ..upgrade }).unwrap().status,
        403
    );

    // A tunnel: what is asked for inside nobody sees, and one rule denies a path of every host.
    for (host, rule) in [("git.example", "no-tokens"), ("evil.example", "no-tokens")] {
        let mut tunnel = site.connect("web").unwrap();
        tunnel
            .send_raw(format!("CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n").as_bytes())
            .unwrap();
        let refused = tunnel.receive("GET").unwrap();
        assert_eq!(refused.status, 403);
        let said = refused.headers.text("x-narrows-egress");
        assert_eq!(said, Some(format!("denied; rule={rule}")), "{host}");
    }

    // A body that is longer than any buffer, piece by piece.
    let mut stream = site.connect("checkout").unwrap();
    stream
        .send_raw(b"POST /v1/files HTTP/1.1\r\nhost: api.stripe.com\r\ntransfer-encoding: chunked\r\n\r\n")
        .unwrap();
    let piece = vec![b'x'; 0x10000];
    for _ in 0..64 {
        stream.send_raw(b"10000\r\n").unwrap();
        stream.send_raw(&piece).unwrap();
        stream.send_raw(b"\r\n").unwrap();
    }
    stream.send_raw(b"0\r\n\r\n").unwrap();
    let answer = stream.receive("POST").unwrap();
    assert_eq!(Received::from_response(&answer).unwrap().body_bytes, 64 * 0x10000);
}

#[test]
fn what_no_rule_names_is_learnt_by_all_workers_and_told_once() {
    let site = Site::start(2).unwrap();
    for number in 0..40 {
        let host = format!("new-{}.example", number % 4);
        assert_eq!(site.ask("web", &Request::get(&host, "/")).unwrap().status, 403);
    }
    let stats = site.gateway.stats().unwrap();
    let by_worker: Vec<u64> = stats
        .iter()
        .filter(|(name, _)| name.contains(".worker_") && name.ends_with(".downstream_cx_total"))
        .map(|(_, connections)| *connections)
        .collect();
    assert!(by_worker.len() == 2 && by_worker.iter().all(|connections| *connections > 0), "{by_worker:?}");
    assert_eq!(by_worker.iter().sum::<u64>(), 40);
    site.gateway.wait_for_log("unlisted destinations").unwrap();
    // The other worker's tick comes within five seconds of the first one's, and a line
    // for what is new to it within five more.
    let told = |site: &Site| site.count("narrows_egress_unlisted_total", &[]).unwrap();
    for _ in 0..200 {
        if told(&site) >= 40 && Learnt::of(&site.gateway.log(), &[]).hosts() == 4 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(told(&site), 40);
    assert_eq!(site.count("narrows_egress_unlisted_total", &[("destination", "new-3.example")]).unwrap(), 10);
    assert_eq!(site.count("narrows_egress_learned_hosts", &[]).unwrap(), 4);
    let log = site.gateway.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("unlisted destinations")).collect();
    // One for each interval, not one for each worker and interval.
    assert!((1..=3).contains(&lines.len()), "{lines:#?}");
    // The command finds them in the log, and makes rules of them.
    let learnt = Learnt::of(&log, &[]);
    assert_eq!((learnt.lines, learnt.hosts(), learnt.unnamed), (lines.len(), 4, 0));
    let written = learnt.policy();
    let policy: serde_json::Value = serde_saphyr::from_str(&written).unwrap();
    assert_eq!(
        policy["rules"][0]["to"],
        serde_json::json!({ "hosts": ["new-0.example"], "methods": ["GET"] })
    );
    assert_eq!(policy["rules"].as_array().unwrap().len(), 4);
}
