//! What befalls a proxy between pushes, and what is seen of it from outside.

use std::time::Duration;

use narrows_vm::{Exchange, Response, Vm};

use super::Played;

impl Played {
    /// The VMs of a worker end without a word, and start anew with the policies that are attached.
    pub(in super::super) fn crash(&mut self, thread: usize) {
        let held = &mut self.threads[thread];
        std::mem::take(&mut held.vms).into_values().for_each(Vm::end);
        let lost = std::mem::take(&mut held.roots);
        for root in lost.into_iter().filter(|root| !root.attached.is_empty()) {
            let at = self.serve(thread, &root.policy);
            self.threads[thread].roots[at].attached = root.attached;
        }
    }

    /// The VMs of a worker end without a word, and with them the thread's part in everything.
    pub(in super::super) fn lose(&mut self, thread: usize) {
        let held = &mut self.threads[thread];
        std::mem::take(&mut held.vms).into_values().for_each(Vm::end);
        held.roots.clear();
        held.pushed.clear();
        self.forget();
    }

    /// Time passes, and timers fire. The clock may do what it likes.
    pub(in super::super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.time += Duration::from_secs(1);
            self.proxy.clock.advance(Duration::from_secs(1));
            let mut done = Vec::new();
            for thread in &mut self.threads {
                for root in &mut thread.roots {
                    let vm = thread.vms.get_mut(&root.policy.module).expect("its VM");
                    if vm
                        .tick_period(root.id)
                        .is_some_and(|period| self.time.saturating_sub(root.ticked) >= period)
                    {
                        root.ticked = self.time;
                        let work = vm.tick(root.id);
                        assert_eq!(work.trap, None);
                        done.push(work);
                    }
                }
            }
            done.into_iter().for_each(|work| self.note(work));
        }
    }

    /// The clock steps.
    pub(in super::super) fn step(&self, seconds: i64) {
        let nanos = self.proxy.clock.nanos();
        self.proxy.clock.set_nanos(nanos.saturating_add_signed(seconds * 1_000_000_000));
    }

    /// Whether a worker lets `/admin` pass in a listener.
    pub(in super::super) fn is_open(&mut self, thread: usize, listener: u8) -> bool {
        let held = &mut self.threads[thread];
        let root = held.roots.iter().find(|root| root.attached.contains(&listener));
        let Some(root) = root else { return true };
        let vm = held.vms.get_mut(&root.policy.module).expect("its VM");
        let outcome = vm.request(root.id, Exchange::get("shop", "/admin"), |_| Response::ok());
        assert_eq!(outcome.work.trap, None);
        outcome.local_reply.is_none()
    }

    /// Opens a stream that stays open.
    pub(in super::super) fn open(&mut self, thread: usize) {
        let held = &mut self.threads[thread];
        if let Some(root) = held.roots.iter_mut().find(|root| !root.attached.is_empty()) {
            let vm = held.vms.get_mut(&root.policy.module).expect("its VM");
            root.streams.push(vm.open(root.id, Exchange::get("shop", "/long")));
        }
    }

    /// Ends all streams of a thread.
    pub(in super::super) fn close(&mut self, thread: usize) {
        let held = &mut self.threads[thread];
        for root in &mut held.roots {
            let vm = held.vms.get_mut(&root.policy.module).expect("its VM");
            for stream in std::mem::take(&mut root.streams) {
                vm.close(stream);
            }
        }
        self.reap(thread);
    }

    /// What the gauge says in each grammar; none if there is no such series.
    pub(in super::super) fn gauge(&self) -> [Option<u64>; 2] {
        let filter = self.filter;
        [format!("filter=.={filter};.;"), format!("component.{filter}.")]
            .map(|labels| self.proxy.metrics.value(&format!("{labels}narrows_config_rejected")))
    }

    /// Whether the gauge says that a policy is rejected; both grammars must agree.
    pub(in super::super) fn is_rejected(&self) -> bool {
        let [stat_tags, stock] = self.gauge().map(Option::unwrap_or_default);
        assert_eq!(stat_tags, stock, "{:?}", self.gauge());
        stat_tags > 0
    }
}
