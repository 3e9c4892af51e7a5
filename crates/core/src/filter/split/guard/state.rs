//! The state machine of one guarded backend, without clock or I/O: what happened comes in
//! with the time at which it did.
//!
//! ```text
//!            absent                     cooldown is over
//!   Open ───────────────▶ Off ─────────────────────────────▶ Trying
//!    ▲                     ▲                                   │ │
//!    │                     └───────── absent ──────────────────┘ │
//!    └──────── a try was served, or a probe was answered ────────┘
//! ```
//!
//! A probe has the last word, but for one thing that it cannot see: a route that is missing,
//! where the cluster is well. Whoever finds it absent again within a cooldown of a good probe,
//! or by a try, has found that, and the absence is *held*: then only a try ends it.

/// While trying, one request in this many goes to the backend.
pub const ONE_IN: u32 = 10;

/// The state of one backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// It serves.
    #[default]
    Serving,
    /// It is switched off; the baseline serves.
    Ejected(Absence),
    /// As `Ejected`, but one request in ten tries it again: the next one after so many.
    Probing(Absence, u32),
}

/// Why a backend is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Since when, in milliseconds.
    pub since: u64,
    /// Whether a good probe leaves it as it is.
    pub held: bool,
}

/// What became of a request that went to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to serve it, and that is the backend's fault.
    Absent,
    /// Somebody there answered.
    Served,
    /// It did not get that far: another filter refused it, or the client left. Or it would
    /// have got nowhere without the split either.
    Unknown,
}

/// Whether a request may go to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// As ever.
    Serving,
    /// To see whether it is back.
    Try,
    /// No: the baseline serves it.
    Refused,
}

impl Guard {
    /// Whether the next request may go there.
    pub fn admits(&mut self) -> Admission {
        match self {
            Self::Serving => Admission::Serving,
            Self::Ejected(_) => Admission::Refused,
            Self::Probing(_, 0) => {
                self.wait_for(ONE_IN.saturating_sub(1));
                Admission::Try
            }
            Self::Probing(_, left) => {
                let left = left.saturating_sub(1);
                self.wait_for(left);
                Admission::Refused
            }
        }
    }

    /// A request found the backend absent.
    pub fn absent(&mut self, absence: Absence) {
        *self = Self::Ejected(absence);
    }

    /// A try was served, or a probe was answered. (Any other request may have begun before
    /// the backend went away, and proves nothing.)
    pub fn back(&mut self) {
        *self = Self::Serving;
    }

    /// Time passes: after `cooldown` milliseconds it is tried again.
    pub fn advance(&mut self, cooldown: u64, now: u64) {
        if let Self::Ejected(absence) = *self
            // A clock that was set back must not switch a backend off for years.
            && now.abs_diff(absence.since) >= cooldown
        {
            *self = Self::Probing(absence, 0);
        }
    }

    /// Why it is switched off.
    pub fn absence(self) -> Option<Absence> {
        match self {
            Self::Serving => None,
            Self::Ejected(absence) | Self::Probing(absence, _) => Some(absence),
        }
    }

    fn wait_for(&mut self, requests: u32) {
        if let Self::Probing(_, left) = self {
            *left = requests;
        }
    }
}
