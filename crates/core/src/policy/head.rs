//! The part that every policy has.

use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{self, Callers, Mode, Trust};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::budget::Budget;
use crate::matching::matches::Match;
use crate::matching::parse;
use crate::policy::series::{self, LABELS, LabelEncoding};
use crate::policy::written::Written;

const TRUSTS: [(&str, Trust); 2] = [("edge", Trust::Edge), ("mesh", Trust::Mesh)];
const CALLERS: [(&str, Callers); 2] = [("presented", Callers::Presented), ("verified", Callers::Verified)];

pub(crate) static HEAD: Object = object!(
    "head",
    Any,
    "What every policy may say.",
    [],
    [
        field!(
            "filter",
            Text(1, limits::NAME),
            Optional,
            "The filter that the policy is for: any other refuses it."
        ),
        modes::MODE,
        field!(
            "trust",
            Words(|| words(&TRUSTS)),
            Says("edge"),
            "Whether a client's headers that only the mesh may write are removed (`edge`) or believed (`mesh`)."
        ),
        field!(
            "callers",
            Words(|| words(&CALLERS)),
            Says("presented"),
            "Whose certificate names a caller: of whom Envoy lets in, or only if it was verified on this connection."
        ),
        field!(
            "explain",
            Table(&EXPLAIN),
            Optional,
            "Which requests get the decision explained in a response header."
        ),
        FILTER_STATE,
        LABELS,
    ],
);

/// What a part of a merged policy may say besides its filter's own fields.
pub(crate) static PART_HEAD: Object = object!(
    "partHead",
    Any,
    "What a part may say beside its filter's fields.",
    [],
    [field!(
        "mode",
        Words(|| words(&modes::MODES)),
        Says("enforce"),
        "Whether this part acts, only counts and explains, or is switched off; within the mode of the policy."
    )],
);

/// `filterState` of a policy.
pub(crate) const FILTER_STATE: Field = field!(
    "filterState",
    Flag,
    Holds(true),
    "Whether the decision is written as filter state, for later filters and access logs; `false` is cheaper."
);

static EXPLAIN: Object = object!(
    "explain",
    Any,
    "When and where a decision is explained.",
    [],
    [
        field!("header", Pattern(TOKEN, 256), Says(EXPLAIN_HEADER), "The response header that explains."),
        field!("when", Table(&parse::MATCH), Required, "The requests whose decision is explained."),
    ],
);

pub(crate) const EXPLAIN_HEADER: &str = "x-narrows-explain";

/// The part that every policy has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) mode: Mode,
    pub(crate) trust: Trust,
    pub(crate) callers: Callers,
    pub(crate) explain: Option<Explain>,
    /// Whether decisions stay out of the filter state.
    pub(crate) is_silent: bool,
    pub(crate) labels: LabelEncoding,
    /// Whether the policy is a part of a merged one.
    pub(crate) is_part: bool,
}

/// When and where a decision is explained to the client.
#[derive(Clone, Debug)]
pub(crate) struct Explain {
    pub(crate) header: Box<str>,
    pub(crate) when: Match,
}

impl Head {
    /// Opens a policy.
    pub(crate) fn open<'t>(written: &'t Written<'_>, budget: &Budget) -> Result<(Self, Fields<'t>), Invalid> {
        let Written { tree, filter, object, whole } = written;
        budget.open(tree)?;
        let fields = if let Some((whole, _)) = whole {
            Fields::open_part(tree, object, whole, &HEAD)?
        } else {
            // This comes first, so that a policy for another filter is not refused for its fields.
            Fields::before_all(tree, object, "filter", |named| match read::text(named)? {
                named if named == *filter => Ok(()),
                named => Err(wrong_filter(named, filter)),
            })?;
            Fields::open(tree, object)?
        };
        let head = Self {
            mode: modes::mode(fields)?.within(whole.map_or(Mode::Enforce, |(_, mode)| mode)),
            trust: fields.optional("trust", |t| read::word(t, &TRUSTS))?.unwrap_or_default(),
            callers: fields.optional("callers", |t| read::word(t, &CALLERS))?.unwrap_or_default(),
            explain: fields.optional("explain", |t| Explain::read(t, budget))?,
            is_silent: fields.optional(FILTER_STATE.name, read::flag)? == Some(false),
            labels: fields.optional(LABELS.name, series::label_encoding)?.unwrap_or_default(),
            is_part: whole.is_some(),
        };
        Ok((head, fields))
    }
}

impl Explain {
    fn read(tree: &PolicyValue, budget: &Budget) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &EXPLAIN)?;
        Ok(Self {
            header: fields
                .optional("header", |t| names::writable_header(read::text(t)?))?
                .unwrap_or_else(|| EXPLAIN_HEADER.into()),
            when: fields.required("when", |t| parse::read_match(t, budget))?,
        })
    }
}

fn wrong_filter(named: &str, filter: &str) -> Invalid {
    Invalid::new(
        Code::WrongFilter,
        format!("this policy is for {named:?}, this filter is {filter:?}"),
        "attach it to the filter that it names",
    )
}
