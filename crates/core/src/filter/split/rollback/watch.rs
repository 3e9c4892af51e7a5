//! What is known of one canary in one class of fault.

use super::ring::{Ring, Second};
use super::score::{Scores, WHOLE};
use super::side::COUNT;

/// The ticks in which a canary must seem worse to be suspect.
const SUSPECT: u64 = 10;

/// What can be wrong with a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Requests fail.
    Errors,
    /// Requests are slow.
    Latency,
    /// Requests are refused as the client's fault.
    ClientErrors,
}

impl Class {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Errors, Self::Latency, Self::ClientErrors];

    /// Its name in series and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::ClientErrors => "client_errors",
        }
    }

    /// By how many hundredths the canary's share must be above the baseline's.
    const fn points(self) -> i64 {
        match self {
            Self::Errors | Self::ClientErrors => 1,
            Self::Latency => 5,
        }
    }
}

/// What a tick says of a canary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finding {
    /// Nothing.
    #[default]
    Fine,
    /// It has looked worse for ten seconds, but too few users failed to prove it.
    Suspect,
    /// It is worse.
    Trip,
}

/// The result of one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The users of the canary that were counted in this tick.
    pub x1: u64,
    /// Those of the baseline.
    pub x0: u64,
    /// The scores for the ratios 2, 4 and 16, after it.
    pub scores: [u64; 3],
    /// Whether the canary's failing share is at least so many points above the baseline's.
    pub floor: bool,
    /// Whether it is three standard deviations above.
    pub clear: bool,
    /// What follows.
    pub finding: Finding,
}

impl Judged {
    /// Whether the canary is worse.
    pub fn trip(&self) -> bool {
        self.finding == Finding::Trip
    }

    /// Whether it looks worse, without proof.
    pub fn suspect(&self) -> bool {
        self.finding == Finding::Suspect
    }
}

/// What is known of a canary in one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Watch {
    pub(super) scores: Scores,
    pub(super) ring: Ring,
    /// The users of the canary and of the baseline that were counted since the scores left zero.
    pub(super) users: (u64, u64),
    /// How many ticks in a row it has looked worse, and the last tick.
    pub(super) streak: u64,
    pub(super) last: u64,
}

/// Users that were counted in a tick.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    pub(super) canary: u64,
    pub(super) baseline: u64,
    /// Whether they could not be told apart.
    pub(super) is_blurred: bool,
}

impl Watch {
    /// Judges the canary after a second. `share` is its part of the users, in millionths.
    #[inline(never)]
    pub(super) fn judge(&mut self, class: Class, share: u64, second: Second, users: Counted) -> Judged {
        let is_comparable = share > 0 && share < WHOLE;
        if is_comparable {
            let requests = || of_requests(second.canary.0, second.baseline.0, share);
            let expected = if users.is_blurred { requests() } else { share };
            self.scores.add(users.canary, users.baseline, expected);
            self.users = match self.scores.0 {
                [0, 0, 0] => (0, 0),
                _ => (self.users.0.saturating_add(users.canary), self.users.1.saturating_add(users.baseline)),
            };
        }
        self.ring.push(second);
        let sums = self.ring.sums();
        let (floor, clear) = (sums.is_above(class.points()), sums.is_clear());
        let follows = second.at.checked_sub(1) == Some(self.last);
        self.streak = match (floor && clear, follows) {
            (false, _) => 0,
            (true, true) => self.streak.saturating_add(1),
            (true, false) => 1,
        };
        self.last = second.at;
        let finding = match floor && clear {
            true if is_comparable && self.scores.prove() => Finding::Trip,
            _ if self.is_suspect() => Finding::Suspect,
            _ => Finding::Fine,
        };
        let Counted { canary: x1, baseline: x0, .. } = users;
        Judged { x1, x0, scores: self.scores.0, floor, clear, finding }
    }

    /// Whether it has looked worse for as long as that takes.
    pub(super) fn is_suspect(&self) -> bool {
        self.streak >= SUSPECT
    }
}

/// The canary's part of the requests of a second, rounded up, but not less than its share of the users.
fn of_requests(canary: u64, baseline: u64, share: u64) -> u64 {
    let (canary, baseline) = (canary.min(COUNT), baseline.min(COUNT));
    let part = canary.saturating_mul(WHOLE);
    let all = canary.saturating_add(baseline);
    // Rounded up; of no requests it has no part.
    let part = part.saturating_add(all).saturating_sub(1).checked_div(all).unwrap_or(0);
    part.max(share).min(WHOLE.saturating_sub(1))
}
