//! The chain of filters that istiod makes of plugins and authorization policies.

use std::cmp::Reverse;

use narrows::filter::Filter;
use narrows::render::{self, Kept, RenderRequest, Shape};
use narrows_core::PolicyValue;
use narrows_harness::bootstrap::native_filter;
use narrows_tests::{STRICT, configured};
use serde_json::{Value, json};

/// What an `AuthorizationPolicy` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Allow,
    Deny,
    Custom,
}

/// What it goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Path,
    Host,
    Header,
}

impl Action {
    pub(super) const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Custom];
}

impl By {
    pub(super) const ALL: [Self; 3] = [Self::Path, Self::Host, Self::Header];

    /// The rule for the request that clients send, as istiod writes it.
    fn policy(self) -> Value {
        let any = json!({ "and_ids": { "ids": [ { "any": true } ] } });
        let all = json!({ "and_rules": { "rules": [ { "any": true } ] } });
        let permission =
            |rule: Value| json!({ "and_rules": { "rules": [ { "or_rules": { "rules": [rule] } } ] } });
        let (permission, principal) = match self {
            Self::Path => (permission(json!({ "url_path": { "path": { "prefix": "/api/admin" } } })), any),
            Self::Host => {
                let host = json!({ "exact": "shop.example.com", "ignore_case": true });
                (permission(json!({ "header": { "name": ":authority", "string_match": host } })), any)
            }
            Self::Header => {
                let header = json!({ "header": { "name": "x-user", "string_match": { "exact": "root" } } });
                (all, json!({ "and_ids": { "ids": [ { "or_ids": { "ids": [header] } } ] } }))
            }
        };
        json!({ "permissions": [permission], "principals": [principal] })
    }
}

/// The resource that `narrows render` writes for a policy, for the inbound side of a
/// workload if a phase or mode says nothing else.
pub(super) fn render(
    filter: &str,
    policy: &str,
    mode: Option<&'static str>,
    phase: Option<&'static str>,
) -> String {
    let tree = PolicyValue::parse(policy.as_bytes()).unwrap();
    let filter = Filter::named(filter).unwrap();
    let wanted = RenderRequest {
        strict: false,
        filter,
        tree: tree.clone(),
        policy: &filter.compile(&tree).unwrap(),
        istio: "1.27".parse().unwrap(),
        name: "shop".to_owned(),
        namespace: Some("istio-system".to_owned()),
        selector: vec![("istio".to_owned(), "ingressgateway".to_owned())],
        targets: Vec::new(),
        url: Some(format!("oci://registry.example/narrows/{}:0.1.0", filter.name())),
        sha256: None,
        mode: mode.map(|mode| mode.parse().unwrap()),
        ports: Vec::new(),
        phase,
        priority: None,
        gateway: false,
        metric: None,
        kept: Kept::default(),
    };
    render::render(Shape::WasmPlugin, &wanted).unwrap()
}

/// The plugins of a proxy.
pub(super) struct Chain {
    /// Phase, priority and filter of each, in the order in which they run.
    plugins: Vec<(usize, Reverse<i64>, Value)>,
}

impl Chain {
    /// Of the resources in a file.
    pub(super) fn of(manifests: &str) -> Self {
        let documents: Vec<Value> = serde_saphyr::from_multiple(manifests).unwrap();
        let plugin = |manifest: &Value| {
            let spec = &manifest["spec"];
            let phase = ["AUTHN", "AUTHZ", "STATS"].iter().position(|phase| spec["phase"] == *phase);
            let policy = &spec["pluginConfig"];
            let filter = policy["filter"].as_str().map_or_else(
                || {
                    let url = spec["url"].as_str().unwrap().rsplit_once('/').unwrap().1;
                    url.split(':').next().unwrap().to_owned()
                },
                str::to_owned,
            );
            let name = manifest["metadata"]["name"].as_str().unwrap();
            let entry =
                json!({ "name": name, "typed_config": configured(&filter, &policy.to_string(), STRICT) });
            (phase.unwrap(), Reverse(spec["priority"].as_i64().unwrap()), entry)
        };
        let mut plugins: Vec<_> = documents.iter().map(plugin).collect();
        plugins.sort_by_key(|(phase, priority, _)| (*phase, *priority));
        Self { plugins }
    }

    /// How many there are.
    pub(super) fn plugins(&self) -> usize {
        self.plugins.len()
    }

    /// The chain, with a filter in authentication's place and others in authorization's.
    pub(super) fn filters(&self, authentication: Option<&Value>, authorization: &[Value]) -> Vec<Value> {
        let phase = |phase: usize| {
            self.plugins.iter().filter(move |(of, ..)| *of == phase).map(|(_, _, entry)| entry.clone())
        };
        let authentication = authentication.into_iter().cloned();
        phase(0)
            .chain(authentication)
            .chain(phase(1))
            .chain(authorization.iter().cloned())
            .chain(phase(2))
            .collect()
    }

    /// The chain with an `AuthorizationPolicy`.
    pub(super) fn around(&self, action: Action, by: By) -> Vec<Value> {
        let rules = |action: &str, name: &str| json!({ "action": action, "policies": { name: by.policy() } });
        let rbac = |config: Value| {
            native_filter("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", config)
        };
        match action {
            Action::Allow => {
                let rules = rules("ALLOW", "ns[istio-system]-policy[shop]-rule[0]");
                self.filters(None, &[rbac(json!({ "rules": rules }))])
            }
            Action::Deny => {
                let rules = rules("DENY", "ns[istio-system]-policy[shop]-rule[0]");
                self.filters(None, &[rbac(json!({ "rules": rules }))])
            }
            Action::Custom => {
                let rules = rules("DENY", "istio-ext-authz-ns[istio-system]-policy[shop]-rule[0]");
                let select =
                    rbac(json!({ "shadow_rules": rules, "shadow_rules_stat_prefix": "istio_ext_authz_" }));
                [vec![select, ext_authz()], self.filters(None, &[])].concat()
            }
        }
    }
}

/// The external authorizer, asked about what the rules before it have chosen.
fn ext_authz() -> Value {
    native_filter(
        "envoy.filters.http.ext_authz",
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        json!({
            "transport_api_version": "V3",
            "filter_enabled_metadata": {
                "filter": "envoy.filters.http.rbac",
                "path": [ { "key": "istio_ext_authz_shadow_effective_policy_id" } ],
                "value": { "string_match": { "prefix": "istio-ext-authz" } },
            },
            "allowed_headers": { "patterns": [ { "exact": "x-user" } ] },
            "http_service": {
                "server_uri": { "uri": "http://authorizer", "cluster": "authorizer", "timeout": "5s" },
            },
        }),
    )
}
