//! `narrows pack`: what it writes, and what it says to a real registry.

mod image;
mod login;
mod signature;
mod words;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use narrows_harness::registry::Registry;
use narrows_harness::temp::TempDir;
use serde_json::Value;

/// A module, as small as one can be.
pub(crate) const MODULE: &str = "canary-split.wasm";
pub(crate) const REPOSITORY: &str = "narrows/canary-split";
pub(crate) const TAG: &str = "0.1.0";

/// A run of `narrows pack`.
pub(crate) struct Pack {
    arguments: Vec<String>,
    input: String,
    environment: BTreeMap<String, PathBuf>,
    /// There is no login of whoever runs the test.
    _home: TempDir,
}

/// How it ended, and what it has printed.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Pack {
    pub(crate) fn of(arguments: &[&str]) -> Self {
        let home = TempDir::new("home").unwrap();
        let environment = BTreeMap::from([("DOCKER_CONFIG".to_owned(), home.path().to_owned())]);
        let arguments = [&["pack", MODULE], arguments].concat();
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Self { arguments, input: String::new(), environment, _home: home }
    }

    /// Pushes to a registry with TLS.
    pub(crate) fn to(registry: &Registry, arguments: &[&str]) -> Self {
        let authority = registry.authority().display().to_string();
        let place = place(registry);
        Self::of(&[&["--push", place.as_str(), "--ca", authority.as_str()], arguments].concat())
    }

    pub(crate) fn input(self, input: &str) -> Self {
        Self { input: input.to_owned(), ..self }
    }

    pub(crate) fn environment(mut self, name: &str, value: &Path) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn run(self) -> Ended {
        let mut child = Command::new(env!("CARGO_BIN_EXE_narrows"))
            .current_dir(fixtures())
            .args(&self.arguments)
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        _ = child.stdin.take().unwrap().write_all(self.input.as_bytes());
        let done = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: done.status.code(), output: text(&done.stdout), errors: text(&done.stderr) }
    }
}

impl Ended {
    /// The digest that it has printed.
    pub(crate) fn digest(&self) -> String {
        assert_eq!((self.code, self.errors.as_str()), (Some(0), ""));
        let digest = self.output.trim_end();
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
        digest.to_owned()
    }

    /// It could not, for this reason, and has not told the password.
    pub(crate) fn refuses(&self, why: &str) {
        assert_eq!((self.code, self.output.as_str()), (Some(2), ""), "{}", self.errors);
        assert!(self.errors.contains(why), "{why:?} expected: {}", self.errors);
        let password = narrows_harness::registry::PASSWORD;
        assert!(!self.errors.contains(password), "{}", self.errors);
    }
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

pub(crate) fn place(registry: &Registry) -> String {
    format!("{}/{REPOSITORY}:{TAG}", registry.address())
}

pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}
