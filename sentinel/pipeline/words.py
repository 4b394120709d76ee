"""What people said, on verdicts: thresholds of their own, false alarms kept quiet, what is real ranked higher."""

import logging
from weakref import WeakKeyDictionary

import msgspec
import polars as pl

from sentinel.detect import Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.detect.judge.nats import nats_to_scores
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.lexicon.words import flags_of
from sentinel.incidents.feedback import REAL_NATS, Case, Word, Words, counted
from sentinel.pipeline.said import read_loudness, read_words
from sentinel.records import VERDICT_SCHEMA
from sentinel.spool import Spool

__all__ = ["Heard"]

log = logging.getLogger(__name__)

WATCHDOG = "watchdog"
MAX_READ = 10  # lines of a word that are read again under another model
_READ: WeakKeyDictionary[Scorer, dict[str, tuple[str, ...]]] = WeakKeyDictionary()
"""What each scorer reads in the lines of a word, by its id: a word is asked for each second."""


class Heard:
    """What was said up to a moment, ready for many verdicts. `setting` is the threshold where nobody set one."""

    def __init__(self, spool: Spool, setting: float, now_s: float) -> None:
        self._setting = setting
        self.loudness = read_loudness(spool)
        self._said, self._now_s = read_words(spool), now_s
        self.words = Words(self._said, now_s)
        self._is_plain = not (self.words.has_false or self.words.has_real or self.loudness.sources)

    def tune(self, scorer: Scorer) -> None:
        """Let the scorer explain all that may alarm; `apply` decides what does.

        Templates change as models learn: a word is about those that its lines have under this scorer, too.
        """
        if self.words.has_false or self.words.has_real:
            self.words = Words([_as_read_now(word, scorer) for word in self._said], self._now_s)
        lowest = self.loudness.lowest(self._setting)
        scorer.threshold_nats = lowest - REAL_NATS if self.words.has_real else lowest

    def apply(self, records: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
        """The verdicts (VERDICT_SCHEMA) of a tuned scorer as what was said makes them, in their order."""
        if self._is_plain or verdicts.is_empty():
            return verdicts
        limits = self._limits(records["source"])
        raised = self._raised(records, verdicts)
        told = verdicts["is_anomaly"] & (records["origin"] == WATCHDOG).fill_null(value=False)
        alarms = told | (raised >= limits)
        judged = verdicts.with_columns(
            raised.alias("nats"),
            nats_to_scores(raised).alias("anomaly_score"),
            nats_to_scores(limits).alias("threshold"),
            alarms.alias("is_anomaly"),
        )
        judged = judged.with_columns(
            pl.when("is_anomaly").then("kind").alias("kind"),
            pl.when("is_anomaly").then("reasons").otherwise(pl.lit([], dtype=pl.List(pl.String))).alias("reasons"),
        )
        return self._quieted(records, judged.select(*VERDICT_SCHEMA)) if self.words.has_false else judged

    def _limits(self, sources: pl.Series) -> pl.Series:
        everywhere = self.loudness.nats(self._setting)
        if not self.loudness.sources:
            return pl.Series([everywhere], dtype=pl.Float64).new_from_index(0, len(sources))
        own = {name: level.nats for name, level in self.loudness.sources.items()}
        return sources.replace_strict(own, default=everywhere, return_dtype=pl.Float64)

    def _raised(self, records: pl.DataFrame, verdicts: pl.DataFrame) -> pl.Series:
        """Nats, more where the line is one of those that were called real."""
        nats = verdicts["nats"]
        if not self.words.has_real:
            return nats
        names = self.words.real_names()
        columns = {"template": verdicts["template"], "source": records["source"]}
        if names["actor"] or names["line"]:
            columns["actor"] = pl.Series(actors_of(records), dtype=pl.String)
            columns["line"] = columns["template"] + "\0" + columns["source"].fill_null("") + "\0" + columns["actor"]
        hit = pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(nats))
        for scope, values in columns.items():
            if names[scope]:
                hit = hit | values.is_in(list(names[scope])).fill_null(value=False)
        return nats + REAL_NATS * hit.cast(pl.Float64)

    def _quieted(self, records: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
        """The verdicts with false alarms that were told before no anomalies any more; the reason says so."""
        rows = verdicts["is_anomaly"].arg_true()
        if rows.is_empty():
            return verdicts
        found, strange = records[rows], verdicts[rows]
        actors = actors_of(found)
        changed = []
        for row, verdict, source, actor in zip(
            rows.to_list(), strange.iter_rows(named=True), found["source"].to_list(), actors, strict=True
        ):
            word = self.words.covering(_case(verdict, source or "", actor))
            if word is not None:
                said = f"called a false alarm by a person ({word.id})"
                changed.append({"row": row, "is_anomaly": False, "reasons": [said, *verdict["reasons"]]})
        if not changed:
            return verdicts
        schema = {"row": pl.UInt32(), "is_anomaly": pl.Boolean(), "reasons": pl.List(pl.String())}
        quiet = pl.DataFrame(changed, schema=schema)
        return verdicts.with_row_index("row").update(quiet, on="row").select(*VERDICT_SCHEMA)


def _as_read_now(word: Word, scorer: Scorer) -> Word:
    """The word with the templates that the lines which it was said of have under a scorer."""
    known = _READ.setdefault(scorer, {})
    if word.id not in known:
        known[word.id] = tuple(dict.fromkeys(scorer.templates_of(word.messages[:MAX_READ])))
    more = tuple(template for template in known[word.id] if template not in word.templates)
    if not more:
        return word
    lines = tuple((template, source, actor) for template in more for _, source, actor in word.lines)
    lines = tuple(dict.fromkeys((*word.lines, *lines)))
    return msgspec.structs.replace(word, templates=(*word.templates, *more), lines=lines)


def _case(verdict: dict[str, object], source: str, actor: str) -> Case:
    template = str(verdict["template"] or "")
    nats = verdict["nats"]
    assert isinstance(nats, float)
    reasons = verdict["reasons"]
    assert isinstance(reasons, list)
    grave = bool(flags_of(template) & Flag.GRAVE)
    return Case(template, source, actor, str(verdict["kind"] or ""), nats, grave, counted(reasons))
