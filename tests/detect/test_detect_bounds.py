"""Floods of what is seen once: ten million actors, sources without end, texts that resemble nothing."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.jit import Floats, Integers
from sentinel.detect.kernel.table import Memory
from sentinel.detect.learn.fit import Trained
from sentinel.detect.read import text as texts
from sentinel.detect.read.coded import Line
from sentinel.detect.read.encode import SourceHashes
from sentinel.detect.remember.raw import RAW, RAW_INDEX
from sentinel.detect.remember.state import empty_memory
from sentinel.detect.remember.state_pass import walk

CHUNK = 250_000
LINES_A_SECOND = 1_000
GUESSES, HEARTBEAT = 1_000, 60_000  # one line of each among so many of the flood: one a second, one a minute
BRUTE, BEFORE = 0xBADC0FFEE, 100
SSHD, FRONT = hash_text("sshd"), hash_text("front")
FAILED, BEAT, HELLO = hash_text("Failed password"), hash_text("heartbeat"), hash_text("hello <IP>")
BAD_LOGIN = 5  # BAD and AUTH_FAILURE


def resident_mb() -> float:
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


def flood(total: int, *, sources: bool) -> Iterator[tuple[Integers, Line]]:
    """Lines of actors (or sources) that come once, a guesser and a heartbeat among them, with the lines' numbers."""
    for begin in range(0, total, CHUNK):
        number = np.arange(begin, min(begin + CHUNK, total))
        guess, beat = number % GUESSES == 1, number % HEARTBEAT == 2
        once = (number.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        entities = np.zeros((len(number), 4), np.uint64)
        entities[:, 0] = np.where(guess, np.uint64(BRUTE), np.uint64(0) if sources else once)
        entities[beat] = 0
        front = once if sources else np.uint64(FRONT)
        yield (
            number,
            Line(
                number / LINES_A_SECOND,
                np.ones(len(number), np.int64),
                np.where(guess | beat, np.uint64(SSHD), front),
                np.select([guess, beat], [np.uint64(FAILED), np.uint64(BEAT)], np.uint64(HELLO)),
                np.where(guess, BAD_LOGIN, 0).astype(np.int64),
                entities,
                np.full((len(number), 4), np.nan),
                np.ones(len(number)),
            ),
        )


def heartbeats() -> Line:
    """What came before the flood: a heartbeat a minute."""
    nothing = np.zeros(BEFORE, np.int64)
    return Line(
        (np.arange(BEFORE) - BEFORE) * 60.0,
        nothing + 1,
        np.full(BEFORE, SSHD, np.uint64),
        np.full(BEFORE, BEAT, np.uint64),
        nothing,
        np.zeros((BEFORE, 4), np.uint64),
        np.full((BEFORE, 4), np.nan),
        np.ones(BEFORE),
    )


def sizes(memory: Memory) -> list[int]:
    return [array.nbytes for table in (memory.core, memory.edge, memory.habits) for array in table]


def walk_flood(total: int, *, sources: bool) -> tuple[Memory, Floats, Floats, float]:
    """(memory, raw values of the guesser's lines, of the heartbeat's, MB that the process grew after the start)."""
    memory, raw = empty_memory(), np.empty((CHUNK, len(RAW)))
    with np.errstate(over="ignore"):
        walk(memory, heartbeats(), raw[:BEFORE])
    before, after_first = sizes(memory), 0.0
    guesses, beats = [], []
    for number, lines in flood(total, sources=sources):
        with np.errstate(over="ignore"):
            walk(memory, lines, raw[: len(number)])
        guesses.append(raw[: len(number)][number % GUESSES == 1])
        beats.append(raw[: len(number)][number % HEARTBEAT == 2])
        after_first = after_first or resident_mb()
    assert sizes(memory) == before
    return memory, np.concatenate(guesses), np.concatenate(beats), resident_mb() - after_first


@pytest.mark.slow
def test_ten_million_actors_do_not_grow_the_memory() -> None:
    """The tables stay as large as they are, and the process with them; who goes on guessing and beating is not lost."""
    memory, guesses, beats, grown_mb = walk_flood(10_000_000, sources=False)

    assert grown_mb < 60
    assert memory.edge.used <= len(memory.edge.keys)
    assert guesses[:, RAW_INDEX["new_address"]].tolist() == list(range(10_000))
    assert guesses[4:, RAW_INDEX["failures0"]].min() > 4.2  # what the fixed prior calls an attack
    assert guesses[-1, RAW_INDEX["burst_lines"]] == 10_000
    assert beats[:, RAW_INDEX["hits_template_source"]].tolist() == list(range(BEFORE, BEFORE + len(beats)))
    assert np.allclose(beats[1:, RAW_INDEX["gap_template"]], HEARTBEAT / LINES_A_SECOND)


def test_sources_without_end_do_not_push_out_what_lives() -> None:
    """A million names of sources that come once share the tables with templates: those in use stay."""
    memory, guesses, beats, _ = walk_flood(1_000_000, sources=True)

    assert memory.core.used <= len(memory.core.keys)
    assert guesses[:, RAW_INDEX["hits_source"]].max() >= 999
    assert beats[:, RAW_INDEX["hits_template_source"]].tolist() == list(range(BEFORE, BEFORE + len(beats)))


def novel(count: int, after: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Lines of random words, from sources of which each comes once."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5_000)]
    start = after["timestamp"][-1]
    return pl.DataFrame(
        {
            "timestamp": pl.Series([start + timedelta(seconds=seed * 60 + 0.01 * i) for i in range(count)])
            .dt.cast_time_unit("ns")
            .cast(pl.Datetime("ns", "UTC")),
            "level": ["info"] * count,
            "source": [f"pod-{seed}-{i}" for i in range(count)],
            "message": [" ".join(rng.choices(words, k=rng.randint(3, 9))) for _ in range(count)],
            "attributes": pl.Series([None] * count, dtype=pl.String),
        }
    )


def test_texts_that_resemble_nothing_do_not_grow_the_vocabulary(
    trained: Trained, present: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Templates, texts and the state's bytes stop growing at their limits; known lines keep their templates."""
    monkeypatch.setattr(texts, "MAX_NEW_TEMPLATES", 400)
    monkeypatch.setattr(texts, "MAX_MEANINGS", 1_000)
    scorer = Scorer(trained.model, trained.state)
    known = scorer.peek(present.head(300))["template"].to_list()

    for seed in range(4):
        scorer.score(novel(1_500, present, seed))

    parts = scorer._vocabulary.parts()
    assert len(parts["templates"]) <= 400
    assert len(parts["assigned"]) <= 1_000
    assert len(scorer._vocabulary._meanings) <= 1_000
    assert scorer.peek(present.head(300))["template"].to_list() == known


def test_names_of_sources_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache of a single line's source starts again when it is full, with the same hashes."""
    from sentinel.detect.read import encode

    monkeypatch.setattr(encode, "MAX_SOURCES", 100)
    hashes = SourceHashes()

    found = [hashes(f"pod-{i}") for i in range(1_000)]

    assert len(hashes._known) <= 100
    assert found[:3] == [hash_text(f"pod-{i}") for i in range(3)]


def test_state_of_a_flooded_scorer_has_a_largest_size() -> None:
    """Full tables are what a state can weigh at most: it stops growing when they are full."""
    memory = empty_memory(core=1024, edge=4096)
    weights = []
    for number, lines in flood(500_000, sources=False):
        with np.errstate(over="ignore"):
            walk(memory, lines, np.empty((len(number), len(RAW))))
        weights.append(memory.edge.used + memory.core.used)

    assert weights[0] == weights[1] <= 1024 + 4096
