//! On which side of a workload a request passes its proxy, and what is remembered for it.

/// On which side of a workload a request passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passage<'a> {
    /// There is no workload beside the proxy, or nobody knows on which side of it the request is.
    #[default]
    Through,
    /// The request comes in to the workload.
    In,
    /// The workload made the request, and this is remembered for it.
    Out(Recalled<'a>),
}

/// What a proxy remembers of the requests that came in with the trace ids of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recalled<'a> {
    /// No lane of any request is remembered, and so nothing was looked up.
    #[default]
    Idle,
    /// None of its ids is known, or it has none.
    Unknown,
    /// They had no lane.
    Bare,
    /// Its ids do not say one thing.
    Mixed,
    /// They had this lane.
    Lane(&'a [u8]),
}

/// [`Passage`], which borrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trail {
    /// See [`Passage::Through`].
    #[default]
    Through,
    /// See [`Passage::In`].
    In,
    /// See [`Passage::Out`].
    Out(Recall),
}

/// [`Recalled`], which borrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Recall {
    /// See [`Recalled::Idle`].
    #[default]
    Idle,
    /// See [`Recalled::Unknown`].
    Unknown,
    /// See [`Recalled::Bare`].
    Bare,
    /// See [`Recalled::Mixed`].
    Mixed,
    /// See [`Recalled::Lane`].
    Lane(Vec<u8>),
}

impl Trail {
    /// The same as a decision reads it.
    pub fn view(&self) -> Passage<'_> {
        match self {
            Self::Through => Passage::Through,
            Self::In => Passage::In,
            Self::Out(recall) => Passage::Out(match recall {
                Recall::Idle => Recalled::Idle,
                Recall::Unknown => Recalled::Unknown,
                Recall::Bare => Recalled::Bare,
                Recall::Mixed => Recalled::Mixed,
                Recall::Lane(lane) => Recalled::Lane(lane),
            }),
        }
    }
}
