"""Give templates small numbers, with what each means to the session pass; say what open sessions hold."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.jit import Floats, Hashes, Integers
from sentinel.detect.lexicon.words import flags_of
from sentinel.detect.sessions import session_arrays as sa
from sentinel.detect.sessions.content import Content
from sentinel.detect.sessions.fit import SessionRules
from sentinel.detect.sessions.model import Tail
from sentinel.detect.sessions.parts import EXTRA, FAILING, OFTEN, PARTS
from sentinel.detect.tuning.sessions import FEW_OF_NUMBERS as FEW
from sentinel.detect.tuning.sessions import MAX_NUMBERS, PART_CAP_NATS

__all__ = ["Numbers", "content_of"]

OTHER_KIND = -1


class Numbers:
    """The numbers of templates, 1…65,535, in the order in which they are met; `tables` says what each means.

    `known` are the model's templates (those of another kind of session do not count), `text` gives a template's text.
    """

    def __init__(self, rules: SessionRules, known: Iterable[int], text: Callable[[int], str]) -> None:
        self._rules, self._text = rules, text
        self._places = {key: i for i, key in enumerate(rules.model.usual.keys.tolist())}
        self._own, self._known = frozenset(rules.templates.tolist()), frozenset(known)
        self.tables = _tables(rules)
        self.keys: list[int] = [0]
        self._numbers: dict[int, int] = {}

    def is_of_use(self, template: int) -> bool:
        """Whether a line of this template can belong to a session of this kind."""
        return template in self._own or template not in self._known

    def number(self, key: int) -> int:
        """The number of a template, given when it is first asked for."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self.keys)
            self.keys.append(key)
            self._describe(key, found)
        return found

    def numbers(self, templates: Hashes) -> Integers:
        """The numbers of the templates of lines."""
        if len(templates) == 1:
            return np.array([self.number(int(templates[0]))])
        distinct, first, which = np.unique(templates, return_index=True, return_inverse=True)
        found = np.empty(len(distinct), np.int64)
        for k in np.argsort(first).tolist():
            found[k] = self.number(int(distinct[k]))
        return found[which]

    def forget_beyond(self, count: int) -> None:
        """Take back the numbers that were given after there were `count`."""
        for key in self.keys[count:]:
            del self._numbers[key]
        del self.keys[count:]

    def start_again(self, keys: list[int]) -> None:
        """Number these templates, in this order, and no others."""
        self.keys, self._numbers = [0], {}
        for key in keys:
            self.number(key)

    def shorten(self, held: sa.Open) -> None:
        """Where there are too many, forget the numbers that no open session holds."""
        if len(self.keys) <= MAX_NUMBERS:
            return
        steps = held.head[:, [sa.BEFORE, sa.WORST_A, sa.WORST_B]].astype(np.int64)
        used = np.unique(np.concatenate([(held.cells >> sa.COUNT_BITS).ravel(), steps.ravel()])).astype(np.int64)
        used = used[used > 0]
        new = np.zeros(len(self.keys), np.int64)
        new[used] = np.arange(1, len(used) + 1)
        held.cells[:] = (new[held.cells >> sa.COUNT_BITS] << sa.COUNT_BITS) + (held.cells & sa.MAX_COUNT)
        held.head[:, [sa.BEFORE, sa.WORST_A, sa.WORST_B]] = new[steps]
        self.start_again([self.keys[i] for i in used.tolist()])

    def texts(self, keys: Hashes) -> dict[int, str]:
        """The texts of templates that the rules may not know."""
        return {key: self._text(key) for key in keys.tolist()}

    def text(self, number: int) -> str:
        """The template of a number."""
        return self._text(self.keys[number])

    def _describe(self, key: int, number: int) -> None:
        usual, v = self._rules.model.usual, len(self._rules.model.usual.keys)
        if number >= len(self.tables.code):
            self._make_room(2 * number)
        tables, place = self.tables, self._places.get(key, -1)
        if place >= 0:
            code, fails = place, bool(usual.failing[place])
        elif self.is_of_use(key):
            code, fails = v + 1, bool(flags_of(self._text(key)) & Flag.BAD)
        else:
            code, fails = OTHER_KIND, False
        tables.code[number], tables.fails[number] = code, fails
        tables.timeout[number] = self._rules.timeouts[min(code, v)]

    def _make_room(self, size: int) -> None:
        tables = self.tables
        columns: list[Any] = [np.zeros(size, column.dtype) for column in (tables.code, tables.fails, tables.timeout)]
        for column, old in zip(columns, (tables.code, tables.fails, tables.timeout), strict=True):
            column[: len(old)] = old
        self.tables = tables._replace(code=columns[0], fails=columns[1], timeout=columns[2])


