"""Teach the reader of words from examples: `python -m sentinel.detect.learn.words` makes its weights anew.

Logistic regressions of scikit-learn, one for each concept and one for harmless. Takes wordings, gives weights; the
texts themselves are not kept in them.
"""

import hashlib
import json
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import MultiLabelBinarizer

from sentinel.detect.lexicon import Concept, Entry, learnt, read_built_in
from sentinel.detect.lexicon.learnt import HARMLESS, MADE, READ, Bounds, Learnt, read_features
from sentinel.detect.lexicon.learnt.kinds import words_of
from sentinel.detect.lexicon.reader import OF_KERNELS
from sentinel.detect.lexicon.spelling import fold
from sentinel.detect.read.text import join, scan
from sentinel.detect.tuning.lexicon import (
    MIN_EXAMPLES,
    OUT_OF_PLACE,
    PULL,
    RIGHT,
    RIGHT_OF_GRAVE,
    SURELY_RIGHT,
    WEIGHT_STEP,
)
from sentinel.durable import write_file
from sentinel.errors import TerminalError

__all__ = ["FOLDER", "Wording", "digest_of_sources", "examples", "read_wordings", "teach"]

FOLDER = Path(learnt.__file__).parent
"""Where kinds, examples and weights lie."""
NOT = "not "
LETTERS = "bdfgklmnprstvaeiou"
_GRAVE = {Concept.FAILED_LOGIN, Concept.WORKED_LOGIN, Concept.GRAVE_FAILURE}
OUTPUTS = (*(concept.value for concept in READ), HARMLESS)
ALSO = {Concept.GRAVE_FAILURE: Concept.FAILURE, Concept.FAILED_LOGIN: Concept.FAILURE}
"""What a text of a concept is, too."""
OPEN = {
    Concept.FAILURE: {Concept.CLIENT_ERROR, Concept.FILTERED, Concept.PROBE},
    Concept.PRIVILEGE: {Concept.WORKED_LOGIN, Concept.PROBE},
    Concept.CLIENT_ERROR: {Concept.PROBE, Concept.FAILURE},
}
"""Texts of which nobody says whether they are of the concept: they teach it nothing."""


class Wording(NamedTuple):
    """A masked text and what it is about: a concept, harmless, or "not " and the concept that it is none of."""

    language: str
    concept: str
    masked: str
    sensitive: bool  # whether kernels find a probe in it


def read_wordings(path: Path) -> Iterator[Wording]:
    """The wordings of a TOML file, masked as lines are. Raises TerminalError for a file of another form."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        language = str(table["language"])
        wordings = [(str(row["concept"]), [str(text) for text in row["texts"]]) for row in table["wording"]]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise TerminalError(f"read wordings: {path}: not of the form that docs/commands.md tells ({exc!r})") from exc
    for concept, texts in wordings:
        if concept != HARMLESS and concept not in set(Concept):
            raise TerminalError(f"read wordings: {path}: {concept!r} is none of {', '.join(Concept)}, {HARMLESS}")
        yield from _masked(language, concept, texts)


def _masked(language: str, concept: str, texts: Sequence[str]) -> Iterator[Wording]:
    scanned = scan(*join(pl.Series(texts, dtype=pl.String)))
    for i in range(len(texts)):
        masked = scanned.text(i).replace("<ZERO>", "0")  # as `flags_of` reads a line
        yield Wording(language, concept, masked, bool(scanned.sensitive[i]))


def examples(folder: Path = FOLDER / "examples", entries: Iterable[Entry] | None = None) -> list[Wording]:
    """What is taught: the wordings of a folder, and the examples of the lexicon's own entries."""
    found = [wording for path in sorted(folder.glob("*.toml")) for wording in read_wordings(path)]
    for entry in read_built_in() if entries is None else entries:
        if entry.concept not in (*OF_KERNELS, Concept.OPPOSITE):
            found += _masked(entry.language, entry.concept, entry.matches)
            found += _masked(entry.language, NOT + entry.concept, entry.not_matches)
    return found


def teach(wordings: Sequence[Wording], made_of: str = "") -> Learnt:
    """A reader that learnt these wordings: the same for the same wordings.

    It is taught besides that a word alone, among words that nobody knows, says nothing. How sure a text has to be is
    found on wordings that were left out, the files (`language`) one after the other: of those that read as a concept,
    the share RIGHT is of it (RIGHT_OF_GRAVE of what must not be missed). With one file alone, even odds do.
    """
    taught = _weigh(wordings, made_of)
    several = len({wording.language for wording in wordings}) > 1
    return replace(taught, bounds=_bounds(wordings)) if several else taught


def _weigh(wordings: Sequence[Wording], made_of: str = "") -> Learnt:
    """Weights, with bounds at even odds."""
    features = read_features()
    wordings = [*wordings, *_out_of_place(wordings)]
    found = [features(wording.masked)[1] for wording in wordings]
    counts = Counter(feature for of_text in found for feature in of_text)
    weighed = {feature for feature, count in counts.items() if count >= MIN_EXAMPLES}
    known = sorted(weighed)
    matrix = MultiLabelBinarizer(classes=known, sparse_output=True).fit_transform(
        [of_text & weighed for of_text in found]
    )
    columns = [_weights(matrix, np.array([_is(w.concept, output) for w in wordings])) for output in OUTPUTS]
    table = np.rint(np.array(columns).T / WEIGHT_STEP).astype(int)
    weights = {feature: row.tolist() for feature, row in zip(known, table[1:], strict=True) if row.any()}
    return Learnt(features, table[0].tolist(), weights, Bounds([0] * len(READ), 0, 0, 0), made_of)


