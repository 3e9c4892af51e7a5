//! `pathTemplates`: the most specific template that the path fits.

use super::{Reading, Reads, TagSource, Value, Values};
use crate::filter::tags::bound::{self, VALUE};
use crate::filter::tags::paths::Paths;
use crate::filter::tags::registry::OTHER;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::path_template::PathTemplate;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::request::Request;

#[derive(Clone, Debug)]
pub(in crate::filter::tags) struct PathTemplates(Paths);

static TEMPLATE: Object = object!(
    "template",
    Any,
    "A path template, and the value that stands for it.",
    [],
    [
        field!("template", Text(1, limits::TEXT_BYTES), Required, "The template, such as `/users/{id}`."),
        field!("value", Text(1, bound::LONGEST), Required, "The tag's value."),
    ],
);

/// What a template's segment takes: a node, and a word.
const SEGMENT: usize = 160;

impl TagSource for PathTemplates {
    const FIELD: Field = field!(
        "pathTemplates",
        List(&Either(&[Text(1, limits::TEXT_BYTES), Table(&TEMPLATE)]), 0, limits::TEMPLATES),
        Optional,
        "The most specific of these templates that the path fits."
    );
    const VALUES: Values = Values::OfSource;
    const READS: Reads = Reads::Only(":path");

    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid> {
        paths(tree, reading).map(Self)
    }

    fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
        Value::Known(self.0.find(request.path()).unwrap_or(OTHER))
    }
}

/// A template is its own value, unless `{"template": …, "value": …}` names another.
fn paths(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Paths, Invalid> {
    let mut paths = Paths::new();
    read::list(tree, limits::TEMPLATES, |t| {
        let (written, value) = match t {
            PolicyValue::Table(_) => {
                let fields = Fields::open(t, &TEMPLATE)?;
                let value = fields.required("value", |t| bound::value(read::text(t)?))?;
                (fields.required("template", read::text)?, value.into())
            }
            _ => (read::text(t)?, bound::printable(read::text(t)?)),
        };
        let segments = written.bytes().filter(|b| *b == b'/').count();
        reading.budget.hold(VALUE.saturating_add(segments.saturating_mul(SEGMENT)))?;
        let template = PathTemplate::new(written)?;
        if template.segments().0.len() > limits::TEMPLATE_SEGMENTS || bound::value(&value).is_err() {
            return Err(Invalid::new(
                Code::BadPath,
                "the template is too long for a label",
                format!(
                    "at most {} segments; name it: {{\"template\": …, \"value\": \"short\"}}",
                    limits::TEMPLATE_SEGMENTS
                ),
            ));
        }
        paths.insert(&template, written, reading.declare(&value))
    })?;
    paths.bounded()
}
