//! A real registry of images: Debian's `docker-registry`, with TLS and logins.

mod tokens;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::process::Process;
use crate::temp::TempDir;
use crate::wait;
use tokens::Tokens;

const PATIENCE: Duration = Duration::from_secs(30);

/// Who may log in.
pub const NAME: &str = "ci";
/// With this.
pub const PASSWORD: &str = "the-password-of-a-test";
/// The same, as the registry keeps it: bcrypt.
const KEPT: &str = "$2y$05$abcdefghijklmnopqrstuuhXLibFIKGZ7QaUOWRxpvgGSisFiw.D.";

/// Who may push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Everybody, over plain http.
    Nobody,
    /// Who has the password.
    Password,
    /// Who has a token of a server beside it, which gives one for the password.
    Token,
    /// The same, but the registry names a server of tokens without TLS.
    PlainToken,
}

/// A running registry; it ends when dropped.
#[derive(Debug)]
pub struct Registry {
    address: SocketAddr,
    _process: Process,
    _tokens: Option<Tokens>,
    directory: TempDir,
}

impl Registry {
    /// Starts one.
    pub fn start(login: Login) -> anyhow::Result<Self> {
        let directory = TempDir::new("registry")?;
        let at = directory.path();
        certificates(at)?;
        let tokens = match login {
            Login::Token | Login::PlainToken => Some(Tokens::start(at, login == Login::Token)?),
            Login::Nobody | Login::Password => None,
        };
        fs::write(at.join("htpasswd"), format!("{NAME}:{KEPT}\n"))?;
        let auth = match (login, &tokens) {
            (Login::Password, _) => {
                json!({ "htpasswd": { "realm": "narrows", "path": at.join("htpasswd") } })
            }
            (_, Some(tokens)) => json!({ "token": {
                "realm": tokens.realm(), "service": "registry", "issuer": "tokens",
                "rootcertbundle": at.join("ca.pem"),
            } }),
            _ => json!({}),
        };
        let config = config(at, login, &auth);
        let config = directory.write("config.json", config.to_string())?;
        let log = at.join("log");
        let mut command = Command::new(binary()?);
        let written = File::create(&log)?;
        command.arg("serve").arg(config).stdout(written.try_clone()?).stderr(written);
        let mut process = Process::spawn("docker-registry", &mut command)?;
        let address = wait::until("the registry to listen", PATIENCE, || {
            let text = fs::read_to_string(&log)?;
            ensure!(process.exited()?.is_none(), "the registry ended:\n{text}");
            Ok(listening(&text))
        })?;
        Ok(Self { address, _process: process, _tokens: tokens, directory })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that has signed its own.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// What it keeps under a digest, `sha256:` and 64 digits.
    pub fn blob(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        let hex = digest.trim_start_matches("sha256:");
        let start = hex.get(..2).context("no digest")?;
        let path = self.directory.path().join("data/docker/registry/v2/blobs/sha256");
        let path = path.join(start).join(hex).join("data");
        fs::read(&path).with_context(|| path.display().to_string())
    }

    /// The digest that a tag of a repository stands for.
    pub fn tag(&self, repository: &str, tag: &str) -> anyhow::Result<String> {
        let path = self.directory.path().join("data/docker/registry/v2/repositories").join(repository);
        let path = path.join("_manifests/tags").join(tag).join("current/link");
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// All that it has written about who asked what.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.directory.path().join("log"))?)
    }
}

fn config(at: &Path, login: Login, auth: &Value) -> Value {
    let mut http = json!({ "addr": "127.0.0.1:0", "secret": "of-a-test" });
    if login != Login::Nobody {
        http["tls"] = json!({ "certificate": at.join("leaf.pem"), "key": at.join("leaf.key") });
    }
    json!({
        "version": "0.1",
        "log": { "level": "info", "accesslog": { "disabled": false } },
        "storage": { "filesystem": { "rootdirectory": at.join("data") } },
        "auth": auth,
        "http": http,
    })
}

/// The registry on the path, or the one that `make registry` has unpacked.
fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push(crate::root().join("target/tools/registry/usr/bin"));
    let found = folders.into_iter().map(|folder| folder.join("docker-registry")).find(|file| file.is_file());
    found.context("there is no docker-registry on the path and none in target/tools/registry: make registry")
}

/// The log says which port it took.
fn listening(log: &str) -> Option<SocketAddr> {
    let (_, rest) = log.split_once("listening on ")?;
    rest.split([',', '"', ' ', '\n']).next()?.parse().ok()
}

/// An authority, and a certificate of this machine by it.
fn certificates(at: &Path) -> anyhow::Result<()> {
    let script = "set -e; cd \"$0\"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
            -days 2 -subj /CN=authority -addext keyUsage=critical,keyCertSign
        openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=localhost
        printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\\nbasicConstraints=CA:FALSE\\n' > leaf.ext
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext \
            -out leaf.pem";
    let made =
        Command::new("sh").args(["-c", script]).arg(at).output().context("certificates need openssl")?;
    ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}
