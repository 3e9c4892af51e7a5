//! The egress gateway lets out what the policy names, and learns what else was tried.

use super::answered_by;
use super::picture::{heading, row_of, say};
use super::promises::Promises;
use crate::Mesh;
use narrows_harness::message::Request;

/// Before what could be allowed, in the line about unlisted destinations.
const PROPOSAL: &str = "a policy that allows them: ";

pub(super) fn show(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    heading("Egress: egress-policy at the egress gateway");
    say("workload → mTLS with its own certificate → egress gateway → the world outside\n");
    let calls = [
        ("checkout", "api.stripe.com", "/v1/charges", None, "the checkout may charge"),
        ("web", "api.stripe.com", "/v1/charges", Some("default"), "the web may not"),
        ("checkout", "api.stripe.com", "/v1/tokens", Some("no-tokens"), "nobody may ask for tokens"),
        (
            "checkout",
            "169.254.169.254",
            "/latest/meta-data",
            Some("metadata"),
            "nobody may ask the cloud who it is",
        ),
        ("web", "0xa9fea9fe", "/latest/meta-data", Some("metadata"), "nor under another spelling"),
        ("web", "a.vendor.example", "/", Some("default"), "what is on trial is still refused"),
        ("web", "brand-new.example", "/", Some("default"), "what nobody thought of is refused"),
    ];
    for (caller, host, path, refused_by, what) in calls {
        let answer = mesh.callers.ask(caller, &Request::get(host, path))?;
        let said = answer.headers.text("x-narrows-egress");
        let told = said.clone().unwrap_or_else(|| format!("answered by {}", answered_by(&answer)));
        row_of(&format!("{caller} → {host}{path}"), &told);
        let wanted = refused_by.map(|rule| format!("denied; rule={rule}"));
        let kept = said == wanted && (answer.status == 403) == wanted.is_some();
        promises.hold(format!("{what} ({caller} → {host}{path})"), kept, || {
            format!("{}, {told}", answer.status)
        });
    }

    say("\n  the gateway remembers what no rule names, and proposes a policy");
    let learnt = mesh.egress.gateway.wait_for_log(PROPOSAL);
    let log = mesh.egress.gateway.log();
    let line = log.lines().find(|line| line.contains(PROPOSAL)).unwrap_or_default();
    let proposal = line.split_once(PROPOSAL).map_or("", |(_, policy)| policy);
    say(&format!("    {proposal}"));
    let kept = learnt.is_ok() && proposal.contains("brand-new.example");
    promises.hold("a destination that nobody thought of is learnt", kept, || format!("the log says: {line}"));
    Ok(())
}
