"""What goes wrong on an ordinary day, in the words that attacks use too: so not the words give an attack away."""

from collections.abc import Iterator

from sentinel.simulate.attacks.failures import failure_row
from sentinel.simulate.attacks.logins import attempt_rows
from sentinel.simulate.attacks.scans import PORTS, port_row, request_row
from sentinel.simulate.attacks.stage import Stage, login_row
from sentinel.simulate.clock import Row, Span, arrivals, dice
from sentinel.simulate.services.web import BROWSERS
from sentinel.simulate.world import outsider

__all__ = ["everyday_rows"]

PAGES = ("/", "/list", "/item/204", "/item/731", "/help", "/api/v2/status", "/img/logo.svg", "/old-page")


def everyday_rows(stage: Stage, span: Span, seed: int) -> Iterator[Row]:
    """Some 1,000 lines a day: log-ins, mistyped passwords, stray packets, requests, single errors."""
    rng = dice(seed, "everyday")
    for dialect in stage.familiar.logins:
        for at_s in arrivals(rng, span, 15, depth=0.7):
            person = rng.choice(stage.people)
            fails = rng.choice((0, 0, 0, 0, 1, 1, 2)) if dialect.success else 1
            moment_s = at_s
            for _ in range(fails):
                yield from attempt_rows(rng, moment_s, dialect, person.name, person.addresses[0])
                moment_s += rng.uniform(3.0, 12.0)
            if dialect.success:
                yield login_row(rng, moment_s, dialect, dialect.success, user=person.name, ip=person.addresses[0])
    for wording in stage.familiar.ports:
        for at_s in arrivals(rng, span, 10, depth=0.0):
            yield port_row(rng, at_s, wording, ip=outsider(rng), port=rng.choice(PORTS))
    for wording in stage.familiar.errors:
        for at_s in arrivals(rng, span, 2, depth=0.3):
            yield failure_row(rng, at_s, wording, rng.choice(wording.texts))
    yield from _requests(stage, span, seed)


def _requests(stage: Stage, span: Span, seed: int) -> Iterator[Row]:
    rng = dice(seed, "everyday requests")
    for wording in stage.familiar.requests:
        for at_s in arrivals(rng, span, 350, depth=0.6):
            target = rng.choice(PAGES)
            status = 404 if target == "/old-page" else rng.choices((200, 304, 500), (970, 28, 2))[0]
            ip, agent = f"100.80.{rng.randint(0, 3)}.{rng.randint(2, 60)}", rng.choice(BROWSERS)
            yield request_row(rng, at_s, wording, target=target, status=status, ip=ip, agent=agent)
