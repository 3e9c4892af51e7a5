//! The gateway picks a version of hello-helidon by what the request says.

use std::collections::BTreeMap;

use super::picture::{bars, heading, say};
use super::promises::Promises;
use crate::{HELLO, Mesh};
use narrows_harness::http1::Connection;
use narrows_harness::message::{Request, Response};

pub(super) fn show(mesh: &Mesh, promises: &mut Promises) -> anyhow::Result<()> {
    heading("North–south: header-router at the ingress gateway");
    say(&format!("client → ingress gateway → hello-helidon, http://{HELLO}/greet\n"));
    let plain = || Request::get(HELLO, "/greet");
    let groups: [(&str, Request, &str); 5] = [
        ("no header", plain(), "v1"),
        ("x-user-group: beta", plain().header("x-user-group", "beta"), "v2"),
        ("cookie: beta=1", plain().header("cookie", "theme=dark; beta=1"), "v2"),
        ("x-user-group: gamma", plain().header("x-user-group", "gamma"), "v1"),
        ("forged x-narrows-route: hello-v2", plain().header("x-narrows-route", "hello-v2"), "v1"),
    ];
    let mut client = Connection::connect(mesh.applications.ingress())?;
    for (what, request, wanted) in groups {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..100 {
            *seen.entry(served_by(&client.exchange(&request)?)).or_default() += 1;
        }
        say(&format!("  {what}"));
        bars(&seen, 100);
        promises.hold(format!("requests with {what} reach {wanted}"), only(&seen, wanted), || {
            format!("served by {seen:?}")
        });
    }
    let gone = client.exchange(&Request::get(HELLO, "/greet?api=1"))?;
    say(&format!("  ?api=1\n    answered {} by the gateway itself", gone.status));
    promises.hold("requests with ?api=1 are answered 410", gone.status == 410, || {
        format!("answered {}", gone.status)
    });

    let secure = mesh.callers.ask("browser", &plain().header("x-user-group", "beta"))?;
    say(&format!("  x-user-group: beta, over TLS\n    {}", served_by(&secure)));
    let over_tls = "the same holds over TLS, with the certificate of the page's Gateway";
    promises.hold(over_tls, served_by(&secure) == "v2", || format!("served by {}", served_by(&secure)));
    Ok(())
}

fn served_by(response: &Response) -> String {
    let version = response.json().ok().and_then(|body| Some(body["version"].as_str()?.to_owned()));
    version.unwrap_or_else(|| format!("status {}", response.status))
}

fn only(seen: &BTreeMap<String, usize>, wanted: &str) -> bool {
    seen.len() == 1 && seen.contains_key(wanted)
}
