//! Where a request goes that has no key, and the id that it may get instead.

use super::anonymous::AnonymousId;
use super::bucket::bucket;
use super::splitter::Split;
use super::verdict::{Anonymous, Reason, Verdict};
use crate::action::set_cookie::SetCookie;
use crate::language::modes::Mode;
use crate::matching::request::Request;

impl Split {
    /// Where a request goes that has no key: `otherwise`, unless it gets an id that decides at once.
    #[inline(never)]
    pub(super) fn without_key(&self, request: &Request<'_>, otherwise: Verdict) -> Verdict {
        let acts = self.mode == Mode::Enforce;
        let visit = self.anonymous.as_deref().filter(|_| acts).and_then(|ids| ids.visit(request));
        if visit != Some(Anonymous::Now) {
            return Verdict { anonymous: visit, ..otherwise };
        }
        let bucket = bucket(&self.salt, AnonymousId::new_id(request).as_bytes());
        Verdict {
            backend: self.owner(bucket, request.now()),
            reason: Reason::NewId,
            bucket: Some(bucket),
            anonymous: visit,
            ..otherwise
        }
    }

    /// The cookie for the response to a request without a key.
    #[inline(never)]
    pub(super) fn cookie(&self, verdict: &Verdict, request: &Request<'_>) -> Option<SetCookie<'static>> {
        let gets = matches!(verdict.anonymous?, Anonymous::Now | Anonymous::Later);
        self.anonymous.as_ref().filter(|_| gets).map(|ids| ids.cookie(request))
    }

    /// The series of a visit that could not get an id.
    pub(super) fn insecure_series(&self, verdict: &Verdict) -> Option<usize> {
        let ids = self.anonymous.as_ref().filter(|_| verdict.anonymous == Some(Anonymous::Insecure))?;
        Some(ids.series.saturating_add(2))
    }
}
