//! Codes of what is around a policy: resources, modules, requests.

use super::Entry;

const fn entry(code: &'static str, title: &'static str, text: &'static str) -> Entry {
    Entry { code, title, text }
}

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "NRW600",
        "nothing says which filter a policy is for",
        "A policy on its own is told by its \"filter\" field or by --filter. In Istio's and Envoy's
configuration the module's name tells it: .../canary-split:0.1.0, canary-split.wasm.",
    ),
    entry(
        "NRW601",
        "not in this release of Istio",
        "The field, value or kind came with a later release than the one stated with --istio. The API
server drops such a field silently or refuses the resource, depending on how it is applied; the
filter then runs without it. `narrows render --istio` leaves out what a release lacks.",
    ),
    entry(
        "NRW602",
        "unknown field of a resource",
        "No release of Istio has the field. The API server drops it or refuses the resource.",
    ),
    entry("NRW603", "refused by Istio", "Istio's schema or validation refuses the value."),
    entry("NRW604", "required by Istio", "Istio refuses the resource without the field."),
    entry(
        "NRW605",
        "the module cannot be fetched or proven",
        "Modules come from oci:// (the default), https://, http:// or file:// inside the proxy's
container. The \"sha256\" of an image is the digest of its manifest, not of the module in it; for
http it is the digest of the module.",
    ),
    entry(
        "NRW606",
        "attached to nothing, or not to what was meant",
        "Sidecars and classic gateways are chosen by \"selector\", gateways of Gateway API and waypoints
by \"targetRefs\". With both, the selector is ignored.",
    ),
    entry(
        "NRW607",
        "the filter never runs there",
        "\"match\" chooses by direction and port. CLIENT is a sidecar's outbound side and gateways,
SERVER a sidecar's inbound side and waypoints. Ports are the service's port on the outbound side,
the container's on the inbound side, and on a gateway the one that it listens on: 8080 and 8443 for
the stock gateways, not 80 and 443. On a waypoint no port ever matches.",
    ),
    entry(
        "NRW608",
        "failure strategy",
        "What happens to traffic when the filter cannot run. The default, FAIL_CLOSE, refuses all of it,
which is right for egress-policy and an outage for the others. FAIL_RELOAD (from Istio 1.27)
starts a crashed filter again; while a module cannot be fetched it refuses traffic, as FAIL_CLOSE.",
    ),
    entry(
        "NRW609",
        "order left to chance",
        "Within a phase higher priorities run first. A missing priority is the lowest of all, and between
equals the older resource wins, so that a new cluster may order them otherwise.",
    ),
    entry(
        "NRW610",
        "configuration that does not reach the filter as JSON",
        "Envoy hands a google.protobuf.StringValue to the filter as the text that it is. Any other
message, google.protobuf.Struct included, arrives as protobuf's bytes.",
    ),
    entry("NRW611", "no effect", "The field is accepted and nothing ever acts by it."),
    entry(
        "NRW612",
        "requests cannot be read",
        "A file of requests is a list; each request has any of method, target, authority, headers (a list
of \"name: value\" lines in order, \\xNN for a byte), scheme, source (address, principal, namespace,
workload), serverName, cluster and repeat. With repeat, {n} in the texts counts from 1.",
    ),
    entry(
        "NRW613",
        "policies that refuse each other's traffic",
        "Two egress-policy plugins on one proxy both judge every call, and a call that one of them does
not name is denied by its default. Put the rules into one policy, or give each a gateway of its own.",
    ),
    entry(
        "NRW614",
        "a port whose protocol Istio has to guess",
        "A port called http-…, http2-…, grpc-… or with an appProtocol has a virtual host for each service.
Any other has one virtual host for every authority: a filter that rewrites \"authority\" changes the
host that the application sees, and nothing else. \"to\" and a VirtualService work on both.",
    ),
    entry(
        "NRW615",
        "a filter on the wrong side of another",
        "The order is header-router, canary-split, metric-tags, egress-policy: what is routed before it
is divided, counted when that is known, and what leaves judged as it leaves. Meant are header-router
AUTHZ 200, canary-split STATS 200, metric-tags STATS 100, egress-policy STATS 50. Where Istio
authorizes requests, a header-router that rewrites path or host is STATS 300, and a canary-split
with \"restoreHost\" AUTHZ 300, before all of them. A missing priority is the lowest of its phase,
and a missing phase comes after STATS. A router in AUTHN is right where it feeds authentication.",
    ),
    entry(
        "NRW616",
        "everything passes",
        "A policy of egress-policy that says nothing of what may leave lets everything leave.
A policy with only \"trust\" or \"labels\" looks as if it held something, and an egress
gateway with it is open. Write \"default\": \"deny\" and rules, or \"default\": \"allow\" if that is meant.",
    ),
    entry(
        "NRW620",
        "callers whom nobody verified",
        "With trust_chain_verification: ACCEPT_UNTRUSTED (Envoy), AllowInsecureFallback (Gateway API) or
insecureSkipVerify (Istio's Gateway) a caller gets in with a certificate that it signed itself, and the
name in it is what \"principals\", \"namespaces\", keys and tags see. Under \"callers\": \"verified\" they do
not; Envoy reports a resumed session as unverified, so turn session resumption off on that listener.",
    ),
    entry(
        "NRW621",
        "rewriting before authorization",
        "Inbound, at gateways and at waypoints Istio's AuthorizationPolicy runs between the phases AUTHZ
and STATS. Behind a filter that rewrites path or host it judges the new one: a DENY of /api/admin*
does not see a request that has become /admin. Attach what rewrites in phase STATS, and what strips
in phase AUTHN; `narrows render` writes both. On a sidecar's outbound side nothing is authorized.
In Envoy's own files the order is that of the list, and the RBAC filter's rules say what it judges.",
    ),
    entry(
        "NRW622",
        "stripping or restoring behind authorization",
        "An AuthorizationPolicy by headers judges what the client wrote there unless it was stripped
before, and one by hosts judges the canary's host unless \"restoreHost\" has brought the caller's
back. `narrows render` attaches both before authorization. A CUSTOM policy runs before every phase:
it sees what the client sent, in any case.",
    ),
    entry(
        "NRW623",
        "a host that the route table does not know",
        "\"authority\" sends a request to another service only where the proxy's route table has it. A
sidecar's does, outbound. A gateway's has the hosts of the VirtualServices and HTTPRoutes that are
bound to it, a name without a dot written in full, and answers 404 to any other. A waypoint and an
inbound side have one virtual host for every name. \"to\" and one route on its header work on all.",
    ),
];
