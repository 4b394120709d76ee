"""Reasons hold: without the first cause the score falls, most without the most telling, and it names the attack."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.explain.causes import CAUSE_NAMES, FLOODS, among, counterfactual, weights
from sentinel.detect.explain.explain import Row
from sentinel.detect.explain.kinds import kind_of
from sentinel.detect.explain.tell import Teller
from sentinel.detect.explain.worth import adds_little, says_little
from sentinel.detect.judge.combine import HABIT, NATS
from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.learn.fit import fit
from sentinel.detect.stages import Scored
from sentinel.simulate import EXPECTED_KINDS, fleet, inject

START = datetime(2026, 3, 2, tzinfo=UTC)
SPLIT = START + timedelta(hours=16)
MISSING = ("silence", "rate_drop")  # told by the timer, not by a line
Judged = tuple[Scorer, Scored, pl.DataFrame]


@pytest.fixture(scope="module")
def judged() -> Judged:
    """Attacks of all kinds after sixteen hours of a fleet: the scorer, all that it found, the lines with verdicts."""
    background = fleet(seed=77, start=START, duration_s=40 * 3600)
    lines = inject(background, seed=78, each=2, since=SPLIT).lines.with_columns(
        attributes=pl.lit(None, dtype=pl.String)
    )
    columns = ["timestamp", "level", "source", "host", "message", "attributes"]
    past, present = (lines.filter((pl.col("timestamp") < SPLIT) == before) for before in (True, False))
    trained = fit(past.select(columns), now=START, seed=1, trees=100)
    scorer = Scorer(trained.model, trained.state)
    verdicts = scorer.score(present.select(columns))
    found = Scorer(trained.model, trained.state).examine(present.select(columns))
    said = pl.concat([present.select("attack", "label", "message"), verdicts], how="horizontal")
    return scorer, found, said


def test_the_first_reason_holds_under_a_counterfactual(judged: Judged) -> None:
    """For hundreds of anomalies of all kinds the score falls when the most telling cause is put back to normal."""
    scorer, found, _ = judged
    rows = np.flatnonzero(found.nats >= 7.5)
    of = (found.raw[rows], found.coded.facts.flags[rows], found.surprise[rows], found.tails[rows])

    lost, largest = weights(scorer.model, *of, found.parts[rows], scorer.switches)

    assert len(rows) >= 500
    assert lost.max(1).min() >= -1e-9
    assert (lost.max(1) > 0.0).mean() >= 0.99
    first = np.argmax(lost + 0.05 * np.minimum(largest, 12.0), axis=1)
    falls = 0
    for name in set(np.array(CAUSE_NAMES)[first].tolist()):
        mine = np.flatnonzero(first == CAUSE_NAMES.index(name))
        some = (*(part[mine] for part in of), found.parts[rows][mine, HABIT:])
        causes = [(name,), FLOODS if name in FLOODS else (name,)]
        without = np.minimum(
            *(counterfactual(scorer.model, *some, scorer.switches, among(*all_of)) for all_of in causes)
        )
        falls += int((without < found.parts[rows][mine, NATS]).sum())
    assert falls >= 0.99 * len(rows)


def test_verdicts_name_the_attack(judged: Judged) -> None:
    """The first verdict on nearly every attack is of a kind that names it, and has a reason."""
    _, _, said = judged
    first = said.filter(pl.col("is_anomaly") & pl.col("attack").is_not_null()).group_by("attack").first()
    first = first.with_columns(of=pl.col("attack").str.extract("(.*)#")).filter(~pl.col("of").is_in(MISSING))

    right = [kind in EXPECTED_KINDS[of] for of, kind in first.select("of", "kind").iter_rows()]

    assert first.height >= 20
    assert np.mean(right) >= 0.8, first.filter(~pl.Series(right)).select("of", "kind", "message", "reasons").rows()
    assert first["reasons"].list.len().min() > 0


def test_guessing_is_told_by_its_own_figures(judged: Judged) -> None:
    """Where the kind is brute force, the first reason counts the failed log-ins."""
    _, _, said = judged

    reasons = said.filter(pl.col("kind") == "brute_force")["reasons"].list.first()

    assert len(reasons) > 20
    assert reasons.str.contains("failed log-in").mean() >= 0.95


def test_score_falls_without_what_the_first_reason_tells(judged: Judged) -> None:
    """As people read it: put back what the first reason is about, and nearly all anomalies are lower, most are none."""
    scorer, found, said = judged
    rows = np.flatnonzero(found.nats >= scorer.threshold_nats)
    teller = Teller(scorer.model, scorer.switches)
    told = teller.tell(found, rows, [""] * len(rows), scorer.threshold_nats)

    without = teller.without_first(found, rows, told)

    assert [one.kind for one in told] == said["kind"].gather(rows).to_list()
    assert (without < found.nats[rows]).mean() >= 0.95
    assert (without < scorer.threshold_nats).mean() >= 0.8
    assert (without <= found.nats[rows] + 1e-9).all()


@pytest.mark.parametrize(
    ("reason", "is_idle"),
    [
        ("about 8 lines of this kind within 3 min; usual: at most 8", True),
        ("about 9 lines of this kind within 3 min; usual: at most 8", False),
        ("about 1,204 failed log-ins of this kind within 3 min; usual: at most 1,300", True),
        ("65 bytes long; such lines have 59", True),
        ("738 bytes long; such lines have 202", False),
        ("never came after a line like the one before it, in 4 cases so far", True),
        ("never came after a line like the one before it, in 9,499 cases so far", False),
        ("a kind of line never seen before in 3 lines", False),
    ],
)
def test_reason_with_usual_figures_says_little(reason: str, is_idle: bool) -> None:
    """Whose figures are as good as usual gives way to another reason."""
    assert says_little(reason) == is_idle


NEW = "a kind of line never seen before in 9,000 lines"
PROBES = "holds a text that probing or tampering leaves, in a kind of line never seen before"


@pytest.mark.parametrize(
    ("reason", "told", "is_idle"),
    [
        ("never came after a line like the one before it, in 479 cases so far", NEW, True),
        ("never came after a line like the one before it, in 479 cases so far", "about 9 lines of shop", False),
        ("user root was never seen in this kind of line before", PROBES, True),
        ("user root was never seen from 203.0.113.9 before", NEW, False),
        (NEW, PROBES, True),
        (f"{NEW}, and it reads as a grave failure", PROBES, False),
        ("the source useradd was never seen before", NEW, False),
        ("a rare kind of line: seen 298 times in 13,476 lines", "about 9 lines of shop", True),
        (
            "a rare kind of line: seen 3 times in 13,476 lines, and it reads as a failure",
            "about 9 lines of shop",
            False,
        ),
        ("this level is rare for shop: 38 of 2,934 lines", "about 9 lines of shop", True),
        ("this level is rare for shop: 0 of 579 lines", "about 9 lines of shop", False),
        ("the source shop is rare: 591 of 14,118 lines", "about 9 lines of shop", True),
        ("came after a line like the one before it in only 176 of 4,489 cases so far", "about 9 lines of shop", True),
        ("came after a line like the one before it in only 6 of 4,489 cases so far", "about 9 lines of shop", False),
    ],
)
def test_further_reason_says_something_of_its_own(reason: str, told: str, is_idle: bool) -> None:
    """What follows from a reason that is told already, or is nearly usual, is not told beside it."""
    assert adds_little(reason, [told]) == is_idle


@pytest.mark.parametrize(
    ("hits", "new_user", "kind"), [(18.0, 5.0, "rare_template"), (0.0, -1.0, "new_template"), (18.0, 0.0, "new_actor")]
)
def test_log_in_of_somebody_known_is_no_new_actor(hits: float, new_user: float, kind: str) -> None:
    """A log-in that worked is called a new actor's where its user, address or pair is new, and only there."""
    values = {"hits_template": hits, "new_user": new_user, "new_address": -1.0, "new_pair": -1.0}
    facts = SimpleNamespace(level=[int(Level.INFO)])
    row = SimpleNamespace(
        prior=0.0,
        nats=8.0,
        flags=int(Flag.ACCEPTED | Flag.SENSITIVE),
        sensitive_text=False,
        text=lambda which: "",
        value=lambda name: values.get(name, 0.0),
        coded=SimpleNamespace(facts=facts),
        i=0,
    )

    assert kind_of(["privilege", "novelty"], cast(Row, row), lambda name: 1.0) == kind
