"""The stage attacks play on: flows of normal life in wordings drawn by seed, so that a sign of life can stop.

A background of any origin gets these flows over its whole length; the attacks then silence, slow or break them.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sentinel.simulate.clock import Row, Span, arrivals, dice, ticks
from sentinel.simulate.wordings import Dialect, Wording, read_logins, read_stage, read_wordings
from sentinel.simulate.world import Person, make_world

__all__ = [
    "STAGE_HOST",
    "Familiar",
    "Sample",
    "Stage",
    "choose",
    "flow_row",
    "latency_ms",
    "login_row",
    "make_stage",
    "stage_rows",
]

STAGE_HOST = "stage-1"
FAMILIAR_SHARE = 0.75  # of the attacks speak in words that are there every day; the others in words never seen

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """A line that is common in the background, for attacks that repeat it."""

    level: str | None
    source: str
    host: str
    message: str


@dataclass(frozen=True, slots=True)
class Familiar:
    """The wordings in which things go wrong now and then in one suite, without an attack."""

    logins: tuple[Dialect, ...]
    ports: tuple[Wording, ...]
    requests: tuple[Wording, ...]
    errors: tuple[Wording, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """The flows of one suite, the dialect its people log in with, and common lines of the background."""

    people: tuple[Person, ...]
    logins: Dialect
    familiar: Familiar
    sign: Wording
    sign_period_s: float
    work: Wording
    steady: Wording
    steps: Wording
    samples: tuple[Sample, ...]


def make_stage(seed: int, samples: tuple[Sample, ...]) -> Stage:
    """Draw the flows of a suite and the dialect in which its people log in."""
    rng = dice(seed, "stage")
    flows = read_stage()
    return Stage(
        people=make_world(seed, Span(0.0, 1.0)).people[:8],
        logins=rng.choice([dialect for dialect in read_logins() if "{user}" in dialect.success]),  # who came must show
        familiar=Familiar(
            tuple(rng.sample(read_logins(), 6)),
            tuple(rng.sample(read_wordings("port_scans"), 2)),
            tuple(rng.sample(read_wordings("web_requests"), 2)),
            tuple(rng.sample(read_wordings("error_bursts"), 4)),
        ),
        sign=rng.choice(flows["sign"]),
        sign_period_s=rng.choice((30.0, 60.0, 60.0, 120.0)),
        work=rng.choice(flows["work"]),
        steady=rng.choice(flows["steady"]),
        steps=rng.choice(flows["steps"]),
        samples=samples,
    )


def choose(rng: random.Random, familiar: Sequence[T], others: Sequence[T]) -> T:
    """A wording for an attack: mostly one that is there every day."""
    return rng.choice(familiar if rng.random() < FAMILIAR_SHARE else others)


def stage_rows(stage: Stage, span: Span, seed: int) -> Iterator[Row]:
    """The normal life of the stage: some 6,000 lines a day."""
    rng = dice(seed, "stage rows")
    for at_s in ticks(rng, span, stage.sign_period_s, jitter_s=0.8):
        yield flow_row(rng, at_s, stage.sign, stage.sign.texts[0])
    for flow in (stage.work, stage.steady):
        for at_s in arrivals(rng, span, 1500, depth=0.4):
            yield flow_row(rng, at_s, flow, flow.texts[0])
    for at_s in arrivals(rng, span, 250, depth=0.4):
        yield from _steps(rng, at_s, stage.steps)
    for at_s in arrivals(rng, span, 120, depth=0.5):
        person = rng.choice(stage.people)
        address = person.addresses[0 if rng.random() < 0.7 else 1]
        yield login_row(rng, at_s, stage.logins, stage.logins.success, user=person.name, ip=address)


def _steps(rng: random.Random, at_s: float, steps: Wording) -> Iterator[Row]:
    number = rng.randint(100_000, 999_999)
    for text in steps.texts:
        yield flow_row(rng, at_s, steps, text, id=number)
        at_s += rng.uniform(0.2, 4.0)


def latency_ms(rng: random.Random) -> int:
    """An ordinary duration of the stage's work: median 100 ms, one in a hundred above 230 ms."""
    return int(rng.lognormvariate(4.6, 0.35))


def flow_row(rng: random.Random, at_s: float, flow: Wording, text: str, **fields: object) -> Row:
    """One line of a flow; fields not given are drawn."""
    drawn = {"small": f"{rng.uniform(0.4, 2.0):.2f}", "pct": rng.randint(41, 97), "digit": rng.randint(0, 9),
             "count": int(at_s // 7), "id": rng.randint(100_000, 999_999), "ms": latency_ms(rng)}  # fmt: skip
    return at_s, flow.level, flow.source, STAGE_HOST, text.format(**(drawn | fields))


def login_row(rng: random.Random, at_s: float, dialect: Dialect, text: str, *, user: str, ip: str) -> Row:
    """One line about a log-in in a dialect's words."""
    fields = {"port": rng.randint(32_768, 60_999), "pid": rng.randint(1000, 32_000), "code": rng.randint(10, 59),
              "hex": f"{rng.getrandbits(44):011x}"}  # fmt: skip
    return at_s, dialect.level, dialect.source, STAGE_HOST, text.format(user=user, ip=ip, **fields)
