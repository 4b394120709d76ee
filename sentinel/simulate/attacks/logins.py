"""Attacks on log-ins: brute force fast, slow and short, stuffing from many addresses, a success from a new address."""

import random
from collections.abc import Iterator

from sentinel.simulate.attacks.attack import Attack
from sentinel.simulate.attacks.stage import Stage, choose, login_row
from sentinel.simulate.clock import Row, Span
from sentinel.simulate.wordings import Dialect, read_logins
from sentinel.simulate.world import outsider

__all__ = ["attempt_rows", "brute_force", "brute_force_short", "brute_force_slow", "credential_stuffing", "new_address"]

GUESSED = (
    "root", "admin", "administrator", "test", "guest", "user", "oracle", "postgres", "ubuntu", "deploy", "git",
    "jenkins", "ftpuser", "backup", "support", "web", "nagios", "minecraft", "pi", "tomcat", "info", "sales",
)  # fmt: skip


def attempt_rows(rng: random.Random, at_s: float, dialect: Dialect, user: str, ip: str) -> Iterator[Row]:
    """The lines of one log-in that failed."""
    for text in dialect.failure:
        yield login_row(rng, at_s, dialect, text, user=user, ip=ip)
        at_s += rng.uniform(0.01, 0.3)


def _guess(rng: random.Random, at_s: float, stage: Stage, *, kind: str, attempts: int, gap_s: float) -> Attack:
    dialect, ip = choose(rng, stage.familiar.logins, read_logins()), outsider(rng)
    users = (rng.choice(GUESSED),) if rng.random() < 0.5 else GUESSED
    rows: list[Row] = []
    moment_s = at_s
    for _ in range(attempts):
        rows.extend(attempt_rows(rng, moment_s, dialect, rng.choice(users), ip))
        moment_s += rng.expovariate(1 / gap_s)
    span = Span(at_s, max(row[0] for row in rows))
    return Attack(kind, dialect.name, ip, dialect.source, span, tuple(rows))


def brute_force(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Forty to ninety attempts of one address, one or two a second."""
    return _guess(rng, at_s, stage, kind="brute_force", attempts=rng.randint(40, 90), gap_s=rng.uniform(0.5, 0.9))


def brute_force_short(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Ten to sixteen attempts of one address, some two seconds apart, then it is gone."""
    return _guess(rng, at_s, stage, kind="brute_force_short", attempts=rng.randint(10, 16), gap_s=rng.uniform(1.0, 3.0))


def brute_force_slow(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Forty attempts of one address, one each half minute or so."""
    return _guess(rng, at_s, stage, kind="brute_force_slow", attempts=40, gap_s=rng.uniform(28.0, 38.0))


def credential_stuffing(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Eighty addresses, each with one or two accounts of its own, within ten minutes."""
    dialect = choose(rng, stage.familiar.logins, read_logins())
    rows: list[Row] = []
    for number in range(80):
        moment_s = at_s + rng.uniform(0.0, 600.0)
        for _ in range(rng.choice((1, 1, 2))):
            user = f"{rng.choice('abcdefghjklmnprstvw')}{rng.choice(GUESSED)}{rng.randint(1, 99)}.{number}"
            rows.extend(attempt_rows(rng, moment_s, dialect, user, outsider(rng)))
            moment_s += rng.uniform(1.0, 5.0)
    rows.sort(key=lambda row: row[0])
    span = Span(rows[0][0], rows[-1][0])
    return Attack("credential_stuffing", dialect.name, "many addresses", dialect.source, span, tuple(rows))


def new_address(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """One log-in that works: somebody known, from where nobody ever came."""
    person, ip, dialect = rng.choice(stage.people), outsider(rng), stage.logins
    row = login_row(rng, at_s, dialect, dialect.success, user=person.name, ip=ip)
    return Attack("new_address", dialect.name, ip, dialect.source, Span(at_s, at_s), (row,))
