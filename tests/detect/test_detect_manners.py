"""Without a word of the language: what visitors usually do, what they do by mistake, and who does nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.detect import Model, Scorer
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.learn.fit import Trained, fit
from sentinel.detect.lexicon.words import flags_of
from sentinel.evaluation.case import records_of
from sentinel.simulate.unread import TONGUES, unread_suite

START = datetime(2026, 11, 3, tzinfo=UTC)
TONGUE = TONGUES["invented"]
STRANGER = "198.18.7.7"


@pytest.fixture(scope="module", params=[False, True], ids=["clean", "attacked"])
def learnt(request: pytest.FixtureRequest) -> Trained:
    """A model of one day in an invented tongue; with a burst of guesses and a search in it, or without."""
    suite = unread_suite(seed=7, tongue=TONGUE, lines_a_day=6_000.0, start=START, taught=request.param, each=1)
    day = suite.lines.filter(pl.col("timestamp") < START + timedelta(days=1))
    return fit(records_of(day.drop("label", "attack")), now=START + timedelta(days=1), trees=60)


def manners_of(model: Model, word: str) -> set[int]:
    places = [i for i, text in enumerate(model.template_texts) if text.startswith(word)]
    return {int(model.manners[i]) for i in places if model.manners[i]}


def told(learnt: Trained, texts: Sequence[str], gap_s: float) -> pl.DataFrame:
    """Verdicts on lines of the application the next noon."""
    at = [START + timedelta(days=1, hours=12, seconds=gap_s * i) for i in range(len(texts))]
    lines = pl.DataFrame({"timestamp": at, "level": "info", "source": TONGUE.source, "message": texts})
    return Scorer(learnt.model, learnt.state).score(records_of(lines))


def refused(address: str, count: int) -> list[str]:
    return [f"zurka ka=user{i % 5} ip={address} mo={400 + i}" for i in range(count)]


def test_no_tongue_of_the_suite_is_read_by_the_lexicon() -> None:
    """What refuses and what is lost means nothing to the lexicon: else these suites would show nothing."""
    for tongue in TONGUES.values():
        for text in (*tongue.refused, tongue.lost):
            assert flags_of(text.format(u="anna", a="<IP>", n="<NUM>", p="<PATH>")) == 0


def test_visits_tell_the_usual_from_slips_and_what_is_lost(learnt: Trained) -> None:
    """One visit of an attacker in the training changes none of it."""
    assert manners_of(learnt.model, "silvo") == {Flag.USUAL}
    assert manners_of(learnt.model, "venda") == {Flag.USUAL}
    assert manners_of(learnt.model, "zurka") == {Flag.SLIP}
    assert manners_of(learnt.model, "pelto") == {Flag.LOST}


def test_a_stranger_who_only_slips_is_guessing(learnt: Trained) -> None:
    """At the sixth attempt in two seconds' time at the latest, also after such a burst was taught as normal."""
    verdicts = told(learnt, refused(STRANGER, 12), 2.0)

    assert verdicts["is_anomaly"].to_list()[5:] == [True] * 7
    assert verdicts["kind"].to_list()[-1] == "brute_force"
    assert any("others show it a few times at most" in reason for reason in verdicts["reasons"].to_list()[-1])


def test_a_stranger_who_asks_for_what_is_not_there_is_scanning(learnt: Trained) -> None:
    """One request in eight seconds is an alarm within six; the same path again and again is no search."""
    searched = told(learnt, [f"pelto /old/{i} ip={STRANGER}" for i in range(12)], 8.0)
    repeated = told(learnt, [f"pelto /old/1 ip={STRANGER}"] * 5, 8.0)

    assert searched["is_anomaly"].to_list()[5:] == [True] * 7
    assert searched["kind"].to_list()[-1] == "scan"
    assert not repeated["is_anomaly"].any()


def test_whoever_does_what_is_usual_may_slip_as_often(learnt: Trained) -> None:
    """Many people behind one new address mistype nine times in twenty minutes, and nobody attacks."""
    office = "100.90.1.1"
    visit = [f"venda ka=u{{i}} ip={office}", f"silvo /a/{{i}} ip={office} mo={{i}}400", f"kerna {{i}}371 ip={office}"]
    texts = [text.replace("{i}", str(i)) for i in range(1, 10) for text in (refused(office, 10)[i], *visit)]

    assert not told(learnt, texts, 30.0)["is_anomaly"].any()


@pytest.mark.parametrize(("gap_s", "is_flood"), [(1.2, False), (0.1, True)])
def test_a_polite_client_is_no_flood(learnt: Trained, gap_s: float, is_flood: bool) -> None:
    """One who looks at an ordinary page each second does what others do; ten in a second are a flood."""
    pages = [f"silvo /a/{i} ip={STRANGER} mo={4_000 + i}" for i in range(400)]

    assert told(learnt, pages, gap_s)["is_anomaly"].any() == is_flood


def test_a_crawler_meets_dead_links(learnt: Trained) -> None:
    """Two in a hundred pages that are gone are no search for what is hidden; one in three is."""
    few = [f"{'pelto' if i % 50 == 49 else 'silvo'} /a/{i} ip={STRANGER} mo={4_000 + i}" for i in range(400)]
    many = [f"{'pelto' if i % 3 == 2 else 'silvo'} /a/{i} ip={STRANGER} mo={4_000 + i}" for i in range(120)]

    assert not told(learnt, few, 1.3)["is_anomaly"].any()
    assert told(learnt, many, 1.3)["is_anomaly"].any()


def test_a_model_of_before_knows_no_manners_and_serves(learnt: Trained) -> None:
    """Its parts are read as they were written, and no template is more than its words."""
    arrays, tables = learnt.model.to_parts()
    del arrays["manners"]

    old = Model.from_parts(arrays, tables)

    assert not old.manners.size
    assert told(replace(learnt, model=old), refused(STRANGER, 3), 60.0).height == 3
