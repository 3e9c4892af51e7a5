//! The sources from which the key of a request is read.

use std::borrow::Cow;

use crate::language::describe::{Kind, Object, field, fields_of, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::request::Request;
use crate::matching::source;

/// One source of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    from: KeySource,
    trim: bool,
    lowercase: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum KeySource {
    Header(Box<str>),
    Cookie(Box<str>),
    QueryParam(Box<str>),
    /// From 1, as in `/1/2/3`.
    PathSegment(usize),
    SourceAddress,
    Principal,
    /// All of these, joined with a zero byte.
    All(Vec<Key>),
}

/// How a source is read under its name.
type Read = fn(&PolicyValue) -> Result<KeySource, Invalid>;

static SOURCES: [Kind<Read>; 7] = [
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
pub(super) static KEY: Object = object!(
    "key",
    Any,
    "One source of a key, and how it is brought to one form.",
    [&SOURCE],
    [
        field!("trim", Flag, Holds(false), "Whether blanks around it make no difference."),
        field!("lowercase", Flag, Holds(false), "Whether letter case makes no difference."),
    ],
);

fn copies(values: &mut dyn Iterator<Item = &[u8]>) -> impl Iterator<Item = Cow<'static, [u8]>> {
    values.map(|value| Cow::Owned(value.to_vec()))
}

impl Key {
    /// Reads the list of sources. Those within `all` count individually.
    pub(super) fn list(tree: &PolicyValue) -> Result<Vec<Self>, Invalid> {
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
        let from = fields.required(source.field.name, source.read)?;
        let option = |name| fields.optional(name, read::flag).map(Option::unwrap_or_default);
        Ok(Self { from, trim: option("trim")?, lowercase: option("lowercase")? })
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

    /// The key of a request. A value that is empty or unknown, or several values that differ, count as
    /// missing: otherwise requests of different users, or of none, would fall into one bucket.
    pub(super) fn of<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, [u8]>> {
        let mut key = match &self.from {
            KeySource::Header(name) => self.sole(&mut request.values(name.as_bytes()).map(Cow::Borrowed)),
            KeySource::Cookie(name) => self.sole(&mut copies(&mut request.cookie_values(name.as_bytes()))),
            KeySource::QueryParam(name) => self.sole(&mut copies(&mut request.query_values(name.as_bytes()))),
            KeySource::PathSegment(index) => {
                request.path().split(|b| *b == b'/').nth(*index).map(Cow::Borrowed)
            }
            // The address as text, so that one caller has one key in any proxy.
            KeySource::SourceAddress => {
                let ip = request.source().address.and_then(source::ip)?;
                Some(Cow::Owned(ip.to_string().into_bytes()))
            }
            KeySource::Principal => request.source().principal.map(Cow::Borrowed),
            KeySource::All(keys) => {
                let parts: Option<Vec<_>> = keys.iter().map(|key| key.of(request)).collect();
                parts.map(|parts| Cow::Owned(parts.join(&0u8)))
            }
        }?;
        if self.trim && key.trim_ascii().len() < key.len() {
            key = Cow::Owned(key.trim_ascii().to_vec());
        }
        if self.lowercase && key.iter().any(u8::is_ascii_uppercase) {
            key = Cow::Owned(key.to_ascii_lowercase());
        }
        Some(key).filter(|key| !key.is_empty())
    }

    /// The one key of several values, if all of them give the same key.
    fn sole<'a>(&self, values: &mut dyn Iterator<Item = Cow<'a, [u8]>>) -> Option<Cow<'a, [u8]>> {
        let first = values.next()?;
        for other in values {
            if !self.is_same(&first, &other) {
                return None;
            }
        }
        Some(first)
    }

    fn is_same(&self, one: &[u8], other: &[u8]) -> bool {
        let (one, other) = if self.trim { (one.trim_ascii(), other.trim_ascii()) } else { (one, other) };
        if self.lowercase { one.eq_ignore_ascii_case(other) } else { one == other }
    }

    /// For people: `header:x-user-id`.
    pub(super) fn describe(&self) -> String {
        match &self.from {
            KeySource::Header(name) => format!("header:{name}"),
            KeySource::Cookie(name) => format!("cookie:{name}"),
            // The name may hold bytes that are not valid in a header.
            KeySource::QueryParam(name) if !names::is_header_value(name.as_bytes()) => {
                "queryParam".to_owned()
            }
            KeySource::QueryParam(name) => format!("queryParam:{name}"),
            KeySource::PathSegment(index) => format!("pathSegment:{index}"),
            KeySource::SourceAddress => "sourceAddress".to_owned(),
            KeySource::Principal => "principal".to_owned(),
            KeySource::All(keys) => keys.iter().map(Self::describe).collect::<Vec<_>>().join("+"),
        }
    }

    pub(super) fn reads_address(&self) -> bool {
        match &self.from {
            KeySource::SourceAddress => true,
            KeySource::All(keys) => keys.iter().any(Self::reads_address),
            _ => false,
        }
    }

    pub(super) fn reads_principal(&self) -> bool {
        match &self.from {
            KeySource::Principal => true,
            KeySource::All(keys) => keys.iter().any(Self::reads_principal),
            _ => false,
        }
    }
}
