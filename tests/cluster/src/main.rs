//! `narrows-cluster up|down|test|build|able`: Kubernetes and Istio on this machine, and what is tried in them.
//!
//! ```text
//!  up ──▶ preconditions ─▶ packages, binaries, images       what is there already is not made again
//!     └─▶ house ─▶ serve (process 1 of its own namespaces) ─▶ daemons: etcd … kubelet, kube-proxy
//!     └─▶ addons: DNS, registry, Istio                      through the API server, as in any cluster
//!  test ─▶ drills                                           in that cluster, or in the one of KUBECONFIG
//!  down ─▶ house                                            ends process 1: with it goes everything else
//!      └─▶ traces                                           looks whether anything is left
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

mod addons;
mod binaries;
mod cluster;
mod daemons;
mod drills;
mod forward;
mod house;
mod image;
mod images;
mod kubectl;
mod packages;
mod pki;
mod place;
mod preconditions;
mod probe;
mod run;
mod runc;
mod serve;
mod step;
mod test;
mod traces;
mod traffic;
mod up;

use std::process::ExitCode;

use place::Place;

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    if program.ends_with("/runc") {
        return runc::become_runc(arguments);
    }
    let place = Place::of(&narrows_harness::root());
    let outcome = match arguments.next().as_deref() {
        Some("up") => up::up(&place),
        Some("down") => house::down(&place),
        Some("serve") => serve::serve(&place),
        Some("test") => test::test(&place, &arguments.collect::<Vec<_>>().join(" ")),
        Some("build") => up::build(&place).and_then(|()| binaries::build_for_drills(&place)),
        Some("able") => return preconditions::able(&place),
        Some("replay") => drills::replay(&place.root, &arguments.next().unwrap_or_default()),
        _ => {
            eprintln!("usage: narrows-cluster up | down | test [DRILL]... | build | able");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}
