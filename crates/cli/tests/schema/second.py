#!/usr/bin/env python3
"""Asks jsonschema, which is not ours, whether values fit our schemas; the file has what our own checker says."""

import json
import sys

import jsonschema

with open(sys.argv[1]) as file:
    asked = json.load(file)
readers = {}
for name, schema in asked["schemas"].items():
    jsonschema.Draft202012Validator.check_schema(schema)
    readers[name] = jsonschema.Draft202012Validator(schema)
counts, wrong = {True: 0, False: 0}, []
for one in asked["asked"]:
    fits = readers[one["subject"]].is_valid(one["value"])
    counts[fits] += 1
    if fits != one["fits"]:
        wrong.append(f"{one['subject']}: jsonschema says {fits}: {json.dumps(one['value'])[:300]}")
if wrong:
    sys.exit("\n".join(wrong[:20]))
print(f"{counts[True]} fit, {counts[False]} do not")
