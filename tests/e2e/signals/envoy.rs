//! The same on a real Envoy, attached as Istio attaches: discovered, without a VM id.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_config};
use narrows_harness::ecds::{Ecds, WASM};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use narrows_tests::module;
use serde_json::{Value, json};

use narrows_oracle::Random;
use narrows_tests::signals::exchanged;

/// A policy that answers `/admin`, and says which one it is.
fn good(number: u64) -> String {
    json!({ "rules": [{ "name": "no", "matches": [{ "path": { "exact": "/admin" } }],
                        "respond": { "status": 403, "body": format!("n{number};") } }] })
    .to_string()
}

/// One that cannot be read; the refusal quotes the number.
fn bad(number: u64) -> String {
    format!(r#"{{"ruls{number};": 1}}"#)
}

/// An Envoy whose listeners come and go, each with a plugin.
struct Attached {
    directory: TempDir,
    plugins: BTreeMap<usize, Ecds>,
    modules: [PathBuf; 2],
    /// Where the listeners were found to be.
    found: RefCell<BTreeMap<usize, SocketAddr>>,
    envoy: Envoy,
}

impl Attached {
    /// With plugins that begin with these policies, each with its own name and listener.
    fn start(first: &[String], concurrency: u32) -> Self {
        let directory = TempDir::new("narrows-signals").unwrap();
        let modules = [b'0', b'1'].map(|version| {
            let name = format!("router-{}.wasm", char::from(version));
            directory.write(&name, exchanged("header-router", version)).unwrap()
        });
        fs::create_dir(directory.path().join("lds")).unwrap();
        let mut plugins = BTreeMap::new();
        for (at, text) in first.iter().enumerate() {
            let place = directory.path().join(at.to_string());
            fs::create_dir(&place).unwrap();
            let ecds = Ecds::new(&place, &format!("plugin{at}")).unwrap();
            ecds.push(&config(at, &modules[0], text, "")).unwrap();
            plugins.insert(at, ecds);
        }
        listen(&directory, &plugins, &plugins.keys().copied().collect::<Vec<_>>());
        let mut start = bootstrap(&[], &[]);
        start["dynamic_resources"] = json!({ "lds_config": { "path_config_source": {
            "path": directory.path().join("lds/lds.json"),
            "watched_directory": { "path": directory.path().join("lds") } } } });
        let options = EnvoyOptions {
            concurrency,
            arguments: ["--drain-time-s", "1", "--drain-strategy", "immediate"].map(str::to_owned).to_vec(),
            ..EnvoyOptions::named("signals")
        };
        let envoy = Envoy::start(start, options).unwrap();
        let attached = Self { directory, plugins, modules, found: RefCell::default(), envoy };
        wait::until("the listeners", PATIENCE, || {
            Ok(attached.plugins.keys().all(|at| attached.ask(*at).is_ok()).then_some(()))
        })
        .unwrap();
        attached
    }

    fn push(&self, plugin: usize, module: usize, text: &str) {
        self.plugins[&plugin].push(&config(plugin, &self.modules[module], text, "")).unwrap();
    }

    /// Pushes and waits for what Envoy says.
    fn push_to(&self, plugin: usize, module: usize, text: &str) -> bool {
        let config = config(plugin, &self.modules[module], text, "");
        self.plugins[&plugin].push_to(&self.envoy, &config).unwrap()
    }

    /// Status and body for `/admin` in the plugin's listener, on a new connection.
    fn ask(&self, plugin: usize) -> anyhow::Result<(u16, String)> {
        let known = self.found.borrow().get(&plugin).copied();
        let at = known.map_or_else(|| self.envoy.listener(&format!("listener{plugin}")), Ok)?;
        self.found.borrow_mut().insert(plugin, at);
        let mut connection = http1::Connection::connect_within(at, PATIENCE)?;
        let answer = connection.exchange(&Request::get("shop", "/admin").header("connection", "close"))?;
        Ok((answer.status, answer.text()))
    }

    /// Publishes the listeners of these plugins and no others.
    fn listen(&self, which: &[usize]) {
        self.found.borrow_mut().clear();
        listen(&self.directory, &self.plugins, which);
    }

    fn rejected(&self) -> anyhow::Result<Option<u64>> {
        let stats = self.envoy.stats()?;
        Ok(stats.get("wasmcustom.filter=.=header-router;.;narrows_config_rejected").copied())
    }

    fn until_rejected(&self, what: &str, expected: bool) {
        let is = || Ok((self.rejected()?.unwrap_or(0) == u64::from(expected)).then_some(()));
        self.envoy.context(wait::until(what, PATIENCE, is)).unwrap();
    }

    fn until_asked(&self, plugin: usize, what: &str, expected: impl Fn(&(u16, String)) -> bool) {
        let is = || Ok(self.ask(plugin).is_ok_and(|answer| expected(&answer)).then_some(()));
        self.envoy.context(wait::until(what, PATIENCE, is)).unwrap();
    }
}

fn config(plugin: usize, module: &std::path::Path, text: &str, root_id: &str) -> Value {
    let mut config = wasm_config(&format!("shop.plugin{plugin}"), module, text, None, "FAIL_RELOAD");
    // Istio sets none.
    config["config"]["vm_config"]["vm_id"] = json!("");
    config["config"]["root_id"] = json!(root_id);
    config
}

/// Publishes listeners, each with its plugin.
fn listen(directory: &TempDir, plugins: &BTreeMap<usize, Ecds>, which: &[usize]) {
    let routes = route_config(&[json!({ "match": { "prefix": "/" }, "direct_response": { "status": 200 } })]);
    let listeners = which.iter().map(|at| {
        let mut one = listener(&format!("listener{at}"), &[plugins[at].filter_entry(&[WASM])], &routes);
        one["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        one
    });
    let response = json!({ "resources": listeners.collect::<Vec<_>>() });
    let draft = directory.write("lds.draft", response.to_string()).unwrap();
    fs::rename(draft, directory.path().join("lds/lds.json")).unwrap();
}

/// Three hundred sequences: ten plugins of one filter on eight workers, thirty rounds each.
#[test]
fn three_hundred_sequences_of_pushes_open_nothing() {
    const PLUGINS: usize = 10;
    let mut dice = Random::new(0x5eed);
    let mut number = PLUGINS as u64;
    // Every second one begins with a bad policy.
    let first: Vec<String> =
        (0..PLUGINS).map(|at| if at % 2 == 0 { good(at as u64) } else { bad(at as u64) }).collect();
    let envoy = Attached::start(&first, 8);
    let (mut had, mut pushes, mut asked) = ([false; PLUGINS], 0, 0);
    for round in 0..30 {
        let few = dice.number(2) == 0;
        let mut last: Vec<(bool, u64)> = Vec::new();
        let lengths: Vec<u64> = (0..PLUGINS).map(|_| 1 + dice.number(4)).collect();
        let longest = lengths.iter().copied().max().unwrap_or(1);
        for step in (0..longest).rev() {
            for at in (0..PLUGINS).filter(|at| step < lengths[*at]) {
                number += 1;
                let module = usize::try_from(dice.number(2)).unwrap();
                // The last push of each has a number of its own; the others may be old ones.
                let is_good = if step == 0 && few { dice.number(20) > 0 } else { dice.number(5) < 3 };
                let old = step > 0 && dice.number(3) == 0;
                // A bad one that is old is that with which it began: if Envoy has taken it, it does not ask again.
                let text = match (is_good, old) {
                    (true, _) => good(if old { dice.number(3) } else { number }),
                    (false, _) => bad(if old { at as u64 } else { number }),
                };
                envoy.push(at, module, &text);
                pushes += 1;
                if step == 0 {
                    last.push((is_good, number));
                }
            }
            std::thread::sleep(Duration::from_millis(dice.number(40)));
            for (at, had) in had.iter_mut().enumerate() {
                let (status, _) = envoy.ask(at).unwrap();
                asked += 1;
                assert!(
                    status == 403 || (status == 200 && !*had),
                    "round {round}: plugin {at}: {status}\n{}",
                    envoy.envoy.log()
                );
                *had |= status == 403;
            }
        }
        // Envoy has come to the end.
        for (at, (is_good, number)) in last.iter().enumerate() {
            if *is_good {
                envoy.until_asked(at, "the last good policy", |(_, body)| *body == format!("n{number};"));
                had[at] = true;
            } else {
                envoy.envoy.wait_for_log(&format!("ruls{number};")).unwrap();
            }
        }
        let expected = last.iter().any(|(is_good, _)| !is_good);
        envoy.until_rejected(&format!("the gauge after round {round}: {last:?}"), expected);
        if round % 10 == 9 {
            // Nor does it change its mind.
            std::thread::sleep(Duration::from_secs(6));
            envoy.until_rejected("the gauge, later", expected);
            assert_eq!(envoy.rejected().unwrap(), Some(u64::from(expected)));
        }
        stays_closed(&envoy, &had, round);
    }
    println!("{pushes} pushes, {asked} requests");
}

/// A plugin that has had a good policy lets `/admin` pass on no worker.
fn stays_closed(envoy: &Attached, had: &[bool], round: usize) {
    for (at, had) in had.iter().enumerate() {
        for _ in 0..4 {
            let (status, _) = envoy.ask(at).unwrap();
            assert!(status == 403 || !had, "round {round}: plugin {at} is open\n{}", envoy.envoy.log());
        }
    }
}

/// Envoy does not ask again about what it has once taken.
#[test]
fn a_first_bad_policy_that_comes_back_opens_nothing() {
    let envoy = Attached::start(&[bad(1), good(9)], 2);
    assert_eq!(envoy.ask(0).unwrap().0, 200);
    envoy.until_rejected("the first policy", true);
    assert!(envoy.push_to(0, 0, &good(1)));
    envoy.until_rejected("it is mended", false);
    assert!(envoy.push_to(0, 0, &bad(1)), "Envoy has taken it before");
    envoy.until_rejected("it is back", true);
    for _ in 0..40 {
        assert_eq!(envoy.ask(0).unwrap(), (403, "n1;".to_owned()));
    }
    assert!(envoy.push_to(0, 0, &good(2)));
    envoy.until_asked(0, "it is mended again", |(_, body)| body == "n2;");
    envoy.until_rejected("it is mended again", false);
}

/// Two plugins of a filter in one VM; one of them is deleted.
#[test]
fn the_gauge_is_of_all_plugins_and_ends_with_each() {
    let envoy = Attached::start(&[bad(1), good(1)], 2);
    envoy.until_rejected("the first policy", true);
    for number in 2..5 {
        assert!(envoy.push_to(1, 0, &good(number)));
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(envoy.rejected().unwrap(), Some(1), "the other one is bad");
    }
    envoy.listen(&[1]);
    envoy.until_rejected("it is deleted", false);
    assert_eq!(envoy.ask(1).unwrap().0, 403);
    // Later, and refused.
    assert!(!envoy.push_to(1, 0, &bad(7)));
    envoy.until_rejected("refused", true);
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(envoy.rejected().unwrap(), Some(1));
    assert!(envoy.push_to(1, 1, &good(4)), "the policy as before, in another module");
    envoy.until_rejected("taken", false);
    // Nobody of the filter is left to say anything: the series goes.
    assert!(!envoy.push_to(1, 1, &bad(8)));
    envoy.until_rejected("refused again", true);
    envoy.listen(&[]);
    envoy.until_rejected("nothing is left", false);
}

/// A VM that crashes tells nobody, nor does that in which Envoy tries a policy; other Wasm
/// plugins keep what they have written.
#[test]
fn a_plugin_that_was_there_for_a_moment_comes_back_as_a_first_one() {
    let mut envoy = Attached::start(&[good(1), good(2)], 2);
    // Of another filter: it keeps the shared data of all.
    let tags = wasm_config("shop.tags", &module("metric-tags"), "{}", None, "FAIL_RELOAD");
    let mut tags = tags;
    tags["config"]["vm_config"]["vm_id"] = json!("");
    envoy.plugins[&1].push_to(&envoy.envoy, &tags).unwrap();
    for round in 0..3 {
        envoy.listen(&[1]);
        wait::until("the end of the plugin", PATIENCE, || Ok(envoy.rejected()?.is_none().then_some(())))
            .unwrap();
        // Envoy forgets what a series said once all its threads have heard that it is gone; until then
        // a new one of that name goes on where it ended. No statistic tells when.
        std::thread::sleep(Duration::from_secs(2));
        let place = envoy.directory.path().join(format!("again{round}"));
        fs::create_dir(&place).unwrap();
        let ecds = Ecds::new(&place, &format!("again{round}")).unwrap();
        ecds.push(&config(0, &envoy.modules[0], &bad(round), "")).unwrap();
        envoy.plugins.insert(0, ecds);
        envoy.listen(&[0, 1]);
        envoy.until_asked(0, "traffic", |(status, _)| *status == 200);
        envoy.until_rejected("it is bad", true);
        assert!(envoy.push_to(0, 0, &good(round)));
        envoy.until_asked(0, "it is mended", |(status, _)| *status == 403);
    }
}

/// What `pluginName: header-router.strict` comes to in Istio.
#[test]
fn a_root_id_makes_a_plugin_strict() {
    let envoy = Attached::start(&[good(1), good(9)], 1);
    envoy.listen(&[1]);
    let strict = |text: &str| config(0, &envoy.modules[0], text, "header-router.strict");
    assert_eq!(envoy.ask(1).unwrap().0, 403);
    envoy.plugins[&1].push_to(&envoy.envoy, &strict(&bad(1))).unwrap();
    assert!(envoy.envoy.log_contains("the filter does not load"), "{}", envoy.envoy.log());
    assert_eq!(envoy.ask(1).unwrap().0, 403, "what Envoy has stays");
    assert!(envoy.plugins[&1].push_to(&envoy.envoy, &strict(&good(2))).unwrap());
    envoy.until_asked(1, "the strict one", |(_, body)| body == "n2;");
}

const PATIENCE: Duration = Duration::from_secs(20);
