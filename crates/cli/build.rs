//! Collects the files that the program carries: the examples of the codes, and what `narrows init` writes.
//!
//! Each folder becomes a table in the order of its names, so that a new example is a new file and nothing else.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for folder in ["codes", "init"] {
        println!("cargo::rerun-if-changed={folder}");
        fs::write(out.join(format!("{folder}.rs")), table(&here.join(folder))?)?;
    }
    Ok(())
}

/// A Rust expression: for each folder its name, and for each file in it the name and the text.
fn table(folder: &Path) -> io::Result<String> {
    let mut table = "&[\n".to_owned();
    for one in sorted(folder)? {
        table.push_str(&format!("({:?}, &[\n", name(&one)));
        for file in sorted(&one)? {
            // Where the sources are is asked when the program is compiled: a checkout may move with what was built.
            let inner = format!("/{}/{}/{}", name(folder), name(&one), name(&file));
            table.push_str(&format!(
                "({:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {inner:?}))),\n",
                name(&file),
            ));
        }
        table.push_str("]),\n");
    }
    table.push(']');
    Ok(table)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
