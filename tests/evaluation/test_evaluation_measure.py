"""Figures: equal to their definitions, false alarms counted as people get them, bursts found by their rule."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from sentinel.errors import TerminalError
from sentinel.evaluation import SETS, Evaluation, evaluate, goal_rows, markdown
from sentinel.evaluation.baselines import BASELINES, run_baseline
from sentinel.evaluation.case import ATTACK_SCHEMA, Case, records_of
from sentinel.evaluation.evaluate import _run_case, _write
from sentinel.evaluation.logs import burst_cases, burst_labels, quiet_cases
from sentinel.evaluation.measure import Scored, auroc, average_precision, best_f1, measure
from sentinel.evaluation.ours import EVENT_SCHEMA
from sentinel.evaluation.suites import own_suites, shared_suites
from sentinel.records import RECORD_SCHEMA

START = datetime(2026, 11, 2, tzinfo=UTC)
DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the public logs of ../shared/data are not here")


def lines(messages, *, gap_s=60.0, source="app", **columns):
    at = [START + timedelta(seconds=gap_s * i) for i in range(len(messages))]
    frame = pl.DataFrame({"timestamp": at, "source": [source] * len(at), "message": messages, **columns})
    return records_of(frame.with_columns(level=pl.lit(None, pl.String)))


def case_with(labels, attacks, messages=None):
    n = len(labels)
    names = [name if label == 1 else None for name, label in zip(attacks, labels, strict=True)]
    test = lines(
        messages or [f"line number {i}" for i in range(n)], label=pl.Series(labels, dtype=pl.Int8), attack=names
    )
    spans = test.filter(pl.col("attack").is_not_null()).group_by("attack", maintain_order=True)
    truth = spans.agg(kind=pl.lit("new_error"), source=pl.col("source").first(), start=pl.col("timestamp").min(),
                      end=pl.col("timestamp").max())  # fmt: skip
    return Case("made", "own, clean", "", lines(["line number 0"] * 5), test, truth.select(*ATTACK_SCHEMA))


def said(alarms, *, kind="silence", last_event=None):
    """Alarms of a timer: (source, moment) pairs."""
    rows = [
        {"timestamp": at, "source": source, "message": "", "reasons": ["why"], "kind": kind, "said": at}
        for source, at in alarms
    ]
    told = pl.Series("last_event", last_event or [None] * len(rows), dtype=pl.String)
    return pl.DataFrame(rows, schema={k: v for k, v in EVENT_SCHEMA.items() if k != "last_event"}).with_columns(told)


@pytest.mark.parametrize("seed", range(5))
def test_ranking_figures_equal_sklearns(seed):
    """AUROC and average precision agree with scikit-learn, ties included; the best F1 with trying all thresholds."""
    rng = np.random.default_rng(seed)
    label = (rng.random(300) < 0.2).astype(np.int64)
    scores = np.round(label * rng.normal(1, 1, 300) + rng.normal(0, 1, 300), 1)

    assert auroc(label, scores) == pytest.approx(roc_auc_score(label, scores))
    assert average_precision(label, scores) == pytest.approx(average_precision_score(label, scores))
    tried = [2 * ((scores >= t) & (label == 1)).sum() / ((scores >= t).sum() + label.sum()) for t in np.unique(scores)]
    assert best_f1(label, scores) == pytest.approx(max(tried))


def test_figures_without_an_attack_are_no_numbers():
    """Where nothing is to be found, no ranking figure is made up."""
    label, scores = np.zeros(5, np.int64), np.arange(5.0)

    assert np.isnan([auroc(label, scores), average_precision(label, scores), best_f1(label, scores)]).all()


def test_attack_is_found_at_its_first_flagged_line():
    """Delay counts lines and seconds from the attack's own first line."""
    case = case_with([0, 1, 1, 1, 0, 1], [None, "a", "a", "a", None, "b"])
    scores = np.array([0.0, 0.0, 0.0, 9.0, 0.0, 0.0])

    figures = measure(case, Scored("x", scores, 5.0))

    assert figures["found"] == 0.5
    assert [(a["attack"], a["found"], a["delay_lines"], a["delay_s"]) for a in figures["attacks"]] == [
        ("a", True, 2, 120.0), ("b", False, None, None),
    ]  # fmt: skip
    assert (figures["precision"], figures["recall"]) == (1.0, 0.25)


