//! What is wrong with an expression, and what to write.

/// A reason, and a remedy.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) reason: String,
    pub(crate) help: &'static str,
}

fn fault(reason: impl Into<String>, help: &'static str) -> Fault {
    Fault { reason: reason.into(), help }
}

pub(super) fn look_around(written: &str) -> Fault {
    fault(
        format!("\"(?{written}\" looks around, which RE2 does not"),
        "write a second condition, with \"invert\" for what must not be",
    )
}

pub(super) fn reference() -> Fault {
    fault("RE2 has no references to groups, such as \\1", "write what the group matches once more")
}

pub(super) fn escape(c: char) -> Fault {
    let help = match c {
        'Z' => "write \\z, or \"$\", for the end",
        'x' => "write \\x41; a character beyond \\xFF stands for itself",
        'h' => "write [\\t ]",
        'R' => "write (\\r\\n|\\n)",
        'K' | 'G' => "leave it out",
        'u' | 'U' => "write the character itself",
        _ => "leave out the backslash, or write two for a backslash",
    };
    fault(format!("RE2 has no escape \\{c}"), help)
}

pub(super) fn unicode() -> Fault {
    fault(
        "\\p and \\P take a category of Unicode here, such as \\pL, \\p{Lu} or \\p{Latin}: no byte is of another script",
        "write a category, or the characters themselves",
    )
}

pub(super) fn operator(written: &str) -> Fault {
    let first = written.chars().next().map_or(')', |c| c);
    let help = match first {
        '>' => "write (?:...): nothing is tried twice anyway",
        '#' => "leave out the comment",
        'x' => "write the expression without blanks and comments",
        _ => "the flags are i, m, s and U, as in (?i) or (?i:...)",
    };
    fault(format!("RE2 has no \"(?{first}\""), help)
}

pub(super) fn name() -> Fault {
    fault("a group's name is not valid", "write (?P<name>...): letters, digits and \"_\"")
}

pub(super) fn unclosed(bracket: &str) -> Fault {
    let help = if bracket == "(" {
        "close it, or write \\( for itself"
    } else {
        "close it, or write \\[ for itself"
    };
    fault(format!("a {bracket:?} is not closed"), help)
}

pub(super) fn unopened() -> Fault {
    fault("a \")\" closes nothing", "open it, or write \\) for itself")
}

pub(super) fn backslash() -> Fault {
    fault("it ends with a backslash", "write two for a backslash")
}

pub(super) fn range() -> Fault {
    fault("an interval in brackets ends before it starts", "write the lower character first; \\- is a hyphen")
}

pub(super) fn named(name: &str) -> Fault {
    fault(
        format!("\"[:{name}:]\" is no set of RE2"),
        "write [:alpha:], [:digit:], [:alnum:], [:space:] or the characters",
    )
}

pub(super) fn nothing(c: char) -> Fault {
    fault(format!("there is nothing that {c:?} could repeat"), "write a backslash before it for itself")
}

pub(super) fn twice(c: char) -> Fault {
    fault(
        format!("{c:?} follows a repetition"),
        "leave it out: nothing is tried twice anyway; or write (?:...) around the first repetition",
    )
}

pub(super) fn repeats() -> Fault {
    fault(
        "it repeats more than 1000 times, or backwards",
        "write less, or \"*\"; those inside each other multiply",
    )
}

pub(super) fn deep() -> Fault {
    fault("groups are more than 100 deep", "leave out groups that group nothing")
}
