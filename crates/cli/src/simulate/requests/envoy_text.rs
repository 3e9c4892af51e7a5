//! Envoy's access log as text: its own default format, and Istio's.

use narrows_cases::bytes::escape;
use narrows_cases::{Send, Source};

use super::sink::{Sink, Stopped};

/// Reads one line. A line of another kind is counted and passed over: a proxy's log has both.
pub(super) fn line(line: &str, number: u64, sink: &mut Sink<'_>) -> Result<(), Stopped> {
    if let Some(send) = request(line) {
        return sink.send(&send);
    }
    sink.skip(number);
    Ok(())
}

/// Which words are in quotes behind the first: in Envoy's own format, and in Istio's.
const LAYOUTS: [&str; 2] = ["------\"\"\"\"\"", "----\"----\"\"\"\"\"------"];

fn request(line: &str) -> Option<Send> {
    let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
    time.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
    let words = words(rest)?;
    let (start, rest) = words.split_first()?;
    // A client may write quotes and blanks into what it sends. That only adds words, so a line that has
    // exactly the words of its format has them where they belong.
    let layout: String = rest.iter().map(|word| if word.quoted { '"' } else { '-' }).collect();
    LAYOUTS.contains(&&*layout).then_some(())?;
    let quoted: Vec<&str> = rest.iter().filter(|word| word.quoted).map(|word| word.text).collect();
    let [forwarded, agent, id, authority, _upstream] = match *quoted.as_slice() {
        [forwarded, agent, id, authority, upstream] => [forwarded, agent, id, authority, upstream],
        [_failure, forwarded, agent, id, authority, upstream] => [forwarded, agent, id, authority, upstream],
        _ => return None,
    };
    let plain: Vec<&str> = rest.iter().filter(|word| !word.quoted).map(|word| word.text).collect();
    plain.first()?.parse::<u16>().ok()?;
    let mut parts = start.text.splitn(2, ' ');
    let (method, rest) = (parts.next()?, parts.next()?);
    let (target, protocol) = rest.rsplit_once(' ')?;
    let mut send = Send {
        method: method.to_owned(),
        target: target.to_owned(),
        authority: authority.to_owned(),
        ..Send::default()
    };
    if protocol.starts_with("HTTP/2") || protocol.starts_with("HTTP/3") {
        send.protocol = narrows_cases::Protocol::Http2;
    }
    for (name, value) in [("x-forwarded-for", forwarded), ("user-agent", agent), ("x-request-id", id)] {
        if value != "-" {
            send.headers.push(format!("{name}: {}", escape(value.as_bytes())));
        }
    }
    // Istio's, where they are at the end: … upstream, local, downstream local, downstream remote, SNI, route.
    if let [.., _local, _downstream, remote, server_name, _route] = plain.as_slice()
        && quoted.len() == 6
    {
        send.source.address = Some((*remote).to_owned()).filter(|address| Source::is_address(address));
        send.server_name = Some((*server_name).to_owned()).filter(|name| name != "-");
    }
    let is_known = authority != "-" && method != "-";
    (is_known && send.check().is_ok()).then_some(send)
}

struct Word<'l> {
    text: &'l str,
    quoted: bool,
}

/// The words of a line, and what is in quotes. A quote inside a value ends it, for Envoy does not escape
/// it: then the words are too many, and nothing is believed.
fn words(mut rest: &str) -> Option<Vec<Word<'_>>> {
    let mut words = Vec::new();
    while !rest.is_empty() {
        let inside = rest.strip_prefix('"');
        let (text, after) = match inside {
            Some(inside) => inside.split_once('"')?,
            None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        rest = after;
        words.push(Word { text, quoted: inside.is_some() });
        if !rest.is_empty() {
            rest = rest.strip_prefix(' ')?;
        }
    }
    Some(words)
}
