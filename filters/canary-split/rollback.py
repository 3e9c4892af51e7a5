#!/usr/bin/env python3
"""The rollback of canary-split once more, without a line of its code: integers and the standard library.

    python3 filters/canary-split/rollback.py           # writes rollback.json (half a minute)
    python3 filters/canary-split/rollback.py --check   # fails if it is another

A million seconds of one canary are played from a seed: how many requests, whose users fail, how long the
baseline takes. What is known after each second goes into a digest, which is kept every ten thousand
seconds, with every second in which the canary was found worse. The filter's core plays the same seconds
(`crates/core/tests/rollback.rs`) and must come to the same digests.

The method, for one class of fault ("share of errors"):

* x1 and x0 are the users of canary and baseline who failed in this second, each counted once, and again
  only after 600 seconds without a failure. 256 users are remembered, the longest ago forgotten first.
* S_r = max(0, S_r + 1024 x1 log2(r) - (x1 + x0) L_r) for r = 2, 4, 16, where w is the canary's share of the users and
  L_r = floor(1024 log2(1 + (r-1) w)) + 1.
* The canary is worse if some S_r is at least 32 * 1024 and, in the last ten seconds, the failing share of
  its requests is at least one point above the baseline's. Then the scores begin anew.
* It is suspect if that is so for ten seconds and no score is high enough.
* An answer is slow from the lowest bucket that at most one in twenty of the baseline's requests reaches,
  of at least 200. All counts are halved when they are more than 4,000.
"""

import collections
import json
import pathlib
import sys

FILE = pathlib.Path(__file__).with_name("rollback.json")
SECONDS, EVERY, SEED = 1_000_000, 10_000, 18
WORD = (1 << 64) - 1


class Random:
    """SplitMix64, as the tests of the core have it."""

    def __init__(self, seed):
        self.state = seed * 0x2545_F491_4F6C_DD1D & WORD

    def number(self, bound):
        self.state = z = self.state + 0x9E37_79B9_7F4A_7C15 & WORD
        z = (z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9 & WORD
        z = (z ^ z >> 27) * 0x94D0_49BB_1331_11EB & WORD
        return (z ^ z >> 31) % bound


def log2_floor(parts, whole):
    """The largest k for which 2^(k/1024) is not above parts/whole, by bisection on exact integers."""
    # k <= 1024 log2(parts/whole)  <=>  2^k whole^1024 <= parts^1024
    low, high = 0, 4 * 1024
    power, base = parts**1024, whole**1024
    while low < high:
        middle = (low + high + 1) // 2
        if base << middle <= power:
            low = middle
        else:
            high = middle - 1
    return low


COSTS = {}


def costs(share):
    """L_r of each ratio, remembered: a share comes often."""
    if share not in COSTS:
        COSTS[share] = [squarings(1_000_000 + (r - 1) * share) + 1 for r in (2, 4, 16)]
    return COSTS[share]


def squarings(parts):
    """The same as `log2_floor` with a number of thirty binary places, ten times squared: the form that is frozen. It
    may be one less than the exact floor."""
    exponent = 0
    while parts >= 2_000_000 << exponent:
        exponent += 1
    x, bits = (parts << 30) // (1_000_000 << exponent), exponent
    for _ in range(10):
        x = x * x >> 30
        bits = 2 * bits + (x >> 31)
        x >>= x >> 31
    assert 0 <= log2_floor(parts, 1_000_000) - bits <= 1, parts
    return bits


class Canary:
    def __init__(self):
        self.scores = [0, 0, 0]
        self.met = [0, 0]
        self.window = collections.deque()
        self.users = collections.OrderedDict()
        self.above = None
        self.latencies = [0] * 73

    def counts(self, user, now):
        last = self.users.pop(user, None)
        while len(self.users) >= 256:
            self.users.popitem(last=False)
        self.users[user] = now
        return last is None or now - last > 600

    def second(self, now, share, requests, failing):
        """requests: (all, failed) of baseline and canary; failing: the users of both who failed. Returns 0 for fine, 1
        for suspect, 2 for worse."""
        fresh = [sum(self.counts(user, now) for user in dict.fromkeys(users)) for users in failing]
        everybody = fresh[0] + fresh[1]
        for i, (log, cost) in enumerate(zip((1, 2, 4), costs(share))):
            self.scores[i] = max(0, self.scores[i] + 1024 * log * fresh[1] - everybody * cost)
        self.met = [a + b for a, b in zip(self.met, fresh)] if any(self.scores) else [0, 0]
        self.window.append((now, requests))
        while self.window[0][0] <= now - 10:
            self.window.popleft()
        n0 = max(1, sum(of[0][0] for _, of in self.window))
        y0 = sum(of[0][1] for _, of in self.window)
        n1 = sum(of[1][0] for _, of in self.window)
        y1 = sum(of[1][1] for _, of in self.window)
        if n1 == 0 or 100 * (y1 * n0 - y0 * n1) < n0 * n1:
            self.above = None
            return 0
        self.above = now if self.above is None else self.above
        if max(self.scores) >= 32 * 1024:
            self.scores, self.met, self.above = [0, 0, 0], [0, 0], None
            self.window.clear()
            return 2
        return 1 if now - self.above >= 10 else 0

    def slow(self, buckets):
        """The first slow bucket, 0 while nothing is known; buckets: the baseline's requests of this second."""
        for bucket in buckets:
            self.latencies[bucket] += 1
        if sum(self.latencies) > 4000:
            self.latencies = [count // 2 for count in self.latencies]
        if sum(self.latencies) < 200:
            return 0
        reach, slow = 0, 73
        for bucket in reversed(range(73)):
            reach += self.latencies[bucket]
            slow = bucket if 20 * reach <= sum(self.latencies) else slow
        return slow


def play():
    random, canary = Random(SEED), Canary()
    now, digest, digests, worse = 1_000_000, 0, [], []
    for second in range(SECONDS):
        if second % 500 == 0:
            share = (1, 10_000, 50_000, 100_000, 250_000, 500_000, 750_000, 1_000_000)[random.number(8)]
            rates = [random.number(200), random.number(50)]
            faults = [random.number(4), random.number(8) if random.number(6) == 0 else random.number(2)]
            pool = (20, 1_000, 100_000)[random.number(3)]
        now += 1 + (random.number(30) if random.number(1_000) == 0 else 0)
        alls = [random.number(rate + 1) for rate in rates]
        failed = [min(n, random.number(most + 1)) for n, most in zip(alls, faults)]
        failing = [[(side << 20) + random.number(pool) for _ in range(n)] for side, n in enumerate(failed)]
        buckets = [min(random.number(73), random.number(73)) for _ in range(random.number(8))]
        shown = canary.second(now, share, list(zip(alls, failed)), failing)
        if shown == 2:
            worse.append(second)
        for value in (*canary.scores, *canary.met, shown, canary.slow(buckets)):
            digest = (digest ^ value) * 0x100_0000_01B3 & WORD
        if (second + 1) % EVERY == 0:
            digests.append(f"{digest:016x}")
    return {
        "about": "made by rollback.py, never by the filter: what a million seconds of one canary come to",
        "seed": SEED, "seconds": SECONDS, "every": EVERY, "worse": worse, "digests": digests,
    }


def main():
    text = json.dumps(play()) + "\n"
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        sys.exit(f"{FILE.name} is not what rollback.py computes")


if __name__ == "__main__":
    main()
