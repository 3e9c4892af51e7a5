//! Which backend a request goes to, and why.

/// What is remembered of a request until its end: which split divided it, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The split, by its index.
    pub split: usize,
    /// The backend, by its index in the split.
    pub backend: usize,
    /// Why.
    pub reason: Reason,
    /// The bucket, if the key or chance decided.
    pub bucket: Option<u32>,
    /// The key source that gave the key, by its index.
    pub key: Option<usize>,
    /// What was done about an id that it does not have.
    pub anonymous: Option<Anonymous>,
    /// The backend that is switched off, if that is why the baseline serves.
    pub instead_of: Option<usize>,
    /// Half of the key's hash, if the key decided: it tells users apart without saying who they are.
    pub fingerprint: u32,
    /// Whether the request tries a backend that was switched off.
    pub is_try: bool,
    /// The port that its backend is guarded by: the caller's, or 0 if it wrote none.
    pub port: u16,
    /// Whether it asks for a tunnel, which most proxies have no route for.
    pub is_connect: bool,
    /// Whether Envoy may answer it with 200 though it was not served, as a call of gRPC.
    pub is_grpc: bool,
}

/// Why a request went to its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A trusted caller chose.
    Override,
    /// The request is excluded.
    Exclude,
    /// The request is included.
    Include,
    /// By key and weight.
    Weight,
    /// It has no key.
    MissingKey,
    /// It has no key and chance decided.
    Random,
    /// By the id that it gets because it has no key.
    NewId,
    /// The backend that it would go to is switched off.
    Guard,
    /// The backend that it would go to is worse than the baseline.
    Rollback,
    /// It names no host, and the policy asks for one.
    MissingHost,
    /// What the backend's destination quotes is none of the values that the policy lists.
    UnlistedValue,
}

impl Reason {
    /// The word in the explain record and in `simulate`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Exclude => "exclude",
            Self::Include => "include",
            Self::Weight => "weight",
            Self::MissingKey => "missing-key",
            Self::Random => "random",
            Self::NewId => "new-id",
            Self::Guard => "guard",
            Self::Rollback => "rollback",
            Self::MissingHost => "missing-host",
            Self::UnlistedValue => "unlisted-value",
        }
    }
}

/// What a split does about an id that a visit does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// The visit gets one, which decides from the next request on: this response may not be able to
    /// carry it.
    Later,
    /// The visit gets one, which decides at once.
    Now,
    /// It would get one, but no browser would keep it: it came by http.
    Insecure,
}
