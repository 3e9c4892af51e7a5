//! A registry of images, as far as a push needs it: what the distribution specification says of uploads.
//!
//! A password goes to the registry that it is for, and to the server of tokens that this registry names;
//! over TLS alone, and nowhere where an answer redirects to. No message holds one, nor any text that a
//! server has written.

mod address;
mod challenge;
mod connection;
mod credential;
mod place;
mod token;

use serde_json::Value;

pub use connection::Trust;
pub use credential::Credential;
pub use place::Place;

use crate::error::CliError;
use crate::pack::{Blob, Image, Signer, digest};
use connection::{Answer, Ask, Connection};

/// The manifests that are asked for.
const MANIFESTS: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// The bytes of an upload.
const BYTES: &str = "application/octet-stream";

/// A repository of a registry.
pub struct Registry {
    connection: Connection,
    place: Place,
}

impl Registry {
    /// Nothing is sent yet. Without a credential, the registry is asked as by anybody.
    pub fn new(place: &Place, credential: Option<Credential>, trust: &Trust) -> Result<Self, CliError> {
        Ok(Self { connection: Connection::new(place, credential, trust)?, place: place.clone() })
    }

    /// Pushes an image under a tag, then fetches all of it again.
    pub fn push(&mut self, image: &Image, tag: &str) -> Result<(), CliError> {
        for blob in &image.blobs {
            self.upload(blob)?;
        }
        let manifest = &image.manifest;
        let to = self.path(&format!("manifests/{tag}"));
        let put = Ask::new("PUT", to).content(manifest.media_type, &manifest.bytes);
        self.done(&put, &[201])?;
        self.verify(image, tag)
    }

    /// Signs an image that was pushed. Returns whether this key had not signed it before.
    pub fn sign(&mut self, signer: &Signer, image: &str) -> Result<bool, CliError> {
        let tag = Signer::tag(image);
        let known =
            self.answer(&Ask::new("GET", self.path(&format!("manifests/{tag}"))).accept(MANIFESTS))?;
        let known = match known.status {
            404 => None,
            200 => serde_json::from_slice::<Value>(&known.body).ok(),
            _ => return Err(self.refused(&known, "the signatures of the image")),
        };
        let signature = signer.sign(&self.place.name(), image, known.as_ref())?;
        let Some(signature) = signature else { return Ok(false) };
        self.push(&signature, &tag).map(|()| true)
    }

    /// Uploads a blob, unless the registry has it.
    fn upload(&mut self, blob: &Blob) -> Result<(), CliError> {
        let there = self.answer(&Ask::new("HEAD", self.path(&format!("blobs/{}", blob.digest))))?;
        if there.status == 200 {
            return Ok(());
        }
        let begun = self.done(&Ask::new("POST", self.path("blobs/uploads/")), &[202])?;
        let to = begun.location.ok_or_else(|| {
            CliError::new(
                format!("{} names no place for an upload", self.place.registry()),
                "is it a registry of images, of the distribution specification?",
            )
        })?;
        let joint = if to.contains('?') { '&' } else { '?' };
        let to = format!("{to}{joint}digest={}", blob.digest.replace(':', "%3A"));
        self.done(&Ask::new("PUT", to).content(BYTES, &blob.bytes), &[201]).map(drop)
    }

    /// Fetches what was pushed, as a proxy would.
    fn verify(&mut self, image: &Image, tag: &str) -> Result<(), CliError> {
        let manifest = self.path(&format!("manifests/{tag}"));
        self.is_there(&Ask::new("GET", manifest).accept(MANIFESTS), &image.manifest)?;
        for blob in &image.blobs {
            let path = self.path(&format!("blobs/{}", blob.digest));
            self.is_there(&Ask::new("GET", path), blob)?;
        }
        Ok(())
    }

    fn is_there(&mut self, ask: &Ask<'_>, blob: &Blob) -> Result<(), CliError> {
        let answer = self.done(ask, &[200])?;
        if digest(&answer.body) == blob.digest {
            return Ok(());
        }
        Err(CliError::new(
            format!("{} has other bytes than were pushed", self.place.registry()),
            "push again; if it stays so, something between here and the registry changes what it sends",
        ))
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", self.place.origin(self.connection.is_plain()), self.place.repository())
    }

    fn answer(&mut self, ask: &Ask<'_>) -> Result<Answer, CliError> {
        self.connection.send(ask)
    }

    fn done(&mut self, ask: &Ask<'_>, good: &[u16]) -> Result<Answer, CliError> {
        let answer = self.answer(ask)?;
        if good.contains(&answer.status) {
            return Ok(answer);
        }
        Err(self.refused(&answer, ask.what()))
    }

    fn refused(&self, answer: &Answer, what: &str) -> CliError {
        let code = answer.code().map(|code| format!(" ({code})")).unwrap_or_default();
        let help = match answer.status {
            401 if self.connection.has_credential() => "it does not take this name and password",
            401 => "log in with `docker login`, or write --username and --password-stdin",
            403 => "ask for the right to push to this repository",
            404 | 405 => "does the repository exist? some registries want it made first",
            413 => "the registry takes nothing that large",
            429 => "try again later",
            _ => "see what the registry's own log says",
        };
        let registry = self.place.registry();
        CliError::new(format!("{registry} answers {}{code} to {what}", answer.status), help)
    }
}
