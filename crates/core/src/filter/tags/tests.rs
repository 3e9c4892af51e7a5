//! The policy from its text to its measurements, without a host. A worker here is a [`Tagger`], and the
//! log that workers share is a list.

use std::collections::BTreeMap;

#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

mod attributes;
mod bounds;
mod refused;
mod sources;

use super::Metered;
use super::{Admission, Report, Tagger};
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;
use crate::policy::Policy;

/// Workers of one proxy: what they log, and what they count together.
struct Proxy {
    workers: Vec<Tagger>,
    learnt: Vec<usize>,
    log: Vec<Vec<u8>>,
    counts: BTreeMap<String, u64>,
    state: Vec<(String, String)>,
    notes: Vec<String>,
}

/// One exchange: what is sent, and what Envoy knows about it afterwards.
#[derive(Clone, Copy)]
struct Exchange<'e> {
    headers: &'e [(&'e [u8], &'e [u8])],
    properties: &'e [(&'e str, &'e [u8])],
}

impl Proxy {
    fn new(policy: &str, workers: usize) -> Self {
        let compile = || Tagger::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap();
        let workers: Vec<Tagger> = (0..workers).map(|_| compile()).collect();
        Self {
            learnt: vec![0; workers.len()],
            workers,
            log: Vec::new(),
            counts: BTreeMap::new(),
            state: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn serve(&mut self, worker: usize, exchange: Exchange<'_>) {
        let tagger = &self.workers[worker];
        let (decision, verdict) = tagger.decide(Request::new(exchange.headers.iter().copied()));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        self.state = decision.state.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
        let Some(cardinality) = tagger.cardinality_limit().filter(|_| tagger.is_measured(&verdict)) else {
            return;
        };
        let observed: Vec<_> = cardinality
            .reads()
            .iter()
            .map(|path| {
                let path = path.join(".");
                exchange.properties.iter().find(|(name, _)| *name == path).map(|(_, value)| value.to_vec())
            })
            .collect();
        for admission in [Admission::Open, Admission::Open, Admission::Closed] {
            match tagger.report(&verdict, &observed, admission) {
                Report::NeedsAdmission(entries) => {
                    for entry in entries {
                        self.log[self.learnt[worker]..].iter().for_each(|entry| cardinality.apply(entry));
                        if cardinality.admits(&entry) {
                            cardinality.apply(&entry);
                            self.log.push(entry);
                        }
                        self.learnt[worker] = self.log.len();
                    }
                }
                Report::Measured { measurements, state, notes } => {
                    let mut names: Vec<_> = tagger.common().series.clone();
                    names.extend(cardinality.series_from(0));
                    for measurement in measurements {
                        *self.counts.entry(names[measurement.series].name.to_string()).or_default() +=
                            measurement.value;
                    }
                    self.state.extend(state);
                    self.notes.extend(notes);
                    return;
                }
            }
        }
        panic!("a request was not measured");
    }

    fn get(&mut self, path: &str, tenant: &[u8]) {
        let headers: [(&[u8], &[u8]); 4] = [
            (b":method", b"GET"),
            (b":path", path.as_bytes()),
            (b":authority", b"shop"),
            (b"x-tenant", tenant),
        ];
        self.serve(
            0,
            Exchange { headers: &headers, properties: &[("response.code", &200u64.to_le_bytes())] },
        );
    }

    fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }
}

fn refusal(policy: &str) -> String {
    Tagger::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap_err().to_string()
}

const DESIGN: &str = r#"{ "labels": "stat-tags", "trust": "mesh",
  "tags": {
    "backend":   { "property": "narrows_backend", "missing": "none" },
    "operation": { "pathTemplates": ["/books", "/books/{id}", "/order", "/static/*"], "other": "unmatched" },
    "component": { "hostMap": { "es-ingest*": "opensearch", "keycloak*": "keycloak" }, "other": "other" },
    "code":      { "statusClass": true },
    "tenant":    { "header": "x-tenant", "maxValues": 200, "maxLength": 32 },
    "cluster":   { "fixed": "managed1" },
    "workload":  { "nodeMetadata": "WORKLOAD_NAME" } },
  "metrics": [
    { "name": "requests_total", "type": "counter", "tags": ["backend", "operation", "code"] },
    { "name": "request_duration_milliseconds", "type": "histogram", "value": "duration", "tags": ["backend", "operation"] } ],
  "limits": { "maxSeries": 2000 },
  "exclude": [ { "path": {"in": ["/metrics", "/stats/prometheus", "/federate"]} } ],
  "publish": ["backend", "operation"] }"#;

