//! What the documentation of the command line shows is what happens: every session in its README
//! and in `transcripts/` is run within `fixtures/`. `UPDATE=1` writes what happened instead.

use std::fs;
use std::path::Path;

use narrows_harness::session::Session;

#[test]
fn sessions_show_what_happens() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![home.join("README.md"), home.join("../../docs/case-files.md")];
    files.extend(fs::read_dir(home.join("tests/transcripts")).unwrap().map(|entry| entry.unwrap().path()));
    files.sort();
    let session = Session {
        directory: home.join("tests/fixtures"),
        programs: Path::new(env!("CARGO_BIN_EXE_narrows")).parent().unwrap().to_owned(),
    };
    let mut wrong = String::new();
    for file in &files {
        match session.check(file) {
            Ok(commands) => assert_ne!(commands, 0, "{} shows no command", file.display()),
            Err(error) => wrong.push_str(&format!("{error:#}\n")),
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
