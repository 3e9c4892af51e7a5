//! The manifests that attach a filter: each made by a command, and each where it belongs.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use narrows::filter::Filter;
use narrows::placement::Deeds;
use narrows::placement::site::Site;
use narrows::source::Node;
use narrows_core::PolicyValue;
use narrows_harness::root;
use serde_json::{Value, json};

use super::{RELEASES, documents, folders, name, narrows, policies, yaml_in};

/// Kinds that `narrows render` writes.
const RENDERED: [&str; 3] = ["WasmPlugin", "TrafficExtension", "Telemetry"];
/// Whom the examples attach to, by namespace and label; no label is every proxy.
const PROXIES: [(&str, &str); 10] = [
    ("istio-system", ""),
    ("istio-system", "istio=ingressgateway"),
    ("istio-system", "istio=egressgateway"),
    // An Envoy in NGINX's place: a gateway of one's own.
    ("istio-system", "istio=system-ingressgateway"),
    ("ingress-nginx", "app.kubernetes.io/name=ingress-nginx"),
    ("verrazzano-system", "app=verrazzano-authproxy"),
    ("bobs-books", "app=bobbys-front-end"),
    ("books", "app=front-end"),
    ("market", "app=front-end"),
    // Every service of the shop.
    ("shop", ""),
];
/// The ports that the stock gateways listen on for HTTP, behind 443 and 80.
const GATEWAY_PORTS: [u64; 2] = [8443, 8080];

/// The first line of a manifest is the command that writes the rest. `UPDATE=1`
/// writes what the commands print now.
#[test]
fn every_manifest_is_what_its_command_prints() {
    let mut rendered = 0;
    for path in folders().iter().flat_map(|example| yaml_in(&example.join("istio"))) {
        let text = fs::read_to_string(&path).unwrap();
        let Some(command) = text.lines().next().and_then(|line| line.strip_prefix("# narrows ")) else {
            let kinds = documents(&path).into_iter().map(|manifest| manifest["kind"].clone());
            let by_hand: Vec<_> = kinds.filter(|kind| RENDERED.iter().any(|known| kind == known)).collect();
            assert!(by_hand.is_empty(), "{}: {by_hand:?} written by hand", path.display());
            continue;
        };
        assert!(command.starts_with("render "), "{}: {command}", path.display());
        let (done, said) = narrows(&command.split(' ').collect::<Vec<_>>());
        assert!(done, "{}: {said}", path.display());
        let fresh = format!("# narrows {command}\n{said}");
        if narrows_harness::session::updates() {
            fs::write(&path, &fresh).unwrap();
        } else {
            assert!(text == fresh, "{}: not what its command prints; UPDATE=1 writes it", path.display());
        }
        rendered += 1;
    }
    assert!(rendered >= 40, "only {rendered} manifests are rendered");
}

#[test]
fn every_policy_is_attached_in_every_release() {
    for example in folders() {
        for policy in policies(&example) {
            let [policy] = &documents(&policy)[..] else { panic!("{}: one policy", policy.display()) };
            for release in RELEASES {
                let carried = for_release(&example, release)
                    .iter()
                    .flat_map(|path| documents(path))
                    .any(|manifest| carried(&manifest) == Some(policy));
                assert!(carried, "{}: Istio {release} gets no policy {policy}", example.display());
            }
        }
    }
}

