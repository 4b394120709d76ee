"""Read training records once: templates learnt, texts coded, the state pass walked."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.jit import Booleans, Floats, Hashes, Integers, Singles
from sentinel.detect.kernel.table import Memory
from sentinel.detect.learn.manners import learn_manners
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import Coded, Line
from sentinel.detect.read.drain import Drain
from sentinel.detect.read.encode import encode
from sentinel.detect.read.fields import texts_of
from sentinel.detect.read.scan import SESSION
from sentinel.detect.read.text import Scanned, Vocabulary, join, scan, words_of
from sentinel.detect.remember.raw import RAW
from sentinel.detect.remember.state import empty_memory
from sentinel.detect.remember.state_pass import walk
from sentinel.detect.tuning.learn import CHUNK_LINES, MAX_INHERITED_TEMPLATES, MAX_TEXTS, TOP_WORDS
from sentinel.detect.tuning.read import MAX_WORDS

__all__ = ["Corpus", "Words", "order_of", "read"]

COLUMNS = ("timestamp", "level", "source", "message", "attributes")


@dataclass(slots=True)
class Words:
    """The words of each distinct masked text: `rows` (texts, 40) of places in `hashes`, −1 = none."""

    hashes: Hashes
    rows: Integers
    which: Integers  # (n,) the text of each line

    def rarities(self, use: Booleans, cap: float) -> tuple[Floats, Floats, float]:
        """(per text, per word, of an unseen word): −ln of the share of lines `use` with a word, at most `cap` nats."""
        lines = np.bincount(self.which[use], minlength=len(self.rows)).astype(float)
        counts = np.zeros(len(self.hashes) + 1)
        for column in self.rows.T:
            np.add.at(counts, column, lines)
        words = np.minimum(-np.log((counts[:-1] + 0.5) / (lines.sum() + 1.0)), cap)
        padded = np.append(words, -np.inf)[self.rows]
        top = -np.sort(-padded, axis=1)[:, :TOP_WORDS]
        found = np.isfinite(top)
        texts = np.where(found, top, 0.0).sum(1) / np.maximum(found.sum(1), 1)
        return texts, words, float(np.log(2.0 * (lines.sum() + 1.0)))


def _words(texts: list[str], which: Integers) -> Words:
    places: dict[int, int] = {}
    rows = np.full((len(texts), MAX_WORDS), -1, np.int64)
    for i, text in enumerate(texts):
        words = list(dict.fromkeys(words_of(text)))
        rows[i, : len(words)] = [places.setdefault(word, len(places)) for word in words]
    return Words(np.array(list(places), np.uint64), rows, which)


@dataclass(slots=True)
class Corpus:
    """Training records in time order, coded and walked; of their texts those of sessions are kept.

    `raw` (n, len(RAW)) is what the state pass says of each line, in single precision: a training is made of counts and
    quantiles, and a million lines take 230 MB so. Scoring uses double precision throughout.
    """

    coded: Coded
    words: Words
    vocabulary: Vocabulary
    source_names: tuple[str, ...]
    source_hashes: Hashes
    memory: Memory
    raw: Singles
    texts: list[str]  # the first MAX_TEXTS of `words`
    manners: Integers  # of each template, see `learn_manners`
    writers: Integers  # (n,) the host that wrote each line, as a number; one for all where none is named

    def __len__(self) -> int:
        return len(self.coded.line.times)

    def walk(self, taught: Booleans) -> None:
        """Walk all lines anew; only those `taught` count as history."""
        self.memory = empty_memory()
        line = self.coded.line._replace(taught=taught.astype(np.float64))
        self.coded = replace(self.coded, line=line)
        exact = np.empty((min(CHUNK_LINES, len(self)), len(RAW)))
        for a in range(0, len(self), CHUNK_LINES):
            columns: Any = [column[a : a + CHUNK_LINES] for column in line]
            part = Line(*columns)
            with np.errstate(over="ignore"):
                walk(self.memory, part, exact[: len(part.times)])
            self.raw[a : a + CHUNK_LINES] = exact[: len(part.times)]


def _learn_templates(scanned: Scanned, champion: Model | None) -> tuple[Drain, list[str], Integers]:
    """Templates of all distinct masked texts in the order of the stream, after the champion's own."""
    inherited = (
        list(zip(champion.template_keys.tolist(), champion.template_texts, strict=True))[-MAX_INHERITED_TEMPLATES:]
        if champion
        else []
    )
    drain = Drain(inherited)
    _, first, inverse = np.unique(scanned.masked, return_index=True, return_inverse=True)
    texts = [scanned.text(i) for i in first.tolist()]
    for j in np.argsort(first):
        drain.learn(texts[j])
    return drain, texts, inverse


def _with_manners(coded: Coded, manners: Integers) -> Coded:
    flags = coded.facts.flags | manners[coded.facts.template]
    return replace(coded, line=coded.line._replace(flags=flags), facts=coded.facts._replace(flags=flags))


def order_of(records: pl.DataFrame) -> pl.Series:
    """(n,) the places of records in the order in which they are read: that of time."""
    keys = [name for name in ("timestamp", "event_id") if name in records.columns]
    return records.select(pl.arg_sort_by(keys, maintain_order=True)).to_series()


def _writers(records: pl.DataFrame, order: pl.Series) -> Integers:
    """(n,) a number for each host; records need not have one."""
    if "host" not in records.columns:
        return np.zeros(len(records), np.int64)
    found: Integers = records["host"][order].fill_null("").rank("dense").cast(pl.Int64).to_numpy()
    return found


def read(records: pl.DataFrame, champion: Model | None = None) -> Corpus:
    """Read records (in any order): timestamp, level, source, message, attributes; host and event_id where there are."""
    order = order_of(records)
    writers = _writers(records, order)
    records = records.select(COLUMNS)[order]
    scanned = scan(*join(texts_of(records)))
    drain, texts, which = _learn_templates(scanned, champion)
    names = tuple(records["source"].fill_null("").unique(maintain_order=True).to_list())
    hashes = [hash_text(name) for name in names]
    vocabulary = Vocabulary(drain, {}, 0.0, 0.0, {})
    coded = encode(records, vocabulary, {h: i for i, h in enumerate(hashes)}, scanned)
    manners = learn_manners(coded, len(vocabulary.places))
    coded = _with_manners(replace(coded, scanned=scanned.only(SESSION)), manners)
    del scanned
    corpus = Corpus(
        coded,
        _words(texts, which),
        vocabulary,
        names,
        np.array(hashes, np.uint64),
        empty_memory(core=8, edge=8),
        np.empty((len(records), len(RAW)), np.float32),
        texts[:MAX_TEXTS],
        manners,
        writers,
    )
    corpus.walk(np.ones(len(records), bool))
    return corpus
