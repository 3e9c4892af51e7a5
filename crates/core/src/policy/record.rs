//! The explain record: why a request was decided as it was, for people.

/// One record: the filter, and then fields as `name=value` with `; ` between.
#[derive(Debug)]
pub struct Record(Option<String>);

impl Record {
    pub(crate) fn new(filter: &str) -> Self {
        Self(Some(["filter=", filter].concat()))
    }

    /// Adds a name and a value.
    pub(crate) fn say(&mut self, name: &str, value: &str) {
        for part in ["; ", name, "=", value] {
            self.push(part);
        }
    }

    /// Adds text that is a name and a value already.
    pub(crate) fn add(&mut self, said: &str) {
        self.push("; ");
        self.push(said);
    }

    /// Leaves the record out: the policy does not concern this request.
    pub(crate) fn leave_out(&mut self) {
        self.0 = None;
    }

    fn push(&mut self, text: &str) {
        if let Some(record) = &mut self.0 {
            record.push_str(text);
        }
    }

    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        self.0.map(String::into_bytes)
    }
}
