//! The host of a location: a fixed one, or one made from the host that the request asked for.

use std::borrow::Cow;

use crate::action::destination;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::request::Request;
use crate::wire::host::is_name;

/// What stands for the host that the request asked for.
const HOST: &str = "%HOST%";

pub(super) static STRIP: Object = object!(
    "hostWithout",
    Any,
    "The host that the request asked for, without a prefix.",
    [],
    [field!(
        "stripPrefix",
        Text(1, limits::NAME),
        Required,
        "What is taken off the host's start; another host stays as it is."
    )],
);

/// `authority` of a redirect.
#[derive(Clone, Debug)]
pub(super) enum Authority {
    Fixed(destination::Authority),
    /// The request's host with a text before and behind it, perhaps with a port.
    Around {
        before: Box<[u8]>,
        behind: Box<[u8]>,
        port: Option<u16>,
    },
    /// The request's host without a prefix.
    Without(Box<[u8]>),
}

impl Authority {
    pub(super) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        if let PolicyValue::Table(_) = tree {
            let fields = Fields::open(tree, &STRIP)?;
            return fields.required("stripPrefix", |t| {
                let prefix = read::text(t)?.to_ascii_lowercase();
                // With a label behind it, it is a host.
                part(&format!("{prefix}a"), &prefix)?;
                Ok(Self::Without(prefix.into_bytes().into()))
            });
        }
        let written = read::text(tree)?;
        let Some((before, rest)) = written.split_once(HOST) else {
            return destination::authority(tree).map(Self::Fixed);
        };
        let port = part(&[before, "a", rest].concat(), written)?.port();
        let behind = port.map_or(rest, |_| rest.rsplit_once(':').map_or(rest, |(behind, _)| behind));
        let bytes = |text: &str| text.to_ascii_lowercase().into_bytes().into();
        Ok(Self::Around { before: bytes(before), behind: bytes(behind), port })
    }

    /// Whether it has a port of its own.
    pub(super) fn has_port(&self) -> bool {
        match self {
            Self::Fixed(fixed) => fixed.port().is_some(),
            Self::Around { port, .. } => port.is_some(),
            Self::Without(_) => false,
        }
    }

    /// The host of the location. None if it would not be a host. What a host has already is not put
    /// around it again: `www.%HOST%` leads `www.example.com` nowhere else.
    pub(super) fn host<'a>(&'a self, request: &'a Request<'_>) -> Option<Cow<'a, [u8]>> {
        let asked = request.host().name();
        match self {
            Self::Fixed(fixed) => Some(Cow::Borrowed(fixed.host())),
            Self::Without(prefix) => {
                let host = asked.strip_prefix(&**prefix).unwrap_or(asked);
                is_name(host).then_some(Cow::Borrowed(host))
            }
            Self::Around { before, behind, .. } if asked.starts_with(before) && asked.ends_with(behind) => {
                Some(Cow::Borrowed(asked))
            }
            Self::Around { before, behind, .. } => {
                let host = [before, asked, behind].concat();
                (is_name(&host) && !is_address(&host)).then_some(Cow::Owned(host))
            }
        }
    }

    /// The authority of the location. The port of the request stays with its scheme, unless the host
    /// has a port of its own or is a fixed one.
    pub(super) fn location(&self, other_scheme: bool, request: &Request<'_>) -> Option<Vec<u8>> {
        if let Self::Fixed(fixed) = self {
            return Some(fixed.location(other_scheme, request));
        }
        let own =
            if let Self::Around { port: Some(port), .. } = self { Some(port.to_string()) } else { None };
        let of_request = || request.host().port().filter(|_| !other_scheme);
        let port = own.as_deref().map(str::as_bytes).or_else(of_request);
        let host = self.host(request)?;
        if own.is_none() && !other_scheme && *host == *request.host().name() {
            return Some(request.authority().to_vec());
        }
        let mut written = host.into_owned();
        if let Some(port) = port {
            written.push(b':');
            written.extend_from_slice(port);
        }
        Some(written)
    }
}

/// Whether a name ends in a number: then it is an address, or nobody's name, as `www.10.0.0.1` is.
fn is_address(name: &[u8]) -> bool {
    name.rsplit(|byte| *byte == b'.').next().is_some_and(|last| last.iter().all(u8::is_ascii_digit))
}

/// Reads an authority that was made from a part of one.
fn part(made: &str, written: &str) -> Result<destination::Authority, Invalid> {
    names::header_value(written)?;
    destination::authority(&PolicyValue::Text(made.to_owned())).map_err(|_| {
        Invalid::new(
            Code::BadHost,
            format!("{written:?} makes no host"),
            "write \"www.%HOST%\", {\"stripPrefix\": \"www.\"} or a host",
        )
    })
}
