//! The bounds of a value: printable, of limited length, of few characters.

use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::read::{self, Fields};

/// The bytes that a tag's value takes besides its text.
pub(super) const VALUE: usize = 160;

/// The bounds of one tag's values.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// Bytes of a value; a longer one is cut.
    length: usize,
    /// The characters allowed besides letters and digits. Without it, all possible characters are
    /// allowed.
    allowed: Option<Box<str>>,
    /// How many values that nobody declared are counted apart.
    pub(super) values: usize,
}

/// What replaces a character that is not allowed.
const REPLACEMENT: char = '_';
/// Characters that no value holds: the `stock` label encoding uses `=` and `;`, and the text format of
/// Prometheus uses quotes and backslashes.
const FORBIDDEN: &str = "=;\"\\";

/// Bytes of a value that a policy writes.
#[cfg(any(test, feature = "describe"))]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a hundred or so")]
pub(super) const LONGEST: usize = limits::TAG_LENGTH.0 as usize;

/// The bounds of a tag's values.
pub(super) static BOUND: Object = object!(
    "bound",
    Any,
    "What a tag's values may look like, and how many there may be.",
    [],
    [
        field!(
            "maxValues",
            Integer(1, limits::TAG_VALUES.0),
            Counts(limits::TAG_VALUES.1),
            "How many values that nobody declared have a name: the first that come."
        ),
        field!(
            "maxLength",
            Integer(1, limits::TAG_LENGTH.0),
            Optional,
            "Bytes of a value; what is longer is cut. Without it 64, and 128 for names of the mesh."
        ),
        field!(
            "allow",
            Text(0, limits::TEXT_BYTES),
            Optional,
            "The characters besides letters and digits; without it all that a label may hold."
        ),
    ],
);

impl Bound {
    /// Reads `maxLength`, `allow` and `maxValues`. `declared` means that all values are known
    /// beforehand, so that there is no room for others. `long` means that the values are names of the
    /// mesh, which are long.
    pub(super) fn read(fields: Fields<'_>, declared: bool, long: bool) -> Result<Self, Invalid> {
        let (longest, length) = limits::TAG_LENGTH;
        let length = if long { longest } else { length };
        let (most, values) = limits::TAG_VALUES;
        if declared && fields.has("maxValues") {
            return Err(Invalid::new(
                Code::Conflict,
                "the values of this tag are declared, so \"maxValues\" has no effect",
                "leave it out; anything else is \"other\"",
            )
            .in_field("maxValues"));
        }
        let length = fields.optional("maxLength", |t| read::integer(t, 1..=longest))?.unwrap_or(length);
        let values = fields.optional("maxValues", |t| read::integer(t, 1..=most))?.unwrap_or(values);
        let allowed = fields.optional("allow", |t| {
            let extra = read::text(t)?;
            extra.chars().find(|c| !is_possible(*c)).map_or(Ok(extra), |c| Err(impossible(c)))
        })?;
        Ok(Self {
            length: usize::try_from(length).unwrap_or(1),
            allowed: allowed.map(Into::into),
            values: if declared { 0 } else { usize::try_from(values).unwrap_or(0) },
        })
    }

    /// The most bytes that a value has.
    pub(super) fn longest(&self) -> usize {
        self.length
    }

    /// The bounded form of any bytes.
    pub(super) fn of(&self, value: &[u8]) -> String {
        let is_allowed = |c: char| match &self.allowed {
            Some(extra) => c.is_ascii_alphanumeric() || extra.contains(c),
            None => is_possible(c),
        };
        let bounded = |byte: &u8| Some(char::from(*byte)).filter(|c| is_allowed(*c)).unwrap_or(REPLACEMENT);
        value.iter().take(self.length).map(bounded).collect()
    }
}

/// A text of the policy's own that becomes a label's value.
pub(super) fn value(written: &str) -> Result<Box<str>, Invalid> {
    let (longest, _) = limits::TAG_LENGTH;
    if written.is_empty() || i64::try_from(written.len()).unwrap_or(i64::MAX) > longest {
        return Err(Invalid::new(
            Code::BadValue,
            format!("a value has 1 to {longest} characters"),
            "write a short word",
        ));
    }
    written.chars().find(|c| !is_possible(*c)).map_or_else(|| Ok(written.into()), |c| Err(impossible(c)))
}

/// The text of a template or host in the form of a value: characters that a value may not hold are
/// replaced.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if is_possible(c) { c } else { REPLACEMENT }).collect()
}

fn is_possible(c: char) -> bool {
    (c == ' ' || c.is_ascii_graphic()) && !FORBIDDEN.contains(c)
}

fn impossible(c: char) -> Invalid {
    Invalid::new(
        Code::BadValue,
        format!("a label's value cannot hold {c:?}"),
        "use printable ASCII without = ; \" and backslash",
    )
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{BOUND, Bound, value};
    use crate::language::policy_value::PolicyValue;
    use crate::language::read::Fields;

    fn bound(text: &str) -> Bound {
        let tree = PolicyValue::parse(text.as_bytes()).unwrap();
        Bound::read(Fields::open(&tree, &BOUND).unwrap(), false, false).unwrap()
    }

    #[test]
    fn any_bytes_become_printable() {
        let all: Vec<u8> = (0..=255).collect();
        let text = bound(r#"{"maxLength": 128}"#).of(&all);
        assert_eq!(text.len(), 128);
        assert!(text.bytes().all(|b| (b' '..0x7f).contains(&b) && !b"=;\"\\".contains(&b)));
        assert_eq!(bound("{}").of(b"a;.;b=.=c\"\n\xff"), "a_._b_._c___");
        assert_eq!(bound(r#"{"allow": "-."}"#).of(b"v1.2 /-"), "v1.2__-");
        assert_eq!(bound(r#"{"maxLength": 3}"#).of(b"abcdef"), "abc");
    }

    #[test]
    fn what_could_break_a_label_cannot_be_declared() {
        for text in ["", "a;b", "a=b", "a\"b", "a\nb", "\u{e4}", "a\\b"] {
            assert!(value(text).is_err(), "{text:?}");
        }
        assert!(value("/books/{id} {*}").is_ok());
        let tree = PolicyValue::parse(br#"{"allow": "=;"}"#).unwrap();
        assert!(Bound::read(Fields::open(&tree, &BOUND).unwrap(), false, false).is_err());
    }
}
