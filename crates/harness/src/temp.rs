//! Private directories that go away with their owner.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;

/// A directory of this process alone, removed when the value is dropped.
///
/// Set `NARROWS_KEEP_TEMP` to any value to keep it for a look inside.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// Makes a new directory below the system's temporary one; `purpose`
    /// becomes part of its name.
    pub fn new(purpose: &str) -> anyhow::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let base = std::env::temp_dir();
        // A name may be left over from an earlier process with our pid.
        for _ in 0..ATTEMPTS {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("narrows-{purpose}-{}-{count}", std::process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make {}", path.display()));
                }
            }
        }
        anyhow::bail!("no free name for a directory in {}; clean it up", base.display())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the directory and returns its full path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if std::env::var_os("NARROWS_KEEP_TEMP").is_none() {
            // Nothing sensible can be done about a failure while cleaning up.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

const ATTEMPTS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_with_its_owner() {
        let directory = TempDir::new("test").unwrap();
        let file = directory.write("a", "b").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"b");
        drop(directory);
        assert!(!file.exists());
    }
}
