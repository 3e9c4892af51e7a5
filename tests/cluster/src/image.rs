//! One image: files in one layer, as an archive that containerd imports.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

/// Who is who in every image.
const TEXTS: [(&str, &str); 3] = [
    ("etc/passwd", "root:x:0:0::/:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\n"),
    ("etc/group", "root:x:0:\nistio-proxy:x:1337:\n"),
    ("etc/nsswitch.conf", "hosts: files dns\n"),
];

/// An image to be made.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// Its name and tag.
    pub(crate) name: String,
    /// The command that it runs.
    pub(crate) entry: Vec<String>,
    /// As whom; empty is root.
    pub(crate) user: String,
    /// Files, each with its place in the image. A program that is linked dynamically brings its libraries.
    pub(crate) files: Vec<(PathBuf, String)>,
}

impl Image {
    /// The archive in `folder`, made anew if a file is newer.
    pub(crate) fn archive(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let path = folder.join(format!("{}.tar", self.name.replace(['/', ':'], "-")));
        if !self.is_newer_than(&path)? {
            return Ok(path);
        }
        let draft = path.with_extension("layer");
        let layer = File::options().read(true).write(true).create(true).truncate(true).open(&draft)?;
        let mut contents = Layer { tar: Builder::new(BufWriter::new(&layer)), there: BTreeSet::new() };
        contents.folder(Path::new("tmp"), 0o1777)?;
        for (place, text) in TEXTS {
            contents.text(place, text)?;
        }
        for (file, place) in &self.files {
            contents.put(file, Path::new(place.trim_start_matches('/')))?;
        }
        contents.tar.into_inner()?.flush()?;
        self.wrap(&layer, &path)?;
        fs::remove_file(draft)?;
        Ok(path)
    }

    fn is_newer_than(&self, archive: &Path) -> anyhow::Result<bool> {
        let Ok(made) = fs::metadata(archive).and_then(|archive| archive.modified()) else { return Ok(true) };
        for (file, _) in &self.files {
            let changed = fs::metadata(file).with_context(|| file.display().to_string())?.modified()?;
            if changed > made {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes the archive around a layer, in the form of `docker save`.
    fn wrap(&self, mut layer: &File, path: &Path) -> anyhow::Result<()> {
        let digest = digest(layer)?;
        let config = self.config(&digest).to_string();
        let config_name = format!("{:x}.json", Sha256::digest(&config));
        let layer_name = format!("{digest}/layer.tar");
        let manifest =
            json!([{ "Config": config_name, "RepoTags": [self.name], "Layers": [layer_name] }]).to_string();
        let draft = path.with_extension("draft");
        let mut out = Builder::new(BufWriter::new(File::create(&draft)?));
        out.append_data(&mut header(0o644, config.len()), &config_name, config.as_bytes())?;
        layer.rewind()?;
        let size = usize::try_from(layer.metadata()?.len())?;
        out.append_data(&mut header(0o644, size), &layer_name, BufReader::new(layer))?;
        out.append_data(&mut header(0o644, manifest.len()), "manifest.json", manifest.as_bytes())?;
        out.into_inner()?.flush()?;
        Ok(fs::rename(draft, path)?)
    }

    fn config(&self, layer: &str) -> Value {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
        json!({
            "architecture": architecture,
            "os": "linux",
            "config": {
                "User": self.user,
                "Entrypoint": self.entry,
                "Env": ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
        })
    }
}

/// A layer as it is written.
struct Layer<W: Write> {
    tar: Builder<W>,
    there: BTreeSet<PathBuf>,
}

impl<W: Write> Layer<W> {
    fn folder(&mut self, path: &Path, mode: u32) -> anyhow::Result<()> {
        if path.as_os_str().is_empty() || !self.there.insert(path.to_owned()) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent, 0o755)?;
        }
        let mut header = header(mode, 0);
        header.set_entry_type(EntryType::Directory);
        Ok(self.tar.append_data(&mut header, path, std::io::empty())?)
    }

    fn text(&mut self, place: &str, text: &str) -> anyhow::Result<()> {
        self.folder(Path::new(place).parent().unwrap_or(Path::new("")), 0o755)?;
        Ok(self.tar.append_data(&mut header(0o644, text.len()), place, text.as_bytes())?)
    }

    /// A file, with what it needs to run; a folder with all that is in it.
    fn put(&mut self, source: &Path, place: &Path) -> anyhow::Result<()> {
        if self.there.contains(place) {
            return Ok(());
        }
        self.folder(place.parent().unwrap_or(Path::new("")), 0o755)?;
        if source.is_dir() {
            for entry in fs::read_dir(source)?.flatten() {
                self.put(&entry.path(), &place.join(entry.file_name()))?;
            }
            return Ok(());
        }
        self.there.insert(place.to_owned());
        let file = File::open(source).with_context(|| source.display().to_string())?;
        let about = file.metadata()?;
        let mode = if about.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        let size = usize::try_from(about.len())?;
        self.tar.append_data(&mut header(mode, size), place, BufReader::new(file))?;
        for library in libraries(source)? {
            self.put(Path::new(&library), Path::new(library.trim_start_matches('/')))?;
        }
        Ok(())
    }
}

/// What a dynamic program is linked to, its loader included.
fn libraries(program: &Path) -> anyhow::Result<Vec<String>> {
    let mut magic = [0; 4];
    if File::open(program)?.read_exact(&mut magic).is_err() || &magic != b"\x7fELF" {
        return Ok(Vec::new());
    }
    // It fails for a static program, and says so.
    let said = Command::new("ldd").arg(program).output().context("cannot run ldd")?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    Ok(said.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect())
}

fn digest(mut file: &File) -> anyhow::Result<String> {
    file.rewind()?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash)?;
    Ok(format!("{:x}", hash.finalize()))
}

fn header(mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size as u64);
    header
}
