//! The explain record: why a request went where it did, for people.

use super::{Splitter, Verdict, bucket};
use crate::decision::Decision;
use crate::edit::Edit;
use crate::policy::Mode;
use crate::request::Request;

impl Splitter {
    /// Adds the record if the policy wants one for this request. The key itself is
    /// shown only as a hash.
    pub(super) fn explain<'a>(
        &'a self,
        request: &Request<'a>,
        verdict: Option<Verdict>,
        decision: &mut Decision<'a>,
    ) {
        let Some(explain) = self.head.explain.as_ref().filter(|explain| explain.when.matches(request)) else {
            return;
        };
        let record = verdict.and_then(|verdict| {
            let split = self.splits.get(verdict.split)?;
            let mut record = format!(
                "filter=canary-split; split={}; backend={}; reason={}",
                split.name,
                split.backends.get(verdict.backend)?.name,
                verdict.reason.as_str()
            );
            if let Some(off) = verdict.instead_of.and_then(|place| split.backends.get(place)) {
                record.push_str(&format!("; instead-of={}", off.name));
            }
            if let Some(bucket) = verdict.bucket {
                record.push_str(&format!("; bucket={bucket}"));
            }
            if let Some(key) = verdict.key.and_then(|place| split.keys.get(place)) {
                let hash = bucket::hash(&split.salt, &key.of(request)?);
                record.push_str(&format!("; key={}; key-hash={hash:016x}", key.describe()));
            }
            if split.mode == Mode::Report {
                record.push_str("; mode=report");
            }
            Some(record)
        });
        let record = record.unwrap_or_else(|| "filter=canary-split; split=-".to_owned());
        decision.response.push(Edit::Add(&explain.header, record.into_bytes().into()));
    }
}
