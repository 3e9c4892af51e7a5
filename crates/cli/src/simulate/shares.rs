//! How many requests went where, and what that shows about the rest.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::escape::printable;

/// The requests with one outcome, among those of its scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The split, or all requests.
    pub scope: String,
    /// The backend or rule.
    pub outcome: String,
    /// Requests with this outcome.
    pub count: usize,
    /// Requests of the scope.
    pub of: usize,
}

/// The shares of any number of requests, in the order in which the outcomes first came.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    shares: Vec<Share>,
    /// The place of each, by scope and outcome.
    places: BTreeMap<String, BTreeMap<Vec<u8>, usize>>,
}

/// Outcomes that are told apart: a tag may have a value for each request.
const MOST: usize = 10_000;
/// The outcome of those past the bound.
const OTHERS: &[u8] = b"(others)";

impl Shares {
    /// Counts one more request.
    pub fn count(&mut self, scope: &str, outcome: &[u8]) {
        if let Some(share) = self.place(scope, outcome).and_then(|place| self.shares.get_mut(place)) {
            share.count += 1;
            return;
        }
        let outcome = if self.shares.len() < MOST { outcome } else { OTHERS };
        if outcome == OTHERS
            && let Some(share) = self.place(scope, outcome).and_then(|place| self.shares.get_mut(place))
        {
            share.count += 1;
            return;
        }
        let places = self.places.entry(scope.to_owned()).or_default();
        places.insert(outcome.to_vec(), self.shares.len());
        let told = if outcome.is_empty() { "-".to_owned() } else { printable(outcome) };
        self.shares.push(Share { scope: scope.to_owned(), outcome: told, count: 1, of: 0 });
    }

    fn place(&self, scope: &str, outcome: &[u8]) -> Option<usize> {
        self.places.get(scope)?.get(outcome).copied()
    }

    /// The share of each outcome in its scope.
    pub fn finish(mut self) -> Vec<Share> {
        let mut totals: BTreeMap<String, usize> = BTreeMap::new();
        for share in &self.shares {
            *totals.entry(share.scope.clone()).or_default() += share.count;
        }
        for share in &mut self.shares {
            share.of = totals.get(&share.scope).copied().unwrap_or_default();
        }
        self.shares
    }
}

impl Share {
    /// The share in percent.
    pub fn percent(&self) -> f64 {
        float(self.count) / float(self.of.max(1)) * 100.0
    }

    /// The percentages between which the share of all such requests lies, with 95 % confidence. This is
    /// Wilson's score interval (1927), which is right for small shares too.
    pub fn interval(&self) -> (f64, f64) {
        const Z: f64 = 1.959_963_984_540_054;
        let (n, p) = (float(self.of.max(1)), self.percent() / 100.0);
        let scale = 1.0 + Z * Z / n;
        let centre = (p + Z * Z / (2.0 * n)) / scale;
        let half = Z / scale * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        ((centre - half).max(0.0) * 100.0, (centre + half).min(1.0) * 100.0)
    }

    /// The same as data.
    pub fn json(&self) -> Value {
        let rounded = |percent: f64| (percent * 1e4).round() / 1e4;
        let (low, high) = self.interval();
        json!({
            "scope": self.scope,
            "outcome": self.outcome,
            "count": self.count,
            "of": self.of,
            "percent": rounded(self.percent()),
            "interval": [rounded(low), rounded(high)],
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn wilsons_interval() {
        let interval = |count, of| {
            let share = Share { scope: String::new(), outcome: String::new(), count, of };
            let (low, high) = share.interval();
            format!("{low:.2} {high:.2}")
        };
        // Newcombe (1998), table I, method 3.
        assert_eq!(interval(81, 263), "25.53 36.62");
        assert_eq!(interval(15, 148), "6.24 16.05");
        assert_eq!(interval(0, 20), "0.00 16.11");
        assert_eq!(interval(1, 29), "0.61 17.18");
    }
}
