//! The state machine of one guarded backend, without clock or I/O: each event comes in with its time.
//!
//! ```text
//!               absent                       cooldown is over
//!   Serving ───────────────▶ Ejected ─────────────────────────────▶ Probing
//!     ▲                        ▲                                      │ │
//!     │                        └────────────── absent ────────────────┘ │
//!     └──────────── a try was served, or a probe was answered ──────────┘
//! ```
//!
//! A probe has the last word, with one exception: it cannot see a route that is missing where the
//! cluster is well. If the backend is found absent again within a cooldown of a good probe, or by a
//! try, then that is the reason, and the absence is *held*: only a try ends it.

/// The place of a request whose caller wrote no port.
pub(crate) const UNWRITTEN: u16 = 0;
/// The place of all ports that have none of their own, and of what is no port.
pub(crate) const OTHERS: u16 = u16::MAX;
/// While a guard is `Probing`, one request in this many goes to the backend.
pub const ONE_IN: u32 = 10;

/// The state of one backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Guard {
    /// The backend serves.
    #[default]
    Serving,
    /// The backend is switched off; the baseline serves.
    Ejected(Absence),
    /// As `Ejected`, but one request in ten tries the backend again. The number is how many requests
    /// come before the next try.
    Probing(Absence, u32),
}

/// The absence for which a backend is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    /// When it began, in milliseconds.
    pub since: u64,
    /// Whether a good probe does not end it.
    pub held: bool,
}

/// What became of a request that went to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was there to serve it, and that is the backend's fault.
    Absent,
    /// The backend answered.
    Served,
    /// It proves nothing: another filter refused it, the client left, or it would not have been served
    /// without the split either.
    Unknown,
}

/// Whether a request may go to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It goes there as usual.
    Serving,
    /// It goes there to see whether the backend is back.
    Try,
    /// It does not: the baseline serves it.
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

    /// A try was served, or a probe was answered. (Any other request may have begun before the backend
    /// went away, and proves nothing.)
    pub fn back(&mut self) {
        *self = Self::Serving;
    }

    /// Lets time pass: after `cooldown` milliseconds the backend is tried again.
    pub fn advance(&mut self, cooldown: u64, now: u64) {
        if let Self::Ejected(absence) = *self
            // A clock that was set back must not switch a backend off for years.
            && now.abs_diff(absence.since) >= cooldown
        {
            *self = Self::Probing(absence, 0);
        }
    }

    /// The absence for which it is switched off, if it is.
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