def _tail(tail: Tail, column: int) -> sa.Tail1:
    return sa.Tail1(*(np.ascontiguousarray(getattr(tail, name)[:, column]) for name in Tail.__slots__))


def _tables(rules: SessionRules) -> sa.Rules:
    """The rules as the kernel takes them; the templates' own columns are still empty."""
    usual, model = rules.model.usual, rules.model
    others = np.delete(model.part_tail.nats(np.zeros((1, len(PARTS))))[0], [EXTRA, OFTEN, FAILING])
    return sa.Rules(
        code=np.full(FEW, OTHER_KIND),
        fails=np.zeros(FEW, np.bool_),
        timeout=np.zeros(FEW),
        opens=rules.opens,
        up=np.ascontiguousarray(usual.up, np.float64),
        most=np.ascontiguousarray(usual.most, np.int64),
        pairs=np.ascontiguousarray(usual.pairs, np.int64),
        pair_nats=np.ascontiguousarray(usual.pair_nats, np.float64),
        other_nats=np.ascontiguousarray(usual.other_nats, np.float64),
        unseen_nats=float(usual.unseen_nats),
        ceiling=float(usual.ceiling),
        extra=_tail(model.part_tail, EXTRA),
        often=_tail(model.part_tail, OFTEN),
        failing=_tail(model.part_tail, FAILING),
        norm=_tail(model.norm_tail, 0),
        rest=float((others**2).sum()),
        cap=PART_CAP_NATS,
        longest_s=float(rules.timeouts.max()),
    )


def content_of(rules: SessionRules, numbers: Numbers, there: sa.Log, *, ended: bool) -> Content:
    """What these sessions hold; with `ended` the step out of them counts too."""
    usual, tables = rules.model.usual, numbers.tables
    v, n = len(usual.keys), len(there.keys)
    cells, head = there.cells.astype(np.int64), there.head
    row, column = np.nonzero(cells)
    row, column = (part[tables.code[cells[row, column] >> sa.COUNT_BITS] >= 0] for part in (row, column))
    number, times = cells[row, column] >> sa.COUNT_BITS, cells[row, column] & sa.MAX_COUNT
    keys = np.array(numbers.keys, np.uint64)
    never = tables.code[number] > v
    unseen = np.unique(keys[number[never]])
    code = tables.code[number].copy()
    code[never] = v + np.searchsorted(unseen, keys[number[never]])
    order = np.lexsort((code, row))
    before, steps, worst, worst_nats = _steps(tables, head, v)
    if ended:
        out = usual.step_nats(before, np.full(n, v))
        steps = (steps + out) / (head[:, sa.LINES] + 1.0)
        beats = out >= worst_nats
        worst[beats, 0], worst[beats, 1], worst_nats[beats] = before[beats], v, out[beats]
    else:
        steps = steps / head[:, sa.LINES]
    texts = numbers.texts(unseen)
    fails = np.array([bool(flags_of(texts[key]) & Flag.BAD) for key in unseen.tolist()], bool)
    return Content(n, row[order], code[order], times[order], steps, worst, worst_nats, unseen, fails)


def _steps(tables: sa.Rules, head: Floats, v: int) -> tuple[Integers, Floats, Integers, Floats]:
    """Of each session: the code of its last template, the sum of its steps, the worst step and its nats."""
    numbers = head[:, [sa.BEFORE, sa.WORST_A, sa.WORST_B]].astype(np.int64)
    codes = np.where(numbers > 0, np.where(tables.code[numbers] < 0, v + 1, tables.code[numbers]), v)
    return (
        codes[:, 0],
        head[:, sa.STEPS].copy(),
        codes[:, 1:].copy(),
        head[:, sa.WORST_NATS].copy(),
    )
