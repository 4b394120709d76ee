"""Golden lines, damaged at random, through every parser: none raises, none is lost, none depends on its neighbours.

`FUZZ_MINUTES=10 python -m pytest tests/parse/test_parse_fuzz.py` goes on for so long, with damage that is new.
"""

import json
import logging
import os
import random
import secrets
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from benchmarks.formats import GOLDEN
from sentinel.parse import BadBodyError, Document, TooManyLogsError, decode_body, parse_documents, parse_lines

log = logging.getLogger(__name__)

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
ROUNDS, LINES = 6, 40
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SCHEMA = {"line": pl.Binary(), "origin": pl.String(), "event_id": pl.String()}
TYPES = ("application/json", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded", "", "text/json")
ODD = (
    b"\x00",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"|",
    b"\t",
    b"\r",
    b"%",
    b"\xe2\x80\xa8",
    b"9" * 40,
)
TEXTS = [
    event["text"].encode()
    for path in sorted(Path(GOLDEN).glob("*.toml"))
    for one in tomllib.loads(path.read_text(encoding="utf-8"))["format"]
    for event in one["event"]
]


def damaged(rng: random.Random) -> bytes:
    """A golden text with pieces cut out, doubled, swapped with another's, or put in."""
    text = rng.choice(TEXTS)
    for _ in range(rng.randrange(4)):
        at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        other = rng.choice(TEXTS)
        text = rng.choice(
            (
                text[:at] + text[end:],
                text[:end] + text[at:],
                text[:at] + rng.choice(ODD) * rng.choice((1, 3, 200)) + text[at:],
                text[:at] + other[rng.randrange(len(other)) :],
                text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :],
            )
        )
    return text


def check_lines(rng: random.Random) -> None:
    """Each text of one line is one record, the same alone as beside the others."""
    texts = [text.replace(b"\n", b" ") for text in (damaged(rng) for _ in range(LINES))]
    rows = [(text, "fuzz", f"{secrets.token_hex(8)}000000") for text in texts]  # each a file of its own
    parsed = parse_lines(pl.DataFrame(rows, schema=SCHEMA, orient="row"), now=NOW)
    found = dict(zip(parsed.records["event_id"], parsed.records.rows(), strict=True))
    assert len(found) == parsed.records.height <= LINES
    assert parsed.rejected.is_empty()
    for row in rng.sample(rows, 3):
        alone = parse_lines(pl.DataFrame([row], schema=SCHEMA, orient="row"), now=NOW)
        assert [found.get(row[2])] == (alone.records.rows() or [None]), row[0]


def check_bodies(rng: random.Random) -> None:
    """A body is refused, or each of its items is a record or refused with one."""
    texts = [damaged(rng) for _ in range(rng.randrange(1, 8))]
    documents = [{"message": text.decode("latin-1"), rng.choice(("level", "time", "a")): 1} for text in texts]
    raw = bytearray(rng.choice((b"\n".join(texts), json.dumps(documents).encode(), json.dumps(documents[0]).encode())))
    for _ in range(rng.randrange(4)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    try:
        body = decode_body(bytes(raw), rng.choice(TYPES), max_items=1_000)
    except (BadBodyError, TooManyLogsError):
        return
    if body.documents is None:
        return
    parsed = parse_documents([Document(one, f"{n:022d}", "fuzz") for n, one in enumerate(body.documents)], now=NOW)
    assert parsed.records.height + parsed.rejected.height == len(body.documents)
    assert parsed.rejected["reason"].null_count() == 0


def seeds() -> Iterator[int]:
    """The same few each time, or new ones until the minutes are over."""
    yield from range(ROUNDS)
    ends_s = time.monotonic() + MINUTES * 60
    while time.monotonic() < ends_s:
        yield secrets.randbits(48)


@pytest.mark.timeout(600 + MINUTES * 120)
def test_damaged_lines_and_bodies_are_read_or_refused() -> None:
    """No parser raises, whatever stands in a line or a body; the seed of one that did is told."""
    rounds = 0
    for seed in seeds():
        rng = random.Random(seed)
        try:
            check_lines(rng)
            for _ in range(LINES // 4):
                check_bodies(rng)
        except Exception as exc:
            raise AssertionError(f"seed {seed}, after {rounds} rounds: {exc!r}") from exc
        rounds += 1
    log.info("fuzzed rounds=%d lines=%d", rounds, rounds * LINES)

    assert rounds >= ROUNDS
