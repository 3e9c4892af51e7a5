//! The fields that every resource begins with, and how a line of the tables is written.

use super::FieldType::{Any, Table, Text};
use super::{Field, FieldType, Release};

pub(super) const fn field(path: &'static str, since: u16, field_type: FieldType) -> Field {
    Field { path, since: Release::minor(since), field_type, required: false }
}

pub(super) const fn required(path: &'static str, since: u16, field_type: FieldType) -> Field {
    Field { required: true, ..field(path, since, field_type) }
}

/// The fields that Kubernetes gives to every resource.
pub(super) const HEAD: &[Field] = &[
    required("apiVersion", 12, Text),
    field("kind", 12, Text),
    required("metadata", 12, Table),
    required("metadata.name", 12, Text),
    field("metadata.*", 12, Any),
    field("status", 12, Any),
];
