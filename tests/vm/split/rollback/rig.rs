//! The VMs of one proxy, with users who ask.

mod inside;

use std::time::Duration;

use narrows_vm::{Exchange, LogLevel, Module, Outcome, Plugin, Response, Vm, VmOptions, Work};
use serde_json::{Value, json};

use narrows_tests::books::{CANARY, STABLE, STOCK, module, series};

/// Numbers that look random, the same in every run.
pub(super) struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    pub(super) fn percent(&mut self) -> u64 {
        self.next(100)
    }
}

/// What a request has that is not plain.
pub(super) type Shape = fn(Exchange) -> Exchange;

/// The workers of one proxy.
pub(super) struct Proxy {
    module: Module,
    shared: narrows_vm::Proxy,
    vms: Vec<(Vm, u32)>,
    chance: Chance,
    pub(super) is_grpc: bool,
    /// A header that every request has.
    pub(super) header: Option<(&'static str, &'static str)>,
    /// What every request becomes before it is sent.
    pub(super) shape: Shape,
    /// The name of the plugin.
    pub(super) plugin: &'static str,
    logs: Vec<String>,
}

/// A policy with a rollback.
pub(super) fn policy(weight: u32, rollback: &Value) -> Value {
    let mut rollback = rollback.clone();
    rollback["warmup"] = rollback.get("warmup").cloned().unwrap_or(json!("0s"));
    narrows_tests::books::policy(weight, &json!({ "rollback": rollback }))
}

impl Proxy {
    pub(super) fn new(count: usize, policy: &Value) -> anyhow::Result<Self> {
        let mut proxy = Self {
            module: Module::load(module()?)?,
            shared: narrows_vm::Proxy::default(),
            vms: Vec::new(),
            chance: Chance(0x9e37_79b9_7f4a_7c15),
            is_grpc: false,
            header: None,
            shape: std::convert::identity,
            plugin: "canary-split",
            logs: Vec::new(),
        };
        for _ in 0..count {
            let vm = proxy.vm(policy)?;
            proxy.vms.push(vm);
        }
        Ok(proxy)
    }

    fn vm(&mut self, policy: &Value) -> anyhow::Result<(Vm, u32)> {
        let proxy = self.shared.clone();
        let options = VmOptions { proxy, log_level: LogLevel::Trace, ..VmOptions::default() };
        let mut vm = Vm::new(&self.module, options)?;
        self.shared.clock.advance(Duration::from_micros(7));
        let configured = vm.configure(Plugin::new(self.plugin, policy.to_string()));
        anyhow::ensure!(configured.accepted, "{:?}", configured.work.logs);
        self.logs.extend(lines(&configured.work));
        Ok((vm, configured.root))
    }

    /// A new VM in the place of one that is no more.
    pub(super) fn restart(&mut self, worker: usize, policy: &Value) -> anyhow::Result<()> {
        self.vms[worker] = self.vm(policy)?;
        Ok(())
    }

    /// All workers get a policy; the older root contexts are gone.
    pub(super) fn push(&mut self, policy: &Value) {
        for (vm, root) in &mut self.vms {
            let configured = vm.configure(Plugin::new(self.plugin, policy.to_string()));
            assert!(configured.accepted, "{:?}", configured.work.logs);
            self.logs.extend(lines(&configured.work));
            vm.remove(*root);
            *root = configured.root;
        }
    }

    fn exchange(&self, user: &str) -> Exchange {
        let mut exchange = Exchange::get(STOCK, "/books").header("x-user-id", user);
        if self.is_grpc {
            exchange = exchange.header("content-type", "application/grpc");
        }
        if let Some((name, value)) = self.header {
            exchange = exchange.header(name, value);
        }
        (self.shape)(exchange.property(&["xds", "cluster_name"], STABLE))
    }

    /// What becomes of a request that the canary answers so, if it gets there.
    pub(super) fn outcome(&mut self, worker: usize, user: &str, canary: &dyn Fn() -> Response) -> Outcome {
        let exchange = self.exchange(user);
        let (vm, root) = &mut self.vms[worker];
        let outcome = vm.request(*root, exchange, |request| {
            let is_canary = is_canary(request.get(":authority"));
            if is_canary { canary().cluster(CANARY) } else { Response::ok().cluster(STABLE) }
        });
        assert_eq!(outcome.work.trap, None);
        self.logs.extend(lines(&outcome.work));
        outcome
    }

    /// Asks; says whether it was the canary.
    pub(super) fn ask(&mut self, worker: usize, user: &str, canary: &dyn Fn() -> Response) -> bool {
        let outcome = self.outcome(worker, user, canary);
        outcome.property_text("narrows_backend").as_deref() == Some("canary")
    }

    /// Asks and waits for so long until the response is there.
    pub(super) fn slowly(
        &mut self,
        worker: usize,
        user: &str,
        answer: &mut dyn FnMut(bool) -> (Duration, Response),
    ) -> bool {
        let exchange = self.exchange(user);
        let clock = self.shared.clock.clone();
        let now = clock.nanos();
        let (vm, root) = &mut self.vms[worker];
        let stream = vm.open(*root, exchange);
        let mut went = false;
        vm.forward(stream, |request| {
            went = is_canary(request.get(":authority"));
            let (after, response) = answer(went);
            clock.advance(after);
            response.cluster(if went { CANARY } else { STABLE })
        });
        let work = vm.close(stream).work;
        assert_eq!(work.trap, None);
        self.logs.extend(lines(&work));
        clock.set_nanos(now);
        went
    }

