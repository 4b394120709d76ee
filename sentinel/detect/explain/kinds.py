"""Name the kind of an anomalous line from its causes, the most telling first, and what its actor did."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.read.scan import IP
from sentinel.detect.tuning.explain import (
    MANY_TARGETS,
    MIN_ATTEMPTS,
    MIN_KNOCKING,
    MIN_KNOCKS,
    MIN_TARGETS,
    MIN_TURNED_AWAY,
    NEW_TARGETS,
    QUICK_ATTEMPTS,
    SLOW_ATTEMPTS,
)

if TYPE_CHECKING:
    from sentinel.detect.explain.explain import Row

__all__ = ["MIN_KNOCKING", "kind_of"]

_GUESSING = ("failures", "stuffing", "errors", "rate", "actor_rate", "novelty", "entity")
_RATES = ("scan", "actor_rate", "rate", "errors")
_TURNED_AWAY = (*_RATES, "novelty", "entity")
_NEW_ENTITIES = ("new_address", "new_user", "new_pair")
_PROBED = ("novelty", "actor_rate", "privilege", "number", "rate", "entity")

Upper = Callable[[str], float]
"""The usual upper bound of a raw value for the line's template or source."""


def kind_of(order: list[str], row: "Row", upper: Upper) -> str:
    """The kind of a line whose causes stand in `order`."""
    top = order[0] if order else ""
    if row.prior >= row.nats - 1e-9:
        return _by_what_failed(row)
    guesses = row.flags & Flag.AUTH_FAILURE and any(name in order[:3] for name in _GUESSING)
    if guesses or "failures" in order[:3]:  # a connection or a log-in that worked, among them, is part of it
        if row.value("failures2") < MIN_ATTEMPTS and row.value("failing_actors") >= MIN_ATTEMPTS:
            return "credential_stuffing"
        if row.value("failures0") >= QUICK_ATTEMPTS or row.value("failures2") >= SLOW_ATTEMPTS:
            return _by_what_failed(row)
    if row.flags & Flag.CONNECT and top in _RATES and (knocks := _knocks(row)):
        return knocks
    if row.text(IP) and (top == "scan" or (row.sensitive_text and top in _PROBED) or _looks_around(order, row, upper)):
        return "scan"
    return _by_cause(order, row)


def _by_what_failed(row: "Row") -> str:
    return "scan" if row.flags & Flag.LOST and not row.flags & Flag.AUTH_FAILURE else "brute_force"


def _knocks(row: "Row") -> str:
    """What too many connections to a service that people log in to are called; "" while nobody comes again and again,
    nor many come."""
    if row.value("failures0") >= MIN_KNOCKS:
        return "brute_force"
    return "credential_stuffing" if row.value("template_actors") >= MIN_KNOCKING else ""


def _looks_around(order: list[str], row: "Row", upper: Upper) -> bool:
    """Whether an actor tries one port or path after the other, more than is usual here."""
    turned_away = row.flags & Flag.FILTERED and row.value("actor0") >= MIN_TURNED_AWAY
    if turned_away and any(name in order[:2] for name in _TURNED_AWAY):
        return True
    tried = row.value("actor_params")
    if tried < MIN_TARGETS or not any(name in order[:3] for name in _RATES):
        return False
    usual = upper("actor_params")
    searches = row.flags & Flag.BAD and tried > 1.5 * usual and tried >= NEW_TARGETS * row.value("actor1")
    return bool(searches) or (order[0] in _RATES[:3] and tried > max(MANY_TARGETS, 3.0 * usual))


def _by_cause(order: list[str], row: "Row") -> str:
    top = order[0] if order else ""
    failing = row.flags & Flag.BAD or row.coded.facts.level[row.i] >= Level.WARN
    touches = row.flags & Flag.SENSITIVE and not row.flags & Flag.BAD  # a crash of root's is first of all a crash
    if touches and top in _RATES and "privilege" in order[:2]:
        return "privilege"
    if top in ("errors", "rate", "actor_rate", "failures", "stuffing", "actor_users", "scan"):
        return "error_burst" if failing else "rate_spike"
    if top == "sequence" and failing and "novelty" in order[:3]:
        top = "novelty"
    if top == "privilege" or (top in ("entity", "novelty", "source") and touches):
        if not row.flags & Flag.ACCEPTED:
            return "privilege"
        top = "entity" if any(row.value(name) == 0 for name in _NEW_ENTITIES) else top
    if top == "entity":
        return "new_actor"
    named = {"number": "numeric_outlier", "gap": "rate_drop", "sequence": "sequence"}
    if top in named:
        return named[top]
    return "new_template" if row.value("hits_template") < 1 else "rare_template"
