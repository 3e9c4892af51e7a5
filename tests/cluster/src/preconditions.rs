//! What must be there before anything is started: all that is missing is said at once.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::bail;

use crate::house;
use crate::place::Place;
use crate::probe;

/// Programs, each with Debian's package that has it.
const PROGRAMS: [(&str, &str); 11] = [
    ("apt-get", "apt"),
    ("curl", "curl"),
    ("dpkg-deb", "dpkg"),
    ("ip", "iproute2"),
    ("iptables", "iptables"),
    ("kill", "procps"),
    ("ldd", "libc-bin"),
    ("mount", "mount"),
    ("nice", "coreutils"),
    ("openssl", "openssl"),
    ("unshare", "util-linux"),
];

/// The Go that the modules in `tests/cluster/go` ask for.
const GO: (u32, u32) = (1, 26);

/// What a test says by its exit code that a machine cannot have.
const CANNOT: u8 = 77;

/// Refuses with everything that is missing, each with its remedy.
pub(crate) fn check(place: &Place) -> anyhow::Result<()> {
    let mut missing = missing(place);
    if !is_root() {
        missing.push(NO_ROOT.to_owned());
    }
    missing.extend(kernel());
    // Without the programs for it nothing can be tried.
    if missing.is_empty() {
        missing = probe::refused();
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("the cluster cannot start here:\n  * {}", missing.join("\n  * "))
}

/// Tells a machine on which something is missing from one that cannot have a cluster, whatever is installed.
pub(crate) fn able(place: &Place) -> ExitCode {
    let Err(e) = check(place) else { return ExitCode::SUCCESS };
    eprintln!("error: {e:#}");
    let is_refused = !is_root() || missing(place).is_empty();
    if is_refused { ExitCode::from(CANNOT) } else { ExitCode::FAILURE }
}

const NO_ROOT: &str = "the cluster has namespaces of its own: run it as root";

/// What somebody can mend.
fn missing(place: &Place) -> Vec<String> {
    let mut missing = Vec::new();
    let absent: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !is_on_path(program)).map(|(_, package)| *package).collect();
    if !absent.is_empty() {
        missing.push(format!("apt-get install --no-install-recommends {}", absent.join(" ")));
    }
    missing.extend(go());
    if let Some(place) = unfit(&place.root) {
        missing.push(place);
    }
    for (file, target) in [("dist/canary-split.wasm", "filters"), ("target/images/echo/narrows-echo", "echo")]
    {
        if !place.root.join(file).is_file() {
            missing.push(format!("there is no {file}: make {target}"));
        }
    }
    if let Err(e) = narrows_harness::envoy::binary() {
        missing.push(format!("{e:#}"));
    }
    if let Err(e) = house::occupied() {
        missing.push(format!("{e:#}"));
    }
    missing
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn go() -> Option<String> {
    let said = Command::new("go").args(["env", "GOVERSION"]).stdin(Stdio::null()).output().ok();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    let mut numbers = said.trim_start_matches("go").split('.').map_while(|number| number.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (major, minor) = GO;
    (found < GO).then(|| {
        format!("Go {major}.{minor} or later must be on the path (found: {said:?}): https://go.dev/dl")
    })
}

/// What the kernel must know. A module that is not loaded yet is loaded by its first use, if there is one.
fn kernel() -> Option<String> {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let loadable = Path::new("/lib/modules").is_dir();
    (!known.contains("overlay") && !loadable)
        .then(|| "the kernel has no overlayfs, which images are mounted with".to_owned())
}

/// The house has a `/var` and a `/run` of its own, and lists of arguments are split at blanks.
fn unfit(root: &Path) -> Option<String> {
    let hidden = ["/var", "/run"].iter().any(|hidden| root.starts_with(hidden));
    let blank = root.to_string_lossy().contains(char::is_whitespace);
    (hidden || blank).then(|| {
        format!("move the tree {}: not below /var or /run, and no blank in its name", root.display())
    })
}
