//! Two clusters call each other, each through its egress gateway into the other's ingress.

use super::answered_by;
use super::picture::{heading, row_of, say};
use super::promises::Promises;
use crate::Mesh;
use narrows_harness::message::Request;

/// A call from cluster to cluster.
struct Crossing {
    caller: &'static str,
    method: &'static str,
    host: &'static str,
    path: &'static str,
    /// Who answers; nobody if the policy refuses.
    answered: Option<&'static str>,
}

const ADMIN_TO_MANAGED: [Crossing; 4] = [
    crossing(
        "prometheus",
        "GET",
        "prometheus.vmi.system.managed1.example.com",
        "/federate",
        Some("managed-authproxy"),
    ),
    crossing("prometheus", "POST", "prometheus.vmi.system.managed1.example.com", "/federate", None),
    crossing(
        "argocd",
        "GET",
        "rancher.managed1.example.com",
        "/k8s/clusters/local",
        Some("managed-rancher-proxy"),
    ),
    crossing("argocd", "GET", "rancher.managed1.example.com", "/v3/users", None),
];
const MANAGED_TO_ADMIN: [Crossing; 4] = [
    crossing(
        "fluentd",
        "POST",
        "opensearch.vmi.system.admin.example.com",
        "/_bulk",
        Some("verrazzano-authproxy"),
    ),
    crossing("fluentd", "GET", "opensearch.vmi.system.admin.example.com", "/_search", None),
    crossing(
        "authproxy",
        "GET",
        "keycloak.admin.example.com",
        "/auth/realms/verrazzano-system",
        Some("keycloak-http"),
    ),
    crossing("fluentd", "GET", "keycloak.admin.example.com", "/auth/realms/verrazzano-system", None),
];

pub(super) fn show(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    heading("Multicluster: out of one cluster's egress gateway, into the other's ingress");
    for (direction, crossings) in
        [("admin → managed1", ADMIN_TO_MANAGED), ("managed1 → admin", MANAGED_TO_ADMIN)]
    {
        say(&format!("\n  {direction}"));
        for crossing in crossings {
            crossing.make(mesh, direction, promises)?;
        }
    }
    // Only the platform's own proxies may say who the user is.
    let forged = Request::get("rancher.managed1.example.com:443", "/k8s/clusters/local")
        .header("impersonate-user", "root")
        .header("x-forwarded-host", "elsewhere");
    let seen = mesh.callers.ask("argocd", &forged)?;
    let kept = seen.status == 200 && !seen.text().contains("root") && !seen.text().contains("elsewhere");
    promises.hold("the ingress believes nobody who says whom to impersonate", kept, || seen.text());
    Ok(())
}

impl Crossing {
    fn make(&self, mesh: &Mesh, direction: &str, promises: &mut Promises) -> anyhow::Result<()> {
        // The caller writes the port: its own sidecar takes clear text, whose port is 80.
        let mut request = Request::new(self.method, &format!("{}:443", self.host), self.path);
        if self.method == "POST" {
            request = request.header("content-length", "0");
        }
        let answer = mesh.callers.ask(self.caller, &request)?;
        let refused = answer.headers.text("x-narrows-egress");
        let told = refused.clone().unwrap_or_else(|| format!("answered by {}", answered_by(&answer)));
        let call = format!("{} {} {}{}", self.caller, self.method, self.host, self.path);
        row_of(&call, &told);
        let kept = match self.answered {
            Some(app) => refused.is_none() && answered_by(&answer) == app,
            None => answer.status == 403 && refused.as_deref() == Some("denied; rule=default"),
        };
        let verb = if self.answered.is_some() { "passes" } else { "does not pass" };
        promises.hold(format!("{call} {verb} ({direction})"), kept, || format!("{}, {told}", answer.status));
        Ok(())
    }
}

const fn crossing(
    caller: &'static str,
    method: &'static str,
    host: &'static str,
    path: &'static str,
    answered: Option<&'static str>,
) -> Crossing {
    Crossing { caller, method, host, path, answered }
}
