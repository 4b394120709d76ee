"""Fitting: from two lines on, without labels, the same from the same seed, unmoved by incidents in the past."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.judge.combine import FLOOD, PARTS, SPARSE, Switches, combine
from sentinel.detect.judge.features import FEATURE_INDEX, FEATURES, TEMPLATE_REFS
from sentinel.detect.judge.tails import pooled_nats
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.learn.baseline import Evidence
from sentinel.detect.learn.corpus import read
from sentinel.detect.learn.fit import Trained, _calibrate, _volume, fit
from sentinel.detect.remember.raw import RAW_INDEX
from sentinel.errors import TerminalError

NOW = datetime(2026, 3, 3, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def records(rows: list[tuple[float, str | None, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "timestamp": pl.Series([int(t * 1e9) for t, *_ in rows]).cast(pl.Datetime("ns", "UTC")),
            "level": pl.Series([level for _, level, _, _ in rows], dtype=pl.String),
            "source": [source for _, _, source, _ in rows],
            "message": [message for *_, message in rows],
            "attributes": pl.Series([None] * len(rows), dtype=pl.String),
        }
    )


def test_two_lines_make_a_model() -> None:
    """Two lines give a warm-up model: confidence low, a known line quiet, a new failure stranger, none constant."""
    trained = fit(records([(1.7e9, "info", "api", "started on port 80"), (1.7e9 + 5, "info", "api", "ready")]), now=NOW)
    scorer = Scorer(trained.model, trained.state)
    probe = records([(1.7e9 + 9, "info", "api", "ready"), (1.7e9 + 9, "error", "db", "disk failure on sda")])

    verdicts = scorer.peek(probe)

    assert trained.model.confidence == "low"
    assert trained.forest is None
    assert verdicts["nats"][0] < verdicts["nats"][1] < 7.5
    assert verdicts["confidence"].to_list() == ["low", "low"]


def test_warm_up_knows_brute_force() -> None:
    """The prior needs no training: the fifth quick failure of one address is an anomaly under two lines of past."""
    trained = fit(records([(1.7e9, "info", "api", "started"), (1.7e9 + 5, "info", "api", "ready")]), now=NOW)
    rows = [
        (1.7e9 + 10 + i, None, "sshd", f"Failed password for root from 203.0.113.9 port {4000 + i} ssh2")
        for i in range(8)
    ]

    verdicts = Scorer(trained.model, trained.state).score(records(rows))

    assert verdicts["kind"][-1] == "brute_force"
    assert verdicts["is_anomaly"].to_list().index(True) <= 4


def test_nothing_to_learn_from_is_said() -> None:
    """An empty frame is refused with a sentence."""
    with pytest.raises(TerminalError, match="not one record"):
        fit(records([]), now=NOW)


def test_same_seed_same_model(past: pl.DataFrame, trained: Trained) -> None:
    """Nothing in a fit depends on the clock or on chance."""
    again = fit(past, now=NOW, seed=1, trees=60)

    assert again.model.version == trained.model.version


def test_a_training_line_takes_little_memory(past: pl.DataFrame) -> None:
    """What a training holds of a line, with all sorted columns, is less than 700 bytes."""
    corpus = read(past)
    evidence = Evidence(corpus.raw, corpus.coded.facts, len(corpus.vocabulary.places), len(corpus.source_hashes))
    columns = [c for some in (evidence.t_refs, evidence.s_refs, evidence.g_refs, evidence.numbers) for c in some]
    arrays = [
        *corpus.coded.line,
        *corpus.coded.facts,
        corpus.raw,
        *(c.order for c in columns),
        *(c.values for c in columns),
    ]

    held = sum(array.nbytes for array in {id(array): array for array in arrays}.values())

    assert held / len(corpus) < 700


def test_busy_logs_have_to_be_stranger() -> None:
    """Alarms come by the day: a hundred times the lines a day cost some nats, quiet logs nothing."""
    quiet, busy, busier = (_volume(np.linspace(0.0, 2 * 86_400.0, 2 * n)) for n in (1_000, 100_000, 10_000_000))
    dice = np.random.default_rng(1)
    tails, scores = dice.exponential(1.0, (2_000, 5)), dice.normal(0.5, 0.1, 2_000)
    sums = [pooled_nats(9.0, _calibrate(tails, scores, volume), 0, 2, 0.0) for volume in (quiet, busy)]

    assert quiet == 0.0
    assert 1.0 < busy < 1.5
    assert busier - busy == pytest.approx(0.5 * np.log(100), rel=1e-6)
    assert sums[0] - sums[1] == pytest.approx(busy)


@pytest.mark.parametrize(
    ("feature", "flags", "part", "pays"),
    [
        ("rare_failure", Flag.BAD, SPARSE, True),
        ("rare_privilege", Flag.SENSITIVE, SPARSE, False),
        ("mean_number", 0, SPARSE, False),
        ("template", 0, FLOOD, True),
        ("template", Flag.BAD, FLOOD, False),
    ],
)
def test_what_pays_for_busy_logs(trained: Trained, feature: str, flags: int, part: int, pays: bool) -> None:
    """A rare failure and a flood of ordinary lines have to be odder; privileges, numbers, floods of failures not."""
    raw, tails = np.zeros((1, len(RAW_INDEX))), np.zeros((1, len(FEATURES)))
    tails[0, [i for name, i in FEATURE_INDEX.items() if name.startswith(feature)]] = 7.0
    found = []
    for volume in (0.0, 1.0):
        out = np.empty((1, len(PARTS)))
        scores, flagged = np.array([0.4]), np.array([flags])
        combine(raw, flagged, tails, tails, scores, trained.model.calibration, volume, Switches(), False, out)
        found.append(out[0, part])

    assert found[0] - found[1] == pytest.approx(float(pays))


def test_an_actor_in_a_hardly_seen_template_is_bounded_by_its_source(past: pl.DataFrame) -> None:
    """What busy visitors do is no more than usual of them where the site answers in a new way for once."""
    rng = np.random.default_rng(5)
    start = past["timestamp"].dt.epoch("us").to_numpy()[0] / 1e6
    seen = [
        (
            start + 3.0 * i,
            None,
            "web",
            f'10.1.{i // 400 % 250}.7 "GET /item/{rng.integers(1e6)} HTTP/1.1" {code} 512 "-"',
        )
        for i in range(4_000)
        for code in (500 if i in (2_000, 3_000) else 200,)
    ]
    model = fit(records(seen), now=NOW, seed=1, trees=20).model
    place = {text: i for i, text in enumerate(model.template_texts)}
    usual, odd = (next(i for text, i in place.items() if status in text) for status in ("S2xx", "S5xx"))
    refs = model.baseline.template_refs[:, TEMPLATE_REFS.index("actor_params")]

    assert refs[usual] > np.log(20)
    assert refs[odd] > 0.9 * refs[usual]


def test_what_was_hardly_seen_has_no_usual_gap(past: pl.DataFrame) -> None:
    """Two lines within ten seconds say nothing of how long a third may take; a heartbeat's gaps do."""
    start = past["timestamp"].dt.epoch("us").to_numpy()[0] / 1e6
    beats = [(start + 5.0 * i, "info", "pump", f"pressure {i % 7} bar") for i in range(4_000)]
    model = fit(records([*beats, *((start + t, "info", "pump", "filter changed") for t in (9_000, 9_010))]), now=NOW)
    gaps = model.model.baseline.template_refs[:, TEMPLATE_REFS.index("gap_template")]
    beat, seldom = (next(i for i, t in enumerate(model.model.template_texts) if w in t) for w in ("bar", "filter"))

    assert gaps[beat] == pytest.approx(np.log(6), abs=0.1)
    assert gaps[seldom] >= gaps[beat]


