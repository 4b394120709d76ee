"""The check of reasons: on a made suite alone, its rows add up and hold."""

import pytest

from sentinel.evaluation import counterfactuals
from sentinel.evaluation.counterfactuals import check_reasons, reasons_table
from sentinel.evaluation.suites import own_suites


def test_reasons_of_a_made_suite_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds and sets add up to all; the score falls for nearly all, below the threshold for most."""
    small = list(own_suites(None, range(1), contaminated=False, days=1.0, each=1))
    monkeypatch.setattr(counterfactuals, "own_suites", lambda *_, **__: iter(small))

    everything, *parts = check_reasons(None, seeds=1, seed=0)

    anomalies = sum(int(str(row["anomalies"])) for row in parts)
    assert anomalies == 2 * int(str(everything["anomalies"])) > 100
    assert float(str(everything["score falls"])) >= 0.95
    assert float(str(everything["below"])) >= 0.8
    assert reasons_table([everything]).splitlines()[-1].startswith("| all | ")
