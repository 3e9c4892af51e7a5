#!/usr/bin/env python3
"""Golden vectors of canary-split, made without a line of its code.

    make envoy                                             # .venv, with xxhash pinned by hash
    .venv/bin/python filters/canary-split/vectors.py           # writes vectors.json
    .venv/bin/python filters/canary-split/vectors.py --check   # fails if it is another

`bucket = xxh64(salt + 0x00 + key, seed 0) mod 1 000 000`. Every backend but the
baseline owns the first part of its slot; the baseline owns all the rest. The hash is
that of the PyPI package `xxhash` (the reference implementation in C); the rest is the
forty lines below.
"""

import argparse
import json
import pathlib
import random
import sys

import xxhash

PINNED = "3.6.0"
BUCKETS = 1_000_000
FILE = pathlib.Path(__file__).with_name("vectors.json")


def digest(salt: bytes, key: bytes) -> int:
    return xxhash.xxh64_intdigest(salt + b"\0" + key, seed=0)


def bucket(salt: bytes, key: bytes) -> int:
    return digest(salt, key) % BUCKETS


def parts(weight: int, total: int) -> int:
    return weight * BUCKETS // total


def lay_out(policy: dict) -> dict:
    """Every split's salt, baseline and owned buckets: [(first, after the last, backend)]."""
    layers, out = {}, {}
    for split in policy["splits"]:
        if "layer" in split and "salt" in split:
            layers.setdefault(split["layer"]["name"], {})["salt"] = split["salt"]
    for split in policy["splits"]:
        total = split.get("weightTotal", 100)
        canaries = [b for b in split["backends"] if not b.get("baseline")]
        reserved = sum(parts(b["maxWeight"], total) for b in canaries if "maxWeight" in b)
        sharing = sum("maxWeight" not in b for b in canaries)
        equal = (BUCKETS - reserved) // sharing if sharing else 0
        start, salt = 0, split.get("salt", split["name"])
        if "layer" in split:
            layer = layers.setdefault(split["layer"]["name"], {})
            start, salt = layer.get("end", 0), layer.get("salt", split["layer"]["name"])
        owned = []
        for b in canaries:
            owned.append((start, start + parts(b.get("weight", 0), total), b["name"]))
            start += parts(b["maxWeight"], total) if "maxWeight" in b else equal
        if "layer" in split:
            layer["end"] = start
        baseline = next(b["name"] for b in split["backends"] if b.get("baseline"))
        out[split["name"]] = (salt.encode(), baseline, owned)
    return out


def backend(laid_out: tuple, key: bytes) -> str:
    salt, baseline, owned = laid_out
    at = bucket(salt, key)
    return next((name for first, end, name in owned if first <= at < end), baseline)


def canary(name: str, weight: int, most: int | None = None) -> dict:
    out = {"name": name, "authority": f"{name}-svc", "weight": weight}
    return out if most is None else out | {"maxWeight": most}


def split(name: str, *canaries: dict, **more) -> dict:
    return {
        "name": name,
        "hosts": [f"{name}.test"],
        "key": [{"header": "x-user-id"}],
        "backends": [{"name": "stable", "baseline": True}, *canaries],
    } | more


