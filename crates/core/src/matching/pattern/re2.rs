//! Reads RE2's syntax as RE2 itself reads it (`re2/parse.cc`), for Latin-1: Envoy 1.40 tells it that each
//! byte is a character, so `.` is one byte, and a letter beyond ASCII is the bytes of its UTF-8.
//!
//! The parser of `regex-syntax` reads another language: it refuses a `{` that stands for itself, and
//! knows neither `\Q` nor octal numbers. So this one makes what `regex-automata` compiles, piece by
//! piece.

mod category;
mod class;
mod escape;
mod fault;
mod group;

use std::str::Chars;

use regex_syntax::hir::{Capture, Hir, Look, Repetition};

use class::{Class, LAST};
pub(super) use fault::Fault;

/// Reads an expression.
pub(super) fn read(text: &str, ignore_case: bool) -> Result<Hir, Fault> {
    // Each byte is a character of Latin-1.
    let text: String = text.bytes().map(char::from).collect();
    let mut parser = Parser {
        rest: text.chars(),
        flags: Flags { ignore_case, ..Flags::default() },
        groups: 0,
        open: Vec::new(),
        parts: Vec::new(),
        alternatives: Vec::new(),
    };
    parser.run()?;
    Ok(parser.finish_group()?.hir)
}

/// Groups within groups, and repetitions of repetitions: the engine's compiler calls itself for each.
const DEPTH: u32 = 100;
/// What RE2 repeats at most, nested repetitions multiplied.
const REPEATS: u32 = 1000;

#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "RE2's four flags")]
struct Flags {
    /// `(?i)`
    ignore_case: bool,
    /// `(?m)`
    lines: bool,
    /// `(?s)`
    dot_takes_line_ends: bool,
    /// `(?U)`
    ungreedy: bool,
}

struct Parser<'t> {
    rest: Chars<'t>,
    flags: Flags,
    groups: u32,
    open: Vec<Group>,
    /// The alternative that is being read, and those before it in the same group.
    parts: Vec<Part>,
    alternatives: Vec<Part>,
}

/// A group that is not closed yet: what was before it, and its number if it captures.
struct Group {
    flags: Flags,
    index: Option<u32>,
    parts: Vec<Part>,
    alternatives: Vec<Part>,
}

/// A part of an expression.
struct Part {
    hir: Hir,
    /// How often its innermost part is repeated.
    repeats: u32,
    depth: u32,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut is_after_repeat = false;
        while let Some(c) = self.rest.next() {
            let counts = match c {
                '*' => Some((0, None)),
                '+' => Some((1, None)),
                '?' => Some((0, Some(1))),
                '{' => self.counts(),
                _ => None,
            };
            match (c, counts) {
                (_, Some(_)) if is_after_repeat => return Err(fault::twice(c)),
                (_, Some(counts)) => self.repeat(c, counts)?,
                ('(', _) => self.open()?,
                (')', _) => self.close()?,
                ('|', _) => {
                    let alternative = self.finish_alternative()?;
                    self.alternatives.push(alternative);
                }
                ('^', _) => self.look(if self.flags.lines { Look::StartLF } else { Look::Start }),
                ('$', _) => self.look(if self.flags.lines { Look::EndLF } else { Look::End }),
                ('.', _) => {
                    let mut dot = Class::default();
                    dot.add(0, LAST);
                    if !self.flags.dot_takes_line_ends {
                        dot.remove('\n');
                    }
                    self.class(&dot);
                }
                ('[', _) => self.bracket()?,
                ('\\', _) => self.escape()?,
                (c, _) => self.literal(c.into()),
            }
            is_after_repeat = counts.is_some();
        }
        if self.open.is_empty() { Ok(()) } else { Err(fault::unclosed("(")) }
    }

    /// Takes a text, if it is next.
    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(text);
        if let Some(rest) = rest {
            self.rest = rest.chars();
        }
        rest.is_some()
    }

    fn push(&mut self, hir: Hir) {
        self.parts.push(Part { hir, repeats: 1, depth: 0 });
    }

    fn look(&mut self, look: Look) {
        self.push(Hir::look(look));
    }

    fn class(&mut self, class: &Class) {
        self.push(class.hir());
    }

    /// One character.
    fn literal(&mut self, c: u32) {
        let mut class = Class::default();
        class.add_folded(c, c, self.flags.ignore_case);
        self.class(&class);
    }

    /// The numbers of `{2}`, `{2,}` and `{2,5}`. If there are none, the brace stands for itself.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let (inside, rest) = self.rest.as_str().split_once('}')?;
        let number = |digits: &str| {
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit())
                && (digits == "0" || !digits.starts_with('0'))
                && digits.len() < 10;
            if is_number { digits.parse::<u32>().ok() } else { None }
        };
        let counts = match inside.split_once(',') {
            None => (number(inside)?, Some(number(inside)?)),
            Some((from, "")) => (number(from)?, None),
            Some((from, to)) => (number(from)?, Some(number(to)?)),
        };
        self.rest = rest.chars();
        Some(counts)
    }

    fn repeat(&mut self, c: char, (min, max): (u32, Option<u32>)) -> Result<(), Fault> {
        let greedy = self.takes("?") == self.flags.ungreedy;
        let Some(Part { hir, repeats, depth, .. }) = self.parts.pop() else { return Err(fault::nothing(c)) };
        // `*` and `+` do not count, as in RE2.
        let times = if c == '{' { max.unwrap_or(min).max(1) } else { 1 };
        let repeats = repeats.saturating_mul(times);
        if c == '{' && (min.max(times) > REPEATS || repeats > REPEATS || max.is_some_and(|max| max < min)) {
            return Err(fault::repeats());
        }
        let repetition = Repetition { min, max, greedy, sub: Box::new(hir) };
        let hir = Hir::repetition(repetition);
        self.parts.push(Part { hir, repeats, depth: deeper(depth)? });
        Ok(())
    }

    fn finish_alternative(&mut self) -> Result<Part, Fault> {
        together(std::mem::take(&mut self.parts), Hir::concat)
    }

    fn finish_group(&mut self) -> Result<Part, Fault> {
        let last = self.finish_alternative()?;
        self.alternatives.push(last);
        together(std::mem::take(&mut self.alternatives), Hir::alternation)
    }

    fn close(&mut self) -> Result<(), Fault> {
        let mut group = self.finish_group()?;
        let Some(open) = self.open.pop() else { return Err(fault::unopened()) };
        (self.flags, self.parts, self.alternatives) = (open.flags, open.parts, open.alternatives);
        if let Some(index) = open.index {
            group.hir = Hir::capture(Capture { index, name: None, sub: Box::new(group.hir) });
        }
        self.parts.push(group);
        Ok(())
    }
}

fn together(mut parts: Vec<Part>, join: fn(Vec<Hir>) -> Hir) -> Result<Part, Fault> {
    if parts.len() == 1
        && let Some(part) = parts.pop()
    {
        return Ok(part);
    }
    let repeats = parts.iter().map(|part| part.repeats).max().unwrap_or(1);
    let depth = parts.iter().map(|part| part.depth).max().unwrap_or_default();
    let hir = join(parts.into_iter().map(|part| part.hir).collect());
    Ok(Part { hir, repeats, depth: deeper(depth)? })
}

fn deeper(depth: u32) -> Result<u32, Fault> {
    // A group is an alternation of concatenations, and may be repeated.
    if depth < DEPTH.saturating_mul(3) { Ok(depth.saturating_add(1)) } else { Err(fault::deep()) }
}
