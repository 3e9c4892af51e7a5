#!/usr/bin/env python3
"""Checks the dependency rules of ARCHITECTURE.md: between crates, as Cargo reports them, and
between the modules of a crate.

deny.toml has the rules between crates for cargo-deny too; this needs nothing but cargo.
"""

import json
import pathlib
import re
import subprocess
import sys

import layers

ROOT = pathlib.Path(__file__).resolve().parent.parent
FILTERS = {f"narrows-{p.name}" for p in (ROOT / "filters").iterdir() if p.is_dir()}
# Who may depend on a crate directly, among our own.
ONLY = {"wasmtime": {"narrows-vm"}, "regex-automata": {"narrows-core"}}
# Lines of a file of Rust.
LONGEST = 320
# The folder with `unsafe`: each file says at its head why, and each block why it is sound.
UNSAFE = "crates/host/src/abi"
# What each of our crates may depend on, among our own, its own tests aside. Whoever is not named here may be a
# filter (core and host alone) or the tests (everything).
OURS = {
    "narrows": {"narrows-cases", "narrows-core", "narrows-model"},
    "narrows-cases": {"narrows-core"},
    "narrows-cluster": {"narrows-harness"},
    "narrows-core": set(),
    "narrows-harness": {"narrows-cases"},
    "narrows-host": {"narrows-core"},
    "narrows-mesh": {"narrows-core", "narrows-harness"},
    "narrows-model": {"narrows-cases", "narrows-core"},
    "narrows-oracle": set(),
    "narrows-runners": {"narrows-cases", "narrows-core", "narrows-harness", "narrows-model", "narrows-vm"},
    "narrows-vm": {"narrows-core", "narrows-model"},
}
# Everything that a filter may be made of, directly or not.
IN_WASM = {
    "log", "serde", "serde_core", "serde_json", "itoa", "memchr", "zmij",
    "regex-automata", "regex-syntax", "xxhash-rust", "narrows-core", "narrows-host",
}
# The top-level modules of a crate in layers, the lowest first. A module uses lower layers only.
LAYERS = {
    "crates/core": [
        ["order"],  # hashing and sorting
        ["wire"],  # HTTP as bytes
        ["language"],  # the policy language: read with places, and what is wrong
        ["matching"],  # conditions on a request, and the index
        ["action"],  # destinations, header edits, what is taken off first
        ["policy"],  # what every filter's policy has
        ["filter"],  # the filters, and the table of them
        ["stats_tags"],  # what a proxy must be told of their labels
    ],
    "crates/host": [
        ["abi"],  # Envoy's calls and callbacks
        ["logger", "read"],  # lines to Envoy's log · bytes from Envoy
        ["callbacks", "metric", "node", "shared"],  # what Envoy calls · series · what the proxy is · what its VMs share
        ["clock"],  # the time that they share
        ["apply", "course", "lease"],  # a decision carried out · which policies are in force
        ["extension"],  # what some filters do beside deciding
        ["loaded"],  # a policy in force
        ["stream"],  # one request
        ["merged"],  # one request through the parts of a merged policy
        ["root"],  # one plugin
        ["bundle"],  # which filter a plugin is
    ],
    "crates/cli": [
        ["escape", "meant", "screen"],  # what is safe to show, and where · "did you mean"
        ["code", "error"],  # what every part reports with
        ["finding", "pack"],  # a fault and its place · a module as an image
        ["registry"],  # where images are pushed to
        ["files", "source"],  # which files · files, read with places
        ["edit", "simulate", "templates", "write"],  # changes in place · requests and decisions · an API's paths · values as text
        ["filter", "learn"],  # the filters by name · the log of egress-policy
        ["documents"],  # policies in files and resources
        ["istio", "kubernetes"],  # what Istio's releases know · which names Kubernetes takes
        ["placement"],  # where a policy belongs among Istio's filters
        ["lint", "diff", "migrate", "render", "schema"],
        ["explain", "report", "settings"],
        ["command"],
        ["clap_error"],
    ],
}