def policies():
    yield "no canary", [split("stock")]
    for weight in (0, 1, 5, 10, 50, 99, 100):
        yield f"one canary, {weight} of 100", [split("stock", canary("canary", weight))]
    for weight in (5, 10, 20):
        yield f"a slot of 50, {weight} of 100", [split("stock", canary("canary", weight, 50))]
    yield "an empty salt", [split("stock", canary("canary", 50), salt="")]
    yield "another salt", [split("stock", canary("canary", 50), salt="2026-w48")]
    yield "a salt that is not ASCII", [split("stock", canary("canary", 50), salt="caf\u00e9")]
    yield "one in a million", [split("stock", canary("canary", 1), weightTotal=1_000_000)]
    yield "thirds", [split("stock", canary("a", 1), canary("b", 1), weightTotal=3)]
    yield "a total of one", [split("stock", canary("canary", 1), weightTotal=1)]
    yield "two that share equally", [split("stock", canary("a", 10), canary("b", 20))]
    yield "one slot written, two shared", [split("stock", canary("a", 7), canary("b", 30, 30), canary("c", 35))]
    yield "slots all written", [split("stock", canary("a", 10, 20), canary("b", 0, 30), canary("c", 50, 50))]
    yield "fifteen canaries", [split("stock", *(canary(f"c{i}", i % 7) for i in range(15)))]
    yield "two independent splits", [split("stock", canary("canary", 50)), split("cart", canary("canary", 50))]
    yield "two splits of one salt", [
        split("stock", canary("canary", 10), salt="s"), split("cart", canary("canary", 20), salt="s")]
    yield "a layer", [
        split("stock", canary("a", 20, 30), layer={"name": "search", "holdback": 10}),
        split("cart", canary("b", 5, 20), canary("c", 20, 20), layer={"name": "search"}),
        split("order", canary("d", 20, 20), layer={"name": "search"})]
    yield "a layer with a salt", [
        split("stock", canary("a", 500, 500), weightTotal=1000, layer={"name": "search"}),
        split("cart", canary("b", 499, 500), weightTotal=1000, layer={"name": "search"}, salt="2026"),
        split("order", canary("d", 50), salt="2026")]


def build() -> dict:
    rng = random.Random(4)
    salts = [b"", b"stock", b"a", "caf\u00e9".encode(), b"s" * 200]
    keys = [b"u-1", b"u-2", b"alice@example.com", b"10.1.2.3", b"0", b" ", b"\0", b"\0u-1",
            b"spiffe://cluster.local/ns/shop/sa/web", "J\u00fcrgen".encode(), bytes([0x80]), bytes([0xff, 0xfe]),
            bytes(range(128, 256)), b"k" * 31, b"k" * 32, b"k" * 33, b"k" * 4096]
    keys += [rng.randbytes(rng.randrange(1, 70)) for _ in range(30)]
    users = [f"u-{i}".encode() for i in range(60)]
    users += [k for k in keys if 0 < len(k) <= 256 and not any(b < 0x21 or b == 0x7f for b in k)]
    vectors = [{"salt": s.hex(), "key": k.hex(), "hash": f"{digest(s, k):016x}", "bucket": bucket(s, k)}
               for s in salts for k in keys]
    served = []
    for name, splits in policies():
        laid_out = lay_out({"splits": splits})
        served.append({
            "name": name,
            "policy": {"trust": "mesh", "splits": splits},
            "owned": {s: [list(o) for o in owned] for s, (_, _, owned) in laid_out.items()},
            "backends": {s: [backend(one, user) for user in users] for s, one in laid_out.items()},
        })
    return {
        "about": "bucket = xxh64(salt + 0x00 + key, seed 0) mod 1000000; salt, key and users are hex; "
                 "made by vectors.py, never by the filter",
        "xxhash": xxhash.VERSION,
        "buckets": vectors,
        "users": [user.hex() for user in users],
        "policies": served,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare only")
    arguments = parser.parse_args()
    if xxhash.VERSION != PINNED:
        print(f"vectors.py wants xxhash {PINNED}, this is {xxhash.VERSION}", file=sys.stderr)
        return 2
    built = build()
    lists = ("buckets", "policies")
    head = {k: v for k, v in built.items() if k not in lists}
    lines = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in head.items()]
    for name in lists:
        rows = ",\n  ".join(json.dumps(row) for row in built[name])
        lines.append(f" {json.dumps(name)}: [\n  {rows}\n ]")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if not arguments.check:
        FILE.write_text(text)
        return 0
    if FILE.read_text() == text:
        print(f"{FILE.name}: {len(built['buckets'])} buckets and {len(built['policies'])} policies as computed")
        return 0
    print(f"{FILE.name} is not what {pathlib.Path(__file__).name} computes", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
