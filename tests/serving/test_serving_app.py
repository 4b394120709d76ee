"""The app has the routes it says it has, documents them, and leaves out what a server must not load."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from sentinel.settings import Settings
from serving.app import ROUTES, create_app
from serving.assemble import open_parts, put_away
from serving.parts import Parts
from tests.serving.server_process import environment

HEAVY = ("prefect", "sklearn", "joblib", "matplotlib", "skops", "dask")
ONE_REQUEST = """
import asyncio, sys
import httpx
from sentinel.settings import load_settings
from serving.app import create_app
from serving.assemble import open_parts

async def main():
    app = create_app(open_parts(load_settings()))
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            codes = [(await client.post("/logs?score=true", json={"message": "a"})).status_code]
            for path in ("/status", "/metrics", "/anomalies", "/models", "/ready"):
                codes.append((await client.get(path)).status_code)
    print(codes)

asyncio.run(main())
"""
FOUND = "\nprint('loaded:', [name for name in {heavy!r} if name in sys.modules])"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    found = open_parts(Settings(log_sentinel_home=tmp_path / "home", log_sentinel_min_free_mb=1))
    yield found
    put_away(found)


def test_app_has_the_routes_it_names(parts: Parts) -> None:
    """ROUTES is the whole list."""
    app = create_app(parts)

    found = {
        f"{method} {path}" for path, methods in app.openapi()["paths"].items() for method in map(str.upper, methods)
    }

    assert found == set(ROUTES)


def test_openapi_describes_bodies_and_problems(parts: Parts) -> None:
    """The bodies are published though no model checks them; each problem has its shape; ids are unique."""
    document = create_app(parts).openapi()

    for path in ("/logs", "/predict", "/train"):
        route = document["paths"][path]["post"]
        log = route["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
        assert set(log["properties"]) >= {"timestamp", "level", "message", "source"}
        assert log["required"] == ["message"]
        assert "Problem" in str(route["responses"]["413"])
    ids = [route["operationId"] for methods in document["paths"].values() for route in methods.values()]
    assert len(ids) == len(set(ids))


def test_documentation_is_closed_when_the_host_is_not_loopback(parts: Parts) -> None:
    """/docs and /openapi.json are there on this machine only."""
    import dataclasses

    def paths(found: Parts) -> set[str]:
        return {getattr(route, "path", "") for route in create_app(found).routes if not isinstance(route, APIRoute)}

    assert {"/docs", "/openapi.json"} <= paths(parts)
    assert not {"/docs", "/openapi.json", "/redoc"} & paths(dataclasses.replace(parts, is_open_documented=False))


@pytest.mark.parametrize(
    "code", ["import sys\nimport serving.app, serving.run", ONE_REQUEST], ids=["import", "requests"]
)
def test_server_loads_neither_prefect_nor_scikit_learn(tmp_path: Path, code: str) -> None:
    """Importing the app, and answering requests, leaves Prefect, scikit-learn and joblib out of the process."""
    ended = subprocess.run(
        [sys.executable, "-c", code + FOUND.format(heavy=HEAVY)],
        cwd=tmp_path,
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "loaded: []"
    if code == ONE_REQUEST:
        assert ended.stdout.splitlines()[-2] == str([202, 200, 200, 200, 200, 200])
