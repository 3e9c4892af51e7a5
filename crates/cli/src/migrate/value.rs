//! Values of a policy, made by hand.

use narrows_core::PolicyValue;

/// A text.
pub(super) fn text(text: impl Into<String>) -> PolicyValue {
    PolicyValue::Text(text.into())
}

/// A whole number.
pub(super) fn number(number: u64) -> PolicyValue {
    PolicyValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A list.
pub(super) fn list(elements: impl IntoIterator<Item = PolicyValue>) -> PolicyValue {
    PolicyValue::List(elements.into_iter().collect())
}

/// A table with one field.
pub(super) fn one(name: &str, value: PolicyValue) -> PolicyValue {
    PolicyValue::Table(vec![(name.to_owned(), value)])
}

/// A table whose fields come one by one; those without a value are left out.
#[derive(Default)]
pub(super) struct Table(Vec<(String, PolicyValue)>);

impl Table {
    /// The same table with a field more.
    pub(super) fn with(mut self, name: &str, value: PolicyValue) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// The same table with a field more, if it has a value.
    pub(super) fn maybe(self, name: &str, value: Option<PolicyValue>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same table with a list more, unless it is empty.
    pub(super) fn some(self, name: &str, elements: Vec<PolicyValue>) -> Self {
        if elements.is_empty() { self } else { self.with(name, PolicyValue::List(elements)) }
    }

    /// The same table with a field whose value is a table, unless that is empty.
    pub(super) fn filled(self, name: &str, table: Self) -> Self {
        if table.0.is_empty() { self } else { self.with(name, table.into()) }
    }

    /// Whether it has no fields.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a field.
    pub(super) fn get(&self, name: &str) -> Option<&PolicyValue> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

impl From<Table> for PolicyValue {
    fn from(table: Table) -> Self {
        Self::Table(table.0)
    }
}
