//! The sources from which the key of a request is read.

use std::borrow::Cow;

use crate::filter::split::anonymous::is_id;
use crate::language::names;
use crate::matching::request::Request;
use crate::matching::source;
use crate::wire::{member, percent, trace};

/// One source of a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(super) from: KeySource,
    /// Whether the value is percent-encoded.
    pub(super) is_encoded: bool,
    pub(super) trim: bool,
    pub(super) lowercase: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum KeySource {
    Header(Box<str>),
    /// A member of the lists in this header.
    Member(Box<str>, Box<str>),
    Cookie(Box<str>),
    QueryParam(Box<str>),
    /// From 1, as in `/1/2/3`.
    PathSegment(usize),
    SourceAddress,
    Principal,
    Host,
    TraceId,
    /// Its names with zero bytes between them.
    Metadata(Box<[u8]>),
    FilterState(Box<str>),
    /// The id in this cookie, which the split itself gives.
    AnonymousId(Box<str>),
    /// All of these, joined with a zero byte.
    All(Vec<Key>),
}

fn copies(values: &mut dyn Iterator<Item = &[u8]>) -> impl Iterator<Item = Cow<'static, [u8]>> {
    values.map(|value| Cow::Owned(value.to_vec()))
}

impl Key {
    /// The id that a split gives in this cookie. What is no id in form is missing.
    pub(crate) fn anonymous_id(cookie: Box<str>) -> Self {
        Self { from: KeySource::AnonymousId(cookie), is_encoded: false, trim: false, lowercase: false }
    }

