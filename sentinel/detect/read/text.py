"""Turn messages into integers: entities, numbers and masked text of each, and what each masked text means."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.jit import Bytes, Floats, Hashes, Indices, Integers
from sentinel.detect.lexicon.words import flags_of
from sentinel.detect.read.drain import WILDCARD, Cluster, Drain, plain
from sentinel.detect.read.outcomes import News, Slot, places_in
from sentinel.detect.read.scan import ENTITIES, MAX_NUMBERS, scan_lines
from sentinel.detect.read.scan_buffers import STATE
from sentinel.detect.read.shapes import COUNTS
from sentinel.detect.tuning.read import JOINED_AT_ONCE, MAX_MEANINGS, MAX_NEW_TEMPLATES, MAX_TOKENS, MAX_WORDS

__all__ = ["Meaning", "Scanned", "Vocabulary", "join", "scan", "words_of"]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan of n messages gives; arrays of n rows. `text(i)` is the masked text of message i."""

    entities: Hashes  # (n, 4)
    spans: Integers | Indices  # (n, 8), bytes from the message's beginning
    numbers: Floats  # (n, 4), NaN = none
    sensitive: Bytes
    masked: Hashes
    lengths: Integers  # bytes
    buffer: Bytes
    offsets: Integers
    out: Bytes
    out_offsets: Integers

    def text(self, i: int) -> str:
        """The masked text of message i."""
        return self.out[self.out_offsets[i] : self.out_offsets[i + 1]].tobytes().decode("utf-8", "replace")

    def entity(self, i: int, which: int) -> str:
        """The text of an entity of message i (IP, USER, SESSION, PARAM); empty where there is none."""
        start, end = self.spans[i, 2 * which], self.spans[i, 2 * which + 1]
        begin = self.offsets[i]
        return self.buffer[begin + start : begin + end].tobytes().decode("utf-8", "replace")

    def only(self, which: int) -> "Scanned":
        """The same of which nothing but the texts of one entity is kept: much smaller, for many lines."""
        begin, end = (self.spans[:, 2 * which + k] for k in (0, 1))
        offsets = np.zeros(len(self.offsets), np.int64)
        np.cumsum(end - begin, out=offsets[1:])
        where = np.repeat(self.offsets[:-1] + begin - offsets[:-1], end - begin) + np.arange(offsets[-1])
        spans = np.zeros(self.spans.shape, np.int32)
        spans[:, 2 * which + 1] = end - begin
        none, nowhere = np.zeros(0, np.uint8), np.zeros(1, np.int64)
        return replace(self, spans=spans, buffer=self.buffer[where], offsets=offsets, out=none, out_offsets=nowhere)


def join(messages: pl.Series) -> tuple[Bytes, Integers]:
    """The UTF-8 bytes of all texts in a row, and where each begins (n + 1 offsets); null is empty."""
    filled = messages.fill_null("")
    offsets = np.zeros(len(filled) + 1, np.int64)
    np.cumsum(filled.str.len_bytes().to_numpy(), out=offsets[1:])
    if len(filled) <= JOINED_AT_ONCE:
        return _utf8(filled), offsets
    buffer = np.empty(int(offsets[-1]), np.uint8)
    for a in range(0, len(filled), JOINED_AT_ONCE):
        part = filled[a : a + JOINED_AT_ONCE]
        buffer[offsets[a] : offsets[a + len(part)]] = _utf8(part)
    buffer.flags.writeable = False  # as a short one's: kernels are compiled for one kind of buffer
    return buffer, offsets


def _utf8(texts: pl.Series) -> Bytes:
    text = "" if len(texts) == 0 else str(texts.str.join("").item())
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def scan(buffer: Bytes, offsets: Integers) -> Scanned:
    """Scan the messages buffer[offsets[i]:offsets[i+1]]."""
    n = len(offsets) - 1
    size = 4 * int(offsets[-1]) + 16 * n
    spans = np.empty((n, 2 * ENTITIES), np.int64)
    found = Scanned(
        entities=np.empty((n, ENTITIES), np.uint64),
        spans=spans,
        numbers=np.empty((n, MAX_NUMBERS)),
        sensitive=np.empty(n, np.uint8),
        masked=np.empty(n, np.uint64),
        lengths=np.diff(offsets),
        buffer=buffer,
        offsets=offsets,
        out=np.empty(size, np.uint8),
        out_offsets=np.empty(n + 1, np.int64),
    )
    with np.errstate(over="ignore"):  # hashes wrap around; only plain code would warn
        scan_lines(
            buffer,
            offsets,
            found.out,
            found.out_offsets,
            found.entities,
            spans,
            found.numbers,
            found.sensitive,
            found.masked,
            np.zeros(STATE, np.int64),
            np.zeros(COUNTS, np.int64),
        )
    return found


def words_of(masked: str) -> list[int]:
    """Hashes of a masked text's words (masks left out, small letters, no punctuation), at most 40."""
    words = [word for word in masked.replace("=", " ").replace("/", " ").split() if "<" not in word]
    return [hash_text(word.lower().strip(".,:;()[]{}\"'")) for word in words[:MAX_WORDS]]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a distinct masked text means: its template's key and place in the model (−1 = not there), flags."""

    template: int
    place: int
    flags: int
    rarity: float  # how unusual its words are to the model, nats
    news: News | None = None  # a code or a state that its place never showed
    shown: str = ""  # its template as people read it, where the model's own holds words of other texts


