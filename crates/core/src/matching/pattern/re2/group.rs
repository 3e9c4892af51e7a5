//! Groups and flags: `(…)`, `(?:…)`, `(?P<name>…)`, `(?i)`.

use super::{DEPTH, Fault, Flags, Group, Parser, fault};

impl Parser<'_> {
    /// Reads what follows `(`.
    pub(super) fn open(&mut self) -> Result<(), Fault> {
        if self.open.len() >= DEPTH as usize {
            return Err(fault::deep());
        }
        if !self.takes("?") {
            self.capture();
            return Ok(());
        }
        for look in ["=", "!", "<=", "<!"] {
            if self.rest.as_str().starts_with(look) {
                return Err(fault::look_around(look));
            }
        }
        if self.takes("P<") || self.takes("<") {
            let Some((name, rest)) = self.rest.as_str().split_once('>') else { return Err(fault::name()) };
            let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if name.is_empty() || !is_name {
                return Err(fault::name());
            }
            self.rest = rest.chars();
            self.capture();
            return Ok(());
        }
        self.flags()
    }

    fn capture(&mut self) {
        self.groups = self.groups.saturating_add(1);
        self.enter(Some(self.groups), self.flags);
    }

    fn enter(&mut self, index: Option<u32>, flags: Flags) {
        self.open.push(Group {
            flags: self.flags,
            index,
            parts: std::mem::take(&mut self.parts),
            alternatives: std::mem::take(&mut self.alternatives),
        });
        self.flags = flags;
    }

    /// Reads what follows `(?`: flags, and what they are for.
    fn flags(&mut self) -> Result<(), Fault> {
        let written = self.rest.as_str();
        let mut flags = self.flags;
        let (mut is_on, mut is_any) = (true, false);
        loop {
            match self.rest.next() {
                Some('-') if is_on => (is_on, is_any) = (false, false),
                Some('i') => (flags.ignore_case, is_any) = (is_on, true),
                Some('m') => (flags.lines, is_any) = (is_on, true),
                Some('s') => (flags.dot_takes_line_ends, is_any) = (is_on, true),
                Some('U') => (flags.ungreedy, is_any) = (is_on, true),
                Some(':') if is_on || is_any => {
                    self.enter(None, flags);
                    return Ok(());
                }
                Some(')') if is_on || is_any => {
                    self.flags = flags;
                    return Ok(());
                }
                _ => return Err(fault::operator(written)),
            }
        }
    }
}
