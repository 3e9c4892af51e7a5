#!/usr/bin/env python3
"""Writes users.json: the bucket of each user of the mesh tests under the salt "stock".

An implementation of its own, over the xxhash package of PyPI: the tests compare what
real Envoys did with these numbers, not with what our code says.

    .venv/bin/python tests/data/users.py           write
    .venv/bin/python tests/data/users.py --check   exit 1 if the file is another
"""

import json
import pathlib
import sys

import xxhash

FILE = pathlib.Path(__file__).with_name("users.json")


def bucket(salt: bytes, key: bytes) -> int:
    return xxhash.xxh64_intdigest(salt + b"\0" + key, seed=0) % 1_000_000


users = [f"user-{n:04}" for n in range(1000)]
text = json.dumps({"salt": "stock", "buckets": {u: bucket(b"stock", u.encode()) for u in users}}, indent=0) + "\n"
if sys.argv[1:] == ["--check"]:
    sys.exit(FILE.read_text() != text and f"{FILE} is not what xxhash makes of it: run this without --check")
FILE.write_text(text)
