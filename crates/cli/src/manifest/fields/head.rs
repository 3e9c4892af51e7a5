//! What every resource begins with, and how a line of the tables is written.

use super::Takes::{Any, Table, Text};
use super::{Field, Release, Takes};

pub(super) const fn field(path: &'static str, since: u16, takes: Takes) -> Field {
    Field { path, since: Release::minor(since), takes, required: false }
}

pub(super) const fn required(path: &'static str, since: u16, takes: Takes) -> Field {
    Field { required: true, ..field(path, since, takes) }
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
