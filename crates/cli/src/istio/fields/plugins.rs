//! The resources that carry the filters, or read what the filters publish. Numbers are minor versions:
//! 16 is Istio 1.16.

use super::FieldType::{Any, Bool, Integer, List, Name, Table, Text, Word};
use super::head::{field, required};
use super::{FieldType, Release, Schema};

const PULL: FieldType = Word(&[("UNSPECIFIED_POLICY", 12), ("IfNotPresent", 12), ("Always", 12)]);
const FAIL: FieldType = Word(&[("FAIL_CLOSE", 19), ("FAIL_OPEN", 19), ("FAIL_RELOAD", 27)]);
const TYPE: FieldType = Word(&[("UNSPECIFIED_PLUGIN_TYPE", 20), ("HTTP", 20), ("NETWORK", 20)]);
const MODE: FieldType = Word(&[("UNDEFINED", 16), ("CLIENT", 16), ("SERVER", 16), ("CLIENT_AND_SERVER", 16)]);
const FROM: FieldType = Word(&[("INLINE", 14), ("HOST", 14)]);
const SIDE: FieldType = Word(&[("CLIENT_AND_SERVER", 12), ("CLIENT", 12), ("SERVER", 12)]);
const METRIC: FieldType = Word(&[
    ("ALL_METRICS", 12),
    ("REQUEST_COUNT", 12),
    ("REQUEST_DURATION", 12),
    ("REQUEST_SIZE", 12),
    ("RESPONSE_SIZE", 12),
    ("TCP_OPENED_CONNECTIONS", 12),
    ("TCP_CLOSED_CONNECTIONS", 12),
    ("TCP_SENT_BYTES", 12),
    ("TCP_RECEIVED_BYTES", 12),
    ("GRPC_REQUEST_MESSAGES", 12),
    ("GRPC_RESPONSE_MESSAGES", 12),
]);
pub(super) const PORT: FieldType = Integer(1, 65535);
const PRIORITY: FieldType = Integer(-2_147_483_648, 2_147_483_647);
const SINCE_EXTENSION: u16 = 30;

/// `WasmPlugin` (extensions/v1alpha1/wasm.proto).
pub(super) static WASM_PLUGIN: Schema = Schema {
    name: "WasmPlugin",
    since: Release::minor(12),
    versions: &[("extensions.istio.io/v1alpha1", 12)],
    fields: &[
        required("spec", 12, Table),
        field("spec.selector", 12, Table),
        field("spec.selector.matchLabels", 12, Table),
        field("spec.selector.matchLabels.*", 12, Text),
        field("spec.targetRef", 20, Table),
        field("spec.targetRef.*", 20, Text),
        field("spec.targetRefs", 22, List),
        field("spec.targetRefs[].group", 22, Text),
        required("spec.targetRefs[].kind", 22, Text),
        required("spec.targetRefs[].name", 22, Text),
        field("spec.targetRefs[].namespace", 22, Text),
        required("spec.url", 12, Name),
        field("spec.sha256", 12, Text),
        field("spec.imagePullPolicy", 12, PULL),
        field("spec.imagePullSecret", 12, Name),
        field("spec.verificationKey", 12, Text),
        field("spec.pluginConfig", 12, Any),
        field("spec.pluginName", 12, Name),
        field(
            "spec.phase",
            12,
            Word(&[("UNSPECIFIED_PHASE", 12), ("AUTHN", 12), ("AUTHZ", 12), ("STATS", 12)]),
        ),
        field("spec.priority", 12, PRIORITY),
        field("spec.vmConfig", 14, Table),
        field("spec.vmConfig.env", 14, List),
        required("spec.vmConfig.env[].name", 14, Name),
        field("spec.vmConfig.env[].valueFrom", 14, FROM),
        field("spec.vmConfig.env[].value", 14, Text),
        field("spec.match", 16, List),
        field("spec.match[].mode", 16, MODE),
        field("spec.match[].ports", 16, List),
        required("spec.match[].ports[].number", 16, PORT),
        field("spec.failStrategy", 19, FAIL),
        field("spec.type", 20, TYPE),
    ],
};

