//! What a reader of YAML or JSON says, in the words of whoever wrote the file.
//!
//! The libraries speak of scalars, mappings and events. Here each of their messages becomes a fault that can
//! be seen in the file, and what to write instead. A message that nobody has translated stays as it is.

use narrows_core::nearest::suggestion;

/// A fault and its remedy: lower-case phrases.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Words {
    /// What is wrong.
    pub what: String,
    /// What to do about it; nothing, if the fault says it.
    pub help: String,
}

/// Translates what a library says of a text. Its place is told elsewhere.
pub fn in_words(message: &str) -> Words {
    let message = message.lines().next().unwrap_or_default();
    of_field(message)
        .or_else(|| of_type(message))
        .or_else(|| of_syntax(message))
        .unwrap_or_else(|| Words { what: message.to_owned(), help: String::new() })
}

/// A field that nobody reads, is missing, or is there twice.
fn of_field(message: &str) -> Option<Words> {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let (field, known) = rest.split_once('`')?;
        let known = known.split_once("expected ").map_or("", |(_, known)| known);
        let known = known.trim_start_matches("one of ").replace('`', "");
        let names: Vec<&str> = known.split(", ").flat_map(|names| names.split(" or ")).collect();
        let near = suggestion(field, &names).unwrap_or_else(|| format!("known here: {}", names.join(", ")));
        return Some(words(format!("unknown field {field:?}"), &near));
    }
    if let Some(rest) = message.strip_prefix("unknown variant `") {
        let (word, known) = rest.split_once('`')?;
        let known = known.trim_start_matches(", expected ").trim_start_matches("one of ").replace('`', "");
        let names: Vec<&str> = known.split(", ").flat_map(|names| names.split(" or ")).collect();
        let near = suggestion(word, &names).unwrap_or_else(|| format!("write one of {}", names.join(", ")));
        return Some(words(format!("{word:?} is not one of {}", names.join(", ")), &near));
    }
    if let Some(rest) = message.strip_prefix("missing field `") {
        return Some(words(format!("missing field {:?}", rest.trim_end_matches('`')), "add it here"));
    }
    let twice = message
        .strip_prefix("duplicate mapping key: ")
        .or_else(|| message.strip_prefix("duplicate field `").map(|rest| rest.trim_end_matches('`')))?;
    let field = twice.split(", set ").next().unwrap_or_default();
    Some(words(format!("duplicate field {field:?}"), "keep one of them"))
}

/// A value of another type than the one that is read there.
fn of_type(message: &str) -> Option<Words> {
    let rest = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) {
        let expected = kind(expected);
        return Some(words(format!("expected {expected}, found {}", value(found)), &write(&expected)));
    }
    if let Some(expected) = message.strip_prefix("invalid ").filter(|kind| is_number(kind)) {
        let expected = kind(expected);
        return Some(words(format!("expected {expected}"), &write(&expected)));
    }
    if let Some(expected) = message.strip_prefix("expected ").filter(|expected| !expected.starts_with('`')) {
        let expected = kind(expected);
        return Some(words(format!("expected {expected}"), &write(&expected)));
    }
    let quoted =
        message.strip_prefix("The string value [").and_then(|rest| rest.split_once("] must be quoted"));
    if let Some((text, _)) = quoted {
        return Some(words(format!("expected a string, found {text}"), "put it in quotes"));
    }
    let (number, _) = message.strip_prefix("non-finite float `")?.split_once('`')?;
    Some(words(format!("{number} is no number that can be compared"), "write a number, or put it in quotes"))
}

fn write(expected: &str) -> String {
    let is_listed = expected.contains(',') || expected.contains('"');
    if is_listed { String::new() } else { format!("write {expected} here") }
}

fn words(what: String, help: &str) -> Words {
    Words { what, help: help.to_owned() }
}

fn is_number(kind: &str) -> bool {
    ["u8", "u16", "u32", "u64", "i64", "i32", "f64", "usize", "bool"].contains(&kind)
}

