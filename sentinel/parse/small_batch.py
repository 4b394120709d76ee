"""A few documents that say themselves what they are, to records without a frame's overhead; all others are declined."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from sentinel.parse import assemble, stamps
from sentinel.parse.fields import BadDocumentError, DocumentFields, fields_of_document
from sentinel.parse.formats import line_rules
from sentinel.parse.heads import read_line
from sentinel.parse.rules import FEW_CHARS, is_known
from sentinel.records import RECORD_SCHEMA

__all__ = ["MAX_FEW", "Document", "read_few"]

MAX_FEW: Final = 512
"""So many at most: with more, the work a document outweighs the overhead of a frame."""

MAX_CHARS: Final = 64 * 1024
MAX_AHEAD_NS: Final = assemble.MAX_AHEAD_S * 1_000_000_000
_NS: Final = pl.Int64()


class Document(NamedTuple):
    """One decoded JSON value as it came in a request, with its id and the client that sent it."""

    body: object
    event_id: str
    origin: str


def read_few(documents: Sequence[Document], *, now: int, period: str) -> pl.DataFrame | None:
    """Records (RECORD_SCHEMA) as `parse_documents` makes them; None where one of the documents needs more than this:
    it is refused, its time is written in a rare way or lies ahead, or its message is a log line of its own."""
    found: list[DocumentFields] = []
    for document in documents:
        try:
            fields = _settled(fields_of_document(document.body), now)
        except (BadDocumentError, TypeError):
            return None
        if fields is None:
            return None
        found.append(fields)
    try:
        return _frame(documents, found, now, period)
    except UnicodeEncodeError:  # lone surrogates
        return None


def _settled(fields: DocumentFields, now: int) -> DocumentFields | None:
    """The same with time and level read; None where that takes more than a look."""
    message, time_ns = fields.message, fields.time_ns
    if message is None or message[-1].isspace() or len(message) > MAX_CHARS:
        return None
    if fields.time_text is not None:
        time_ns = stamps.read_iso(fields.time_text)
    is_rare = time_ns is None and fields.time_text is not None
    is_ahead = time_ns is not None and time_ns - now > MAX_AHEAD_NS
    if is_rare or is_ahead:
        return None
    if time_ns is not None and fields.level is not None and fields.source is not None:
        return fields._replace(time_ns=time_ns)
    if len(message) > FEW_CHARS or message.lstrip()[:1] == "{" or is_known(message, line_rules()):
        return None
    head = read_line(message)
    if head.known:
        return None
    return fields._replace(time_ns=time_ns, level=fields.level or head.level)


def _frame(documents: Sequence[Document], found: Sequence[DocumentFields], now: int, period: str) -> pl.DataFrame:
    n = len(found)
    nothing = [None] * n
    columns: dict[str, Sequence[object]] = {
        "event_id": [document.event_id for document in documents],
        "spool": nothing,
        "sequence": nothing,
        "partition": [assemble.partition(now, period)] * n,
        "timestamp": [now if fields.time_ns is None else fields.time_ns for fields in found],
        "received": [now // 1_000_000] * n,
        "level": [fields.level for fields in found],
        "source": [fields.source or assemble.UNKNOWN_SOURCE for fields in found],
        "host": [fields.host for fields in found],
        "message": [fields.message for fields in found],
        "attributes": [None if fields.inner is None else f"{{{fields.inner}}}" for fields in found],
        "origin": [document.origin for document in documents],
        "generation": nothing,
        "offset": nothing,
        "raw": nothing,
    }
    return pl.DataFrame([_series(name, columns[name], dtype) for name, dtype in RECORD_SCHEMA.items()])


def _series(name: str, values: Sequence[object], dtype: pl.DataType) -> pl.Series:
    if isinstance(dtype, pl.Datetime):
        return pl.Series(name, values, dtype=_NS).cast(dtype)
    return pl.Series(name, values, dtype=dtype)
