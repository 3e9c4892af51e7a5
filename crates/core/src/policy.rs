//! What every policy has in common, and what a host needs of one.

use crate::budget::Weight;
use crate::decision::{Decision, Served};
use crate::egress::learn::Learning;
use crate::invalid::{Code, Invalid};
use crate::matcher::Match;
use crate::matcher::parse::{self, Budget};
use crate::names;
use crate::read::{self, Fields};
use crate::request::Request;
use crate::series::{Grammar, Series};
use crate::split::guard::Guards;
use crate::strip::Strip;
use crate::tags::{Ask, Meter, Report};
use crate::tree::Tree;

/// A compiled policy: it cannot be wrong any more, and it decides.
pub trait Policy: Sized {
    /// The filter's name, as `filter` in a policy and in metrics.
    const FILTER: &'static str;

    /// Whether a bad first policy is refused even when not strict. Only where
    /// letting traffic pass would be worse than stopping it.
    const FAIL_CLOSED: bool = false;

    /// What is remembered from the request until its end.
    type Verdict;

    /// Turns what the operator wrote into something that cannot be wrong. An empty
    /// table is a pass-through.
    fn compile(tree: &Tree) -> Result<Self, Invalid>;

    /// What must be read of a request for this policy to decide.
    fn needs(&self) -> Needs;

    /// Whether a request to this authority can be decided on at all; asked only if
    /// [`Needs::authority_first`].
    fn concerns(&self, _authority: &[u8]) -> bool {
        true
    }

    /// Every series the policy counts in; a count names one by its place here.
    fn series(&self) -> &[Series];

    /// What it takes of what a policy may.
    fn weight(&self) -> Weight;

    /// What was loaded, in a few words for the log.
    fn summary(&self) -> String;

    /// What is likely not meant, though nothing is wrong: for the log, and for lint.
    fn warning(&self) -> Option<&'static str> {
        None
    }

    /// Decides. Same inputs, same answer, on any machine, for ever.
    fn decide<'a>(&'a self, request: Request<'a>) -> (Decision<'a>, Self::Verdict);

    /// The names that a client must not send.
    fn strip(&self) -> Option<&Strip> {
        None
    }

    /// Whether a trailer of that name must not go on, given what was decided on its
    /// request: it would be a header that was removed, or that a filter has written. No
    /// filter writes trailers, so what is there is the client's.
    fn drops_trailer(&self, _verdict: &Self::Verdict, name: &[u8]) -> bool {
        self.strip().is_some_and(|strip| strip.covers_trailer(name))
    }

    /// Whether only what goes out is judged: then what comes in to a workload passes
    /// as it is.
    fn judges_outgoing(&self) -> bool {
        false
    }

    /// What more must be known of the route of this request, whose cluster is known.
    fn asks(&self, _request: &Request<'_>) -> RouteAsk {
        RouteAsk::default()
    }

    /// What to remember of [`Decision::unlisted`]; without it nothing is.
    fn learning(&self) -> Option<&Learning> {
        None
    }

    /// Whether [`Policy::served`] has anything to measure for this request.
    fn is_measured(&self, _verdict: &Self::Verdict) -> bool {
        true
    }

    /// Whether Envoy's response flags and the time are needed to tell what became of
    /// this request.
    fn needs_flags(&self, _verdict: &Self::Verdict) -> bool {
        false
    }

    /// Whether it must be known where Envoy's route led before this request is rewritten.
    fn needs_before(&self, _verdict: &Self::Verdict) -> bool {
        false
    }

    /// Whether it must be known what earlier filters did to this request; asked when it has
    /// been served.
    fn suspects(&self, _verdict: &Self::Verdict, _served: &Served<'_>) -> bool {
        false
    }

    /// Whether it must be known that an upstream answered.
    fn needs_upstream(&self, _verdict: &Self::Verdict) -> bool {
        false
    }

    /// What is watched from request to request, and shared by the VMs of a proxy.
    fn guards(&self) -> Option<&Guards> {
        None
    }

    /// The one pseudo header that is all this policy reads of a request: then it alone
    /// is fetched.
    fn only_header(&self) -> Option<&'static str> {
        None
    }

    /// The series that are named as requests are served, if there are any.
    fn meter(&self) -> Option<&Meter> {
        None
    }

    /// What to measure once the request has been served, given what [`Meter::wants`]
    /// asked for. Called only if there is a [`Policy::meter`].
    fn report(&self, _verdict: &Self::Verdict, _observed: &[Option<Vec<u8>>], _ask: Ask) -> Report {
        Report::default()
    }

    /// What to measure once the request has been served. Called only if
    /// [`Needs::outcome`].
    fn served(&self, _verdict: &Self::Verdict, _served: &Served<'_>) -> Vec<Measurement> {
        Vec::new()
    }
}

/// A change to one series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// The place of the series in [`Policy::series`].
    pub series: usize,
    /// What to add to a counter, record in a histogram, or set a gauge to.
    pub value: u64,
}

