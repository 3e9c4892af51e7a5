//! The resources around the filters, which a route header, a canary's Service or an external host
//! needs. Numbers are minor versions, as in the other tables.

use super::FieldType::{Any, AnyCase, Bool, Integer, List, Table, Text, Word};
use super::head::{field, required};
use super::plugins::PORT;
use super::{FieldType, Release, Schema};

const VERSIONS: &[(&str, u16)] = &[
    ("networking.istio.io/v1alpha3", 12),
    ("networking.istio.io/v1beta1", 12),
    ("networking.istio.io/v1", 22),
];
/// Istio reads a protocol in any letter case; without one, that of a `ServiceEntry` is sniffed.
const PROTOCOL: FieldType = AnyCase(PROTOCOLS);
const SNIFFED: FieldType = AnyCase(&SNIFFED_TOO);
const PROTOCOLS: &[(&str, u16)] = &[
    ("HTTP", 12),
    ("HTTPS", 12),
    ("HTTP2", 12),
    ("HTTP_PROXY", 12),
    ("GRPC", 12),
    ("GRPC-WEB", 12),
    ("TCP", 12),
    ("TLS", 12),
    ("MONGO", 12),
    ("MYSQL", 12),
    ("REDIS", 12),
    ("UDP", 12),
];
const SNIFFED_TOO: [(&str, u16); PROTOCOLS.len() + 1] = {
    let mut all = [("", 12); PROTOCOLS.len() + 1];
    let mut i = 0;
    while i < PROTOCOLS.len() {
        all[i] = PROTOCOLS[i];
        i += 1;
    }
    all
};
const TLS: FieldType = Word(&[
    ("PASSTHROUGH", 12),
    ("SIMPLE", 12),
    ("MUTUAL", 12),
    ("AUTO_PASSTHROUGH", 12),
    ("ISTIO_MUTUAL", 12),
    ("OPTIONAL_MUTUAL", 19),
]);
const RESOLUTION: FieldType =
    Word(&[("NONE", 12), ("STATIC", 12), ("DNS", 12), ("DNS_ROUND_ROBIN", 12), ("DYNAMIC_DNS", 28)]);

/// `VirtualService` (`networking/v1/virtual_service.proto`): only its HTTP fields.
pub(super) static VIRTUAL_SERVICE: Schema = Schema {
    name: "VirtualService",
    since: Release::minor(12),
    versions: VERSIONS,
    fields: &[
        required("spec", 12, Table),
        required("spec.hosts", 12, List),
        field("spec.hosts[]", 12, Text),
        field("spec.gateways", 12, List),
        field("spec.gateways[]", 12, Text),
        field("spec.exportTo", 12, List),
        field("spec.exportTo[]", 12, Text),
        field("spec.tls", 12, List),
        field("spec.tls[]", 12, Any),
        field("spec.tcp", 12, List),
        field("spec.tcp[]", 12, Any),
        field("spec.http", 12, List),
        field("spec.http[].name", 12, Text),
        field("spec.http[].match", 12, List),
        field("spec.http[].match[].name", 12, Text),
        field("spec.http[].match[].uri", 12, Table),
        field("spec.http[].match[].uri.exact", 12, Text),
        field("spec.http[].match[].uri.prefix", 12, Text),
        field("spec.http[].match[].uri.regex", 12, Text),
        field("spec.http[].match[].scheme", 12, Table),
        field("spec.http[].match[].scheme.exact", 12, Text),
        field("spec.http[].match[].scheme.prefix", 12, Text),
        field("spec.http[].match[].scheme.regex", 12, Text),
        field("spec.http[].match[].method", 12, Table),
        field("spec.http[].match[].method.exact", 12, Text),
        field("spec.http[].match[].method.prefix", 12, Text),
        field("spec.http[].match[].method.regex", 12, Text),
        field("spec.http[].match[].authority", 12, Table),
        field("spec.http[].match[].authority.exact", 12, Text),
        field("spec.http[].match[].authority.prefix", 12, Text),
        field("spec.http[].match[].authority.regex", 12, Text),
        field("spec.http[].match[].headers", 12, Table),
        field("spec.http[].match[].headers.*", 12, Table),
        field("spec.http[].match[].headers.*.exact", 12, Text),
        field("spec.http[].match[].headers.*.prefix", 12, Text),
        field("spec.http[].match[].headers.*.regex", 12, Text),
        field("spec.http[].match[].withoutHeaders", 12, Table),
        field("spec.http[].match[].withoutHeaders.*", 12, Table),
        field("spec.http[].match[].withoutHeaders.*.exact", 12, Text),
        field("spec.http[].match[].withoutHeaders.*.prefix", 12, Text),
        field("spec.http[].match[].withoutHeaders.*.regex", 12, Text),
        field("spec.http[].match[].queryParams", 12, Table),
        field("spec.http[].match[].queryParams.*", 12, Table),
        field("spec.http[].match[].queryParams.*.exact", 12, Text),
        field("spec.http[].match[].queryParams.*.prefix", 12, Text),
        field("spec.http[].match[].queryParams.*.regex", 12, Text),
        field("spec.http[].match[].port", 12, PORT),
        field("spec.http[].match[].sourceLabels", 12, Table),
        field("spec.http[].match[].sourceLabels.*", 12, Text),
        field("spec.http[].match[].gateways", 12, List),
        field("spec.http[].match[].gateways[]", 12, Text),
        field("spec.http[].match[].ignoreUriCase", 12, Bool),
        field("spec.http[].match[].sourceNamespace", 12, Text),
        field("spec.http[].match[].statPrefix", 17, Text),
        field("spec.http[].route", 12, List),
        required("spec.http[].route[].destination", 12, Table),
        required("spec.http[].route[].destination.host", 12, Text),
        field("spec.http[].route[].destination.subset", 12, Text),
        field("spec.http[].route[].destination.port", 12, Table),
        required("spec.http[].route[].destination.port.number", 12, PORT),
        field("spec.http[].route[].weight", 12, Integer(0, 2_147_483_647)),
        field("spec.http[].route[].headers", 12, Any),
        field("spec.http[].timeout", 12, Text),
        field("spec.http[].redirect", 12, Any),
        field("spec.http[].directResponse", 15, Any),
        field("spec.http[].delegate", 12, Any),
        field("spec.http[].rewrite", 12, Any),
        field("spec.http[].retries", 12, Any),
        field("spec.http[].fault", 12, Any),
        field("spec.http[].mirror", 12, Any),
        field("spec.http[].mirrorPercent", 12, Any),
        field("spec.http[].mirrorPercentage", 12, Any),
        field("spec.http[].mirrors", 18, Any),
        field("spec.http[].corsPolicy", 12, Any),
        field("spec.http[].headers", 12, Any),
    ],
};

