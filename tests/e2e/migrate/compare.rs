//! Whether both sides do the same with a request.

use std::collections::BTreeSet;

use narrows_harness::message::Request;

use super::sides::{Seen, Sides};

/// How often a request is sent at least whose destination is drawn. Of two destinations with one half each, one
/// stays unseen once in 2^39 times.
const DRAWS: usize = 40;
/// And at most, until both sides have shown the same: with a weight of 10 of 100 one stays unseen once in 10^22
/// times.
const MOST_DRAWS: usize = 500;

/// Of how many requests of a configuration all destinations are looked for.
const DRAWN: usize = 40;

/// Where Envoy keeps the path that the client asked for.
const ORIGINAL: &str = "x-envoy-original-path";

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests.
    pub(crate) requests: usize,
    /// Those that a route took.
    pub(crate) taken: usize,
    /// Those whose destination was drawn.
    pub(crate) drawn: usize,
    /// Redirects.
    pub(crate) redirected: usize,
    /// Those that came to the upstream with another path than they were sent with.
    pub(crate) rewritten: usize,
    /// Redirects to the request itself: a difference that is listed.
    pub(crate) to_itself: usize,
    /// Rewrites that left the path as it was: likewise.
    pub(crate) rewritten_to_itself: usize,
}

impl Tally {
    /// Sends a request to both sides.
    ///
    /// # Panics
    /// If they do not agree.
    pub(crate) fn judge(&mut self, sides: &mut Sides, request: &Request, shown: &dyn Fn() -> String) {
        let mut theirs = sides.send(0, request);
        let mut ours = sides.send(1, request);
        self.requests += 1;
        let own = format!("http://{}{}", request.authority.clone().unwrap_or_default(), request.target);
        if theirs.location.as_deref() == Some(&own) {
            self.to_itself += 1;
            return;
        }
        self.rewritten_to_itself += usize::from(listed(&mut theirs, request));
        listed(&mut ours, request);
        self.taken += usize::from(theirs.status != 404);
        self.redirected += usize::from(theirs.location.is_some());
        let rewritten =
            |seen: &Seen| seen.upstream.as_ref().is_some_and(|(target, ..)| *target != request.target);
        self.rewritten += usize::from(rewritten(&theirs));
        let is_drawn =
            |seen: &Seen| seen.cluster.as_ref().is_some_and(|cluster| sides.drawn.contains(cluster));
        if !is_drawn(&theirs) && !is_drawn(&ours) {
            assert_eq!(theirs, ours, "theirs and ours: {request:?}\n{}", shown());
            return;
        }
        self.drawn += 1;
        if self.drawn > DRAWN {
            assert!(is_drawn(&theirs) && is_drawn(&ours), "theirs and ours: {request:?}\n{}", shown());
            return;
        }
        let mut all = [BTreeSet::from([theirs]), BTreeSet::from([ours])];
        for draw in 0..MOST_DRAWS {
            if draw >= DRAWS && all[0] == all[1] {
                break;
            }
            for (side, seen) in all.iter_mut().enumerate() {
                let mut one = sides.send(side, request);
                listed(&mut one, request);
                seen.insert(one);
            }
        }
        assert_eq!(all[0], all[1], "theirs and ours, drawn: {request:?}\n{}", shown());
    }
}

/// Takes away in what the two differ on purpose, as the conversion lists it. Says whether a rewrite had left
/// the path as it was.
fn listed(seen: &mut Seen, request: &Request) -> bool {
    // Envoy keeps a caller's port under another scheme.
    if let Some(location) = seen.location.as_mut().filter(|location| location.starts_with("https://")) {
        *location = location.replacen(":8080/", "/", 1);
    }
    // A location has its host in lower case.
    if let Some(location) = seen.location.as_mut()
        && let Some((scheme, rest)) = location.split_once("://")
    {
        let end = rest.find('/').unwrap_or(rest.len());
        *location = format!("{scheme}://{}{}", rest[..end].to_lowercase(), &rest[end..]);
    }
    // Envoy says what the path was even if it is the same.
    match &mut seen.upstream {
        Some((target, _, headers)) if *target == request.target => headers.remove(ORIGINAL).is_some(),
        _ => false,
    }
}
