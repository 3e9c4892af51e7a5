//! Where the value of a tag is read.

use super::book::{Book, MISSING, OTHER};
use super::bound::{self, VALUE};
use super::hosts::HostMap;
use super::meter::Path;
use super::paths::Paths;
use super::rules::Rules;
use super::{classes, property};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::Callers;
use crate::language::path_template::PathTemplate;
use crate::language::read::{self, Fields};
use crate::language::tree::Tree;
use crate::language::{limits, names};
use crate::matching::budget::Budget;
use crate::policy::code_class::CODE_CLASSES;
use crate::policy::series::Stock;

/// The source of a tag. Numbers of values are the book's, places of properties those
/// of [`Wants`].
#[derive(Clone, Debug)]
pub(super) enum Source {
    Fixed(u32),
    /// Settled when the policy is loaded.
    Constant,
    Header(Box<[u8]>),
    Cookie(Box<[u8]>),
    Query(Box<[u8]>),
    Method,
    Host,
    HostMap(HostMap),
    Paths(Paths),
    Rules(Box<Rules>),
    /// The first of these properties that is there.
    Text(Vec<usize>),
    /// The caller's name, if the last property is true; else the proxy's own.
    Caller {
        presented: usize,
        own: usize,
        verified: Option<usize>,
    },
    Status(usize),
    StatusClass(usize, [u32; CODE_CLASSES.len()]),
    Grpc(usize),
    Flags(usize),
    Duration(usize, Vec<u64>, Vec<u32>),
    Security {
        mutual: usize,
        version: usize,
        values: [u32; 3],
    },
}

/// The names of the sources, as a policy writes them.
pub(super) const SOURCES: &[&str] = &[
    "fixed",
    "header",
    "responseHeader",
    "cookie",
    "queryParam",
    "method",
    "host",
    "hostMap",
    "pathTemplates",
    "statusCode",
    "statusClass",
    "grpcStatus",
    "responseFlags",
    "durationClass",
    "property",
    "nodeMetadata",
    "sourcePrincipal",
    "destinationPrincipal",
    "upstreamCluster",
    "upstreamHost",
    "connectionSecurity",
];

/// What a segment of a template takes: a node, and a word.
const SEGMENT: usize = 160;

/// Values of a connection's security, as Istio names them.
const SECURITY: [&str; 3] = ["none", "tls", "mutual_tls"];
/// Methods that everybody knows; another one is `other`.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// The properties to read in the log phase, each once, and whose certificates count.
#[derive(Debug, Default)]
pub(super) struct Wants(pub(super) Vec<Path>, pub(super) Callers);

impl Wants {
    pub(super) fn place(&mut self, path: &[&str]) -> usize {
        self.place_of(path.iter().map(|name| (*name).into()).collect())
    }

    pub(super) fn place_of(&mut self, path: Path) -> usize {
        self.0.iter().position(|known| *known == path).unwrap_or_else(|| {
            self.0.push(path);
            self.0.len().saturating_sub(1)
        })
    }
}

/// What is known of a source before its values are declared.
pub(super) struct Facts {
    /// Its values are known beforehand, whatever the policy says.
    pub(super) closed: bool,
    /// Its values are long names of the mesh.
    pub(super) long: bool,
    /// What stands for no value, if the policy does not say.
    pub(super) missing: &'static str,
}

/// What holds for the source called `kind`.
pub(super) fn facts(kind: &str, stock: Stock) -> Facts {
    let closed = [
        "fixed",
        "hostMap",
        "pathTemplates",
        "method",
        "statusClass",
        "grpcStatus",
        "durationClass",
        "connectionSecurity",
        "nodeMetadata",
    ];
    let long = ["sourcePrincipal", "destinationPrincipal", "upstreamCluster", "property", "nodeMetadata"];
    Facts {
        closed: closed.contains(&kind),
        long: long.contains(&kind),
        missing: match (stock, kind) {
            // What the expression that cuts these labels out takes for a code.
            (Stock::Code, _) => "000",
            (Stock::CodeClass, _) => "0xx",
            (_, "statusCode" | "statusClass" | "grpcStatus") => "none",
            _ => "unknown",
        },
    }
}

/// Reads the source called `kind` and declares its values.
pub(super) fn read(
    kind: &'static str,
    fields: Fields<'_>,
    tag: usize,
    book: &mut Book,
    wants: &mut Wants,
    budget: &Budget,
) -> Result<Source, Invalid> {
    let name = |check: fn(&str) -> Result<Box<str>, Invalid>| {
        fields.required(kind, |t| check(read::text(t)?)).map(str::into_boxed_bytes)
    };
    if matches!(fields.required(kind, Ok)?, Tree::Flag(false)) {
        return Err(
            Invalid::new(Code::BadValue, "only true has a meaning", "leave the tag out").in_field(kind)
        );
    }
    Ok(match kind {
        "fixed" => {
            Source::Fixed(book.declare(tag, &fields.required(kind, |t| bound::value(read::text(t)?))?))
        }
        "header" => Source::Header(name(names::header)?),
        "responseHeader" => {
            let header = fields.required(kind, |t| names::header(read::text(t)?))?;
            Source::Text(vec![wants.place(&["response", "headers", &header])])
        }
        "cookie" => Source::Cookie(name(names::cookie)?),
        "queryParam" => Source::Query(name(names::parameter)?),
        "hostMap" => Source::HostMap(fields.required(kind, |t| host_map(t, tag, book, budget))?),
        "pathTemplates" => Source::Paths(fields.required(kind, |t| paths(t, tag, book, budget))?),
        "durationClass" => {
            let bounds = fields.required(kind, classes::durations)?;
            let values =
                classes::duration_names(&bounds).iter().map(|name| book.declare(tag, name)).collect();
            Source::Duration(wants.place(&["request", "duration"]), bounds, values)
        }
        "property" => Source::Text(vec![wants.place_of(fields.required(kind, property::text)?)]),
        "nodeMetadata" => Source::Constant,
        kind => {
            fields.required(kind, read::flag)?;
            flagged(kind, tag, book, wants)
        }
    })
}

