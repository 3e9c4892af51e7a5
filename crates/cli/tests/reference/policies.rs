//! A page for each filter: every field of its policies.

use std::collections::BTreeSet;

use narrows::filter::Filter;
use narrows_core::describe::{Absent, Choice, Field, NAME, Object, TOKEN, Type};

use super::{MADE, Pages, cell};

pub(super) fn add(pages: &mut Pages) {
    let mut index = format!(
        "# Reference\n\n{MADE}\n\nWhat a policy may say, what the filters show, and what the command line reports. Each page is \
         made from the tables in the code, and a test compares them.\n\n## Policies\n\n"
    );
    for filter in Filter::ALL {
        let name = filter.name();
        index.push_str(&format!("* [{name}](policies/{name}.md): {}\n", filter.language().summary.text));
        pages.insert(format!("policies/{name}.md"), page(filter));
    }
    index.push_str(
        "\n## What the filters show\n\n* [Metrics](metrics.md)\n* [Filter state](filter-state.md)\n* [Headers](headers.md)\n\n\
         ## The command line\n\n* [Commands](commands.md)\n* [Codes](codes/README.md)\n",
    );
    pages.insert("README.md".to_owned(), index);
}

fn page(filter: Filter) -> String {
    let name = filter.name();
    let mut page = format!(
        "# The policy of {name}\n\n{MADE}\n\nThe [README of the filter](../../../filters/{name}/README.md) says how it works and \
         when it is the right one. Here is every field, with its type, its limits and what holds without it. An editor shows the same \
         from [the schema](../../schema/{name}.json).\n"
    );
    let (mut wanted, mut seen) = (vec![filter.language()], BTreeSet::new());
    while let Some(object) = wanted.pop() {
        if seen.insert(object.summary.name) {
            let mut next = Vec::new();
            page.push_str(&section(object, &mut next));
            wanted.extend(next.into_iter().rev());
        }
    }
    page
}

fn section(object: &'static Object, next: &mut Vec<&'static Object>) -> String {
    let summary = &object.summary;
    let mut text = format!("\n## {}\n\n{}{}\n", summary.name, summary.text, choice(summary.choice));
    let mut fields = Vec::new();
    own(object, &mut fields);
    if fields.is_empty() {
        return text + "\nIt has no field.\n";
    }
    text.push_str("\n| field | type | without it | meaning | since |\n|---|---|---|---|---|\n");
    for field in fields {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            field.name,
            kind(&field.about.kind, next),
            absent(field.about.absent),
            cell(field.about.text),
            field.about.since
        ));
    }
    text
}

fn own(object: &'static Object, fields: &mut Vec<Field>) {
    object.includes.iter().for_each(|included| own(included, fields));
    fields.extend(object.fields);
}

fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::Any => "",
        Choice::ExactlyOne => " Exactly one of its fields is there.",
        Choice::AtLeastOne => " At least one of its fields is there.",
        Choice::AtMostOne => " At most one of its fields is there.",
        Choice::Where(_) => " Some of its fields need others, or exclude them.",
    }
}

fn absent(absent: Absent) -> String {
    match absent {
        Absent::Required => "required".to_owned(),
        Absent::Optional => String::new(),
        Absent::Says(text) => format!("`{text}`"),
        Absent::Counts(number) => format!("`{number}`"),
        Absent::Holds(flag) => format!("`{flag}`"),
    }
}

fn kind(kind_of: &Type, next: &mut Vec<&'static Object>) -> String {
    match kind_of {
        Type::Text(0 | 1, most) => format!("text of up to {} bytes", number(*most)),
        Type::Text(least, most) => format!("text of {least} to {} bytes", number(*most)),
        Type::Pattern(pattern, most) => format!("{} of up to {} bytes", pattern_name(pattern), number(*most)),
        Type::Words(words) => words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "),
        Type::Duration(from, to) => format!("duration from {} to {}", duration(*from), duration(*to)),
        Type::Flag => "`true` or `false`".to_owned(),
        Type::True => "`true`".to_owned(),
        Type::Integer(i64::MIN, i64::MAX) => "integer".to_owned(),
        Type::Integer(from, i64::MAX) => format!("integer from {from}"),
        Type::Integer(from, to) => format!("integer from {from} to {to}"),
        Type::Count(from, to) => format!("integer from {from} to {}", number(*to)),
        Type::Numbers(numbers) => {
            numbers.iter().map(|number| format!("`{number}`")).collect::<Vec<_>>().join(" or ")
        }
        Type::Table(object) => {
            next.push(object);
            format!("[{0}](#{1})", object.summary.name, anchor(object.summary.name))
        }
        Type::List(element, 0, most) => format!("list of up to {}: {}", number(*most), kind(element, next)),
        Type::List(element, least, most) => {
            format!("list of {least} to {}: {}", number(*most), kind(element, next))
        }
        Type::Map(pattern, value, most) => {
            let name = match *pattern {
                "" | "^." => "a text",
                pattern => pattern_name(pattern),
            };
            format!("table of up to {}: from {name} to {}", number(*most), kind(value, next))
        }
        Type::Either(kinds) => kinds.iter().map(|one| kind(one, next)).collect::<Vec<_>>().join(", or "),
    }
}

/// What a regular expression is for. A new one needs its words here.
fn pattern_name(pattern: &str) -> &'static str {
    let Type::Pattern(name, _) = NAME else { panic!("a name is a pattern") };
    match pattern {
        _ if pattern == TOKEN => "a header or cookie name",
        _ if pattern == narrows_core::moment::PATTERN => "a moment",
        _ if pattern == name => "a name (letters, digits and `- _ . / :`)",
        "^/" | "^/[^?#]*$" => "a path",
        "^[!$-~]*$" => "a query",
        r"^/[!-:<-~]*$" => "a path of a cookie",
        r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$" => "a domain",
        "^[A-Z-]+$" => "a method",
        "^[a-z0-9.-]+$" => "a name of Kubernetes",
        "^[A-Za-z][A-Za-z0-9_]*$" | "^[A-Za-z_][A-Za-z0-9_]*$" => "a label (letters, digits and `_`)",
        other => panic!("say what {other:?} is"),
    }
}

/// The anchor of a heading.
fn anchor(heading: &str) -> String {
    heading.to_ascii_lowercase().replace(' ', "-")
}

fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0s".to_owned(),
        _ if milliseconds.is_multiple_of(3_600_000) => format!("{}h", milliseconds / 3_600_000),
        _ if milliseconds.is_multiple_of(60_000) => format!("{}m", milliseconds / 60_000),
        _ if milliseconds.is_multiple_of(1000) => format!("{}s", milliseconds / 1000),
        _ => format!("{milliseconds}ms"),
    }
}
