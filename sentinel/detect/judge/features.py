"""The names of the surprises, what each means in plain words, and the smallest credible scale of its tail."""

import numpy as np

__all__ = ["FEATURES", "FEATURE_INDEX", "FLOORS", "GLOBAL_REFS", "NOVELTIES", "SOURCE_REFS", "TEMPLATE_REFS"]

_WINDOWS = ("0", "1", "2")

TEMPLATE_REFS = (
    *(f"{name}{w}" for name in ("template", "actor", "pair") for w in _WINDOWS),
    "actor_templates",
    "actor_users",
    "actor_params",
    "user_actors",
    "template_actors",
    "template_users",
    "gap_template",
)
"""Raw values compared with what the line's template usually shows."""

SOURCE_REFS = (
    *(f"{name}{w}" for name in ("source", "source_bad", "source_failures", "failures") for w in _WINDOWS),
    "failing_actors",
    "failing_users",
    "user_failures",
    "gap_source",
)
"""Raw values compared with what the line's source usually shows."""

GLOBAL_REFS = ("all_bad0", "all_bad1", "all_bad2")

NOVELTIES = ("rare_failure", "rare_privilege", "rare_grave")
"""How new a template is, where its text says something that matters; only late training lines tell what is usual."""

FEATURES = (
    "rare_template",
    "rare_source",
    "rare_template_in_source",
    "rare_level_in_source",
    "severity",
    "unusual_after_source",
    "unusual_after_session",
    *TEMPLATE_REFS,
    *SOURCE_REFS,
    *GLOBAL_REFS,
    "length",
    "number",
    "mean_number",
    "new_address",
    "new_user",
    "new_pair",
    "rare_failure",
    "rare_privilege",
    "new_entity_privilege",
    "rare_words",
    "rare_windows",
    "broken_sequence",
    "rare_probe",
    "rare_grave",
)
"""The columns of a surprise row, in this order."""

FEATURE_INDEX = {name: i for i, name in enumerate(FEATURES)}


def _floor(name: str) -> float:
    if name.startswith("gap"):
        return 0.7
    if name in NOVELTIES:
        return 0.5
    return 0.45 if name in TEMPLATE_REFS or name in SOURCE_REFS or name in GLOBAL_REFS else 1.0


FLOORS = np.array([_floor(name) for name in FEATURES])
"""Rates are log ratios seen in a few independent bursts: "twice the most ever seen" must not look like e^-25."""
