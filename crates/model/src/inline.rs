//! The headers that Envoy holds once, and how names are filed.

use narrows_core::inline_headers;

/// Whose headers.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Kind {
    /// Nobody's yet: a list without rules of its own.
    #[default]
    List,
    /// A request's.
    Request,
    /// A response's.
    Response,
}

impl Kind {
    /// The name under which a header is filed.
    pub(crate) fn canonical(self, name: &[u8]) -> Vec<u8> {
        if self == Self::Request && name.eq_ignore_ascii_case(b"host") {
            return b":authority".to_vec();
        }
        name.to_ascii_lowercase()
    }

    /// Whether there is a slot for it.
    pub(crate) fn holds_once(self, name: &[u8]) -> bool {
        let is_held: fn(&[u8]) -> bool = match self {
            Self::List => return false,
            Self::Request => inline_headers::once_in_request,
            Self::Response => inline_headers::once_in_response,
        };
        name.starts_with(b":") || is_held(name)
    }
}
