//! Reading `pathTemplates`.

use crate::filter::tags::bound::{self, VALUE};
use crate::filter::tags::paths::Paths;
use crate::filter::tags::source::Reading;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::path_template::PathTemplate;
use crate::language::read::{self, Fields};
use crate::language::tree::Tree;

/// `pathTemplates` of a tag.
pub(super) const PATH_TEMPLATES: Field = field!(
    "pathTemplates",
    List(&Either(&[Text(1, limits::TEXT_BYTES), Table(&TEMPLATE)]), 0, limits::TEMPLATES),
    Optional,
    "The most specific of these templates that the path fits."
);

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

/// What a segment of a template takes: a node, and a word.
const SEGMENT: usize = 160;

/// A template is its own value, or `{"template": …, "value": …}` names one.
pub(super) fn paths(tree: &Tree, reading: &mut Reading<'_>) -> Result<Paths, Invalid> {
    let mut paths = Paths::new();
    read::list(tree, limits::TEMPLATES, |t| {
        let (written, value) = match t {
            Tree::Table(_) => {
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
        paths.insert(&template, written, reading.book.declare(reading.tag, &value))
    })?;
    paths.bounded()
}
