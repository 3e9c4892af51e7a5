//! Starting, failing to start, and going away.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use narrows_harness::echo::{Echo, EchoOptions};
use narrows_harness::envoy::{self, Envoy, EnvoyOptions};
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;
use serde_json::json;

use crate::{manager, plain};

#[test]
fn a_refused_bootstrap_shows_the_log() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let mut broken = plain(&echo, false);
    manager(&mut broken)["no_such_field"] = json!(1);
    let log = Envoy::validate(broken.clone()).unwrap_err();
    assert!(log.contains("no_such_field"), "{log}");
    let error = Envoy::start(broken.clone(), EnvoyOptions::named("broken")).unwrap_err();
    let error = format!("{error}");
    assert!(error.contains("broken ended before it was ready: exit status: 1"), "{error}");
    assert!(error.contains("no_such_field"), "{error}");
    let log = Envoy::start_expecting_failure(broken, EnvoyOptions::default())?;
    assert!(log.contains("no_such_field"), "{log}");

    let good = plain(&echo, false);
    Envoy::validate(good.clone()).map_err(anyhow::Error::msg)?;
    let error = Envoy::start_expecting_failure(good, EnvoyOptions::default()).unwrap_err();
    assert!(error.to_string().contains("should have refused"), "{error}");
    Ok(())
}

#[test]
fn a_failure_carries_the_log() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let envoy = Envoy::start(plain(&echo, false), EnvoyOptions::default())?;
    assert!(envoy.log_contains("starting workers"));
    let error = envoy.listener("nowhere").unwrap_err().to_string();
    assert!(error.contains("no listener `nowhere`"), "{error}");
    assert!(error.contains("starting workers"), "{error}");
    Ok(())
}

#[test]
fn levels_of_the_log_can_be_chosen() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let quiet = Envoy::start(plain(&echo, false), EnvoyOptions::default())?;
    assert!(!quiet.log_contains("envoy.filters.http.wasm"));
    let options = EnvoyOptions {
        component_log_level: Some("main:info,http:debug".to_owned()),
        ..EnvoyOptions::default()
    };
    let loud = Envoy::start(plain(&echo, false), options)?;
    assert!(loud.log_contains("envoy.filters.http.wasm"));
    http1::exchange(loud.listener("http")?, &Request::get("stock", "/"))?;
    loud.wait_for_log("[debug][http]")
}

#[test]
fn two_run_side_by_side_and_none_outlives_its_owner() -> anyhow::Result<()> {
    let echo = Echo::start("stock", EchoOptions::default())?;
    let first = Envoy::start(plain(&echo, false), EnvoyOptions::named("first"))?;
    let second = Envoy::start(plain(&echo, false), EnvoyOptions::named("second"))?;
    assert_ne!(first.admin(), second.admin());
    let (pid, address) = (first.pid(), first.listener("http")?);
    assert!(is_envoy(pid), "the id is that of Envoy, not of a script");
    drop(first);
    assert!(!is_envoy(pid));
    assert!(http1::exchange(address, &Request::get("stock", "/")).is_err());
    let log = second.log();
    let response = http1::exchange(second.listener("http")?, &Request::get("stock", "/"))?;
    assert_eq!(response.status, 200, "{log}");
    assert!(second.stop().contains("caught ENVOY_SIGTERM"), "it was asked before it was killed");
    Ok(())
}

#[test]
fn a_missing_binary_says_what_to_do() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lifecycle::a_failure_carries_the_log"])
        .env("ENVOY", "/nowhere/envoy")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let printed =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("no Envoy at /nowhere/envoy"), "{printed}");
    assert!(printed.contains("run make envoy"), "{printed}");
}

#[test]
fn an_envoy_goes_even_when_its_owner_is_killed() -> anyhow::Result<()> {
    const HOLD: &str = "NARROWS_TEST_HOLD_AN_ENVOY";
    if std::env::var_os(HOLD).is_some() {
        let echo = Echo::start("stock", EchoOptions::default())?;
        let envoy = Envoy::start(plain(&echo, false), EnvoyOptions::default())?;
        println!("\nholding {}", envoy.pid());
        std::thread::sleep(Duration::from_mins(1));
        return Ok(());
    }
    // A killed owner leaves its directory behind: let that be in one of ours.
    let directory = TempDir::new("killed")?;
    let mut owner = Command::new(std::env::current_exe()?)
        .args(["--exact", "lifecycle::an_envoy_goes_even_when_its_owner_is_killed"])
        .arg("--nocapture")
        .env(HOLD, "1")
        .env("TMPDIR", directory.path())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(owner.stdout.take().expect("it was piped"));
    let pid = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("holding ")?.parse().ok())
        .expect("it holds an Envoy");
    assert!(is_envoy(pid));
    owner.kill()?;
    owner.wait()?;
    wait::until("the Envoy to go", Duration::from_secs(5), || Ok((!is_envoy(pid)).then_some(())))
}

#[test]
fn the_version_is_known() -> anyhow::Result<()> {
    assert!(envoy::version()?.contains("version: "));
    Ok(())
}

/// Whether there is a process with this id that runs an Envoy.
fn is_envoy(pid: u32) -> bool {
    let output = Command::new("ps").args(["-o", "comm=", "-p", &pid.to_string()]).output().expect("ps runs");
    String::from_utf8_lossy(&output.stdout).trim().ends_with("envoy")
}
