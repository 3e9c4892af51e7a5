//! `narrows pack`

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Done;
use crate::error::CliError;
use crate::pack::{self, About, Form, Module, Signer};
use crate::registry::{Credential, Place, Registry, Trust};
use crate::source;

/// Make the image of a module that Istio and Envoy Gateway fetch, and push it
///
/// The same module is the same image on every machine. What is printed is its digest, for
/// `narrows render --digest`. Without --out and --push nothing is kept.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The module
    module: PathBuf,
    /// The form of the image
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t)]
    form: Form,
    /// A folder for the image: an OCI image layout. It must not be there yet
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Where to push the image, such as registry.example.com/narrows/canary-split:0.1.0
    #[arg(long, value_name = "IMAGE")]
    push: Option<String>,
    /// An annotation of the image; can be repeated. Without a value, one of the usual ones is left out
    #[arg(long = "annotation", value_name = "NAME=VALUE", value_parser = annotation)]
    annotations: Vec<(String, String)>,
    /// Where the module's source is, as an annotation
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Sign what was pushed with the key in this file, for `cosign verify --key`. No transparency log
    /// hears of it
    #[arg(long, value_name = "FILE", requires = "push")]
    sign: Option<PathBuf>,
    /// The name to log in with [default: what Docker's configuration has]
    #[arg(long, value_name = "NAME", requires = "push", requires = "password")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, group = "password", requires = "username")]
    password_stdin: bool,
    /// Read the password from a file
    #[arg(long, group = "password", value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// The certificates of the authorities that the registry's is signed by, in place of Mozilla's
    #[arg(long, value_name = "FILE", requires = "push", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Push by plain http. No password is sent then
    #[arg(long, requires = "push", conflicts_with = "username")]
    insecure: bool,
}

/// The most bytes of a module: far more than any has.
const MODULE: u64 = 256 << 20;
/// What is read of a file that is no module.
const SMALL: u64 = 1 << 20;

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        let name = self.module.display().to_string();
        let module = Module::read(&name, source::whole(&self.module, MODULE)?)?;
        let image = self.form.image(&module, &self.about())?;
        // All that can be refused, before anything is written.
        let place = self.push.as_deref().map(Place::read).transpose()?;
        let signer = self.sign.as_deref().map(signer).transpose()?;
        let registry = place.as_ref().map(|place| self.registry(place)).transpose()?;
        let tag = place.as_ref().map_or(env!("CARGO_PKG_VERSION"), Place::tag);
        if let Some(folder) = &self.out {
            pack::write(&image, tag, folder)?;
        }
        if let Some(mut registry) = registry {
            registry.push(&image, tag)?;
            if let Some(signer) = signer {
                registry.sign(&signer, image.digest())?;
            }
        }
        Ok(Done::clean(format!("{}\n", image.digest())))
    }

    fn about(&self) -> About {
        let title = self.module.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut annotations: BTreeMap<String, String> = self.annotations.iter().cloned().collect();
        if let Some(source) = &self.source {
            annotations.insert("org.opencontainers.image.source".to_owned(), source.clone());
        }
        About { title, annotations }
    }

    fn registry(&self, place: &Place) -> Result<Registry, CliError> {
        let credential = match (&self.username, self.insecure) {
            (_, true) => None,
            (None, false) => Credential::of_docker(place)?,
            (Some(name), false) => {
                Some(Credential::Password { name: name.clone(), password: self.password()? })
            }
        };
        let authorities = self.ca.as_deref().map(|file| read(file, SMALL)).transpose()?;
        Registry::new(place, credential, &Trust { plain: self.insecure, authorities })
    }

    /// The password, without the end of its line.
    fn password(&self) -> Result<String, CliError> {
        let bytes = match &self.password_file {
            Some(file) => read(file, SMALL),
            None => from_input(),
        };
        let bytes = bytes?;
        let password = String::from_utf8(bytes).unwrap_or_default();
        let password = password.trim_end_matches(['\r', '\n']);
        if password.is_empty() || password.contains(['\r', '\n']) {
            return Err(CliError::new("the password is empty, or no line of text", "write one line"));
        }
        Ok(password.to_owned())
    }
}

fn from_input() -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(SMALL)
        .read_to_end(&mut bytes)
        .map_err(|e| CliError::new(format!("cannot read the password: {e}"), "write it to standard input"))?;
    Ok(bytes)
}

fn signer(file: &Path) -> Result<Signer, CliError> {
    Signer::read(&file.display().to_string(), &read(file, SMALL)?)
}

fn read(file: &Path, most: u64) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file);
    opened.and_then(|opened| opened.take(most).read_to_end(&mut bytes)).map_err(|e| {
        let message = format!("cannot read {:?}: {e}", file.display().to_string());
        CliError::new(message, "name a file that can be read")
    })?;
    Ok(bytes)
}

fn annotation(written: &str) -> Result<(String, String), String> {
    let parts = written.split_once('=').filter(|(name, _)| !name.is_empty());
    let (name, value) = parts.ok_or_else(|| "write a name and a value with \"=\" between them".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}