    /// Opens a request that nobody answers; says whether it is the canary's.
    pub(super) fn hang(&mut self, worker: usize, user: &str) -> bool {
        let exchange = self.exchange(user);
        let went = self.is_of_the_canary(user);
        let (vm, root) = &mut self.vms[worker];
        if went {
            vm.open(*root, exchange);
        }
        went
    }

    /// A second of so many requests, each of one of so many users; returns how many went to the canary.
    pub(super) fn second(
        &mut self,
        requests: usize,
        users: u64,
        mut answer: impl FnMut(&mut Chance, bool) -> Response,
    ) -> usize {
        self.timed(requests, users, |chance, is_canary| (Duration::ZERO, answer(chance, is_canary)))
    }

    /// The same with responses that take their time.
    pub(super) fn timed(
        &mut self,
        requests: usize,
        users: u64,
        mut answer: impl FnMut(&mut Chance, bool) -> (Duration, Response),
    ) -> usize {
        let mut went = 0;
        for request in 0..requests {
            let user = format!("user-{}", self.chance.next(users));
            let mut chance = Chance(self.chance.0);
            let worker = request % self.vms.len();
            went += usize::from(self.slowly(worker, &user, &mut |is_canary| answer(&mut chance, is_canary)));
            self.chance.next(2);
        }
        self.wait(Duration::from_secs(1));
        went
    }

    /// Lets time pass, second by second.
    pub(super) fn wait(&mut self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.shared.clock.advance(Duration::from_secs(1));
            for (vm, root) in &mut self.vms {
                let work = vm.tick(*root);
                assert_eq!(work.trap, None);
                self.logs.extend(lines(&work));
            }
        }
    }

    /// Sets the proxy's clock back.
    pub(super) fn set_back(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap();
        self.shared.clock.set_nanos(self.shared.clock.nanos().checked_sub(by).unwrap());
    }

    /// Goes on until the canary is off: after how many seconds, and requests of the canary.
    pub(super) fn until_off(
        &mut self,
        seconds: usize,
        requests: usize,
        users: u64,
        mut answer: impl FnMut(&mut Chance, bool) -> Response,
    ) -> Option<(usize, usize)> {
        let mut went = 0;
        for second in 1..=seconds {
            went += self.second(requests, users, &mut answer);
            if self.value("rollback_state") == Some(4) {
                // The other workers hear of it.
                self.wait(Duration::from_secs(1));
                return Some((second, went));
            }
        }
        None
    }

    fn is_of_the_canary(&mut self, user: &str) -> bool {
        self.ask(0, user, &Response::ok)
    }

    /// A user who gets to the canary.
    pub(super) fn user_of_the_canary(&mut self) -> String {
        let mut users = (0..).map(|number| format!("user-{number}"));
        users.find(|user| self.is_of_the_canary(user)).unwrap()
    }

    /// A user whose requests are turned back.
    pub(super) fn user_of_the_canary_by_weight(&mut self) -> String {
        let before = self.value("rolled_back_total").unwrap();
        assert_eq!(before, 0);
        let mut split = policy(10, &json!({}));
        split["splits"][0].as_object_mut().unwrap().remove("rollback");
        let users = narrows_tests::books::users(100);
        let oracle = narrows_tests::books::Oracle::new(&split, &users);
        users.into_iter().find(|user| oracle.backend(user) == "canary").unwrap()
    }

    /// Whether users get to the canary.
    pub(super) fn is_on(&mut self) -> bool {
        (0..100).any(|number| self.is_of_the_canary(&format!("user-{number}")))
    }

    /// A series of the canary.
    pub(super) fn value(&self, name: &str) -> Option<u64> {
        self.shared.metrics.value(series(name).trim_start_matches("wasmcustom."))
    }

    /// How often it was found worse, by class.
    pub(super) fn trips(&self) -> [u64; 3] {
        ["errors", "latency", "client_errors"].map(|class| {
            let name =
                format!("split=.=stock;.;backend=.=canary;.;fault=.={class};.;narrows_split_rollbacks_total");
            self.shared.metrics.value(&name).unwrap()
        })
    }

    /// How many lines say so.
    pub(super) fn lines(&self, says: &str) -> usize {
        self.logs.iter().filter(|line| line.contains(says)).count()
    }
}

fn lines(work: &Work) -> impl Iterator<Item = String> {
    work.logs.iter().map(|log| log.text.clone())
}

fn is_canary(authority: Option<&[u8]>) -> bool {
    authority.is_some_and(|host| host.starts_with(b"stock-canary"))
}

pub(super) fn error() -> Response {
    Response::status(503)
}

pub(super) fn status(code: u16) -> Response {
    Response::status(code)
}

/// The client has closed its connection.
pub(super) fn left() -> Response {
    Response::from_envoy(0, 1 << 14, "downstream_remote_disconnect")
}

/// The end of a call of gRPC.
pub(super) fn grpc(status: i32, in_trailers: bool) -> Response {
    let ok = Response::ok().header("content-type", "application/grpc");
    if !in_trailers {
        return ok.header("grpc-status", status.to_string());
    }
    let mut ok = ok;
    ok.trailers.add(b"grpc-status", status.to_string().as_bytes());
    ok
}
