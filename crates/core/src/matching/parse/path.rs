//! Reads path matchers: the tests of values, and two tests that only paths have.

use super::value::{OPTIONS, open, options, test_of};
use super::{Budget, search};
use crate::language::describe::{Kind, Object, field, fields_of, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::path_template::PathTemplate;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::kind;
use crate::matching::path::{PathForm, PathMatch};
use crate::matching::value::{OF_PATHS, OfPath, Reader};

/// How a path test is read.
#[derive(Clone, Copy)]
enum ReadPath {
    Value(Reader),
    /// A test that only paths have; the flag means that letter case is ignored.
    Form(fn(Fields<'_>, bool) -> Result<PathForm, Invalid>),
}

const PATH_PREFIX: Kind<ReadPath> = Kind {
    field: field!(
        "pathPrefix",
        Pattern("^/[^?#]*$", limits::TEXT_BYTES),
        Optional,
        "The path starts with these whole segments: `/api` covers `/api/x` and not `/apix`."
    ),
    read: ReadPath::Form(path_prefix),
};

const TEMPLATE: Kind<ReadPath> = Kind {
    field: field!(
        "template",
        Text(1, limits::TEXT_BYTES),
        Optional,
        "The path fits this template, such as `/users/{id}` or `/static/*`."
    ),
    read: ReadPath::Form(template),
};

static KINDS: [Kind<ReadPath>; OF_PATHS.len() + 2] = kinds();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "runs while compiling")]
const fn kinds() -> [Kind<ReadPath>; OF_PATHS.len() + 2] {
    // The last one is the template.
    let mut kinds = [TEMPLATE; OF_PATHS.len() + 2];
    kinds[OF_PATHS.len()] = PATH_PREFIX;
    let mut i = 0;
    while i < OF_PATHS.len() {
        kinds[i] = Kind { field: OF_PATHS[i].field, read: ReadPath::Value(OF_PATHS[i].read) };
        i += 1;
    }
    kinds
}

static TEST: Object = object!("pathTest", ExactlyOne, "What a path must be.", [], fields_of(&KINDS));

/// A path matcher.
pub(crate) static PATH: Object =
    object!("path", Any, "A condition on a path: one test.", [&TEST, &OPTIONS], []);

/// Reads a path matcher.
pub(crate) fn path(tree: &PolicyValue, budget: &Budget) -> Result<PathMatch, Invalid> {
    let fields = open(tree, &PATH)?;
    let (ignore_case, invert) = options(fields)?;
    let kind = fields.exactly_one(&KINDS)?;
    let form = match &kind.read {
        ReadPath::Form(read) => read(fields, ignore_case)?,
        ReadPath::Value(reader) => {
            let name = kind.field.name;
            match reader.of_path {
                OfPath::Whole => _ = fields.required(name, absolute)?,
                OfPath::Wholes => _ = fields.required(name, |t| read::list(t, limits::VALUES, absolute))?,
                OfPath::Part | OfPath::Template | OfPath::AsWritten => {}
            }
            let mut value = test_of(name, reader, fields, (ignore_case, invert), budget)?;
            search(&mut value, budget, kind::Kind::Path, b"", true)?;
            PathForm::Value(value)
        }
    };
    Ok(PathMatch { form, ignore_case, invert })
}

/// The expression that every path must match that meets a path matcher, and whether it ignores letter
/// case.
pub(crate) fn expression(tree: &PolicyValue) -> Result<Option<(&str, bool)>, Invalid> {
    let fields = open(tree, &PATH)?;
    let (ignore_case, invert) = options(fields)?;
    let text = fields.optional("regex", read::text)?;
    Ok(text.filter(|_| !invert).map(|text| (text, ignore_case)))
}

/// What a path test called `name` takes.
pub(crate) fn of_path(name: &str) -> Option<OfPath> {
    let kind = KINDS.iter().find(|kind| kind.field.name == name)?;
    Some(match &kind.read {
        ReadPath::Value(reader) => reader.of_path,
        ReadPath::Form(_) if name == TEMPLATE.field.name => OfPath::Template,
        ReadPath::Form(_) => OfPath::Whole,
    })
}

fn path_prefix(fields: Fields<'_>, ignore_case: bool) -> Result<PathForm, Invalid> {
    let prefix = fields.required(PATH_PREFIX.field.name, absolute)?;
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let prefix = if ignore_case { prefix.to_ascii_lowercase() } else { prefix.to_owned() };
    Ok(PathForm::Segments(prefix.into_bytes().into()))
}

fn template(fields: Fields<'_>, ignore_case: bool) -> Result<PathForm, Invalid> {
    let template = fields.required(TEMPLATE.field.name, |t| PathTemplate::new(read::text(t)?))?;
    Ok(PathForm::Template(if ignore_case { template.to_lowercase() } else { template }))
}

/// A path from its root, without a query.
pub(crate) fn absolute(tree: &PolicyValue) -> Result<&str, Invalid> {
    let path = read::text(tree)?;
    // `OPTIONS *` reaches no filter: Envoy itself answers a target that is not a path.
    if path.starts_with('/') && !path.contains(['?', '#']) {
        return Ok(path);
    }
    Err(Invalid::new(
        Code::BadPath,
        format!("{path:?} cannot be a path"),
        "start it with \"/\"; match the query with \"queryParams\"",
    ))
}
