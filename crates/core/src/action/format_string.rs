//! Values that may quote the request, in Envoy's notation.
//!
//! | placeholder | value |
//! |---|---|
//! | `%REQ(name)%` | a header, all its values joined with `,`; `:path`, `:authority`, `:method` and `:scheme` too; `%REQ(a?b)%` is `b` where `a` is missing |
//! | `%HOST%` | the host, without port |
//! | `%PATH%` | the path, without query |
//! | `%PATH(1)%` | the first group of the expression that the path matched |
//! | `%QUERY_PARAM(name)%` | a query parameter, percent-decoded |
//! | `%COOKIE(name)%` | a cookie |
//! | `%%` | a percent sign |

use std::borrow::Cow;
use std::rc::Rc;

use crate::language::invalid::{Code, Invalid};
use crate::language::{limits, names};
use crate::matching::request::Request;
use crate::wire::field;

/// A value to write: literal text and quotations.
#[derive(Clone, Debug)]
pub(crate) struct FormatString {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(Box<[u8]>),
    Header(Box<[u8]>, Option<Box<[u8]>>),
    Host,
    Path,
    Group(Rc<dyn Captured>, usize),
    Query(Box<[u8]>),
    Cookie(Box<[u8]>),
}

/// What the groups of an expression match. It is a trait so that only a filter that has such an
/// expression holds the engine.
pub(crate) trait Captured {
    /// Whether there is a group of that number.
    fn has(&self, group: usize) -> bool;

    /// Appends what a group matches in a value.
    fn append(&self, value: &[u8], group: usize, written: &mut Vec<u8>);
}

impl std::fmt::Debug for dyn Captured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("groups")
    }
}

/// The expression whose groups a value may quote, or why it may not.
pub(crate) type Groups<'g> = &'g dyn Fn() -> Result<Rc<dyn Captured>, Invalid>;

impl FormatString {
    /// Reads a value that can quote no groups. Its literal parts must be valid in a header.
    pub(crate) fn new(written: &str) -> Result<Self, Invalid> {
        Self::quoting(written, &no_groups)
    }

    /// Reads a value that may quote groups.
    pub(crate) fn quoting(written: &str, groups: Groups<'_>) -> Result<Self, Invalid> {
        names::header_value(written)?;
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = written;
        while let Some((before, after)) = rest.split_once('%') {
            literal.push_str(before);
            let (inside, tail) = after.split_once('%').ok_or_else(|| unknown(after))?;
            if inside.is_empty() {
                literal.push('%');
            } else {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal).into_bytes().into()));
                }
                pieces.push(piece(inside, groups)?);
            }
            rest = tail;
        }
        literal.push_str(rest);
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal.into_bytes().into()));
        }
        pieces.shrink_to_fit();
        let text = Self { pieces };
        let quoted = text.quotations().count();
        if quoted <= limits::QUOTATIONS {
            return Ok(text);
        }
        Err(Invalid::new(
            Code::TooMany,
            format!(
                "{quoted} quotations, more than {}: each is looked for in the request",
                limits::QUOTATIONS
            ),
            "quote less, or write several headers",
        ))
    }

    /// Whether each quotation is one for which the whole query, the whole path, or all cookies are read.
    pub(crate) fn quotations(&self) -> impl Iterator<Item = bool> {
        let quotations = self.pieces.iter().filter(|piece| !matches!(piece, Piece::Literal(_)));
        quotations.map(|piece| matches!(piece, Piece::Query(_) | Piece::Cookie(_) | Piece::Group(..)))
    }

    /// The literal text, without the quotations.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(text) => Some(&**text),
            _ => None,
        })
    }

    /// The value for a request. `None` if what it quotes is missing and nothing is left, or if the
    /// value is not valid in a header. A value longer than [`limits::RENDERED`] is not valid.
    pub(crate) fn render<'a>(&'a self, request: &Request<'_>) -> Option<Cow<'a, [u8]>> {
        if let [Piece::Literal(literal)] = &*self.pieces {
            return Some(Cow::Borrowed(field::bare(literal)));
        }
        let mut value = Vec::new();
        for piece in &self.pieces {
            piece.render(request, &mut value);
            if value.len() > limits::RENDERED {
                return None;
            }
        }
        // Blanks around the value would not be part of it, and HTTP/3 clients refuse them.
        let bare = field::bare(&value);
        if bare.len() < value.len() {
            value = bare.to_vec();
        }
        (!value.is_empty() && names::is_header_value(&value)).then_some(Cow::Owned(value))
    }
}

impl Piece {
    fn render(&self, request: &Request<'_>, value: &mut Vec<u8>) {
        match self {
            Self::Literal(text) => value.extend_from_slice(text),
            Self::Header(name, other) => {
                let found = request.header(name);
                if let Some(text) = found.value() {
                    value.extend_from_slice(text);
                } else if let Some(other) = other {
                    value.extend_from_slice(request.header(other).value().unwrap_or_default());
                }
            }
            Self::Host => value.extend_from_slice(request.host().name()),
            Self::Path => value.extend_from_slice(request.path()),
            Self::Group(captures, group) => captures.append(request.path(), *group, value),
            Self::Query(name) => {
                value.extend_from_slice(request.query_values(name).next().unwrap_or_default());
            }
            Self::Cookie(name) => {
                value.extend_from_slice(request.cookie_values(name).next().unwrap_or_default());
            }
        }
    }
}