    /// The key of a request. A value that is empty or unknown, or several values that differ, count as
    /// missing: otherwise requests of different users, or of none, would fall into one bucket.
    pub(crate) fn of<'a>(&self, request: &Request<'a>) -> Option<Cow<'a, [u8]>> {
        let one = |value: Option<Cow<'a, [u8]>>| value.map(|value| self.in_one_form(value));
        let key = match &self.from {
            KeySource::Header(name) => self.sole(&mut request.values(name.as_bytes()).map(Cow::Borrowed)),
            KeySource::Member(header, name) => {
                let lines = request.values(header.as_bytes());
                let values = lines.flat_map(|line| member::values(line, name.as_bytes()));
                self.sole(&mut values.map(Cow::Borrowed))
            }
            KeySource::Cookie(name) => self.sole(&mut copies(&mut request.cookie_values(name.as_bytes()))),
            KeySource::AnonymousId(name) => {
                let ids = self.sole(&mut copies(&mut request.cookie_values(name.as_bytes())));
                ids.filter(|id| is_id(id))
            }
            KeySource::QueryParam(name) => self.sole(&mut copies(&mut request.query_values(name.as_bytes()))),
            KeySource::PathSegment(index) => {
                one(request.path().split(|b| *b == b'/').nth(*index).map(Cow::Borrowed))
            }
            // The address as text, so that one caller has one key in any proxy.
            KeySource::SourceAddress => {
                let ip = request.source().address.and_then(source::ip)?;
                Some(Cow::Owned(ip.to_string().into_bytes()))
            }
            KeySource::Principal => one(request.source().principal.map(Cow::Borrowed)),
            KeySource::Host => one(Some(Cow::Owned(request.host().name().to_vec()))),
            KeySource::TraceId => {
                let ids = trace::ids(|name| request.values(name));
                self.sole(&mut ids.into_iter().map(Cow::Owned))
            }
            KeySource::Metadata(path) => {
                let values = request.metadata_values(path);
                self.sole(&mut copies(&mut values.values(b"")))
            }
            KeySource::FilterState(name) => one(request.filter_state(name).map(Cow::Borrowed)),
            KeySource::All(keys) => {
                let parts: Option<Vec<_>> = keys.iter().map(|key| key.of(request)).collect();
                parts.map(|parts| Cow::Owned(parts.join(&0u8)))
            }
        }?;
        Some(key).filter(|key| !key.is_empty())
    }

    /// The one key of several values, if all of them give the same key.
    fn sole<'a>(&self, values: &mut dyn Iterator<Item = Cow<'a, [u8]>>) -> Option<Cow<'a, [u8]>> {
        let first = self.in_one_form(values.next()?);
        for other in values {
            if self.in_one_form(other) != first {
                return None;
            }
        }
        Some(first)
    }

    /// A value decoded, trimmed and in lower case, as far as the policy says so.
    fn in_one_form<'a>(&self, mut value: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
        if self.is_encoded && value.contains(&b'%') {
            value = Cow::Owned(percent::decode(&value).into_owned());
        }
        if self.trim && value.trim_ascii().len() < value.len() {
            value = Cow::Owned(value.trim_ascii().to_vec());
        }
        if self.lowercase && value.iter().any(u8::is_ascii_uppercase) {
            value = Cow::Owned(value.to_ascii_lowercase());
        }
        value
    }

    /// For people: `header:x-user-id`.
    pub(crate) fn describe(&self) -> String {
        match &self.from {
            KeySource::Header(name) => format!("header:{name}"),
            KeySource::Cookie(name) => format!("cookie:{name}"),
            KeySource::AnonymousId(name) => format!("anonymousId:{name}"),
            // The name may hold bytes that are not valid in a header.
            KeySource::QueryParam(name) if !names::is_header_value(name.as_bytes()) => {
                "queryParam".to_owned()
            }
            KeySource::QueryParam(name) => format!("queryParam:{name}"),
            KeySource::PathSegment(index) => format!("pathSegment:{index}"),
            KeySource::Member(header, member) => format!("header:{header}[{member}]"),
            KeySource::Metadata(path) => {
                let names = String::from_utf8_lossy(path).replace('\0', "/");
                if names::is_header_value(names.as_bytes()) {
                    format!("metadata:{names}")
                } else {
                    "metadata".to_owned()
                }
            }
            KeySource::FilterState(name) => format!("filterState:{name}"),
            KeySource::Host => "host".to_owned(),
            KeySource::TraceId => "traceId".to_owned(),
            KeySource::SourceAddress => "sourceAddress".to_owned(),
            KeySource::Principal => "principal".to_owned(),
            KeySource::All(keys) => keys.iter().map(Self::describe).collect::<Vec<_>>().join("+"),
        }
    }

    /// For tools: the source, and how its value is read.
    pub(crate) fn reading(&self) -> String {
        let mut text = match &self.from {
            KeySource::All(keys) => keys.iter().map(Self::reading).collect::<Vec<_>>().join("+"),
            _ => self.describe(),
        };
        for (is_so, word) in [(self.is_encoded, "decode"), (self.trim, "trim"), (self.lowercase, "lowercase")]
        {
            if is_so {
                text.push(' ');
                text.push_str(word);
            }
        }
        text
    }

    /// The key that one value of the source gives; nothing if the source is no single value.
    pub(crate) fn of_value<'a>(&self, value: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let key = match &self.from {
            KeySource::All(_) => return None,
            KeySource::SourceAddress => Cow::Owned(source::ip(value)?.to_string().into_bytes()),
            KeySource::TraceId => {
                let id = trace::id(b"x-b3-traceid", value)?;
                self.in_one_form(Cow::Owned(id))
            }
            KeySource::Host => self.in_one_form(Cow::Owned(value.to_ascii_lowercase())),
            KeySource::AnonymousId(_) if !is_id(value) => return None,
            _ => self.in_one_form(Cow::Borrowed(value)),
        };
        Some(key).filter(|key| !key.is_empty())
    }

    /// Whether a key is one value.
    pub(crate) fn is_one_value(&self) -> bool {
        !matches!(self.from, KeySource::All(_))
    }

    pub(crate) fn reads_address(&self) -> bool {
        self.any(&|key| matches!(key, KeySource::SourceAddress))
    }

    pub(crate) fn reads_principal(&self) -> bool {
        self.any(&|key| matches!(key, KeySource::Principal))
    }

    pub(crate) fn reads_metadata(&self) -> bool {
        self.any(&|key| matches!(key, KeySource::Metadata(_)))
    }

    /// The objects of filter state that it reads.
    pub(crate) fn filter_state(&self) -> Vec<Box<str>> {
        match &self.from {
            KeySource::FilterState(name) => vec![name.clone()],
            KeySource::All(keys) => keys.iter().flat_map(Self::filter_state).collect(),
            _ => Vec::new(),
        }
    }

    fn any(&self, is: &dyn Fn(&KeySource) -> bool) -> bool {
        match &self.from {
            KeySource::All(keys) => keys.iter().any(|key| key.any(is)),
            source => is(source),
        }
    }
}
