"""How bad an incident is: from the gravity of its kind, how many lines, how improbable, and how its lines call it."""

import math
import re

from sentinel.incidents.incident import SEVERITIES

__all__ = ["FAILURE", "GRAVE", "GRAVITY", "SUCCESS", "gravest", "severity"]

# Points; by hand. They order kinds by what a person on call loses by sleeping on: somebody who breaks in before
# something that fails, that before something that is only unusual.
GRAVITY = {
    "brute_force": 3,
    "credential_stuffing": 3,
    "privilege": 3,
    "error_burst": 2,
    "silence": 2,
    "scan": 2,
    "session": 1,
    "sequence": 1,
    "new_value": 1,
    "rate_spike": 1,
    "rate_drop": 1,
    "new_actor": 1,
    "new_template": 1,
    "numeric_outlier": 1,
    "rare_template": 0,
}
LEVEL_POINTS = {"error": 1, "fatal": 2}
GRAVE, FAILURE, SUCCESS = "a grave failure", "reads as a", "then one that worked"
"""What reasons say of it, in the words of the detector."""

IN_CHARGE = re.compile(r"user (?:\S+\\)?(?:root|admin|administrat\w+|sa) was never seen from .+ before", re.IGNORECASE)
"""Who may do everything, from where nobody of that name came before; accounts of programs move about as a habit."""

MASS_LINES, MANY_LINES = 100, 10
ALMOST_IMPOSSIBLE_NATS = 20.0


def gravest(first: str | None, second: str | None) -> str:
    """The kind that names an incident of both; the first where they are equal."""
    known = (first or "rare_template", second or "rare_template")
    return max(known, key=lambda kind: GRAVITY.get(kind, 0))


def severity(kind: str, lines: int, peak_nats: float, level: str | None, reasons: tuple[str, ...]) -> str:
    """One of SEVERITIES.

    >>> severity("brute_force", 300, 25.0, None, ()), severity("rare_template", 1, 8.0, "info", ())
    ('critical', 'low')
    """
    said = " ".join(reasons)
    unsaid = LEVEL_POINTS["error"] if GRAVE in said else 0  # what reads as grave is no less than an error
    points = GRAVITY.get(kind, 0) + LEVEL_POINTS.get(level or "", unsaid)
    points += (lines >= MANY_LINES) + (lines >= MASS_LINES) + (peak_nats >= ALMOST_IMPOSSIBLE_NATS)
    points += 2 if SUCCESS in said else 1 if GRAVE in said else 0
    points += kind == "new_actor" and any(IN_CHARGE.fullmatch(reason) is not None for reason in reasons)
    return SEVERITIES[min(len(SEVERITIES) - 1, math.ceil(max(points - 1, 0) / 1.5))]
