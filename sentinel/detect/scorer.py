"""Score records in order with a model and a running state: the same code for a batch and for one line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from sentinel.detect.explain.incidents import incident_ids
from sentinel.detect.explain.tell import Teller
from sentinel.detect.judge.combine import Switches
from sentinel.detect.judge.habits import HABITS_A_LINE
from sentinel.detect.judge.nats import nats_to_score, nats_to_scores
from sentinel.detect.judge.outcomes import OUTCOMES_A_LINE
from sentinel.detect.kernel.jit import Booleans
from sentinel.detect.kernel.table import UndoLog, roll_back
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import Coded, One
from sentinel.detect.read.encode import encode, encode_one
from sentinel.detect.read.headline import headlines
from sentinel.detect.read.text import Meaning, join, scan
from sentinel.detect.remember.merge import merge
from sentinel.detect.remember.state import empty_memory, pack, unpack
from sentinel.detect.remember.state_pass import TOUCHES_A_LINE
from sentinel.detect.sessions.follow import SessionVerdict
from sentinel.detect.sessions.watch import SessionWatch, attach, session_records, story_of, story_of_one
from sentinel.detect.silence.attention import Attention
from sentinel.detect.silence.watchdog import ALWAYS, Watch
from sentinel.detect.stages import Scored, judged
from sentinel.detect.tuning.explain import MAX_EXPLAINED
from sentinel.detect.tuning.remember import MAX_UNDO_LINES
from sentinel.records import VERDICT_SCHEMA

__all__ = ["Scorer", "Verdict"]

TOUCHES = TOUCHES_A_LINE + HABITS_A_LINE + OUTCOMES_A_LINE


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one line, as `VERDICT_SCHEMA` has it."""

    anomaly_score: float
    nats: float
    threshold: float
    is_anomaly: bool
    kind: str | None
    reasons: list[str]
    template: str
    model_version: str
    confidence: str