def test_words_of_a_template_are_as_common_as_it_is(scorer: Scorer, present: pl.DataFrame) -> None:
    """Words that training lacks stop being rare when their line has come often."""
    start = present["timestamp"].dt.epoch("us").to_numpy()[0] / 1e6
    said = records([(start + 60.0 * i, "info", "loom", "heddle warped beyond the selvedge") for i in range(40)])

    rarity = scorer.examine(said).surprise[:, FEATURE_INDEX["rare_words"]]

    assert rarity[0] > rarity[10] > rarity[39]
    assert rarity[0] - rarity[39] > 3.0


def test_a_training_is_the_same_in_any_order_of_its_lines(past: pl.DataFrame, trained: Trained) -> None:
    """Records come as the store has them; a training reads them by their time."""
    again = fit(past.sample(fraction=1.0, shuffle=True, seed=3), now=NOW, seed=1, trees=60)

    assert again.rows == trained.rows
    assert np.max(np.abs(again.model.quantiles - trained.model.quantiles)) < 0.2


def test_confidence_is_normal_with_enough_lines(trained: Trained) -> None:
    """Above two thousand lines there is a forest, with trees of its own, and quantiles of its training scores."""
    assert trained.model.confidence == "normal"
    assert trained.model.trees is not None
    assert np.all(np.diff(trained.model.quantiles[:, 1]) >= 0)


