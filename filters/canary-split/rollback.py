#!/usr/bin/env python3
"""Golden vectors of the rollback of canary-split, made without a line of its code.

    python3 filters/canary-split/rollback.py           # writes rollback.json
    python3 filters/canary-split/rollback.py --check   # fails if it begins otherwise: the twentieth part of each scenario

The method is "share of errors": a canary that has a tenth of the users should have a tenth of the users who meet
an error. Integers only. One tick is one second; a scenario is a seed from which `Draw` makes every tick, so a
million ticks take no room in the file: it has what came out of them, as a running checksum, with every trip.
"""

import argparse
import json
import pathlib
import sys

FILE = pathlib.Path(__file__).with_name("rollback.json")
MILLION = 1_000_000
RATIOS = {2: 1, 4: 2, 16: 4}
BITS = 32
MEMORY = 600
SLOTS = 256
WINDOW = 10
POINTS = {"errors": 1, "latency": 5}
WORD = (1 << 64) - 1


# --------------------------------------------------------------------- scores
def bits_of(num: int, den: int) -> int:
    """floor(1024 * log2(num / den)), for num >= den > 0."""
    out = 0
    while num >= 2 * den:
        den, out = den * 2, out + 1
    x = (num << 30) // den
    for _ in range(10):
        x = (x * x) >> 30
        out *= 2
        if x >= 2 << 30:
            x, out = x >> 1, out + 1
    return out


def cost(ratio: int, share: int) -> int:
    """What each failing user takes from the score of a ratio: 1024 * log2(1 + (ratio - 1) * share), above it."""
    return bits_of(MILLION + (ratio - 1) * share, MILLION) + 1


class Users:
    """Who has failed, and when last: each counts once, until ten minutes without a failure."""

    def __init__(self):
        # In the order of writing: the first is the oldest.
        self.last = {}

    def count(self, now: int, keys: list) -> tuple:
        fresh, crowded = 0, False
        for key in sorted(set(keys)):
            before = self.last.pop(key, None)
            if before is None or now - before > MEMORY:
                fresh += 1
            if len(self.last) == SLOTS:
                oldest = next(iter(self.last))
                crowded |= now - self.last.pop(oldest) <= MEMORY
            self.last[key] = now
        return fresh, crowded


