"""Days of one application, its attacks and its new harmless clients, from a seed, with the truth beside."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sentinel.simulate.clock import DAY_S, Row, Span, arrivals, dice
from sentinel.simulate.fleet import LINE_SCHEMA, frame_of
from sentinel.simulate.inject import Suite
from sentinel.simulate.unread.tongues import Tongue
from sentinel.simulate.world import FIRST_NAMES, outsider

__all__ = ["CLIENTS", "GUESSES", "unread_suite"]

LINES_A_VISIT = 11.0
MACHINE_SHARE = 0.3  # of all lines
MISTYPED, LOST = 0.08, 0.06  # shares of visits that begin with a wrong password, that meet a dead link
SHARE_OF_A_DAY = 0.02  # of a day's lines are those of a busy new client, at least some hundred
GUESSED = ("root", "admin", "test", "oracle", "guest", "info", "backup", "web")


@dataclass(frozen=True, slots=True)
class _Shop:
    """The application and who comes to it."""

    tongue: Tongue
    people: tuple[tuple[str, str], ...]  # user, address
    lines_a_day: float


def _say(rng: random.Random, at_s: float, shop: _Shop, text: str, user: str, address: str) -> Row:
    while "{n}" in text:
        text = text.replace("{n}", str(rng.randint(3, 9_000)), 1)
    path = f"/{rng.choice('abcdefgh')}/{rng.randint(1, 400)}"
    return (
        at_s,
        "info",
        shop.tongue.source,
        "app-1",
        text.replace("{u}", user).replace("{a}", address).replace("{p}", path),
    )


def _refused(rng: random.Random, at_s: float, shop: _Shop, user: str, address: str) -> Iterator[Row]:
    for text in shop.tongue.refused:
        yield _say(rng, at_s, shop, text, user, address)
        at_s += rng.uniform(0.01, 0.2)


def _visit(
    rng: random.Random, at_s: float, shop: _Shop, user: str, address: str, pause_s: float = 20.0
) -> Iterator[Row]:
    if rng.random() < MISTYPED:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            yield from _refused(rng, at_s, shop, user, address)
            at_s += rng.uniform(4.0, 15.0)
    yield _say(rng, at_s, shop, shop.tongue.entered, user, address)
    texts = [text for text, mean in shop.tongue.work for _ in range(_poisson(rng, mean))]
    if rng.random() < LOST:
        texts.extend([shop.tongue.lost] * rng.choice((1, 1, 2)))
    if rng.random() < 0.15:
        texts.append(shop.tongue.export)
    rng.shuffle(texts)
    for text in texts:
        at_s += rng.expovariate(1.0 / pause_s) + 0.3
        yield _say(rng, at_s, shop, text, user, address)
    yield _say(rng, at_s + rng.uniform(1.0, 60.0), shop, shop.tongue.left, user, address)


def _poisson(rng: random.Random, mean: float) -> int:
    count, at = 0, rng.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count


def _life(rng: random.Random, shop: _Shop, span: Span) -> Iterator[Row]:
    for at_s in arrivals(rng, span, (1.0 - MACHINE_SHARE) * shop.lines_a_day / LINES_A_VISIT):
        place = min(int(rng.expovariate(4.0 / len(shop.people))), len(shop.people) - 1)
        yield from _visit(rng, at_s, shop, *shop.people[place])
    for at_s in arrivals(rng, span, MACHINE_SHARE * shop.lines_a_day, depth=0.2):
        yield _say(rng, at_s, shop, rng.choice(shop.tongue.machine), "", "")
    for at_s in arrivals(rng, span, 6.0):
        yield _say(rng, at_s, shop, shop.tongue.trouble, "", "")


def _guess(
    attempts: int, gap_s: float, *, many_users: bool = True
) -> Callable[[random.Random, float, _Shop], list[Row]]:
    def rows(rng: random.Random, at_s: float, shop: _Shop) -> list[Row]:
        address, found = outsider(rng), list[Row]()
        for _ in range(attempts):
            found.extend(_refused(rng, at_s, shop, rng.choice(GUESSED) if many_users else "admin", address))
            at_s += gap_s * rng.uniform(0.8, 1.2)
        return found

    return rows


def _search(requests: int, gap_s: float) -> Callable[[random.Random, float, _Shop], list[Row]]:
    def rows(rng: random.Random, at_s: float, shop: _Shop) -> list[Row]:
        address = outsider(rng)
        at = [at_s + i * gap_s * rng.uniform(0.9, 1.1) for i in range(requests)]
        return [_say(rng, moment_s, shop, shop.tongue.lost, "", address) for moment_s in sorted(at)]

    return rows


GUESSES = {
    "guess": _guess(40, 1.0),
    "guess_one": _guess(40, 1.5, many_users=False),
    "guess_short": _guess(14, 2.0),
    "guess_slow": _guess(40, 33.0),
    "search": _search(60, 0.7),
    "search_slow": _search(60, 8.0),
}
"""Attacks: how many attempts or requests, and the seconds between them."""


def _balancer(rng: random.Random, at_s: float, shop: _Shop, count: int) -> Iterator[Row]:
    """People come through a new address."""
    for _ in range(max(count // 11, 10)):
        yield from _visit(rng, at_s + rng.uniform(0.0, 7200.0), shop, rng.choice(shop.people)[0], "10.8.0.4")


def _crawler(rng: random.Random, at_s: float, shop: _Shop, count: int) -> Iterator[Row]:
    """A new address looks at one ordinary page after the other, and at few that are gone."""
    for i in range(count):
        text = shop.tongue.lost if rng.random() < 0.02 else shop.tongue.work[0][0]
        yield _say(rng, at_s + 1.3 * i, shop, text, "", "100.88.4.17")


def _batch(rng: random.Random, at_s: float, shop: _Shop, count: int) -> Iterator[Row]:
    """A new host enters once and does one ordinary thing after the other."""
    yield _say(rng, at_s, shop, shop.tongue.entered, "batch", "10.8.0.31")
    for i in range(count):
        yield _say(rng, at_s + 2.0 + 1.1 * i, shop, shop.tongue.work[1][0], "batch", "10.8.0.31")


def _probe(rng: random.Random, at_s: float, shop: _Shop, count: int) -> Iterator[Row]:
    """A new watcher enters and leaves twice a minute."""
    for i in range(count // 2):
        yield _say(rng, at_s + 30.0 * i, shop, shop.tongue.entered, "watcher", "10.8.0.77")
        yield _say(rng, at_s + 30.0 * i + 1.0, shop, shop.tongue.left, "watcher", "10.8.0.77")


def _office(rng: random.Random, at_s: float, shop: _Shop, count: int) -> Iterator[Row]:
    """A new office of thirty people behind one address, who mistype more on their first day."""
    for i in range(max(count // 11, 30)):
        moment_s, user = at_s + rng.uniform(0.0, 5400.0), f"{rng.choice(FIRST_NAMES)}.{i % 30}"
        if rng.random() < 0.2:
            yield from _refused(rng, moment_s - 12.0, shop, user, "100.90.1.1")
        yield from _visit(rng, moment_s, shop, user, "100.90.1.1")


CLIENTS = {"balancer": _balancer, "crawler": _crawler, "batch": _batch, "probe": _probe, "office": _office}
"""New clients that do no harm."""


def unread_suite(
    *, seed: int, tongue: Tongue, lines_a_day: float, start: datetime, taught: bool, each: int = 2
) -> Suite:
    """Two days of an application: one to learn from, one with `each` attacks of each kind and one of each new client.

    With `taught` the first day holds one burst of guessed passwords and one search, unlabelled. The clients' lines are
    labelled 0, as those of any day.
    """
    rng, whole = dice(seed, "unread", tongue.source), Span(start.timestamp(), start.timestamp() + 2 * DAY_S)
    names = [f"{rng.choice(FIRST_NAMES)}.{chr(97 + i % 26)}{i}" for i in range(max(int(lines_a_day / 60), 60))]
    people = tuple(
        (name, f"100.{64 + i % 50}.{rng.randint(0, 255)}.{rng.randint(1, 254)}") for i, name in enumerate(names)
    )
    shop = _Shop(tongue, people, lines_a_day)
    normal = list(_life(dice(seed, "life", tongue.source), shop, whole))
    early = [
        GUESSES[kind](rng, whole.start_s + at_s, shop) for kind, at_s in (("guess", 31_000.0), ("search", 52_000.0))
    ]
    normal += [row for rows in early if taught for row in rows]
    count = max(int(SHARE_OF_A_DAY * lines_a_day), 120)
    plan = [f"{kind}#{n}" for kind in GUESSES for n in range(each)] + list(CLIENTS)
    rng.shuffle(plan)
    slot_s, attacks = DAY_S / len(plan), list[tuple[str, list[Row]]]()
    for i, name in enumerate(plan):
        at_s = whole.start_s + DAY_S + (i + rng.uniform(0.05, 0.3)) * slot_s
        kind = name.partition("#")[0]
        if kind in CLIENTS:
            normal += CLIENTS[kind](rng, at_s, shop, count)
        else:
            attacks.append((name, GUESSES[kind](rng, at_s, shop)))
    return _suite([row for row in normal if row[0] in whole], attacks, tongue.source)


def _suite(normal: list[Row], attacks: list[tuple[str, list[Row]]], source: str) -> Suite:
    parts = [_labelled(normal, 0, None), *(_labelled(rows, 1, name) for name, rows in attacks)]
    truth = [(name, name.partition("#")[0], source, rows[0][0], rows[-1][0]) for name, rows in attacks]
    frame = pl.DataFrame(truth, schema=["attack", "kind", "source", "start", "end"], orient="row").with_columns(
        (pl.col("start", "end") * 1e9).cast(pl.Int64).cast(LINE_SCHEMA["timestamp"])
    )
    return Suite(pl.concat(parts).sort("timestamp", maintain_order=True), frame.sort("start"))


def _labelled(rows: list[Row], label: int, attack: str | None) -> pl.DataFrame:
    return frame_of(rows).with_columns(label=pl.lit(label, pl.Int8()), attack=pl.lit(attack, pl.String()))
