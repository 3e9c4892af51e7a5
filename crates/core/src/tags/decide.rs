//! The request phase: what came is read, and published where that is enough.

use super::{Captured, Tagger, Verdict};
use crate::budget::Weight;
use crate::decision::Decision;
use crate::edit::Edit;
use crate::invalid::Invalid;
use crate::policy::{Mode, Needs, Policy};
use crate::request::Request;
use crate::series::Series;
use crate::strip::{self, Strip};
use crate::tags::{Ask, Meter, Report};
use crate::tree::Tree;

impl Policy for Tagger {
    const FILTER: &'static str = "metric-tags";

    type Verdict = Verdict;

    fn compile(tree: &Tree) -> Result<Self, Invalid> {
        super::compile::tagger(tree, Self::FILTER)
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn series(&self) -> &[Series] {
        &self.series
    }

    fn strip(&self) -> Option<&Strip> {
        Some(&self.strip)
    }

    fn weight(&self) -> Weight {
        self.weight
    }

    fn summary(&self) -> String {
        format!("{} metrics by {} tags", self.metrics.len(), self.tags.len())
    }

    fn only_header(&self) -> Option<&'static str> {
        self.only_header
    }

    fn meter(&self) -> Option<&Meter> {
        self.measures().then_some(&self.meter)
    }

    fn decide<'a>(&'a self, mut request: Request<'a>) -> (Decision<'a>, Verdict) {
        request.search_for(&self.needles);
        request.believe(self.head.callers);
        let mut decision = Decision { strip: self.strip.apply(&mut request), ..Decision::default() };
        let state = self.strip.state(request.stripped(), &decision);
        decision.state.extend(state.map(|state| (strip::STATE, state)));
        if !self.measures() || self.exclude.iter().any(|matches| matches.matches(&request)) {
            return (decision, Verdict::default());
        }
        // Borrowed for this call alone; nothing here calls back.
        let Ok(book) = self.meter.book.try_borrow() else { return (decision, Verdict::default()) };
        let tags = || (0usize..).zip(&self.tags);
        let values: Vec<Captured> = tags().map(|(place, tag)| tag.capture(place, &request, &book)).collect();
        let mut published = 0;
        for ((place, tag), value) in tags().zip(&values) {
            if let (Some(state), Captured::Known(value)) = (&tag.state, value) {
                published |= super::report::bit(place);
                let text = book.text(place, *value);
                // An attribute that no rule gives has no value, as it had in Istio.
                if !text.is_empty() && self.head.mode == Mode::Enforce {
                    decision.state.push((state, text.as_bytes().to_vec().into()));
                }
            }
        }
        let content = request.header(b"content-type");
        let grpc = content.value().is_some_and(|value| value.starts_with(b"application/grpc"));
        drop(book);
        self.explain(&request, &values, &mut decision);
        (decision, Verdict { measured: true, values, published, grpc })
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
    fn measures(&self) -> bool {
        self.head.mode != Mode::Off && (!self.metrics.is_empty() || self.tags.iter().any(|tag| tag.used))
    }

    /// The tags that are published, each with its filter state.
    pub fn published(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().filter_map(|tag| Some((&*tag.name, tag.state.as_deref()?)))
    }

    fn explain<'a>(&'a self, request: &Request<'a>, values: &[Captured], decision: &mut Decision<'a>) {
        let Some(explain) = self.head.explain.as_ref().filter(|explain| explain.when.matches(request)) else {
            return;
        };
        let Ok(book) = self.meter.book.try_borrow() else { return };
        let mut record = "filter=metric-tags".to_owned();
        for ((place, tag), value) in (0usize..).zip(&self.tags).zip(values).filter(|((_, tag), _)| tag.used) {
            let value = match value {
                Captured::Known(value) => book.text(place, *value),
                Captured::Text(text) => text,
                // Its value is known when the response is.
                Captured::Later | Captured::Rules(_) => continue,
            };
            record.push_str(&format!("; {}={value}", tag.name));
        }
        decision.response.push(Edit::Add(&explain.header, record.into_bytes().into()));
    }
}
