//! A set of texts.

/// Texts in order. They are in a list and not in a hash: another table would add two kilobytes to every
/// module, and a few comparisons cost no more than a hash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts(Vec<Box<[u8]>>);

impl Texts {
    pub(crate) fn insert(&mut self, text: Box<[u8]>) {
        if let Err(index) = self.find(&text) {
            // Most sets have one text.
            if self.0.is_empty() {
                self.0.reserve_exact(1);
            }
            self.0.insert(index, text);
        }
    }

    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        self.find(text).is_ok()
    }

    /// The same for a text in any letter case; all texts here must be in lower case.
    pub(crate) fn contains_in_lower_case(&self, text: &[u8]) -> bool {
        let lower = || text.iter().map(u8::to_ascii_lowercase);
        self.0.binary_search_by(|other| other.iter().copied().cmp(lower())).is_ok()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|text| &**text)
    }

    fn find(&self, text: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|other| (**other).cmp(text))
    }
}

impl FromIterator<Box<[u8]>> for Texts {
    fn from_iter<I: IntoIterator<Item = Box<[u8]>>>(texts: I) -> Self {
        let mut set = Self::default();
        texts.into_iter().for_each(|text| set.insert(text));
        set
    }
}
