//! What is counted: a name, a kind, and a number from each request.

use super::source::PropertyReads;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::policy::series::Kind;

/// A metric.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    pub(super) name: Box<str>,
    pub(super) kind: Kind,
    pub(super) value: Value,
    /// The indices of its tags.
    pub(super) tags: Vec<usize>,
    /// The index of its overflow series.
    pub(super) overflow: usize,
}

const KINDS: [(&str, Kind); 3] =
    [("counter", Kind::Counter), ("histogram", Kind::Histogram), ("gauge", Kind::Gauge)];

pub(super) static METRIC: Object = object!(
    "metric",
    Any,
    "What is counted, and by which tags.",
    [],
    [
        field!(
            "name",
            Pattern("^[A-Za-z_][A-Za-z0-9_]*$", limits::NAME),
            Required,
            "Its name in Prometheus."
        ),
        field!("type", Words(|| words(&KINDS)), Says("counter"), "How it counts."),
        field!(
            "value",
            Either(&[Words(|| words(&VALUES)), Numbers(&[1])]),
            Optional,
            "What a request adds; a counter's is 1 if it is left out."
        ),
        field!(
            "tags",
            List(&Text(1, limits::NAME), 0, limits::METRIC_TAGS),
            Optional,
            "The names of its tags."
        ),
    ],
);

/// The number that a request adds. Indices are those of properties among those that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    One,
    /// In nanoseconds; counted in milliseconds.
    Milliseconds(usize),
    Bytes(usize),
    /// In nanoseconds since the epoch, and since then; set in seconds. The end of a request, not its beginning: those
    /// of one tag are counted as they end, and the gauge must not run back.
    Seconds(usize, usize),
}

impl Metric {
    /// Reads a metric; `find` finds its tags.
    pub(super) fn read(
        tree: &PolicyValue,
        reads: &mut PropertyReads,
        find: impl Fn(&str) -> Result<usize, Invalid>,
    ) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &METRIC)?;
        let name = fields.required("name", |t| name(read::text(t)?))?;
        let kind = fields.optional("type", |t| read::word(t, &KINDS))?.unwrap_or(Kind::Counter);
        let tags =
            fields.optional("tags", |t| read::list(t, limits::METRIC_TAGS, |t| find(read::text(t)?)))?;
        let tags = tags.unwrap_or_default();
        if let Some(twice) = tags.iter().enumerate().find(|(i, tag)| tags.iter().take(*i).any(|t| t == *tag))
        {
            return Err(Invalid::new(Code::RepeatedName, "duplicate tag", "keep one")
                .in_index(twice.0)
                .in_field("tags"));
        }
        let value = match fields.optional("value", |t| value(t, reads))? {
            Some(Value::Seconds(..)) if kind != Kind::Gauge => {
                return Err(misfit("\"time\" needs a gauge", "write \"type\": \"gauge\""));
            }
            Some(Value::One) if kind == Kind::Gauge => {
                return Err(misfit("a gauge of 1 would never change", "use \"time\", or a counter"));
            }
            Some(value) => value,
            None if kind == Kind::Counter => Value::One,
            None => {
                return Err(misfit(
                    "missing \"value\": what the histogram or gauge measures",
                    "write \"value\": \"duration\", \"requestBytes\" or \"responseBytes\"",
                ));
            }
        };
        Ok(Self { name, kind, value, tags, overflow: 0 })
    }

    /// The number for a request; `None` if it is not known.
    pub(super) fn number(&self, observed: &[Option<Vec<u8>>]) -> Option<u64> {
        let read = |index: usize| super::property::number(observed.get(index)?.as_deref()?);
        match self.value {
            Value::One => Some(1),
            Value::Milliseconds(index) => read(index)?.checked_div(1_000_000),
            Value::Bytes(index) => Some(read(index).unwrap_or_default()),
            Value::Seconds(began, lasted) => {
                read(began)?.saturating_add(read(lasted).unwrap_or_default()).checked_div(1_000_000_000)
            }
        }
    }
}

/// `1` is written as a number or as text.
fn value(tree: &PolicyValue, reads: &mut PropertyReads) -> Result<Value, Invalid> {
    if *tree == PolicyValue::Integer(1) {
        return Ok(Value::One);
    }
    Ok(read::word(tree, &VALUES)?(reads))
}

const VALUES: [(&str, fn(&mut PropertyReads) -> Value); 5] = [
    ("1", |_| Value::One),
    ("duration", |reads| Value::Milliseconds(reads.index(&["request", "duration"]))),
    ("requestBytes", |reads| Value::Bytes(reads.index(&["request", "size"]))),
    ("responseBytes", |reads| Value::Bytes(reads.index(&["response", "size"]))),
    ("time", |reads| {
        Value::Seconds(reads.index(&["request", "time"]), reads.index(&["request", "duration"]))
    }),
];

/// The name of a metric, as Prometheus allows it.
fn name(written: &str) -> Result<Box<str>, Invalid> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let first = written.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let own = written.starts_with("narrows_");
    if first && !own && written.len() <= limits::NAME && written.bytes().all(plain) {
        return Ok(written.into());
    }
    Err(Invalid::new(
        Code::BadLabel,
        format!("{written:?} cannot be the name of a metric"),
        format!("use 1 to {} letters, digits and _; \"narrows_\" is for the filters' own", limits::NAME),
    ))
}

fn misfit(message: &str, help: &str) -> Invalid {
    Invalid::new(Code::Conflict, message, help).in_field("value")
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{Kind, Metric, Value};

    /// A long request that began first ends last: the gauge does not run back.
    #[test]
    fn a_time_is_that_of_the_end() {
        let gauge = Metric {
            name: "seen".into(),
            kind: Kind::Gauge,
            value: Value::Seconds(0, 1),
            tags: Vec::new(),
            overflow: 0,
        };
        let nanos = |seconds: i64| Some((seconds * 1_000_000_000).to_le_bytes().to_vec());
        let short = gauge.number(&[nanos(3_590), nanos(1)]);
        let long = gauge.number(&[nanos(0), nanos(3_600)]);
        assert_eq!((short, long), (Some(3_591), Some(3_600)));
        assert_eq!(gauge.number(&[nanos(5), None]), Some(5));
        assert_eq!(gauge.number(&[None, nanos(5)]), None);
    }
}
