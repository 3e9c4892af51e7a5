//! Escapes: `\.`, `\d`, `\x41`, `\b`, `\Q…\E`.

use regex_syntax::hir::Look;

use super::class::{Class, LAST, perl};
use super::{Fault, Parser, fault};

impl Parser<'_> {
    /// Reads what follows a backslash outside of brackets.
    pub(super) fn escape(&mut self) -> Result<(), Fault> {
        let mut ahead = self.rest.clone();
        let c = ahead.next();
        match c {
            Some('b') => self.look(Look::WordAscii),
            Some('B') => self.look(Look::WordAsciiNegate),
            Some('A') => self.look(Look::Start),
            Some('z') => self.look(Look::End),
            Some('C') => {
                let mut any = Class::default();
                any.add(0, LAST);
                self.class(&any);
            }
            Some('Q') => {
                self.rest = ahead;
                self.quoted();
                return Ok(());
            }
            Some('p' | 'P') => {
                let mut class = Class::default();
                self.category(&mut class)?;
                self.class(&class);
                return Ok(());
            }
            Some(c) if perl(c).is_some() => {
                let mut class = Class::default();
                class.add_perl(c, self.flags.ignore_case);
                self.class(&class);
            }
            _ => {
                let c = self.escaped()?;
                self.literal(c);
                return Ok(());
            }
        }
        self.rest = ahead;
        Ok(())
    }

    /// Reads the literal text after `\Q`.
    fn quoted(&mut self) {
        while !self.rest.as_str().is_empty() && !self.takes("\\E") {
            if let Some(c) = self.rest.next() {
                self.literal(c.into());
            }
        }
    }

    /// Reads what follows the backslash of one character.
    pub(super) fn escaped(&mut self) -> Result<u32, Fault> {
        let Some(c) = self.rest.next() else { return Err(fault::backslash()) };
        let octal = |c: char| c.to_digit(8);
        Ok(match c {
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'a' => 0x07,
            'f' => 0x0c,
            'v' => 0x0b,
            'x' => return self.hexadecimal(),
            // A single digit would be a reference to a group.
            '0'..='7' if c == '0' || self.peek().and_then(octal).is_some() => {
                let mut code = octal(c).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(octal) else { break };
                    self.rest.next();
                    code = code.saturating_mul(8).saturating_add(digit);
                }
                if code > LAST {
                    return Err(fault::escape(c));
                }
                code
            }
            '1'..='9' => return Err(fault::reference()),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c.into(),
            c => return Err(fault::escape(c)),
        })
    }

    /// Reads what follows `\x`.
    fn hexadecimal(&mut self) -> Result<u32, Fault> {
        let bad = || fault::escape('x');
        if !self.takes("{") {
            let mut digit = || self.rest.next().and_then(|c| c.to_digit(16)).ok_or_else(bad);
            return Ok(digit()?.saturating_mul(16).saturating_add(digit()?));
        }
        let (digits, rest) = self.rest.as_str().split_once('}').ok_or_else(bad)?;
        if digits.is_empty() {
            return Err(bad());
        }
        let mut code = 0u32;
        for digit in digits.chars() {
            code = code.saturating_mul(16).saturating_add(digit.to_digit(16).ok_or_else(bad)?);
        }
        self.rest = rest.chars();
        if code <= LAST { Ok(code) } else { Err(bad()) }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }
}
