//! `--at`: the time by which ramps are judged.

use std::str::FromStr;

use clap::Args;
use narrows_core::moment;

/// The time by which ramps are judged.
#[derive(Clone, Debug, Args)]
pub(super) struct Time {
    /// The time by which ramps are judged, such as 2026-12-01T09:00:00Z; requests that say when they are
    /// sent keep theirs [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<At>,
}

/// A moment with its offset.
#[derive(Clone, Copy, Debug)]
struct At(u64);

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        moment::parse(text).map(Self).ok_or_else(|| {
            "a moment has the form 2026-12-01T09:00:00Z or 2026-12-01T10:00:00+01:00".to_owned()
        })
    }
}

impl Time {
    /// Seconds since the epoch.
    pub(super) fn seconds(&self) -> u64 {
        self.at.map_or_else(narrows_model::now, |At(seconds)| seconds)
    }
}
