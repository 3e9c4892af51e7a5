//! The signature, checked by openssl as cosign checks it.

use std::path::{Path, PathBuf};
use std::process::Command;

use narrows_harness::registry::{Login, Registry};
use narrows_harness::temp::TempDir;
use serde_json::Value;

use super::{Pack, REPOSITORY, TAG, json, place};

/// A new key, and its public half.
fn key(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let (own, public) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
    let make = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
    assert!(Command::new("openssl").args(make).arg(&own).output().unwrap().status.success());
    let mut tell = Command::new("openssl");
    tell.args(["pkey", "-pubout", "-in"]).arg(&own).arg("-out").arg(&public);
    assert!(tell.output().unwrap().status.success());
    (own, public)
}

/// The manifest of the signatures of an image.
fn signatures(registry: &Registry, image: &str) -> Value {
    let tag = format!("{}.sig", image.replace(':', "-"));
    json(&registry.blob(&registry.tag(REPOSITORY, &tag).unwrap()).unwrap())
}

/// Whether a layer's annotation is the signature of its bytes by a key.
fn is_by(registry: &Registry, layer: &Value, public: &Path, folder: &TempDir) -> bool {
    let payload = registry.blob(layer["digest"].as_str().unwrap()).unwrap();
    let payload = folder.write("payload", payload).unwrap();
    let text = layer["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap();
    let encoded = folder.write("signature.base64", text).unwrap();
    let signature = Command::new("base64").arg("-d").arg(encoded).output().unwrap().stdout;
    let signature = folder.write("signature", signature).unwrap();
    let mut check = Command::new("openssl");
    check.args(["dgst", "-sha256", "-verify"]).arg(public).arg("-signature").arg(signature).arg(payload);
    check.output().unwrap().status.success()
}

#[test]
fn a_signature_names_the_image_and_is_by_the_key() {
    let registry = Registry::start(Login::Nobody).unwrap();
    let folder = TempDir::new("sign").unwrap();
    let (one, one_public) = key(folder.path(), "one");
    let (other, other_public) = key(folder.path(), "other");
    let place = place(&registry);
    let sign = |key: &Path| {
        Pack::of(&["--push", &place, "--insecure", "--sign", &key.display().to_string()]).run().digest()
    };
    let image = sign(&one);
    assert_eq!(registry.tag(REPOSITORY, TAG).unwrap(), image);
    let signed = signatures(&registry, &image);
    let layer = &signed["layers"][0];
    assert_eq!(layer["mediaType"], "application/vnd.dev.cosign.simplesigning.v1+json");
    assert!(is_by(&registry, layer, &one_public, &folder));
    assert!(!is_by(&registry, layer, &other_public, &folder));
    let payload = json(&registry.blob(layer["digest"].as_str().unwrap()).unwrap());
    let critical = &payload["critical"];
    assert_eq!(critical["image"]["docker-manifest-digest"], image.as_str());
    assert_eq!(critical["identity"]["docker-reference"], place.trim_end_matches(&format!(":{TAG}")));
    assert_eq!(critical["type"], "cosign container image signature");
    // Again by the same key: nothing is new. By another one: both are there.
    sign(&one);
    assert_eq!(signatures(&registry, &image), signed);
    sign(&other);
    let both = signatures(&registry, &image);
    assert_eq!((&both["layers"][0], both["layers"].as_array().unwrap().len()), (layer, 2));
    assert!(is_by(&registry, &both["layers"][1], &other_public, &folder));
}

#[test]
fn what_is_no_key_is_refused() {
    let folder = TempDir::new("sign").unwrap();
    let (_, public) = key(folder.path(), "one");
    for file in [public.display().to_string(), "stock.yaml".to_owned()] {
        Pack::of(&["--push", "r.example/a:1", "--sign", &file]).run().refuses("openssl genpkey");
    }
    Pack::of(&["--sign", "x"]).run().refuses("--push");
}
