"""Say why a line is an anomaly: its kind, and reasons in words with figures, the most telling first."""

from dataclasses import dataclass

import numpy as np

from sentinel.counted import counted
from sentinel.detect.explain.causes import CAUSE_NAMES
from sentinel.detect.explain.kinds import MIN_KNOCKING, kind_of
from sentinel.detect.explain.worth import adds_little, says_little
from sentinel.detect.judge.combine import FATAL_NATS
from sentinel.detect.judge.features import GLOBAL_REFS, SOURCE_REFS, TEMPLATE_REFS
from sentinel.detect.judge.surprise import Baseline
from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.kernel.jit import Floats
from sentinel.detect.read.coded import Coded
from sentinel.detect.read.scan import IP, PARAM, USER
from sentinel.detect.remember.raw import RAW_INDEX
from sentinel.detect.tuning.explain import MAX_REASONS, RARE_SHARE
from sentinel.detect.tuning.explain import MIN_TAIL_NATS_OF_EXPLAIN as MIN_TAIL_NATS

__all__ = ["MAX_REASONS", "Explainer", "Row", "figure"]

CALLED_FATAL = "its own program calls it fatal"
SPANS = ("15 s", "3 min", "30 min")
_TELLING = {"brute_force": "failures", "credential_stuffing": "stuffing", "scan": "scan", "new_actor": "entity"}
DAY_S, HOUR_S, MINUTE_S = 86_400.0, 3_600.0, 60.0


@dataclass(frozen=True, slots=True)
class Row:
    """One anomalous line with all that is known of it."""

    coded: Coded
    i: int
    raw: Floats
    lost: Floats  # nats lost without each cause
    largest: Floats  # largest tail of each cause
    source: str
    prior: float
    nats: float
    sensitive_text: bool

    def value(self, name: str) -> float:
        """A raw value by name."""
        return float(self.raw[RAW_INDEX[name]])

    def text(self, which: int) -> str:
        """The text of an entity, empty where there is none."""
        return self.coded.scanned.entity(self.i, which)

    @property
    def actor(self) -> str:
        """Address or user, as people say it."""
        return self.text(IP) or (f"user {self.text(USER)}" if self.text(USER) else "one actor")

    @property
    def flags(self) -> int:
        """BAD, SENSITIVE, AUTH_FAILURE, ACCEPTED."""
        return int(self.coded.facts.flags[self.i])


def _many(count: float, one: str, more: str) -> str:
    return counted(max(round(count), 1), one, more)


def _duration(seconds: float) -> str:
    if seconds >= 2 * DAY_S:
        return f"{seconds / DAY_S:.0f} days"
    if seconds >= 2 * HOUR_S:
        return f"{seconds / HOUR_S:.0f} h"
    return f"{seconds / MINUTE_S:.0f} min" if seconds >= 2 * MINUTE_S else f"{max(round(seconds), 1)} s"


def figure(x: float) -> str:
    """A number with three digits that matter, in groups of three where it is large."""
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