#[test]
fn the_policy_of_the_design() {
    let mut proxy = Proxy::new(DESIGN, 1);
    let serve = |proxy: &mut Proxy, path: &str| {
        let headers: [(&[u8], &[u8]); 3] =
            [(b":method", b"GET"), (b":path", path.as_bytes()), (b":authority", b"keycloak")];
        let code = 503u64.to_le_bytes();
        let nanos = 7_900_000u64.to_le_bytes();
        let properties: [(&str, &[u8]); 3] =
            [("narrows_backend", b"canary"), ("response.code", &code), ("request.duration", &nanos)];
        proxy.serve(0, Exchange { headers: &headers, properties: &properties });
    };
    serve(&mut proxy, "/books/42?q=1");
    serve(&mut proxy, "/books/43");
    serve(&mut proxy, "/elsewhere");
    serve(&mut proxy, "/stats/prometheus");
    let counted: Vec<_> = proxy.counts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    assert_eq!(
        counted,
        [
            "backend=.=canary;.;operation=.=/books/{id};.;code=.=5xx;.;requests_total 2",
            "backend=.=canary;.;operation=.=/books/{id};.;request_duration_milliseconds 14",
            "backend=.=canary;.;operation=.=unmatched;.;code=.=5xx;.;requests_total 1",
            "backend=.=canary;.;operation=.=unmatched;.;request_duration_milliseconds 7",
        ]
    );
    serve(&mut proxy, "/order");
    let state: Vec<_> = proxy.state.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        state,
        ["narrows_operation=/order", "narrows_backend=canary"],
        "what needs no answer comes first"
    );
}

#[test]
fn only_what_is_needed_is_read() {
    let reads = |policy: &str| {
        let tagger = Tagger::compile(&PolicyValue::parse(policy.as_bytes()).unwrap()).unwrap();
        let reads: Vec<_> = tagger
            .cardinality_limit()
            .map(|m| m.reads().iter().map(|p| p.join(".")).collect())
            .unwrap_or_default();
        (tagger.common().needs.headers, tagger.common().needs.only_header, reads.join(" "))
    };
    assert_eq!(reads("{}"), (false, None, String::new()));
    let fixed = r#"{"trust": "mesh", "tags": {"c": {"fixed": "a"}, "code": {"statusCode": true}},
        "metrics": [{"name": "m", "tags": ["c", "code"]}]}"#;
    assert_eq!(reads(fixed), (false, None, "response.code".to_owned()));
    assert_eq!(reads(&fixed.replace("mesh", "edge")), (true, None, "response.code".to_owned()));
    let path = r#"{"trust": "mesh", "tags": {"p": {"pathTemplates": ["/a"]}}, "exclude": [{"path": {"exact": "/m"}}],
        "metrics": [{"name": "m", "tags": ["p"]}, {"name": "b", "type": "histogram", "value": "responseBytes"}]}"#;
    assert_eq!(reads(path), (true, Some(":path"), "response.size".to_owned()));
    let two =
        path.replace(r#""p": {"#, r#""h": {"host": true}, "p": {"#).replace(r#"["p"]"#, r#"["p", "h"]"#);
    assert_eq!(reads(&two), (true, None, "response.size".to_owned()));
    assert!(
        !reads(
            r#"{"mode": "off", "tags": {"p": {"host": true}}, "metrics": [{"name": "m", "tags": ["p"]}]}"#
        )
        .0
    );
}

#[test]
fn explained() {
    let policy = r#"{"trust": "mesh", "explain": {"when": {"headers": {"x-why": {"present": true}}}},
        "tags": {"op": {"pathTemplates": ["/a"]}, "code": {"statusClass": true}}, "metrics": [{"name": "m", "tags": ["op", "code"]}]}"#;
    let proxy = Proxy::new(policy, 1);
    let headers: [(&[u8], &[u8]); 2] = [(b":path", b"/a"), (b"x-why", b"")];
    let (decision, _) = proxy.workers[0].decide(Request::new(headers));
    assert!(format!("{:?}", decision.response).contains("x-narrows-explain"), "{decision:?}");
    assert_eq!(decision.response.len(), 1);
}
