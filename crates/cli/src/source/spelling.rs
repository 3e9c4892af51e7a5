//! Numbers that readers of YAML read in different ways.
//!
//! YAML 1.1 has octal numbers with a leading zero, `_` between digits and numbers to the base of sixty;
//! YAML 1.2 has none of them. Kubernetes, Python and this program each read another mixture of the two.

use super::{Node, SourceFile, Value};
use crate::code;
use crate::finding::Finding;

impl SourceFile {
    /// Adds a finding for every number below a node of this file that readers disagree on.
    pub fn disputed(&self, node: &Node, findings: &mut Vec<Finding>) {
        if self.is_json() {
            return;
        }
        if let (Value::Scalar(_), Some(written)) = (&node.value, self.text.get(node.at.clone()))
            && is_disputed(written)
        {
            let message = format!("readers of YAML disagree on what {written} is");
            let help = "write the digits alone, without leading zeros; a text in quotes";
            findings.push(Finding::error(code::DISPUTED, &node.at, "", &message, help));
        }
        node.children().for_each(|inner| self.disputed(inner, findings));
    }
}

/// Whether some reader of YAML takes this plain text for a number and another one for another number, or
/// for text.
fn is_disputed(written: &str) -> bool {
    let number = written.strip_prefix(['+', '-']).unwrap_or(written);
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let all = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_digit() || more.contains(c));
    let based = |prefix: &str| {
        let digits = number.to_ascii_lowercase();
        digits
            .strip_prefix(prefix)
            .is_some_and(|digits| digits.chars().all(|c| c.is_ascii_hexdigit() || c == '_'))
    };
    let octal = number.len() > 1 && number.starts_with('0') && all(number, "_");
    let grouped = number.contains('_') && (all(number, "_.") || based("0x"));
    let sixty = number.contains(':')
        && number.split(':').enumerate().all(|(i, part)| {
            !part.is_empty() && all(part, "") && (i == 0 || part.parse::<u64>().is_ok_and(|part| part < 60))
        });
    let exponent = number.split_once(['e', 'E']).is_some_and(|(mantissa, power)| {
        let digits = power.strip_prefix(['+', '-']).unwrap_or(power);
        // With a dot and a sign all agree.
        let is_agreed = mantissa.contains('.') && digits.len() < power.len();
        !digits.is_empty() && all(digits, "") && all(mantissa, ".") && !is_agreed
    });
    octal || grouped || sixty || exponent || based("0o") || based("0b")
}

#[cfg(test)]
mod tests {
    use super::is_disputed;

    #[test]
    fn what_yaml_1_1_and_1_2_read_alike_is_not_disputed() {
        for disputed in [
            "010", "-07", "08", "0_1", "1_000", "1_0.5", "0o17", "0b11", "0x1_f", "12:30", "1:59:59", "1e3",
            "1.5E3",
        ] {
            assert!(is_disputed(disputed), "{disputed}");
        }
        for agreed in [
            "0", "10", "-3", "1.5", "0.5", "0x1f", "1.5e+3", "1.2.3", "8080:80", "10.0.0.1", "1h", "\"010\"",
            "v010", "", "-", "0.1.0",
        ] {
            assert!(!is_disputed(agreed), "{agreed}");
        }
    }
}