class Explainer:
    """Reasons and kinds under one model's tables."""

    def __init__(self, baseline: Baseline) -> None:
        self._tables = baseline

    def explain(self, row: Row) -> tuple[str, list[str], str]:
        """(kind, reasons, cause of the first reason) of an anomalous line; "" where no single cause is told."""
        told = {name: text for name in self._order(row) if (text := self._reason(name, row))}
        kind = kind_of(list(told), row, lambda name: self._upper(name, row))  # never a cause that has no figure to show
        order = sorted(told, key=lambda name: name != _TELLING.get(kind))  # what names the attack comes first
        order = [name for name in order if not says_little(told[name])] or order
        reasons: list[str] = []
        for name in order:
            if not reasons or not adds_little(told[name], reasons):
                reasons.append(told[name])
        if row.coded.facts.level[row.i] >= Level.FATAL:
            if row.nats <= FATAL_NATS:
                reasons.insert(0, CALLED_FATAL)
            elif row.coded.facts.template[row.i] < 0:
                reasons.insert(1, CALLED_FATAL)
        return kind, reasons[:MAX_REASONS] or [self._fallback(row)], order[0] if order else ""

    def _order(self, row: Row) -> list[str]:
        weight = row.lost + 0.05 * np.minimum(row.largest, 12.0)
        ranked = [CAUSE_NAMES[k] for k in np.argsort(-weight, kind="stable")]
        strong = [n for n in ranked if row.largest[CAUSE_NAMES.index(n)] >= MIN_TAIL_NATS or self._decides(n, row)]
        if row.prior >= 0.9 * row.nats:
            strong = ["failures", *(n for n in strong if n != "failures")]
        return strong

    @staticmethod
    def _decides(name: str, row: Row) -> bool:
        return bool(row.lost[CAUSE_NAMES.index(name)] > 0.5)

    def _upper(self, name: str, row: Row) -> float:
        """The usual upper bound of a raw value, for this line's template or source."""
        facts, i = row.coded.facts, row.i
        if name in TEMPLATE_REFS:
            bound = self._tables.template_refs[facts.template[i], TEMPLATE_REFS.index(name)]
        elif name in SOURCE_REFS:
            bound = self._tables.source_refs[facts.source[i], SOURCE_REFS.index(name)]
        else:
            bound = self._tables.global_refs[GLOBAL_REFS.index(name)]
        return float(np.expm1(bound))

    def _usual(self, name: str, row: Row, one: str = "", more: str = "") -> str:
        most = max(round(self._upper(name, row)), 1)
        return f"usual: at most {figure(most)} {one if most == 1 else more}".rstrip()

    def _window(self, stem: str, row: Row) -> tuple[int, float]:
        """The window in which a rate stands out most, and how far (in logarithms)."""
        excess = [np.log1p(row.value(f"{stem}{w}")) - np.log1p(self._upper(f"{stem}{w}", row)) for w in range(3)]
        best = int(np.argmax(excess))
        return best, float(excess[best])

    def _rate(self, stem: str, what: str, row: Row) -> str:
        w, excess = self._window(stem, row)
        if excess <= 0:
            return ""
        name, unit = f"{stem}{w}", ("line", "lines")
        if row.flags & Flag.AUTH_FAILURE and stem in ("template", "pair"):
            unit = ("failed log-in", "failed log-ins")
        return f"about {_many(row.value(name), *unit)} {what} within {SPANS[w]}; {self._usual(name, row)}"

    def _reason(self, cause: str, row: Row) -> str:
        found: str = getattr(self, f"_say_{cause}")(row)
        return found

    def _say_failures(self, row: Row) -> str:
        lines, seconds = row.value("burst_lines"), row.value("burst_s")
        if lines < 2:
            return ""
        if row.flags & (Flag.SLIP | Flag.LOST) and not row.flags & Flag.AUTH_FAILURE:
            said = f"{_many(lines, 'line', 'lines')} of this kind from {row.actor} in {_duration(seconds)}"
            return f"{said}; others show it a few times at most, beside what is usual here"
        after = ", then one that worked" if row.flags & Flag.ACCEPTED else ""
        usual = max(round(self._upper("failures1", row)), 1)
        known = f"usual for {row.source}: at most {usual} in 3 min"
        if usual >= lines and row.prior >= 0.9 * row.nats:  # training was full of them: the fixed prior speaks
            known = "more than people mistype, however usual it has become"
        guesses = _many(lines, "failed log-in", "failed log-ins")
        return f"{guesses} from {row.actor} in {_duration(seconds)}{after}; {known}"

    def _say_stuffing(self, row: Row) -> str:
        actors, users = row.value("failing_actors"), row.value("failing_users")
        if row.flags & Flag.AUTH_FAILURE and actors > 1.5:
            text = (
                f"failed log-ins from {_many(actors, 'address', 'addresses')} against {_many(users, 'user', 'users')}"
            )
            return f"{text} of {row.source} within 10 min; {self._usual('failing_actors', row, 'address', 'addresses')}"
        came = row.value("user_actors")
        if came > 1.5 and row.text(USER):
            return (
                f"user {row.text(USER)} came from {_many(came, 'address', 'addresses')} within 10 min; "
                + self._usual("user_actors", row, "address", "addresses")
            )
        return ""

    def _say_errors(self, row: Row) -> str:
        own = self._rate("source_bad", f"of {row.source} that read as failure", row)
        return own or self._rate("all_bad", "that read as failure, of all sources,", row)

    def _say_rate(self, row: Row) -> str:
        actors = row.value("template_actors")
        is_of_many = row.flags & Flag.CONNECT and actors >= MIN_KNOCKING
        of_many = f" from {_many(actors, 'address', 'addresses')}" if is_of_many else ""
        own = self._rate("template", f"of this kind{of_many}", row)
        return own or self._rate("source", f"of {row.source}", row)

    def _say_actor_rate(self, row: Row) -> str:
        return self._rate("pair", f"of this kind from {row.actor}", row) or self._rate(
            "actor", f"from {row.actor}", row
        )

    def _say_scan(self, row: Row) -> str:
        params, templates = row.value("actor_params"), row.value("actor_templates")
        if params > 2.5:
            return f"{row.actor} tried {params:,.0f} different paths or ports within 10 min; " + self._usual(
                "actor_params", row
            )
        if templates > 2.5:
            return f"{row.actor} caused {templates:,.0f} different kinds of lines within 10 min; " + self._usual(
                "actor_templates", row
            )
        return ""

    def _say_actor_users(self, row: Row) -> str:
        users = row.value("actor_users")
        if users < 1.5:
            return ""
        return f"{row.actor} appeared with {users:,.0f} different users within 10 min; " + self._usual(
            "actor_users", row
        )

    def _say_novelty(self, row: Row) -> str:
        hits, lines = row.value("hits_template"), row.value("lines")
        guess = row.flags & Flag.AUTH_FAILURE and row.value("failures0") > 0
        what = "failed log-in" if guess else "grave failure" if row.flags & Flag.GRAVE else "failure"
        failure = f", and it reads as a {what}" if row.flags & Flag.BAD else ""
        if hits < 1:
            return f"a kind of line never seen before in {_many(lines, 'line', 'lines')}{failure}"
        return f"a rare kind of line: seen {_many(hits, 'time', 'times')} in {_many(lines, 'line', 'lines')}{failure}"

    def _say_source(self, row: Row) -> str:
        hits, level = row.value("hits_source"), row.value("hits_level_source")
        if hits < 1:
            return f"the source {row.source} was never seen before"
        if 0 <= level < 0.02 * hits:
            return f"this level is rare for {row.source}: {figure(level)} of {_many(hits, 'line', 'lines')}"
        lines = row.value("lines")
        if hits >= RARE_SHARE * lines:
            return ""
        return f"the source {row.source} is rare: {hits:,.0f} of {_many(lines, 'line', 'lines')}"

    def _say_privilege(self, row: Row) -> str:
        if not row.flags & Flag.SENSITIVE:
            return ""
        hits = row.value("hits_template")
        seen = f"seen {_many(hits, 'time', 'times')}" if hits else "never seen"
        what = (
            "holds a text that probing or tampering leaves"
            if row.sensitive_text
            else "touches log-ins, privileges or system files"
        )
        return f"{what}, in a kind of line {seen} before"

    def _say_entity(self, row: Row) -> str:
        user, address = row.text(USER), row.text(IP)
        if row.value("new_pair") == 0 and user and address:
            return f"user {user} was never seen from {address} before"
        if row.value("new_address") == 0 and address:
            return f"{address} was never seen in this kind of line before"
        if row.value("new_user") == 0 and user:
            return f"user {user} was never seen in this kind of line before"
        return ""

    def _say_number(self, row: Row) -> str:
        place, facts = row.coded.facts.template[row.i], row.coded.facts
        for k in range(4):
            low, _, high = self._tables.numbers[place, 3 * k : 3 * k + 3]
            x = facts.numbers[row.i, k]
            if not np.isnan(x) and not np.isnan(low) and not low - 0.2 <= np.log1p(x) <= high + 0.2:
                usual = f"{figure(np.expm1(low))} to {figure(np.expm1(high))}"
                return f"the number {figure(x)} is outside the usual {usual} of such lines"
        for k in range(4):
            low, _, high = self._tables.means[place, 3 * k : 3 * k + 3]
            x = row.value(f"mean{k}")
            if not np.isnan(x) and not np.isnan(low) and not low - 0.1 <= x <= high + 0.1:
                return (
                    f"the last numbers of such lines average {figure(np.expm1(x))};"
                    f" usual: {figure(np.expm1(low))} to {figure(np.expm1(high))}"
                )
        length, mean = facts.length[row.i], self._tables.template[place, 6]
        return f"{_many(length, 'byte', 'bytes')} long; such lines have {mean:,.0f}" if mean > 0 else ""

    def _say_gap(self, row: Row) -> str:
        for name, what in (("gap_template", "line of this kind"), ("gap_source", f"line of {row.source}")):
            gap, upper = row.value(name), self._upper(name, row)
            if gap > max(2.0 * upper, 1.0):
                return f"the first {what} for {_duration(gap)}; the usual gap is at most {_duration(upper)}"
        return ""

    def _say_sequence(self, row: Row) -> str:
        after, before = row.value("hits_after_session"), row.value("hits_before_session")
        if after > 0.5 * before:
            return ""
        if after < 0 or after > 0.05 * before:
            after, before = row.value("hits_after_source"), row.value("hits_before_source")
        if before < 1 or after > 0.5 * before:
            return ""
        cases = _many(before, "case", "cases")
        if after < 1:
            return f"never came after a line like the one before it, in {cases} so far"
        return f"came after a line like the one before it in only {after:,.0f} of {cases} so far"

    def _fallback(self, row: Row) -> str:
        return f"unusual as a whole: p < 1/{np.exp(min(row.nats, 30.0)):,.0f} under normal traffic"


assert PARAM == 3
