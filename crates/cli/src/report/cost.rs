//! What each policy takes in every worker, by part.

use narrows_core::limits::{REGEX_WORK, WEIGHT};

use crate::escape;
use crate::lint::{Checked, Weighed};

/// A block for each policy that loads.
pub(super) fn report(checked: &[Checked]) -> String {
    let mut text = String::new();
    for file in checked {
        let (path, lines) = (escape::line(&file.source.path), file.source.lines());
        for weighed in &file.weights {
            let (line, _) = lines.line_at(weighed.start);
            text.push_str(&format!("\n{path}:{line}: {}\n{}", weighed.filter.name(), block(weighed)));
        }
    }
    text
}

fn block(weighed: &Weighed) -> String {
    let (weight, parts) = (weighed.weight, weighed.weight.parts);
    let named = parts.texts + parts.index + parts.expressions + parts.searched;
    let rows = [
        (parts.texts, "names, hosts, paths and values"),
        (parts.index, "the index"),
        (parts.expressions, "regular expressions"),
        (parts.searched, "texts that are looked for inside values"),
        (weight.bytes.saturating_sub(named), "rules, conditions, values of tags and series"),
    ];
    let rows = rows.iter().filter(|(bytes, _)| *bytes > 0);
    let mut text: String = rows.map(|(bytes, what)| format!("{bytes:>10}  {what}\n")).collect();
    text.push_str(&format!("{:>10}  bytes in every worker, of {WEIGHT} that it may take\n", weight.bytes));
    let share = weight.work.saturating_mul(100) / REGEX_WORK;
    text + &format!("{share:>8} %  of what expressions may cost for one long value\n")
}
