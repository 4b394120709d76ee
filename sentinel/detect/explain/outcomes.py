"""Say which value is new in its place, and what stood there before."""

import re

import numpy as np

from sentinel.detect.models.model import Model
from sentinel.detect.read.outcomes import Slot
from sentinel.detect.stages import Scored

__all__ = ["NEW_VALUE", "TOLD_BY_VALUE", "said_of"]

NEW_VALUE = "new_value"
WHOLE = 2.0**53  # up to which a float holds every whole number
_STATUS = re.compile(r"\bS(?=[1-5](?:[0-9]{2}|xx)\b)")  # as it stands in a masked text
TOLD_BY_VALUE = ("numeric_outlier", "rare_template", "error_burst")
"""Kinds that say less than the new value does: a failing code is an outlier and a failure because of it."""


def said_of(found: Scored, i: int, model: Model) -> str:
    """What is new in line i, in words; empty where nothing is. An HTTP status reads as people write it."""
    place, k = int(found.coded.facts.template[i]), int(found.numbers[i])
    if k < 0:
        news = found.coded.meanings[found.coded.which[i]].news
        return _STATUS.sub("", news.said) if news is not None else ""
    values = model.outcomes.values[place, k]
    usual = tuple(_written(value) for value in values[~np.isnan(values)])
    slot = Slot(usual, int(model.outcomes.lines[place, k]), float(model.outcomes.nats[place, k]))
    return slot.said(_written(found.coded.facts.numbers[i, k]))


def _written(value: float) -> str:
    """As it stands in a line: whole numbers with all their digits.

    >>> _written(67108864.0), _written(0.25)
    ('67108864', '0.25')
    """
    return f"{value:.0f}" if abs(value) < WHOLE and value == round(value) else f"{value:g}"
