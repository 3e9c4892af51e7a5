//! What each source gives for a request, and for what Envoy knows about it afterwards.

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::Metered;
use super::{Exchange, Proxy};

#[test]
fn every_source_has_a_value() {
    let policy = r#"{"trust": "mesh", "tags": {
        "A": {"fixed": "x"}, "B": {"header": "x-tenant"}, "C": {"responseHeader": "x-app"}, "D": {"cookie": "c"},
        "E": {"queryParam": "q"}, "F": {"method": true}, "G": {"host": true}, "H": {"statusCode": true},
        "I": {"grpcStatus": true}, "J": {"responseFlags": true}, "K": {"durationClass": [100, 500]},
        "L": {"property": ["xds", "route_metadata", "a.b"]} },
      "metrics": [{"name": "m", "tags": ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"]}]}"#;
    let mut proxy = Proxy::new(policy, 1);
    let headers: [(&[u8], &[u8]); 8] = [
        (b":method", b"PURGE"),
        (b":path", b"/?q=%41%00"),
        (b":authority", b"Shop:80"),
        (b"x-tenant", b"a"),
        (b"x-tenant", b"b"),
        (b"cookie", b"a=1"),
        (b"cookie", b"c=2"),
        (b"content-type", b"application/grpc+proto"),
    ];
    let number = |n: u64| n.to_le_bytes();
    let (code, status, flags, nanos) =
        (number(200), number(14), number(1 << 5 | 1 << 15), number(100_000_000));
    let properties: [(&str, &[u8]); 6] = [
        ("response.headers.x-app", b"stock"),
        ("response.code", &code),
        ("response.grpc_status", &status),
        ("response.flags", &flags),
        ("request.duration", &nanos),
        ("xds.route_metadata.a.b", b"r"),
    ];
    proxy.serve(0, Exchange { headers: &headers, properties: &properties });
    let name = "A=.=x;.;B=.=a,b;.;C=.=stock;.;D=.=2;.;E=.=A_;.;F=.=other;.;G=.=shop;.;H=.=200;.;I=.=14;.;J=.=UF,URX;.;\
                K=.=under_500ms;.;L=.=r;.;m";
    assert_eq!(proxy.counts.keys().collect::<Vec<_>>(), [name]);
    // Nothing is known of a request that was reset before it was answered.
    proxy.serve(0, Exchange { headers: &[], properties: &[] });
    let nothing = "A=.=x;.;B=.=unknown;.;C=.=unknown;.;D=.=unknown;.;E=.=unknown;.;F=.=unknown;.;G=.=other;.;H=.=none;.;\
                   I=.=none;.;J=.=-;.;K=.=unknown;.;L=.=unknown;.;m";
    assert_eq!(proxy.count(nothing), 1, "{:?}", proxy.counts);
}

#[test]
fn principals_and_security() {
    let policy = r#"{"trust": "mesh", "tags": {"from": {"sourcePrincipal": true}, "to": {"destinationPrincipal": true},
        "security": {"connectionSecurity": true}}, "metrics": [{"name": "m", "tags": ["from", "to", "security"]}]}"#;
    let mut proxy = Proxy::new(policy, 1);
    let cases: [(&[(&str, &[u8])], &str); 3] = [
        (
            &[
                ("connection.uri_san_peer_certificate", b"spiffe://a"),
                ("connection.mtls", b"\x01"),
                ("connection.tls_version", b"TLSv1.3"),
            ],
            "from=.=spiffe://a;.;to=.=unknown;.;security=.=mutual_tls;.;m",
        ),
        (
            &[
                ("upstream.uri_san_local_certificate", b"spiffe://a"),
                ("upstream.uri_san_peer_certificate", b"spiffe://b"),
            ],
            "from=.=spiffe://a;.;to=.=spiffe://b;.;security=.=none;.;m",
        ),
        (
            &[("connection.mtls", b"\0"), ("connection.tls_version", b"TLSv1.2")],
            "from=.=unknown;.;to=.=unknown;.;security=.=tls;.;m",
        ),
    ];
    for (properties, name) in cases {
        proxy.serve(0, Exchange { headers: &[], properties });
        assert_eq!(proxy.count(name), 1, "{:?}", proxy.counts);
    }
}

#[test]
fn what_is_settled_at_load() {
    let proxy = Proxy::new(
        r#"{"trust": "mesh", "tags": {"v": {"nodeMetadata": "WORKLOAD_NAME"}, "c": {"nodeMetadata": ["LABELS", "app.oam.dev/component"], "missing": "none"}},
            "metrics": [{"name": "m", "tags": ["c", "v"]}]}"#,
        1,
    );
    let cardinality = proxy.workers[0].cardinality_limit().unwrap();
    let paths: Vec<_> = cardinality.constants().map(|path| path.join("|")).collect();
    assert_eq!(paths, ["xds|node|metadata|LABELS|app.oam.dev/component", "xds|node|metadata|WORKLOAD_NAME"]);
    cardinality.begin(&[None, Some(b"stock\xff".to_vec())]);
    let mut proxy = proxy;
    proxy.serve(0, Exchange { headers: &[], properties: &[] });
    assert_eq!(proxy.count("c=.=none;.;v=.=stock_;.;m"), 1);
}

#[test]
fn a_workload_has_the_name_that_it_is_mapped_to() {
    let policy = r#"{"trust": "mesh", "tags": {"component": {"nodeMetadata": "WORKLOAD_NAME",
            "map": {"vmi-system-es-*": "opensearch", "vmi-system-*": "vmi"}}}, "metrics": [{"name": "m", "tags": ["component"]}]}"#;
    for (workload, component) in [
        (b"vmi-system-es-master".as_slice(), "opensearch"),
        (b"vmi-system-grafana", "vmi"),
        (b"VMI-System-ES-Data", "opensearch"),
        (b"mysql", "other"),
        (b"", "unknown"),
    ] {
        let mut proxy = Proxy::new(policy, 1);
        proxy.workers[0].cardinality_limit().unwrap().begin(&[Some(workload.to_vec())]);
        proxy.serve(0, Exchange { headers: &[], properties: &[] });
        assert_eq!(proxy.count(&format!("component=.={component};.;m")), 1, "{:?}", proxy.counts);
    }
}
