//! The direction in which a filter runs.

use std::str::FromStr;

use clap::ValueEnum;

/// A direction, in Istio's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// The outbound side of sidecars, and gateways
    Client,
    /// The inbound side of sidecars, and waypoints
    Server,
}

impl Mode {
    /// The word of Istio.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Server => "SERVER",
        }
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false)
    }
}
