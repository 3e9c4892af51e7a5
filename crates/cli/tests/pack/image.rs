//! The image: the same bytes for the same module, in the forms that fetchers read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use narrows_harness::registry::{Login, Registry};
use narrows_harness::temp::TempDir;

use super::{MODULE, Pack, REPOSITORY, TAG, fixtures, json, place};

/// Every file of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let inner = files(&entry.path()).into_iter();
            found.extend(inner.map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// A blob of a layout.
fn blob(folder: &Path, digest: &str) -> Vec<u8> {
    let path = folder.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
    let bytes = fs::read(&path).unwrap();
    let sum = Command::new("sha256sum").arg(&path).output().unwrap().stdout;
    assert!(String::from_utf8_lossy(&sum).starts_with(digest.trim_start_matches("sha256:")));
    bytes
}

#[test]
fn the_same_module_is_the_same_image() {
    let folder = TempDir::new("pack").unwrap();
    for form in ["image", "artifact"] {
        let (one, other) = (folder.path().join(form), folder.path().join(format!("{form}-again")));
        let pack = |to: &Path| Pack::of(&["--as", form, "--out", &to.display().to_string()]).run().digest();
        assert_eq!(pack(&one), pack(&other));
        assert_eq!(files(&one), files(&other));
        // Nothing mixes with what is there.
        Pack::of(&["--out", &one.display().to_string()]).run().refuses("is there already");
    }
    // Frozen: who packs with another version gets this image as well.
    let digests = ["image", "artifact"].map(|form| Pack::of(&["--as", form]).run().digest());
    assert_eq!(digests, FROZEN);
}

const FROZEN: [&str; 2] = [
    "sha256:971ce06168c5380ac3b581524d3dc364a7cfc16b470719859687a8580a8af17c",
    "sha256:71bd16c724e92a4fe8c3f5dccb00d0dfeae52610da627ad54b8c4e0bb6c93d4f",
];

#[test]
fn the_last_layer_has_the_module() {
    let folder = TempDir::new("pack").unwrap();
    let layout = folder.path().join("layout");
    let source = "https://example.com/narrows";
    let arguments = ["--out", &layout.display().to_string(), "--source", source, "--annotation", "a=b"]
        .map(str::to_owned);
    let digest = Pack::of(&arguments.each_ref().map(String::as_str)).run().digest();
    let index = json(&fs::read(layout.join("index.json")).unwrap());
    assert_eq!(index["manifests"][0]["digest"], digest.as_str());
    assert_eq!(index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], TAG);
    let manifest = json(&blob(&layout, &digest));
    let annotations = &manifest["annotations"];
    for (name, value) in [
        ("org.opencontainers.image.title", "canary-split"),
        ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION")),
        ("org.opencontainers.image.licenses", "Apache-2.0"),
        ("org.opencontainers.image.source", source),
        ("org.proxy-wasm.abi", "0.2.1"),
        ("org.proxy-wasm.capabilities", "proxy_log,proxy_on_configure"),
        ("a", "b"),
    ] {
        assert_eq!(annotations[name], value, "{name}");
    }
    let layers = manifest["layers"].as_array().unwrap();
    let layer = layers.last().unwrap();
    assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let bytes = blob(&layout, layer["digest"].as_str().unwrap());
    assert_eq!(layer["size"], bytes.len());
    let archive = folder.write("layer.tar.gz", &bytes).unwrap();
    let listed = Command::new("tar").arg("-tvzf").arg(&archive).output().unwrap().stdout;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    assert!(listed.starts_with("-rw-r--r-- 0/0") && listed.contains("1970-01-01"), "{listed}");
    assert!(listed.trim_end().ends_with(" plugin.wasm") && listed.lines().count() == 1, "{listed}");
    let module = Command::new("tar").arg("-xOzf").arg(&archive).output().unwrap().stdout;
    assert_eq!(module, fs::read(fixtures().join(MODULE)).unwrap());
    // A runtime that is given the image checks the archive by the configuration.
    let config = json(&blob(&layout, manifest["config"]["digest"].as_str().unwrap()));
    let unzipped = Command::new("gunzip").arg("-c").arg(&archive).output().unwrap().stdout;
    let unzipped = folder.write("layer.tar", unzipped).unwrap();
    let sum = Command::new("sha256sum").arg(unzipped).output().unwrap().stdout;
    let sum = format!("sha256:{}", String::from_utf8_lossy(&sum).split(' ').next().unwrap());
    assert_eq!(config["rootfs"]["diff_ids"][0], sum.as_str());
}

#[test]
fn the_artifact_has_two_layers() {
    let folder = TempDir::new("pack").unwrap();
    let layout = folder.path().join("layout");
    let digest = Pack::of(&["--as", "artifact", "--out", &layout.display().to_string()]).run().digest();
    let manifest = json(&blob(&layout, &digest));
    let kinds: Vec<_> =
        manifest["layers"].as_array().unwrap().iter().map(|layer| &layer["mediaType"]).collect();
    assert_eq!(
        kinds,
        ["application/vnd.module.wasm.content.layer.v1+wasm", "application/vnd.module.wasm.config.v1+json"]
    );
    let module = blob(&layout, manifest["layers"][0]["digest"].as_str().unwrap());
    assert_eq!(module, fs::read(fixtures().join(MODULE)).unwrap());
}

#[test]
fn a_registry_keeps_what_was_packed() {
    let registry = Registry::start(Login::Nobody).unwrap();
    let place = place(&registry);
    let digest = Pack::of(&["--push", &place, "--insecure"]).run().digest();
    assert_eq!(digest, Pack::of(&[]).run().digest());
    assert_eq!(registry.tag(REPOSITORY, TAG).unwrap(), digest);
    let manifest = json(&registry.blob(&digest).unwrap());
    for blob in manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]) {
        let bytes = registry.blob(blob["digest"].as_str().unwrap()).unwrap();
        assert_eq!(blob["size"], bytes.len());
    }
    // Once more, and nothing is uploaded again.
    let uploads = |log: &str| log.matches("PUT /v2/narrows/canary-split/blobs").count();
    let before = uploads(&registry.log().unwrap());
    assert!(before >= 2, "{before}");
    assert_eq!(Pack::of(&["--push", &place, "--insecure"]).run().digest(), digest);
    assert_eq!(uploads(&registry.log().unwrap()), before);
    // With TLS it does not answer.
    Pack::of(&["--push", &place]).run().refuses("cannot reach 127.0.0.1");
}

#[test]
fn what_cannot_be_an_image_is_refused() {
    let packed = |module: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        let done = command.current_dir(fixtures()).args(["pack", module]).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    assert!(packed("stock.yaml").contains("is no WebAssembly"), "{}", packed("stock.yaml"));
    assert!(packed("other.wasm").contains("names no ABI"), "{}", packed("other.wasm"));
    assert!(packed("nowhere.wasm").contains("cannot read"), "{}", packed("nowhere.wasm"));
}
