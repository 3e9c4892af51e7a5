//! How a policy writes the sources of a key.

use super::source::{Key, KeySource};
use crate::language::describe::{Kind, Object, field, fields_of, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::parse::metadata;

/// How a source is read under its name.
pub(super) type Read = fn(&PolicyValue) -> Result<KeySource, Invalid>;

pub(super) static SOURCES: [Kind<Read>; 11] = [
    Kind {
        field: field!("header", Pattern(TOKEN, 256), Optional, "The value of this header."),
        read: |t| names::header(read::text(t)?).map(KeySource::Header),
    },
    Kind {
        field: field!("cookie", Pattern(TOKEN, 256), Optional, "The value of this cookie."),
        read: |t| names::cookie(read::text(t)?).map(KeySource::Cookie),
    },
    Kind {
        field: field!(
            "queryParam",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "The value of this query parameter."
        ),
        read: |t| names::parameter(read::text(t)?).map(KeySource::QueryParam),
    },
    Kind {
        field: field!("pathSegment", Integer(1, 64), Optional, "This segment of the path, from 1."),
        read: |t| Ok(KeySource::PathSegment(usize::try_from(read::integer(t, 1..=64)?).unwrap_or(1))),
    },
    Kind {
        field: field!("sourceAddress", True, Optional, "The caller's address, without its port."),
        read: |t| read::only_true(t).map(|()| KeySource::SourceAddress),
    },
    Kind {
        field: field!("principal", True, Optional, "The SPIFFE name in the caller's certificate."),
        read: |t| read::only_true(t).map(|()| KeySource::Principal),
    },
    Kind {
        field: field!("host", True, Optional, "The host that the request asks for, without its port."),
        read: |t| read::only_true(t).map(|()| KeySource::Host),
    },
    Kind {
        field: field!(
            "traceId",
            True,
            Optional,
            "The trace's id in `traceparent`, `b3` or `x-b3-traceid`: its low 64 bits."
        ),
        read: |t| read::only_true(t).map(|()| KeySource::TraceId),
    },
    Kind {
        field: field!(
            "metadata",
            List(&Text(1, limits::TEXT_BYTES), 2, limits::METADATA_DEPTH),
            Optional,
            "The value under this path of dynamic metadata, such as a verified token's claim."
        ),
        read: |t| metadata::path(t).map(KeySource::Metadata),
    },
    Kind {
        field: field!("filterState", Text(1, 256), Optional, "The object of this name in filter state."),
        read: |t| read::text(t).map(|name| KeySource::FilterState(name.into())),
    },
    Kind {
        field: field!(
            "all",
            List(&Table(&KEY), 0, limits::KEYS),
            Optional,
            "All of these as one key, which is missing if one of them is."
        ),
        read: |t| read::list(t, limits::KEYS, Key::part).map(KeySource::All),
    },
];

static SOURCE: Object =
    object!("keySource", ExactlyOne, "Where a key is read from.", [], fields_of(&SOURCES));

/// One source of a key.
pub(crate) static KEY: Object = object!(
    "key",
    Any,
    "One source of a key, and how it is brought to one form.",
    [&SOURCE],
    [
        field!("member", Text(1, 256), Optional, "Of `header`: only this member, as in `baggage`."),
        field!(
            "decode",
            Words(|| words(&ENCODINGS)),
            Optional,
            "How the value is encoded: `percent` if `%41` stands for `A`."
        ),
        field!("trim", Flag, Holds(false), "Whether blanks around it make no difference."),
        field!("lowercase", Flag, Holds(false), "Whether letter case makes no difference."),
    ],
);

pub(super) const ENCODINGS: [(&str, bool); 1] = [("percent", true)];

/// Reads the name of a member: a token, as `baggage` and `tracestate` have it.
pub(super) fn member(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let written = read::text(tree)?;
    let is_name = |b: u8| b.is_ascii_graphic() && !matches!(b, b',' | b';' | b'=');
    if !written.is_empty() && written.bytes().all(is_name) {
        return Ok(written.into());
    }
    Err(Invalid::new(Code::BadValue, format!("{written:?} is not the name of a member"), "write \"userId\""))
}

impl Key {
    /// Reads the list of sources. Those within `all` count individually.
    pub(crate) fn list(tree: &PolicyValue) -> Result<Vec<Self>, Invalid> {
        let keys = read::list(tree, limits::KEYS, Self::read)?;
        let parts = |key: &Self| match &key.from {
            KeySource::All(keys) => keys.len(),
            _ => 1,
        };
        let count = keys.iter().map(parts).fold(0usize, usize::saturating_add);
        if count <= limits::KEY_PARTS {
            return Ok(keys);
        }
        Err(Invalid::new(
            Code::TooMany,
            format!("{count} sources, those in \"all\" included, more than {}", limits::KEY_PARTS),
            "leave some out: each may be looked for in the whole request",
        ))
    }

    fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &KEY)?;
        let source = fields.exactly_one(&SOURCES)?;
        let mut from = fields.required(source.field.name, source.read)?;
        if let Some(member) = fields.optional("member", member)? {
            let KeySource::Header(header) = from else {
                let help = "write it beside \"header\": \"baggage\"";
                return Err(
                    Invalid::new(Code::Conflict, "only \"header\" has members", help).in_field("member")
                );
            };
            from = KeySource::Member(header, member);
        }
        let is_encoded = fields.optional("decode", |t| read::word(t, &ENCODINGS))?.unwrap_or(false);
        let option = |name| fields.optional(name, read::flag).map(Option::unwrap_or_default);
        Ok(Self { from, is_encoded, trim: option("trim")?, lowercase: option("lowercase")? })
    }

    /// Reads one of the sources in `all`.
    fn part(tree: &PolicyValue) -> Result<Self, Invalid> {
        let key = Self::read(tree)?;
        if matches!(key.from, KeySource::All(_)) {
            let fault =
                Invalid::new(Code::Conflict, "\"all\" within \"all\"", "write its sources in the outer one");
            return Err(fault.in_field("all"));
        }
        Ok(key)
    }
}
