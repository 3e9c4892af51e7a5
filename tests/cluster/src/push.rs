//! A module to a registry, as the image that Istio reads: one layer, a gzipped archive with `plugin.wasm` in it.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::{Context, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use narrows_harness::http1;
use narrows_harness::message::{Request, Response};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Pushes a module as `repository:tag`; returns the digest of its manifest.
pub(crate) fn push(
    registry: SocketAddr,
    repository: &str,
    tag: &str,
    module: &[u8],
) -> anyhow::Result<String> {
    let archive = archive(module)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&archive)?;
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [digest(&archive)] },
    });
    let config = blob(registry, repository, CONFIG, config.to_string().into_bytes())?;
    let layer = blob(registry, repository, LAYER, gzip.finish()?)?;
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] });
    let body = manifest.to_string().into_bytes();
    let pushed = digest(&body);
    send(registry, "PUT", &format!("/v2/{repository}/manifests/{tag}"), MANIFEST, body)?;
    Ok(pushed)
}

/// Uploads a blob; returns how a manifest names it.
fn blob(registry: SocketAddr, repository: &str, kind: &str, body: Vec<u8>) -> anyhow::Result<Value> {
    let (digest, size) = (digest(&body), body.len());
    let begun = send(registry, "POST", &format!("/v2/{repository}/blobs/uploads/"), "", Vec::new())?;
    let place = begun.headers.text("location").context("the registry names no place for an upload")?;
    // With or without a scheme and host before it.
    let path =
        place.find("/v2/").and_then(|at| place.get(at..)).context("a place that is not the registry's")?;
    let joint = if path.contains('?') { '&' } else { '?' };
    send(registry, "PUT", &format!("{path}{joint}digest={digest}"), "application/octet-stream", body)?;
    Ok(json!({ "mediaType": kind, "digest": digest, "size": size }))
}

fn send(
    registry: SocketAddr,
    method: &str,
    target: &str,
    kind: &str,
    body: Vec<u8>,
) -> anyhow::Result<Response> {
    let mut request =
        Request::new(method, &registry.to_string(), target).header("content-length", body.len().to_string());
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    let answer = http1::exchange(registry, &request.body(body))?;
    ensure!((200..300).contains(&answer.status), "{method} {target}: {} {}", answer.status, answer.text());
    Ok(answer)
}

fn archive(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(module.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "plugin.wasm", module)?;
    Ok(tar.into_inner()?)
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}
