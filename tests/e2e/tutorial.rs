//! The tutorial does what it says, in an empty folder, with a real Envoy. `UPDATE=1` writes what happened.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use narrows_harness::root;
use narrows_harness::session::Session;

/// The folder of the tutorial; at the end its Envoy ends, whatever happened.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if let Ok(id) = fs::read_to_string(self.0.join("envoy.pid")) {
            _ = Command::new("kill").arg(id.trim()).stderr(std::process::Stdio::null()).status();
        }
    }
}

#[test]
fn every_step_of_the_tutorial_prints_what_is_shown() -> anyhow::Result<()> {
    let folder = Folder(root().join("target/tutorial"));
    _ = fs::remove_dir_all(&folder.0);
    let programs = folder.0.join("bin");
    fs::create_dir_all(&programs)?;
    symlink(narrows_tests::narrows(), programs.join("narrows"))?;
    symlink(narrows_harness::envoy::binary()?, programs.join("envoy"))?;
    let session = Session { directory: folder.0.clone(), programs };
    let commands = session.check(&root().join("docs/tutorial.md"))?;
    anyhow::ensure!(commands >= 30, "only {commands} commands are shown");
    Ok(())
}
