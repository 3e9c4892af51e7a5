//! Rewriting the path and the authority of a request that goes on.

use std::borrow::Cow;

use crate::action::destination::{self, Authority, FORWARDED_HOST, authority};
use crate::action::edit::Draft;
use crate::action::format_string::FormatString;
use crate::language::describe::{Kind, Object, field, fields_of, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::Trust;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::parse::{Budget, absolute};
use crate::matching::pattern::Replacer;
use crate::matching::request::Request;

/// `rewrite` of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Rewrite {
    pub(super) path: Option<PathRewrite>,
    pub(super) authority: Option<Authority>,
}

pub(super) static REWRITE: Object = object!(
    "rewrite",
    Any,
    "What a request's path and authority become.",
    [],
    [
        field!("path", Table(&PATH_REWRITE), Optional, "What the path becomes; the query stays."),
        field!(
            "authority",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The host to ask for instead, perhaps with a port."
        ),
    ],
);

pub(super) static PATH_REWRITE: Object = object!(
    "pathRewrite",
    ExactlyOne,
    "How a path is rewritten; the query stays as it is.",
    [],
    fields_of(&KINDS)
);

/// How one way of rewriting is read.
type Read = fn(&PolicyValue, &Budget) -> Result<PathRewrite, Invalid>;

static KINDS: [Kind<Read>; 3] = [
    Kind {
        field: field!(
            "replacePrefix",
            Table(&PREFIX),
            Optional,
            "Whole segments at the start become others."
        ),
        read: |t, _| prefix(t),
    },
    Kind {
        field: field!(
            "replaceFull",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The whole path becomes this, which may quote the request."
        ),
        read: |t, _| full(t),
    },
    Kind {
        field: field!("regex", Table(&REGEX), Optional, "What a regular expression matches is replaced."),
        read: regex,
    },
];

static PREFIX: Object = object!(
    "replacePrefix",
    Any,
    "A path prefix and what takes its place, in whole segments.",
    [],
    [
        field!("from", Pattern("^/[^?#]*$", limits::VALUE_BYTES), Required, "The prefix that is replaced."),
        field!("to", Pattern("^/[^?#]*$", limits::VALUE_BYTES), Required, "The prefix that takes its place."),
    ],
);

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
pub(super) enum PathRewrite {
    /// Whole segments, as in Gateway API's `ReplacePrefixMatch`. Both are kept without a trailing
    /// slash.
    Prefix { from: Box<[u8]>, to: Box<[u8]> },
    /// The whole path.
    Full(FormatString),
    /// What the expression matches, as in Istio's `uriRegexRewrite`.
    Regex(Box<Replacer>),
}

impl Rewrite {
    pub(super) fn read(tree: &PolicyValue, budget: &Budget) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &REWRITE)?;
        Ok(Self {
            path: fields.optional("path", |t| PathRewrite::read(t, budget))?,
            authority: fields.optional("authority", authority)?,
        })
    }

    pub(super) fn apply<'a>(&'a self, draft: &mut Draft<'_, 'a>) {
        let request = draft.request;
        if let Some(target) = self.path.as_ref().and_then(|path| path.target(request)) {
            draft.write(":path", target);
        }
        if let Some(authority) = &self.authority {
            let written = authority.for_caller(request);
            if written != request.authority() {
                // Nothing here needs the header; but if the request has it, it must be true.
                let is_there = request.headers().iter().any(|(name, _)| forwarded_host(name));
                if is_there && destination::is_the_clients(draft) {
                    draft.set(FORWARDED_HOST, Cow::Borrowed(request.authority()));
                }
                draft.write(":authority", written);
            }
        }
    }

    /// Whether rewriting a request discards the value that its sender gave this header.
    pub(super) fn displaces(&self, trust: Trust, name: &[u8]) -> bool {
        self.authority.is_some() && trust == Trust::Edge && forwarded_host(name)
    }
}

fn forwarded_host(name: &[u8]) -> bool {
    names::covers(FORWARDED_HOST.as_bytes(), name)
}

impl PathRewrite {
    pub(super) fn read(tree: &PolicyValue, budget: &Budget) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &PATH_REWRITE)?;
        let form = fields.exactly_one(&KINDS)?;
        fields.required(form.field.name, |t| (form.read)(t, budget))
    }

    /// The new `:path`, query included. `None` if the path does not change, or if the result would not
    /// be a path.
    pub(super) fn target(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let path = request.path();
        let mut target = match self {
            Self::Prefix { from, to } => {
                let rest = path.strip_prefix(&**from).filter(|r| r.is_empty() || r.starts_with(b"/"))?;
                // From `/api` to `/`: `/api` becomes `/`, and `/api/x` becomes `/x`.
                let root: &[u8] = if to.is_empty() && rest.is_empty() { b"/" } else { b"" };
                [&**to, rest, root].concat()
            }
            Self::Full(text) => text.render(request)?.into_owned(),
            Self::Regex(replacer) => replacer.rewrite(path)?,
        };
        // A quoted `?` would start a query that the client made up.
        let is_path =
            target.starts_with(b"/") && target.iter().all(|b| *b > b' ' && *b != 0x7f && !b"?#".contains(b));
        if !is_path || target == path || target.len() > limits::VALUE_BYTES.saturating_add(path.len()) {
            return None;
        }
        if let Some(query) = request.query() {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        Some(target)
    }
}

fn prefix(tree: &PolicyValue) -> Result<PathRewrite, Invalid> {
    let fields = Fields::open(tree, &PREFIX)?;
    let end = |name| {
        let path = fields.required(name, absolute)?;
        names::header_value(path).map_err(|e| e.in_field(name))?;
        Ok(path.strip_suffix('/').unwrap_or(path).as_bytes().into())
    };
    Ok(PathRewrite::Prefix { from: end("from")?, to: end("to")? })
}

fn full(tree: &PolicyValue) -> Result<PathRewrite, Invalid> {
    let written = read::text(tree)?;
    let text = FormatString::new(written)?;
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

fn regex(tree: &PolicyValue, budget: &Budget) -> Result<PathRewrite, Invalid> {
    let fields = Fields::open(tree, &REGEX)?;
    let part = |name| fields.required(name, read::text);
    let replace = part("replace")?;
    names::header_value(replace).map_err(|e| e.in_field("replace"))?;
    budget.expression()?;
    let replacer = Replacer::new(part("match")?, replace)?;
    budget.hold(replacer.weight())?;
    Ok(PathRewrite::Regex(Box::new(replacer)))
}
