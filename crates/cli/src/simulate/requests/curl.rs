//! Command lines of curl, one after the other, as browsers and documents have them.

use std::io::BufRead;

use narrows_cases::bytes::escape;
use narrows_cases::{Fault, Send};

use super::sink::{Sink, Stopped, each_line};
use super::url::sent_to;
use crate::source::WHOLE;

/// Options that say nothing about the request that reaches a proxy.
const SILENT: &[&str] = &[
    "-s",
    "--silent",
    "-S",
    "--show-error",
    "-k",
    "--insecure",
    "-i",
    "--include",
    "-v",
    "--verbose",
    "-f",
    "--fail",
    "-N",
    "--no-buffer",
    "--compressed",
    "-L",
    "--location",
    "--http1.1",
    "-g",
    "--globoff",
    "--path-as-is",
    "-sS",
    "--no-progress-meter",
];
/// The same, with a value.
const SILENT_WITH_VALUE: &[&str] = &[
    "-o",
    "--output",
    "-w",
    "--write-out",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--cacert",
    "--resolve",
    "--connect-to",
    "--retry",
    "-x",
    "--proxy",
];
const BODY: &[&str] =
    &["-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "--json"];

pub(super) fn read(input: Box<dyn BufRead>, sink: &mut Sink<'_>) -> Result<(), Stopped> {
    let mut command = String::new();
    let mut first = 1;
    each_line(input, sink, &mut |line, number, sink| {
        if command.is_empty() && line.trim_start().starts_with('#') {
            return Ok(());
        }
        if command.is_empty() {
            first = number;
        }
        if u64::try_from(command.len()).is_ok_and(|length| length > WHOLE) {
            let message =
                format!("a command of more than {} MiB: a request is not decided in part", WHOLE >> 20);
            return Err(sink.faulty("", first, &Fault::at_start(message)));
        }
        let Some(begun) = line.strip_suffix('\\') else {
            command.push_str(line);
            let told = std::mem::take(&mut command);
            let send =
                request(&told).map_err(|message| sink.faulty(&told, first, &Fault::at_start(message)))?;
            return sink.send(&send);
        };
        command.push_str(begun);
        command.push(' ');
        Ok(())
    })?;
    if command.is_empty() {
        return Ok(());
    }
    Err(sink.faulty(&command, first, &Fault::at_start("this command goes on after the end of the file")))
}

fn request(command: &str) -> Result<Send, String> {
    if command.contains(" $'") {
        return Err("$'…' is a shell's own: write the text in plain quotes".to_owned());
    }
    let words = shlex::split(command).ok_or("a quote is not closed")?;
    let mut words = words.into_iter();
    if words.next().as_deref() != Some("curl") {
        return Err("this is no command of curl: begin it with \"curl \"".to_owned());
    }
    let (mut url, mut method, mut lines, mut body, mut head) = (None, None, Vec::new(), Vec::new(), false);
    let mut in_query = false;
    while let Some(word) = words.next() {
        let (option, joined) = divided(&word);
        let mut value = || joined.clone().or_else(|| words.next()).ok_or(format!("{option} has no value"));
        match option {
            "-X" | "--request" => method = Some(value()?),
            "-H" | "--header" => lines.push(value()?),
            "-A" | "--user-agent" => lines.push(format!("user-agent: {}", value()?)),
            "-e" | "--referer" => lines.push(format!("referer: {}", value()?)),
            "-b" | "--cookie" => lines.push(format!("cookie: {}", value()?)),
            "--url" => url = Some(value()?),
            "-I" | "--head" => head = true,
            "-G" | "--get" => in_query = true,
            _ if BODY.contains(&option) => {
                if option == "--json" {
                    lines.extend(
                        ["content-type: application/json", "accept: application/json"].map(str::to_owned),
                    );
                }
                body.push(value()?);
            }
            _ if SILENT.contains(&option) => {}
            _ if SILENT_WITH_VALUE.contains(&option) => drop(value()?),
            _ if option.starts_with('-') => {
                return Err(format!("the option {option:?} is not read here: say what it sends as a header"));
            }
            _ if url.is_some() => return Err("there are two URLs: write two commands".to_owned()),
            _ => url = Some(word),
        }
    }
    let mut send = sent_to(&url.ok_or("there is no URL")?)?;
    let body = body.join("&");
    if in_query && !body.is_empty() {
        send.target.push(if send.target.contains('?') { '&' } else { '?' });
        send.target.push_str(&body);
    }
    let posts = !body.is_empty() && !in_query;
    send.method = method.unwrap_or_else(|| {
        if head {
            "HEAD"
        } else if posts {
            "POST"
        } else {
            "GET"
        }
        .to_owned()
    });
    if posts {
        send.body = body;
    }
    header_lines(send, lines)
}

/// An option and the value that is written together with it: `-Hx: y`, `--header=x` is not curl's.
fn divided(word: &str) -> (&str, Option<String>) {
    let takes_value = |c: char| "XHAebdowmx".contains(c);
    let letter = word.strip_prefix('-').and_then(|rest| rest.chars().next());
    match (letter, word.split_at_checked(2)) {
        (Some(c), Some((option, value))) if takes_value(c) && !value.is_empty() => {
            (option, Some(value.to_owned()))
        }
        _ => (word, None),
    }
}

/// A request with header lines as curl takes them; `host` changes whom it is for.
///
/// # Errors
/// What is wrong with a line.
pub fn header_lines(mut send: Send, lines: Vec<String>) -> Result<Send, String> {
    for line in lines {
        match line.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("host") => {
                value.trim().clone_into(&mut send.authority);
            }
            Some(_) => send.headers.push(escape(line.as_bytes())),
            None => return Err(format!("{line:?} is not a header line: write \"name: value\"")),
        }
    }
    send.check().map(|()| send)
}