/// What a host must read for a policy: nothing that is not asked for is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a list of independent wants")]
pub struct Needs {
    /// The request's headers. Without them there is nothing to decide.
    pub headers: bool,
    /// `:authority` alone first: most requests concern no split.
    pub authority_first: bool,
    /// The address of the immediate caller.
    pub address: bool,
    /// The name of the caller, as its certificate says it.
    pub principal: bool,
    /// Whether that certificate was verified on this very connection.
    pub verified: bool,
    /// The filter state [`crate::strip::STATE`]. Without it, what a decision says there
    /// belongs behind what is there already.
    pub stripped: bool,
    /// What the proxy knows of itself and of the connection.
    pub surroundings: bool,
    /// A number that differs from request to request.
    pub nonce: bool,
    /// What became of the request: code, cluster, flags, duration.
    pub outcome: bool,
}

/// What must be read of a route beside its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteAsk {
    /// The name of its virtual host.
    pub virtual_host: bool,
    /// Whether its virtual host has no other route.
    pub is_only: bool,
}

/// Whether a policy, rule or split acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Decides and acts.
    #[default]
    Enforce,
    /// Decides, counts and explains; changes nothing.
    Report,
    /// As if it were not there.
    Off,
}

/// Whose headers are believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The client's are not.
    #[default]
    Edge,
    /// The caller is part of the mesh.
    Mesh,
}

/// Whose certificate names a caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Whoever presents one that Envoy lets in.
    #[default]
    Presented,
    /// Whose was verified on this connection.
    Verified,
}

/// The fields that every policy may have.
pub(crate) const FIELDS: [&str; 6] = ["filter", "mode", "trust", "callers", "explain", "labels"];

/// The part that every policy has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) mode: Mode,
    pub(crate) trust: Trust,
    pub(crate) callers: Callers,
    pub(crate) explain: Option<Explain>,
    pub(crate) labels: Grammar,
}

/// When and where a decision is explained to the client.
#[derive(Clone, Debug)]
pub(crate) struct Explain {
    pub(crate) header: Box<str>,
    pub(crate) when: Match,
}

impl Head {
    /// Opens a policy for `filter`, whose own fields are `own`.
    pub(crate) fn open<'t>(
        tree: &'t Tree,
        filter: &str,
        own: &[&str],
        budget: &Budget,
    ) -> Result<(Self, Fields<'t>), Invalid> {
        budget.open(tree)?;
        let known: Vec<&str> = FIELDS.iter().chain(own).copied().collect();
        // A policy for another filter is told so, not that its fields are unknown.
        if let Tree::Table(table) = tree {
            for (_, named) in table.iter().filter(|(name, _)| name == "filter") {
                let named = read::text(named).map_err(|e| e.in_field("filter"))?;
                if named != filter {
                    return Err(wrong_filter(named, filter).in_field("filter"));
                }
            }
        }
        let fields = Fields::open(tree, &known)?;
        let head = Self {
            mode: mode(fields)?,
            trust: fields
                .optional("trust", |t| read::word(t, &[("edge", Trust::Edge), ("mesh", Trust::Mesh)]))?
                .unwrap_or_default(),
            callers: fields
                .optional("callers", |t| {
                    read::word(t, &[("presented", Callers::Presented), ("verified", Callers::Verified)])
                })?
                .unwrap_or_default(),
            explain: fields.optional("explain", |t| Explain::read(t, budget))?,
            labels: fields
                .optional("labels", |t| {
                    read::word(t, &[("stat-tags", Grammar::StatTags), ("stock", Grammar::Stock)])
                })?
                .unwrap_or_default(),
        };
        Ok((head, fields))
    }
}

impl Explain {
    fn read(tree: &Tree, budget: &Budget) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &["header", "when"])?;
        Ok(Self {
            header: fields
                .optional("header", |t| names::writable_header(read::text(t)?))?
                .unwrap_or_else(|| "x-narrows-explain".into()),
            when: fields.required("when", |t| parse::one(t, budget))?,
        })
    }
}

/// Reads `mode` of a policy, rule or split.
pub(crate) fn mode(fields: Fields<'_>) -> Result<Mode, Invalid> {
    let words = [("enforce", Mode::Enforce), ("report", Mode::Report), ("off", Mode::Off)];
    Ok(fields.optional("mode", |t| read::word(t, &words))?.unwrap_or_default())
}

impl Mode {
    /// The stricter of a policy's mode and its part's: what is off stays off.
    pub(crate) fn within(self, policy: Self) -> Self {
        match (policy, self) {
            (Self::Off, _) | (_, Self::Off) => Self::Off,
            (Self::Report, _) | (_, Self::Report) => Self::Report,
            _ => Self::Enforce,
        }
    }
}

fn wrong_filter(named: &str, filter: &str) -> Invalid {
    Invalid::new(
        Code::WrongFilter,
        format!("this policy is for {named:?}, this filter is {filter:?}"),
        "attach it to the filter that it names",
    )
}