def test_false_alarms_of_one_shape_and_hour_are_one_incident():
    """Fifty alarms of one template within an hour are one; another template or hour is another."""
    messages = [f"worker {i} slow" for i in range(30)] + ["cache cold"] * 30 + [f"worker {i} slow" for i in range(60)]
    case = case_with([0] * 120, [None] * 120, messages)

    figures = measure(case, Scored("x", np.full(120, 9.0), 5.0))

    assert figures["false_incidents_a_day"] == 3
    assert figures["false_per_10k"] == 1e4


def test_wake_of_an_attack_and_lines_left_out_are_no_false_alarms():
    """Normal lines up to ten minutes after an attack are counted apart; label −1 counts nowhere."""
    case = case_with([0, 1, 0, -1] + [0] * 20, [None, "a", None, None] + [None] * 20)
    scores = np.zeros(24)
    scores[[1, 2, 3]] = 9.0

    figures = measure(case, Scored("x", scores, 5.0))

    assert figures["false_per_10k"] == 0
    assert figures["false_lines_anywhere_per_10k"] > 0
    assert figures["precision"] == 0.5


def test_silence_is_found_by_an_alarm_of_its_source():
    """An attack without lines is found by the timer's alarm about its source; any other is a false silence."""
    test = lines(
        ["tick"] * 100, label=pl.Series([0] * 100, dtype=pl.Int8), attack=pl.Series([None] * 100, dtype=pl.String)
    )
    began = START + timedelta(minutes=10)
    attack = pl.DataFrame([("silence#0", "silence", "ups", began, began + timedelta(minutes=10))], schema=ATTACK_SCHEMA,
                          orient="row")  # fmt: skip
    case = Case("made", "own, clean", "", test, test, attack)
    events = said([("ups", began + timedelta(minutes=3)), ("ups", began + timedelta(minutes=70))])
    events = pl.concat([events, said([("app", began + timedelta(minutes=m)) for m in (20, 120)])])

    figures = measure(case, Scored("x", np.zeros(100), 5.0, events))

    assert figures["attacks"][0]["found"]
    assert figures["attacks"][0]["delay_s"] == 180.0
    assert figures["false_silences_a_day"] == 2


def test_session_verdict_finds_the_attack_whose_line_ended_it():
    """Where no line of an attack is flagged, the verdict on its session counts, at the time when it is said."""
    case = case_with([0, 1, 1, 0, 1], [None, "a", "a", None, "b"])
    last = case.test["event_id"][2]
    late = START + timedelta(minutes=9)
    events = said([("app", late), ("app", late)], kind="session", last_event=[last, case.test["event_id"][3]])

    figures = measure(case, Scored("x", np.zeros(5), 5.0, events))

    first, second = figures["attacks"]
    assert (first["found"], first["delay_s"], first["said_kind"]) == (True, 480.0, "session")
    assert not second["found"]
    assert figures["false_silences_a_day"] == 0


def test_bursts_are_labelled_by_their_rule():
    """Ten failures of one address with gaps up to 60 s are a burst; nine, or a longer gap, are not."""
    ten = lines([f"Failed password for root from 198.18.0.1 port {i}" for i in range(10)], gap_s=60.0)
    nine = lines([f"Failed password for root from 198.18.0.2 port {i}" for i in range(9)], gap_s=1.0)
    slow = lines([f"Failed password for root from 198.18.0.3 port {i}" for i in range(20)], gap_s=61.0)
    fine = lines(["Accepted password for ines from 198.18.0.1 port 7"] * 12, gap_s=1.0)

    labelled, bursts = burst_labels(pl.concat([ten, nine, slow, fine]))

    assert labelled["label"].to_list() == [1] * 10 + [0] * 41
    assert len(bursts) == 1
    assert dict(labelled.drop("label", "attack").schema) == RECORD_SCHEMA


