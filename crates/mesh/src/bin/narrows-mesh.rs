//! `narrows-mesh demo|up|down`: the local mesh on real Envoys.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

use std::process::ExitCode;

use narrows_harness::root;
use narrows_mesh::{Mesh, demo, serve};

fn main() -> ExitCode {
    let root = root();
    let command = std::env::args().nth(1).unwrap_or_default();
    let outcome = match command.as_str() {
        "demo" => Mesh::start(&root).and_then(|mesh| demo::run(&mesh)),
        "up" => serve::up(&root).map(|text| println!("{text}")).map(|()| true),
        "down" => serve::down(&root).map(|text| println!("{text}")).map(|()| true),
        "serve" => serve::serve(&root).map(|()| true),
        _ => {
            eprintln!("usage: narrows-mesh demo|up|down");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::from(2)
        }
    }
}
