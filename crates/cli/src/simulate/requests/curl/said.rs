//! What the options of one command say together, and the request that curl makes of it.

use narrows_cases::Send;

use super::header_lines;
use crate::simulate::requests::url::sent_to;

/// What a command says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) method: Option<String>,
    /// The values of `-H`.
    pub(super) lines: Vec<String>,
    pub(super) agent: Option<String>,
    pub(super) referer: Option<String>,
    /// Whether only the head of the answer is wanted.
    pub(super) head: bool,
    /// Whether data are sent in the query.
    pub(super) in_query: bool,
    url: Option<String>,
    cookies: Vec<String>,
    /// The data, if any are given; they may be empty.
    data: Option<String>,
    is_json: bool,
}

impl Said {
    pub(super) fn url(&mut self, url: String) -> Result<(), String> {
        match self.url.replace(url) {
            None => Ok(()),
            Some(_) => Err("there are two URLs: write two commands".to_owned()),
        }
    }

    pub(super) fn cookie(&mut self, value: String) -> Result<(), String> {
        if !value.contains('=') {
            return Err(format!("the file of cookies {value:?} is not read here: write -b 'name=value'"));
        }
        self.cookies.push(value);
        Ok(())
    }

    /// Adds the value of an option for data, which begins with `@` if it names a file.
    pub(super) fn data(&mut self, option: &str, value: &str) -> Result<(), String> {
        let of_file =
            |file: &str| format!("the file {file:?} is not read here: write its text behind {option}");
        let text = match option {
            "--data-raw" => value.to_owned(),
            "--data-urlencode" => match (value.split_once('='), value.split_once('@')) {
                (Some(("", text)), _) => encoded(text),
                (Some((name, text)), _) => format!("{name}={}", encoded(text)),
                (None, Some((_, file))) => return Err(of_file(file)),
                (None, None) => encoded(value),
            },
            _ => match value.strip_prefix('@') {
                Some(file) => return Err(of_file(file)),
                None => value.to_owned(),
            },
        };
        let is_json = option == "--json";
        self.is_json |= is_json;
        match &mut self.data {
            None => self.data = Some(text),
            Some(data) => {
                // Pieces of JSON are put together as they are.
                data.push_str(if is_json { "" } else { "&" });
                data.push_str(&text);
            }
        }
        Ok(())
    }

    pub(super) fn request(self) -> Result<Send, String> {
        let posts = self.data.is_some() && !self.in_query;
        if posts && self.head {
            return Err("-I asks for a HEAD and data are a POST: leave one of them out".to_owned());
        }
        let lines = self.header_lines(posts)?;
        let mut send = sent_to(&self.url.ok_or("there is no URL")?)?;
        let method = match (self.head, posts) {
            (true, _) => "HEAD",
            (false, true) => "POST",
            (false, false) => "GET",
        };
        send.method = self.method.unwrap_or_else(|| method.to_owned());
        match self.data {
            Some(data) if posts => send.body = data,
            Some(data) if !data.is_empty() => {
                send.target.push(if send.target.contains('?') { '&' } else { '?' });
                send.target.push_str(&data);
            }
            _ => {}
        }
        header_lines(send, lines)
    }

    /// The header lines: those of other options first, unless `-H` has one of that name. `-H 'name:'` takes
    /// one away and sends none, and `-H 'name;'` sends an empty one.
    fn header_lines(&self, posts: bool) -> Result<Vec<String>, String> {
        let json = self.is_json.then_some("application/json");
        let form = posts.then_some("application/x-www-form-urlencoded");
        let cookies = self.cookies.join(";");
        let referer = self.referer.as_deref().and_then(|referer| referer.split(";auto").next());
        let length = self.data.as_ref().filter(|_| posts).map(|data| data.len().to_string());
        let own = [
            ("user-agent", self.agent.as_deref()),
            ("referer", referer),
            ("cookie", Some(&*cookies)),
            ("content-type", json.or(form)),
            ("accept", json),
            ("content-length", length.as_deref()),
        ];
        let mut given = Vec::new();
        for line in &self.lines {
            given.push(divided(line)?);
        }
        let is_chunked = given.iter().any(|(name, value)| {
            let is_coding = |value: &str| value.to_ascii_lowercase().contains("chunked");
            name.eq_ignore_ascii_case("transfer-encoding") && value.is_some_and(is_coding)
        });
        let is_given = |name: &str| {
            let is_told = given.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
            // In chunks, the length is not told.
            is_told || is_chunked && name == "content-length"
        };
        let own = own.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let own = own.filter(|(name, value)| !value.is_empty() && !is_given(name));
        let mut lines: Vec<String> = own.map(|(name, value)| format!("{name}: {value}")).collect();
        let mut has_host = false;
        for (name, value) in &given {
            // The first host is sent, though it is empty, and no other.
            let is_host = name.eq_ignore_ascii_case("host");
            if !(is_host && has_host) {
                let value = value.or_else(|| is_host.then_some(""));
                lines.extend(value.map(|value| format!("{name}:{value}")));
            }
            has_host |= is_host;
        }
        Ok(lines)
    }
}

/// The name of a value of `-H`, and what is sent: nothing at all for `name:`.
fn divided(line: &str) -> Result<(&str, Option<&str>), String> {
    match (line.split_once(':'), line.split_once(';')) {
        (Some((name, value)), _) if value.trim().is_empty() => Ok((name, None)),
        (Some((name, value)), _) => Ok((name, Some(value))),
        (None, Some((name, rest))) if rest.trim().is_empty() => Ok((name, Some(""))),
        (None, _) => Err(format!("{line:?} is not a header line: write \"name: value\"")),
    }
}

/// A text as a form has it.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
