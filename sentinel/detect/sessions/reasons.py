"""Say in words what is strange about a session, most telling first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sentinel.counted import counted
from sentinel.detect.kernel.jit import Floats, Integers
from sentinel.detect.sessions.content import Content
from sentinel.detect.sessions.parts import PARTS, Usual
from sentinel.detect.tuning.sessions import MAX_PER_PART, MAX_REASONS, MIN_ENTRY_NATS, MIN_PART_NATS, TEXT_LENGTH

__all__ = ["reasons_of"]


def reasons_of(
    usual: Usual, content: Content, tails: Floats, chosen: Sequence[int], texts: Mapping[int, str]
) -> Iterator[tuple[str, ...]]:
    """For each chosen session at most three reasons, those of the least probable part first; `tails` (n, 7) nats."""
    if not len(chosen):
        return
    order = np.argsort(content.row, kind="stable")
    rows = content.row[order]
    teller = _Teller(usual, content, usual.extra_nats(content), usual.often_nats(content), texts)
    for i in chosen:
        own = order[np.searchsorted(rows, i) : np.searchsorted(rows, i, side="right")]
        said: list[str] = []
        for part in np.argsort(-tails[i], kind="stable").tolist():
            if tails[i, part] >= MIN_PART_NATS:
                said.extend(teller.tell(PARTS[part], i, own))
        yield tuple(dict.fromkeys(said))[:MAX_REASONS]


@dataclass(frozen=True, slots=True)
class _Teller:
    usual: Usual
    content: Content
    extra: Floats
    often: Floats
    texts: Mapping[int, str]

    def tell(self, part: str, i: int, own: Integers) -> list[str]:
        """What there is to say of one part of session i, whose entries are `own`."""
        if part in ("missing", "less"):
            return self._fewer(own, missing=part == "missing")
        if part == "order":
            return self._order(i)
        if part == "far":
            return ["as a whole unlike every session learnt from"]
        more = (self.often if part == "often" else self.extra)[own]
        if part == "failing":
            reads = np.append(self.usual.failing, self.content.unseen_failing)[self.content.code[own]]
            more = np.where(reads, more, 0.0)
        first = np.argsort(-more, kind="stable")[:MAX_PER_PART]
        return [self._more(int(own[k])) for k in first if more[k] >= MIN_ENTRY_NATS]

    def _name(self, code: int) -> str:
        v = len(self.usual.keys)
        key = int(self.usual.keys[code]) if code < v else int(self.content.unseen[code - v])
        text = self.texts.get(key, f"number {key:x}")
        return f"“{text if len(text) <= TEXT_LENGTH else text[: TEXT_LENGTH - 1] + '…'}”"

    def _more(self, entry: int) -> str:
        usual, code, count = self.usual, int(self.content.code[entry]), int(self.content.times[entry])
        name = self._name(code)
        times = "" if count == 1 else f"{count} times "
        if code >= len(usual.keys):
            return f"{times}the line {name}: no session had it"
        if count > usual.most[code]:
            return f"{count} times the line {name}; usual: at most {usual.most[code]}"
        share = float(np.exp(-usual.up_nats(np.array([code]), np.array([count]))[0]))
        so_often = "" if count == 1 else " so often"
        return f"{times}the line {name}: {_percent(share)} of sessions have it{so_often}"

    def _fewer(self, own: Integers, *, missing: bool) -> list[str]:
        """Templates that are missing, or those that come too seldom."""
        held = np.zeros(len(self.usual.keys), np.int64)
        known = own[self.content.code[own] < len(held)]
        held[self.content.code[known]] = self.content.times[known]
        nats = np.where((held == 0) == missing, self.usual.low_nats(np.arange(len(held)), held), 0.0)
        said = []
        for code in np.argsort(-nats, kind="stable")[:MAX_PER_PART].tolist():
            if nats[code] < MIN_ENTRY_NATS:
                continue
            share = _percent(1.0 - float(np.exp(-nats[code])))
            if held[code]:
                times = counted(int(held[code]), "time")
                said.append(f"only {times} the line {self._name(code)}: {share} of sessions have it more often")
            else:
                said.append(f"the line {self._name(code)} is missing: {share} of sessions have it")
        return said

    def _order(self, i: int) -> list[str]:
        v = len(self.usual.keys)
        before, after = self.content.worst[i].tolist()
        if before > v or after > v or self.content.worst_nats[i] < MIN_PART_NATS:
            return []
        known = self.usual.has_step(before, after)
        share = _percent(float(np.exp(-self.content.worst_nats[i])))
        if before == v:
            return [f"begins with {self._name(after)} as {f'{share} do' if known else 'no session does'}"]
        if after == v:
            return [f"ends after {self._name(before)} as {f'{share} with it do' if known else 'no session does'}"]
        how_often = f"{share} of the time" if known else "in no session learnt from"
        return [f"{self._name(after)} follows {self._name(before)}: {how_often}"]


def _percent(share: float) -> str:
    percent = 100.0 * share
    return f"{percent:.1f} %" if 0.1 <= percent <= 99.9 else f"{percent:.2g} %" if percent < 0.1 else "nearly 100 %"
