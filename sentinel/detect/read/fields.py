"""A record's fields that say how it went and who it was: told behind its message, as a line of text would have them.

Loggers that write JSON put the status, the exit code, the user and the address beside a message that never changes.
"""

import re
from functools import lru_cache
from typing import Final

import polars as pl

from sentinel.detect.read.headline import headlines
from sentinel.detect.tuning.read import MAX_FIELD_CHARS, MAX_FIELD_NAMES

__all__ = ["texts_of", "told"]

_OUTCOMES: Final = (
    "status status_code statuscode http_status code response_code exit_code exitcode rc errno errors failures failed"
    " error_count success outcome result"
)
_ACTORS: Final = (
    "user username user_name usr login account ip client_ip clientip remote_addr remoteaddr remoteaddress remote_ip"
    " src_ip srcip source_ip client_addr"
)
_NAMES: Final = {name: name for name in f"{_OUTCOMES} {_ACTORS}".split()} | {
    "user.name": "user",
    "client.address": "client",
    "source.address": "client",
}
_ANY: Final = '(?i)[".](?:' + "|".join(re.escape(name) for name in _NAMES) + ')":'
_FIELD: Final = re.compile(rf'"([^"\\]{{1,{MAX_FIELD_CHARS}}})": ?"([\w.:@+-]{{1,{MAX_FIELD_CHARS}}})"')


def texts_of(records: pl.DataFrame, *, reads_fields: bool = True) -> pl.Series:
    """What is read of each record (columns message and attributes): its headline, and its fields that tell."""
    texts = headlines(records["message"])
    return _told_all(texts, records["attributes"]) if reads_fields else texts


def _told_all(texts: pl.Series, attributes: pl.Series) -> pl.Series:
    """`told` of each text and attributes; nulls stay."""
    named = attributes.str.contains(_ANY).fill_null(value=False)
    if not named.any():
        return texts
    rows = named.arg_true()
    both = zip(texts[rows].to_list(), attributes[rows].to_list(), strict=True)
    return texts.scatter(rows, pl.Series([told(text or "", own) for text, own in both], dtype=pl.String))


def told(text: str, attributes: str | None) -> str:
    """A text with ` key=value` for each field that it does not say itself; `attributes` is a JSON object of strings.

    Which fields those are depends on their names alone. A value that stands in the text as a word is not said twice:
    so a line that was read from text, whose fields were taken from it, stays as it is.
    """
    if not attributes:
        return text
    for key, value in _FIELD.findall(attributes):
        name = _name(key)
        if name and not _says(text, value):
            text = f"{text} {name}={value}"
    return text


@lru_cache(MAX_FIELD_NAMES)
def _name(key: str) -> str:
    """The name under which a field is told; empty for one that is not."""
    parts = key.lower().split(".")
    return _NAMES.get(".".join(parts[-2:])) or _NAMES.get(parts[-1], "")


def _says(text: str, value: str) -> bool:
    """Whether a value stands in a text by itself, as no part of a longer word or number."""
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(value, at + 1)
    return False
