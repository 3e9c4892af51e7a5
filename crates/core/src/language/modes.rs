//! Words that every policy uses: whether it acts, and whom it believes.

use super::describe::{Field, field};
use super::invalid::Invalid;
use super::read::{self, Fields};

/// Whether a policy, rule or split acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Decides and acts.
    #[default]
    Enforce,
    /// Decides, counts and explains; changes nothing.
    Report,
    /// As if it were not there.
    Off,
}

/// Whose headers are believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The client's headers are not believed.
    #[default]
    Edge,
    /// The caller is part of the mesh.
    Mesh,
}

/// Whose certificate names a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Any certificate that Envoy accepts.
    #[default]
    Presented,
    /// Only a certificate that was verified on this connection.
    Verified,
}

pub(crate) const MODES: [(&str, Mode); 3] =
    [("enforce", Mode::Enforce), ("report", Mode::Report), ("off", Mode::Off)];

/// `mode` of a policy, rule or split.
pub(crate) const MODE: Field = field!(
    "mode",
    Words(|| words(&MODES)),
    Says("enforce"),
    "Whether it acts, only counts and explains what it would do (`report`), or is switched off."
);

/// Reads `mode` of a policy, rule or split.
pub(crate) fn mode(fields: Fields<'_>) -> Result<Mode, Invalid> {
    Ok(fields.optional(MODE.name, |t| read::word(t, &MODES))?.unwrap_or_default())
}

impl Mode {
    /// The mode of a part within its policy: the stricter of the two. What is off stays off.
    pub(crate) fn within(self, policy: Self) -> Self {
        match (policy, self) {
            (Self::Off, _) | (_, Self::Off) => Self::Off,
            (Self::Report, _) | (_, Self::Report) => Self::Report,
            _ => Self::Enforce,
        }
    }
}
