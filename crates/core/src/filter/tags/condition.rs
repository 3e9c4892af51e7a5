//! The conditions of attribute-gen configurations: a small part of CEL.
//!
//! ```text
//! request.url_path == '/books' && request.method == 'GET'
//! request.url_path.startsWith('/books/') && response.code >= 500
//! request.url_path.matches('^/reviews/[[:alnum:]]*$') || request.host == 'reviews'
//! ```
//!
//! A condition outside this part is refused by name; nothing is ignored.

use crate::language::invalid::{Code, Invalid};
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::matching::pattern;

/// One of the alternatives of a condition: all its parts must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    /// Matches as a policy writes them. There is more than one if two parts are about the same thing.
    pub(super) matches: Vec<PolicyValue>,
    pub(super) codes: Codes,
}

/// What the response code must be: ranges with both ends included, perhaps inverted.
#[derive(Clone, Debug, Default)]
pub(super) struct Codes(Vec<(u64, u64, bool)>);

impl Codes {
    /// Bytes that it takes at most.
    pub(super) fn weight(&self) -> usize {
        self.0.len().saturating_mul(2usize.saturating_mul(size_of::<(u64, u64, bool)>()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the code of a response, if there was one, meets these conditions.
    pub(super) fn hold(&self, code: Option<u64>) -> bool {
        let holds = |(from, to, inverted): &(u64, u64, bool)| {
            code.is_some_and(|code| (*from..=*to).contains(&code) != *inverted)
        };
        self.0.iter().all(holds)
    }
}

/// Reads a condition into its alternatives.
pub(super) fn read(text: &str) -> Result<Vec<Condition>, Invalid> {
    if text.len() > limits::VALUE_BYTES {
        return Err(Reader::refuse("the condition is longer than 4096 bytes"));
    }
    let mut reader = Reader { rest: text.trim_start(), depth: 0 };
    let alternatives = reader.any()?;
    if reader.rest.is_empty() {
        return Ok(alternatives);
    }
    Err(Reader::refuse(&format!("{:?} is not understood here", reader.word())))
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

/// The attributes that can be compared, and the match field that compares each.
const ATTRIBUTES: [(&str, &str); 3] =
    [("request.url_path", "path"), ("request.method", "method"), ("request.host", "hosts")];
/// Headers that have an attribute of their own.
const HEADERS: [(&str, &str); 3] =
    [("request.useragent", "user-agent"), ("request.referer", "referer"), ("request.id", "x-request-id")];

impl Reader<'_> {
    fn any(&mut self) -> Result<Vec<Condition>, Invalid> {
        let mut alternatives = self.all()?;
        while self.take("||") {
            alternatives.extend(self.all()?);
            Self::bounded(&alternatives)?;
        }
        Ok(alternatives)
    }

    fn all(&mut self) -> Result<Vec<Condition>, Invalid> {
        let mut alternatives = self.part()?;
        while self.take("&&") {
            let more = self.part()?;
            let both = alternatives.iter().flat_map(|a| more.iter().map(|b| a.clone().and(b)));
            alternatives = both.collect();
            Self::bounded(&alternatives)?;
        }
        Ok(alternatives)
    }

    fn part(&mut self) -> Result<Vec<Condition>, Invalid> {
        if self.take("(") {
            self.depth = self.depth.saturating_add(1);
            if self.depth > 16 {
                return Err(Self::refuse("the parentheses are too deep"));
            }
            let inside = self.any()?;
            self.expect(")")?;
            self.depth = self.depth.saturating_sub(1);
            return Ok(inside);
        }
        if self.take("true") {
            return Ok(vec![Condition::default()]);
        }
        let attribute = self.attribute();
        if let Some((_, field)) = ATTRIBUTES.iter().find(|(name, _)| *name == attribute) {
            return self.comparison(&attribute, field, None);
        }
        if attribute == "response.code" {
            return self.code();
        }
        if let Some((_, header)) = HEADERS.iter().find(|(name, _)| *name == attribute) {
            return self.comparison(&attribute, "headers", Some(header));
        }
        if attribute == "request.headers" {
            self.expect("[")?;
            let header = self.text()?;
            self.expect("]")?;
            return self.comparison(&attribute, "headers", Some(&header));
        }
        let what = if attribute.is_empty() { self.word() } else { attribute };
        Err(Self::refuse(&format!("{what:?} is not supported")))
    }

    /// `==`, `!=` or a function of text.
    fn comparison(
        &mut self,
        attribute: &str,
        field: &str,
        header: Option<&str>,
    ) -> Result<Vec<Condition>, Invalid> {
        let functions = [
            ("startsWith", "prefix"),
            ("endsWith", "suffix"),
            ("contains", "contains"),
            ("matches", "regex"),
        ];
        let (test, value, invert) = if self.take("==") {
            ("exact", self.text()?, false)
        } else if self.take("!=") {
            ("exact", self.text()?, true)
        } else if self.take(".") {
            let function = self.attribute();
            let Some((_, test)) = functions.iter().find(|(name, _)| *name == function) else {
                return Err(Self::refuse(&format!("the function {function:?} is not supported")));
            };
            self.expect("(")?;
            let value = self.text()?;
            self.expect(")")?;
            (*test, value, false)
        } else {
            return Err(Self::refuse(&format!("{:?} is not a comparison of {attribute}", self.word())));
        };
        if field == "hosts" && (test != "exact" || invert) {
            return Err(Self::refuse("a host can only be compared with =="));
        }
        // By itself first. A text that is balanced only inside the group, such as `a)|(?:b`, would mean
        // something else there.
        if test == "regex" {
            pattern::check(&value)?;
        }
        // CEL's function looks for a part; a match's field compares the whole value.
        let value = if test == "regex" { format!("(?s:.*)(?:{value})(?s:.*)") } else { value };
        let mut matcher = vec![(test.to_owned(), PolicyValue::Text(value.clone()))];
        if invert {
            matcher.push(("invert".to_owned(), PolicyValue::Flag(true)));
        }
        let mut matcher = PolicyValue::Table(matcher);
        if field == "hosts" {
            matcher = PolicyValue::List(vec![PolicyValue::Text(value)]);
        }
        let table = |name: &str, tree| PolicyValue::Table(vec![(name.to_owned(), tree)]);
        let mut condition = Condition::default();
        if let Some(header) = header {
            // In CEL a comparison with a missing value does not hold, inverted or not.
            if invert {
                condition
                    .matches
                    .push(table(field, table(header, table("present", PolicyValue::Flag(true)))));
            }
            matcher = table(header, matcher);
        }
        condition.matches.push(table(field, matcher));
        Ok(vec![condition])
    }

    fn code(&mut self) -> Result<Vec<Condition>, Invalid> {
        // Longer operators come before those that they begin with.
        let operators = ["==", "!=", "<=", ">=", "<", ">"];
        let Some(operator) = operators.into_iter().find(|operator| self.take(operator)) else {
            return Err(Self::refuse(&format!("{:?} is not a comparison of response.code", self.word())));
        };
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        let number: u64 =
            number.parse().map_err(|_| Self::refuse("response.code is compared with a number"))?;
        self.rest = rest.trim_start();
        let range = match operator {
            "==" => (number, number, false),
            "!=" => (number, number, true),
            "<=" => (0, number, false),
            ">=" => (number, u64::MAX, false),
            "<" => (number, u64::MAX, true),
            _ => (0, number, true),
        };
        Ok(vec![Condition { matches: Vec::new(), codes: Codes(vec![range]) }])
    }

    /// A name with its dots, up to the last part that is not a function's name.
    fn attribute(&mut self) -> String {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'.';
        let length = self.rest.bytes().take_while(|b| is_name(*b)).count();
        let (name, rest) = self.rest.split_at(length);
        let name = match name.rsplit_once('.') {
            Some((before, _)) if rest.trim_start().starts_with('(') => before,
            _ => name,
        };
        self.rest = self.rest.get(name.len()..).unwrap_or_default().trim_start();
        name.to_owned()
    }

    /// A string in single or double quotes; after an `r`, backslashes have no meaning.
    fn text(&mut self) -> Result<String, Invalid> {
        let raw = self.rest.starts_with("r'") || self.rest.starts_with("r\"");
        let quoted = self.rest.get(usize::from(raw)..).unwrap_or_default();
        let mut chars = quoted.char_indices();
        let Some((_, quote @ ('\'' | '"'))) = chars.next() else {
            return Err(Self::refuse(&format!("{:?} is not a text in quotes", self.word())));
        };
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.rest =
                        quoted.get(at..).and_then(|rest| rest.get(1..)).unwrap_or_default().trim_start();
                    return Ok(text);
                }
                '\\' if !raw => match chars.next() {
                    Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
                    Some((_, c)) => {
                        return Err(Self::refuse(&format!(
                            "\"\\{c}\" is not understood; a backslash is \\\\"
                        )));
                    }
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(Self::refuse("a quote is not closed"))
    }

    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn expect(&mut self, token: &str) -> Result<(), Invalid> {
        if self.take(token) {
            return Ok(());
        }
        Err(Self::refuse(&format!("{token:?} is missing before {:?}", self.word())))
    }

    /// What comes next, for an error.
    fn word(&self) -> String {
        let word: String = self.rest.chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        if word.is_empty() { "the end".to_owned() } else { word }
    }

    fn bounded(alternatives: &[Condition]) -> Result<(), Invalid> {
        if alternatives.len() <= limits::MATCHES {
            return Ok(());
        }
        Err(Self::refuse(&format!("more than {} alternatives", limits::MATCHES)))
    }

    fn refuse(message: &str) -> Invalid {
        Invalid::new(
            Code::BadCondition,
            message,
            "supported: request.url_path, request.method, request.host, request.headers['x'] with ==, !=, .startsWith(), \
             .endsWith(), .contains(), .matches(); response.code with == != < <= > >=; &&, || and parentheses",
        )
    }
}

impl Condition {
    /// Both conditions. Where both are about the same thing, the second goes into another match.
    fn and(mut self, other: &Self) -> Self {
        for part in &other.matches {
            let PolicyValue::Table(fields) = part else { continue };
            let room = self.matches.iter_mut().find_map(|table| match table {
                PolicyValue::Table(known)
                    if !known.iter().any(|(name, _)| fields.iter().any(|(f, _)| f == name)) =>
                {
                    Some(known)
                }
                _ => None,
            });
            match room {
                Some(known) => known.extend(fields.iter().cloned()),
                None => self.matches.push(part.clone()),
            }
        }
        self.codes.0.extend_from_slice(&other.codes.0);
        self
    }
}