@pytest.mark.parametrize("name", BASELINES)
def test_every_peer_scores_every_line(name):
    """Each peer gives one finite score a test line and a threshold of its own."""
    rng = np.random.default_rng(0)
    train = lines([f"worker {i} did {rng.choice(['this', 'that'])}" for i in range(300)])
    case = case_with(
        [0] * 40 + [1] * 10, [None] * 40 + ["a"] * 10, ["worker 5 did this"] * 40 + ["fatal error in kx7"] * 10
    )
    case = Case(case.name, case.group, case.about, train, case.test, case.attacks)

    scored = run_baseline(name, case, seed=0)

    assert scored.scores.shape == (50,)
    assert np.isfinite(scored.scores).all()
    assert np.isfinite(scored.threshold)
    if name in {"template rarity", "level and word rules", "flag everything"}:
        assert measure(case, scored)["found"] == 1.0


@pytest.mark.slow
def test_small_run_writes_figures_tables_and_plots(tmp_path):
    """A made suite of half a day, all methods: JSON without NaN, a table beside the goals, pictures."""
    result, curves = Evaluation(0), {}
    for case in own_suites(None, range(1), contaminated=False, days=0.5, each=1):
        _run_case(case, result, curves, seed=0, peers=True, say=lambda _: None)
    _write(tmp_path, result, curves)

    found = json.loads((tmp_path / "evaluation.json").read_text())
    assert {row["method"] for row in found["methods"]} == {"log sentinel", *BASELINES}
    ours = next(row for row in found["methods"] if row["method"] == "log sentinel")
    naive = next(row for row in found["methods"] if row["method"] == "naive isolation forest")
    assert ours["ap"] > naive["ap"]
    assert "own, clean: worst kind" in (tmp_path / "evaluation.md").read_text()
    assert {path.name for path in (tmp_path / "own-clean").iterdir()} == {
        "precision_recall.png", "delay.png", "false_incidents.png",
    }  # fmt: skip


def test_unknown_set_is_refused(tmp_path):
    """The error lists the sets."""
    with pytest.raises(TerminalError, match="there are shared, own"):
        evaluate(tmp_path, sets=["everything"])


def test_sets_that_need_data_are_left_out_by_name(tmp_path):
    """Without the folder of public logs each set that needs it is said to be left out, and the rest is written."""
    said = []

    evaluate(tmp_path, data=None, sets=["shared", "quiet"], say=said.append)

    assert len(said) == 2
    assert (tmp_path / "evaluation.json").exists()
    assert set(SETS) >= {"shared", "quiet"}


def test_table_of_nothing_is_empty():
    """No rows, no table, no goals."""
    assert markdown([]) == ""
    assert goal_rows(Evaluation(0)) == []


@needs_data
def test_shared_suites_are_divided_by_time():
    """Nothing of the test is in the unlabelled training data; each suite has its 39 attacks in the test."""
    for case in shared_suites(DATA):
        assert case.train["timestamp"].max() < case.test["timestamp"].min()
        assert dict(case.train.schema) == RECORD_SCHEMA
        assert len(case.attacks) == 39
        silent = case.attacks.filter(pl.col("kind") == "silence")
        assert silent["source"].null_count() == 0


@needs_data
def test_real_bursts_are_those_the_readme_speaks_of():
    """Some forty bursts in the week of auth_fall2023, a dozen in OpenSSH_2k, over half of the test lines."""
    week, sample = burst_cases(DATA)

    assert len(week.attacks) in range(19, 24)
    assert len(sample.attacks) in range(6, 9)
    assert week.test["label"].mean() > 0.5


@needs_data
def test_quiet_logs_are_cut_in_two():
    """Each public log gives two halves in time order."""
    for case in quiet_cases(DATA):
        assert abs(len(case.train) - len(case.test)) <= 1
        assert case.train["timestamp"].max() <= case.test["timestamp"].min()
