//! An image: blobs, and a manifest that names them by their digests.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use clap::ValueEnum;
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::module::Module;
use crate::error::CliError;

/// The forms in which Istio and Envoy Gateway read a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One layer with plugin.wasm in it: every tool for images knows it
    #[default]
    Image,
    /// The module as it is, beside its description
    Artifact,
}

/// What an image says of its module, besides what the module shows.
#[derive(Clone, Debug)]
pub struct About {
    /// Its name, such as `canary-split`.
    pub title: String,
    /// Annotations that are added, or that stand in place of the usual ones.
    pub annotations: BTreeMap<String, String>,
}

/// Bytes that a registry keeps under their digest.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What they are.
    pub media_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// `sha256:` and 64 digits.
    pub digest: String,
}

/// A manifest with all that it names.
#[derive(Clone, Debug)]
pub struct Image {
    /// The manifest. Its digest is that of the image.
    pub manifest: Blob,
    /// The blobs that it names.
    pub blobs: Vec<Blob>,
}

/// A blob as a manifest names it. The order of the fields is that of the bytes.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'m> {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: &'m [Descriptor],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'m BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Settings<'c> {
    architecture: &'static str,
    os: &'static str,
    config: BTreeMap<&'static str, &'static str>,
    rootfs: Rootfs<'c>,
}

#[derive(Serialize)]
struct Rootfs<'c> {
    r#type: &'static str,
    diff_ids: &'c [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description<'d> {
    r#type: &'static str,
    abi_versions: [&'d str; 1],
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const MODULE: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
const DESCRIPTION: &str = "application/vnd.module.wasm.config.v1+json";
/// The name that both fetchers look for in a layer.
const FILE: &str = "plugin.wasm";
/// The level that all of zlib's descendants know as the smallest.
const LEVEL: u32 = 9;

impl Form {
    /// A module in this form.
    pub fn image(self, module: &Module, about: &About) -> Result<Image, CliError> {
        let mut annotations = BTreeMap::from([
            ("org.opencontainers.image.title", about.title.clone()),
            ("org.opencontainers.image.version", env!("CARGO_PKG_VERSION").to_owned()),
            ("org.opencontainers.image.licenses", env!("CARGO_PKG_LICENSE").to_owned()),
            ("org.proxy-wasm.abi", module.abi().to_owned()),
            ("org.proxy-wasm.capabilities", module.capabilities()),
        ])
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<BTreeMap<_, _>>();
        annotations.extend(about.annotations.clone());
        annotations.retain(|_, value| !value.is_empty());
        match self {
            Self::Image => {
                let archive = archive(module.bytes())?;
                let layer = Blob::new(LAYER, gzip(&archive)?);
                let config = config(&[digest(&archive)])?;
                Image::new(config, vec![(layer, BTreeMap::new())], &annotations)
            }
            Self::Artifact => {
                let abi = format!("v{}", module.abi().replace('.', "-"));
                let text = json(&Description { r#type: "envoy_proxy", abi_versions: [&abi] })?;
                let description = Blob::new(DESCRIPTION, text);
                let module = Blob::new(MODULE, module.bytes().to_vec());
                let layers = vec![(module, BTreeMap::new()), (description.clone(), BTreeMap::new())];
                Image::new(description, layers, &annotations)
            }
        }
    }
}

impl Image {
    /// An image of a configuration and of layers, each with its annotations.
    pub(super) fn new(
        config: Blob,
        layers: Vec<(Blob, BTreeMap<String, String>)>,
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, CliError> {
        let named: Vec<_> = layers.iter().map(|(layer, about)| layer.descriptor(about.clone())).collect();
        let mut blobs = vec![config];
        blobs.extend(layers.into_iter().map(|(layer, _)| layer));
        Self::of(blobs, &named, annotations)
    }

    /// The same of layers of which a registry has some already. The first blob is the configuration.
    pub(super) fn of(
        mut blobs: Vec<Blob>,
        layers: &[Descriptor],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Self, CliError> {
        let config = blobs.first().map(|config| config.descriptor(BTreeMap::new()));
        let config = config.ok_or_else(unwritable)?;
        let manifest = Manifest { schema_version: 2, media_type: MANIFEST, config, layers, annotations };
        let mut seen = BTreeSet::new();
        blobs.retain(|blob| seen.insert(blob.digest.clone()));
        Ok(Self { manifest: Blob::new(MANIFEST, json(&manifest)?), blobs })
    }

    /// Its digest.
    pub fn digest(&self) -> &str {
        &self.manifest.digest
    }
}

impl Blob {
    /// Bytes, with what they are.
    pub fn new(media_type: &'static str, bytes: Vec<u8>) -> Self {
        let digest = digest(&bytes);
        Self { media_type, bytes, digest }
    }

    pub(super) fn descriptor(&self, annotations: BTreeMap<String, String>) -> Descriptor {
        let (media_type, digest) = (self.media_type.to_owned(), self.digest.clone());
        Descriptor { media_type, digest, size: self.bytes.len(), annotations }
    }
}

/// The configuration of an image with these layers. Fetchers that look for a platform ask for this one, on
/// whatever machine they run.
pub(super) fn config(layers: &[String]) -> Result<Blob, CliError> {
    let rootfs = Rootfs { r#type: "layers", diff_ids: layers };
    let config = Settings { architecture: "amd64", os: "linux", config: BTreeMap::new(), rootfs };
    Ok(Blob::new(CONFIG, json(&config)?))
}

/// The digest of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// JSON whose fields are in the order of the type, whatever else is linked in.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, CliError> {
    serde_json::to_vec(value).map_err(|_| unwritable())
}

/// One file, of nobody and of no time.
fn archive(module: &[u8]) -> Result<Vec<u8>, CliError> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(module.len() as u64);
    header.set_mode(0o644);
    let added = tar.append_data(&mut header, FILE, module);
    added.and_then(|()| tar.into_inner()).map_err(|_| unwritable())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, CliError> {
    let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(LEVEL));
    gzip.write_all(bytes).and_then(|()| gzip.finish()).map_err(|_| unwritable())
}

/// Memory is all that it takes.
fn unwritable() -> CliError {
    CliError::new("the image cannot be made", "report it, with the module")
}
