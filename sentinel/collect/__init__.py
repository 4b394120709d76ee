"""Watched places and checkpoints in, raw lines with their position out; a line is never parsed here."""

from sentinel.collect.contents import Inflaters
from sentinel.collect.names import is_living_name, is_packed_name
from sentinel.collect.poll import LINE_SCHEMA, Collected, poll
from sentinel.collect.walk import Walk, walk
from sentinel.collect.watched import Watched

__all__ = [
    "LINE_SCHEMA",
    "Collected",
    "Inflaters",
    "Walk",
    "Watched",
    "is_living_name",
    "is_packed_name",
    "poll",
    "walk",
]
