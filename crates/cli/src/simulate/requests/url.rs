//! Where a URL leads.

use narrows_cases::Send;

/// A `GET` of a URL, as a browser or curl sends it.
///
/// # Errors
/// What is wrong with the URL.
pub fn sent_to(url: &str) -> Result<Send, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = match &*scheme.to_ascii_lowercase() {
        // A WebSocket begins as a request of HTTP.
        "ws" => "http".to_owned(),
        "wss" => "https".to_owned(),
        other => other.to_owned(),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.is_empty() {
        return Err(format!("{url:?} names no host: write it as \"http://host/path\""));
    }
    if authority.contains('@') {
        return Err(format!("{url:?} has a password: write it as a header \"authorization\""));
    }
    // What follows a `#` stays with the client.
    let path = path.split('#').next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let send =
        Send { scheme, authority: authority.to_owned(), target: format!("{slash}{path}"), ..Send::default() };
    send.check().map(|()| send)
}

/// Whether a URL leads to no server of HTTP, such as `data:…` or `chrome-extension://…`.
pub(super) fn is_foreign(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    let is_known = ["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    // "localhost:8080" has a port and no scheme.
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.starts_with(|c: char| c.is_ascii_digit());
    is_scheme && !is_known
}
