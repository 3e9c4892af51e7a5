//! Promises, and whether they were kept.

use super::picture::{heading, verdict};

/// What was promised so far.
#[derive(Default)]
pub(super) struct Promises(Vec<Promise>);

struct Promise {
    what: String,
    kept: Result<(), String>,
}

impl Promises {
    /// One more; `otherwise` says what happened instead.
    pub(super) fn hold(&mut self, what: impl Into<String>, kept: bool, otherwise: impl FnOnce() -> String) {
        let kept = if kept { Ok(()) } else { Err(otherwise()) };
        self.0.push(Promise { what: what.into(), kept });
    }

    /// Prints them all. Returns whether every one was kept.
    pub(super) fn show(&self) -> bool {
        heading("What was promised");
        for promise in &self.0 {
            verdict(&promise.what, promise.kept.as_ref().err().map(String::as_str));
        }
        self.0.iter().all(|promise| promise.kept.is_ok())
    }
}
