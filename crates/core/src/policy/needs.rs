//! What a host must read of a request for a policy.

/// What a host must read for a policy. The host reads nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent wants")]
pub struct Needs {
    /// The request's headers. Without them there is nothing to decide.
    pub headers: bool,
    /// The one pseudo header that is all that this policy reads of a request: then only it is fetched.
    pub only_header: Option<&'static str>,
    /// The address of the immediate caller.
    pub address: bool,
    /// The name of the caller, as its certificate has it.
    pub principal: bool,
    /// Whether that certificate was verified on this very connection.
    pub verified: bool,
    /// The filter state [`crate::sanitize::PROVENANCE`]. If it is not read, what a decision writes there
    /// must be appended to what is there already.
    pub stripped: bool,
    /// That an earlier filter has removed something counts, though this one says and removes nothing.
    pub removed: bool,
    /// What earlier filters wrote into dynamic metadata.
    pub metadata: bool,
    /// What the proxy knows of itself and of the connection.
    pub stream_info: bool,
    /// A number that differs from request to request.
    pub nonce: bool,
    /// The time: a weight depends on it.
    pub now: bool,
    /// What became of the request: it is measured after it has been served.
    pub outcome: bool,
}

impl Needs {
    /// What two policies need together. More than one header is needed then.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            headers: self.headers || other.headers,
            only_header: None,
            address: self.address || other.address,
            principal: self.principal || other.principal,
            verified: self.verified || other.verified,
            stripped: self.stripped || other.stripped,
            removed: self.removed || other.removed,
            metadata: self.metadata || other.metadata,
            stream_info: self.stream_info || other.stream_info,
            nonce: self.nonce || other.nonce,
            now: self.now || other.now,
            outcome: self.outcome || other.outcome,
        }
    }
}
