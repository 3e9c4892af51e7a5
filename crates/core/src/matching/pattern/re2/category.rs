//! Unicode's categories in Latin-1: `\pL`, `\p{Lu}`, `\P{N}`.

use super::class::{Class, Ranges};
use super::{Fault, Parser, fault};

/// Each category, as far as it is in Latin-1 (Unicode 16). RE2 knows no `Cn`.
static CATEGORIES: [(&str, Ranges); 38] = [
    ("Any", &[(0, 0xff)]),
    ("C", &[(0, 0x1f), (0x7f, 0x9f), (0xad, 0xad)]),
    ("Cc", &[(0, 0x1f), (0x7f, 0x9f)]),
    ("Cf", &[(0xad, 0xad)]),
    ("Co", &[]),
    ("Cs", &[]),
    (
        "L",
        &[
            (b'A', b'Z'),
            (b'a', b'z'),
            (0xaa, 0xaa),
            (0xb5, 0xb5),
            (0xba, 0xba),
            (0xc0, 0xd6),
            (0xd8, 0xf6),
            (0xf8, 0xff),
        ],
    ),
    ("Ll", &[(b'a', b'z'), (0xb5, 0xb5), (0xdf, 0xf6), (0xf8, 0xff)]),
    ("Lm", &[]),
    ("Lo", &[(0xaa, 0xaa), (0xba, 0xba)]),
    ("Lt", &[]),
    ("Lu", &[(b'A', b'Z'), (0xc0, 0xd6), (0xd8, 0xde)]),
    ("M", &[]),
    ("Mc", &[]),
    ("Me", &[]),
    ("Mn", &[]),
    ("N", &[(b'0', b'9'), (0xb2, 0xb3), (0xb9, 0xb9), (0xbc, 0xbe)]),
    ("Nd", &[(b'0', b'9')]),
    ("Nl", &[]),
    ("No", &[(0xb2, 0xb3), (0xb9, 0xb9), (0xbc, 0xbe)]),
    (
        "P",
        &[
            (b'!', b'#'),
            (b'%', b'*'),
            (b',', b'/'),
            (b':', b';'),
            (b'?', b'@'),
            (b'[', b']'),
            (b'_', b'_'),
            (b'{', b'{'),
            (b'}', b'}'),
            (0xa1, 0xa1),
            (0xa7, 0xa7),
            (0xab, 0xab),
            (0xb6, 0xb7),
            (0xbb, 0xbb),
            (0xbf, 0xbf),
        ],
    ),
    ("Pc", &[(b'_', b'_')]),
    ("Pd", &[(b'-', b'-')]),
    ("Pe", &[(b')', b')'), (b']', b']'), (b'}', b'}')]),
    ("Pf", &[(0xbb, 0xbb)]),
    ("Pi", &[(0xab, 0xab)]),
    (
        "Po",
        &[
            (b'!', b'#'),
            (b'%', b'\''),
            (b'*', b'*'),
            (b',', b','),
            (b'.', b'/'),
            (b':', b';'),
            (b'?', b'@'),
            (b'\\', b'\\'),
            (0xa1, 0xa1),
            (0xa7, 0xa7),
            (0xb6, 0xb7),
            (0xbf, 0xbf),
        ],
    ),
    ("Ps", &[(b'(', b'('), (b'[', b'['), (b'{', b'{')]),
    (
        "S",
        &[
            (b'$', b'$'),
            (b'+', b'+'),
            (b'<', b'>'),
            (b'^', b'^'),
            (b'`', b'`'),
            (b'|', b'|'),
            (b'~', b'~'),
            (0xa2, 0xa6),
            (0xa8, 0xa9),
            (0xac, 0xac),
            (0xae, 0xb1),
            (0xb4, 0xb4),
            (0xb8, 0xb8),
            (0xd7, 0xd7),
            (0xf7, 0xf7),
        ],
    ),
    ("Sc", &[(b'$', b'$'), (0xa2, 0xa5)]),
    ("Sk", &[(b'^', b'^'), (b'`', b'`'), (0xa8, 0xa8), (0xaf, 0xaf), (0xb4, 0xb4), (0xb8, 0xb8)]),
    (
        "Sm",
        &[
            (b'+', b'+'),
            (b'<', b'>'),
            (b'|', b'|'),
            (b'~', b'~'),
            (0xac, 0xac),
            (0xb1, 0xb1),
            (0xd7, 0xd7),
            (0xf7, 0xf7),
        ],
    ),
    ("So", &[(0xa6, 0xa6), (0xa9, 0xa9), (0xae, 0xae), (0xb0, 0xb0)]),
    ("Z", &[(b' ', b' '), (0xa0, 0xa0)]),
    ("Zl", &[]),
    ("Zp", &[]),
    ("Zs", &[(b' ', b' '), (0xa0, 0xa0)]),
    (
        "Latin",
        &[(b'A', b'Z'), (b'a', b'z'), (0xaa, 0xaa), (0xba, 0xba), (0xc0, 0xd6), (0xd8, 0xf6), (0xf8, 0xff)],
    ),
];

impl Parser<'_> {
    /// Reads `p{L}` and adds the category.
    pub(super) fn category(&mut self, class: &mut Class) -> Result<(), Fault> {
        let is_rest = self.rest.next() == Some('P');
        let rest = self.rest.as_str();
        let (name, after) = match rest.strip_prefix('{') {
            Some(rest) => rest.split_once('}').ok_or_else(fault::unicode)?,
            None => {
                rest.split_at_checked(self.peek().map_or(0, char::len_utf8)).ok_or_else(fault::unicode)?
            }
        };
        let (name, is_not) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let found = CATEGORIES.iter().find(|(known, _)| *known == name);
        let (_, ranges) = found.ok_or_else(fault::unicode)?;
        // RE2 folds the letters of ASCII here too.
        class.add_set(ranges, is_rest != is_not, self.flags.ignore_case);
        self.rest = after.chars();
        Ok(())
    }
}
