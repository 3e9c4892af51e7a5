//! The explain record: why a request went where it did, for people.

use super::splitter::Splitter;
use super::verdict::Verdict;
use crate::language::modes::Mode;
use crate::language::moment;
use crate::matching::request::Request;
use crate::order::hash_of;
use crate::policy::outcome::Outcome;
use crate::policy::record::Record;

impl Splitter {
    /// Explains why a request went where it did. The key itself is shown only as a hash.
    pub(super) fn explain(&self, request: &Request<'_>, verdict: Option<Verdict>, record: &mut Record) {
        let chosen = verdict.and_then(|verdict| {
            let split = self.splits.get(verdict.split)?;
            let backend = split.backends.get(verdict.backend)?;
            // This comes first: without the key's value, nothing of the split is shown.
            let key = match verdict.key.and_then(|index| split.keys.get(index)) {
                Some(key) => Some((key, hash_of(&split.salt, &key.of(request)?))),
                None => None,
            };
            Some((verdict, split, backend, key))
        });
        let Some((verdict, split, backend, key)) = chosen else { return record.say("split", "-") };
        record.say("split", &split.name);
        record.say("backend", &backend.name);
        record.say("reason", verdict.reason.as_str());
        if let Some(off) = verdict.instead_of.and_then(|index| split.backends.get(index)) {
            record.say("instead-of", &off.name);
        }
        if let Some(bucket) = verdict.bucket {
            record.say("bucket", &bucket.to_string());
            if split.is_timed() {
                record.say("at", &moment::utc(request.now()));
            }
        }
        if let Some((key, hash)) = key {
            record.say("key", &key.describe());
            record.say("key-hash", &format!("{hash:016x}"));
        }
        if split.mode == Mode::Report {
            record.say("mode", "report");
        }
    }

    /// The same, for tools.
    pub(super) fn outcome_of(&self, verdict: Option<&Verdict>) -> Option<Outcome> {
        let verdict = verdict?;
        let split = self.splits.get(verdict.split)?;
        let backend = split.backends.get(verdict.backend)?;
        let mut outcome = Outcome::new(&split.name, &backend.name)
            .with("split", &*split.name)
            .with("backend", &*backend.name)
            .with("reason", verdict.reason.as_str());
        if let Some(key) = verdict.key.and_then(|index| split.keys.get(index)) {
            outcome = outcome.with("key", key.describe());
        }
        if let Some(bucket) = verdict.bucket {
            outcome = outcome.with("bucket", bucket.to_string());
        }
        Some(outcome)
    }
}
