//! A port of a pod, reached from here.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use anyhow::Context;

use crate::kubectl::Kubectl;

/// As long as it lives, the address leads to the pod. It is bound to one pod, and ends with it.
#[derive(Debug)]
pub(crate) struct Forward {
    child: Child,
    address: SocketAddr,
}

impl Forward {
    /// `what` is a pod, or a workload of which one pod is taken.
    pub(crate) fn open(kubectl: &Kubectl, namespace: &str, what: &str, port: u16) -> anyhow::Result<Self> {
        let line = format!("port-forward --namespace {namespace} {what} :{port}");
        let mut command = kubectl.command(&line);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run kubectl")?;
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().context("no output")?);
        output.read_line(&mut said)?;
        let mut errors = child.stderr.take().context("no output")?;
        if said.is_empty() {
            errors.read_to_string(&mut said)?;
        }
        // It prints a line for each connection, and ends if nobody reads it.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        // "Forwarding from 127.0.0.1:41075 -> 8443"
        let address = said.split_whitespace().nth(2).and_then(|address| address.parse().ok());
        let mut forward = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        forward.address = address.with_context(|| format!("kubectl {line}: {said:?}"))?;
        Ok(forward)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
