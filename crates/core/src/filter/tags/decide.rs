//! The request phase: reads the request, and publishes values that are already known.

use super::registry::Registry;
use super::{Captured, Metered, Tagger, Verdict};
use crate::filter::tags::{Admission, CardinalityLimit, Report};
use crate::language::describe::Object;
use crate::language::invalid::Invalid;
use crate::language::modes::Mode;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;
use crate::policy::Policy;
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::part::Part;
use crate::policy::record::Record;
use crate::policy::written::Written;

impl Part for Tagger {
    const PART: &'static Object = &super::compile::PART;

    fn compile_written(written: Written<'_>) -> Result<Self, Invalid> {
        super::compile::tagger(&written)
    }

    fn counts_answered(&self) -> bool {
        self.measures()
    }
}

impl Policy for Tagger {
    const FILTER: &'static str = "metric-tags";
    const LANGUAGE: &'static Object = &super::compile::POLICY;

    type Verdict = Verdict;

    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
        Self::compile_written(Written::alone(tree, Self::FILTER, Self::LANGUAGE))
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
        let registry = self.cardinality.registry.try_borrow().ok().filter(|_| is_measured);
        let Some(registry) = registry else {
            record.into_iter().for_each(Record::leave_out);
            return Verdict::default();
        };
        let tags = || (0usize..).zip(&self.tags);
        let values: Vec<Captured> =
            tags().map(|(index, tag)| tag.capture(index, request, &registry)).collect();
        let mut published = 0;
        for ((index, tag), value) in tags().zip(&values) {
            if let (Some(state), Captured::Known(value)) = (&tag.state, value) {
                published |= super::report::bit(index);
                if tag.publishes(*value) && self.common.head.mode == Mode::Enforce {
                    let text = registry.text(index, *value);
                    decision.state.push((state, text.as_bytes().to_vec().into()));
                }
            }
        }
        if let Some(record) = record {
            self.explain(&values, &registry, record);
        }
        Verdict { measured: true, values, published, grpc: request.is_grpc() }
    }
}

impl Metered for Tagger {
    fn cardinality_limit(&self) -> Option<&CardinalityLimit> {
        self.measures().then_some(&self.cardinality)
    }

    fn is_measured(&self, verdict: &Verdict) -> bool {
        verdict.measured
    }

    fn report(&self, verdict: &Verdict, observed: &[Option<Vec<u8>>], admission: Admission) -> Report {
        self.measure(verdict, observed, admission)
    }
}

impl Tagger {
    /// Whether there is anything to measure or publish.
    pub(super) fn measures(&self) -> bool {
        self.common.head.mode != Mode::Off
            && (!self.metrics.is_empty() || self.tags.iter().any(|tag| tag.used))
    }

    fn explain(&self, values: &[Captured], registry: &Registry, record: &mut Record) {
        for ((index, tag), value) in (0usize..).zip(&self.tags).zip(values).filter(|((_, tag), _)| tag.used) {
            let value = match value {
                Captured::Known(value) => registry.text(index, *value),
                Captured::Text(text) => text,
                // Its value is known when the response is known.
                Captured::Later | Captured::Rules(_) => continue,
            };
            record.say(&tag.name, value);
        }
    }
}
