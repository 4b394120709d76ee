"""Query parameters: only known ones, each of its form; another name is a 400, another form a 422."""

import re
from collections.abc import Callable, Collection

from starlette.requests import Request

from sentinel.incidents import SEVERITIES, STATES
from sentinel.moments import unix_time
from sentinel.pipeline.incidents import SORTS, Wanted
from serving.problems import ProblemError

__all__ = ["FILTERS", "Query", "incidents_wanted", "moment_of"]

FILTERS = ("since", "until", "kind", "source", "actor", "severity", "state", "sort", "limit", "after")
"""What incidents and anomalies are narrowed by."""

NUMBER = re.compile(r"[0-9]{1,6}")
REAL = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
MAX_TEXT = 2_000


class Query:
    """The parameters of one request. Raises ProblemError 400 for one that is not `known`, or is given twice."""

    def __init__(self, request: Request, known: Collection[str], *, clock: Callable[[], float]) -> None:
        self._params, self._clock = request.query_params, clock
        names = [name for name, _ in self._params.multi_items()]
        if strange := sorted(set(names) - set(known)):
            told = f"known are {', '.join(known)}" if known else "this address takes none"
            raise ProblemError(400, f"There is no parameter {strange[0][:100]!r} here; {told}.")
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ProblemError(400, f"The parameter {twice[0]} is given more than once.")

    def text(self, name: str) -> str | None:
        """A text; None where it is not given or empty."""
        return self._params.get(name, "")[:MAX_TEXT] or None

    def choice(self, name: str, known: Collection[str]) -> str | None:
        """One of a few words; None where it is not given."""
        found = self.text(name)
        if found is not None and found not in known:
            raise ProblemError(422, f"The parameter {name} is one of {', '.join(known)}.")
        return found

    def number(self, name: str, *, default: int, most: int) -> int:
        """A number from 1 to `most`."""
        text = self.text(name)
        if text is None:
            return default
        found = int(text) if NUMBER.fullmatch(text) else 0
        if not 1 <= found <= most:
            raise ProblemError(422, f"The parameter {name} is a number from 1 to {most}.")
        return found

    def moment_s(self, name: str) -> float | None:
        """A time as Unix time: ISO 8601 (UTC where it names no zone), or a span back from now as `1h`, `7d`."""
        text = self.text(name)
        if text is None:
            return None
        return moment_of(f"The parameter {name}", text, self._clock())

    def real(self, name: str) -> float | None:
        """A number that need not be whole; None where it is not given."""
        text = self.text(name)
        if text is None:
            return None
        if not REAL.fullmatch(text):
            raise ProblemError(422, f"The parameter {name} is a number.")
        return float(text)


def moment_of(name: str, text: str, now_s: float, *, ahead: bool = False) -> float:
    """A time as Unix time: ISO 8601 (UTC without a zone), or a span back from now (`ahead`: from now on) as `1h`, `7d`.

    Raises ProblemError 422 for anything else.
    """
    try:  # an unescaped + comes as a space
        return unix_time(text.replace(" ", "+") if "T" in text else text, now_s, ahead=ahead)
    except (ValueError, OverflowError):
        way = "from now on" if ahead else "back from now"
        raise ProblemError(422, f"{name} is a time as 2026-11-23T12:00:00Z, or a span {way} as 1h or 7d.") from None


def incidents_wanted(query: Query, *, limit: int, most: int) -> Wanted:
    """What FILTERS ask for; `limit` where none is given, at most `most`."""
    return Wanted(
        since_s=query.moment_s("since"),
        until_s=query.moment_s("until"),
        kind=query.text("kind"),
        source=query.text("source"),
        actor=query.text("actor"),
        severity=query.choice("severity", SEVERITIES),
        state=query.choice("state", STATES),
        sort=query.choice("sort", SORTS) or "last",
        limit=query.number("limit", default=limit, most=most),
        after=query.text("after"),
    )
