//! From a request to a decision.

use std::borrow::Cow;

use super::ids::only;
use super::{Event, Lane, Lanes, Sent, Verdict};
use crate::action::edit::Draft;
use crate::language::describe::Object;
use crate::language::invalid::Invalid;
use crate::language::modes::Mode;
use crate::language::names;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::{Passage, Recall, Recalled, Request};
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::outcome::Outcome;
use crate::policy::part::Part;
use crate::policy::record::Record;
use crate::policy::written::Written;
use crate::policy::{Policy, state};

impl Part for Lanes {
    const PART: &'static Object = &super::compile::PART;

    fn compile_written(written: Written<'_>) -> Result<Self, Invalid> {
        super::compile::lanes(&written)
    }

    /// A call gets its lane back before anything is decided by it.
    fn comes_first(&self, request: &Request<'_>) -> bool {
        matches!(request.passage(), Passage::Out(_))
    }
}

impl Policy for Lanes {
    const FILTER: &'static str = "traffic-lanes";
    const LANGUAGE: &'static Object = &super::compile::POLICY;

    type Verdict = Verdict;

    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
        Self::compile_written(Written::alone(tree, Self::FILTER, Self::LANGUAGE))
    }

    fn outcome(&self, verdict: &Verdict, _decision: &Decision<'_>) -> Outcome {
        let (word, lane) = self.told(verdict);
        let outcome = match lane {
            Some(lane) => [word.as_bytes(), b" ", lane].concat(),
            None => word.into(),
        };
        let told = Outcome { scope: "requests".to_owned(), outcome, details: Vec::new() };
        told.with("lane", lane.unwrap_or(b"-")).with("lanes", word)
    }

    fn drops_trailer(&self, verdict: &Verdict, name: &[u8]) -> bool {
        let writes = matches!(verdict, Verdict::WentOut(Sent::Restored(_))) && self.mode == Mode::Enforce;
        self.common.sanitizer.covers_trailer(name)
            || (writes && self.header().is_some_and(|header| names::covers(header.as_bytes(), name)))
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn summary(&self) -> String {
        match (&self.lane, self.remembers()) {
            (None, _) => "no lane".to_owned(),
            (Some(lane), false) => ["no lane from outside in ", &lane.header].concat(),
            (Some(lane), true) => format!("lanes in {}, for {} ids", lane.header, self.layout.places()),
        }
    }

    fn recall(&self, earlier: &[Request<'_>], request: &Request<'_>, now: u64) -> Recall {
        let decided = earlier.iter().map(|earlier| self.decide(earlier.clone()).1);
        self.memory(decided, now).recall(self, &self.ids(request), now)
    }

    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Verdict {
        let verdict = match &self.lane {
            Some(lane) if self.remembers() => match request.passage() {
                Passage::Through => Verdict::Aside,
                Passage::In => self.comes_in(lane, request, decision),
                Passage::Out(recalled) => Verdict::WentOut(self.goes_out(lane, recalled, request, decision)),
            },
            _ => Verdict::Aside,
        };
        if let Some(record) = record {
            self.explain(&verdict, record);
        }
        verdict
    }
}

impl Lanes {
    fn comes_in<'a>(&'a self, lane: &Lane, request: &Request<'a>, decision: &mut Decision<'a>) -> Verdict {
        let said = only(request, lane.header.as_bytes());
        let listed = said.and_then(|said| Some((said, lane.listed(said)?)));
        let ids = self.ids(request);
        if let Some((said, value)) = listed.filter(|_| !ids.is_empty()) {
            decision.count.push(self.series(Event::Remembered(value)));
            decision.state.push((state::LANE, Cow::Borrowed(said)));
        }
        Verdict::CameIn { ids, lane: listed.map(|(said, _)| said.to_vec()) }
    }

    fn goes_out<'a>(
        &'a self,
        lane: &'a Lane,
        recalled: Recalled<'a>,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
    ) -> Sent {
        if let Some(said) = only(request, lane.header.as_bytes()).filter(|said| lane.listed(said).is_some()) {
            return Sent::Kept(said.to_vec());
        }
        match recalled {
            Recalled::Idle => Sent::Idle,
            Recalled::Bare => Sent::Bare,
            Recalled::Mixed => Sent::Mixed,
            Recalled::Unknown => {
                decision.count.push(self.series(Event::Missing));
                Sent::Missing
            }
            // A policy that was pushed since may know the lane no more.
            Recalled::Lane(said) => match lane.listed(said) {
                None => Sent::Bare,
                Some(value) => {
                    decision.count.push(self.series(Event::Restored(value)));
                    if self.mode == Mode::Enforce {
                        let mut draft = Draft::new(request, self.common.head.trust);
                        draft.set(&lane.header, Cow::Borrowed(said));
                        (decision.request, decision.already_set) = draft.finish();
                        decision.state.push((state::LANE, Cow::Borrowed(said)));
                    }
                    Sent::Restored(said.to_vec())
                }
            },
        }
    }
}
