"""A trained model as plain values: what the server needs to score, and how it goes into files and comes back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from sentinel.detect.judge.features import FEATURES
from sentinel.detect.judge.outcomes import Outcomes
from sentinel.detect.judge.surprise import Baseline
from sentinel.detect.judge.tails import Tails
from sentinel.detect.judge.trees import Trees
from sentinel.detect.kernel.jit import Floats, Hashes, Integers
from sentinel.detect.read.drain import Drain
from sentinel.detect.read.outcomes import Slot
from sentinel.detect.read.text import Vocabulary
from sentinel.detect.sessions.fit import SessionRules
from sentinel.errors import OutdatedModelError

__all__ = ["Model"]

FORMAT = 4


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that was learnt. A warm-up model (`confidence` low) has no trees and no tails."""

    version: str
    trained_at: datetime
    rows: int
    confidence: str  # "low" or "normal"
    threshold_nats: float
    seed: int
    span: tuple[float, float]  # first and last training line, seconds since 1970
    template_keys: Hashes
    template_texts: tuple[str, ...]
    source_hashes: Hashes
    source_names: tuple[str, ...]
    word_hashes: Hashes
    word_rarities: Floats
    unseen_word: float
    baseline: Baseline
    tails: Tails
    tail_places: Integers
    calibration: Tails
    volume_nats: float  # what a line pays where there are many, see `combine`
    outcomes: Outcomes
    trees: Trees | None
    flagged_share: float  # of the training lines, each judged by tables of earlier lines only
    quantiles: Floats  # (q, 2): share of training lines, nats that this share does not exceed
    watched: Floats  # (w, 4): see `watchdog`
    watched_keys: Hashes  # (w, 2): template, source
    sessions: tuple[SessionRules, ...] = ()  # one for each kind of session that could be learnt
    session_figures: dict[str, float] = field(default_factory=dict)  # what was found of every kind
    manners: Integers = field(default_factory=lambda: np.zeros(0, np.int64))  # (t,): see `learn_manners`
    template_seen: Floats = field(
        default_factory=lambda: np.zeros(0)
    )  # (t,) last time in training, s; NaN: none taught
    slots: dict[int, Slot] = field(default_factory=dict)  # places of codes and states that always showed one of a few
    feature_names: tuple[str, ...] = FEATURES
    reads_fields: bool = True  # whether its texts hold fields that stood beside messages; those of before hold none

    @property
    def is_warm_up(self) -> bool:
        """Whether there were too few lines for a forest."""
        return self.trees is None

    def vocabulary(self) -> Vocabulary:
        """The model's templates and words, ready to read messages."""
        known = Drain(zip(self.template_keys.tolist(), self.template_texts, strict=True))
        rarities = dict(zip(self.word_hashes.tolist(), self.word_rarities.tolist(), strict=True))
        return Vocabulary(
            known,
            rarities,
            self.unseen_word,
            float(self.baseline.cap[0]),
            self.slots,
            self.manners.tolist(),
            reads_fields=self.reads_fields,
        )

    def last_seen(self) -> dict[str, float]:
        """When each template last came in training, seconds since 1970; NaN where that is not known."""
        seen = self.template_seen if len(self.template_seen) else np.full(len(self.template_texts), np.nan)
        found: dict[str, float] = {}
        for text, at_s in zip(self.template_texts, seen.tolist(), strict=True):
            found[text] = np.fmax(found.get(text, np.nan), at_s)
        return found

    def quantile_nats(self, share: float) -> float:
        """The nats that a share (0…1) of the training lines did not exceed: what a budget turns into a threshold."""
        return float(np.interp(share, self.quantiles[:, 0], self.quantiles[:, 1]))

    def to_parts(self) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
        """Arrays by name and a JSON-able table: all of the model."""
        arrays: dict[str, np.ndarray[Any, Any]] = {name: getattr(self, name) for name in (*_ARRAYS, *_LATER)}
        for name in _TUPLES:
            part = getattr(self, name)
            arrays.update({f"{name}.{field}": getattr(part, field) for field in part._fields})
        if self.trees is not None:
            arrays.update({f"trees.{name}": array for name, array in self.trees.to_arrays().items()})
        for i, rules in enumerate(self.sessions):
            arrays.update({f"sessions.{i}.{name}": array for name, array in rules.to_arrays().items()})
        tables: dict[str, Any] = {name: getattr(self, name) for name in _TABLES}
        tables |= {
            "format": FORMAT,
            "trained_at": self.trained_at.isoformat(),
            "span": list(self.span),
            "template_texts": list(self.template_texts),
            "source_names": list(self.source_names),
            "feature_names": list(self.feature_names),
            "session_figures": self.session_figures,
            "reads_fields": self.reads_fields,
            "slots": [[place, slot.values, slot.lines, slot.nats] for place, slot in self.slots.items()],
        }
        return arrays, tables

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray[Any, Any]], tables: dict[str, Any]) -> "Model":
        """The inverse of `to_parts`. Raises OutdatedModelError for the parts of a model of another release."""
        try:
            if tables["format"] != FORMAT or tuple(tables["feature_names"]) != FEATURES:
                raise OutdatedModelError(f"read model {tables.get('version')!r}: made for other features; train again")
            values: dict[str, Any] = {name: tables[name] for name in _TABLES}
            values |= {name: np.ascontiguousarray(arrays[name]) for name in _ARRAYS}
            values |= {name: np.ascontiguousarray(arrays[name]) for name in _LATER if name in arrays}
            values |= {name: _tuple(kind, name, arrays) for name, kind in _TUPLES.items()}
            return cls(
                **values,
                trained_at=datetime.fromisoformat(tables["trained_at"]),
                span=(float(tables["span"][0]), float(tables["span"][1])),
                template_texts=tuple(tables["template_texts"]),
                source_names=tuple(tables["source_names"]),
                trees=_trees(arrays),
                sessions=tuple(_sessions(arrays)),
                session_figures=dict(tables["session_figures"]),
                reads_fields=bool(tables.get("reads_fields", False)),
                slots={
                    int(place): Slot(tuple(values), int(lines), float(nats))
                    for place, values, lines, nats in tables["slots"]
                },
            )
        except (KeyError, TypeError, ValueError, IndexError) as exc:
            raise OutdatedModelError(f"read model: its parts are incomplete ({exc!r}); train again") from exc


_TABLES = ("version", "rows", "confidence", "threshold_nats", "seed", "unseen_word", "volume_nats", "flagged_share")
_ARRAYS = (
    "template_keys",
    "source_hashes",
    "word_hashes",
    "word_rarities",
    "tail_places",
    "quantiles",
    "watched",
    "watched_keys",
)
_LATER = ("manners", "template_seen")  # models of before have none
_TUPLES: dict[str, Any] = {"baseline": Baseline, "tails": Tails, "calibration": Tails, "outcomes": Outcomes}


def _tuple(kind: Any, name: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    return kind(*(np.ascontiguousarray(arrays[f"{name}.{field}"]) for field in kind._fields))


def _trees(arrays: dict[str, np.ndarray[Any, Any]]) -> Trees | None:
    found = {name.removeprefix("trees."): array for name, array in arrays.items() if name.startswith("trees.")}
    return Trees.from_arrays(found) if found else None


def _sessions(arrays: dict[str, np.ndarray[Any, Any]]) -> Iterator[SessionRules]:
    for i in range(len({name.split(".")[1] for name in arrays if name.startswith("sessions.")})):
        head = f"sessions.{i}."
        yield SessionRules.from_arrays(
            {name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)}
        )
