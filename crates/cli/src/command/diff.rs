//! `narrows diff`

pub(super) mod text;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::loaded::{Loaded, policy};
use super::simulate::{From, output::note};
use super::{Done, FilterName, Output};
use crate::diff::{self, Decided, HostDiff, SeriesDiff, SplitDiff};
use crate::error::CliError;
use crate::filter::Filter;
use crate::source::SourceFile;

/// Compare two policies of a filter: what changes if the new one replaces the old one
///
/// For splits it counts all 1,000,000 buckets: which users change their backend. For egress-policy it
/// asks about every host that a rule names. With requests it shows those that are decided otherwise. The
/// exit code is 1 if a user of a canary is taken off it, or if another filter decides otherwise on a
/// request or host.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The policy in force
    old: PathBuf,
    /// The policy that will replace it
    new: PathBuf,
    /// The filter, if the policies do not name it [default: canary-split]
    #[arg(long, value_name = "NAME")]
    filter: Option<FilterName>,
    /// A file of keys, one a line, that are looked up one by one
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    #[command(flatten)]
    requests: From,
    /// How many requests that are decided otherwise are shown one by one
    #[arg(long, value_name = "N", default_value_t = 20)]
    list: usize,
    /// Exit with 0 even if users go back, as in a rollback
    #[arg(long)]
    allow_back: bool,
    /// Exit with 0 even if requests or hosts are decided otherwise
    #[arg(long)]
    allow_changes: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t)]
    format: Output,
}

/// Everything in which two policies differ.
struct Difference {
    splits: Vec<SplitDiff>,
    /// How many keys were looked up, if any were given.
    keys: Option<usize>,
    notes: Vec<String>,
    /// Whether a user may be taken off a canary in a way that no number shows.
    may_lose: bool,
    rules: Vec<String>,
    /// Whether the notes say that splits take other requests than before.
    matches: bool,
    hosts: Vec<HostDiff>,
    series: SeriesDiff,
    requests: Option<Decided>,
    /// Whether every question was asked that should have been.
    is_whole: bool,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Done, CliError> {
        // Users move between policies of this one.
        let named = self.filter.map(|name| name.0).or(Some(Filter::CanarySplit));
        let load = |path: &PathBuf| policy(path, named, self.format);
        let (old, new) = (load(&self.old)?, load(&self.new)?);
        if old.filter != new.filter {
            return Err(CliError::new(
                format!("{} cannot be compared with {}", old.filter.name(), new.filter.name()),
                "give two policies of one filter",
            ));
        }
        let mut difference = between(&old, &new, self.keys.as_ref(), self.requests.at())?;
        if self.requests.is_given() {
            let mut decided = Decided::new(self.list, &old.policy, &new.policy);
            let tally = self.requests.each(self.format, &mut |sent| {
                decided.ask(&old.policy, &new.policy, sent);
                Ok(())
            })?;
            note(&tally);
            difference.requests = Some(decided);
        }
        let back =
            difference.may_lose || difference.loses() || difference.splits.iter().any(SplitDiff::takes_back);
        // A rollout decides otherwise on requests; only those that a canary loses go back.
        let is_rollout = old.filter == Filter::Narrows && diff::only_splits_differ(&old.node, &new.node);
        let requests = difference.requests.as_ref().is_some_and(|decided| match old.filter {
            Filter::CanarySplit => false,
            _ if is_rollout => decided.beyond_splits > 0,
            _ => decided.changed > 0,
        });
        // What was not asked may be decided otherwise.
        let changes = !difference.is_whole || !difference.hosts.is_empty() || requests;
        let output = match self.format {
            Output::Text => text::of(&difference),
            Output::Json => difference.json(),
        };
        let findings = (back && !self.allow_back) || (changes && !self.allow_changes);
        Ok(Done { findings, ..Done::clean(output) })
    }
}

/// What becomes of users where a merged policy loses its part of splits.
const NO_SPLITS: &str = "the new policy has no splits: everyone is served by the baselines";

/// Whether a note says that other requests are taken than before.
fn chooses(note: &str) -> bool {
    let fields = note.rsplit_once(" also differs in ").map(|(_, fields)| fields);
    note == "the splits are tried in another order"
        || fields.is_some_and(|fields| fields.split(", ").any(diff::is_choice))
}

