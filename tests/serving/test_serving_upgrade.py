"""A home that an older release left is taken up by a real server: learnt anew from its store, nothing lost."""

import tarfile
from pathlib import Path

import pytest

from tests.serving.server_process import Server, eventually, serving

HOMES = sorted((Path(__file__).parent / "homes").glob("*.tar.xz"))
RECORDS, ANOMALIES = 5_215, 32  # in 68112c7.tar.xz
LONG_S = 600.0
GUESS = "Failed password for root from 203.0.113.9 port {port} ssh2"


@pytest.fixture(params=HOMES, ids=lambda path: path.name.partition(".")[0])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "home"


def ask(server: Server, message: str) -> tuple[int, dict[str, object]]:
    answer = server.client.post("/predict", json={"message": message, "level": "error", "source": "kernel"})
    return answer.status_code, answer.json()


def test_home_of_the_release_before_is_learnt_anew(home: Path) -> None:
    """Nobody has to train: `/predict` answers 503 only while the server learns from its store, which it says, and then
    with a new model, that stays after a restart; no record and no anomaly is lost, and what comes in is scored."""
    (old,) = (path.name for path in (home / "models").iterdir() if path.is_dir())
    refused = set()
    with serving(home) as server:

        def is_answered() -> bool:
            status, answer = ask(server, "disk sda1 is broken")
            if status == 503:
                refused.add(str(answer["detail"]))
            return status == 200

        eventually(is_answered, timeout_s=LONG_S)
        ledger = server.client.get("/status").json()["ledger"]
        anomalies = server.client.get("/anomalies", params={"limit": 1_000}).json()
        guesses = [{"message": GUESS.format(port=40_000 + n), "source": "sshd"} for n in range(30)]
        guessed = server.client.post("/predict", json=guesses).json()
        scored = server.client.post("/logs?score=true", json={"message": "disk sda1 is broken", "level": "error"})
        _, verdict = ask(server, "disk sda1 is broken")
        code = server.stop()
    with serving(home) as server:
        _, again = ask(server, "disk sda1 is broken")
        training = server.client.get("/status").json()["training"]

    assert all("learnt from the store" in detail for detail in refused)
    assert verdict["model_version"] != old
    assert (guessed[0]["is_anomaly"], guessed[-1]["is_anomaly"]) == (False, True)
    assert (ledger["received"], ledger["rejected"], ledger["dead"]) == (RECORDS, 0, 0)
    assert len(anomalies) == ANOMALIES
    assert scored.status_code == 202
    assert code == 0
    assert again["model_version"] == verdict["model_version"]
    assert training == {"is_busy": False, "last": None}
