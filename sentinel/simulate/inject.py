"""Put attacks into a background of any origin, with the truth beside it: which line belongs to which attack."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sentinel.errors import TerminalError
from sentinel.simulate.attacks.attack import Attack, Recipe
from sentinel.simulate.attacks.everyday import everyday_rows
from sentinel.simulate.attacks.failures import disk_full, error_burst, new_error
from sentinel.simulate.attacks.logins import (
    brute_force,
    brute_force_short,
    brute_force_slow,
    credential_stuffing,
    new_address,
)
from sentinel.simulate.attacks.privilege import privilege
from sentinel.simulate.attacks.rates import latency, rate_drop, rate_spike, sequence_break, silence
from sentinel.simulate.attacks.scans import port_scan, web_scan
from sentinel.simulate.attacks.stage import Sample, make_stage, stage_rows
from sentinel.simulate.clock import Span, dice
from sentinel.simulate.fleet import LINE_SCHEMA, frame_of

__all__ = ["ATTACK_KINDS", "EXPECTED_KINDS", "Suite", "inject"]

RECIPES: dict[str, Recipe] = {
    "brute_force": brute_force,
    "brute_force_short": brute_force_short,
    "brute_force_slow": brute_force_slow,
    "credential_stuffing": credential_stuffing,
    "error_burst": error_burst,
    "rate_spike": rate_spike,
    "rate_drop": rate_drop,
    "silence": silence,
    "port_scan": port_scan,
    "web_scan": web_scan,
    "new_error": new_error,
    "disk_full": disk_full,
    "privilege": privilege,
    "new_address": new_address,
    "latency": latency,
    "sequence_break": sequence_break,
}
ATTACK_KINDS = tuple(RECIPES)

_NEW = frozenset({"new_template", "rare_template"})
_GUESS = frozenset({"brute_force", "credential_stuffing"})
EXPECTED_KINDS: dict[str, frozenset[str]] = {
    "brute_force": _GUESS, "brute_force_short": _GUESS, "brute_force_slow": _GUESS, "credential_stuffing": _GUESS,
    "error_burst": _NEW | {"error_burst", "rate_spike"}, "rate_spike": frozenset({"rate_spike", "error_burst"}),
    "rate_drop": frozenset({"rate_drop", "silence"}), "silence": frozenset({"silence", "rate_drop"}),
    "port_scan": _NEW | {"scan", "rate_spike"}, "web_scan": _NEW | {"scan", "rate_spike", "error_burst"},
    "new_error": _NEW | {"error_burst"}, "disk_full": _NEW | {"error_burst", "rate_spike"},
    "privilege": _NEW | {"privilege", "new_actor"}, "new_address": frozenset({"new_actor"}),
    "latency": frozenset({"numeric_outlier"}), "sequence_break": frozenset({"sequence", "session", "rare_template"}),
}  # fmt: skip
"""The kinds of a verdict that name an attack rightly."""

WAKE_S = 30.0  # seconds after a hidden span in which lines of its source say that it is over, and are left out

TRUTH_SCHEMA: dict[str, pl.DataType] = {
    "attack": pl.String(),
    "kind": pl.String(),
    "wording": pl.String(),
    "actor": pl.String(),
    "source": pl.String(),
    "start": pl.Datetime("ns", "UTC"),
    "end": pl.Datetime("ns", "UTC"),
    "lines": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class Suite:
    """Lines with their truth.

    `lines` has LINE_SCHEMA and `label` (1 attack, 0 normal, −1 leave out) and `attack` (`<kind>#<n>` or null);
    `attacks` has one row an attack: attack, kind, wording, actor, source, start, end, lines (0: lines are missing).
    """

    lines: pl.DataFrame
    attacks: pl.DataFrame


def inject(
    background: pl.DataFrame,
    *,
    seed: int,
    kinds: Sequence[str] = ATTACK_KINDS,
    each: int = 1,
    earlier: int = 0,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Suite:
    """Put `each` attacks of every kind, in a drawn order and wording, between `since` and `until` (default: anywhere).

    `background` needs timestamp, level, source, message (host if it has one), in any order. The flows that some
    attacks stop or slow, and the small mishaps of every day, are laid over its whole length first. `earlier` more of
    every kind (`<kind>#e<n>`) come before `since`: unlabelled incidents in what a detector will learn from.
    Raises TerminalError for an unknown kind or an empty background.
    """
    unknown = [kind for kind in kinds if kind not in RECIPES]
    if unknown or background.is_empty():
        what = f"no kind {unknown[0]!r}; there are {', '.join(RECIPES)}" if unknown else "the background has no lines"
        raise TerminalError(f"inject attacks: {what}")
    lines = _normal(background)
    whole = Span(*(lines["timestamp"].dt.epoch("us")[i] / 1e6 for i in (0, -1)))
    stage = make_stage(seed, _samples(lines, whole))
    life = [row for row in (*stage_rows(stage, whole, seed), *everyday_rows(stage, whole, seed)) if row[0] in whole]
    lines = pl.concat([lines, _labelled(frame_of(life), 0, None)])
    window = Span(since.timestamp() if since else whole.start_s, until.timestamp() if until else whole.end_s)
    plan = _plan(seed, [f"{kind}#{n}" for kind in kinds for n in range(each)], window)
    plan += _plan(seed, [f"{kind}#e{n}" for kind in kinds for n in range(earlier)], Span(whole.start_s, window.start_s))
    attacks = [(name, RECIPES[name.partition("#")[0]](dice(seed, name), at_s, stage)) for name, at_s in plan]
    for name, attack in attacks:
        lines = _apply(lines, name, attack, seed)
    return Suite(lines.sort("timestamp", maintain_order=True), _truth(attacks))


def _normal(background: pl.DataFrame) -> pl.DataFrame:
    host = pl.col("host") if "host" in background.columns else pl.lit(None, pl.String()).alias("host")
    lines = background.with_columns(host).select(*LINE_SCHEMA).cast(LINE_SCHEMA)  # type: ignore[arg-type]
    return _labelled(lines, 0, None).sort("timestamp", maintain_order=True)


def _labelled(lines: pl.DataFrame, label: int, attack: str | None) -> pl.DataFrame:
    return lines.with_columns(pl.lit(label, pl.Int8()).alias("label"), pl.lit(attack, pl.String()).alias("attack"))


def _samples(lines: pl.DataFrame, whole: Span) -> tuple[Sample, ...]:
    """Lines that are common (twenty or more) but not dense (less than one each ten seconds), fit to be repeated."""
    shape = pl.col("message").str.replace_all(r"\d+", "0")
    calm = pl.col("level").is_null() | pl.col("level").is_in(["trace", "debug", "info"])
    groups = lines.filter(calm).with_columns(shape=shape).group_by("source", "shape", maintain_order=True)
    common = groups.agg(pl.len().alias("n"), pl.col("level", "host", "message").first())
    common = common.filter((pl.col("n") >= 20) & (pl.col("n") < max(whole.length_s / 10.0, 21.0))).sort(
        "source", "shape"
    )
    rows = common.select("level", "source", pl.col("host").fill_null(""), "message").rows()
    return tuple(Sample(*row) for row in rows)


def _plan(seed: int, names: Sequence[str], window: Span) -> list[tuple[str, float]]:
    """Names in a drawn order, each with its moment in a slot of its own."""
    rng = dice(seed, "plan", *names[:1])
    drawn = rng.sample(names, len(names))
    slot_s = window.length_s / max(len(names), 1)
    return [(name, window.start_s + (i + rng.uniform(0.05, 0.45)) * slot_s) for i, name in enumerate(drawn)]


def _apply(lines: pl.DataFrame, name: str, attack: Attack, seed: int) -> pl.DataFrame:
    rng = dice(seed, name, "hidden")
    for hidden in attack.hidden:
        span, at_s = hidden.span, pl.col("timestamp").dt.epoch("us") / 1e6
        inside = (pl.col("source") == hidden.source) & (pl.col("label") == 0) & (at_s >= span.start_s)
        lot = pl.Series([rng.random() < hidden.share for _ in range(len(lines))], dtype=pl.Boolean)
        lines = lines.filter(~(inside & (at_s <= span.end_s) & lot))
        around = inside & (at_s <= span.end_s + WAKE_S)
        lines = lines.with_columns(pl.when(around).then(-1).otherwise("label").cast(pl.Int8).alias("label"))
    return pl.concat([lines, _labelled(frame_of(attack.rows), 1, name)]) if attack.rows else lines


def _truth(attacks: Sequence[tuple[str, Attack]]) -> pl.DataFrame:
    rows = [
        (
            name,
            a.kind,
            a.wording,
            a.actor,
            a.source,
            *(round(s * 1e6) * 1000 for s in (a.span.start_s, a.span.end_s)),
            len(a.rows),
        )
        for name, a in attacks
    ]
    frame = pl.DataFrame(rows, schema={**TRUTH_SCHEMA, "start": pl.Int64(), "end": pl.Int64()}, orient="row")
    return frame.cast(TRUTH_SCHEMA).sort("start")  # type: ignore[arg-type]
