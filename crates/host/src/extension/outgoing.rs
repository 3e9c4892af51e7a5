//! Destinations that no rule names: each worker notes them, and one worker logs them.
//!
//! Every worker has a VM and a table of its own. On its tick it merges new destinations into a table
//! that all workers share, by compare-and-swap. The worker that finds there that a line is due logs it,
//! and marks that in the same swap. So there is one line and not one for each worker.

use std::cell::RefCell;

use narrows_core::egress::learn::{Learning, Table};
use narrows_core::egress::{Outbound, RouteAsk};
use narrows_core::{Request, Unlisted};

use super::{Decided, Extension};
use crate::abi;
use crate::lease::Plugin;
use crate::metric::{self, Ids};
use crate::node::Node;
use crate::read;
use crate::shared::Key;

/// What this VM has seen since it last shared it.
#[derive(Debug, Default)]
pub struct Seen(RefCell<Table>);

impl<P: Outbound + 'static> Extension<P> for Seen {
    type Kept = ();

    fn load(_policy: &P, _ids: &Ids, _plugin: &Plugin) -> Self {
        Self::default()
    }

    fn tick(&self, policy: &P, _ids: &Ids) {
        if let Some(learning) = policy.learning() {
            self.share(P::FILTER, learning);
        }
    }

    fn skips(&self, policy: &P, node: &Node, _authority: &dyn Fn() -> Vec<u8>) -> bool {
        policy.common().needs.headers && node.is_inbound()
    }

    fn asks(&self, policy: &P, request: &Request<'_>) -> RouteAsk {
        policy.asks(request)
    }

    fn decided(&self, policy: &P, _verdict: &P::Verdict, decided: &Decided<'_, '_>, _ids: &Ids) {
        if let (Some(unlisted), Some(learning)) = (&decided.decision.unlisted, policy.learning()) {
            abi::lasting(|| self.note(P::FILTER, unlisted, learning));
        }
    }
}

impl Seen {
    /// Notes a destination. If there is no room for more, it shares what was seen, so that a flood of
    /// hosts cannot hide any.
    fn note(&self, filter: &str, unlisted: &Unlisted<'_>, learning: &Learning) {
        let is_full = self.0.borrow_mut().note(&unlisted.host, unlisted.method, read::now_millis());
        if is_full {
            self.share(filter, learning);
        }
    }

    /// Shares new destinations, and logs them if a line is due.
    fn share(&self, filter: &str, learning: &Learning) {
        let new = self.0.take();
        let mut shared = None;
        let now = read::now_millis();
        // This key is not the one under which an older module kept the table in another form.
        let written = Key::of("unlisted", filter).update(&mut |bytes| {
            if new.is_empty() && !Table::is_due(bytes, now, learning) {
                shared = None;
                return None;
            }
            let mut table = Table::decode(bytes);
            let before = table.dropped();
            let taken = table.merge(&new, learning);
            let lines = table.report(now, learning);
            // No caller knows the nanosecond.
            table.forget(read::now_nanos(), learning);
            let dropped = table.dropped().saturating_sub(before);
            shared = Some((table.hosts(), taken, dropped, lines));
            Some(table.encode())
        });
        if !written {
            // Other VMs were quicker every time: keep it for the next tick.
            *self.0.borrow_mut() = new;
            return;
        }
        let Some((hosts, taken, dropped, lines)) = shared else { return };
        for (host, requests) in taken {
            metric::add(&learning.series(&host), requests);
        }
        metric::set(&learning.hosts_series(), u64::try_from(hosts).unwrap_or(u64::MAX));
        if dropped > 0 {
            metric::add(&learning.dropped_series(), dropped);
        }
        for line in lines {
            log::warn!("{filter}: {line}");
        }
    }
}