def _shown(masked: str, cluster: Cluster) -> str:
    """A text's template where its teachers read otherwise, else empty: it shows no word of another text."""
    tokens = plain(masked).split(" ", MAX_TOKENS)
    if all(mine in (theirs, WILDCARD) for mine, theirs in zip(cluster.tokens, tokens, strict=False)):
        return ""
    return " ".join(mine if mine == theirs else WILDCARD for mine, theirs in zip(cluster.tokens, tokens, strict=False))


class Vocabulary:
    """Templates of a model, and those met in service after it; maps the hash of a masked text to its meaning.

    `known` are the model's templates (frozen), `rarities` its words' surprises, `slots` what its places of codes and
    states always showed, `manners` what each of `known` is to visitors; its texts hold fields with `reads_fields`,
    too. What is met in service is learnt by `met`, a second tree, and remembered text by text, so that a restart
    gives every text the same template again.
    """

    def __init__(
        self,
        known: Drain,
        rarities: dict[int, float],
        unseen: float,
        cap: float,
        slots: Mapping[int, Slot],
        manners: Sequence[int] = (),
        *,
        reads_fields: bool = True,
    ) -> None:
        self.known, self._slots, self._manners = known, slots, manners
        self.reads_fields = reads_fields
        self.places = {key: i for i, key in enumerate(known.clusters)}
        self.met = Drain()
        self.assigned: OrderedDict[int, int] = OrderedDict()
        self._rarities, self._unseen, self._cap = rarities, unseen, cap
        self._meanings: dict[int, Meaning] = {}
        self._lent: tuple[Drain, OrderedDict[int, int], set[int]] | None = None

    def meaning(self, masked_hash: int, scanned: Scanned, i: int) -> Meaning:
        """The meaning of message i's masked text; a text never met before is learnt."""
        meaning = self._meanings.get(masked_hash)
        if meaning is None:
            if len(self._meanings) >= MAX_MEANINGS:
                self._meanings.clear()
            meaning = self._meanings[masked_hash] = self._read(masked_hash, scanned.text(i))
        return meaning

    def template_text(self, key: int) -> str:
        """The template of a key as people read it; empty for an unknown key."""
        cluster = self.known.clusters.get(key) or self.met.clusters.get(key)
        return cluster.text if cluster else ""

    def parts(self) -> dict[str, list[list[int | str]]]:
        """What was met in service, for JSON: templates and which text belongs to which."""
        return {
            "templates": [[key, text] for key, text in self.met.parts()],
            "assigned": [[h, key] for h, key in self.assigned.items()],
        }

    def restore(self, parts: dict[str, list[list[int | str]]]) -> None:
        """Take up what `parts` gave."""
        self.met = Drain((int(key), str(text)) for key, text in parts["templates"])
        self.assigned = OrderedDict((int(h), int(key)) for h, key in parts["assigned"])
        self._meanings.clear()

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Within this block new texts are understood and, at its end, forgotten."""
        self._lent = (self.met, self.assigned, set())
        try:
            yield
        finally:
            met, assigned, new = self._lent
            self._lent = None
            if new:
                self.met, self.assigned = met, assigned
                for masked_hash in new:
                    self._meanings.pop(masked_hash, None)

    def _read(self, masked_hash: int, masked: str) -> Meaning:
        cluster = self._cluster(masked_hash, masked)
        found = sorted((min(self._rarities.get(w, self._unseen), self._cap) for w in words_of(masked)), reverse=True)[
            :3
        ]
        rarity = sum(found) / len(found) if found else 0.0
        place = self.places.get(cluster.key, -1)
        flags = flags_of(masked) | (self._manners[place] if 0 <= place < len(self._manners) else 0)
        return Meaning(cluster.key, place, flags, rarity, self._news(masked, cluster), _shown(masked, cluster))

    def _news(self, masked: str, cluster: Cluster) -> News | None:
        """The most surprising of a text's codes and states that their places never showed."""
        if not self._slots:
            return None
        found = ((place, self._slots.get(place), value) for place, value in places_in(masked, cluster.tokens))
        news = [News.of(place, slot, value) for place, slot, value in found if slot and value not in slot.values]
        return max(news, key=lambda one: one.nats, default=None)

    def _cluster(self, masked_hash: int, masked: str) -> Cluster:
        known = self.known.find(masked)
        if known is not None:
            return known
        key = self.assigned.get(masked_hash)
        if key is not None and key in self.met.clusters:
            return self.met.clusters[key]
        if self._lent is not None:
            if not self._lent[2]:
                self.met, self.assigned = self.met.copy(), self.assigned.copy()
            self._lent[2].add(masked_hash)
        if len(self.met.clusters) >= MAX_NEW_TEMPLATES:
            self.met = Drain(self.met.parts()[MAX_NEW_TEMPLATES // 2 :])
        cluster = self.met.learn(masked)
        self.assigned[masked_hash] = cluster.key
        if len(self.assigned) > MAX_MEANINGS:
            self.assigned.popitem(last=False)
        return cluster
