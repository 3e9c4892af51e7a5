//! The explain record: why a request was decided as it was, for people.

/// One record: the filter, and then fields as `name=value` with `; ` between.
#[derive(Debug)]
pub struct Record(Option<String>);

/// Bytes that most records need: a record that grows field by field would be copied each time.
const USUAL: usize = 256;

impl Record {
    pub(crate) fn new(filter: &str) -> Self {
        let mut text = String::with_capacity(USUAL);
        text.push_str("filter=");
        text.push_str(filter);
        Self(Some(text))
    }

    /// Adds a name and a value.
    pub(crate) fn say(&mut self, name: &str, value: &str) {
        self.add(name);
        if let Some(record) = &mut self.0 {
            record.push('=');
            record.push_str(value);
        }
    }

    /// Adds text that is a name and a value already.
    pub(crate) fn add(&mut self, said: &str) {
        if let Some(record) = &mut self.0 {
            record.push(';');
            record.push(' ');
            record.push_str(said);
        }
    }

    /// Leaves the record out: the policy does not concern this request.
    pub(crate) fn leave_out(&mut self) {
        self.0 = None;
    }

    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        self.0.map(String::into_bytes)
    }
}
