//! What `narrows migrate` writes can be attached as it says.

use std::fs;
use std::path::Path;

use super::{directory, narrows};

/// Each old configuration that is tried on Envoy: what is rendered of it has no faults.
#[test]
fn the_commands_that_attach_a_policy_run() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/migrate");
    let (mut commands, mut merged) = (0, 0);
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let here = directory("migrate");
        let old = path.to_str().unwrap();
        let (code, output, errors) =
            narrows(&here, &["migrate", old, "--out", "policy.yaml", "--allow-differences"]);
        assert_eq!(code, Some(0), "{old}: {output}{errors}");
        let told: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("  narrows ")).collect();
        assert!(!told.is_empty() && errors.contains("note: attach it to "), "{old}: {errors}");
        for command in told {
            let (code, rendered, errors) = narrows(&here, &command.split(' ').collect::<Vec<_>>());
            assert_eq!(code, Some(0), "{old}: {command}: {errors}");
            fs::write(here.join("rendered.yaml"), &rendered).unwrap();
            let (code, output, _) = narrows(&here, &["lint", "rendered.yaml"]);
            assert_eq!(code, Some(0), "{old}: {command}: {output}{rendered}");
            // What was rendered is still one policy.
            let (code, _, errors) = narrows(&here, &["digest", "rendered.yaml"]);
            assert_eq!(code, Some(0), "{old}: {command}: {errors}");
            commands += 1;
            merged += usize::from(rendered.contains("pluginName: narrows"));
        }
    }
    assert!(commands > 10 && merged > 0, "{commands} {merged}");
}

const OLD: &str = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v, namespace: shop }\n\
    spec:\n  hosts: [a.example.com]\n  gateways: [g]\n  http: [{ route: [{ destination: { host: a, subset: v1 }, weight: 9 }, \
    { destination: { host: a, subset: v2 }, weight: 1 }] }]\n";

/// Whoever mistypes an option loses neither the old configuration nor half of the new one.
#[test]
fn no_output_destroys_another_file_of_the_run() {
    let here = directory("migrate-outputs");
    fs::write(here.join("old.yaml"), OLD).unwrap();
    std::os::unix::fs::symlink("old.yaml", here.join("link.yaml")).unwrap();
    for (options, fault, help) in [
        (&["--out", "old.yaml"][..], "--out \"old.yaml\" is a file that is converted", "name another file"),
        (
            &["--cases", "./old.yaml"],
            "--cases \"./old.yaml\" is a file that is converted",
            "name another file",
        ),
        (&["--routes", "link.yaml"], "is a file that is converted", "name another file"),
        (
            &["--out", "new.yaml", "--routes", "./new.yaml", "--cases", "c.yaml"],
            "--out and --routes name the same file",
            "name a file for each",
        ),
        (&["--out", "none/x.yaml"], "cannot write \"none/x.yaml\"", "make the folder \"none\" first"),
        (&["--out", "."], "cannot write \".\": it is a folder", "name a file in it"),
    ] {
        let (code, output, errors) = narrows(&here, &[&["migrate", "old.yaml"], options].concat());
        assert_eq!(code, Some(2), "{options:?}: {output}{errors}");
        assert!(errors.contains(fault) && errors.contains(help), "{options:?}: {errors}");
        assert_eq!(fs::read_to_string(here.join("old.yaml")).unwrap(), OLD, "{options:?}");
        assert_eq!(fs::read_dir(&here).unwrap().count(), 2, "{options:?}: nothing was written");
    }
    // Another file is replaced, and that is said.
    let write = || narrows(&here, &["migrate", "old.yaml", "--out", "new.yaml", "--allow-differences"]);
    assert!(write().2.contains("policy written to new.yaml\n"));
    assert!(write().2.contains("policy written to new.yaml, in place of what was there\n"));
}

/// An Ingress with two hosts.
fn ingress(name: &str, namespace: &str, annotations: &str) -> String {
    let rule = |host: &str| {
        format!(
            "{{ host: {host}, http: {{ paths: [{{ path: /, pathType: Prefix, backend: {{ service: {{ name: {name}, \
             port: {{ number: 80 }} }} }} }}] }} }}"
        )
    };
    let rules = [rule("a.example"), rule("b.example")].join(", ");
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{ name: {name}{namespace}, annotations: \
         {{ {annotations} }} }}\nspec: {{ rules: [{rules}] }}\n"
    )
}

