//! `guard` of a split or backend.

use crate::filter::split::istio::parts;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};

/// `guard` of a split or backend.
pub(crate) const GUARD: Field = field!(
    "guard",
    Table(&OBJECT),
    Optional,
    "When a backend is switched off; without it, once requests find nobody there."
);

static OBJECT: Object = object!(
    "guard",
    Where(r#"{"dependentRequired": {"every": ["cluster"], "path": ["cluster"]}}"#),
    "How a backend is guarded: while it is not there, the baseline serves its requests.",
    [],
    [
        field!("passive", Flag, Holds(true), "Whether requests that find nobody there switch it off."),
        field!(
            "cooldown",
            Duration(*limits::COOLDOWN.start(), *limits::COOLDOWN.end()),
            Says("30s"),
            "How long until a backend that was switched off is tried again."
        ),
        field!("cluster", Text(1, limits::VALUE_BYTES), Optional, "Envoy's name of the cluster to probe."),
        field!(
            "every",
            Duration(*limits::PROBE_EVERY.start(), *limits::PROBE_EVERY.end()),
            Says("2s"),
            "The time from one probe to the next."
        ),
        field!("path", Pattern("^/", limits::VALUE_BYTES), Says("/"), "The path to probe."),
    ],
);

/// How one backend is guarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) passive: bool,
    /// Milliseconds until a backend that was switched off is tried again.
    pub(super) cooldown: u64,
    pub(super) probe: Option<Probe>,
}

/// How to ask whether a backend is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Envoy's name of the cluster.
    pub cluster: Box<str>,
    /// The path to ask for.
    pub path: Box<str>,
    /// Milliseconds from one probe to the next. It is also how long one probe may take.
    pub every: u64,
}

impl Probe {
    /// All fields of the probe as bytes, for the backend `id`.
    pub(super) fn bytes(&self, id: u64) -> Vec<u8> {
        let [id, every] = [id, self.every].map(u64::to_le_bytes);
        [&id[..], &every, self.cluster.as_bytes(), &[0], self.path.as_bytes()].concat()
    }
}

impl Probe {
    /// Whether a cluster is of another port than the probed one, as far as Istio's names show it.
    pub(super) fn is_at_another_port(&self, cluster: &[u8]) -> bool {
        let port = |cluster| parts(cluster).map(|[_, port, ..]| port);
        match (port(self.cluster.as_bytes()), port(cluster)) {
            (Some(asked), Some(other)) => asked != other,
            _ => false,
        }
    }
}

impl Rule {
    pub(crate) fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &OBJECT)?;
        let cluster = fields.optional("cluster", cluster)?;
        if let (None, Some(field)) = (&cluster, ["every", "path"].into_iter().find(|name| fields.has(name))) {
            return Err(Invalid::new(
                Code::MissingField,
                format!("{field:?} configures the active probe, which needs \"cluster\""),
                "add Envoy's name of the cluster, such as \"outbound|8080||reviews-canary.shop.svc.cluster.local\"",
            ));
        }
        let every = fields.optional("every", |t| read::millis(t, limits::PROBE_EVERY))?.unwrap_or(2_000);
        let path = fields.optional("path", path)?.unwrap_or_else(|| "/".into());
        Ok(Self {
            passive: fields.optional("passive", read::flag)?.unwrap_or(true),
            cooldown: fields
                .optional("cooldown", |t| read::millis(t, limits::COOLDOWN))?
                .unwrap_or(Self::default().cooldown),
            probe: cluster.map(|cluster| Probe { cluster, path, every }),
        })
    }

    /// Whether there is anything to watch.
    pub(crate) fn is_on(&self) -> bool {
        self.passive || self.probe.is_some()
    }

    /// The probed cluster. It is also the cluster that must serve.
    pub(crate) fn cluster(&self) -> Option<&str> {
        self.probe.as_ref().map(|probe| &*probe.cluster)
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self { passive: true, cooldown: 30_000, probe: None }
    }
}

fn cluster(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let name = read::text(tree)?;
    if name.is_empty() {
        return Err(Invalid::new(
            Code::BadValue,
            "the name of the cluster is empty",
            "write Envoy's name of it",
        ));
    }
    names::header_value(name).map(|_| name.into())
}

fn path(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let path = read::text(tree)?;
    if !path.starts_with('/') {
        return Err(Invalid::new(
            Code::BadPath,
            format!("{path:?} does not begin with a slash"),
            "write the path to ask for, such as \"/healthz\"",
        ));
    }
    names::header_value(path).map(|_| path.into())
}