def metadata(*more):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", *more]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def linked(member):
    """The crates that are really linked into a module, with the features it has there."""
    command = ["cargo", "tree", "--locked", "-p", member, "--target", "wasm32-unknown-unknown",
               "-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in tree.splitlines() if line.strip()} - {member}


def faults():
    meta = metadata("--filter-platform", "wasm32-unknown-unknown")
    names = {p["id"]: p["name"] for p in meta["packages"]}
    nodes = {n["id"]: n for n in meta["resolve"]["nodes"]}
    ours = {i for i in meta["workspace_members"]}

    def normal(node):
        return {d["pkg"] for d in node["deps"] if any(k["kind"] is None for k in d["dep_kinds"])}

    for member in ours:
        for dep in normal(nodes[member]):
            if names[dep] in ONLY and names[member] not in ONLY[names[dep]]:
                yield f"{names[member]} depends on {names[dep]}; only {', '.join(ONLY[names[dep]])} may"
    for member in ours & {i for i in names if names[i] in OURS}:
        direct = {names[d] for d in normal(nodes[member]) if d in ours}
        for dep in sorted(direct - OURS[names[member]]):
            yield f"{names[member]} depends on {dep}; it may on {sorted(OURS[names[member]]) or 'none of ours'}"
    for member in ours:
        if names[member] not in OURS | {"narrows-tests": set()} and names[member] not in FILTERS:
            yield f"{names[member]}: say in tests/architecture.py what it may depend on"
        if names[member] not in FILTERS:
            continue
        direct = {names[d] for d in normal(nodes[member])}
        if direct != {"narrows-core", "narrows-host"}:
            yield f"{names[member]} depends on {sorted(direct)}; a filter needs core and host alone"
        for name in sorted(linked(names[member]) - IN_WASM):
            yield f"{names[member]} brings {name} into a .wasm; give its reason and bytes in ARCHITECTURE.md"
    # The core does no I/O, asks no clock and logs nothing. In the VM there is no clock
    # to ask: the standard library's panics there.
    io = r"\b(std::fs|std::net::Tcp|std::process|std::thread|println!)"
    clock = r"\b(Instant::now|SystemTime::now)"
    for folder, banned in [("crates/core/src", rf"{io}|{clock}|\blog::"), ("crates/host/src", rf"{io}|{clock}"), ("filters", rf"{io}|{clock}")]:
        for path in sorted((ROOT / folder).rglob("*.rs")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(banned, line) and not line.lstrip().startswith("//"):
                    yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}; not in there"
    # One folder declares the ABI; the tests' guest, a crate of its own, calls it by hand.
    for path in sorted(p for folder in ("crates", "filters", "tests") for p in (ROOT / folder).rglob("*.rs")):
        place = path.relative_to(ROOT)
        if place.is_relative_to("crates/vm/tests/guest"):
            continue
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0]
            if place.is_relative_to(UNSAFE):
                above = "".join(lines[max(number - 4, 0):number - 1])
                # Of a test its file says it at the head.
                is_unsaid = path.name != "tests.rs" and "// SAFETY: " not in above
                if re.search(r"\bunsafe \{", code) and is_unsaid:
                    yield f"{place}:{number}: {line.strip()}; say above it, after SAFETY, why it is sound"
            elif re.search(r"\bunsafe(_code)?\b", code):
                yield f"{place}:{number}: {line.strip()}; only {UNSAFE} may"
    # The core's tests run natively and in Node: without the alias a file's are left out there.
    for path in sorted((ROOT / "crates/core").rglob("*.rs")):
        text = path.read_text()
        if re.search(r"^\s*#\[test\]", text, re.M) and "use wasm_bindgen_test::wasm_bindgen_test as test;" not in text:
            yield f"{path.relative_to(ROOT)}: its tests do not run on wasm32; alias wasm_bindgen_test as test"


def sizes():
    """A file is one idea: it is short."""
    for path in sorted(path for folder in ("crates", "filters", "tests", "fuzz") for path in (ROOT / folder).rglob("*.rs")):
        if "target" not in path.parts and (lines := len(path.read_text().splitlines())) > LONGEST:
            yield f"{path.relative_to(ROOT)} has {lines} lines, more than {LONGEST}; divide it"


def caps():
    """A number that bounds something says why, above it or above the first of its block."""
    number = re.compile(r"\s*(pub(\([^)]*\))? )?const [A-Z_]+: (usize|[ui](8|16|32|64)|Duration|.*RangeInclusive.*) = ")
    for folder in ("crates/core/src", "crates/host/src"):
        for path in sorted((ROOT / folder).rglob("*.rs")):
            if "tests" in path.parts or path.name == "tests.rs":
                continue
            lines = path.read_text().split("#[cfg(test)]\nmod tests {")[0].splitlines()
            for at, line in enumerate(lines):
                above = at - 1
                while above >= 0 and (number.match(lines[above]) or lines[above].lstrip().startswith("#[")):
                    above -= 1
                if number.match(line) and not lines[above].lstrip().startswith("//"):
                    yield f"{path.relative_to(ROOT)}:{at + 1}: {line.strip()}; say why it is as much"


def order():
    layers.self_test()
    for crate, order in LAYERS.items():
        for fault in layers.faults(order, layers.read(ROOT / crate / "src")):
            yield f"{crate}: {fault}"


found = [*faults(), *order(), *sizes(), *caps()]
print("\n".join(found) or "architecture: every dependency points the right way")
sys.exit(bool(found))
