"""The one table of features: a row says all that is decided of a surprise, and what other files ask for is derived.

A new feature is a row at the end of `TABLE` and a line of `judge/surprise.py` that writes `out[AT.its_name]`; one that
is compared with what its template or source usually shows needs the row alone.
"""

from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "AT",
    "COSTS",
    "DECISIVE",
    "EVERYWHERE",
    "FAMILIES",
    "FEATURES",
    "FEATURE_INDEX",
    "FLOORS",
    "GAPS",
    "GLOBAL_REFS",
    "NOVELTIES",
    "OF_ACTOR",
    "PAYING",
    "RATES",
    "SHARED",
    "SOURCE_REFS",
    "TABLE",
    "TEMPLATE_REFS",
    "TOGETHER",
    "Family",
    "Feature",
]

TEMPLATE, SOURCE, ALL = "template", "source", "all"
SPANS = ("15 s", "3 min", "30 min")
RATE, GAP, NOVELTY, OTHER = 0.45, 0.7, 0.5, 1.0
"""Least credible scales of tails. Rates are log ratios seen in a few independent bursts: "twice the most ever seen"
must not look like e^-25; a gap says less, what is new in a text is seen in few events, any other has a nat."""


@dataclass(frozen=True, slots=True)
class Family:
    """Features with one cause: they are told as one reason, by `_say_<name>` of `explain/explain.py`.

    `flood`: several such show the same lines at once; `asks_the_past`: they ask whether something was ever seen, which
    a memory that begins empty cannot say; `newness`: they go by how often one template was seen.
    """

    name: str
    flood: bool = False
    asks_the_past: bool = False
    newness: bool = False


