//! Child processes that never outlive their owner, even one that is killed.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;

use crate::wait;

/// One process started here. It is asked to end when dropped, then made to.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    guard: Option<Child>,
}

impl Process {
    /// Starts `command`; `name` is what errors call it.
    pub fn spawn(name: &str, command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {name} from {}", command.get_program().display()))?;
        let guard = guard(child.id()).ok();
        Ok(Self { name: name.to_owned(), child, guard })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn exited(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let status = self.child.try_wait().with_context(|| format!("cannot ask after {}", self.name))?;
        if status.is_some() {
            self.dismiss_guard();
        }
        Ok(status)
    }

    /// Waits until it has ended by itself, at most `limit`.
    pub fn wait(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        let what = format!("{} to end", self.name);
        wait::until(&what, limit, || self.exited())
    }

    /// Asks it to end, waits for `grace`, then kills it. Does nothing when it
    /// has ended before.
    pub fn stop(&mut self, grace: Duration) {
        if matches!(self.exited(), Ok(Some(_))) {
            return;
        }
        self.dismiss_guard();
        // The standard library can only kill. Until it is waited for, the id
        // cannot belong to another process.
        let asked = shell(TERMINATE, self.id()).stdin(Stdio::null()).status();
        let ended = asked.is_ok_and(|status| status.success()) && self.wait(grace).is_ok();
        if !ended {
            // Both can only fail when it is gone already.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// From now on nobody watches: the id may soon belong to another process.
    fn dismiss_guard(&mut self) {
        if let Some(mut guard) = self.guard.take() {
            let _ = guard.kill();
            let _ = guard.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop(GRACE);
    }
}

/// Starts a shell that ends a process when this one has gone. It waits at a
/// pipe that only this process holds open, and the system closes that.
fn guard(id: u32) -> std::io::Result<Child> {
    shell(&format!("read -r _; {TERMINATE}"), id).stdin(Stdio::piped()).spawn()
}

/// A quiet shell whose `$0` is a process id.
fn shell(script: &str, id: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, &id.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

const TERMINATE: &str = "kill -TERM \"$0\"";
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_deaf_process_is_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; while :; do sleep 0.05; done"]);
        let mut process = Process::spawn("a deaf shell", &mut command).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let start = Instant::now();
        process.stop(Duration::from_millis(100));
        assert!(process.exited().unwrap().is_some());
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