/// What was written under this name.
fn routes_of(old: &str, name: &str) -> String {
    let here = directory(name);
    fs::write(here.join("old.yaml"), old).unwrap();
    let command = ["migrate", "old.yaml", "--out", "p.yaml", "--routes", "r.yaml", "--allow-differences"];
    let (code, _, errors) = narrows(&here, &command);
    assert_eq!(code, Some(0), "{errors}");
    fs::read_to_string(here.join("r.yaml")).unwrap() + &errors
}

/// A cluster keeps one resource of a name in a namespace.
#[test]
fn each_host_of_an_ingress_has_a_route_that_stays() {
    let canary =
        "nginx.ingress.kubernetes.io/canary: 'true', nginx.ingress.kubernetes.io/canary-weight: '10'";
    let both = |main: &str, own: &str| {
        let (main, own) = (ingress("shop", main, ""), ingress("shop-canary", own, canary));
        format!("{main}---\n{own}")
    };
    let written = routes_of(&both(", namespace: store", ", namespace: store"), "migrate-hosts");
    for (name, host) in [("shop-canary", "a.example"), ("shop-canary-2", "b.example")] {
        let head = format!(
            "metadata:\n  name: {name}\n  namespace: store\nspec:\n  parentRefs:\n    - name: gateway\n  \
             hostnames: [{host}]\n"
        );
        assert!(written.contains(&head), "{written}");
    }
    // The service of another namespace is named with it, and that needs a grant.
    let written = routes_of(&both("", ", namespace: store"), "migrate-namespaces");
    assert!(
        written.contains("- name: shop\n          namespace: default\n          port: 80\n"),
        "{written}"
    );
    assert!(written.contains("- name: shop-canary\n          port: 80\n"), "{written}");
    assert!(written.contains("= help: write a ReferenceGrant in default"), "{written}");
    // Two of a name that were written so.
    let here = directory("migrate-twice");
    let other = OLD.replace("a.example.com", "b.example.com");
    fs::write(here.join("old.yaml"), format!("{OLD}---\n{other}")).unwrap();
    let (code, _, errors) = narrows(&here, &["migrate", "old.yaml"]);
    assert!(code == Some(2) && errors.contains("VirtualService v in shop is there twice"), "{errors}");
    fs::write(here.join("old.yaml"), format!("{OLD}---\n{}", other.replace(" v,", " w,"))).unwrap();
    assert_eq!(narrows(&here, &["migrate", "old.yaml", "--allow-differences"]).0, Some(0));
}

/// What an API server adds cannot be applied again.
#[test]
fn the_routes_have_the_metadata_that_was_written() {
    let read = OLD.replace(
        "metadata: { name: v, namespace: shop }",
        "metadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{}'\n    team: shop\n  \
         creationTimestamp: \"2026-01-01T00:00:00Z\"\n  generation: 3\n  labels: { app: v }\n  \
         managedFields: [{ manager: kubectl }]\n  name: v\n  namespace: shop\n  resourceVersion: \"123\"\n  uid: 0b0b",
    );
    let kept = "metadata:\n  annotations:\n    team: shop\n  labels:\n    app: v\n  name: v\n  namespace: shop\nspec:";
    let written = routes_of(&(read.clone() + "status: {}\n"), "migrate-metadata");
    assert!(written.contains(kept) && !written.contains("status"), "{written}");
    let route = read
        .replace("networking.istio.io/v1", "gateway.networking.k8s.io/v1")
        .replace("VirtualService", "HTTPRoute");
    let (head, _) = route.split_once("spec:").unwrap();
    let spec = "spec: { hostnames: [a.example], rules: [{ backendRefs: [{ name: a, port: 80, weight: 9 }, \
                { name: b, port: 80, weight: 1 }] }] }\n";
    let written = routes_of(&format!("{head}{spec}"), "migrate-metadata");
    assert!(written.contains(kept), "{written}");
    // Nothing is left of annotations that only kubectl wrote.
    let written = routes_of(&read.replace("    team: shop\n", ""), "migrate-metadata");
    assert!(written.contains("metadata:\n  labels:"), "{written}");
}
