//! A token of the server that a registry names, for pulls and pushes of one repository.

use serde_json::Value;
use ureq::http::{Request, Response};

use super::address::{form, host, origin};
use super::connection::{Connection, nowhere, unreachable};
use super::credential::Credential;
use crate::error::CliError;

/// What the registry wants a token for.
pub(super) struct Wanted<'a> {
    /// The server that gives it.
    pub(super) realm: &'a str,
    /// What that server calls the registry.
    pub(super) service: Option<&'a str>,
    /// What the request that was refused needs.
    pub(super) scope: Option<&'a str>,
}

/// More than any token.
const LARGEST: u64 = 1 << 20;

impl Connection {
    /// Asks for it: with the name and password, with what a login has left, or as anybody.
    pub(super) fn token(&self, wanted: &Wanted<'_>) -> Result<String, CliError> {
        let realm = wanted.realm;
        if !origin(realm).is_some_and(|(scheme, _)| scheme == "https" || self.is_plain) {
            return Err(CliError::new(
                format!("{} sends to a server of tokens without TLS", self.own.1),
                "no password goes there: ask who runs the registry",
            ));
        }
        let answer = match &self.credential {
            Some(Credential::Identity(identity)) => self.refreshed(wanted, identity),
            other => self.asked(wanted, other.as_ref().and_then(Credential::basic)),
        };
        let mut answer = answer?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec().unwrap_or_default();
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let token = ["token", "access_token"].iter().find_map(|name| said[*name].as_str());
        token.filter(|token| status == 200 && is_token(token)).map(str::to_owned).ok_or_else(|| {
            CliError::new(
                format!("{} answers {status} and gives no token", host(realm)),
                "is the name right, and the password? may it push to this repository?",
            )
        })
    }

    /// As most servers do: the name and password in a header.
    fn asked(&self, wanted: &Wanted<'_>, basic: Option<String>) -> Result<Response<ureq::Body>, CliError> {
        let realm = wanted.realm;
        let scopes = self.scopes(wanted);
        let mut fields: Vec<(&str, &str)> = scopes.iter().map(|scope| ("scope", scope.as_str())).collect();
        fields.extend(wanted.service.map(|service| ("service", service)));
        let joint = if realm.contains('?') { '&' } else { '?' };
        let mut request = Request::builder().uri(format!("{realm}{joint}{}", form(&fields)));
        if let Some(basic) = basic {
            request = request.header("authorization", basic);
        }
        let request = request.body(()).map_err(|_| nowhere(&host(realm)))?;
        self.agent.run(request).map_err(|e| unreachable(&host(realm), &e))
    }

    /// In exchange for what a login has left.
    fn refreshed(&self, wanted: &Wanted<'_>, identity: &str) -> Result<Response<ureq::Body>, CliError> {
        let realm = wanted.realm;
        let scope = self.scopes(wanted).join(" ");
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", identity),
            ("client_id", "narrows"),
            ("scope", &scope),
        ];
        fields.extend(wanted.service.map(|service| ("service", service)));
        let request = Request::builder().method("POST").uri(realm);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(form(&fields)).map_err(|_| nowhere(&host(realm)))?;
        self.agent.run(request).map_err(|e| unreachable(&host(realm), &e))
    }

    /// What the refused request needs may be less than a push does.
    fn scopes(&self, wanted: &Wanted<'_>) -> Vec<String> {
        let push = format!("repository:{}:pull,push", self.repository);
        let other = wanted.scope.filter(|scope| *scope != push).map(str::to_owned);
        [push].into_iter().chain(other).collect()
    }
}

/// What may stand in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}
