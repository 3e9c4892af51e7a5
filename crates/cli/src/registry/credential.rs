//! Who pushes: a name and a password, or what Docker's configuration has for the registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docker_credential::{CredentialRetrievalError as Error, DockerCredential};

use super::place::Place;
use crate::error::CliError;

/// It is never shown: there is no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// What a login has left in place of a password: only a server of tokens takes it.
    Identity(String),
}

impl Credential {
    /// What Docker's configuration (`DOCKER_CONFIG`, or `.docker` of the home) has for a registry: in the
    /// file itself, or by a helper that the file names. None if there is nothing.
    pub fn of_docker(place: &Place) -> Result<Option<Self>, CliError> {
        match docker_credential::get_credential(place.registry()) {
            Ok(DockerCredential::UsernamePassword(name, password)) => {
                Ok(Some(Self::Password { name, password }))
            }
            Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Self::Identity(token))),
            // What a helper prints may be the password.
            Err(Error::HelperFailure { helper, stdout, .. }) if !is_unknown(&stdout) => {
                Err(refused(place, &format!("{helper} has failed")))
            }
            Err(Error::HelperCommunicationError) => Err(refused(place, "its helper cannot be run")),
            Err(Error::MalformedHelperResponse) => {
                Err(refused(place, "its helper says no name and password"))
            }
            Err(Error::CredentialDecodingError | Error::CredentialMismatchError) => {
                Err(refused(place, "its entry is damaged"))
            }
            Err(Error::ConfigReadError) if is_there() => Err(refused(place, "it cannot be read")),
            Err(_) => Ok(None),
        }
    }

    /// The header of a request that shows it; nothing for what is no password.
    pub(super) fn basic(&self) -> Option<String> {
        let Self::Password { name, password } = self else { return None };
        Some(format!("Basic {}", STANDARD.encode(format!("{name}:{password}"))))
    }
}

/// Helpers say so in the same words.
fn is_unknown(stdout: &str) -> bool {
    stdout.contains("credentials not found")
}

fn is_there() -> bool {
    let folder = std::env::var_os("DOCKER_CONFIG").map(std::path::PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".docker"));
    folder.or_else(home).is_some_and(|folder| folder.join("config.json").exists())
}

fn refused(place: &Place, why: &str) -> CliError {
    CliError::new(
        format!("Docker's configuration has a login for {}, and {why}", place.registry()),
        "log in again, or write --username and --password-stdin",
    )
}
