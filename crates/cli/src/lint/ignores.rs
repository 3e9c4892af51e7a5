//! `# narrows: ignore CODE reason`: a finding that somebody has looked at and accepts.

use std::cell::LazyCell;
use std::ops::Range;

use super::options::Options;
use super::rules::IDLE_IGNORE;
use crate::code::{READING, policy};
use crate::finding::Finding;
use crate::source::{Lines, SourceFile};

/// What begins such a comment.
const MARK: &str = "narrows: ignore";

/// A comment that accepts findings.
struct Ignore {
    /// The comment.
    at: Range<usize>,
    /// The line that it is for; none is the whole file.
    line: Option<usize>,
    codes: Vec<String>,
    has_reason: bool,
    used: bool,
}

/// Takes out the findings that a comment accepts and those that the options leave out, and adds the
/// comments that accept nothing. Returns how many were taken out by comments.
pub(super) fn apply(source: &SourceFile, options: &Options, findings: &mut Vec<Finding>) -> usize {
    let lines = source.lines();
    let mut ignores = if source.is_json() { Vec::new() } else { read(&source.text, &lines) };
    let before = findings.len();
    if !ignores.is_empty() {
        findings.retain(|finding| {
            let (line, _) = lines.line_at(finding.at.start);
            let accepts = |ignore: &&mut Ignore| {
                ignore.has_reason
                    && ignore.line.is_none_or(|of| of == line)
                    && ignore.codes.iter().any(|code| code == finding.code.id)
            };
            let accepted = ignores.iter_mut().find(accepts);
            accepted.map(|ignore| ignore.used = true).is_none()
        });
    }
    let accepted = before - findings.len();
    findings.extend(ignores.iter().filter(|ignore| !ignore.used).map(idle));
    findings.retain(|finding| options.reports(finding.code.id, &source.path));
    accepted
}

fn idle(ignore: &Ignore) -> Finding {
    let is_known = |id: &&String| {
        let mut policies = policy::ALL.iter().map(|fault| policy::of(*fault));
        policies.any(|code| code.id == **id)
            || READING.iter().any(|code| code.id == **id)
            || super::codes().any(|code| code.id == **id)
    };
    let (message, help) = match ignore.codes.iter().find(|code| !is_known(code)) {
        Some(code) => (format!("{code:?} is no code"), "write # narrows: ignore NRW614 the reason"),
        None if ignore.codes.is_empty() => {
            ("this accepts no code".to_owned(), "write # narrows: ignore NRW614 the reason")
        }
        None if !ignore.has_reason => {
            ("this gives no reason, and accepts nothing".to_owned(), "say behind the code why it is accepted")
        }
        None => {
            (format!("there is no {} to accept here", ignore.codes.join(" or ")), "take the comment away")
        }
    };
    Finding::warning(IDLE_IGNORE, &ignore.at, "", &message, help)
}

fn read(text: &str, lines: &Lines<'_>) -> Vec<Ignore> {
    let mut found = Vec::new();
    // Found once for all comments of the file, and only if there are any.
    let speaking = LazyCell::new(|| speaking(text));
    for (at, _) in text.match_indices(MARK) {
        let (number, line) = lines.line_at(at);
        let before = text.get(line.start..at).unwrap_or_default();
        // A comment begins a line, or stands behind a blank.
        let Some(comment) = before
            .trim_end()
            .strip_suffix('#')
            .filter(|rest| rest.is_empty() || rest.ends_with(char::is_whitespace))
        else {
            continue;
        };
        let rest = text.get(at..line.end).and_then(|rest| rest.strip_prefix(MARK)).unwrap_or_default();
        let (is_file, rest) = rest.strip_prefix("-file").map_or((false, rest), |rest| (true, rest));
        let mut words = rest.split_whitespace().peekable();
        let mut codes = Vec::new();
        // Codes stand first, with or without commas.
        while let Some(word) = words.next_if(|word| word.starts_with("NRW") || codes.is_empty()) {
            codes.extend(word.split(',').filter(|code| !code.is_empty()).map(str::to_owned));
        }
        let is_own_line = comment.trim().is_empty();
        let start = line.start + comment.len();
        found.push(Ignore {
            at: start..line.end,
            line: (!is_file).then(|| if is_own_line { next_line(&speaking, number) } else { number }),
            has_reason: words.next().is_some(),
            codes,
            used: false,
        });
    }
    found
}

/// The numbers of the lines that are neither blank nor a comment, from 1, and of the end.
fn speaking(text: &str) -> Vec<usize> {
    let says = |line: &str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let lines = text.lines().enumerate();
    let mut all: Vec<usize> = lines.filter(|(_, line)| says(line)).map(|(index, _)| index + 1).collect();
    all.push(text.lines().count() + 1);
    all
}

/// The number of the next line that is neither blank nor a comment.
fn next_line(speaking: &[usize], number: usize) -> usize {
    let next = speaking.partition_point(|line| *line <= number);
    speaking.get(next).copied().unwrap_or(number + 1)
}