/// A type, as a table of this project's documents names it.
fn kind(expected: &str) -> String {
    match expected {
        "bool" | "a boolean" => "true or false",
        "f64" => "a number",
        "a map" | "mapping start" => "a table",
        "a sequence" | "sequence start" => "a list",
        "string scalar" | "scalar" => "a string",
        "mapping end" | "empty mapping end" | "consumed event" | "value" | "ident" => "a value",
        expected if expected.starts_with("struct ") => "a table",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        expected if is_number(expected) => "a whole number",
        expected => expected,
    }
    .to_owned()
}

/// A value, as it is written.
fn value(found: &str) -> String {
    let inside = |begin: &str| found.strip_prefix(begin)?.strip_suffix('`').map(str::to_owned);
    match found {
        "map" => return "a table".to_owned(),
        "sequence" => return "a list".to_owned(),
        "unit value" | "null" | "Option value" => return "nothing".to_owned(),
        _ => {}
    }
    let number = inside("integer `").or_else(|| inside("floating point `")).or_else(|| inside("boolean `"));
    number.unwrap_or_else(|| found.strip_prefix("string ").unwrap_or(found).to_owned())
}

/// A text that is no YAML, or no JSON.
fn of_syntax(message: &str) -> Option<Words> {
    let known = SYNTAX.iter().find(|(signs, ..)| signs.iter().any(|sign| message.starts_with(sign)));
    known.map(|(_, what, help)| {
        let quoted = message.split(['\'', '`']).nth(1).unwrap_or_default();
        words(what.replace("{}", quoted), help)
    })
}

/// How what a library says begins; the fault; what to do about it. The first that fits counts: only the
/// beginning does, for what follows may be a text of the file. `{}` is what the library has in quotes.
type Syntax = (&'static [&'static str], &'static str, &'static str);

