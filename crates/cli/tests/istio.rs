//! What Istio's own validation accepts and refuses, in the words of its rules. The files are ours; whether
//! Istio refuses each kind of mistake is what its custom resource definitions and test data say.

use narrows::lint::{self, Options};
use narrows::source::SourceFile;

const PLUGIN: &str = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n";
const ENTRY: &str = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n";
const TELEMETRY: &str = "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\n";
const RULE: &str = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\n";
const GATEWAY: &str = "apiVersion: networking.istio.io/v1\nkind: Gateway\n";
const ROUTES: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\n";

const REFUSED: &[(&str, &str)] = &[
    (PLUGIN, "url: http://m, match: [{ ports: [{}] }]"),
    (PLUGIN, "url: ''"),
    (PLUGIN, "url: '%zz'"),
    (PLUGIN, "url: 'ftp://m'"),
    (PLUGIN, "url: http://m, sha256: abc"),
    (PLUGIN, "url: http://m, imagePullSecret: ''"),
    (PLUGIN, "url: http://m, pluginName: ''"),
    (PLUGIN, "url: http://m, vmConfig: { env: [{ name: x }, { name: x }] }"),
    (PLUGIN, "url: http://m, vmConfig: { env: [{ name: '' }] }"),
    (PLUGIN, "url: http://m, vmConfig: { env: [{ name: x, valueFrom: HOST, value: v }] }"),
    (PLUGIN, "url: http://m, selector: { matchLabels: { app: 'web*' } }"),
    (PLUGIN, "url: http://m, selector: { matchLabels: { 'app*': web } }"),
    (PLUGIN, "url: ~"),
    (PLUGIN, "sha256: ''"),
    (ENTRY, "location: MESH_EXTERNAL"),
    (ENTRY, "hosts: [a.example], workloadSelector: { labels: { app: '*' } }"),
    (
        ENTRY,
        "hosts: [a.example], resolution: STATIC, workloadSelector: {}, endpoints: [{ address: 10.0.0.1 }]",
    ),
    (ENTRY, "hosts: ['*']"),
    (ENTRY, "hosts: [a.example], addresses: [10.0.0.0/8], resolution: DNS"),
    (ENTRY, "hosts: [a.example], ports: [{ name: x, number: 80 }, { name: x, number: 81 }]"),
    (ENTRY, "hosts: [a.example], ports: [{ name: x, number: 80 }, { name: v, number: 80 }]"),
    (ENTRY, "hosts: [a.example], ports: [{ name: x, number: 70000 }]"),
    (ENTRY, "hosts: [a.example], ports: [{ name: x, number: 80, targetPort: 70000 }]"),
    (ENTRY, "hosts: [a.example], ports: [{ name: x, number: 80, protocol: ftp }]"),
    (ENTRY, "hosts: [a.example], resolution: NONE, endpoints: [{ address: 10.0.0.1 }]"),
    (ENTRY, "hosts: [a.example], endpoints: [{ address: 10.0.0.1 }]"),
    (
        ENTRY,
        "hosts: [a.example], resolution: DNS_ROUND_ROBIN, endpoints: [{ address: b.example }, { address: c.example }]",
    ),
    (TELEMETRY, "metrics: [{ providers: [{ name: '' }] }]"),
    (TELEMETRY, "metrics: [{ overrides: [{ match: { customMetric: '' } }] }]"),
    (TELEMETRY, "metrics: [{ overrides: [{ tagOverrides: { x: { operation: UPSERT } } }] }]"),
    (TELEMETRY, "metrics: [{ overrides: [{ tagOverrides: { x: { operation: REMOVE, value: v } } }] }]"),
    (RULE, "host: a, trafficPolicy: { loadBalancer: { warmup: { duration: 60s, minimumPercent: 101.0 } } }"),
    (RULE, "host: a, trafficPolicy: { loadBalancer: { warmup: { minimumPercent: 10 } } }"),
    (RULE, "host: a, trafficPolicy: { loadBalancer: { warmup: { duration: 60s, aggression: 0.5 } } }"),
    (RULE, "host: a, subsets: [{ name: x, trafficPolicy: { loadBalancer: { warmup: {} } } }]"),
    (GATEWAY, "servers: [{ hosts: [a], port: { name: x, number: 80, protocol: '' } }]"),
];

const ACCEPTED: &[(&str, &str)] = &[
    (PLUGIN, "url: http://m"),
    (PLUGIN, "url: m"),
    (PLUGIN, "url: 'http://m/a%20b', sha256: ''"),
    (
        PLUGIN,
        "url: http://m, vmConfig: { env: [{ name: x, valueFrom: HOST }, { name: v, valueFrom: INLINE, value: z }, { name: z, value: z }] }",
    ),
    (
        PLUGIN,
        "url: 'file:///m.wasm', selector: { matchLabels: { istio: ingressgateway } }, phase: AUTHN, pluginConfig: { a: 1 }",
    ),
    (
        ENTRY,
        "hosts: [a.example], workloadSelector: { labels: { app: x } }, addresses: [10.0.0.1, '2001:db8::1'], exportTo: ['.', x], resolution: DNS",
    ),
    (ENTRY, "hosts: [a.example], resolution: DNS, endpoints: [{ address: b.example }]"),
    (ENTRY, "hosts: [a.example], workloadSelector: {}"),
    (ENTRY, "hosts: ['*.example']"),
    (ENTRY, "hosts: [a.example], addresses: [10.0.0.1/32]"),
    (
        ENTRY,
        "hosts: [a.example], ports: [{ name: x, number: 80, protocol: '' }, { name: v, number: 81 }, { name: z, number: 82, protocol: Tls }]",
    ),
    (ENTRY, "hosts: [a.example], resolution: DNS_ROUND_ROBIN, endpoints: [{ address: b.example }]"),
    (
        TELEMETRY,
        "metrics: [{ providers: [{ name: prometheus }], reportingInterval: 5s, overrides: [{ match: { customMetric: x } }] }]",
    ),
    (
        TELEMETRY,
        "metrics: [{ overrides: [{ tagOverrides: { x: { operation: UPSERT, value: v }, z: { operation: REMOVE }, w: { value: v } } }] }]",
    ),
    (
        RULE,
        "host: a, trafficPolicy: { loadBalancer: { warmup: { duration: 60s, minimumPercent: 5.0, aggression: 5 } } }",
    ),
    (
        GATEWAY,
        "servers: [{ hosts: ['*'], port: { name: x, number: 15017, protocol: tls }, tls: { mode: PASSTHROUGH } }]",
    ),
    (ROUTES, "hosts: [a], http: [{ route: [{ destination: { host: a } }] }]"),
];

fn codes(head: &str, spec: &str) -> Vec<&'static str> {
    let text = format!("{head}metadata: {{ name: a, namespace: istio-system }}\nspec: {{ {spec} }}\n");
    let checked = lint::check(SourceFile { path: String::new(), text }, &Options::default());
    checked.findings.iter().map(|finding| finding.code.id).collect()
}

#[test]
fn what_istio_refuses_is_found() {
    for (head, spec) in REFUSED {
        let codes = codes(head, spec);
        assert!(!codes.is_empty(), "{head}{spec}");
        assert!(codes.iter().all(|code| ["NRW603", "NRW604", "NRW605"].contains(code)), "{spec}: {codes:?}");
    }
}

#[test]
fn what_istio_accepts_is_clean() {
    for (head, spec) in ACCEPTED {
        assert_eq!(codes(head, spec), [""; 0], "{head}{spec}");
    }
}
