//! Annotations of a GitHub workflow (`::error file=…::`).

use crate::escape;
use crate::lint::Checked;

pub(super) fn report(checked: &[Checked]) -> String {
    let mut text = String::new();
    for (source, [(line, column), _], finding) in super::json::placed(checked) {
        text.push_str(&format!(
            "::{} file={},line={line},col={column},title={}::{}%0Ahelp: {}\n",
            super::json::level(finding.level),
            property(&source.path),
            finding.code,
            data(&finding.message),
            data(&finding.help),
        ));
    }
    text
}

/// An annotation of one line of a file.
pub(super) fn error(path: &str, line: usize, title: &str, message: &str) -> String {
    format!("::error file={},line={line},title={}::{}\n", property(path), property(title), data(message))
}

/// Escapes as the runner's toolkit does; line ends and other controls are escaped already.
fn data(text: &str) -> String {
    escape::line(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
