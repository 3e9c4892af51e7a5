//! The sources of tags, one after the other.

use super::templates::{PATH_TEMPLATES, paths};
use super::{Kind, Reader, Reading, Source, Values, host_map};
use crate::filter::tags::book::MISSING;
use crate::filter::tags::{bound, classes, property};
use crate::language::describe::{Field, field};
use crate::language::invalid::Invalid;
use crate::language::modes::Callers;
use crate::language::tree::Tree;
use crate::language::{limits, names, read};
use crate::policy::code_class::CODE_CLASSES;

/// Values of a connection's security, as Istio names them.
const SECURITY: [&str; 3] = ["none", "tls", "mutual_tls"];
/// Methods that everybody knows; another one is `other`.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

type Read = fn(&Tree, &mut Reading<'_>) -> Result<Source, Invalid>;

/// A source whose values are those of requests.
const fn open(field: Field, read: Read) -> Kind {
    Kind { field, read: Reader { values: Values::OfRequests, is_long: false, missing: "unknown", read } }
}

/// The same with long names of the mesh.
const fn long(field: Field, read: Read) -> Kind {
    Kind { field, read: Reader { values: Values::OfRequests, is_long: true, missing: "unknown", read } }
}

/// A source that says what its values are.
const fn closed(field: Field, missing: &'static str, read: Read) -> Kind {
    Kind { field, read: Reader { values: Values::OfSource, is_long: false, missing, read } }
}

/// What is written as `true`.
fn flagged(tree: &Tree, source: impl FnOnce() -> Source) -> Result<Source, Invalid> {
    read::flag(tree).map(|_| source())
}

pub(super) const KINDS: [Kind; 21] = [
    closed(
        field!("fixed", Text(1, bound::LONGEST), Optional, "The same for every request."),
        "unknown",
        |t, to| Ok(Source::Fixed(to.book.declare(to.tag, &bound::value(read::text(t)?)?))),
    ),
    open(field!("header", Pattern(TOKEN, 256), Optional, "A header of the request."), |t, _| {
        Ok(Source::Header(names::header(read::text(t)?)?.into_boxed_bytes()))
    }),
    open(field!("responseHeader", Pattern(TOKEN, 256), Optional, "A header of the response."), |t, to| {
        let header = names::header(read::text(t)?)?;
        Ok(Source::Text(vec![to.wants.place(&["response", "headers", &header])]))
    }),
    open(field!("cookie", Pattern(TOKEN, 256), Optional, "A cookie; the first of several."), |t, _| {
        Ok(Source::Cookie(names::cookie(read::text(t)?)?.into_boxed_bytes()))
    }),
    open(
        field!(
            "queryParam",
            Text(1, limits::VALUE_BYTES),
            Optional,
            "A query parameter, percent-decoded; the first of several."
        ),
        |t, _| Ok(Source::Query(names::parameter(read::text(t)?)?.into_boxed_bytes())),
    ),
    Kind {
        field: field!("method", True, Optional, "The method, if it is one of nine, else `other`."),
        read: Reader {
            values: Values::WellKnown,
            is_long: false,
            missing: "unknown",
            read: |t, to| {
                flagged(t, || {
                    METHODS.iter().for_each(|method| _ = to.book.declare(to.tag, method));
                    Source::Method
                })
            },
        },
    },
    open(field!("host", True, Optional, "The host, in lower case and without a port."), |t, _| {
        flagged(t, || Source::Host)
    }),
    closed(
        field!(
            "hostMap",
            Map("", &Text(1, bound::LONGEST), limits::HOST_MAP),
            Optional,
            "Values by host, or by the beginning of a host with `*` behind it."
        ),
        "unknown",
        |t, to| host_map(t, to.tag, to.book, to.budget).map(Source::HostMap),
    ),
    closed(PATH_TEMPLATES, "unknown", |t, to| paths(t, to).map(Source::Paths)),
    Kind {
        field: field!("statusCode", True, Optional, "The status of the response, such as `200`."),
        read: Reader {
            values: Values::OfRequests,
            is_long: false,
            missing: "none",
            read: |t, to| flagged(t, || Source::Status(to.wants.place(&["response", "code"]))),
        },
    },
    closed(
        field!("statusClass", True, Optional, "The class of the response's status, such as `2xx`."),
        "none",
        |t, to| {
            flagged(t, || {
                // The first is no class: it stands for no answer.
                let values = CODE_CLASSES
                    .map(|class| if class == "none" { MISSING } else { to.book.declare(to.tag, class) });
                Source::StatusClass(to.wants.place(&["response", "code"]), values)
            })
        },
    ),
    closed(
        field!("grpcStatus", True, Optional, "The status of a gRPC call, `0` to `16`."),
        "none",
        |t, to| {
            flagged(t, || {
                (0..=16).for_each(|status| _ = to.book.declare(to.tag, &status.to_string()));
                Source::Grpc(to.wants.place(&["response", "grpc_status"]))
            })
        },
    ),
    open(
        field!("responseFlags", True, Optional, "Envoy's short names of response flags, such as `UF`."),
        |t, to| flagged(t, || Source::Flags(to.wants.place(&["response", "flags"]))),
    ),
    closed(
        field!(
            "durationClass",
            List(&Integer(1, 86_400_000), 1, limits::VALUES),
            Optional,
            "Classes of how long the request took: their bounds in milliseconds, ascending."
        ),
        "unknown",
        |t, to| {
            let bounds = classes::durations(t)?;
            let values = classes::duration_names(&bounds);
            let values = values.iter().map(|name| to.book.declare(to.tag, name)).collect();
            Ok(Source::Duration(to.wants.place(&["request", "duration"]), bounds, values))
        },
    ),
    long(
        field!(
            "property",
            Either(&[Text(1, limits::TEXT_BYTES), List(&Text(1, limits::TEXT_BYTES), 1, property::LONGEST)]),
            Optional,
            "Filter state or an attribute of Envoy that is text: its name, with dots or as a list."
        ),
        |t, to| Ok(Source::Text(vec![to.wants.place_of(property::text(t)?)])),
    ),
    Kind {
        field: field!(
            "nodeMetadata",
            Either(&[Text(1, limits::TEXT_BYTES), List(&Text(1, limits::TEXT_BYTES), 1, property::LONGEST)]),
            Optional,
            "Metadata of this proxy: its name, with dots or as a list."
        ),
        read: Reader {
            values: Values::OfSource,
            is_long: true,
            missing: "unknown",
            read: |_, _| Ok(Source::Constant),
        },
    },
    long(
        field!("sourcePrincipal", True, Optional, "The SPIFFE name of the caller, as far as it is believed."),
        |t, to| {
            flagged(t, || Source::Caller {
                presented: to.wants.place(&["connection", "uri_san_peer_certificate"]),
                own: to.wants.place(&["upstream", "uri_san_local_certificate"]),
                verified: (to.wants.1 == Callers::Verified)
                    .then(|| to.wants.place(&["connection", "peer_certificate_valid"])),
            })
        },
    ),
    long(field!("destinationPrincipal", True, Optional, "The SPIFFE name of who was called."), |t, to| {
        flagged(t, || {
            let paths =
                [["upstream", "uri_san_peer_certificate"], ["connection", "uri_san_local_certificate"]];
            Source::Text(paths.map(|path| to.wants.place(&path)).into())
        })
    }),
    long(
        field!("upstreamCluster", True, Optional, "Envoy's name of the cluster that the request went to."),
        |t, to| flagged(t, || Source::Text(vec![to.wants.place(&["xds", "cluster_name"])])),
    ),
    open(field!("upstreamHost", True, Optional, "The address that the request went to."), |t, to| {
        flagged(t, || Source::Text(vec![to.wants.place(&["upstream", "address"])]))
    }),
    closed(
        field!(
            "connectionSecurity",
            True,
            Optional,
            "How the caller's connection is secured: `mutual_tls`, `tls`, `none`."
        ),
        "unknown",
        |t, to| {
            flagged(t, || Source::Security {
                mutual: to.wants.place(&["connection", "mtls"]),
                version: to.wants.place(&["connection", "tls_version"]),
                values: SECURITY.map(|security| to.book.declare(to.tag, security)),
            })
        },
    ),
];