/// `DestinationRule` (`networking/v1/destination_rule.proto`).
pub(super) static DESTINATION_RULE: Schema = Schema {
    name: "DestinationRule",
    since: Release::minor(12),
    versions: VERSIONS,
    fields: &[
        required("spec", 12, Table),
        required("spec.host", 12, Text),
        field("spec.trafficPolicy", 12, Any),
        field("spec.subsets", 12, List),
        required("spec.subsets[].name", 12, Text),
        field("spec.subsets[].labels", 12, Table),
        field("spec.subsets[].labels.*", 12, Text),
        field("spec.subsets[].trafficPolicy", 12, Any),
        field("spec.exportTo", 12, List),
        field("spec.exportTo[]", 12, Text),
        field("spec.workloadSelector", 14, Any),
    ],
};

/// `Gateway` (`networking/v1/gateway.proto`).
pub(super) static GATEWAY: Schema = Schema {
    name: "Gateway",
    since: Release::minor(12),
    versions: VERSIONS,
    fields: &[
        required("spec", 12, Table),
        field("spec.selector", 12, Table),
        field("spec.selector.*", 12, Text),
        required("spec.servers", 12, List),
        required("spec.servers[].port", 12, Table),
        required("spec.servers[].port.number", 12, PORT),
        required("spec.servers[].port.protocol", 12, PROTOCOL),
        required("spec.servers[].port.name", 12, Text),
        field("spec.servers[].port.targetPort", 12, PORT),
        field("spec.servers[].bind", 12, Text),
        field("spec.servers[].name", 12, Text),
        field("spec.servers[].defaultEndpoint", 12, Text),
        required("spec.servers[].hosts", 12, List),
        field("spec.servers[].hosts[]", 12, Text),
        field("spec.servers[].tls", 12, Table),
        field("spec.servers[].tls.httpsRedirect", 12, Bool),
        field("spec.servers[].tls.mode", 12, TLS),
        field("spec.servers[].tls.credentialName", 12, Text),
        field("spec.servers[].tls.*", 12, Any),
    ],
};

/// `ServiceEntry` (`networking/v1/service_entry.proto`).
pub(super) static SERVICE_ENTRY: Schema = Schema {
    name: "ServiceEntry",
    since: Release::minor(12),
    versions: VERSIONS,
    fields: &[
        required("spec", 12, Table),
        required("spec.hosts", 12, List),
        field("spec.hosts[]", 12, Text),
        field("spec.addresses", 12, List),
        field("spec.addresses[]", 12, Text),
        field("spec.ports", 12, List),
        required("spec.ports[].number", 12, PORT),
        field("spec.ports[].protocol", 12, SNIFFED),
        required("spec.ports[].name", 12, Text),
        field("spec.ports[].targetPort", 12, PORT),
        field("spec.location", 12, Word(&[("MESH_EXTERNAL", 12), ("MESH_INTERNAL", 12)])),
        field("spec.resolution", 12, RESOLUTION),
        field("spec.endpoints", 12, List),
        field("spec.endpoints[]", 12, Any),
        field("spec.workloadSelector", 12, Any),
        field("spec.exportTo", 12, List),
        field("spec.exportTo[]", 12, Text),
        field("spec.subjectAltNames", 12, List),
        field("spec.subjectAltNames[]", 12, Text),
    ],
};

/// Kubernetes's `Service`: only the fields that Istio reads.
pub(super) static SERVICE: Schema = Schema {
    name: "Service",
    since: Release::minor(12),
    versions: &[("v1", 12)],
    fields: &[
        required("spec", 12, Table),
        field("spec.selector", 12, Table),
        field("spec.selector.*", 12, Text),
        field("spec.ports", 12, List),
        field("spec.ports[].name", 12, Text),
        required("spec.ports[].port", 12, PORT),
        field("spec.ports[].targetPort", 12, Any),
        field("spec.ports[].nodePort", 12, PORT),
        field("spec.ports[].protocol", 12, Word(&[("TCP", 12), ("UDP", 12), ("SCTP", 12)])),
        field("spec.ports[].appProtocol", 12, Text),
        field(
            "spec.type",
            12,
            Word(&[("ClusterIP", 12), ("NodePort", 12), ("LoadBalancer", 12), ("ExternalName", 12)]),
        ),
        field("spec.externalName", 12, Text),
        field("spec.*", 12, Any),
    ],
};
