"""Things that break: a burst of errors, an error nobody has seen, a full disk."""

import random

from sentinel.simulate.attacks.attack import Attack
from sentinel.simulate.attacks.stage import STAGE_HOST, Stage, choose
from sentinel.simulate.clock import Row, Span
from sentinel.simulate.wordings import Wording, read_wordings

__all__ = ["disk_full", "error_burst", "failure_row", "new_error"]


def failure_row(rng: random.Random, at_s: float, wording: Wording, text: str) -> Row:
    """One line about something that broke."""
    fields = {"id": rng.randint(10_000, 999_999), "n": rng.randint(2, 9), "hex": f"{rng.getrandbits(40):010x}",
              "ip": f"100.64.9.{rng.randint(2, 250)}"}  # fmt: skip
    return at_s, wording.level, wording.source, STAGE_HOST, text.format(**fields)


def _many(rng: random.Random, at_s: float, wording: Wording, *, kind: str, lines: int, length_s: float) -> Attack:
    moments = sorted(at_s + rng.uniform(0.0, length_s) for _ in range(lines))
    rows = tuple(failure_row(rng, moment_s, wording, rng.choice(wording.texts)) for moment_s in moments)
    return Attack(kind, wording.name, wording.source, wording.source, Span(moments[0], moments[-1]), rows)


def error_burst(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Forty to a hundred and twenty errors of one part within two minutes."""
    wording = choose(rng, stage.familiar.errors, read_wordings("error_bursts"))
    return _many(rng, at_s, wording, kind="error_burst", lines=rng.randint(40, 120), length_s=120.0)


def disk_full(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """A disk has no room left: six to twenty lines of one part over two to five minutes."""
    wording, length_s = rng.choice(read_wordings("disk_full")), rng.uniform(120.0, 300.0)
    return _many(rng, at_s, wording, kind="disk_full", lines=rng.randint(6, 20), length_s=length_s)


def new_error(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """An error that was never there, in one to three lines."""
    wording = rng.choice(read_wordings("new_errors"))
    rows = tuple(failure_row(rng, at_s + 0.02 * i, wording, text) for i, text in enumerate(wording.texts))
    return Attack("new_error", wording.name, wording.source, wording.source, Span(at_s, rows[-1][0]), rows)
