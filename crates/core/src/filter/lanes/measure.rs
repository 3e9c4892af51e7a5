//! What is counted: by lane what was remembered and restored, and what went wrong.

use crate::policy::series::{BuiltinTag, Kind, Label, LabelEncoding, Series};

/// Something that is counted. A lane is counted under the value that lists it, so that there are no more
/// series than a policy has values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request with the lane of this value came in, and was remembered.
    Remembered(usize),
    /// A call got the lane of this value back.
    Restored(usize),
    /// A call has no id that is known, while lanes are remembered.
    Missing,
    /// An id was forgotten before its time, because there was no room.
    Evicted,
    /// An id lost its lane: a request without a lane has it too, or too many requests have.
    Shared,
    /// An id lost its lane: a request of another lane has it too.
    Conflict,
}

/// The indices of a policy's series.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SeriesIndices {
    values: usize,
}

const OTHERS: [&str; 4] = [
    "narrows_lanes_missing_total",
    "narrows_lanes_evicted_total",
    "narrows_lanes_shared_total",
    "narrows_lanes_conflict_total",
];

impl SeriesIndices {
    pub(super) fn define(values: &[&str], encoding: LabelEncoding) -> (Self, Vec<Series>) {
        let counter = |name: &str, labels: &[Label<'_>]| Series::new(Kind::Counter, encoding, name, labels);
        let of_lane = |name: &'static str| {
            values.iter().map(move |value| {
                counter(name, &[Label { name: "lane", stock: BuiltinTag::Component, value }])
            })
        };
        let series = of_lane("narrows_lanes_remembered_total").chain(of_lane("narrows_lanes_restored_total"));
        let series = series.chain(OTHERS.iter().map(|name| counter(name, &[]))).collect();
        (Self { values: values.len() }, series)
    }

    pub(super) fn of(self, event: Event) -> usize {
        let others = self.values.saturating_mul(2);
        match event {
            Event::Remembered(value) => value,
            Event::Restored(value) => self.values.saturating_add(value),
            Event::Missing => others,
            Event::Evicted => others.saturating_add(1),
            Event::Shared => others.saturating_add(2),
            Event::Conflict => others.saturating_add(3),
        }
    }
}
