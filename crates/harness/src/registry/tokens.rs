//! A server of tokens beside a registry, as the distribution project describes it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use super::{NAME, PASSWORD};

/// It gives a token, signed by the certificate of the registry, to who has the password: in a header, or
/// in exchange for `refresh-` and the password.
const SERVER: &str = include_str!("tokens.py");

/// A running server; it ends when dropped.
#[derive(Debug)]
pub(super) struct Tokens {
    child: Child,
    realm: String,
}

impl Tokens {
    pub(super) fn start(certificates: &Path, is_safe: bool) -> anyhow::Result<Self> {
        let mut command = Command::new("python3");
        command.args(["-c", SERVER]).arg(certificates).args([NAME, PASSWORD]);
        command.arg(if is_safe { "https" } else { "http" });
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("the server of tokens needs python3")?;
        let mut realm = String::new();
        let output = child.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut realm)?;
        Ok(Self { child, realm: realm.trim().to_owned() })
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