def test_incident_in_training_is_left_out(past: pl.DataFrame, present: pl.DataFrame) -> None:
    """A flood in the past does not teach that floods are usual: the next one is still found."""
    start = past["timestamp"][0] + timedelta(hours=4)
    flood = past.head(1).select(
        timestamp=pl.Series(
            [start + timedelta(milliseconds=50 * i) for i in range(600)], dtype=pl.Datetime("ns", "UTC")
        ),
        level=pl.lit("error"),
        source=pl.lit("billing"),
        host=pl.lit("app-1"),
        message=pl.lit("ledger write timed out after 900 ms"),
        attributes=pl.lit(None, dtype=pl.String),
    )
    steady = flood.with_columns(
        timestamp=pl.Series(
            [past["timestamp"][0] + timedelta(seconds=30 * i) for i in range(600)], dtype=pl.Datetime("ns", "UTC")
        )
    )
    dirty = fit(pl.concat([past, steady, flood]), now=NOW, seed=1, trees=60)
    scorer = Scorer(dirty.model, dirty.state)
    scorer.score(present)
    again = flood.with_columns(pl.col("timestamp") + (present["timestamp"][-1] - start))

    verdicts = scorer.score(again)

    assert dirty.left_out > 300
    assert verdicts["is_anomaly"].tail(300).all()
    assert verdicts["kind"][-1] in ("error_burst", "rate_spike")


@pytest.mark.parametrize(("name", "year"), [("OpenSSH_2k.log", 2015), ("auth_fall2023.log", 2023)])
def test_real_brute_force_is_found(name: str, year: int) -> None:
    """Trained on the first half of a real log, the addresses that guess in the second half are named."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{name} is not there")
    rows = []
    for line in path.read_text(errors="replace").splitlines():
        stamp, _, rest = line[:15], line[15:16], line[16:]
        moment = datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        program, _, message = rest.partition(" ")[2].partition(": ")
        rows.append((moment.timestamp(), None, program.partition("[")[0], message))
    half = len(rows) // 2
    trained = fit(records(rows[:half]), now=NOW, trees=60)

    later = records(rows[half:])
    verdicts = Scorer(trained.model, trained.state).score(later)

    found = pl.concat([later, verdicts], how="horizontal").filter(pl.col("kind") == "brute_force")
    busiest = later["message"].str.extract(r"Failed password .* from (\S+)").drop_nulls().value_counts(sort=True)
    address = busiest.row(0)[0] if busiest.height else found["message"].str.extract(r"(\d+\.\d+\.\d+\.\d+)")[0]
    assert found.filter(pl.col("reasons").list.first().str.contains(address, literal=True)).height > 0