class Judge:
    """One canary and one class of fault."""

    def __init__(self, points: int):
        self.points = points
        self.scores = dict.fromkeys(RATIOS, 0)
        self.users = Users()
        # second -> (n1, y1, n0, y0)
        self.ring = {}
        self.held = 0
        self.second = None

    def tick(self, now: int, weight: int, canary: tuple, baseline: tuple) -> dict:
        """`canary` and `baseline` are (requests, failing requests, keys, rest)."""
        (n1, y1, keys1, rest1), (n0, y0, keys0, rest0) = canary, baseline
        fresh0, crowded0 = self.users.count(now, keys0)
        fresh1, crowded1 = self.users.count(now, keys1)
        x1, x0 = fresh1 + rest1, fresh0 + rest0
        if 0 < weight < MILLION:
            share = weight
            if (rest1 or rest0 or crowded0 or crowded1) and n0 + n1:
                # The table cannot tell the users apart: requests are compared with those of the same second.
                share = max(weight, -(-n1 * MILLION // (n0 + n1)))
            share = min(share, MILLION - 1)
            for ratio, gain in RATIOS.items():
                score = self.scores[ratio] + 1024 * x1 * gain - (x0 + x1) * cost(ratio, share)
                self.scores[ratio] = min(max(0, score), 1 << 40)
        self.ring[now] = (n1, y1, n0, y0)
        self.ring = {second: row for second, row in self.ring.items() if now - second < WINDOW}
        holds = self.holds()
        in_a_row = holds and self.held and self.second == now - 1
        self.held = (self.held + 1 if in_a_row else 1) if holds else 0
        self.second = now
        over = 0 < weight < MILLION and max(self.scores.values()) >= BITS * 1024
        trip = holds and over
        return {"x": (x1, x0), "holds": holds, "trip": trip, "suspect": not trip and self.held >= WINDOW}

    def holds(self) -> bool:
        """Whether the canary fails more often: by enough to matter, and by more than the numbers may err."""
        n1, y1, n0, y0 = (sum(column) for column in zip(*self.ring.values()))
        m1, m0 = max(n1, 1), max(n0, 1)
        matters = 100 * (y1 * m0 - y0 * m1) >= self.points * m1 * m0
        n, y, d = n0 + n1, y0 + y1, y1 * n0 - y0 * n1
        return matters and d > 0 and d * d * n >= 9 * y * (n - y) * n1 * n0


# -------------------------------------------------------------------- latency
ROOTS = (1073741824, 1276901417, 1518500250, 1805811301)
EDGES = [(1000 * ROOTS[i % 4] << (i // 4)) >> 30 for i in range(72)]


class Latencies:
    """What the baseline's requests took lately, and above which bucket a request is slow."""

    def __init__(self):
        self.cells = [0] * 73
        self.slow = None

    def add(self, micros: list):
        for one in micros:
            self.cells[sum(edge < one for edge in EDGES)] += 1
        while sum(self.cells) > 4000:
            self.cells = [cell // 2 for cell in self.cells]
        if sum(self.cells) >= 200:
            self.slow = min(i for i in range(74) if 20 * sum(self.cells[i:]) <= sum(self.cells))


# ------------------------------------------------------------------ scenarios
class Draw:
    """splitmix64 (Steele, Lea, Flood 2014), so that every language draws the same."""

    def __init__(self, seed: int):
        self.state = seed

    def word(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
        return z ^ (z >> 31)

    def below(self, most: int) -> int:
        return self.word() % most


def side(draw: Draw, shape: dict, users: int, percent: int) -> tuple:
    """One side of a tick: its requests, how many fail, whose they are."""
    n = draw.below(shape["requests"] * users // 50 + 2)
    y, keys, rest = 0, [], 0
    for _ in range(n):
        user = draw.below(users + 1)
        if draw.below(1000) >= percent:
            continue
        y += 1
        key = (user * 2654435761 + (users << 7)) & 0xFFFFFFFF
        if key in keys:
            continue
        if len(keys) < 32 and not (shape["keyless"] and draw.below(4) == 0):
            keys.append(key)
        else:
            rest += 1
    return n, y, keys, rest


def run(shape: dict, parts: int = 20) -> dict:
    """The first `parts` twentieths of a scenario."""
    draw, judge = Draw(shape["seed"]), Judge(shape["points"])
    now, checksum, trips, suspects, crossings = 1_000_000, 0, [], 0, []
    weight, bad, tick = shape["weight"], [10, 10], 0
    while tick < shape["ticks"] * parts // 20:
        tick += 1
        # Now and then a second passes without a tick, or many.
        now += 1 if draw.below(50) else 1 + draw.below(700)
        if draw.below(200) == 0:
            bad = [draw.below(300), draw.below(300)]
        if draw.below(500) == 0:
            weight = draw.below(MILLION + 1)
        canary = side(draw, shape, max(1, shape["users"] * weight // MILLION), bad[0])
        baseline = side(draw, shape, max(1, shape["users"] - shape["users"] * weight // MILLION), bad[1])
        said = judge.tick(now, weight, canary, baseline)
        suspects += said["suspect"]
        for word in (*judge.scores.values(), *said["x"], said["holds"], said["trip"], said["suspect"]):
            checksum = ((checksum ^ int(word)) * 0x100000001B3) & WORD
        if said["trip"]:
            trips.append(tick)
            users = judge.users
            judge = Judge(shape["points"])
            judge.users = users
        if tick % (shape["ticks"] // 20) == 0:
            crossings.append("%016x" % checksum)
    return {**shape, "trips": len(trips), "first_trips": trips[:20], "suspects": suspects, "checksums": crossings}


SHAPES = [
    {"name": "few requests", "seed": 1, "ticks": 400_000, "points": 1, "weight": 100_000, "users": 300, "requests": 1,
     "keyless": False},
    {"name": "one user in a hundred", "seed": 2, "ticks": 200_000, "points": 1, "weight": 10_000, "users": 2_000,
     "requests": 1, "keyless": False},
    {"name": "some without a key", "seed": 3, "ticks": 200_000, "points": 1, "weight": 500_000, "users": 500,
     "requests": 1, "keyless": True},
    {"name": "more than the table holds", "seed": 6, "ticks": 40_000, "points": 1, "weight": 100_000, "users": 5_000,
     "requests": 2, "keyless": False},
    {"name": "a wider floor", "seed": 4, "ticks": 200_000, "points": 5, "weight": 250_000, "users": 1_000, "requests": 1,
     "keyless": False},
]


def latencies() -> dict:
    draw, seen = Draw(5), Latencies()
    rows, middle = [], 20_000
    for _ in range(300):
        if draw.below(40) == 0:
            middle = 200 << draw.below(16)
        micros = [middle // 2 + draw.below(middle) * (1 + 9 * (draw.below(20) == 0)) for _ in range(draw.below(120))]
        seen.add(micros)
        rows.append([sum(seen.cells), seen.slow])
    return {"seed": 5, "ticks": 300, "rows": rows, "cells": seen.cells}


def vectors(parts: int = 20) -> dict:
    shares = (1, 100, 10_000, 50_000, 100_000, 250_000, 333_333, 500_000, 900_000, 999_999)
    return {
        "costs": [[ratio, share, cost(ratio, share)] for ratio in RATIOS for share in shares],
        "edges": EDGES,
        "latencies": latencies(),
        "scenarios": [run(shape, parts) for shape in SHAPES],
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="compare with rollback.json instead of writing it")
    if not arguments.parse_args().check:
        FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
    elif begins(json.loads(FILE.read_text())) != begins(vectors(parts=1)):
        sys.exit("rollback.json is not what rollback.py makes")


def begins(vectors: dict) -> dict:
    first = [{**shape, "checksums": shape["checksums"][:1]} for shape in vectors["scenarios"]]
    later = ("trips", "first_trips", "suspects")
    return {**vectors, "scenarios": [{k: v for k, v in shape.items() if k not in later} for shape in first]}


if __name__ == "__main__":
    main()
