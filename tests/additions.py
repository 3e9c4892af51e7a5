#!/usr/bin/env python3
"""Counts the files that an addition touches; a part of `make lint`.

Makes each addition of ARCHITECTURE.md ("To add") in a copy of the tree: a filter that does nothing,
a value matcher, a tag source and a lint rule, each as a copy of another under a new name. Then the
copy must compile, and of the files that were there before, each addition may have changed one.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = "crates/core/src"

NOOP = '''//! `noop`: decides nothing.

use crate::action::sanitize::Sanitizer;
use crate::language::describe::{Object, object};
use crate::language::invalid::Invalid;
use crate::language::policy_value::PolicyValue;
use crate::matching::budget::Budget;
use crate::matching::request::Request;
use crate::policy::Policy;
use crate::policy::common::Common;
use crate::policy::decision::Decision;
use crate::policy::head::{HEAD, Head};
use crate::policy::record::Record;
use crate::policy::written::Written;

pub(super) static POLICY: Object = object!("policy", Any, "A policy of noop.", [&HEAD], [],);

/// A compiled `noop` policy.
#[derive(Clone, Debug)]
pub struct Noop(Common);

impl Policy for Noop {
    const FILTER: &'static str = "noop";
    const LANGUAGE: &'static Object = &POLICY;

    type Verdict = ();

    fn compile_once(tree: PolicyValue) -> Result<Self, Invalid> {
        let budget = Budget::default();
        let (head, _) = Head::open(&Written::alone(tree, Self::FILTER, Self::LANGUAGE), &budget)?;
        let sanitizer = Sanitizer::new(head.trust, [], Vec::new());
        Ok(Self(Common { head, sanitizer, weight: budget.weight(), ..Common::default() }))
    }

    fn common(&self) -> &Common {
        &self.0
    }

    fn summary(&self) -> String {
        "nothing".to_owned()
    }

    fn judge<'a>(&'a self, _: &Request<'a>, _: &mut Decision<'a>, _: Option<&mut Record>) {}
}
'''


class Copy:
    """A copy of the tree, in which files are written and changed."""

    def __init__(self, place):
        self.place = place
        for name in ("Cargo.toml", "Cargo.lock", "clippy.toml", "rust-toolchain.toml"):
            shutil.copy(ROOT / name, place)
        for folder in ("crates", "filters", "tests", "docs"):
            shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("target", "node_modules"))
        self.changed = set()

    def write(self, name, text):
        path = self.place / name
        assert not path.exists(), name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def like(self, name, other, *renamed):
        text = (self.place / other).read_text()
        for old, new in renamed:
            assert old in text, (other, old)
            text = text.replace(old, new)
        self.write(name, text)

    def change(self, name, *changes):
        path = self.place / name
        text = path.read_text()
        for pattern, new in changes:
            text, count = re.subn(pattern, new, text, count=1, flags=re.M)
            assert count == 1, (name, pattern)
        path.write_text(text)
        self.changed.add(name)


def a_filter(copy):
    copy.write(f"{CORE}/filter/noop.rs", NOOP)
    copy.like("filters/noop/Cargo.toml", "filters/header-router/Cargo.toml", ("header-router", "noop"))
    copy.write("filters/noop/src/lib.rs", "//! The `noop` filter.\n\npub use narrows_core::filter::noop::Noop as Policy;\n\n"
               '#[cfg(not(feature = "bundle"))]\nnarrows_host::filter!(Policy, ());\n')
    copy.change(f"{CORE}/filter.rs", (r"^pub mod router;\n", r"pub mod noop;\n\g<0>"),
                (r"^( +)EgressPolicy:", r'\1Noop: $crate::filter::noop::Noop, Plain => "STATS" 40;\n\g<0>'))


def a_value_matcher(copy):
    copy.like(f"{CORE}/matching/value/trial.rs", f"{CORE}/matching/value/suffix.rs", ('"suffix"', '"trial"'), ("Suffix", "Trial"))
    copy.change(f"{CORE}/matching/value.rs", (r"^mod suffix;\n", r"\g<0>mod trial;\n"), (r"suffix::Suffix, contains", "suffix::Suffix, trial::Trial, contains"))


def a_tag_source(copy):
    copy.like(f"{CORE}/filter/tags/source/trial.rs", f"{CORE}/filter/tags/source/upstream_host.rs", ('"upstreamHost"', '"trial"'), ("UpstreamHost", "Trial"))
    copy.change(f"{CORE}/filter/tags/source.rs", (r"^mod upstream_host;\n", r"mod trial;\n\g<0>"), (r"^ +upstream_host::UpstreamHost,\n", r"\g<0>    trial::Trial,\n"))


def a_lint_rule(copy):
    rules = "crates/cli/src/lint/rules"
    copy.like(f"{rules}/nrw699.rs", f"{rules}/nrw623.rs", ("NRW623", "NRW699"))
    copy.change(f"{rules}.rs", (r"^mod nrw623;\n", r"\g<0>mod nrw699;\n"), (r"^ +&nrw623::RULE,\n", r"\g<0>    &nrw699::RULE,\n"))


def main():
    with tempfile.TemporaryDirectory() as place:
        copy = Copy(pathlib.Path(place))
        wrong = []
        for add in (a_filter, a_value_matcher, a_tag_source, a_lint_rule):
            copy.changed.clear()
            add(copy)
            name = add.__name__.replace("_", " ")
            print(f"{name}: its own files, and {', '.join(sorted(copy.changed))}")
            if len(copy.changed) > 1:
                wrong.append(f"{name} changes {len(copy.changed)} files that others share")
        # The command line and the filter: what comes of the tables, without what is for tests alone.
        check = ["cargo", "check", "--quiet", "--offline", "-p", "narrows", "-p", "narrows-noop", "--target-dir", str(ROOT / "target/additions")]
        if subprocess.run(check, cwd=copy.place).returncode:
            wrong.append("what was added does not compile")
    print("\n".join(wrong) or "each addition touches one shared file, and all compile")
    sys.exit(bool(wrong))


main()