const SYNTAX: &[Syntax] = &[
    // Limits.
    (&["budget breached: RecordedAnchor"], "its aliases stand for more than a million values", LARGE),
    (
        &["budget breached: Alias", "alias replay", "alias expansion"],
        "its aliases stand for more values than are read",
        LARGE,
    ),
    (
        &["budget breached: Depth", "recursion limit"],
        "it is nested deeper than any document should be",
        LARGE,
    ),
    (&["budget breached: ScalarBytes"], "its texts have more than 64 MiB", LARGE),
    (&["budget breached"], "it has more than the 2,000,000 values that are read", LARGE),
    (&["multiple YAML documents"], "there is more than one document", "keep one, without a line \"---\""),
    // Indentation.
    (
        &[
            "tabs disallowed",
            "tab cannot be used",
            "a block scalar content cannot",
            "while scanning a plain scalar, found a tab",
        ],
        "there is a tab where blanks belong",
        "indent with blanks",
    ),
    (
        &["invalid indentation", "wrongly indented line"],
        "the line is not as far in as those that it belongs to",
        ALIKE,
    ),
    (&["while parsing a block mapping", "mapping keys are not"], "no field can begin here", ALIKE),
    (
        &["while parsing a block collection"],
        "an element of the list is expected here",
        "begin each with \"- \", equally far in",
    ),
    (
        &["block sequence entries"],
        "no list can begin here",
        "begin it on the line below the name of its field",
    ),
    // Colons and commas.
    (
        &["mapping values are not", "illegal placement of ':'"],
        "a \":\" stands where no field can begin",
        "put a text that has \": \" in quotes, or indent the field like those beside it",
    ),
    (&["simple key"], "a \":\" is missing behind the name of a field", "write name: value"),
    (&["':' must be", "':' may not"], "a blank is missing behind a \":\"", "write name: value"),
    (&["'-' must be"], "a blank is missing behind a \"-\"", "write \"- value\""),
    (&["\"-\" is only valid"], "a \"-\" is within brackets", "separate elements by commas there"),
    (
        &["while parsing a flow mapping"],
        "a \",\" or \"}\" is missing",
        "separate fields by commas; put a text that has , : or } in quotes",
    ),
    (
        &["while parsing a flow sequence"],
        "a \",\" or \"]\" is missing",
        "separate elements by commas; put a text that has , or ] in quotes",
    ),
    // Brackets, quotes and ends.
    (
        &["unclosed bracket"],
        "the bracket {} is not closed",
        "close it, or put a text that begins with it in quotes",
    ),
    (&["mismatched bracket"], "the bracket {} is closed by another one", "close each with its own"),
    (
        &["misplaced bracket"],
        "a bracket is closed that is not open",
        "take it away, or put the text in quotes",
    ),
    (
        &["unclosed quote"],
        "a quote is not closed",
        "close it; a text that begins with a quote needs quotes around it",
    ),
    (
        &["while scanning a quoted scalar"],
        "a line of \"---\" or \"...\" is within quotes",
        "indent the line, or close the quote",
    ),
    (&["invalid trailing content after single"], BEHIND_QUOTE, "write '' for a ' within '…'"),
    (&["invalid trailing content after double"], BEHIND_QUOTE, "write \\\" for a \" within \"…\""),
    (
        &["while parsing a quoted scalar, found unknown"],
        "the letter behind a \\ means nothing within \"…\"",
        "double the \\, or write the text in '…'",
    ),
    (
        &["while parsing a quoted scalar"],
        "an escape within \"…\" is no character",
        "write the character itself, or double the \\",
    ),
    (
        &["unexpected EOF", "unexpected eof", "unexpected end of", "EOF while parsing"],
        "it ends too early",
        "write what is missing, such as a bracket or a quote",
    ),
    // What is no plain text.
    (
        &["while parsing node, found unknown anchor", "alias references unknown"],
        "no anchor stands before this alias",
        STAR,
    ),
    (&["while scanning an anchor"], "a name is missing behind a \"*\" or \"&\"", STAR),
    (&["unexpected character"], "no text can begin with {}", "put it in quotes"),
    (&["plain scalar cannot"], "this text needs quotes", "put it in quotes"),
    (
        &["comments must be"],
        "a \"#\" stands directly behind a value",
        "put a blank before a comment, or the text in quotes",
    ),
    (
        &["comment intercepting"],
        "a comment is within a text of several lines",
        "put the comment elsewhere, or the text in quotes",
    ),
    (
        &[
            "while scanning a directive",
            "while scanning a YAML directive",
            "missing explicit document end",
            "YAML directives",
        ],
        "a line that begins with \"%\" is no directive of YAML",
        "put the text in quotes",
    ),
    (
        &[
            "the handle wasn't",
            "while scanning a tag",
            "while parsing a tag",
            "while scanning TAG",
            "while scanning a verbatim",
            "invalid global tag",
            "the TAG",
            "unsupported tag",
            "cannot deserialize tagged",
            "invalid !!binary",
            "!!binary",
        ],
        "a tag of YAML is not read here",
        "put a text that begins with \"!\" in quotes, or take the tag away",
    ),
    (
        &["did not find expected <document start>", "invalid content after document"],
        "more stands behind the end of the document",
        "separate documents by a line \"---\"",
    ),
    (
        &["while scanning a block scalar", "folded block scalars"],
        "the text behind a \"|\" or \">\" does not begin on the next line, further in",
        "begin it there",
    ),
    (
        &["a BOM must"],
        "there is a byte order mark within the text",
        "take it away: two files may have been put together",
    ),
    (
        &["YAML merge value"],
        "\"<<\" takes the fields of a table, and this is none",
        "write an alias of a table behind it",
    ),
    (&["recursive references"], "an alias stands for a value that it is part of", "write the value itself"),
    (&["invalid boolean"], "expected true or false", "write one of them"),
    (&["cannot deserialize null"], "expected a string, found nothing", "write it; \"\" is an empty one"),
    // JSON.
    (&["trailing characters"], "more stands behind the value", "take it away"),
    (&["number out of range"], "the number is too large", "write a smaller one"),
    (
        &["control character"],
        "a text has a line end or another control character",
        "write it as \\n or \\u0000",
    ),
];

const LARGE: &str = "split it";
const ALIKE: &str = "indent with blanks, and what belongs together equally far";
const BEHIND_QUOTE: &str = "more stands behind a closing quote";
const STAR: &str = "put a text that begins with \"*\" or \"&\" in quotes";
