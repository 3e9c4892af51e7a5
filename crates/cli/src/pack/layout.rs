//! An image on disk, as `skopeo`, `oras` and `crane` read it: an OCI image layout.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::image::{Descriptor, Image, json};
use crate::error::CliError;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: [Descriptor; 1],
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
/// By this annotation the tools call an image of a layout.
const NAME: &str = "org.opencontainers.image.ref.name";

/// Writes the layout of an image, which the layout calls `tag`, into a folder that is not there yet.
pub fn write(image: &Image, tag: &str, folder: &Path) -> Result<(), CliError> {
    if folder.exists() {
        return Err(CliError::new(
            format!("{:?} is there already", folder.display().to_string()),
            "remove it, or name another folder: what was in it would mix with the image",
        ));
    }
    let blobs = folder.join("blobs/sha256");
    let refuse = |e: std::io::Error| {
        CliError::new(
            format!("cannot write to {:?}: {e}", folder.display().to_string()),
            "name a folder that can be made",
        )
    };
    fs::create_dir_all(&blobs).map_err(refuse)?;
    for blob in image.blobs.iter().chain([&image.manifest]) {
        let name = blob.digest.trim_start_matches("sha256:");
        fs::write(blobs.join(name), &blob.bytes).map_err(refuse)?;
    }
    let named = BTreeMap::from([(NAME.to_owned(), tag.to_owned())]);
    let index = Index { schema_version: 2, media_type: INDEX, manifests: [image.manifest.descriptor(named)] };
    fs::write(folder.join("index.json"), json(&index)?).map_err(refuse)?;
    fs::write(folder.join("oci-layout"), LAYOUT).map_err(refuse)
}
