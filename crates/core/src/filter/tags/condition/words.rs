//! The words of a condition: names, texts, numbers and signs.

use super::reader::Reader;
use super::refuse;
use crate::language::invalid::Invalid;

impl Reader<'_> {
    /// A name with its dots, up to the last part that is not a function's name.
    pub(super) fn name(&mut self) -> String {
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
    pub(super) fn text(&mut self) -> Result<String, Invalid> {
        let raw = self.rest.starts_with("r'") || self.rest.starts_with("r\"");
        let quoted = self.rest.get(usize::from(raw)..).unwrap_or_default();
        let mut chars = quoted.char_indices();
        let Some((_, quote @ ('\'' | '"'))) = chars.next() else {
            return Err(refuse(&format!("{:?} is not a text in quotes", self.word())));
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
                        return Err(refuse(&format!("\"\\{c}\" is not understood; a backslash is \\\\")));
                    }
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(refuse("a quote is not closed"))
    }

    /// Whether a text comes next.
    pub(super) fn is_at_text(&self) -> bool {
        self.rest.trim_start_matches('r').starts_with(['\'', '"'])
    }

    /// A number of digits.
    pub(super) fn number(&mut self, compared: &str) -> Result<u64, Invalid> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at(digits);
        let number = number.parse().map_err(|_| refuse(&format!("{compared} is compared with a number")))?;
        self.rest = rest.trim_start();
        Ok(number)
    }

    /// A list in brackets; it is not empty.
    pub(super) fn list<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        self.expect("[")?;
        let mut elements = vec![element(self)?];
        while self.take(",") {
            elements.push(element(self)?);
        }
        self.expect("]")?;
        Ok(elements)
    }

    pub(super) fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), Invalid> {
        if self.take(token) {
            return Ok(());
        }
        Err(refuse(&format!("{token:?} is missing before {:?}", self.word())))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What comes next, for an error.
    pub(super) fn word(&self) -> String {
        let word: String = self.rest.chars().take_while(|c| !c.is_whitespace()).take(40).collect();
        if word.is_empty() { "the end".to_owned() } else { word }
    }
}
