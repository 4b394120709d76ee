"""R2 and R11: training, batch scoring and live detection die at their named places, and nobody can tell afterwards."""

from pathlib import Path

import pytest

from tests.faults.crash_points import LIVE, SCORE, TRAIN
from tests.faults.model_points import Prepared, live_places, places_of, prepare, score_places, train_places

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("prepared"))


def test_training_that_dies_leaves_the_champion_in_service(prepared: Prepared, tmp_path: Path) -> None:
    """A model is there wholly or not at all; what served before goes on serving."""
    trial = train_places(prepared, tmp_path)

    assert trial.wrong == []
    assert trial.deaths == dict.fromkeys(places_of(TRAIN), 2)


def test_scoring_that_dies_emits_each_anomaly_once(prepared: Prepared, tmp_path: Path) -> None:
    """Batch scoring ends as if it had not been disturbed; a second run has nothing to do."""
    trial = score_places(prepared, tmp_path)

    assert trial.wrong == []
    assert trial.deaths == dict.fromkeys(places_of(SCORE), 2)
    assert trial.anomalies
    assert len(trial.anomalies) == len(set(trial.anomalies))


def test_live_detection_that_dies_finds_the_same_as_one_that_does_not(prepared: Prepared, tmp_path: Path) -> None:
    """Same anomalies, same ids, each once."""
    calm = live_places(prepared, tmp_path / "calm", armed=False)
    trial = live_places(prepared, tmp_path / "killed", armed=True)

    assert trial.deaths == dict.fromkeys(places_of(LIVE), 2)
    assert calm.anomalies
    assert trial.anomalies == calm.anomalies