/// The lines of a file of keys; a mark of the byte order is no part of a key.
fn keys_in(source: &SourceFile) -> Vec<&str> {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    text.lines().filter(|key| !key.is_empty()).collect()
}

/// The splits compared, and where the keys go, if any were given.
fn divided(
    (old, new): (&Loaded, &Loaded),
    keys: Option<&[&str]>,
    now: u64,
) -> Result<Vec<SplitDiff>, CliError> {
    let splits = match (old.policy.splitter(), new.policy.splitter()) {
        (Some(from), Some(to)) => diff::splits(from, to, keys.unwrap_or_default(), now),
        _ => Vec::new(),
    };
    if keys.is_some() && splits.is_empty() {
        return Err(CliError::new(
            format!("a policy of {} has no users to look up", old.filter.name()),
            "leave out --keys",
        ));
    }
    match splits.iter().find(|split| keys.is_some() && !split.takes_keys) {
        Some(made) => Err(CliError::new(
            format!("split {:?} has no key that is one value of a request", made.name),
            "leave out --keys",
        )),
        None => Ok(splits),
    }
}

fn between(old: &Loaded, new: &Loaded, keys: Option<&PathBuf>, now: u64) -> Result<Difference, CliError> {
    let source = keys.map(|path| SourceFile::read(path)).transpose()?;
    let keys: Option<Vec<&str>> = source.as_ref().map(keys_in);
    let splits = divided((old, new), keys.as_deref(), now)?;
    let (from, to) = (diff::part(&old.node), diff::part(&new.node));
    let crossed = old
        .policy
        .splitter()
        .map(|splitter| diff::crossed((splitter, &old.node), &new.node, now))
        .unwrap_or_default();
    let mut notes = if splits.is_empty() { Vec::new() } else { diff::notes(from, to, &splits) };
    let matches = notes.iter().any(|note| chooses(note));
    notes.extend(crossed.iter().map(|(one, other)| {
        format!(
            "a request that fits both {one} and {other} is now one of {other}: its users may be sent back"
        )
    }));
    let mut may_lose = !crossed.is_empty();
    if let Some(from) = old.policy.splitter() {
        let to = new.policy.splitter();
        match to {
            Some(to) => notes.extend(diff::rollbacks(from, to, now)),
            None => notes.push(NO_SPLITS.to_owned()),
        }
        may_lose |= diff::may_lose((from, &old.node), (to, &new.node), now);
    }
    let is_split = old.filter == Filter::CanarySplit;
    let judges_hosts = old.filter == Filter::EgressPolicy
        || [&old.node, &new.node].iter().any(|node| node.get("egress").is_some());
    let (hosts, all) = if judges_hosts {
        diff::hosts((&old.policy, &old.node), (&new.policy, &new.node))
    } else {
        (Vec::new(), true)
    };
    if !all {
        notes.push(
            "the rules name so many hosts, callers and paths that not all were tried: the others may differ too"
                .to_owned(),
        );
    }
    Ok(Difference {
        keys: keys.map(|keys| keys.len()),
        splits,
        notes,
        may_lose,
        matches,
        rules: if is_split { Vec::new() } else { diff::rules(&old.node, &new.node) },
        hosts,
        series: diff::series((&old.policy, &old.node), (&new.policy, &new.node)),
        requests: None,
        is_whole: all,
    })
}

impl Difference {
    /// Whether a request that was given is taken off a canary.
    fn loses(&self) -> bool {
        self.requests.as_ref().is_some_and(|decided| decided.lost > 0)
    }

    fn json(&self) -> String {
        let splits: Vec<_> = self.splits.iter().map(SplitDiff::json).collect();
        let hosts: Vec<_> = self.hosts.iter().map(HostDiff::json).collect();
        let data = json!({
            "splits": splits,
            "notes": self.notes,
            "rules": self.rules,
            "hosts": hosts,
            "series": self.series.json(),
            "complete": self.is_whole,
            "requests": self.requests.as_ref().map(Decided::json),
        });
        format!("{data:#}\n")
    }
}
