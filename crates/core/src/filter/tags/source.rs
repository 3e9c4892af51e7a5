//! Where the value of a tag is read from.
//!
//! Each source is a file of its own below: how a policy writes it, what it reads from a request while
//! its headers are there, and what it reads in the log phase. A new source is a new line in the table
//! here.

mod connection_security;
mod cookie;
mod destination_principal;
mod duration_class;
mod fixed;
mod grpc_status;
mod header;
mod host;
mod host_map;
mod method;
mod node_metadata;
mod path_templates;
mod property;
mod query_param;
mod reading;
mod response_flags;
mod response_header;
mod source_principal;
mod status_class;
mod status_code;
mod upstream_cluster;
mod upstream_host;

use super::attribute_rules::AttributeRules;
use super::cardinality_limit::Path;
use crate::language::describe::{self, Field, Object, object};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::matching::request::Request;
use crate::policy::series::BuiltinTag;
pub(super) use reading::{Late, PropertyReads, Reading, Value, host_map, read};

/// A source of a tag's value. It reads either the request or what is known in the log phase.
trait TagSource: Sized {
    /// How a policy writes it.
    const FIELD: Field;
    /// Who decides what its values are.
    const VALUES: Values = Values::OfRequests;
    /// Whether its values are long names from the mesh.
    const IS_LONG: bool = false;
    /// The value for "no value", if the policy does not set one.
    const MISSING: &str = "unknown";
    /// What it reads from the request.
    const READS: Reads = Reads::Nothing;

    /// Reads the source, and declares its values.
    fn read(tree: &PolicyValue, reading: &mut Reading<'_>) -> Result<Self, Invalid>;

    /// The value that the request gives.
    fn of_request<'v>(&'v self, _: &'v Request<'_>) -> Value<'v> {
        Value::Later
    }

    /// The value in the log phase.
    fn of_response<'v>(&self, _: &Late<'v>) -> Value<'v> {
        Value::Text(None)
    }

    /// Properties: the first one that is there is the value, unchanged.
    fn properties(&self) -> &[usize] {
        &[]
    }

    /// What it reads from the proxy itself when the policy is loaded.
    fn metadata(&self) -> Option<&Path> {
        None
    }
}

/// Who decides what the values of a source are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// Whoever sends requests.
    OfRequests,
    /// The source, but a policy may add values.
    WellKnown,
    /// The source alone.
    OfSource,
}

/// What a source reads from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    Nothing,
    /// One pseudo header.
    Only(&'static str),
    Headers,
}

/// What is known of a source before its values are declared, and how it is read.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    pub(super) values: Values,
    pub(super) is_long: bool,
    missing: &'static str,
    read: fn(&PolicyValue, &mut Reading<'_>) -> Result<AnySource, Invalid>,
}

/// How a source is written and read.
pub(super) type Kind = describe::Kind<Reader>;

macro_rules! sources {
    ($($file:ident::$Source:ident,)+) => {
        /// The source of a tag. Numbers of values are those of the registry, indices of properties those
        /// of [`PropertyReads`].
        #[derive(Clone, Debug)]
        pub(super) enum AnySource {
            $($Source($file::$Source),)+
            /// An attribute, which a policy writes elsewhere.
            Rules(Box<AttributeRules>),
        }

        /// The sources, as a policy writes them.
        pub(super) static SOURCES: [Kind; FIELDS.len()] = [$(Kind {
            field: $file::$Source::FIELD,
            read: Reader {
                values: $file::$Source::VALUES,
                is_long: $file::$Source::IS_LONG,
                missing: $file::$Source::MISSING,
                read: |tree, reading| $file::$Source::read(tree, reading).map(AnySource::$Source),
            },
        }),+];

        const FIELDS: [Field; [$($file::$Source::FIELD),+].len()] = [$($file::$Source::FIELD),+];

        impl AnySource {
            /// What it reads from a request.
            fn reads(&self) -> Reads {
                match self {
                    $(Self::$Source(_) => $file::$Source::READS,)+
                    Self::Rules(_) => Reads::Headers,
                }
            }

            /// The value that a request gives.
            pub(super) fn of_request<'v>(&'v self, request: &'v Request<'_>) -> Value<'v> {
                match self {
                    $(Self::$Source(source) => source.of_request(request),)+
                    Self::Rules(rules) => Value::Captured(rules.capture(request)),
                }
            }

            /// The value in the log phase.
            pub(super) fn of_response<'v>(&self, late: &Late<'v>) -> Value<'v> {
                match self {
                    $(Self::$Source(source) => source.of_response(late),)+
                    Self::Rules(rules) => Value::Known(rules.settle(late.candidates, late.observed)),
                }
            }

            /// See [`TagSource::properties`].
            pub(super) fn properties(&self) -> &[usize] {
                match self {
                    $(Self::$Source(source) => source.properties(),)+
                    Self::Rules(_) => &[],
                }
            }

            /// See [`TagSource::metadata`].
            pub(super) fn metadata(&self) -> Option<&Path> {
                match self {
                    $(Self::$Source(source) => source.metadata(),)+
                    Self::Rules(_) => None,
                }
            }
        }
    };
}

sources! {
    fixed::Fixed,
    header::Header,
    response_header::ResponseHeader,
    cookie::Cookie,
    query_param::QueryParam,
    method::Method,
    host::Host,
    host_map::HostNames,
    path_templates::PathTemplates,
    status_code::StatusCode,
    status_class::StatusClass,
    grpc_status::GrpcStatus,
    response_flags::ResponseFlags,
    duration_class::DurationClass,
    property::Property,
    node_metadata::NodeMetadata,
    source_principal::SourcePrincipal,
    destination_principal::DestinationPrincipal,
    upstream_cluster::UpstreamCluster,
    upstream_host::UpstreamHost,
    connection_security::ConnectionSecurity,
}

/// The source of a tag.
pub(super) static SOURCE: Object =
    object!("source", ExactlyOne, "Where the value of a tag is read.", [], FIELDS);

/// The value for "no value" of a tag, if the policy does not set one.
pub(super) fn missing(reader: &Reader, stock: BuiltinTag) -> &'static str {
    match stock {
        // What the expression that extracts these labels accepts as a code.
        BuiltinTag::Code => "000",
        BuiltinTag::CodeClass => "0xx",
        BuiltinTag::WasmFilter | BuiltinTag::Tag | BuiltinTag::Component | BuiltinTag::Cache => {
            reader.missing
        }
    }
}

impl AnySource {
    /// Whether it reads the request's headers.
    pub(super) fn reads_request(&self) -> bool {
        self.reads() != Reads::Nothing
    }

    /// The one pseudo header that it reads, if that is all.
    pub(super) fn pseudo_header(&self) -> Option<&'static str> {
        match self.reads() {
            Reads::Only(name) => Some(name),
            Reads::Nothing | Reads::Headers => None,
        }
    }
}
