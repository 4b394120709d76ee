"""A model that was really trained: through the gate, into files, and served by a process without scikit-learn."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Scorer, Switches
from sentinel.detect.learn.fit import fit
from sentinel.detect.learn.gate import gate
from sentinel.detect.models.registry import Registry
from sentinel.records import RECORD_SCHEMA
from sentinel.simulate import fleet

KEY = b"0123456789abcdef0123456789abcdef"
AT = datetime(2026, 11, 23, 21, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def records():
    lines = fleet(seed=9, start=datetime(2026, 11, 22, tzinfo=UTC), duration_s=8 * 3600.0)
    columns = {name: pl.lit(None, kind) for name, kind in RECORD_SCHEMA.items() if name not in lines.columns}
    frame = lines.with_columns(**columns).select(*RECORD_SCHEMA)
    return frame.with_columns(event_id=pl.format("e{}", pl.int_range(pl.len()).cast(pl.String).str.zfill(9)))


@pytest.fixture(scope="module")
def trained(records):
    return fit(records[:6000], now=AT, seed=0)


def test_trained_model_passes_the_gate(trained):
    """A model of an ordinary fleet may serve; every check says what it saw."""
    report = gate(trained)

    assert report.passed, report.checks
    assert all(detail for _, _, detail in report.checks)


def test_model_whose_channels_are_dead_does_not_pass(trained):
    """Were forest, norm, sparse channel and prior all silent, the gate would keep the model out."""
    nothing = Switches(forest=False, norm=False, sparse=False, prior=False)

    report = gate(trained, judge=lambda model, state: Scorer(model, state, switches=nothing))

    failed = {name for name, passed, _ in report.checks if not passed}
    assert {"password guessing is caught", "canaries are caught"} <= failed


def test_gate_changes_nothing(trained, records):
    """The same verdicts before and after the gate has looked at a model."""
    before = Scorer(trained.model, trained.state).score(records[6000:6200])

    gate(trained)

    assert Scorer(trained.model, trained.state).score(records[6000:6200]).equals(before)


def test_two_lines_make_a_model_that_serves_until_there_is_a_better_one(records, trained):
    """A handful of lines: promoted alone, kept aside beside a model of normal confidence."""
    young = fit(records[:2], now=AT, seed=0)

    assert gate(young).passed
    assert gate(young, young.model).passed
    report = gate(young, trained.model)
    assert [name for name, passed, _ in report.checks if not passed] == ["confidence"]


def test_verdicts_are_the_same_from_files(trained, records, tmp_path):
    """Saved, promoted and loaded again, the model gives the same verdicts to the last bit but for its version."""
    registry = Registry(tmp_path, KEY)
    version = registry.save(trained, gate(trained))
    registry.promote(version)
    before = Scorer(trained.model, trained.state).score(records[6000:7000])

    model, state = registry.load(registry.champion())
    after = Scorer(model, state).score(records[6000:7000])

    assert np.array_equal(before["nats"].to_numpy(), after["nats"].to_numpy())
    assert after.drop("model_version").equals(before.drop("model_version"))
    assert after["model_version"].unique().to_list() == [version]


def test_warm_up_model_goes_through_files_too(records, tmp_path):
    """A model without trees is saved, promoted and loaded like any other."""
    registry = Registry(tmp_path, KEY)
    young = fit(records[:2], now=AT, seed=0)
    version = registry.save(young)
    registry.promote(version)

    model, state = registry.load(version)

    assert model.confidence == "low"
    assert Scorer(model, state).peek(records[2:4])["nats"].is_finite().all()
    assert registry.load_forest(version) is None


def test_champion_serves_without_sklearn_joblib_or_prefect(trained, records, tmp_path):
    """In a fresh process the champion is loaded and scores lines; neither scikit-learn nor joblib is ever imported."""
    registry = Registry(tmp_path / "models", KEY)
    registry.promote(registry.save(trained))
    records[6000:6050].write_parquet(tmp_path / "lines.parquet")
    code = (
        "import sys, json; from pathlib import Path; import polars as pl\n"
        "from sentinel.detect import Scorer; from sentinel.detect.models.registry import Registry\n"
        f"registry = Registry(Path({str(tmp_path / 'models')!r}), {KEY!r})\n"
        "model, state = registry.load(registry.champion())\n"
        f"verdicts = Scorer(model, state).score(pl.read_parquet({str(tmp_path / 'lines.parquet')!r}))\n"
        "loaded = [name for name in ('sklearn', 'joblib', 'prefect') if name in sys.modules]\n"
        "print(json.dumps([loaded, verdicts['nats'].to_list()]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded, nats = json.loads(done.stdout)
    assert loaded == []
    assert nats == Scorer(trained.model, trained.state).score(records[6000:6050])["nats"].to_list()
