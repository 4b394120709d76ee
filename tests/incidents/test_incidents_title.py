"""What an incident is called: what a person on call would write, with the figures of the whole."""

import pytest

from sentinel.incidents import Incident
from sentinel.incidents.title import MAX_QUOTE, title


def incident(kind: str, lines: int = 1, said: str = "", reasons: tuple[str, ...] = (), **more: object) -> Incident:
    values = {"sources": ("orders",), "hosts": ("db-1",), "reasons": reasons, "named_line": said, **more}
    times = {"first_s": 0.0, "last_s": 9.0, "peak_nats": 9.0, "peak_score": 0.6}
    return Incident("a1", kind, "low", "open", "", lines=lines, **times, **values)  # type: ignore[arg-type]


FAILS = ("a kind of line never seen before in 900 lines, and it reads as a failure",)


@pytest.mark.parametrize(
    ("found", "called"),
    [
        (
            incident("new_template", said="deadlock detected", reasons=FAILS),
            "A failure never seen before in orders on db-1: “deadlock detected”",
        ),
        (
            incident("error_burst", 40, "pool is empty (0 of 20)"),
            "A burst of failures in orders on db-1: 40 lines, such as “pool is empty (0 of 20)”",
        ),
        (
            incident("numeric_outlier", 1, "queue holds 4120 orders"),
            "A number out of its range in orders on db-1: “queue holds 4120 orders”",
        ),
        (incident("error_burst", 40), "A burst of failures in orders on db-1: 40 lines"),
        (
            incident("rare_template", 1, " a\n\tb \x1b[31m\u202ec "),
            "A rare line in orders on db-1: “a b [31m c”",
        ),
    ],
    ids=["new", "burst", "number", "kept without its line", "marks that do not show"],
)
def test_title_says_what_the_line_says(found: Incident, called: str) -> None:
    """The line that names the incident is quoted on one line, without marks that would not show."""
    assert title(found) == called


def test_quote_is_cut() -> None:
    """A long line does not make a long title."""
    called = title(incident("rare_template", said="word " * 90))

    assert called.endswith("word…”")
    assert len(called) <= len("A rare line in orders on db-1: “”") + MAX_QUOTE


@pytest.mark.parametrize(
    ("lines", "reasons", "called"),
    [
        (67, ("80 failed log-ins from 203.0.113.9 in 59 s; usual for sshd: at most 2 in 3 min",), "80 failed log-ins"),
        (900, ("11 failed log-ins from 203.0.113.9 in 9 s; usual for sshd: at most 2 in 3 min",), "900 failed log-ins"),
        (1, ("about 1,204 lines of orders within 3 min; usual: at most 9",), "1 failed log-in"),
    ],
    ids=["the first were no anomalies yet", "it went on", "no figure of it"],
)
def test_guesses_are_all_counted(lines: int, reasons: tuple[str, ...], called: str) -> None:
    """Failed log-ins are counted from the first, also those that were no anomaly yet."""
    found = incident("brute_force", lines, reasons=reasons, actors=("203.0.113.9",), actor_count=1)

    assert title(found) == f"{called} from 203.0.113.9 against orders on db-1"


@pytest.mark.parametrize(
    ("actors", "many", "called"),
    [
        (("203.0.113.9", "2001:db8::1"), 2, "2 addresses"),
        (("203.0.113.9", "alice"), 2, "2 addresses or users"),
        (("203.0.113.9", "198.51.100.7"), 3, "more than 2 addresses or users"),
    ],
    ids=["addresses", "a user among them", "not all are known"],
)
def test_title_says_what_the_actors_are(actors: tuple[str, ...], many: int, called: str) -> None:
    """Users are spoken of only where there may be some."""
    found = incident("brute_force", 9, actors=actors, actor_count=many)

    assert title(found) == f"9 failed log-ins from {called} against orders on db-1"


def test_title_says_that_a_guess_worked() -> None:
    """Who got in is the first thing to know."""
    reason = "60 failed log-ins from 203.0.113.9 in 95 s, then one that worked; usual for orders: at most 1 in 3 min"
    found = incident("brute_force", 59, reasons=(reason,), actors=("203.0.113.9",), actor_count=1)

    assert title(found) == "60 failed log-ins from 203.0.113.9 against orders on db-1, then one that worked"


def test_title_names_both_where_the_pair_is_new() -> None:
    """A user from an address of somebody else: both are named."""
    found = incident("new_actor", reasons=("user ana was never seen from 203.0.113.9 before",), actors=("203.0.113.9",))

    assert title(found) == "user ana was never seen from 203.0.113.9 before in orders on db-1"
