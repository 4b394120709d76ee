"""What sessions hold, as arrays: counts of templates, and their steps from template to template."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.jit import Floats, Hashes, Integers
from sentinel.detect.lexicon.words import flags_of

if TYPE_CHECKING:
    from sentinel.detect.sessions.parts import Usual

__all__ = ["Content", "contents", "failing", "flat", "steps_of"]


class Content(NamedTuple):
    """What n sessions hold. `row`, `code`, `times`: one entry a session and template (code ≥ known: never seen).

    `steps` (n,): mean surprise of its transitions, nats; `worst` (n, 2): the codes of the most surprising one, and
    `worst_nats` (n,); `unseen` and `unseen_failing`: keys of the codes never seen, and whether they read as failures.
    """

    sessions: int
    row: Integers
    code: Integers
    times: Integers
    steps: Floats
    worst: Integers
    worst_nats: Floats
    unseen: Hashes
    unseen_failing: npt.NDArray[np.bool_]


def flat(sequences: Sequence[Sequence[int]]) -> tuple[Hashes, Integers]:
    """All keys one after another, and where each sequence begins (n + 1 offsets)."""
    offsets = np.zeros(len(sequences) + 1, np.int64)
    np.cumsum([len(sequence) for sequence in sequences], out=offsets[1:])
    keys = np.fromiter((key for sequence in sequences for key in sequence), np.uint64, int(offsets[-1]))
    return keys, offsets


def contents(usual: "Usual", sequences: Sequence[Sequence[int]], texts: Mapping[int, str]) -> Content:
    """What each session, a sequence of template keys in order, holds; `texts`: templates of keys never seen."""
    keys, offsets = flat(sequences)
    code, unseen = usual.code(keys)
    n = len(sequences)
    row = np.repeat(np.arange(n), np.diff(offsets))
    width = len(usual.keys) + len(unseen)
    cells, count = np.unique(row * width + code, return_counts=True)
    before, after, owner = steps_of(code, row, offsets, len(usual.keys))
    nats = usual.step_nats(before, after)
    steps = np.bincount(owner, nats, n) / np.maximum(np.bincount(owner, minlength=n), 1)
    worst, worst_nats = np.zeros((n, 2), np.int64), np.zeros(n)
    order = np.argsort(nats, kind="stable")  # the last one written stays: the highest
    worst[owner[order], 0], worst[owner[order], 1] = before[order], after[order]
    worst_nats[owner[order]] = nats[order]
    return Content(
        n, cells // width, cells % width, count, steps, worst, worst_nats, unseen, failing(unseen, texts)
    )  # fmt: skip


def failing(keys: Hashes, texts: Mapping[int, str]) -> npt.NDArray[np.bool_]:
    """Whether each key's template reads as a failure (keys without a text do not)."""
    return np.array([bool(flags_of(texts.get(int(key), "")) & Flag.BAD) for key in keys.tolist()], bool)


def steps_of(code: Integers, row: Integers, offsets: Integers, outside: int) -> tuple[Integers, Integers, Integers]:
    """Every transition (from, to, session), those from and to the outside among them; the never seen are one."""
    shifted = np.where(code >= outside, outside + 1, code)
    filled = np.diff(offsets) > 0
    first, last = offsets[:-1][filled], offsets[1:][filled] - 1
    own = np.flatnonzero(filled)
    inner = np.flatnonzero(row[1:] == row[:-1])
    edge = np.full(len(own), outside, np.int64)
    before = np.concatenate([edge, shifted[inner], shifted[last]])
    after = np.concatenate([shifted[first], shifted[inner + 1], edge])
    return before, after, np.concatenate([own, row[inner], own])
