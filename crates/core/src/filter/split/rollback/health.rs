//! What the gauge of a canary shows.

/// How a canary looks, as the number of its gauge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Both sides have users, and nothing is wrong.
    Fine = 0,
    /// There is nothing to compare.
    Unknown = 1,
    /// It looks worse, but too few users show it.
    Suspect = 2,
    /// It is worse, and serves.
    Worse = 3,
    /// It is switched off.
    Off = 4,
}

impl From<Health> for u64 {
    fn from(health: Health) -> Self {
        health as Self
    }
}
