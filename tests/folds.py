#!/usr/bin/env python3
"""The letters that hold ASCII to those who fold them are those of egress-policy.

A server that normalises a path with NFKC reads `\u24d0dmin` as `admin`. The table in
crates/core/src/filter/egress/path/folds.rs is compared with Python's own data; `--write` makes it afresh.
Python may know a newer Unicode than the table: then the table is to be made afresh.
"""

import sys
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parent.parent / "crates/core/src/filter/egress/path/folds.rs"
# Not NFKC, but "best fit": slashes and a backslash to some, small forms.
OTHERS = {0x2044, 0x2215, 0x2216} | set(range(0xFE50, 0xFE6C))
HEAD = "const FOLDED: &[(char, char)] = &[\n"


def folded():
    """Every letter outside ASCII that NFKC makes graphic ASCII of, or something with it."""
    for code in range(0x80, 0x110000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        text = unicodedata.normalize("NFKC", chr(code))
        if code in OTHERS or any("!" <= letter <= "~" for letter in text):
            yield code


def ranges(codes):
    """Codes as ranges, over gaps in which no letter is."""
    found = []
    for code in codes:
        gap = range(found[-1][1] + 1, code) if found else [0]
        if found and all(unicodedata.category(chr(other)) == "Cn" for other in gap):
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def main():
    text = TABLE.read_text()
    start = text.index(HEAD) + len(HEAD)
    end = text.index("];", start)
    lines = [f"    ('\\u{{{first:x}}}', '\\u{{{last:x}}}'),\n" for first, last in ranges(folded())]
    if "--write" in sys.argv:
        TABLE.write_text(text[:start] + "".join(lines) + text[end:])
        return
    known = [tuple(int(part.split("}")[0], 16) for part in line.split("\\u{")[1:]) for line in text[start:end].splitlines()]
    missing = [code for code in folded() if not any(first <= code <= last for first, last in known)]
    folds = set(folded())
    wrong = [
        code
        for first, last in known
        for code in range(first, last + 1)
        if code not in folds and unicodedata.category(chr(code)) != "Cn"
    ]
    if missing or wrong:
        sys.exit(f"{TABLE.name}: not in the table {[hex(c) for c in missing]}, wrongly in it {[hex(c) for c in wrong]}")


main()
