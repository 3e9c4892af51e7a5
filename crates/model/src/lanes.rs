//! What a proxy would remember for a request of a case: the requests that came in before it.

use narrows_cases::{Direction, Send};
use narrows_core::lanes::{Event, Lanes, Memory, Noted, Verdict};
use narrows_core::{Measurement, Passage, Policy, Request, Trail};

use crate::arrive::{arrives, now, request};
use crate::headers::Headers;
use crate::observed::Observed;

/// On which side of a workload a request passes, and what is remembered for it.
pub fn trail<P: Policy>(policy: &P, send: &Send, request: &Request<'_>) -> Trail {
    match send.direction {
        None => Trail::Through,
        Some(Direction::Inbound) => Trail::In,
        Some(Direction::Outbound) => {
            Trail::Out(earlier(send, |earlier| policy.recall(earlier, request, moment(send))))
        }
    }
}

/// Counts what became of the ids of a request that came in.
pub(crate) fn count<P: Policy>(
    policy: &P,
    lanes: &Lanes,
    verdict: &Verdict,
    of: impl Fn(P::Verdict) -> Option<Verdict>,
    send: &Send,
    observed: &mut Observed,
) {
    let mut memory: Memory = earlier(send, |earlier| {
        let decided = earlier.iter().filter_map(|earlier| of(policy.decide(earlier.clone()).1));
        lanes.memory(decided, moment(send))
    });
    let noted = memory.comes_in(lanes, verdict, moment(send));
    let events = noted.iter().flat_map(Noted::events);
    let counted = events.map(|event: Event| Measurement { series: lanes.series(event), value: 1 });
    observed.count(&lanes.common().series, counted.collect::<Vec<_>>());
}

/// Does something with the requests that came in before.
fn earlier<T>(send: &Send, with: impl FnOnce(&[Request<'_>]) -> T) -> T {
    let sends: Vec<Send> = send.came_in.iter().map(|lines| Send::earlier(lines)).collect();
    let headers: Vec<Headers> = sends.iter().map(arrives).collect();
    let requests = sends.iter().zip(&headers).map(|(send, headers)| {
        let mut request = request(send, headers, None, 7);
        request.known_mut().passage = Passage::In;
        request
    });
    with(&requests.collect::<Vec<_>>())
}

/// When it is sent, in milliseconds since the epoch.
fn moment(send: &Send) -> u64 {
    send.at.unwrap_or_else(now).saturating_mul(1_000)
}
