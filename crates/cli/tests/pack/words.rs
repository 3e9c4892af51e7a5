//! What a registry writes stays with it: no message has its words, or moves a cursor. Only the code of a
//! fault is shown.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::{Pack, REPOSITORY, TAG};

/// What looks like a secret. It is good as a host and as a code too.
const SECRET: &str = "hunter2-of-the-server";
/// What clears a screen, and what turns a text around.
const MOVES: &str = "\u{1b}[2J\u{202e}";

/// A request: its method, its path, and the address where it came in.
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    own: &'a str,
}

/// What a registry answers.
type Answers = fn(&Asked<'_>) -> String;

fn answer(status: &str, header: &str, body: &str) -> String {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

/// An error, as the distribution specification has it.
fn fault(code: &str) -> String {
    let body =
        format!(r#"{{"errors":[{{"code":"{code}","message":"{SECRET}\u001b[2J","detail":"{SECRET}"}}]}}"#);
    answer("403 Forbidden", "", &body)
}

/// A good registry up to here, which then answers like this.
fn good(asked: &Asked<'_>, then: &str) -> String {
    let put = format!("location: http://{}/put", asked.own);
    match (asked.method, asked.path) {
        ("HEAD", _) => answer("404 Not Found", "", ""),
        ("POST", _) => answer("202 Accepted", &put, ""),
        ("PUT", _) => answer("201 Created", "", ""),
        _ => then.to_owned(),
    }
}

/// A registry that wants a token, whose server answers like this.
fn tokens(asked: &Asked<'_>, then: &str) -> String {
    if asked.path.starts_with("/token") {
        return then.to_owned();
    }
    let realm = format!("http://{}/token/{SECRET}", asked.own);
    let wants =
        format!(r#"www-authenticate: Bearer realm="{realm}",service="{SECRET}",scope="{SECRET}:pull""#);
    answer(&format!("401 {SECRET}"), &wants, SECRET)
}

/// What registries answer, each with a part of the message that says what is wrong.
const ANSWERS: [(Answers, &str); 15] = [
    (|_| fault("DENIED"), "answers 403 (DENIED) to a push"),
    (|_| fault(SECRET), "answers 403 to a push"),
    (|_| fault(&format!("DENIED {MOVES}")), "answers 403 to a push"),
    (|_| answer(&format!("500 {SECRET}"), &format!("x: {SECRET}"), &[SECRET, MOVES].concat()), "answers 500"),
    (|_| answer("401 No", &format!("www-authenticate: Basic realm=\"{SECRET}\""), SECRET), "answers 401"),
    (|_| answer("401 No", &format!("www-authenticate: {SECRET} realm=\"{SECRET}\""), SECRET), "answers 401"),
    (
        |_| answer("401 No", &format!("www-authenticate: Bearer realm=\"{SECRET}\""), SECRET),
        "a server of tokens without TLS",
    ),
    (|asked| tokens(asked, &fault("DENIED")), "answers 403 and gives no token"),
    (
        |asked| tokens(asked, &answer("200 OK", "", &format!(r#"{{"token":"{SECRET}\u001b[2J"}}"#))),
        "answers 200 and gives no token",
    ),
    (
        |asked| match asked.method {
            "POST" => answer("202 Accepted", &format!("location: {SECRET} {SECRET}"), ""),
            _ => good(asked, ""),
        },
        "names a place that cannot be asked",
    ),
    (
        |asked| match asked.method {
            "POST" => answer("202 Accepted", "location: hunter2-scheme://127.0.0.1:1/x", ""),
            _ => good(asked, ""),
        },
        "cannot reach 127.0.0.1:1",
    ),
    (
        |asked| answer("307 There", &format!("location: http://{}/{SECRET}", asked.own), SECRET),
        "answers 307 to a push",
    ),
    (|asked| good(asked, &answer("200 OK", "", &[SECRET, MOVES].concat())), "other bytes than were pushed"),
    (|_| format!("{SECRET}{MOVES}\r\n\r\n"), "cannot reach 127.0.0.1"),
    (|_| answer("200 OK", &format!("{SECRET}{MOVES}: {MOVES}{SECRET}"), ""), "cannot reach 127.0.0.1"),
];

#[test]
fn no_message_has_what_a_server_has_written() {
    for (number, (answers, says)) in ANSWERS.into_iter().enumerate() {
        let place = format!("{}/{REPOSITORY}:{TAG}", registry(answers));
        let ended = Pack::of(&["--push", &place, "--insecure"]).run();
        ended.refuses(says);
        for written in [SECRET, "hunter2", "\u{1b}", "u{1b}", "\u{202e}", "u{202e}", "[2J"] {
            assert!(!ended.errors.contains(written), "{number}: {written:?} in {:?}", ended.errors);
        }
    }
}

/// A code is at most forty capitals and underscores; what is longer is not cut but left out.
#[test]
fn a_code_is_short_and_in_capitals() {
    const LONGEST: &str = "DENIED_BUT_FOR_A_REASON_THAT_IS_LONG_OK_";
    let shown = |code: Answers| {
        let place = format!("{}/{REPOSITORY}:{TAG}", registry(code));
        Pack::of(&["--push", &place, "--insecure"]).run().errors
    };
    assert_eq!(LONGEST.len(), 40);
    assert!(shown(|_| fault(LONGEST)).contains(&format!("answers 403 ({LONGEST}) to a push")));
    assert!(!shown(|_| fault(&format!("{LONGEST}X"))).contains("DENIED"));
    assert!(!shown(|_| fault("DENIED1")).contains("DENIED"));
}

/// Starts a registry, and returns its address.
fn registry(answers: Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().to_string();
    let address = own.clone();
    // It ends with the test.
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &own, answers)));
    address
}

/// Answers one request.
fn serve(mut stream: TcpStream, own: &str, answers: Answers) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    _ = lines.read_line(&mut first);
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap_or_default() <= 2 {
            break;
        }
        let line = line.to_ascii_lowercase();
        let said = line.strip_prefix("content-length:").and_then(|said| said.trim().parse().ok());
        length = said.unwrap_or(length);
    }
    let mut body = vec![0; length];
    _ = lines.read_exact(&mut body);
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    _ = stream.write_all(answers(&Asked { method, path, own }).as_bytes());
}
