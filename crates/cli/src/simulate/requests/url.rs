//! Where a URL leads.

use narrows_cases::Send;

/// A `GET` of a URL, as a browser or curl sends it.
///
/// # Errors
/// What is wrong with the URL.
pub fn sent_to(url: &str) -> Result<Send, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let scheme = scheme.to_ascii_lowercase();
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
