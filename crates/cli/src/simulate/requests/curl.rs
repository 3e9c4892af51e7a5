//! Command lines of curl, one after the other, as browsers and documents have them.

mod said;

use std::io::BufRead;

use narrows_cases::bytes::escape;
use narrows_cases::{Fault, Send};

use super::sink::{Sink, Stopped, each_line};
use crate::source::WHOLE;
use said::Said;

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
    let mut said = Said::default();
    while let Some(word) = words.next() {
        let (option, joined) = divided(&word);
        let mut value = || joined.clone().or_else(|| words.next()).ok_or(format!("{option} has no value"));
        match option {
            "-X" | "--request" => said.method = Some(value()?),
            "-H" | "--header" => said.lines.push(value()?),
            "-A" | "--user-agent" => said.agent = Some(value()?),
            "-e" | "--referer" => said.referer = Some(value()?),
            "-b" | "--cookie" => said.cookie(value()?)?,
            "--url" => said.url(value()?)?,
            "-I" | "--head" => said.head = true,
            "-G" | "--get" => said.in_query = true,
            _ if BODY.contains(&option) => said.data(option, &value()?)?,
            _ if SILENT.contains(&option) => {}
            _ if SILENT_WITH_VALUE.contains(&option) => drop(value()?),
            _ if option.starts_with('-') => {
                return Err(format!("the option {option:?} is not read here: say what it sends as a header"));
            }
            _ => said.url(word)?,
        }
    }
    said.request()
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