/// The sources that are written as `true`.
fn flagged(kind: &str, tag: usize, book: &mut Book, wants: &mut Wants) -> Source {
    match kind {
        "method" => {
            METHODS.iter().for_each(|method| _ = book.declare(tag, method));
            Source::Method
        }
        "host" => Source::Host,
        "statusCode" => Source::Status(wants.place(&["response", "code"])),
        "statusClass" => {
            // The first is no class: it stands for no answer.
            let values =
                CODE_CLASSES.map(|class| if class == "none" { MISSING } else { book.declare(tag, class) });
            Source::StatusClass(wants.place(&["response", "code"]), values)
        }
        "grpcStatus" => {
            (0..=16).for_each(|status| _ = book.declare(tag, &status.to_string()));
            Source::Grpc(wants.place(&["response", "grpc_status"]))
        }
        "responseFlags" => Source::Flags(wants.place(&["response", "flags"])),
        "sourcePrincipal" => Source::Caller {
            presented: wants.place(&["connection", "uri_san_peer_certificate"]),
            own: wants.place(&["upstream", "uri_san_local_certificate"]),
            verified: (wants.1 == Callers::Verified)
                .then(|| wants.place(&["connection", "peer_certificate_valid"])),
        },
        "destinationPrincipal" => {
            let paths =
                [["upstream", "uri_san_peer_certificate"], ["connection", "uri_san_local_certificate"]];
            Source::Text(paths.map(|path| wants.place(&path)).into())
        }
        "upstreamCluster" => Source::Text(vec![wants.place(&["xds", "cluster_name"])]),
        "upstreamHost" => Source::Text(vec![wants.place(&["upstream", "address"])]),
        _ => Source::Security {
            mutual: wants.place(&["connection", "mtls"]),
            version: wants.place(&["connection", "tls_version"]),
            values: SECURITY.map(|security| book.declare(tag, security)),
        },
    }
}

pub(super) fn host_map(
    tree: &Tree,
    tag: usize,
    book: &mut Book,
    budget: &Budget,
) -> Result<HostMap, Invalid> {
    let mut map = HostMap::default();
    let value = |t| {
        budget.hold(2 * VALUE)?;
        bound::value(read::text(t)?)
    };
    for (key, value) in read::entries(tree, limits::HOST_MAP, HostMap::key, value)? {
        map.insert(&key, book.declare(tag, &value));
    }
    Ok(map)
}

/// A template is its own value, or `{"template": …, "value": …}` names one.
fn paths(tree: &Tree, tag: usize, book: &mut Book, budget: &Budget) -> Result<Paths, Invalid> {
    let mut paths = Paths::new();
    read::list(tree, limits::TEMPLATES, |t| {
        let (written, value) = match t {
            Tree::Table(_) => {
                let fields = Fields::open(t, &["template", "value"])?;
                let value = fields.required("value", |t| bound::value(read::text(t)?))?;
                (fields.required("template", read::text)?, value.into())
            }
            _ => (read::text(t)?, bound::printable(read::text(t)?)),
        };
        let segments = written.bytes().filter(|b| *b == b'/').count();
        budget.hold(VALUE.saturating_add(segments.saturating_mul(SEGMENT)))?;
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
        paths.insert(&template, written, book.declare(tag, &value))
    })?;
    paths.bounded()
}

impl Source {
    /// Whether it reads the request's headers.
    pub(super) fn reads_request(&self) -> bool {
        self.pseudo_header().is_some()
            || matches!(self, Self::Header(_) | Self::Cookie(_) | Self::Rules(_) | Self::Grpc(_))
    }

    /// The one pseudo header that it reads, if that is all.
    pub(super) fn pseudo_header(&self) -> Option<&'static str> {
        match self {
            Self::Method => Some(":method"),
            Self::Host | Self::HostMap(_) => Some(":authority"),
            Self::Paths(_) | Self::Query(_) => Some(":path"),
            _ => None,
        }
    }

    /// The value of a number that has classes.
    pub(super) fn class(&self, number: u64) -> u32 {
        match self {
            Self::StatusClass(_, values) => {
                let class = if (100..600).contains(&number) { number / 100 } else { 0 };
                usize::try_from(class).ok().and_then(|class| values.get(class)).copied().unwrap_or_default()
            }
            Self::Duration(_, bounds, values) => {
                let milliseconds = number / 1_000_000;
                let class = bounds.iter().filter(|bound| milliseconds >= **bound).count();
                values.get(class).copied().unwrap_or(OTHER)
            }
            _ => OTHER,
        }
    }
}