/// `TrafficExtension` (extensions/v1alpha1/extension.proto).
pub(super) static TRAFFIC_EXTENSION: Schema = Schema {
    name: "TrafficExtension",
    since: Release::minor(SINCE_EXTENSION),
    versions: &[("extensions.istio.io/v1alpha1", SINCE_EXTENSION)],
    fields: &[
        required("spec", SINCE_EXTENSION, Table),
        field("spec.selector", SINCE_EXTENSION, Table),
        field("spec.selector.matchLabels", SINCE_EXTENSION, Table),
        field("spec.selector.matchLabels.*", SINCE_EXTENSION, Text),
        field("spec.targetRefs", SINCE_EXTENSION, List),
        field("spec.targetRefs[].group", SINCE_EXTENSION, Text),
        required("spec.targetRefs[].kind", SINCE_EXTENSION, Text),
        required("spec.targetRefs[].name", SINCE_EXTENSION, Text),
        field("spec.targetRefs[].namespace", SINCE_EXTENSION, Text),
        field(
            "spec.phase",
            SINCE_EXTENSION,
            Word(&[("UNSPECIFIED", 30), ("AUTHN", 30), ("AUTHZ", 30), ("STATS", 30)]),
        ),
        field("spec.priority", SINCE_EXTENSION, PRIORITY),
        field("spec.match", SINCE_EXTENSION, List),
        field("spec.match[].mode", SINCE_EXTENSION, MODE),
        field("spec.match[].ports", SINCE_EXTENSION, List),
        required("spec.match[].ports[].number", SINCE_EXTENSION, PORT),
        field("spec.lua", SINCE_EXTENSION, Any),
        field("spec.wasm", SINCE_EXTENSION, Table),
        required("spec.wasm.url", SINCE_EXTENSION, Name),
        field("spec.wasm.sha256", SINCE_EXTENSION, Text),
        field("spec.wasm.imagePullPolicy", SINCE_EXTENSION, PULL),
        field("spec.wasm.imagePullSecret", SINCE_EXTENSION, Name),
        field("spec.wasm.verificationKey", SINCE_EXTENSION, Text),
        field("spec.wasm.pluginConfig", SINCE_EXTENSION, Any),
        field("spec.wasm.pluginName", SINCE_EXTENSION, Name),
        field("spec.wasm.failStrategy", SINCE_EXTENSION, FAIL),
        field("spec.wasm.type", SINCE_EXTENSION, TYPE),
        field("spec.wasm.vmConfig", SINCE_EXTENSION, Table),
        field("spec.wasm.vmConfig.env", SINCE_EXTENSION, List),
        required("spec.wasm.vmConfig.env[].name", SINCE_EXTENSION, Name),
        field("spec.wasm.vmConfig.env[].valueFrom", SINCE_EXTENSION, FROM),
        field("spec.wasm.vmConfig.env[].value", SINCE_EXTENSION, Text),
    ],
};

/// `Telemetry` (telemetry/v1/telemetry.proto): only its metrics.
pub(super) static TELEMETRY: Schema = Schema {
    name: "Telemetry",
    since: Release::minor(12),
    versions: &[("telemetry.istio.io/v1alpha1", 12), ("telemetry.istio.io/v1", 22)],
    fields: &[
        field("spec", 12, Table),
        field("spec.selector", 12, Table),
        field("spec.selector.matchLabels", 12, Table),
        field("spec.selector.matchLabels.*", 12, Text),
        field("spec.targetRef", 20, Table),
        field("spec.targetRef.*", 20, Text),
        field("spec.targetRefs", 22, List),
        field("spec.targetRefs[].group", 22, Text),
        required("spec.targetRefs[].kind", 22, Text),
        required("spec.targetRefs[].name", 22, Text),
        field("spec.targetRefs[].namespace", 22, Text),
        field("spec.tracing", 12, Any),
        field("spec.accessLogging", 12, Any),
        field("spec.metrics", 12, List),
        field("spec.metrics[].providers", 12, List),
        required("spec.metrics[].providers[].name", 12, Name),
        field("spec.metrics[].reportingInterval", 17, Text),
        field("spec.metrics[].overrides", 12, List),
        field("spec.metrics[].overrides[].match", 12, Table),
        field("spec.metrics[].overrides[].match.metric", 12, METRIC),
        field("spec.metrics[].overrides[].match.customMetric", 12, Name),
        field("spec.metrics[].overrides[].match.mode", 12, SIDE),
        field("spec.metrics[].overrides[].disabled", 12, Bool),
        field("spec.metrics[].overrides[].tagOverrides", 12, Table),
        field("spec.metrics[].overrides[].tagOverrides.*", 12, Table),
        field(
            "spec.metrics[].overrides[].tagOverrides.*.operation",
            12,
            Word(&[("UPSERT", 12), ("REMOVE", 12)]),
        ),
        field("spec.metrics[].overrides[].tagOverrides.*.value", 12, Text),
    ],
};
