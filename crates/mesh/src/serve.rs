//! The mesh left running: started by one command, ended by another.
//!
//! The process that holds the mesh writes its id and addresses to a file when all is
//! ready; whoever ends it reads the id there and makes sure that it is that process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

use super::{BOOKS, HELLO, Mesh};
use narrows_harness::wait;

const PATIENCE: Duration = Duration::from_mins(1);

/// Starts the mesh in a process of its own and waits until it is ready. Returns what
/// to tell the user.
pub fn up(root: &Path) -> anyhow::Result<String> {
    if let Some((id, _)) = running(root)? {
        bail!("the mesh runs already, as process {id}; run make down first");
    }
    let state = state(root);
    let directory = state.parent().context("no directory for the mesh")?;
    fs::create_dir_all(directory)?;
    let log = fs::File::create(directory.join("log"))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").env("NARROWS_ROOT", root).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    // A group of its own, so that the end of the user's terminal is not its end.
    let mut child = std::os::unix::process::CommandExt::process_group(&mut command, 0).spawn()?;
    let started = wait::until("the mesh", PATIENCE, || {
        if let Some(status) = child.try_wait()? {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            bail!("the mesh did not start: {status}\n{log}");
        }
        Ok(running(root)?.map(|(_, state)| state))
    });
    if started.is_err() {
        // Nobody else will: what it has started ends with it.
        _ = child.kill();
        _ = child.wait();
    }
    Ok(invitation(&started?))
}

/// Holds the mesh until it is told to end.
pub fn serve(root: &Path) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anybody can know whom to tell.
    let (mut term, mut int) = runtime.block_on(async {
        anyhow::Ok((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    })?;
    let mesh = Mesh::start(root)?;
    let address = |at: SocketAddr| at.to_string();
    let ready = json!({
        "id": std::process::id(),
        "ingress": address(mesh.applications.ingress()),
        "ingress_tls": address(mesh.applications.gateway.listener("0.0.0.0_8443")?),
        "authority": mesh.callers.authority(),
        "outbound": address(mesh.applications.outbound()),
        "gateway_admin": address(mesh.applications.gateway.admin()),
        "sidecar_admin": address(mesh.applications.front_end_sidecar.admin()),
        "egress_admin": address(mesh.egress.gateway.admin()),
        "checkout": address(mesh.callers.address("checkout")?),
        "web": address(mesh.callers.address("web")?),
        "prometheus": address(mesh.callers.address("prometheus")?),
    });
    let state = state(root);
    let draft = state.with_extension("draft");
    fs::write(&draft, serde_json::to_vec_pretty(&ready)?)?;
    fs::rename(&draft, &state)?;
    runtime.block_on(async {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    });
    // Only when all has ended is nobody there any more.
    drop(mesh);
    _ = fs::remove_file(&state);
    Ok(())
}

/// Ends the mesh that `up` has started, and waits until it is gone.
pub fn down(root: &Path) -> anyhow::Result<String> {
    let Some((id, _)) = running(root)? else {
        return Ok("no mesh runs".to_owned());
    };
    let status = Command::new("kill").args(["-TERM", &id.to_string()]).status()?;
    anyhow::ensure!(status.success(), "cannot end process {id}");
    wait::until("the end of the mesh", PATIENCE, || Ok((!runs(id)).then_some(())))?;
    Ok(format!("ended the mesh, process {id}"))
}

/// The process that holds the mesh, and what it said when it was ready.
fn running(root: &Path) -> anyhow::Result<Option<(u32, Value)>> {
    let Ok(text) = fs::read(state(root)) else { return Ok(None) };
    let ready: Value = serde_json::from_slice(&text)?;
    let id = ready["id"]
        .as_u64()
        .and_then(|id| u32::try_from(id).ok())
        .context("no process id in the state file")?;
    Ok(is_mesh(id).then_some((id, ready)))
}

/// Whether a process is one of ours: ids are used again.
fn is_mesh(id: u32) -> bool {
    fs::read(format!("/proc/{id}/cmdline"))
        .is_ok_and(|line| String::from_utf8_lossy(&line).contains("narrows-mesh"))
}

/// Whether a process has not ended. One that is ending has no command line any more, but all else.
fn runs(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn state(root: &Path) -> PathBuf {
    root.join("target/mesh/ready.json")
}

fn invitation(ready: &Value) -> String {
    let at = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
    let (ingress, outbound, tls) = (at("ingress"), at("outbound"), at("ingress_tls"));
    let port = tls.rsplit(':').next().unwrap_or_default();
    format!(
        "\
the mesh runs:

  ingress gateway        http://{ingress}       admin http://{}
  front end's sidecar    http://{outbound}       admin http://{}
  egress gateway         behind the sidecars of its callers       admin http://{}

hello-helidon through the gateway, as anybody and as a beta user, and over TLS:

  curl -s -H 'host: {HELLO}' http://{ingress}/greet
  curl -s -H 'host: {HELLO}' -H 'x-user-group: beta' http://{ingress}/greet
  curl -s --cacert {} --resolve {HELLO}:{port}:127.0.0.1 https://{HELLO}:{port}/greet

bobbys-front-end, which calls the stock application through its sidecar:

  curl -s -H 'host: {BOOKS}' -H 'x-user-id: user-0042' 'http://{ingress}/bobbys-front-end/books?start=0'

why a call went where it went, asked of the sidecar itself:

  curl -si -H 'host: bobbys-helidon-stock-application:8080' -H 'x-user-id: user-0042' -H 'x-explain: please' http://{outbound}/books | grep x-narrows-explain

what leaves the cluster, as the checkout and as the web; and the admin cluster's Prometheus, into the managed one:

  curl -s -H 'host: api.stripe.com' http://{}/v1/charges
  curl -s -H 'host: api.stripe.com' http://{}/v1/charges
  curl -s -H 'host: prometheus.vmi.system.managed1.example.com:443' http://{}/federate

what was counted:

  curl -s http://{}/stats/prometheus | grep -E '^(narrows_|requests_total)'

make down ends it.",
        at("gateway_admin"),
        at("sidecar_admin"),
        at("egress_admin"),
        at("authority"),
        at("checkout"),
        at("web"),
        at("prometheus"),
        at("sidecar_admin"),
    )
}
