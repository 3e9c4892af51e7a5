//! The state machine of one guarded backend, without clock or I/O: what happened comes in
//! with the time at which it did.
//!
//! ```text
//!            absent                     cooldown is over
//!   Open ───────────────▶ Off ─────────────────────────────▶ Trying
//!    ▲                     ▲                                   │ │
//!    │                     └───────── absent ──────────────────┘ │
//!    └──────────────────── a try was served ─────────────────────┘
//! ```
//!
//! A probe that finds it absent switches off until a probe finds it there: then no
//! request tries. But what a request found absent and a probe did not (a route that is
//! missing, where the cluster is well) only a request can find there again.

/// While trying, one request in this many goes to the backend.
pub const ONE_IN: u32 = 10;

/// The state of one backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// It serves.
    #[default]
    Open,
    /// It is switched off; the baseline serves.
    Off(Absence),
    /// As `Off`, but one request in ten tries it again: the next one after so many.
    Trying(Absence, u32),
}

/// Why a backend is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Since when, in milliseconds.
    pub since: u64,
    /// Whether a probe found it absent, or a request.
    pub probed: bool,
}

/// What became of a request that went to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to serve it.
    Absent,
    /// Somebody there answered.
    Served,
    /// It did not get that far: another filter refused it, or the client left.
    Unknown,
}

/// Whether a request may go to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// As ever.
    Open,
    /// To see whether it is back.
    Try,
    /// No: the baseline serves it.
    Refused,
}

impl Guard {
    /// Whether the next request may go there.
    pub fn admits(&mut self) -> Admission {
        match self {
            Self::Open => Admission::Open,
            Self::Off(_) => Admission::Refused,
            Self::Trying(_, 0) => {
                self.wait_for(ONE_IN.saturating_sub(1));
                Admission::Try
            }
            Self::Trying(_, left) => {
                let left = left.saturating_sub(1);
                self.wait_for(left);
                Admission::Refused
            }
        }
    }

    /// A request or probe found the backend absent.
    pub fn absent(&mut self, absence: Absence) {
        *self = Self::Off(absence);
    }

    /// A try or a probe was served. (Any other request may have begun before the
    /// backend went away, and proves nothing.)
    pub fn back(&mut self) {
        *self = Self::Open;
    }

    /// Time passes: after `cooldown` milliseconds it is tried again.
    pub fn advance(&mut self, cooldown: u64, now: u64) {
        if let Self::Off(absence) = *self
            // A clock that was set back must not switch a backend off for years.
            && now.abs_diff(absence.since) >= cooldown
        {
            *self = Self::Trying(absence, 0);
        }
    }

    /// Why it is switched off.
    pub fn absence(self) -> Option<Absence> {
        match self {
            Self::Open => None,
            Self::Off(absence) | Self::Trying(absence, _) => Some(absence),
        }
    }

    fn wait_for(&mut self, requests: u32) {
        if let Self::Trying(_, left) = self {
            *left = requests;
        }
    }
}
