//! Who pushes, and who learns the password: the registry and its server of tokens, over TLS, and nobody
//! else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use narrows_harness::registry::{Login, NAME, PASSWORD, Registry};
use narrows_harness::temp::TempDir;
use serde_json::json;

use super::{Pack, REPOSITORY, TAG, place};

#[test]
fn a_password_comes_by_a_file_or_by_standard_input() {
    let folder = TempDir::new("login").unwrap();
    let file = folder.write("password", format!("{PASSWORD}\n")).unwrap();
    let file = file.display().to_string();
    for login in [Login::Password, Login::Token] {
        let registry = Registry::start(login).unwrap();
        Pack::to(&registry, &[]).run().refuses("127.0.0.1");
        let by_file = ["--username", NAME, "--password-file", &file];
        let digest = Pack::to(&registry, &by_file).run().digest();
        assert_eq!(registry.tag(REPOSITORY, TAG).unwrap(), digest);
        let by_input = ["--username", NAME, "--password-stdin"];
        assert_eq!(Pack::to(&registry, &by_input).input(&format!("{PASSWORD}\n")).run().digest(), digest);
        let wrong = Pack::to(&registry, &by_input).input("not-the-one").run();
        wrong.refuses("401");
        assert!(!wrong.errors.contains("not-the-one"));
        Pack::to(&registry, &by_input).input("").run().refuses("the password is empty");
        Pack::to(&registry, &by_input).input("a\nb\n").run().refuses("no line of text");
    }
}

#[test]
fn a_login_of_docker_is_used() {
    let registry = Registry::start(Login::Password).unwrap();
    let address = registry.address().to_string();
    let home = TempDir::new("docker").unwrap();
    let encoded = base64(&format!("{NAME}:{PASSWORD}"));
    let config = |content: serde_json::Value| _ = home.write("config.json", content.to_string()).unwrap();
    let push = || Pack::to(&registry, &[]).environment("DOCKER_CONFIG", home.path());
    config(json!({ "auths": { address.as_str(): { "auth": encoded } } }));
    push().run().digest();
    config(json!({ "auths": { address.as_str(): { "auth": base64("ci:another") } } }));
    push().run().refuses("does not take this name and password");
    config(json!({ "auths": { "other.example": { "auth": encoded } } }));
    push().run().refuses("docker login");
    config(json!({ "auths": { address.as_str(): { "auth": "!" } } }));
    push().run().refuses("its entry is damaged");
    // A helper, as Docker runs it.
    let helper = home.path().join("docker-credential-here");
    let says = json!({ "Username": NAME, "Secret": PASSWORD }).to_string();
    script(&helper, &format!("read address; test \"$address\" = {address} && echo '{says}'"));
    config(json!({ "credHelpers": { address.as_str(): "here" } }));
    let path = std::env::var_os("PATH").unwrap();
    let folders = [home.path().to_owned()].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).unwrap();
    push().environment("PATH", Path::new(&path)).run().digest();
    config(json!({ "credsStore": "here" }));
    push().environment("PATH", Path::new(&path)).run().digest();
    script(&helper, &format!("read address; echo 'failed with {PASSWORD}'; exit 1"));
    push().environment("PATH", Path::new(&path)).run().refuses("docker-credential-here has failed");
    script(&helper, "read address; echo 'credentials not found in native keychain'; exit 1");
    push().environment("PATH", Path::new(&path)).run().refuses("docker login");
}

#[test]
fn what_a_login_has_left_is_exchanged_for_a_token() {
    let registry = Registry::start(Login::Token).unwrap();
    let home = TempDir::new("docker").unwrap();
    let left = json!({ "identitytoken": format!("refresh-{PASSWORD}") });
    home.write("config.json", json!({ "auths": { registry.address().to_string(): left } }).to_string())
        .unwrap();
    Pack::to(&registry, &[]).environment("DOCKER_CONFIG", home.path()).run().digest();
}

#[test]
fn no_password_goes_over_plain_http() {
    let registry = Registry::start(Login::PlainToken).unwrap();
    let login = ["--username", NAME, "--password-stdin"];
    Pack::to(&registry, &login).input(PASSWORD).run().refuses("a server of tokens without TLS");
    let place = place(&registry);
    let plain = [&["--push", place.as_str(), "--insecure"], &login[..]].concat();
    Pack::of(&plain).input(PASSWORD).run().refuses("--insecure");
    // Nor one of Docker's configuration, which is not even read.
    let open = Registry::start(Login::Nobody).unwrap();
    let home = TempDir::new("docker").unwrap();
    let auth = json!({ "auth": base64(&format!("{NAME}:{PASSWORD}")) });
    home.write("config.json", json!({ "auths": { open.address().to_string(): auth } }).to_string()).unwrap();
    let place = super::place(&open);
    Pack::of(&["--push", &place, "--insecure"]).environment("DOCKER_CONFIG", home.path()).run().digest();
    assert!(!open.log().unwrap().contains("authorization"));
}

/// Two servers. One wants a password and points to the other, which writes down what it is told.
const REDIRECTS: &str = include_str!("redirects.py");

#[test]
fn no_password_goes_where_an_answer_points_to() {
    let registry = Registry::start(Login::Password).unwrap();
    let certificates = registry.authority();
    let folder = certificates.parent().unwrap();
    let mut command = Command::new("python3");
    command.args(["-c", REDIRECTS]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut servers = command.spawn().unwrap();
    let mut output = BufReader::new(servers.stdout.take().unwrap());
    let mut address = String::new();
    output.read_line(&mut address).unwrap();
    let place = format!("{}/{REPOSITORY}:{TAG}", address.trim());
    let authority = certificates.display().to_string();
    let arguments = ["--push", &place, "--ca", &authority, "--username", NAME, "--password-stdin"];
    Pack::of(&arguments).input(PASSWORD).run().refuses("other bytes");
    drop(servers.stdin.take());
    servers.wait().unwrap();
    let seen = fs::read_to_string(folder.join("seen")).unwrap();
    let (told, other): (Vec<&str>, Vec<&str>) = seen.lines().partition(|line| line.starts_with("own "));
    assert!(told.iter().any(|line| line.contains("Basic ")), "{seen}");
    assert!(other.iter().any(|line| line.contains("PUT")) && other.len() >= 2, "{seen}");
    assert!(other.iter().all(|line| line.ends_with(" None")), "{seen}");
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let registry = Registry::start(Login::Password).unwrap();
    let place = place(&registry);
    let login = ["--push", &place, "--username", NAME, "--password-stdin"];
    Pack::of(&login).input(PASSWORD).run().refuses("--ca");
    assert!(!registry.log().unwrap().contains("/v2/"));
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn base64(text: &str) -> String {
    let mut child =
        Command::new("base64").arg("-w0").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), text.as_bytes()).unwrap();
    drop(child.stdin.take());
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}
