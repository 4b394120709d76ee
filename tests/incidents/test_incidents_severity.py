"""How bad an incident is, and which kind names it."""

from sentinel.incidents import Incident, Odd, group
from sentinel.incidents.severity import severity

FULL = ("a kind of line never seen before in 14,118 lines, and it reads as a grave failure",)


def odd(number: int, kind: str, message: str) -> Odd:
    return Odd(
        id=f"e{number}", at_s=1_800_000_000.0 + number, kind=kind, source="shop", host=None, actor=None,
        template="order <NUM> kept in <NUM> ms", nats=12.0 - number, score=0.6, level="info", reasons=[kind],
        model_version="m1", record={"event_id": f"e{number}", "message": message},
    )  # fmt: skip


def test_grave_failure_counts_as_an_error_whatever_its_level() -> None:
    """A full disk that is told at level info is as bad as one told as an error; a fatal one is not made less."""
    levels = (None, "info", "warn", "error", "fatal")

    assert [severity("new_template", 1, 8.5, level, FULL) for level in levels] == ["high"] * 5
    assert severity("new_template", 1, 8.5, "info", ()) == "low"


def test_many_slow_lines_are_no_trifle() -> None:
    """One number out of its range can wait; ten lines of such cannot wait as long."""
    assert [severity("numeric_outlier", lines, 8.1, "info", ()) for lines in (1, 10)] == ["low", "medium"]


def test_bystander_of_slow_lines_does_not_name_them() -> None:
    """An ordinary line among slow ones that comes a little often is not what the incident is called by."""
    rows = [odd(0, "numeric_outlier", "order 1 kept in 28473 ms"), odd(1, "rate_spike", "order 2 kept in 40 ms")]

    _, (found,) = group(rows, list[Incident]())

    assert (found.kind, found.lines) == ("numeric_outlier", 2)
    assert found.title == "A number out of its range in shop: 2 lines, such as “order 1 kept in 28473 ms”"
