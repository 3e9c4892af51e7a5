//! The application as a process of its own, as a container runs it.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use narrows_harness::echo::Received;
use narrows_harness::http1;
use narrows_harness::message::Request;
use narrows_harness::process::Process;
use narrows_harness::temp::TempDir;
use narrows_harness::wait;

#[test]
fn the_binary_says_who_it_is_and_ends_when_told() -> anyhow::Result<()> {
    let directory = TempDir::new("echo")?;
    let output = directory.path().join("output");
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows-echo"));
    command
        .args(["--name", "stock", "--listen", "127.0.0.1:0", "--status", "503"])
        .env("NARROWS_ECHO_NAME", "overridden")
        .env("NARROWS_ECHO_VERSION", "v2")
        .stdout(fs::File::create(&output)?);
    let mut process = Process::spawn("narrows-echo", &mut command)?;
    let address: SocketAddr = wait::until("an address", Duration::from_secs(5), || {
        let printed = fs::read_to_string(&output)?;
        let address = printed.strip_suffix('\n').and_then(|line| line.rsplit(' ').next());
        Ok(address.and_then(|address| address.parse().ok()))
    })?;
    let response = http1::exchange(address, &Request::get("stock", "/"))?;
    let received = Received::from_response(&response)?;
    assert_eq!((&*received.app, &*received.version, response.status), ("stock", "v2", 503));
    process.stop(Duration::from_secs(2));
    let status = process.exited()?.expect("it has ended");
    assert!(status.success(), "it ended by itself: {status}");
    Ok(())
}

#[test]
fn a_wrong_argument_says_what_is_right() -> anyhow::Result<()> {
    let binary = env!("CARGO_BIN_EXE_narrows-echo");
    for (arguments, expected) in [
        (&["--nmae", "x"][..], "unknown argument `--nmae`"),
        (&["--name"], "`--name` needs a value"),
        (&["--name", "x", "--via", "a:1"], "`--calls` and `--via` go together"),
        (&["--name", "x", "--listen", "8080"], "is not an address and a port"),
        (&["--name", "x", "--status", "99"], "is no status from 200 to 599"),
    ] {
        let output = Command::new(binary).args(arguments).env_remove("NARROWS_ECHO_NAME").output()?;
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && printed.contains(expected), "{printed}");
    }
    Ok(())
}
