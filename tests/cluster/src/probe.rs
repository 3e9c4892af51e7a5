//! Whether this machine lets a process have what the house is made of: each is tried in namespaces that end at once.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run;

/// What is tried, in a shell. Nothing of it outlives the shell.
const TRIED: [(&str, &str); 6] = [
    ("namespaces of one's own", "true"),
    ("a mount", "mount -t tmpfs tmpfs /run"),
    (
        "an overlay, which images are mounted with",
        "mount -t tmpfs tmpfs /run && cd /run && mkdir a b c d && \
         mount -t overlay -o lowerdir=a,upperdir=b,workdir=c overlay d",
    ),
    ("a link between two networks", "ip link add narrows1 type veth peer name narrows2"),
    ("firewall rules", "iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001"),
    ("to forward packets", "echo 1 > /proc/sys/net/ipv4/ip_forward"),
];
/// The namespaces of the house.
pub(crate) const NAMESPACES: [&str; 8] =
    ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];

/// All that is refused, each with what was said.
pub(crate) fn refused() -> Vec<String> {
    let mut refused: Vec<String> = TRIED
        .iter()
        .filter_map(|(what, shell)| {
            let mut command = Command::new("unshare");
            command.args(NAMESPACES).args(["--propagation", "private", "--", "sh", "-c", shell]);
            let error = run::output(&mut command).err()?;
            let said = error.to_string().lines().skip(1).collect::<Vec<_>>().join("; ");
            Some(format!("this machine refuses {what}: {said}"))
        })
        .collect();
    refused.extend(groups());
    refused
}

/// The kubelet makes control groups for pods.
fn groups() -> Option<String> {
    let top = Path::new("/sys/fs/cgroup");
    let hierarchy = if top.join("cgroup.controllers").exists() { top.to_owned() } else { top.join("memory") };
    let group = hierarchy.join("narrows-probe");
    let made = fs::create_dir(&group).and_then(|()| fs::remove_dir(&group));
    made.err().map(|e| format!("this machine refuses control groups: {}: {e}", group.display()))
}
