"""The first moments, and models that cannot be opened: nothing untrue is answered, and intake goes on."""

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from sentinel.settings import Settings
from serving.app import create_app
from serving.assemble import open_parts, put_away
from serving.detect import DetectReader
from serving.parts import Limits, Parts
from tests.serving.server_process import eventually, serving
from tests.serving.test_serving_readers import FakeLive

LOG = {"message": "disk is full"}


class SlowLive(FakeLive):
    """Loads a model when it is let, not before."""

    def __init__(self) -> None:
        super().__init__()
        self.may_load = threading.Event()

    def start(self, *, wait_s: float = 0.0) -> bool:
        assert self.may_load.wait(60)
        self.model = SimpleNamespace(version="m1", trained_at="then", confidence="normal")
        return True


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    found = open_parts(Settings(log_sentinel_home=tmp_path / "home", log_sentinel_min_free_mb=1))
    yield found
    put_away(found)


def client_of(parts: Parts) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(parts)), base_url="http://127.0.0.1", timeout=60)


async def test_nothing_untrue_is_answered_before_the_model_is_loaded(parts: Parts) -> None:
    """Only the probes answer at once, one of them that the server is starting; intake takes in; the others wait."""
    live = SlowLive()
    reader = DetectReader(live)
    reader.start(asyncio.get_running_loop())
    async with client_of(replace(parts, detect=reader)) as client:
        ready, health = await client.get("/ready"), await client.get("/health")
        taken = await client.post("/logs", json=LOG)
        waiting = {
            "status": asyncio.create_task(client.get("/status")),
            "metrics": asyncio.create_task(client.get("/metrics")),
            "scored": asyncio.create_task(client.post("/logs?score=true", json=LOG)),
            "none": asyncio.create_task(client.get("/nothing")),
        }
        done, _ = await asyncio.wait(waiting.values(), timeout=0.3)
        live.may_load.set()
        answers = {name: (await task).status_code for name, task in waiting.items()}
        after = await client.get("/ready")
    reader.stop()

    assert (ready.status_code, ready.json()["reasons"]) == (503, ["starting"])
    assert ready.headers["retry-after"]
    assert (health.status_code, taken.status_code) == (200, 202)
    assert not done
    assert answers == {"status": 200, "metrics": 200, "scored": 202, "none": 404}
    assert after.status_code == 200


async def test_start_is_waited_for_only_so_long(parts: Parts) -> None:
    """A load that hangs makes nobody wait without end, and intake is ready."""
    live = SlowLive()
    reader = DetectReader(live)
    reader.start(asyncio.get_running_loop())
    impatient = replace(parts, detect=reader, limits=Limits(first_load_s=0.0))
    async with client_of(impatient) as client:
        ready, predicted = await client.get("/ready"), await client.post("/predict", json=LOG)
    live.may_load.set()
    reader.stop()

    assert ready.status_code == 200
    assert predicted.status_code == 503


async def test_start_is_over_when_the_load_fails(parts: Parts) -> None:
    """A failure is an answer, too."""

    class Failing(FakeLive):
        def start(self, *, wait_s: float = 0.0) -> bool:
            raise OSError("the disk hangs")

    reader = DetectReader(Failing())
    reader.start(asyncio.get_running_loop())
    await reader.first_load(timeout_s=60.0)
    reader.stop()

    assert reader.has_tried


@pytest.mark.parametrize("what", ["fifo", "folder", "key", "models", "damaged"])
def test_server_goes_on_when_its_models_cannot_be_opened(tmp_path: Path, what: str) -> None:
    """Detection is off and says why; logs are taken in, the server is ready, and stops when it is asked."""
    home = tmp_path / "home"
    (home / "models").mkdir(parents=True)
    champion, key = home / "models" / "champion.json", home / "signing.key"
    if what == "fifo":
        os.mkfifo(champion)
    elif what == "folder":
        champion.mkdir()
    elif what == "damaged":
        champion.write_text("{")
    elif what == "key":
        key.write_text("0" * 64)
        key.chmod(0o644)
    else:
        (home / "models").rmdir()
        (home / "models").write_text("")
    with serving(home) as server:
        eventually(lambda: server.client.get("/ready").status_code == 200)
        predicted, models = server.client.post("/predict", json=LOG), server.client.get("/models")
        status = server.client.get("/status").json()
        taken = server.client.post("/logs", json=LOG).status_code
        code = server.stop()

    assert taken == 202
    assert predicted.status_code == 503
    assert status["model_problem"]
    assert status["model_problem"][:60] in predicted.json()["detail"]
    assert models.status_code == (200 if what in {"fifo", "folder", "damaged"} else 503)
    assert code == 0
    assert "Traceback" not in "".join(server.said)


def test_detection_is_on_again_when_the_cause_is_gone(tmp_path: Path) -> None:
    """Without a restart."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "models").write_text("")
    with serving(home) as server:
        eventually(lambda: server.client.get("/status").json()["model_problem"] is not None)
        (home / "models").unlink()
        eventually(lambda: server.client.get("/status").json()["model_problem"] is None)

        assert server.client.get("/models").json() == []
