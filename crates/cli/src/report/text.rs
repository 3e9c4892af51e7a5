//! For people, in the shape of rustc's messages.

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};

use narrows_core::limits::{REGEX_WORK, WEIGHT};

use crate::finding::{Finding, Level};
use crate::lint::Checked;
use crate::source::{Source, line_of};

pub(super) fn report(checked: &[Checked], colour: bool) -> String {
    let mut text = findings(checked, colour);
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(checked));
    text
}

/// The findings, with a blank line between two.
pub(super) fn findings(checked: &[Checked], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut told = Vec::new();
    for Checked { source, findings, .. } in checked {
        for finding in findings {
            told.push(renderer.render(&[group(source, finding)]) + "\n");
        }
    }
    told.join("\n")
}

fn group<'a>(source: &'a Source, finding: &'a Finding) -> Group<'a> {
    let level = match finding.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
    };
    let mut marked = AnnotationKind::Primary.span(visible(&source.text, finding));
    if !finding.place.is_empty() {
        marked = marked.label(&finding.place);
    }
    let title = level.primary_title(&finding.message).id(finding.code);
    let snippet = Snippet::source(&source.text).path(&source.path).fold(true).annotation(marked);
    title.element(snippet).element(Shown::HELP.message(&finding.help))
}

/// What can be underlined: something, on one line.
fn visible(text: &str, finding: &Finding) -> std::ops::Range<usize> {
    let line = line_of(text, finding.at.start);
    let start = finding.at.start.min(line.end);
    let next = text[start..].chars().next().map_or(0, char::len_utf8);
    start..finding.at.end.clamp((start + next).min(line.end), line.end.max(start))
}

fn summary(checked: &[Checked]) -> String {
    let count = |n: usize, what: &str, many: &str| format!("{n} {}", if n == 1 { what } else { many });
    let of_level = |level| checked.iter().flat_map(|c| &c.findings).filter(|f| f.level == level).count();
    let sum = |of: fn(&Checked) -> usize| checked.iter().map(of).sum();
    let heaviest = checked.iter().map(|c| c.weight.bytes).max().unwrap_or_default();
    let dearest = checked.iter().map(|c| c.weight.work).max().unwrap_or_default();
    // Most weigh nothing that matters.
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
    format!(
        "{} and {} in {}: {}, {}\n{weight}",
        count(of_level(Level::Error), "error", "errors"),
        count(of_level(Level::Warning), "warning", "warnings"),
        count(checked.len(), "file", "files"),
        count(sum(|c| c.policies), "policy", "policies"),
        count(sum(|c| c.manifests), "manifest", "manifests"),
    )
}
