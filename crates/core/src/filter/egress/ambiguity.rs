//! Why an authority or a path has more than one reading.

/// Why an authority or a path does not have one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// There is no host.
    Missing,
    /// There is more than one host.
    Repeated,
    /// A byte outside ASCII: write punycode.
    NonAscii,
    /// `user@`, which hides the host from hasty readers.
    Userinfo,
    /// A percent sign in a name: some decode it, some do not.
    Encoded,
    /// A byte that is not valid in a host.
    Character,
    /// An empty or overlong label, or a name that is too long.
    Label,
    /// Punycode for plain ASCII: a second spelling.
    Punycode,
    /// A port that is not a number from 1 to 65535.
    Port,
    /// A number that is not an address, or that two readers read as two addresses.
    Address,
    /// A slash, backslash or dot in a path that only some readers see as one.
    PathSeparator,
    /// A control byte in a path.
    PathControl,
    /// A percent sign in a path that does not start a byte, or that would start one after decoding.
    PathEncoding,
    /// A path that servers may read in more ways than are looked at.
    PathReadings,
    /// A target that is not a path.
    PathForm,
}

impl Ambiguity {
    /// The word in the explain record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing-host",
            Self::Repeated => "repeated-host",
            Self::NonAscii => "non-ascii",
            Self::Userinfo => "userinfo",
            Self::Encoded => "percent-encoded",
            Self::Character => "character",
            Self::Label => "label",
            Self::Punycode => "punycode",
            Self::Port => "port",
            Self::Address => "address",
            Self::PathSeparator => "path-separator",
            Self::PathControl => "path-control",
            Self::PathEncoding => "path-encoding",
            Self::PathReadings => "path-readings",
            Self::PathForm => "path-form",
        }
    }
}
