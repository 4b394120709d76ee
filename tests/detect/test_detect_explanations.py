"""What an anomaly is held against: the nearest known template, its odd parts, and what would make it normal."""

import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.explain.nearest import Nearest
from sentinel.detect.explain.normal import would_be_normal
from sentinel.detect.explain.odd import odd_parts

KNOWN = (
    "Connection to database <*> established in <NUM> ms",
    "Connection to cache <*> closed",
    "order <NUM> stored in <NUM> ms",
    "Accepted password for <USER> from <IP> port <NUM> ssh2",
)


@pytest.mark.parametrize(
    ("template", "nearest"),
    [
        ("Connection to database <*> lost after <NUM> ms", KNOWN[0]),
        ("Failed password for <USER> from <IP> port <NUM> ssh2", KNOWN[3]),
        ("order <NUM> stored in <NUM> ms", KNOWN[2]),
        ("kernel panic: attempted to kill init", None),
        ("", None),
    ],
)
def test_nearest_template_shares_most_words_in_order(template: str, nearest: str | None) -> None:
    """The known one that is nearest, itself where it is known, none where nothing resembles it."""
    assert Nearest(KNOWN).to(template) == nearest


def test_nearest_sees_what_is_added_later() -> None:
    """What nothing resembled before is found when something that does becomes known."""
    near = Nearest(KNOWN)
    assert near.to("kernel panic: attempted to kill init") is None

    near.add(["kernel panic: attempted to kill the idle task"])

    assert near.to("kernel panic: attempted to kill init") == "kernel panic: attempted to kill the idle task"


NEW = "a kind of line never seen before in 9,000 lines, and it reads as a failure"


@pytest.mark.parametrize(
    ("template", "message", "reason", "actor", "in_template", "in_line"),
    [
        (
            "Connection to database <*> lost after <NUM> ms",
            "Connection to database main lost after 12 ms",
            NEW,
            "",
            ("lost after",),
            ("lost after",),
        ),
        ("disk on fire <NUM>", "disk on fire 7", NEW, "", ("disk on fire <NUM>",), ("disk on fire",)),
        (
            "order <NUM> stored in <NUM> ms",
            "order 17 stored in 90211 ms",
            "the number 90,211 is outside the usual 1 to 40 of such lines",
            "",
            ("<NUM>",),
            ("90211",),
        ),
        (
            "job ended with exit=<*>",
            "job ended with exit=137",
            "the value 137 was never seen there before: always 0 in 4,000 lines",
            "",
            (),
            ("137",),
        ),
        (
            "Failed password for <USER> from <IP> port <NUM> ssh2",
            "Failed password for root from 203.0.113.9 port 22 ssh2",
            "90 failed log-ins from 203.0.113.9 in 3 min; usual for sshd: at most 2 in 3 min",
            "203.0.113.9",
            ("<IP>", "<USER>"),
            ("203.0.113.9",),
        ),
        (
            "Accepted password for <USER> from <IP>",
            "Accepted password for ann from 198.51.100.7",
            "user ann was never seen from 198.51.100.7 before",
            "198.51.100.7",
            ("<IP>", "<USER>"),
            ("ann", "198.51.100.7"),
        ),
    ],
)
def test_odd_part_is_what_the_reason_speaks_of(
    template: str, message: str, reason: str, actor: str, in_template: tuple[str, ...], in_line: tuple[str, ...]
) -> None:
    """Words that no near template has there, the number, the value, or who: as they stand in template and line."""
    odd = odd_parts(template, Nearest(KNOWN).to(template), message, [reason], actor)

    assert (odd.template, odd.line) == (in_template, in_line)


def test_normal_turns_a_reason_round_with_its_figures() -> None:
    """Each reason has what would make it go away; two of one kind are said once."""
    reasons = [
        "90 failed log-ins from 203.0.113.9 in 3 min; usual for sshd: at most 2 in 3 min",
        "about 64 lines of this kind within 30 min; usual: at most 16",
        NEW,
        "a rare kind of line: seen 2 times in 9,000 lines",
        "holds a text that probing or tampering leaves, in a kind of line never seen before",
    ]

    assert would_be_normal(reasons) == [
        "at most 2 in 3 min, instead of 90 failed log-ins from 203.0.113.9 in 3 min",
        "at most 16, instead of about 64 lines of this kind within 30 min",
        "a line like it that does not read as a failure",
        "the same once it is known: called a false alarm, or learnt by a training",
    ]


def test_every_reason_can_be_turned_round(scorer: Scorer, present: pl.DataFrame) -> None:
    """Whatever the detector says of lines below its threshold, too: at most three reasons, each the other way round."""
    scorer.threshold_nats = 2.0

    said = scorer.score(present).filter("is_anomaly")["reasons"].to_list()

    assert len(said) > 50
    assert all(1 <= len(reasons) <= 3 for reasons in said)
    assert [reason for reasons in said for reason in reasons if not would_be_normal([reason])] == []


def test_new_class_of_status_is_odd_as_it_stands_in_the_line() -> None:
    """A template shows the class of a status, the line its code: both are marked; other numbers are not."""
    line = '198.51.100.2 "GET /hotels/423 HTTP/1.1" 502 157 "-" "Mozilla/5.0"'
    template, near = (f'<IP> "GET <PATH>" {status} <NUM> "<STR>"' for status in ("S5xx", "S2xx"))

    for reason in ("a rare kind of line: seen 2 times in 14,097 lines", "about 22 lines of this kind within 30 min"):
        found = odd_parts(template, near, line, [reason], "")
        assert (found.template, found.line) == (("S5xx",), ("502",))
    assert odd_parts(near, near, line, ["about 22 lines of this kind within 30 min"], "") == ((), ())
