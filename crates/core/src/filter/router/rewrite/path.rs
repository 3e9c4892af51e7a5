//! How a path becomes another.

use super::prefix::{PREFIX, Prefix};
use crate::action::format_string::FormatString;
use crate::filter::router::of_rule::OfRule;
use crate::language::describe::{Kind, Object, field, fields_of, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::pattern::Replacer;
use crate::matching::request::Request;

pub(crate) static PATH_REWRITE: Object = object!(
    "pathRewrite",
    ExactlyOne,
    "How a path is rewritten; the query stays as it is.",
    [],
    fields_of(&KINDS)
);

/// How one way of rewriting is read.
type Read = fn(&PolicyValue, &OfRule<'_>) -> Result<PathRewrite, Invalid>;

static KINDS: [Kind<Read>; 3] = [
    Kind {
        field: field!("replacePrefix", Table(&PREFIX), Optional, "The start of the path becomes another."),
        read: |t, rule| Prefix::read(t, rule).map(PathRewrite::Prefix),
    },
    Kind {
        field: field!(
            "replaceFull",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The whole path becomes this, which may quote the request."
        ),
        read: full,
    },
    Kind {
        field: field!("regex", Table(&REGEX), Optional, "What a regular expression matches is replaced."),
        read: regex,
    },
];

static REGEX: Object = object!(
    "regexRewrite",
    Any,
    "A regular expression and what takes the place of each of its matches.",
    [],
    [
        field!("match", Text(0, limits::REGEX_TEXT), Required, "The regular expression (RE2)."),
        field!(
            "replace",
            Text(0, limits::VALUE_BYTES),
            Required,
            "What takes the place of each match; `\\1` to `\\9` are its groups."
        ),
    ],
);

/// How a path is rewritten; the query stays as it is.
#[derive(Clone, Debug)]
pub(crate) enum PathRewrite {
    /// Its start.
    Prefix(Prefix),
    /// The whole path.
    Full(FormatString),
    /// What the expression matches, as in Istio's `uriRegexRewrite`.
    Regex(Box<Replacer>),
}

impl PathRewrite {
    pub(crate) fn read(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &PATH_REWRITE)?;
        let form = fields.exactly_one(&KINDS)?;
        fields.required(form.field.name, |t| (form.read)(t, rule))
    }

    /// The new path, without the query. `None` if the path does not change, or if the result would not
    /// be a path.
    pub(crate) fn path(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let path = request.path();
        let written = match self {
            Self::Prefix(prefix) => prefix.replace(path)?,
            Self::Full(text) => text.render(request)?.into_owned(),
            Self::Regex(replacer) => replacer.rewrite(path)?,
        };
        // A quoted `?` would start a query that the client made up.
        let is_path = written.starts_with(b"/")
            && written.iter().all(|b| *b > b' ' && *b != 0x7f && !b"?#".contains(b));
        let is_new = written != path && written.len() <= limits::VALUE_BYTES.saturating_add(path.len());
        (is_path && is_new).then_some(written)
    }
}

fn full(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<PathRewrite, Invalid> {
    let written = read::text(tree)?;
    let text = FormatString::quoting(written, &|| rule.captures())?;
    let absolute = written.starts_with('/') || written.starts_with("%PATH%");
    if !absolute || text.literals().any(|literal| literal.iter().any(|b| b"?#".contains(b))) {
        return Err(Invalid::new(
            Code::BadPath,
            format!("{written:?} cannot be a path"),
            "start it with \"/\"; the query stays as it is",
        ));
    }
    Ok(PathRewrite::Full(text))
}

fn regex(tree: &PolicyValue, rule: &OfRule<'_>) -> Result<PathRewrite, Invalid> {
    let fields = Fields::open(tree, &REGEX)?;
    let part = |name| fields.required(name, read::text);
    let replace = part("replace")?;
    names::header_value(replace).map_err(|e| e.in_field("replace"))?;
    let replacer = Replacer::new(part("match")?, replace)?;
    rule.holds(replacer.weight(), replacer.work())?;
    Ok(PathRewrite::Regex(Box::new(replacer)))
}