fn piece(inside: &str, groups: Groups<'_>) -> Result<Piece, Invalid> {
    let argument = |command: &str| {
        inside.strip_prefix(command)?.strip_prefix('(')?.strip_suffix(')').filter(|a| !a.is_empty())
    };
    match inside {
        "HOST" => return Ok(Piece::Host),
        "PATH" => return Ok(Piece::Path),
        _ => {}
    }
    if let Some(name) = argument("REQ") {
        let (name, other) = name.split_once('?').map_or((name, None), |(a, b)| (a, Some(b)));
        return Ok(Piece::Header(readable(name)?, other.map(readable).transpose()?));
    }
    if let Some(group) = argument("PATH") {
        let captures = groups()?;
        let number = group.parse().ok().filter(|number| captures.has(*number));
        return number.map(|number| Piece::Group(captures, number)).ok_or_else(|| no_such_group(group));
    }
    if let Some(name) = argument("QUERY_PARAM") {
        return Ok(Piece::Query(name.as_bytes().into()));
    }
    if let Some(name) = argument("COOKIE") {
        return Ok(Piece::Cookie(names::cookie(name)?.into_boxed_bytes()));
    }
    Err(unknown(inside))
}

fn readable(name: &str) -> Result<Box<[u8]>, Invalid> {
    match name.to_ascii_lowercase().as_str() {
        pseudo @ (":path" | ":authority" | ":method" | ":scheme") => Ok(pseudo.as_bytes().into()),
        _ => names::request_header(name).map(str::into_boxed_bytes),
    }
}

/// Refuses more quotations in one table than may be looked up.
pub(crate) fn lookups<'t>(texts: impl Iterator<Item = &'t FormatString>) -> Result<(), Invalid> {
    let lookups = texts.flat_map(FormatString::quotations).filter(|is_lookup| *is_lookup).count();
    if lookups <= limits::LOOKUPS {
        return Ok(());
    }
    Err(Invalid::new(
        Code::TooMany,
        format!(
            "{lookups} quotations of query parameters, cookies and groups, more than {}",
            limits::LOOKUPS
        ),
        "quote fewer: the query, the cookies or the path are read for each",
    ))
}

/// Why a value can quote no group where no rule has matched a path.
pub(crate) fn no_groups() -> Result<Rc<dyn Captured>, Invalid> {
    Err(Invalid::new(
        Code::BadHeaderValue,
        "there is no expression here whose group could be quoted",
        "write %PATH(1)% in a rule of header-router whose \"path\" is a \"regex\"",
    ))
}

fn no_such_group(group: &str) -> Invalid {
    Invalid::new(
        Code::BadHeaderValue,
        format!("\"%PATH({group})%\": the expression has no group {group}"),
        "write the number of a group, from 1 to 9",
    )
}

fn unknown(inside: &str) -> Invalid {
    Invalid::new(
        Code::BadHeaderValue,
        format!("\"%{inside}\" is not a placeholder"),
        "write %REQ(name)%, %HOST%, %PATH%, %PATH(1)%, %QUERY_PARAM(name)%, %COOKIE(name)%, or %% for a percent sign",
    )
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::FormatString;
    use crate::matching::request::Request;

    fn render(text: &str) -> Option<String> {
        let headers: [(&[u8], &[u8]); 5] = [
            (b":path", b"/a?q=%41&bad=%0d%0a"),
            (b":authority", b"Shop:80"),
            (b"x-a", b"1"),
            (b"x-a", b"2"),
            (b"cookie", b"c=3"),
        ];
        let value = FormatString::new(text).unwrap().render(&Request::new(headers))?.into_owned();
        Some(String::from_utf8(value).unwrap())
    }

    #[test]
    fn quotations() {
        assert_eq!(render("%REQ(X-A)%;%HOST%%PATH%").as_deref(), Some("1,2;shop/a"));
        assert_eq!(render("%QUERY_PARAM(q)%%COOKIE(c)%100%%").as_deref(), Some("A3100%"));
        assert_eq!(render("%REQ(none?:authority)%").as_deref(), Some("Shop:80"));
        assert_eq!(render("plain").as_deref(), Some("plain"));
        assert_eq!(render("").as_deref(), Some(""));
    }

    #[test]
    fn nothing_and_what_would_split_a_header_is_not_written() {
        assert_eq!(render("%REQ(none)%"), None);
        assert_eq!(render("v=%QUERY_PARAM(bad)%"), None);
    }

    #[test]
    fn quotations_are_bounded() {
        let value = "a".repeat(40_000);
        let headers: [(&[u8], &[u8]); 1] = [(b"x-long", value.as_bytes())];
        let length =
            |text: &str| FormatString::new(text).unwrap().render(&Request::new(headers)).map(|v| v.len());
        assert_eq!(length("%REQ(x-long)%"), Some(40_000));
        assert_eq!(length("%REQ(x-long)%%REQ(x-long)%"), None);
        assert!(FormatString::new(&"%PATH%".repeat(8)).is_ok());
        assert!(FormatString::new(&"%PATH%".repeat(9)).unwrap_err().to_string().contains("9 quotations"));
    }

    #[test]
    fn unknown_placeholders() {
        for text in ["50%", "%NOW%", "%REQ()%", "%REQ(a%", "%REQ(:status)%", "a\n"] {
            assert!(FormatString::new(text).is_err(), "{text}");
        }
    }
}