FAMILIES = (
    Family("failures", flood=True),
    Family("stuffing", flood=True),
    Family("errors", flood=True),
    Family("rate", flood=True),
    Family("actor_rate", flood=True),
    Family("scan", flood=True),
    Family("actor_users", flood=True),
    Family("novelty", asks_the_past=True, newness=True),
    Family("source", asks_the_past=True),
    Family("privilege", asks_the_past=True, newness=True),
    Family("entity", asks_the_past=True),
    Family("number"),
    Family("gap"),
    Family("sequence", asks_the_past=True),
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of a surprise row.

    `needs`: raw values it is made of (none: the line alone); `against`: whose usual most it is compared with, "" where
    it is no such comparison; `scale`: the least credible scale of its tail, in its own units; `alone`: nats taken off
    where it may raise an alarm by itself, None where it may not; `pays`: whether it then pays for a busy log's volume;
    `is_gap`: how long nothing came; `of_actor`: what one actor does, wherever; `together`: how many fail at once;
    `shared`: many keys add to it, so that its long spans stay high after a flood; `late`: only late training lines tell
    what is usual; `everywhere`: a source has too few of it for a tail of its own.
    """

    name: str
    family: str
    means: str
    needs: tuple[str, ...] = ()
    against: str = ""
    scale: float = OTHER
    alone: float | None = None
    pays: bool = False
    is_gap: bool = False
    of_actor: bool = False
    together: bool = False
    shared: bool = False
    late: bool = False
    everywhere: bool = False


def _rate(stem: str, family: str, means: str, against: str, **more: bool) -> Iterator[Feature]:
    """The rows of a rate, one a span."""
    for k, span in enumerate(SPANS):
        said = f"{means} within about {span}, against the most that is usual"
        yield Feature(f"{stem}{k}", family, said, (f"{stem}{k}",), against, RATE, **more)


def _count(name: str, family: str, means: str, against: str, **more: bool) -> Feature:
    """The row of a distinct count."""
    return Feature(name, family, f"{means} within about 10 min", (name,), against, RATE, **more)


def _news(name: str, family: str, means: str, alone: float, **more: bool) -> Feature:
    """The row of how new a template is, where its line reads as something."""
    needs = ("hits_template", "lines", "windows_template", "windows")
    return Feature(name, family, means, needs, "", NOVELTY, alone, late=True, **more)


TABLE = (
    Feature("rare_template", "novelty", "how seldom the template came", ("hits_template", "lines")),
    Feature("rare_source", "source", "how seldom the source came", ("hits_source", "lines")),
    Feature(
        "rare_template_in_source",
        "novelty",
        "how seldom the template came in the source",
        ("hits_template_source", "hits_source"),
    ),
    Feature(
        "rare_level_in_source",
        "source",
        "how seldom the source had a level as loud, from warn on",
        ("hits_level_source", "hits_source"),
    ),
    Feature("severity", "source", "the level, one more where the text reads as a failure"),
    Feature(
        "unusual_after_source",
        "sequence",
        "how seldom the template came after the source's line before",
        ("hits_after_source", "hits_before_source", "hits_template", "lines"),
    ),
    Feature(
        "unusual_after_session",
        "sequence",
        "how seldom it came after the session's line before",
        ("hits_after_session", "hits_before_session", "hits_template", "lines"),
    ),
    *_rate("template", "rate", "lines of the template", TEMPLATE, shared=True),
    *_rate("actor", "actor_rate", "lines of the actor", TEMPLATE, of_actor=True),
    *_rate("pair", "actor_rate", "lines of the actor with the template", TEMPLATE),
    _count("actor_templates", "scan", "templates that the actor caused", TEMPLATE, of_actor=True),
    _count("actor_users", "actor_users", "users that the actor appeared with", TEMPLATE, of_actor=True),
    _count("actor_params", "scan", "paths and ports that the actor tried", TEMPLATE, of_actor=True),
    _count("user_actors", "stuffing", "addresses that the user came from", TEMPLATE, together=True),
    _count("template_actors", "rate", "actors with the template", TEMPLATE, together=True),
    _count("template_users", "rate", "users with the template", TEMPLATE),
    Feature(
        "gap_template", "gap", "time since the template's line before", ("gap_template",), TEMPLATE, GAP, is_gap=True
    ),
    *_rate("source", "rate", "lines of the source", SOURCE, shared=True),
    *_rate("source_bad", "errors", "lines of the source that read as failure", SOURCE, shared=True),
    *_rate("source_failures", "stuffing", "failed log-ins at the source", SOURCE, shared=True),
    *_rate("failures", "failures", "failed log-ins of the actor", SOURCE),
    _count("failing_actors", "stuffing", "actors whose log-ins fail at the source", SOURCE, together=True),
    _count("failing_users", "stuffing", "users whose log-ins fail at the source", SOURCE, together=True),
    Feature(
        "user_failures", "failures", "failed log-ins of the user within about 30 min", ("user_failures",), SOURCE, RATE
    ),
    Feature("gap_source", "gap", "time since the source's line before", ("gap_source",), SOURCE, GAP, is_gap=True),
    *_rate("all_bad", "errors", "lines of all sources that read as failure", ALL, shared=True),
    Feature("length", "number", "how far the length lies from the template's, in spreads"),
    Feature("number", "number", "how far a number lies outside the template's usual range"),
    Feature(
        "mean_number",
        "number",
        "the same of the moving mean of the template's numbers",
        ("mean0", "means_seen"),
        alone=1.4,
    ),
    Feature("new_address", "entity", "an address never seen with the template", ("new_address",)),
    Feature("new_user", "entity", "a user never seen with the template", ("new_user",)),
    Feature("new_pair", "entity", "a user never seen from the address", ("new_pair",)),
    _news("rare_failure", "novelty", "how new the template is, where it reads as a failure", 0.5, pays=True),
    _news("rare_privilege", "privilege", "the same where it touches privileges or system files", 0.0),
    Feature(
        "new_entity_privilege",
        "entity",
        "a new address, user or pair, where a log-in worked or privileges are touched",
        ("new_address", "new_user", "new_pair"),
        alone=0.2,
    ),
    Feature("rare_words", "novelty", "how seldom its three rarest words came", ("hits_template",)),
    Feature("rare_windows", "novelty", "in how few spans of ten minutes it came", ("windows_template", "windows")),
    Feature(
        "broken_sequence",
        "sequence",
        "how much seldomer than by chance it follows the session's line before",
        ("hits_after_session", "hits_before_session", "hits_template_source", "hits_source"),
        alone=2.6,
    ),
    Feature("rare_probe", "scan", "how seldom the source saw a probing text", ("hits_probe", "hits_source"), alone=1.9),
    _news(
        "rare_grave",
        "novelty",
        "how new the template is, where it reads as a grave failure or its program calls it fatal",
        0.5,
        pays=True,
        everywhere=True,
    ),
)
"""In the order of a surprise row's columns, which models keep: a new one goes to the end."""

FEATURES = tuple(feature.name for feature in TABLE)
FEATURE_INDEX = {name: i for i, name in enumerate(FEATURES)}
AT: Any = namedtuple("AT", FEATURES)(*range(len(FEATURES)))  # its fields are the table's rows
"""The column of each feature by its name, as kernels bake it in."""

FLOORS = np.array([feature.scale for feature in TABLE])


def _against(whose: str) -> tuple[str, ...]:
    return tuple(feature.name for feature in TABLE if feature.against == whose)


TEMPLATE_REFS, SOURCE_REFS, GLOBAL_REFS = _against(TEMPLATE), _against(SOURCE), _against(ALL)
"""Raw values compared with what the line's template, its source, and all lines usually show."""

GAPS = tuple(feature.name for feature in TABLE if feature.is_gap)
RATES = tuple(feature.name for feature in TABLE if feature.against and not feature.is_gap)
DECISIVE = tuple(feature.name for feature in TABLE if feature.alone is not None)
COSTS = np.array([feature.alone for feature in TABLE if feature.alone is not None])
PAYING = np.array([float(feature.pays) for feature in TABLE if feature.alone is not None])
OF_ACTOR = tuple(feature.name for feature in TABLE if feature.of_actor)
TOGETHER = tuple(feature.name for feature in TABLE if feature.together)
SHARED = tuple(feature.name for feature in TABLE if feature.shared and feature.name.endswith("0"))
NOVELTIES = tuple(feature.name for feature in TABLE if feature.late)
EVERYWHERE = tuple(feature.name for feature in TABLE if feature.everywhere)
