//! For people, in the shape of rustc's messages.

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};

use narrows_core::limits::{REGEX_WORK, WEIGHT};

use super::Screen;
use crate::escape;
use crate::finding::{Finding, Level};
use crate::lint::Checked;
use crate::source::Lines;

pub(super) fn report(checked: &[Checked], screen: Screen) -> String {
    let mut text = findings(checked, screen);
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(checked));
    text
}

/// The findings, with a blank line between two.
pub(super) fn findings(checked: &[Checked], screen: Screen) -> String {
    let renderer = if screen.colour { Renderer::styled() } else { Renderer::plain() };
    // A narrower one would show nothing of the line.
    let renderer = renderer.term_width(screen.width.map_or(140, |width| width.max(60)));
    let mut told = Vec::new();
    for Checked { source, findings, .. } in checked {
        let (path, lines) = (escape::line(&source.path), source.lines());
        for finding in findings {
            told.push(renderer.render(&[group(&path, &lines, finding)]) + "\n");
        }
    }
    told.join("\n")
}

/// A finding with the line that it is on, and no other part of the file: a file may have thousands of
/// lines.
fn group<'a>(path: &'a str, lines: &Lines<'a>, finding: &'a Finding) -> Group<'a> {
    let level = match finding.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let (number, line) = lines.line_at(finding.at.start);
    let text = lines.text(&line);
    let span = visible(text, line.start, finding);
    let is_tab = text.get(span.clone()) == Some("\t");
    let mut marked = AnnotationKind::Primary.span(span);
    if is_tab {
        // It looks like blanks.
        marked = marked.label("a tab");
    } else if !finding.place.is_empty() {
        marked = marked.label(escape::line(&finding.place));
    }
    let title = level.primary_title(escape::line(&finding.message)).id(finding.code.id);
    let snippet = Snippet::source(text).line_start(number).path(path).fold(true).annotation(marked);
    title.element(snippet).element(Shown::HELP.message(escape::line(&finding.help)))
}

/// The part of a line that can be underlined from there: at least one byte, and at most the rest of the
/// line.
fn visible(line: &str, begins: usize, finding: &Finding) -> std::ops::Range<usize> {
    let start = line.floor_char_boundary(finding.at.start.saturating_sub(begins).min(line.len()));
    let next = line[start..].chars().next().map_or(0, char::len_utf8);
    start..line.ceil_char_boundary(finding.at.end.saturating_sub(begins).clamp(start + next, line.len()))
}

fn summary(checked: &[Checked]) -> String {
    let count = |n: usize, what: &str, many: &str| format!("{n} {}", if n == 1 { what } else { many });
    let of_level = |level| checked.iter().flat_map(|c| &c.findings).filter(|f| f.level == level).count();
    let sum = |of: fn(&Checked) -> usize| checked.iter().map(of).sum();
    let heaviest = checked.iter().map(Checked::heaviest).max().unwrap_or_default();
    let dearest = checked.iter().map(Checked::dearest).max().unwrap_or_default();
    // Most policies have a weight that does not matter.
    let mut weight = String::new();
    if heaviest >= 1 << 20 {
        let (heaviest, most) = (heaviest >> 10, WEIGHT >> 10);
        weight =
            format!("the heaviest policy weighs {heaviest} KiB in every worker, of {most} that it may\n");
    }
    if dearest >= REGEX_WORK / 10 {
        let share = dearest * 100 / REGEX_WORK;
        weight +=
            &format!("the dearest policy uses {share} % of what expressions may cost for one long value\n");
    }
    let accepted = sum(|c| c.accepted);
    let accepted = if accepted == 0 { String::new() } else { format!("; {accepted} accepted by comments") };
    format!(
        "{} and {} in {}: {}, {}{accepted}\n{weight}",
        count(of_level(Level::Error), "error", "errors"),
        count(of_level(Level::Warning), "warning", "warnings"),
        count(checked.len(), "file", "files"),
        count(sum(|c| c.policies), "policy", "policies"),
        count(sum(|c| c.manifests), "manifest", "manifests"),
    )
}
