"""Processes for a benchmark: our server in a home of its own, a peer's server, the real Elasticsearch."""

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.measure import Skipped

ROOT = Path(__file__).parents[1]
START_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], url: str, environment: dict[str, str] | None = None) -> Iterator[str]:
    """A server process that answers at `url` before the block begins and is gone after it."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(environment or {})}, stderr=subprocess.DEVNULL)
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url, timeout=2)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{process.args} did not answer at {url} within {START_S:.0f} s")


@contextlib.contextmanager
def our_server(home: Path, **settings: str) -> Iterator[str]:
    """Our server on a free port, with Parquet as its store unless the settings say otherwise."""
    port = free_port()
    environment = {"LOG_SENTINEL_HOME": str(home), "LOG_SENTINEL_PORTS": str(port), "ELASTIC_ADDR": "", **settings}
    with running([sys.executable, "-m", "serving"], f"http://127.0.0.1:{port}/health", environment):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def peer_server(module: str) -> Iterator[str]:
    """A plain FastAPI application under uvicorn, as a user would start it."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        f"benchmarks.peers.{module}:app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    with running(command, f"http://127.0.0.1:{port}/health"):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def elastic() -> Iterator[str]:
    """The real Elasticsearch: ELASTIC_TEST_URL, else the one the tests start. Raises Skipped where there is none."""
    if url := os.environ.get("ELASTIC_TEST_URL"):
        yield url
        return
    spec = importlib.util.spec_from_file_location("elastic_server", ROOT / "tests" / "elastic_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["elastic_server"] = module
    spec.loader.exec_module(module)
    server = module.provide()
    if server is None:
        raise Skipped("no Elasticsearch: set ELASTIC_TEST_URL, or install Java 17 and Maven")
    with server as started:
        yield started.url
