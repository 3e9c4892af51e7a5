//! What a filter decided, as data: a host applies it, `simulate` prints it.

use std::borrow::Cow;

use crate::action::edit::Edit;

/// A decision on one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Headers that the client must not have sent. They are removed first.
    pub stripped: Vec<&'a [u8]>,
    /// Whether the request was judged without headers that its client must not have sent: also by a policy that
    /// only reports, and leaves them where they are.
    pub is_stripped: bool,
    /// Edits of the request, in order.
    pub request: Vec<Edit<'a>>,
    /// Headers that already had the value that the policy would set. No edit is made, but later filters
    /// must treat them as written by this one.
    pub already_set: Vec<Cow<'a, str>>,
    /// Edits of the response, in order; the explain record is the last.
    pub response: Vec<Edit<'a>>,
    /// An answer instead of the upstream's.
    pub reply: Option<Reply<'a>>,
    /// Filter state to publish, without the `wasm.` that Envoy puts before it.
    pub state: Vec<(&'a str, Cow<'a, [u8]>)>,
    /// What would be published if the policy did not say `"filterState": false`: only tools show it.
    pub unpublished: Vec<(&'a str, Cow<'a, [u8]>)>,
    /// Series in which to count one request.
    pub count: Vec<usize>,
    /// A destination that no rule names, to be remembered.
    pub unlisted: Option<Unlisted<'a>>,
}

/// A destination that no rule of a policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted<'a> {
    /// The host in its one form.
    pub host: Box<[u8]>,
    /// The method.
    pub method: &'a [u8],
}

/// An answer that a filter gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The status, 200 to 599. For a gRPC request Envoy turns it into a gRPC status.
    pub status: u16,
    /// The gRPC status to answer a gRPC request with, if the policy names one.
    pub grpc_status: Option<u8>,
    /// Headers of the answer.
    pub headers: Vec<(Cow<'a, str>, Cow<'a, [u8]>)>,
    /// The body, perhaps empty.
    pub body: Cow<'a, [u8]>,
}

impl Reply<'_> {
    /// The same answer, which borrows nothing.
    pub(crate) fn into_owned(self) -> Reply<'static> {
        let own = |(name, value): (Cow<'_, str>, Cow<'_, [u8]>)| {
            (Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned()))
        };
        Reply {
            status: self.status,
            grpc_status: self.grpc_status,
            headers: self.headers.into_iter().map(own).collect(),
            body: Cow::Owned(self.body.into_owned()),
        }
    }
}