def _bounds(wordings: Sequence[Wording]) -> Bounds:
    """How much weights have to say, by what they say of one file's wordings, taught with all others."""
    told: list[tuple[Wording, frozenset[str], Sequence[int]]] = []
    for language in sorted({wording.language for wording in wordings}):
        others = _weigh([wording for wording in wordings if wording.language != language])
        left_out = [wording for wording in wordings if wording.language == language]
        told += [(wording, *others.says(wording.masked)) for wording in left_out]
    says = np.array([values for _, _, values in told])
    may = [np.array([concept in possible for _, possible, _ in told]) for concept in READ]
    right = [np.array([_is(wording.concept, output) for wording, _, _ in told]) for output in OUTPUTS]
    some = np.any(may, axis=0) & (right[-1] >= 0)
    harmless, surely = (_least(says[some, -1], right[-1][some], share) for share in (RIGHT, SURELY_RIGHT))
    asked = [ok & (truth >= 0) & (says[:, -1] < harmless) for ok, truth in zip(may, right, strict=False)]
    least = [
        _least(says[ok, i], right[i][ok], RIGHT_OF_GRAVE if concept in _GRAVE else RIGHT)
        for i, (concept, ok) in enumerate(zip(READ, asked, strict=True))
    ]
    i = READ.index(Concept.CLIENT_ERROR)
    return Bounds(least, harmless, surely, _least(says[asked[i], i], right[i][asked[i]], SURELY_RIGHT))


def _least(says: np.ndarray, right: np.ndarray, share: float) -> int:
    """The least value at which that share of what says as much or more is right; the greatest where none does."""
    order = np.argsort(-says, kind="stable")
    shares = np.cumsum(right[order] == 1) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(shares >= share)
    return int(says[order][enough[-1] if len(enough) else 0]) if len(order) else 0


def _out_of_place(wordings: Sequence[Wording]) -> Iterator[Wording]:
    """Words of the wordings, each among made-up ones: harmless."""
    dice = random.Random(0)  # noqa: S311  # nothing secret is drawn
    words = sorted({word for wording in wordings for word in words_of(fold(wording.masked))})
    for _ in range(OUT_OF_PLACE):
        made = ["".join(dice.choices(LETTERS, k=dice.randint(3, 9))) for _ in range(dice.randint(2, 7))]
        made[dice.randrange(len(made))] = dice.choice(words)
        yield Wording("", HARMLESS, " ".join(made), sensitive=False)


def _weights(matrix: Any, labels: np.ndarray) -> np.ndarray:
    """What one output begins with, and its weight for each feature (the columns of a sparse matrix of 0 and 1)."""
    asked = labels >= 0
    fitted = LogisticRegression(C=PULL, class_weight="balanced", solver="liblinear", max_iter=1_000)
    fitted.fit(matrix[asked], labels[asked])
    return np.concatenate([fitted.intercept_, fitted.coef_[0]])


def _is(concept: str, output: str) -> int:
    """1 where a text of the concept is of the output, 0 where it is not, -1 where it says nothing of it."""
    if concept.startswith(NOT):
        return 0 if concept == NOT + output else -1
    if output == HARMLESS:
        return int(concept in (HARMLESS, Concept.DENIED))
    if output in (concept, ALSO.get(Concept(concept)) if concept != HARMLESS else None):
        return 1
    return -1 if concept in OPEN.get(Concept(output), ()) else 0


def digest_of_sources() -> str:
    """SHA-256, in hex, over all that the weights are learnt from."""
    digest = hashlib.sha256()
    for path in (FOLDER / "kinds.toml", *sorted((FOLDER / "examples").glob("*.toml"))):
        digest.update(path.read_bytes())
    told = [[str(e.concept), e.matches, e.not_matches] for e in read_built_in()]
    digest.update(json.dumps([told, PULL, MIN_EXAMPLES, WEIGHT_STEP, RIGHT, RIGHT_OF_GRAVE, SURELY_RIGHT]).encode())
    return digest.hexdigest()


def _written(made: Learnt) -> str:
    """A reader as JSON, a feature a line."""
    rows = ",\n".join(f"{json.dumps(key, ensure_ascii=False)}:{_row(row)}" for key, row in made.weights.items())
    bounds = json.dumps(made.bounds)
    begin = f'{{"made_of":"{made.made_of}",\n"start":{_row(made.start)},\n"bounds":{bounds},\n'
    return f'{begin}"weights":{{\n{rows}\n}}}}\n'


def _row(values: Sequence[int]) -> str:
    return json.dumps(list(values), separators=(",", ":"))


if __name__ == "__main__":
    taught = teach(examples(), digest_of_sources())
    write_file(FOLDER / MADE, _written(taught).encode(), mode=0o644)
    sys.stdout.write(f"learnt {len(taught.weights)} weights → {FOLDER / MADE}\n")
