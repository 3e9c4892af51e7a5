//! Whose users are whose in one split.

use narrows_core::Mode;
use narrows_core::split::View;
use narrows_core::split::bucket::BUCKETS;

/// The buckets that each backend owns, by the backend's name.
#[derive(Clone)]
pub(super) struct Owner<'v> {
    pub(super) view: View<'v>,
    /// If a split does not act, every user stays where the baseline is.
    pub(super) acts: bool,
    pub(super) baseline: &'v str,
    /// The first bucket, the bucket after the last, and the backend; ascending.
    pub(super) owned: Vec<(u32, u32, &'v str)>,
}

impl<'v> Owner<'v> {
    pub(super) fn of(view: &View<'v>) -> Self {
        let name = |place: usize| view.backends.get(place).copied().unwrap_or_default();
        let acts = view.mode == Mode::Enforce && view.divides;
        let owned = view.slots.owned().iter().filter(|(from, to, _)| acts && from < to);
        Self {
            acts,
            baseline: name(view.baseline),
            owned: owned.map(|(from, to, backend)| (*from, *to, name(*backend))).collect(),
            view: view.clone(),
        }
    }

    pub(super) fn nobody(&self) -> Self {
        Self { owned: Vec::new(), acts: false, ..self.clone() }
    }

    /// The backend of a key, read as the filter reads it.
    pub(super) fn of_key(&self, key: &[u8]) -> &str {
        if let Some(bucket) = self.view.bucket_of(key) {
            return self.backend(bucket);
        }
        let keyless = self.view.keyless.filter(|_| self.acts);
        keyless.and_then(|place| self.view.backends.get(place)).copied().unwrap_or(self.baseline)
    }

    /// Where a backend is; nothing if the split sends nobody there.
    pub(super) fn destination(&self, backend: &str) -> Option<&[u8]> {
        let place = self.view.backends.iter().position(|name| *name == backend).filter(|_| self.acts)?;
        self.view.destinations.get(place).map(Vec::as_slice)
    }

    pub(super) fn backend(&self, bucket: u32) -> &str {
        let owner = self.owned.iter().find(|(from, to, _)| (*from..*to).contains(&bucket));
        owner.map_or(self.baseline, |(_, _, backend)| backend)
    }

    pub(super) fn shares(&self) -> Vec<(&str, u32)> {
        let mut shares: Vec<(&str, u32)> = Vec::new();
        let mut left = BUCKETS;
        for (from, to, backend) in &self.owned {
            left -= to - from;
            shares.push((backend, to - from));
        }
        shares.push((self.baseline, left));
        shares
    }
}

/// Whether users of the one backend are elsewhere when they are users of the other one.
pub(super) fn differs(old: &Owner<'_>, new: &Owner<'_>, (from, to): (&str, &str)) -> bool {
    let moved = || Some((old.destination(from)?, new.destination(to)?));
    from != to || moved().is_some_and(|(from, to)| from != to)
}
