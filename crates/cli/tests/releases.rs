//! What is rendered for a release is accepted by that release: by the tables and rules
//! of `lint`, which know nothing of `render`.

use clap::ValueEnum;
use narrows::filter::Filter;
use narrows::istio::{Mode, Release};
use narrows::lint::{self, Options};
use narrows::render::{self, Kept, RenderRequest, Shape};
use narrows::report::{self, Format, Screen};
use narrows::source::SourceFile;
use narrows_core::PolicyValue;

const POLICIES: [(Filter, &str); 6] = [
    (Filter::HeaderRouter, r#"{"rules": [{"name": "a/b:c", "respond": {"status": 404, "body": "yes"}}]}"#),
    (
        Filter::HeaderRouter,
        r#"{"strip": ["x-internal-*"], "rules": [{"name": "r", "rewrite": {"path": {"replaceFull": "/x"}}}]}"#,
    ),
    (
        Filter::CanarySplit,
        r#"{"splits": [{"name": "s", "service": "a.b", "key": [{"header": "x-user-id"}], "backends": [
            {"name": "on", "baseline": true}, {"name": "1", "to": "0x1", "weight": 5}]}]}"#,
    ),
    (
        Filter::MetricTags,
        r#"{"tags": {"tier": {"header": "x-lane", "maxValues": 5}}, "publish": ["tier"],
            "metrics": [{"name": "requests_total", "type": "counter", "tags": ["tier"]}]}"#,
    ),
    (
        Filter::EgressPolicy,
        r#"{"default": "deny", "rules": [{"name": "r", "action": "allow", "to": {"hosts": ["*.example.com"]}}]}"#,
    ),
    (Filter::TrafficLanes, r#"{"trust": "mesh", "lane": {"header": "x-lane", "values": ["gray", "dev-*"]}}"#),
];

#[test]
fn what_is_rendered_is_accepted() {
    let mut rendered = 0;
    for (filter, policy) in POLICIES {
        let tree = PolicyValue::parse(policy.as_bytes()).unwrap();
        let compiled = filter.compile(&tree).unwrap();
        for minor in 12..=31 {
            let istio: Release = format!("1.{minor}").parse().unwrap();
            for (shape, by_target) in
                Shape::value_variants().iter().flat_map(|shape| [(shape, false), (shape, true)])
            {
                let is_file = matches!(*shape, Shape::EnvoyFilterBlock | Shape::EnvoyFilter);
                let request = RenderRequest {
                    filter,
                    tree: tree.clone(),
                    policy: &compiled,
                    istio,
                    name: filter.name().to_owned(),
                    namespace: Some("shop".to_owned()),
                    selector: if by_target { Vec::new() } else { label() },
                    targets: if by_target { targets(*shape) } else { Vec::new() },
                    url: Some(
                        if is_file { "/x/" } else { "oci://registry.example:5000/narrows/" }.to_owned()
                            + filter.name(),
                    ),
                    sha256: Some("0".repeat(64)),
                    mode: Some(if by_target { Mode::Server } else { Mode::Client }),
                    // On a waypoint no port ever matches.
                    ports: if by_target { Vec::new() } else { vec![8080] },
                    phase: None,
                    priority: None,
                    gateway: false,
                    strict: false,
                    metric: None,
                    kept: Kept::default(),
                };
                let Ok(text) = render::render(*shape, &request) else {
                    let lacks_kind = match shape {
                        Shape::TrafficExtension => minor < 30,
                        // It has no labels.
                        Shape::EnvoyExtensionPolicy => !by_target,
                        _ => false,
                    };
                    assert!(lacks_kind || (by_target && minor < 22), "{shape:?} for 1.{minor}");
                    continue;
                };
                let text =
                    if *shape == Shape::EnvoyFilterBlock { format!("http_filters:\n{text}") } else { text };
                check(*shape, istio, text, &tree);
                rendered += 1;
            }
        }
    }
    // By label, every release but for the newest kind; by target, three kinds from 1.22 on and the newest.
    let (by_label, by_target) = (7 * 20 + 2, 5 * 20 + 3 * 10 + 2);
    assert_eq!(rendered, POLICIES.len() * (by_label + by_target));
}

fn label() -> Vec<(String, String)> {
    vec![("app.kubernetes.io/name".to_owned(), "on".to_owned())]
}

fn targets(shape: Shape) -> Vec<(String, String)> {
    let kinds = match shape {
        Shape::EnvoyExtensionPolicy => ["Gateway/shop", "HTTPRoute/reviews"],
        _ => ["Service/shop", "ServiceEntry/vendor"],
    };
    kinds
        .iter()
        .filter_map(|target| target.split_once('/'))
        .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
        .collect()
}

fn check(shape: Shape, istio: Release, text: String, policy: &PolicyValue) {
    let source = SourceFile { path: format!("{shape:?} for {istio}"), text };
    if matches!(shape, Shape::StatsTags | Shape::PodAnnotation | Shape::ExtraStatTags) {
        assert_eq!(source.documents().unwrap().len(), 1, "{}", source.text);
        return;
    }
    // Before a policy that strips and comes behind authorization stands what strips in its place.
    let resources = source.documents().unwrap();
    let found: Vec<_> = resources
        .iter()
        .flat_map(|resource| narrows::documents::policies(&source, resource, &mut Vec::new()))
        .collect();
    if shape != Shape::Telemetry {
        // An EnvoyFilter has both in one resource.
        assert!(found.len() == resources.len() || shape == Shape::EnvoyFilter, "{}", source.text);
        assert_eq!(found.last().unwrap().policy.tree(), *policy, "{}", source.text);
    }
    // Who takes a lane away from clients is in another file, and beside a waypoint none is remembered.
    let ignore = ["NRW655", "NRW656"].map(str::to_owned).to_vec();
    let checked = lint::check(source, &Options { istio: Some(istio), ignore, ..Options::default() });
    let text = checked.source.text.clone();
    assert!(
        checked.findings.is_empty(),
        "{}\n{text}",
        report::report(Format::Text, &[checked], Screen::default())
    );
}

/// Field or value, and the release that it first appeared in.
const FIRST: [(&str, u8); 9] = [
    ("vmConfig: { env: [{ name: A, value: b }] }", 14),
    ("match: [{ mode: CLIENT, ports: [{ number: 8080 }] }]", 16),
    ("failStrategy: FAIL_OPEN", 19),
    ("failStrategy: FAIL_CLOSE", 19),
    ("type: HTTP", 20),
    ("targetRef: { group: gateway.networking.k8s.io, kind: Gateway, name: a }", 20),
    ("targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: a }]", 22),
    ("failStrategy: FAIL_RELOAD", 27),
    ("imagePullPolicy: Always", 12),
];

#[test]
fn fields_come_with_their_release() {
    for (field, first) in FIRST {
        for minor in 12..=31u8 {
            let text = format!(
                "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{ name: a }}\n\
                 spec:\n  url: oci://registry.example/another:1\n  {field}\n"
            );
            let istio = Some(format!("1.{minor}").parse().unwrap());
            let checked = lint::check(
                SourceFile { path: String::new(), text },
                &Options { istio, ..Options::default() },
            );
            let codes: Vec<_> = checked.findings.iter().map(|finding| finding.code.id).collect();
            let expected: &[&str] = if minor < first { &["NRW601"] } else { &[] };
            assert_eq!(codes, expected, "{field} in 1.{minor}");
        }
    }
}