class Scorer:
    """A model in service. `score` observes; `peek` answers as `score` would and changes nothing.

    `state` is what `state()` gave, of this or another model; without one all is new. `taught` is the state that came
    with the model: where `state` ran under another one, what the model learnt from is brought into it. `switches` turn
    helpers off. Raises ArtifactError for a state that cannot be read.
    Not for several threads at once.
    """

    def __init__(
        self,
        model: Model,
        state: bytes | None = None,
        *,
        taught: bytes | None = None,
        switches: Switches | None = None,
    ) -> None:
        self.model, self.switches = model, switches or Switches()
        self.threshold_nats = model.threshold_nats
        self._vocabulary = model.vocabulary()
        self._memory = empty_memory()
        self._watch = Watch(model.watched_keys, model.watched)
        self._places = {h: i for i, h in enumerate(model.source_hashes.tolist())}
        self._teller = Teller(model, self.switches)
        kinds = model.sessions if self.switches.sessions else ()
        self._sessions = SessionWatch(kinds, model.template_keys, self._vocabulary, version=model.version)
        if state is not None:
            self._memory, extra, sessions = unpack(state)
            self._vocabulary.restore(extra["vocabulary"])
            self._watch.restore(extra["watch"])
            self._sessions.restore(sessions)
            if taught is not None and extra.get("model") != model.version:
                merge(self._memory, unpack(taught)[0])

    def score(self, records: pl.DataFrame) -> pl.DataFrame:
        """Verdicts (VERDICT_SCHEMA) on records in their order; each line sees those before it, and counts as seen."""
        found = self.examine(records)
        return self._frame(found, records["source"])

    def examine(self, records: pl.DataFrame) -> Scored:
        """What `score` is made of; observes as `score` does."""
        coded = encode(records, self._vocabulary, self._places)
        found = judged(coded, self._memory, self.model, self.switches)
        self._watch.saw(coded.line.templates, coded.line.sources, coded.line.times)
        return replace(found, alarms=self._sessions.walk(coded, self.threshold_nats, story_of(records, coded)))

    def score_whole(
        self, records: pl.DataFrame, *, piece_rows: int | None = None, progress: Callable[[int], None] | None = None
    ) -> pl.DataFrame:
        """As `score` of records after which nothing comes: sessions strange as a whole stand at their last lines.

        With `piece_rows` so many at a time, with the same verdicts; `progress` is told how many are done.
        """
        scored, done = [], 0
        for piece in records.iter_slices(piece_rows or max(records.height, 1)):
            scored.append(self.score(piece))
            done += piece.height
            if progress is not None:
                progress(done)
        verdicts = pl.concat(scored) if scored else self.score(records)
        return attach(verdicts, records["event_id"], self._sessions.close(self.threshold_nats), self.model)

    def peek(self, records: pl.DataFrame) -> pl.DataFrame:
        """Verdicts as `score` would give them, each line seeing those before it; nothing counts as seen."""
        if records.is_empty():
            return pl.DataFrame(schema=VERDICT_SCHEMA)
        with self._vocabulary.borrowed():
            found = self._run_and_forget(encode(records, self._vocabulary, self._places))
            return self._frame(found, records["source"])

    def peek_one(self, record: One) -> Verdict:
        """The verdict on one line, fast; nothing counts as seen."""
        with self._vocabulary.borrowed():
            coded = encode_one(record, self._vocabulary, self._places)
            return self._verdict(self._run_and_forget(coded), record.source)

    def templates_of(self, messages: Sequence[str]) -> list[str]:
        """The template that each message has by now, as verdicts show it; nothing is learnt."""
        scanned = scan(*join(headlines(pl.Series(messages, dtype=pl.String))))
        with self._vocabulary.borrowed():
            read = (self._vocabulary.meaning(int(scanned.masked[i]), scanned, i) for i in range(len(messages)))
            return [self._template(meaning) for meaning in read]

    def score_one(self, record: One) -> Verdict:
        """The verdict on one line, which counts as seen."""
        coded = encode_one(record, self._vocabulary, self._places)
        found = judged(coded, self._memory, self.model, self.switches)
        self._watch.saw(coded.line.templates, coded.line.sources, coded.line.times)
        alarms = self._sessions.walk(coded, self.threshold_nats, story_of_one(record, coded))
        return self._verdict(replace(found, alarms=alarms), record.source)

    def state(self) -> bytes:
        """All that was seen, to go on with after a restart or under another model."""
        extra = {"vocabulary": self._vocabulary.parts(), "watch": self._watch.parts(), "model": self.model.version}
        return pack(self._memory, extra, self._sessions.state())

    def begin_to_listen(self, now: datetime) -> None:
        """From here on lines come to this scorer: what is overdue already, by what the training saw, is not missed."""
        self._watch.forget_overdue(now.timestamp())

    def tick(self, now: datetime, attention: Attention = ALWAYS) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(records, verdicts) of what no line tells: silences that begin and end, strange sessions that are over.

        What could not be heard by `attention` is no silence.
        """
        silent, said = self._watch.tick(now, self.model, self.threshold_nats, attention)
        records, verdicts = self._told(self._sessions.tick(now, self.threshold_nats))
        return pl.concat([silent, records]), pl.concat([said, verdicts])

    def ended(self, *, for_good: bool = False) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(records, verdicts) of sessions that are over by the time of the newest line, and strange, since last asked.

        With `for_good` nothing more will come: what is rather over than not is over.
        """
        said = self._sessions.close(self.threshold_nats) if for_good else self._sessions.ended(self.threshold_nats)
        return self._told(said)

    def standing(self) -> dict[str, float]:
        """The highest nats that each session held was given so far, in flight or as a whole, by its id."""
        return self._sessions.standing()

    def _told(self, said: Sequence[SessionVerdict]) -> tuple[pl.DataFrame, pl.DataFrame]:
        return session_records(said, self.model, self.threshold_nats)

    def incidents(self, records: pl.DataFrame, verdicts: pl.DataFrame) -> pl.Series:
        """The incident that each row belongs to: one id for lines of one kind, template, actor, source and hour."""
        return incident_ids(records, verdicts)

    def _run_and_forget(self, coded: Coded) -> Scored:
        found = self._run_on_a_copy(coded)
        return replace(found, alarms=self._sessions.peek(coded, self.threshold_nats))

    def _run_on_a_copy(self, coded: Coded) -> Scored:
        n = len(coded.line.times)
        if n > MAX_UNDO_LINES:
            return judged(coded, self._memory.copy(), self.model, self.switches)
        counters = self._memory.counters.copy()
        memory = self._memory._replace(undo_log=UndoLog.sized(n * TOUCHES), counters=counters)
        try:
            return judged(coded, memory, self.model, self.switches)
        finally:
            roll_back(memory)

    def _frame(self, found: Scored, sources: pl.Series) -> pl.DataFrame:
        nats, n = found.nats, len(found.nats)
        strange: Booleans = nats >= self.threshold_nats
        kinds: list[str | None] = [None]
        reasons: list[list[str]] = [[]]
        at, place = np.flatnonzero(strange), np.zeros(n, np.int64)
        place[at] = 1 + np.arange(len(at))
        for a in range(0, len(at), MAX_EXPLAINED):
            rows = at[a : a + MAX_EXPLAINED]
            names = [name or "" for name in sources.gather(rows).to_list()]
            for told in self._teller.tell(found, rows, names, self.threshold_nats):
                kinds.append(told.kind)
                reasons.append(told.reasons)
        meanings, which = found.coded.meanings, found.coded.which
        texts = pl.Series([self._template(meaning) for meaning in meanings], dtype=pl.String)
        return pl.DataFrame(
            {
                "anomaly_score": nats_to_scores(nats),
                "nats": nats,
                "threshold": np.full(n, nats_to_score(self.threshold_nats)),
                "is_anomaly": strange,
                "kind": pl.Series(kinds, dtype=pl.String).gather(place),
                "reasons": pl.Series(reasons, dtype=pl.List(pl.String)).gather(place),
                "template": texts.gather(which),
                "model_version": pl.repeat(self.model.version, n, dtype=pl.String, eager=True),
                "confidence": pl.repeat(self.model.confidence, n, dtype=pl.String, eager=True),
            },
            schema=VERDICT_SCHEMA,
        )

    def _template(self, meaning: Meaning) -> str:
        return meaning.shown or self._vocabulary.template_text(meaning.template)

    def _verdict(self, found: Scored, source: str) -> Verdict:
        nats = float(found.nats[0])
        strange = nats >= self.threshold_nats
        at = np.zeros(int(strange), np.int64)
        told = next(iter(self._teller.tell(found, at, [source], self.threshold_nats)), None)
        return Verdict(
            nats_to_score(nats),
            nats,
            nats_to_score(self.threshold_nats),
            strange,
            told.kind if told else None,
            told.reasons if told else [],
            self._template(found.coded.meanings[0]),
            self.model.version,
            self.model.confidence,
        )
