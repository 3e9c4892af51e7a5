//! Requests to a registry, and who learns a password by them.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Request;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::address::{Origin, host, joined, origin};
use super::challenge::Challenge;
use super::credential::Credential;
use super::place::Place;
use super::token::Wanted;
use crate::error::CliError;

/// Whom a connection trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Whether it is plain http. Then no password is sent.
    pub plain: bool,
    /// The certificates of authorities, PEM, in place of Mozilla's.
    pub authorities: Option<Vec<u8>>,
}

/// A connection to one registry.
pub(super) struct Connection {
    pub(super) agent: ureq::Agent,
    /// The scheme, host and port that may be shown who asks.
    pub(super) own: Origin,
    pub(super) repository: String,
    pub(super) credential: Option<Credential>,
    /// The header that shows who asks.
    shown: Option<String>,
    pub(super) is_plain: bool,
}

/// A request.
pub(super) struct Ask<'a> {
    method: &'static str,
    to: String,
    kind: Option<&'a str>,
    accept: Option<&'a str>,
    body: &'a [u8],
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Where it points to, in full.
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
    challenges: Vec<Challenge>,
}

/// A registry may point to where it keeps its bytes, and that to another place.
const REDIRECTS: usize = 5;
/// A proxy takes no larger module.
const LARGEST: u64 = 256 << 20;
/// To the first byte, and for all of a module over a slow line.
const CONNECT: Duration = Duration::from_secs(20);
const WHOLE: Duration = Duration::from_mins(10);

impl Connection {
    pub(super) fn new(
        place: &Place,
        credential: Option<Credential>,
        trust: &Trust,
    ) -> Result<Self, CliError> {
        if trust.plain && credential.is_some() {
            return Err(CliError::new(
                "no password goes over plain http",
                "leave out --insecure, or the name and the password",
            ));
        }
        let mut tls = TlsConfig::builder();
        if let Some(pem) = &trust.authorities {
            tls = tls.root_certs(authorities(pem)?);
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .https_only(!trust.plain)
            .tls_config(tls.build())
            .user_agent(concat!("narrows/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(WHOLE));
        let own = origin(&place.origin(trust.plain)).ok_or_else(|| nowhere(place.registry()))?;
        Ok(Self {
            agent: config.build().into(),
            own,
            repository: place.repository().to_owned(),
            credential,
            shown: None,
            is_plain: trust.plain,
        })
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    pub(super) fn has_credential(&self) -> bool {
        self.credential.is_some()
    }

    /// Sends a request. Whoever is asked for a name is told it once, and a redirection is followed
    /// without it.
    pub(super) fn send(&mut self, ask: &Ask<'_>) -> Result<Answer, CliError> {
        let mut answer = self.exchange(ask, &ask.to)?;
        if answer.status == 401 && self.is_own(&ask.to) && self.introduce(&answer.challenges)? {
            answer = self.exchange(ask, &ask.to)?;
        }
        for _ in 0..REDIRECTS {
            let (300..400, Some(to)) = (answer.status, &answer.location) else { break };
            let to = to.clone();
            answer = self.exchange(ask, &to)?;
        }
        Ok(answer)
    }

    /// Whether a place is of the registry itself.
    fn is_own(&self, to: &str) -> bool {
        origin(to).is_some_and(|origin| origin == self.own)
    }

    fn exchange(&self, ask: &Ask<'_>, to: &str) -> Result<Answer, CliError> {
        let mut request = Request::builder().method(ask.method).uri(to);
        if let Some(shown) = self.shown.as_ref().filter(|_| self.is_own(to)) {
            request = request.header("authorization", shown);
        }
        request = ask.kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        request = ask.accept.into_iter().fold(request, |request, kind| request.header("accept", kind));
        let has_body = matches!(ask.method, "POST" | "PUT");
        let answer = if has_body {
            self.agent.run(request.body(ask.body).map_err(|_| nowhere(&host(to)))?)
        } else {
            self.agent.run(request.body(()).map_err(|_| nowhere(&host(to)))?)
        };
        let lost = |e: &ureq::Error| unreachable(&host(to), e);
        let mut answer = answer.map_err(|e| lost(&e))?;
        let text = |name: &str| {
            let values = answer.headers().get_all(name).into_iter();
            values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect::<Vec<_>>()
        };
        let challenges = text("www-authenticate").iter().filter_map(|text| Challenge::read(text)).collect();
        let location = text("location").into_iter().next().and_then(|location| joined(to, &location));
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(|e| lost(&e))?;
        Ok(Answer { status, location, body, challenges })
    }

    /// Finds what shows the registry who asks. False if there is nothing new to show.
    fn introduce(&mut self, challenges: &[Challenge]) -> Result<bool, CliError> {
        if self.shown.is_some() {
            return Ok(false);
        }
        for challenge in challenges {
            let shown = match challenge {
                Challenge::Basic => self.credential.as_ref().and_then(Credential::basic),
                Challenge::Token { realm, service, scope } => {
                    let wanted = Wanted { realm, service: service.as_deref(), scope: scope.as_deref() };
                    Some(format!("Bearer {}", self.token(&wanted)?))
                }
            };
            if shown.is_some() {
                self.shown = shown;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'a> Ask<'a> {
    pub(super) fn new(method: &'static str, to: String) -> Self {
        Self { method, to, kind: None, accept: None, body: &[] }
    }

    pub(super) fn content(self, kind: &'a str, body: &'a [u8]) -> Self {
        Self { kind: Some(kind), body, ..self }
    }

    pub(super) fn accept(self, kinds: &'a str) -> Self {
        Self { accept: Some(kinds), ..self }
    }

    /// What it is about, for an error.
    pub(super) fn what(&self) -> &'static str {
        match self.method {
            "GET" => "fetching what was pushed",
            _ => "a push",
        }
    }
}

impl Answer {
    /// The code of a fault, such as `DENIED`. Nothing else that a server writes is shown.
    pub(super) fn code(&self) -> Option<String> {
        let said: Value = serde_json::from_slice(&self.body).ok()?;
        let code = said["errors"][0]["code"].as_str()?;
        let is_code = code.len() <= 40 && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        is_code.then(|| code.to_owned())
    }
}

fn authorities(pem: &[u8]) -> Result<RootCerts, CliError> {
    let certificates: Vec<_> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(CliError::new("the file of --ca has no certificate", "name a file of PEM"));
    }
    Ok(RootCerts::from(certificates))
}

pub(super) fn nowhere(host: &str) -> CliError {
    CliError::new(format!("{host} names a place that cannot be asked"), "is it a registry of images?")
}

pub(super) fn unreachable(host: &str, error: &ureq::Error) -> CliError {
    let help = match error {
        // Of TLS it says so in words alone.
        other if other.to_string().contains("certificate") => {
            "name the certificate of its authority with --ca"
        }
        ureq::Error::RequireHttpsOnly(_) => "nothing is sent without TLS; --insecure allows it",
        _ => "is the name right, and does it answer from here? without TLS: --insecure",
    };
    // These have an address in them that a server may have written.
    let what = match error {
        ureq::Error::RequireHttpsOnly(_) => "it is to be asked without TLS".to_owned(),
        ureq::Error::BadUri(_) => "its address cannot be used".to_owned(),
        other => other.to_string(),
    };
    CliError::new(format!("cannot reach {host}: {what}"), help)
}
