//! What each code means, at more length than fits a message.

mod around;
mod policy;

/// A code, told.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: &'static str,
    /// What it says, in a phrase.
    pub title: &'static str,
    /// Why it is so, and what to do.
    pub text: &'static str,
}

/// All codes, in order.
pub const ALL: &[Entry] = &{
    const COUNT: usize = policy::ENTRIES.len() + around::ENTRIES.len();
    let mut all = [policy::ENTRIES[0]; COUNT];
    let mut i = 0;
    while i < COUNT {
        all[i] = if i < policy::ENTRIES.len() {
            policy::ENTRIES[i]
        } else {
            around::ENTRIES[i - policy::ENTRIES.len()]
        };
        i += 1;
    }
    all
};

/// The entry of a code.
pub fn of(code: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.code == code)
}

#[cfg(test)]
mod tests {
    use super::{ALL, of};

    #[test]
    fn every_code_is_told() {
        let sources = [include_str!("../../core/src/language/invalid.rs"), include_str!("code.rs")];
        let codes = sources.iter().flat_map(|text| text.split("\"NRW").skip(1)).map(|rest| &rest[..3]);
        let untold: Vec<_> = codes.filter(|digits| of(&format!("NRW{digits}")).is_none()).collect();
        assert!(untold.is_empty(), "tell in explain/policy.rs or explain/around.rs: {untold:?}");
    }

    #[test]
    fn codes_are_in_order() {
        assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
    }
}
