//! Releases of Istio.

use std::fmt;
use std::str::FromStr;

/// A release of Istio by its minor version; patches change no fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(u16);

impl Release {
    /// The first release with `WasmPlugin`.
    pub const OLDEST: Self = Self(12);
    /// The newest release whose fields are known here.
    pub const NEWEST: Self = Self(31);

    /// Istio 1.`minor`.
    pub const fn minor(minor: u16) -> Self {
        Self(minor)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('.');
        let release = match (parts.next(), parts.next().map(str::parse)) {
            (Some("1"), Some(Ok(minor))) => Self(minor),
            _ => Self(0),
        };
        if (Self::OLDEST..=Self::NEWEST).contains(&release) {
            return Ok(release);
        }
        Err(format!("write one of {} to {}", Self::OLDEST, Self::NEWEST))
    }
}
