"""Turn records into integers: what the state pass walks and what the baseline looks up."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.kernel.hashing import hash_bytes, hash_text, mix
from sentinel.detect.kernel.jit import Booleans, Bytes, Floats, Hashes, Integers, compiled
from sentinel.detect.kernel.keys import Key
from sentinel.detect.read.coded import Coded, Facts, Line, One
from sentinel.detect.read.fields import texts_of, told
from sentinel.detect.read.headline import headline
from sentinel.detect.read.scan import SESSION
from sentinel.detect.read.text import Meaning, Scanned, Vocabulary, join, scan
from sentinel.detect.tuning.read import MAX_SOURCES

__all__ = ["encode", "encode_one"]

LEVEL_CODES = {"trace": 0, **{level.name.lower(): int(level) for level in Level}}
DEFAULT_LEVEL = int(Level.INFO)
_SESSION_KEY = np.frombuffer(b'"session":', np.uint8)
_PID_KEY = np.frombuffer(b'"pid":', np.uint8)


@compiled
def _values(buffer: Bytes, offsets: Integers, key: Bytes, out: Hashes) -> None:
    """The hash of the value of `"key":` in each JSON text, 0 where it has none."""
    for i in range(len(offsets) - 1):
        out[i] = 0
        end = offsets[i + 1]
        for j in range(offsets[i], end - len(key)):
            if buffer[j] != 34:
                continue
            k = 0
            while k < len(key) and buffer[j + k] == key[k]:
                k += 1
            if k < len(key):
                continue
            start = j + k
            while start < end and (buffer[start] == 32 or buffer[start] == 34):
                start += 1
            stop = start
            while stop < end and buffer[stop] != 34 and buffer[stop] != 44 and buffer[stop] != 125:
                stop += 1
            if stop > start:
                out[i] = hash_bytes(buffer, start, stop)
            break


@compiled
def _sessions(entities: Hashes, sources: Hashes, named: Hashes, pids: Hashes) -> None:
    """Settle each line's session: named in the attributes, else in the message, else the process."""
    for i in range(len(entities)):
        if named[i] != 0:
            entities[i, SESSION] = named[i]
        elif entities[i, SESSION] == 0 and pids[i] != 0:
            entities[i, SESSION] = mix(Key.PROCESS, sources[i], pids[i])


def _settle_sessions(entities: Hashes, sources: Hashes, buffer: Bytes, offsets: Integers) -> tuple[Hashes, Booleans]:
    """Settle each line's session in place; (sessions that are no processes, whether the attributes name them)."""
    if len(buffer) == 0:
        return entities[:, SESSION].copy(), np.zeros(len(entities), np.bool_)
    named, pids = np.zeros(len(sources), np.uint64), np.zeros(len(sources), np.uint64)
    with np.errstate(over="ignore"):
        _values(buffer, offsets, _SESSION_KEY, named)
        _values(buffer, offsets, _PID_KEY, pids)
        own = np.where(named != 0, named, entities[:, SESSION])
        _sessions(entities, sources, named, pids)
    return own, named != 0


def _meanings(scanned: Scanned, vocabulary: Vocabulary) -> tuple[list[Meaning], Integers]:
    """The distinct meanings of a batch, read in the order in which they first occur, and which one each line has."""
    distinct, first, inverse = np.unique(scanned.masked, return_index=True, return_inverse=True)
    found: list[Meaning | None] = [None] * len(distinct)
    for j in np.argsort(first):
        found[j] = vocabulary.meaning(int(distinct[j]), scanned, int(first[j]))
    return [meaning for meaning in found if meaning is not None], inverse


def _source_hashes(sources: pl.Series, places: Mapping[int, int]) -> tuple[Hashes, Integers]:
    names = sources.fill_null("")
    codes = names.to_frame("s").with_columns(pl.col("s").cast(pl.Categorical).to_physical().alias("c"))
    table = codes.unique("c", maintain_order=True)
    hashes = np.zeros(int(table["c"].max() or 0) + 1, np.uint64) if len(table) else np.zeros(1, np.uint64)  # type: ignore[arg-type]
    where = np.full(len(hashes), -1, np.int64)
    for name, code in table.iter_rows():
        hashes[code] = hash_text(name)
        where[code] = places.get(int(hashes[code]), -1)
    at = codes["c"].to_numpy()
    return hashes[at], where[at]


def _assemble(
    times: Floats,
    levels: Integers,
    sources: Hashes,
    source_places: Integers,
    scanned: Scanned,
    meanings: Sequence[Meaning],
    which: Integers,
    settled: tuple[Hashes, Booleans],
) -> Coded:
    template = np.array([m.template for m in meanings], np.uint64)[which]
    flags = np.array([m.flags for m in meanings], np.int64)[which]
    flags = flags | np.where(scanned.sensitive > 0, Flag.SENSITIVE | Flag.PROBE, 0)
    line = Line(times, levels, sources, template, flags, scanned.entities, scanned.numbers, np.ones(len(times)))
    facts = Facts(
        np.array([m.place for m in meanings], np.int64)[which],
        source_places,
        levels,
        flags,
        scanned.lengths.astype(np.float64),
        np.array([m.rarity for m in meanings], np.float64)[which],
        scanned.numbers,
    )
    return Coded(line, facts, scanned, *settled, meanings, which)


def encode(
    records: pl.DataFrame, vocabulary: Vocabulary, source_places: Mapping[int, int], scanned: Scanned | None = None
) -> Coded:
    """Encode a frame of records (columns timestamp, level, source, message, attributes), in its order.

    `scanned` is the scan of its messages where that was done before.
    """
    times = records["timestamp"].dt.epoch("ns").to_numpy() / 1e9
    levels = (
        records["level"]
        .replace_strict(LEVEL_CODES, default=DEFAULT_LEVEL, return_dtype=pl.Int64)
        .fill_null(DEFAULT_LEVEL)
        .to_numpy()
    )
    scanned = scanned or scan(*join(texts_of(records, reads_fields=vocabulary.reads_fields)))
    sources, places = _source_hashes(records["source"], source_places)
    settled = _settle_sessions(scanned.entities, sources, *join(records["attributes"]))
    meanings, which = _meanings(scanned, vocabulary)
    return _assemble(times, levels, sources, places, scanned, meanings, which, settled)


class SourceHashes:
    """Hashes of source names, kept, for single lines."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        """The hash of a name."""
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= MAX_SOURCES:
                self._known.clear()
            found = self._known[name] = hash_text(name)
        return found


_source_hash = SourceHashes()


def _bytes(text: str) -> tuple[Bytes, Integers]:
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)
    return data, np.array([0, len(data)])


def encode_one(record: One, vocabulary: Vocabulary, source_places: Mapping[int, int]) -> Coded:
    """Encode one record: the same integers as `encode` gives."""
    text = headline(record.message)
    scanned = scan(*_bytes(told(text, record.attributes) if vocabulary.reads_fields else text))
    source = _source_hash(record.source)
    sources = np.array([source], np.uint64)
    settled = _settle_sessions(scanned.entities, sources, *_bytes(record.attributes or ""))
    meaning = vocabulary.meaning(int(scanned.masked[0]), scanned, 0)
    level = DEFAULT_LEVEL if record.level is None else LEVEL_CODES.get(record.level, DEFAULT_LEVEL)
    return _assemble(
        np.array([record.time_s]),
        np.array([level]),
        sources,
        np.array([source_places.get(source, -1)]),
        scanned,
        [meaning],
        np.zeros(1, np.int64),
        settled,
    )
