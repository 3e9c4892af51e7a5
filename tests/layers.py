"""Inside a crate a module may use only modules of lower layers.

Reads text, not syntax trees: paths that begin with `crate` or climb with `super` out of their
top-level module, in `use` and in code. Comments and tests are left out, and what a macro says of
`$crate`, for that is written where it is used.
"""

import re


def faults(layers, sources):
    """What breaks the order.

    `layers` is a list from the lowest layer up, each a list of top-level modules; `sources` maps a
    file below `src/`, such as `lint/rules.rs`, to its text.
    """
    rank = {module: number for number, layer in enumerate(layers) for module in layer}
    for module in sorted(set(rank) - {parts(file)[0] for file in sources}):
        yield f"{module} has a layer and no file; take it out of the list"
    for file, text in sorted(sources.items()):
        own = parts(file)
        if own[0] not in rank:
            yield f"{file}: {own[0]} has no layer; add it to the list in tests/architecture.py"
            continue
        for used in sorted(uses(own, without_tests(text)) - {own[0]}):
            if used not in rank:
                yield f"{file} uses crate::{used}, which is not a module with a layer; name the module of the item"
            elif rank[used] >= rank[own[0]]:
                yield f"{file} uses crate::{used}, which is not in a lower layer than {own[0]}"


def read(folder):
    """The sources of a crate, without its roots and its tests."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*.rs")}
    roots = {"lib.rs", "main.rs"}
    return {
        name: path.read_text()
        for name, path in files.items()
        if name not in roots and not name.startswith("bin/") and "tests" not in parts(name)
    }


def parts(file):
    """`lint/rules.rs` is `["lint", "rules"]`."""
    path = file.removesuffix(".rs").split("/")
    return path[:-1] if path[-1] == "mod" else path


def without_tests(text):
    text = re.sub(r"/\*.*?\*/", "", re.sub(r"//[^\n]*", "", text), flags=re.S)
    while test := re.search(r"#\[cfg\((?:all\()?test\b", text):
        # The attribute and the item behind it: up to its `;`, or to the brace that closes it.
        depth, end = 0, len(text)
        for at in range(text.index("]", test.end()), len(text)):
            depth += (text[at] == "{") - (text[at] == "}")
            if depth == 0 and text[at] in ";}":
                end = at + 1
                break
        text = text[: test.start()] + text[end:]
    return text


def uses(own, text):
    """The top-level names of the crate that a file uses."""
    found = set()
    for path in paths(text):
        if path[0] == "crate":
            found.add(path[1])
            continue
        climbs = len(path) - len([part for part in path if part != "super"])
        # `super` of a top-level module is the root of the crate.
        if climbs == len(own) and len(path) > climbs:
            found.add(path[climbs])
    return found - {"*", "self"}


def paths(text):
    """Every path that begins with `crate` or `super`; trees of `use` are unfolded."""
    for tree in re.findall(r"\buse\s+([^;]+);", text):
        yield from (path for path in unfold([], tree) if path[0] in ("crate", "super"))
    for path in re.findall(r"(?<!\$)\b(?:crate|super)(?:::\w+)+(?!\w*!)", re.sub(r"\buse\s+[^;]+;", "", text)):
        yield path.split("::")


def unfold(prefix, tree):
    depth, part = 0, ""
    for char in tree + ",":
        depth += (char == "{") - (char == "}")
        if char != "," or depth:
            part += char
            continue
        part = part.strip()
        if group := re.match(r"^((?:\w+::)*)\{(.*)\}$", part, re.S):
            yield from unfold(prefix + group[1].split("::")[:-1], group[2])
        elif part:
            yield prefix + [name.split(" as ")[0].strip() for name in part.split("::")]
        part = ""


def self_test():
    """The check can fail: each of these breaks the order."""
    layers = [["low"], ["middle", "beside"], ["high"]]
    good = {
        "low.rs": "//! For [`crate::high`].\n",
        "middle.rs": "mod inner;\nuse crate::low::A;\n#[cfg(test)]\nmod tests { use crate::high::B; }\nfn f() {}",
        "middle/inner.rs": "use super::f;\nuse crate::middle::g;\n#[cfg(test)]\nuse crate::high;\nuse crate::low;",
        "beside.rs": "",
        "high.rs": "use crate::{low::{A, B}, middle as m};\nfn f() { super::beside::f() }",
    }
    assert not list(faults(layers, good)), list(faults(layers, good))
    bad = {
        "low.rs": ["use crate::high;", "use crate::{self, middle::f};", "fn f() { crate::high::f() }", "use super::high;"],
        "middle.rs": ["use crate::beside;", "use crate::Root;", "#[cfg(test)]\nuse a;\nuse crate::high;"],
        "middle/inner.rs": ["use super::super::high;", "pub use {crate::high::f};"],
        "unknown.rs": [""],
    }
    for file, texts in bad.items():
        for text in texts:
            assert len(list(faults(layers, {**good, file: text}))) == 1, (file, text)
    without = {name: text for name, text in good.items() if name != "beside.rs"}
    assert list(faults(layers, without))
