//! What sets a finding right where there is one way to do it, and nobody has to think which.
//!
//! A misspelt name with one known name near it, a text without its quotes, a number within quotes, a word
//! in other letter case, a comment that accepts nothing. What would change how traffic flows is left to
//! people.

use std::ops::Range;

use crate::edit::Edit;
use crate::finding::Finding;

/// The change that sets a finding right, if it is certain. Whoever makes it checks the file again.
pub fn of(text: &str, finding: &Finding) -> Option<Edit> {
    let written = text.get(finding.at.clone())?;
    match finding.code.id {
        "NRW101" => name(finding, written),
        "NRW102" | "NRW603" if finding.message.starts_with("expected ") => value_type(finding, written),
        "NRW108" => other_case(finding, written, meant(&finding.help)?.as_slice()),
        "NRW602" => match meant(&finding.help) {
            Some(meant) => other_case(finding, written, &meant),
            None => other_case(finding, written, &known(&finding.help)?),
        },
        "NRW603" | "NRW662" => other_case(finding, written, &words(&finding.help)?),
        "NRW631" if finding.help == "take the comment away" => {
            Some(Edit { at: comment(text, &finding.at), text: String::new() })
        }
        _ => None,
    }
}

/// An unknown field with one known name near it.
fn name(finding: &Finding, written: &str) -> Option<Edit> {
    let [meant] = meant(&finding.help)?;
    let misspelt = quoted(finding.message.strip_prefix("unknown field ")?)?;
    replaced(finding, written, misspelt, meant)
}

/// Where a text is expected, what is written is put into quotes; where a number is, it is taken out.
fn value_type(finding: &Finding, written: &str) -> Option<Edit> {
    let (expected, found) = finding.message.strip_prefix("expected ")?.split_once(", found ")?;
    let is_plain =
        !written.is_empty() && written.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._:".contains(&b));
    let text = match (expected, found) {
        ("a string" | "a string that is not empty", "a boolean" | "an integer" | "a fraction")
            if is_plain =>
        {
            format!("\"{written}\"")
        }
        (expected, "a string") if expected.starts_with("an integer") => {
            let digits = unquoted(written);
            let is_number = digits.len() < 16
                && digits.bytes().all(|b| b.is_ascii_digit())
                && (digits == "0" || !digits.starts_with('0'));
            (digits != written && is_number && !digits.is_empty()).then(|| digits.to_owned())?
        }
        ("true or false", "a string")
            if ["\"true\"", "\"false\"", "'true'", "'false'"].contains(&written) =>
        {
            unquoted(written).to_owned()
        }
        _ => return None,
    };
    Some(Edit { at: finding.at.clone(), text })
}

/// The one of these words that differs from what is written in letter case alone.
fn other_case(finding: &Finding, written: &str, known: &[&str]) -> Option<Edit> {
    let bare = unquoted(written);
    let mut same = known.iter().filter(|word| word.eq_ignore_ascii_case(bare));
    let (one, None) = (same.next()?, same.next()) else { return None };
    replaced(finding, written, bare, one)
}

/// Puts one word in the place of another, within the quotes if there are some.
fn replaced(finding: &Finding, written: &str, word: &str, other: &str) -> Option<Edit> {
    // A name with escapes in it is not what it looks like.
    (unquoted(written) == word && !word.contains('\\')).then_some(())?;
    let start = finding.at.start + usize::from(unquoted(written).len() < written.len());
    Some(Edit { at: start..start + word.len(), text: other.to_owned() })
}

/// The one name that a help text suggests.
fn meant(help: &str) -> Option<[&str; 1]> {
    let name = quoted(help.strip_prefix("did you mean ")?.strip_suffix('?')?)?;
    Some([name])
}

/// The names that a help text lists.
fn known(help: &str) -> Option<Vec<&str>> {
    Some(help.strip_prefix("known here: ")?.split(", ").collect())
}

/// The words that a help text offers.
fn words(help: &str) -> Option<Vec<&str>> {
    Some(help.strip_prefix("write ")?.split(" or ").collect())
}

/// What is within the quotes, if that is all of it.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\']))
}

fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// A comment with the blanks before it; with its line, if nothing else stands there.
fn comment(text: &str, at: &Range<usize>) -> Range<usize> {
    let before = text.get(..at.start).unwrap_or_default();
    let said = before.trim_end_matches([' ', '\t']);
    let is_own_line = said.is_empty() || said.ends_with('\n');
    let end = text.get(at.end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |line| at.end + line);
    if is_own_line { said.len()..(end + 1).min(text.len()) } else { said.len()..end }
}

#[cfg(test)]
mod tests {
    use crate::edit;
    use crate::lint::{Options, check};
    use crate::source::SourceFile;

    /// The text with everything set right that can be.
    fn fixed(text: &str) -> String {
        let source = SourceFile { path: String::new(), text: text.to_owned() };
        let checked = check(source, &Options::default());
        let edits = checked.findings.iter().filter_map(|finding| super::of(text, finding)).collect();
        edit::apply(text, edits)
    }

    #[test]
    fn what_is_certain_is_set_right() {
        for (text, expected) in [
            ("filter: header-router\nruels: [] # all\n", "filter: header-router\nrules: [] # all\n"),
            ("filter: header-router\n\"ruels\": []\n", "filter: header-router\n\"rules\": []\n"),
            ("filter: header-router\nmode: off\n", "filter: header-router\nmode: \"off\"\n"),
            ("filter: header-router\nmode: Report\n", "filter: header-router\nmode: report\n"),
            (
                "{\"filter\":\"header-router\",\"mode\":\"REPORT\"}",
                "{\"filter\":\"header-router\",\"mode\":\"report\"}",
            ),
            (
                "filter: header-router\nrules: [{ name: a, respond: { status: \"404\" } }]\n",
                "filter: header-router\nrules: [{ name: a, respond: { status: 404 } }]\n",
            ),
            (
                "# narrows: ignore-file NRW632 gone\nfilter: header-router\nmode: report # narrows: ignore NRW101 gone\n",
                "filter: header-router\nmode: report\n",
            ),
        ] {
            assert_eq!(fixed(text), expected);
        }
    }

    #[test]
    fn what_is_not_certain_stays() {
        for text in [
            // Nothing is near, or the opposite is.
            "filter: header-router\nbanana: []\n",
            "filter: egress-policy\nrules: [{ name: a, action: deny, from: { notWorkloads: [a] } }]\n",
            // Readers disagree on what it is.
            "filter: header-router\nrules: [{ name: a, respond: { status: \"0404\" } }]\n",
            // Another word, and not another letter case.
            "filter: header-router\nmode: enforced\n",
            // Which weight is meant, only the author knows.
            "filter: canary-split\nsplits: [{ name: a, hosts: [a], backends: [{ name: b, to: c, weight: 101 }] }]\n",
        ] {
            assert_eq!(fixed(text), text);
        }
    }
}
