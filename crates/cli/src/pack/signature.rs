//! A signature as cosign keeps it: a small text that names the image by its digest, signed, in an image
//! of its own beside the one that it is for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use serde_json::Value;

use super::image::{Blob, Descriptor, Image, config, json};
use crate::error::CliError;

/// A key that signs.
#[derive(Debug)]
pub struct Signer(EcdsaKeyPair);

/// What is signed. The order of the fields is that of the bytes.
#[derive(Serialize)]
struct Payload<'p> {
    critical: Critical<'p>,
    optional: Option<()>,
}

#[derive(Serialize)]
struct Critical<'p> {
    identity: BTreeMap<&'static str, &'p str>,
    image: BTreeMap<&'static str, &'p str>,
    r#type: &'static str,
}

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation that holds a signature.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// More signatures of one image than anybody makes.
pub const SIGNATURES: usize = 64;

impl Signer {
    /// A key of a file: PKCS#8, PEM, ECDSA on the curve P-256, not encrypted.
    pub fn read(name: &str, pem: &[u8]) -> Result<Self, CliError> {
        let help = "make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
        let refuse = || CliError::new(format!("{name:?} has no key that signs"), help);
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| refuse())?;
        let bytes = key.secret_pkcs8_der();
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes, &SystemRandom::new())
            .map(Self)
            .map_err(|_| refuse())
    }

    /// The tag under which cosign looks for the signatures of an image.
    pub fn tag(digest: &str) -> String {
        format!("{}.sig", digest.replace(':', "-"))
    }

    /// The image of the signatures of an image, by its name without a tag and its digest. `known` is the
    /// manifest that is there already, with signatures by other keys. None if this key has signed already.
    pub fn sign(&self, name: &str, digest: &str, known: Option<&Value>) -> Result<Option<Image>, CliError> {
        let payload = json(&Payload {
            critical: Critical {
                identity: BTreeMap::from([("docker-reference", name)]),
                image: BTreeMap::from([("docker-manifest-digest", digest)]),
                r#type: "cosign container image signature",
            },
            optional: None,
        })?;
        let payload = Blob::new(PAYLOAD, payload);
        let mut layers = known.map(layers).unwrap_or_default();
        if layers.iter().any(|layer| layer.digest == payload.digest && self.has_signed(layer, &payload)) {
            return Ok(None);
        }
        let signed = self.0.sign(&SystemRandom::new(), &payload.bytes);
        let signed = signed.map_err(|_| CliError::new("the key cannot sign", "make another one"))?;
        let text = STANDARD.encode(signed.as_ref());
        layers.push(payload.descriptor(BTreeMap::from([(SIGNATURE.to_owned(), text)])));
        let digests: Vec<String> = layers.iter().map(|layer| layer.digest.clone()).collect();
        Image::of(vec![config(&digests)?, payload], &layers, &BTreeMap::new()).map(Some)
    }

    fn has_signed(&self, layer: &Descriptor, payload: &Blob) -> bool {
        let Some(signature) = layer.annotations.get(SIGNATURE) else { return false };
        let Ok(signature) = STANDARD.decode(signature) else { return false };
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.0.public_key());
        key.verify(&payload.bytes, &signature).is_ok()
    }
}

/// The layers of a manifest.
fn layers(manifest: &Value) -> Vec<Descriptor> {
    let layers = manifest["layers"].as_array().into_iter().flatten().take(SIGNATURES);
    layers
        .filter_map(|layer| {
            let annotations = layer["annotations"].as_object().into_iter().flatten();
            let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
            Some(Descriptor {
                media_type: layer["mediaType"].as_str()?.to_owned(),
                digest: layer["digest"].as_str()?.to_owned(),
                size: usize::try_from(layer["size"].as_u64()?).ok()?,
                annotations: annotations.filter_map(text).collect(),
            })
        })
        .collect()
}
