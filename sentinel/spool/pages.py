"""Rows of one table straight from the pages of a database file, where SQLite itself no longer finds the way to them.

A table's upper pages lead to its leaves; when one of them is damaged, all rows below are out of SQLite's reach although
they are whole. Here every page that looks like a leaf is read. What comes out is to be doubted: a page that was freed
long ago looks like one in use. https://sqlite.org/fileformat2.html
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sentinel.spool.database import PAGE_BYTES

__all__ = ["leaf_rows"]

LEAF, LEAF_HEADER = 0x0D, 8
FIRST_PAGE_AT = 100  # where the first page's own header begins
MAX_LOCAL = PAGE_BYTES - 35  # bytes of a row that a leaf holds itself
MIN_LOCAL = (PAGE_BYTES - 12) * 32 // 255 - 23
OVERFLOW = PAGE_BYTES - 4  # bytes of a row on each further page
INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type: bytes
REAL, ZERO, ONE, FIRST_BLOB = 7, 8, 9, 12
MAX_ROW_BYTES = 64 * 1024 * 1024


def leaf_rows(file: Path, columns: int) -> Iterator[tuple[Any, ...]]:
    """All rows of so many columns, the rowid in the place of a first column that is null. Damaged ones are left out."""
    with file.open("rb") as pages:
        count = file.stat().st_size // PAGE_BYTES
        for number in range(1, count + 1):
            page = _page(pages, number)
            start = FIRST_PAGE_AT if number == 1 else 0
            if len(page) < PAGE_BYTES or page[start] != LEAF:
                continue
            (cells,) = struct.unpack_from(">H", page, start + 3)
            for place in range(min(cells, (PAGE_BYTES - start - LEAF_HEADER) // 2)):
                (at,) = struct.unpack_from(">H", page, start + LEAF_HEADER + 2 * place)
                try:
                    row = _row(pages, page, at, columns)
                except (IndexError, ValueError, struct.error):  # not a row: damage, or another kind of page
                    continue
                if row is not None:
                    yield row


def _page(pages: BinaryIO, number: int) -> bytes:
    pages.seek((number - 1) * PAGE_BYTES)
    return pages.read(PAGE_BYTES)


def _row(pages: BinaryIO, page: bytes, at: int, columns: int) -> tuple[Any, ...] | None:
    """The row of the cell at `at`; None where it has another number of columns."""
    size, at = _varint(page, at)
    rowid, at = _varint(page, at)
    if not 0 < size <= MAX_ROW_BYTES:
        raise ValueError(size)
    types, _ = _types(page, at)  # a header of ours is short and always on the leaf
    if len(types) != columns:
        return None
    payload = _payload(pages, page, at, size)
    types, at = _types(payload, 0)
    values = []
    for kind in types:
        value, at = _value(payload, at, kind)
        values.append(value)
    return (rowid if values[0] is None else values[0], *values[1:])


def _types(payload: bytes, at: int) -> tuple[list[int], int]:
    """The serial types of a record that begins at `at`, and where its values begin."""
    length, place = _varint(payload, at)
    types = []
    while place < at + length:
        kind, place = _varint(payload, place)
        types.append(kind)
    return types, place


def _payload(pages: BinaryIO, page: bytes, at: int, size: int) -> bytes:
    """A row's bytes: what stands on the leaf, and what its chain of further pages holds."""
    if size <= MAX_LOCAL:
        return page[at : at + size]
    local = MIN_LOCAL + (size - MIN_LOCAL) % OVERFLOW
    local = local if local <= MAX_LOCAL else MIN_LOCAL
    parts, left = [page[at : at + local]], size - local
    (following,) = struct.unpack_from(">I", page, at + local)
    while left > 0:
        further = _page(pages, following)
        parts.append(further[4 : 4 + min(left, OVERFLOW)])
        if not parts[-1]:
            raise ValueError(following)
        left -= OVERFLOW
        (following,) = struct.unpack_from(">I", further)
    return b"".join(parts)


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    """The value of a serial type at `at`, and where the next one begins."""
    if kind in (0, ZERO, ONE):
        return {0: None, ZERO: 0, ONE: 1}[kind], at
    if kind == REAL:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    if kind in INTEGERS:
        end = at + INTEGERS[kind]
        return int.from_bytes(payload[at:end], "big", signed=True), end
    if kind < FIRST_BLOB:
        raise ValueError(kind)
    end = at + (kind - FIRST_BLOB) // 2
    if end > len(payload):
        raise ValueError(end)
    return (payload[at:end].decode(errors="replace") if kind % 2 else payload[at:end]), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """SQLite's variable-length integer, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    return value << 8 | data[at + 8], at + 9
