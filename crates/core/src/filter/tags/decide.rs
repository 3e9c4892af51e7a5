//! The request phase: reads the request, and publishes values that are already known.

use super::registry::Registry;
use super::{Captured, Metered, Tagger, Verdict};
use crate::filter::tags::{Ask, CardinalityLimit, Report};
use crate::language::describe::Object;
use crate::language::invalid::Invalid;
use crate::language::modes::Mode;
use crate::language::tree::Tree;
use crate::matching::request::Request;
use crate::policy::Policy;
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::record::Record;

impl Policy for Tagger {
    const FILTER: &'static str = "metric-tags";
    const LANGUAGE: &'static Object = &super::compile::POLICY;

    type Verdict = Verdict;

    fn compile(tree: &Tree) -> Result<Self, Invalid> {
        super::compile::tagger(tree, Self::FILTER)
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn summary(&self) -> String {
        format!("{} metrics by {} tags", self.metrics.len(), self.tags.len())
    }

    fn judge<'a>(
        &'a self,
        request: &Request<'a>,
        decision: &mut Decision<'a>,
        record: Option<&mut Record>,
    ) -> Verdict {
        let is_measured = self.measures() && !self.exclude.iter().any(|matches| matches.matches(request));
        // Borrowed for this call only; nothing here calls back.
        let book = self.meter.book.try_borrow().ok().filter(|_| is_measured);
        let Some(book) = book else {
            record.into_iter().for_each(Record::leave_out);
            return Verdict::default();
        };
        let tags = || (0usize..).zip(&self.tags);
        let values: Vec<Captured> = tags().map(|(place, tag)| tag.capture(place, request, &book)).collect();
        let mut published = 0;
        for ((place, tag), value) in tags().zip(&values) {
            if let (Some(state), Captured::Known(value)) = (&tag.state, value) {
                published |= super::report::bit(place);
                let text = book.text(place, *value);
                // If no rule gives an attribute, it has no value, as in Istio.
                if !text.is_empty() && self.common.head.mode == Mode::Enforce {
                    decision.state.push((state, text.as_bytes().to_vec().into()));
                }
            }
        }
        if let Some(record) = record {
            self.explain(&values, &book, record);
        }
        Verdict { measured: true, values, published, grpc: request.is_grpc() }
    }
}

impl Metered for Tagger {
    fn meter(&self) -> Option<&CardinalityLimit> {
        self.measures().then_some(&self.meter)
    }

    fn is_measured(&self, verdict: &Verdict) -> bool {
        verdict.measured
    }

    fn report(&self, verdict: &Verdict, observed: &[Option<Vec<u8>>], ask: Ask) -> Report {
        self.measure(verdict, observed, ask)
    }
}

impl Tagger {
    /// Whether there is anything to measure or publish.
    pub(super) fn measures(&self) -> bool {
        self.common.head.mode != Mode::Off
            && (!self.metrics.is_empty() || self.tags.iter().any(|tag| tag.used))
    }

    fn explain(&self, values: &[Captured], book: &Registry, record: &mut Record) {
        for ((place, tag), value) in (0usize..).zip(&self.tags).zip(values).filter(|((_, tag), _)| tag.used) {
            let value = match value {
                Captured::Known(value) => book.text(place, *value),
                Captured::Text(text) => text,
                // Its value is known when the response is known.
                Captured::Later | Captured::Rules(_) => continue,
            };
            record.say(&tag.name, value);
        }
    }
}
