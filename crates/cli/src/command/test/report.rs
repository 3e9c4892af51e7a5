//! Results, for people and for machines.

use serde_json::{Value, json};

use super::coverage::Points;
use super::find::Suite;
use super::run::{Outcome, Status};
use crate::escape;

type Results<'s> = [(&'s Suite, Vec<Outcome>)];

pub(super) fn text(results: &Results<'_>, coverage: &[(String, Points)]) -> String {
    let mut text = String::new();
    for (suite, outcomes) in results {
        for outcome in outcomes {
            if let Status::Failed(faults) = &outcome.status {
                let place = format!("{}:{}", suite.path.display(), outcome.line);
                text.push_str(&format!("FAIL {}: {}\n", escape::line(&place), escape::line(&outcome.name)));
                faults.iter().for_each(|fault| text.push_str(&format!("  {}\n", escape::line(fault))));
            }
        }
    }
    for (about, points) in coverage {
        for point in points.missing() {
            let (point, about) = (escape::line(point), shortened(about));
            text.push_str(&format!("no case shows {point} of {}\n", escape::line(&about)));
        }
    }
    let all = || results.iter().flat_map(|(_, outcomes)| outcomes);
    let skipped = all().filter(|outcome| matches!(outcome.status, Status::Skipped(_))).count();
    let failed = all().filter(|outcome| outcome.failed()).count();
    let points: usize = coverage.iter().map(|(_, points)| points.count()).sum();
    let missing: usize = coverage.iter().map(|(_, points)| points.missing().len()).sum();
    let files = results.len();
    text.push_str(&format!(
        "{} passed, {failed} failed, {skipped} skipped in {files} {}; {} of {points} rules and backends shown\n",
        all().count() - failed - skipped,
        if files == 1 { "file" } else { "files" },
        points - missing,
    ));
    text
}

/// A path below the working directory, from there.
fn shortened(path: &str) -> String {
    let here = std::env::current_dir().ok().and_then(|here| std::fs::canonicalize(here).ok());
    let below = here.and_then(|here| {
        let rest = path.strip_prefix(&here.display().to_string())?;
        Some(rest.trim_start_matches('/').to_owned())
    });
    below.unwrap_or_else(|| path.to_owned())
}

pub(super) fn json(results: &Results<'_>, coverage: &[(String, Points)]) -> String {
    let files: Vec<Value> = results
        .iter()
        .map(|(suite, outcomes)| {
            let cases = outcomes.iter().map(|outcome| {
                let (status, faults) = match &outcome.status {
                    Status::Passed => ("passed", Vec::new()),
                    Status::Failed(faults) => ("failed", faults.clone()),
                    Status::Skipped(why) => ("skipped", vec![why.clone()]),
                };
                json!({ "name": outcome.name, "line": outcome.line, "status": status, "faults": faults })
            });
            json!({
                "file": suite.path.display().to_string(),
                "filter": suite.filter.name(),
                "cases": cases.collect::<Vec<_>>(),
            })
        })
        .collect();
    let coverage: Vec<Value> = coverage
        .iter()
        .map(|(about, points)| {
            json!({ "policy": shortened(about), "points": points.count(), "missing": points.missing() })
        })
        .collect();
    format!("{:#}\n", json!({ "version": 1, "files": files, "coverage": coverage }))
}

pub(super) fn github(results: &Results<'_>) -> String {
    let mut text = String::new();
    for (suite, outcomes) in results {
        for outcome in outcomes {
            if let Status::Failed(faults) = &outcome.status {
                text.push_str(&crate::report::github_error(
                    &suite.path.display().to_string(),
                    outcome.line,
                    &outcome.name,
                    &faults.join("\n"),
                ));
            }
        }
    }
    text
}

pub(super) fn junit(results: &Results<'_>) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (suite, outcomes) in results {
        let failed = outcomes.iter().filter(|outcome| outcome.failed()).count();
        let skipped = outcomes.iter().filter(|outcome| matches!(outcome.status, Status::Skipped(_))).count();
        let file = xml(&suite.path.display().to_string());
        text.push_str(&format!(
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\" errors=\"0\">\n",
            outcomes.len()
        ));
        for Outcome { name, line, status, .. } in outcomes {
            let case = format!(
                "    <testcase classname=\"{file}\" name=\"{}\" file=\"{file}\" line=\"{line}\"",
                xml(name)
            );
            text.push_str(&match status {
                Status::Passed => format!("{case}/>\n"),
                Status::Skipped(why) => {
                    format!("{case}><skipped message=\"{}\"/></testcase>\n", xml(why))
                }
                Status::Failed(faults) => {
                    let first = faults.first().map(String::as_str).unwrap_or_default();
                    let all = xml(&faults.join("\n"));
                    format!("{case}><failure message=\"{}\">{all}</failure></testcase>\n", xml(first))
                }
            });
        }
        text.push_str("  </testsuite>\n");
    }
    text + "</testsuites>\n"
}

/// Text in XML 1.0, which has no place for control characters.
fn xml(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\n' => shown.push_str("&#10;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}
