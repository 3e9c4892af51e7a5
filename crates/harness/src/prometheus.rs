//! Prometheus: its text format, as far as a test needs to read it, and the real one.

mod server;

use std::collections::BTreeMap;

use anyhow::Context;

pub use server::Server;

/// One line of `/stats/prometheus`: a series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The name of the series; for histograms with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// The value; counters arrive as floating point too.
    pub value: f64,
}

impl Sample {
    /// Whether this is the series `name` with at least these labels.
    pub fn is(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.name == name
            && labels.iter().all(|(key, value)| self.labels.get(*key).is_some_and(|found| found == value))
    }

    /// The value of a counter: a whole number, though Prometheus writes it as a float.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of requests")]
    pub fn count(&self) -> usize {
        self.value as usize
    }
}

/// Adds up the samples of `name` that carry at least these labels; `None` if
/// there are none.
pub fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let mut total = None;
    for sample in samples.iter().filter(|sample| sample.is(name, labels)) {
        *total.get_or_insert(0.0) += sample.value;
    }
    total
}

/// Reads a whole page. Comments are skipped; any other line that is not a
/// sample is an error that shows it.
pub fn parse(page: &str) -> anyhow::Result<Vec<Sample>> {
    page.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| sample(line).with_context(|| format!("not a Prometheus sample: {line}")))
        .collect()
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.insert(key.trim().to_owned(), value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    // A timestamp may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then(|| Sample { name: name.to_owned(), labels, value })
}

/// Reads to the closing quote; returns the value and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_labels_escapes_and_infinity() {
        let page = "# TYPE a counter\na{} 1\nb_bucket{le=\"+Inf\",x=\"q\\\"},\\\\\\n\",} +Inf 123\n\nc 2.5\n";
        let samples = parse(page).unwrap();
        assert_eq!(samples.len(), 3);
        assert!(samples[1].is("b_bucket", &[("le", "+Inf"), ("x", "q\"},\\\n")]));
        assert!(samples[1].value.is_infinite());
        assert_eq!(sum(&samples, "c", &[]), Some(2.5));
        assert_eq!(sum(&samples, "d", &[]), None);
    }

    #[test]
    fn a_broken_line_is_shown() {
        let error = parse("a{b=\"c} 1").unwrap_err();
        assert!(error.to_string().contains("a{b=\"c} 1"));
    }
}
