//! What was done, in words.

use super::{Lanes, Sent, Verdict};
use crate::language::modes::{Mode, Trust};
use crate::policy::record::Record;

impl Lanes {
    /// What was done, and the lane that it was done with.
    pub(super) fn told<'v>(&self, verdict: &'v Verdict) -> (&'static str, Option<&'v [u8]>) {
        match verdict {
            Verdict::Aside if self.trust == Trust::Edge => ("edge", None),
            Verdict::Aside => ("aside", None),
            Verdict::CameIn { ids, lane: Some(lane) } if ids.is_empty() => ("no-id", Some(lane)),
            Verdict::CameIn { lane: Some(lane), .. } => ("remembered", Some(lane)),
            Verdict::CameIn { lane: None, .. } | Verdict::WentOut(Sent::Bare) => ("no-lane", None),
            Verdict::WentOut(Sent::Kept(lane)) => ("kept", Some(lane)),
            Verdict::WentOut(Sent::Restored(lane)) => ("restored", Some(lane)),
            Verdict::WentOut(Sent::Mixed) => ("mixed", None),
            Verdict::WentOut(Sent::Missing) => ("missing", None),
            Verdict::WentOut(Sent::Idle) => ("idle", None),
        }
    }

    pub(super) fn explain(&self, verdict: &Verdict, record: &mut Record) {
        // A host may pass these over without a look.
        if matches!(verdict, Verdict::WentOut(Sent::Idle))
            || (*verdict == Verdict::Aside && self.trust == Trust::Mesh)
        {
            return record.leave_out();
        }
        let (word, lane) = self.told(verdict);
        record.say("lanes", word);
        if let Some(lane) = lane {
            // Only bytes of the policy's own names get here.
            record.say("lane", &String::from_utf8_lossy(lane));
        }
        if self.mode == Mode::Report {
            record.say("mode", "report");
        }
    }
}