#[test]
fn every_filter_is_where_it_belongs() {
    for path in folders().iter().flat_map(|example| yaml_in(&example.join("istio"))) {
        for manifest in documents(&path) {
            let Some(policy) = carried(&manifest) else { continue };
            let place = path.display();
            let filter = policy["filter"].as_str().and_then(Filter::named).unwrap();
            let spec = &manifest["spec"];
            let text = policy.to_string();
            let tree = PolicyValue::parse(text.as_bytes()).unwrap();
            let deeds = Deeds::of(filter, &Node::unplaced(&tree, &(0..0)));
            let url = spec["url"].as_str().or(spec["wasm"]["url"].as_str()).unwrap();
            assert!(url.contains(&format!("/{}:", filter.name())), "{place}: {url}");

            let labels = spec["selector"]["matchLabels"].as_object();
            let labels: Vec<String> = labels
                .into_iter()
                .flatten()
                .map(|(label, value)| format!("{label}={}", value.as_str().unwrap_or_default()))
                .collect();
            let proxies = (manifest["metadata"]["namespace"].as_str().unwrap(), &*labels.join(","));
            assert!(PROXIES.contains(&proxies), "{place}: nobody is {proxies:?}");

            let is_gateway = proxies.1.ends_with("gateway");
            // Istio 1.15 runs a plugin on both sides, and inbound requests are authorized.
            let is_outbound = spec["match"][0]["mode"] == "CLIENT" && !is_gateway;
            let meant = deeds.slot(filter, if is_outbound { Site::Outbound } else { Site::Mixed });
            assert_eq!(spec["phase"], meant.phase, "{place}");
            assert_eq!(spec["priority"], meant.priority, "{place}");
            // What passes two sidecars counts once, where it is served.
            if filter == Filter::MetricTags && !name(&path).contains("1.15") {
                let side = if is_gateway { "CLIENT" } else { "SERVER" };
                assert_eq!(spec["match"][0]["mode"], side, "{place}");
            }
            for clause in spec["match"].as_array().into_iter().flatten() {
                assert!(!is_gateway || clause["mode"] == "CLIENT", "{place}: {clause}");
                for port in clause["ports"].as_array().into_iter().flatten() {
                    let number = port["number"].as_u64().unwrap();
                    assert!(!is_gateway || GATEWAY_PORTS.contains(&number), "{place}: {number}");
                }
            }
        }
    }
}

/// What is applied together is linted together: each file for its release, with those that
/// are for any.
#[test]
fn the_manifests_of_a_release_are_without_a_finding() {
    let mut linted = BTreeSet::new();
    for example in folders() {
        for release in RELEASES {
            let files = for_release(&example, release);
            // An example is for several clusters, and each may have a resource of this name.
            let mut arguments = vec!["lint", "--istio", release, "--ignore", "NRW633"];
            let paths: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
            arguments.extend(paths.iter().map(String::as_str));
            let (clean, said) = narrows(&arguments);
            assert!(clean && said.contains("0 warnings"), "{} for {release}: {said}", example.display());
            linted.extend(paths);
        }
        let all = yaml_in(&example.join("istio"));
        let left = all.iter().find(|path| !linted.contains(&path.display().to_string()));
        assert!(left.is_none(), "{left:?} is for no release");
    }
}

/// Both are for the one egress gateway, and each denies what it does not know.
#[test]
fn two_egress_policies_on_one_gateway_are_found() {
    for managed in ["admin", "managed", "managed-without-rancher"] {
        let system = root().join("examples/system-egress/istio/wasmplugin-1.27.yaml");
        let other = root().join(format!("examples/multicluster/istio/wasmplugin-1.27-{managed}.yaml"));
        let files = [system, other].map(|path| path.display().to_string());
        let (clean, said) = narrows(&["lint", "--istio", "1.27", &files[0], &files[1]]);
        assert!(!clean && said.contains("NRW613"), "{managed}: {said}");
    }
}

/// The manifests of an example that are applied to a release: its own, and those of no
/// release.
fn for_release(example: &std::path::Path, release: &str) -> Vec<PathBuf> {
    let mut files = yaml_in(&example.join("istio"));
    files.retain(|path| {
        let name = name(path);
        let stem = name.trim_end_matches(".yaml");
        stem.split('-').find(|part| part.starts_with("1.")).is_none_or(|named| named == release)
            // Istio 1.30 takes the current Telemetry.
            || (release == "1.30" && stem == "telemetry-1.27")
    });
    files
}

/// The policy in a manifest.
fn carried(manifest: &Value) -> Option<&Value> {
    let places = ["/spec/pluginConfig", "/spec/wasm/pluginConfig"];
    places.iter().find_map(|place| manifest.pointer(place))
}

/// The receiver of Flagger's events asks nobody who he is.
#[test]
fn flagger_alone_reaches_the_receiver() {
    let manifests = documents(&root().join("examples/progressive-delivery/flagger/receiver.yaml"));
    let of = |kind: &str| manifests.iter().find(|manifest| manifest["kind"] == kind).unwrap();
    let (policy, receiver) = (of("NetworkPolicy"), of("Deployment"));
    assert_eq!(policy["metadata"]["namespace"], receiver["metadata"]["namespace"]);
    assert_eq!(
        policy["spec"]["podSelector"]["matchLabels"],
        receiver["spec"]["template"]["metadata"]["labels"]
    );
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress"]));
    let flagger = json!({ "matchLabels": { "kubernetes.io/metadata.name": "flagger-system" } });
    assert_eq!(policy["spec"]["ingress"], json!([{ "from": [{ "namespaceSelector": flagger }] }]));
}
