//! The grammar of a condition. What it reads is a sum of products: alternatives, each with its parts.

use super::{Condition, Number, Numbers, refuse};
use crate::language::invalid::Invalid;
use crate::language::limits;
use crate::language::policy_value::PolicyValue;
use crate::matching::pattern;

pub(super) struct Reader<'t> {
    pub(super) rest: &'t str,
    depth: usize,
}

/// What is compared as text: a field of a match, and the header if the field is `headers`.
struct Subject<'s> {
    field: &'s str,
    header: Option<&'s str>,
}

/// The attributes that are text, and what a match compares in their place. `request.host` and
/// `request.path` are compared as they came, with their port and query.
const TEXTS: [(&str, Subject<'static>); 8] = [
    ("request.url_path", Subject { field: "path", header: None }),
    ("request.method", Subject { field: "method", header: None }),
    ("request.host", of_header(":authority")),
    ("request.path", of_header(":path")),
    ("request.scheme", of_header(":scheme")),
    ("request.useragent", of_header("user-agent")),
    ("request.referer", of_header("referer")),
    ("request.id", of_header("x-request-id")),
];
const NUMBERS: [(&str, Number); 2] =
    [("response.code", Number::Code), ("response.grpc_status", Number::GrpcStatus)];
const HEADERS: &str = "request.headers";

const FUNCTIONS: [(&str, &str); 4] =
    [("startsWith", "prefix"), ("endsWith", "suffix"), ("contains", "contains"), ("matches", "regex")];
/// Longer operators come before those that they begin with.
const OPERATORS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

const fn of_header(name: &str) -> Subject<'_> {
    Subject { field: "headers", header: Some(name) }
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.trim_start(), depth: 0 }
    }

    /// Parts with `||` between them. Under a negation all parts must hold, each negated.
    pub(super) fn any(&mut self, negated: bool) -> Result<Vec<Condition>, Invalid> {
        let mut alternatives = self.all(negated)?;
        while self.take("||") {
            alternatives = either(alternatives, self.all(negated)?, negated)?;
        }
        Ok(alternatives)
    }

    fn all(&mut self, negated: bool) -> Result<Vec<Condition>, Invalid> {
        let mut alternatives = self.part(negated)?;
        while self.take("&&") {
            alternatives = either(alternatives, self.part(negated)?, !negated)?;
        }
        Ok(alternatives)
    }

    fn part(&mut self, negated: bool) -> Result<Vec<Condition>, Invalid> {
        let is_not = self.take("!");
        if !is_not && !self.take("(") {
            return self.comparison(negated);
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > 16 {
            return Err(refuse("the parentheses are too deep"));
        }
        let inside = if is_not {
            self.part(!negated)?
        } else {
            let inside = self.any(negated)?;
            self.expect(")")?;
            inside
        };
        self.depth = self.depth.saturating_sub(1);
        Ok(inside)
    }

    fn comparison(&mut self, negated: bool) -> Result<Vec<Condition>, Invalid> {
        if self.is_at_text() {
            let name = self.text()?;
            self.expect("in")?;
            self.expect(HEADERS)?;
            let is_there = table("present", PolicyValue::Flag(!negated));
            return Ok(vec![of_header(&name).condition(is_there)]);
        }
        let name = self.name();
        if name == "true" || name == "false" {
            return Ok(Vec::from_iter(((name == "true") != negated).then(Condition::default)));
        }
        // The form in which attribute-gen's own documentation writes `a in [b]`.
        let is_call = name == "in" && self.take("(");
        let name = if is_call { self.name() } else { name };
        let read = if let Some((_, number)) = NUMBERS.iter().find(|(known, _)| *known == name) {
            self.of_number(&name, *number, is_call, negated)?
        } else if let Some((_, subject)) = TEXTS.iter().find(|(known, _)| *known == name) {
            self.of_text(&name, subject, is_call, negated)?
        } else if name == HEADERS {
            self.expect("[")?;
            let header = self.text()?;
            self.expect("]")?;
            self.of_text(&name, &of_header(&header), is_call, negated)?
        } else {
            let what = if name.is_empty() { self.word() } else { name };
            return Err(refuse(&format!("{what:?} is not supported")));
        };
        if is_call {
            self.expect(")")?;
        }
        Ok(read)
    }

    /// `==`, `!=`, `in` or a function of text.
    fn of_text(
        &mut self,
        name: &str,
        subject: &Subject<'_>,
        is_call: bool,
        negated: bool,
    ) -> Result<Vec<Condition>, Invalid> {
        let (test, value, invert) = if self.take_in(is_call) {
            let texts = self.list(|reader| reader.text().map(PolicyValue::Text))?;
            ("in", PolicyValue::List(texts), negated)
        } else if self.take("==") {
            ("exact", PolicyValue::Text(self.text()?), negated)
        } else if self.take("!=") {
            ("exact", PolicyValue::Text(self.text()?), !negated)
        } else if self.take(".") {
            let (test, value) = self.function()?;
            (test, PolicyValue::Text(value), negated)
        } else {
            return Err(refuse(&format!("{:?} is not a comparison of {name}", self.word())));
        };
        let mut matcher = vec![(test.to_owned(), value)];
        if invert {
            matcher.push(("invert".to_owned(), PolicyValue::Flag(true)));
        }
        let mut condition = subject.condition(PolicyValue::Table(matcher));
        // A comparison with a missing value does not hold, inverted or not.
        if invert && subject.header.is_some() {
            let is_there = subject.condition(table("present", PolicyValue::Flag(true)));
            condition.matches.extend(is_there.matches);
        }
        Ok(vec![condition])
    }

    /// A function of text, and what it looks for.
    fn function(&mut self) -> Result<(&'static str, String), Invalid> {
        let function = self.name();
        let Some((_, test)) = FUNCTIONS.iter().find(|(name, _)| *name == function) else {
            return Err(refuse(&format!("the function {function:?} is not supported")));
        };
        self.expect("(")?;
        let value = self.text()?;
        self.expect(")")?;
        if *test != "regex" {
            return Ok((test, value));
        }
        // By itself first. A text that is balanced only inside the group, such as `a)|(?:b`, would mean
        // something else there.
        pattern::check(&value)?;
        // CEL's function looks for a part; a match's field compares the whole value.
        Ok((test, format!("(?s:.*)(?:{value})(?s:.*)")))
    }

    fn of_number(
        &mut self,
        name: &str,
        number: Number,
        is_call: bool,
        negated: bool,
    ) -> Result<Vec<Condition>, Invalid> {
        let test = |from, to, inverted| Condition {
            matches: Vec::new(),
            numbers: Numbers(vec![(number, from, to, inverted != negated)]),
        };
        if self.take_in(is_call) {
            let numbers = self.list(|reader| reader.number(name))?;
            let mut tests = numbers.into_iter().map(|number| vec![test(number, number, false)]);
            let first = tests.next().unwrap_or_default();
            return tests.try_fold(first, |sum, test| either(sum, test, negated));
        }
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.take(operator)) else {
            return Err(refuse(&format!("{:?} is not a comparison of {name}", self.word())));
        };
        let number = self.number(name)?;
        Ok(vec![match operator {
            "==" => test(number, number, false),
            "!=" => test(number, number, true),
            "<=" => test(0, number, false),
            ">=" => test(number, u64::MAX, false),
            "<" => test(number, u64::MAX, true),
            _ => test(0, number, true),
        }])
    }

    fn take_in(&mut self, is_call: bool) -> bool {
        self.take(if is_call { "," } else { "in" })
    }
}

impl Subject<'_> {
    /// The condition that a matcher holds for it.
    fn condition(&self, matcher: PolicyValue) -> Condition {
        let matcher = self.header.into_iter().fold(matcher, |matcher, header| table(header, matcher));
        Condition { matches: vec![table(self.field, matcher)], numbers: Numbers::default() }
    }
}

fn table(name: &str, tree: PolicyValue) -> PolicyValue {
    PolicyValue::Table(vec![(name.to_owned(), tree)])
}

/// The alternatives of both; or, if `both` must hold, each of one with each of the other.
fn either(mut one: Vec<Condition>, other: Vec<Condition>, both: bool) -> Result<Vec<Condition>, Invalid> {
    if both {
        one = one.iter().flat_map(|a| other.iter().map(|b| a.clone().and(b))).collect();
    } else {
        one.extend(other);
    }
    if one.len() <= limits::MATCHES {
        return Ok(one);
    }
    Err(refuse(&format!("more than {} alternatives", limits::MATCHES)))
}
