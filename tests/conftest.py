"""What all tests share: a real Elasticsearch for the session, started only when a test asks for it."""

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `tests.elastic_server` is found, wherever pytest was started

from tests.elastic_server import ElasticServer, UnavailableError, provide_or_raise  # noqa: E402 after the path is set

FIXTURES = {"elastic_url", "elastic_server", "secure_elastic"}
REQUIRED = "LOG_SENTINEL_TEST_REQUIRE"  # names what must not be skipped, parted by commas


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for Elasticsearch is marked so."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.elastic)


def without_elastic(reason: str) -> None:
    """Skip the test by name, or fail it where CI must not do without."""
    if "elastic" in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(f"a real Elasticsearch is required here: {reason}")
    pytest.skip(f"no Elasticsearch: {reason}")


@pytest.fixture(scope="session")
def elastic_url() -> Iterator[str]:
    """The address of a real Elasticsearch without security. Use index names of your own, see `elastic_index`."""
    try:
        server = provide_or_raise().__enter__()
    except UnavailableError as exc:
        without_elastic(str(exc))
        raise
    yield server.url
    server.__exit__()


@pytest.fixture
def elastic_index() -> str:
    """A name for ELASTIC_INDEX that no other test has."""
    return f"t-{secrets.token_hex(6)}"


@pytest.fixture
def elastic_server() -> Iterator[ElasticServer]:
    """A node of this test's own, to be killed and started again; not `ELASTIC_TEST_URL`, which is somebody's."""
    server = ElasticServer()
    try:
        server.start()
    except UnavailableError as exc:
        without_elastic(str(exc))
    yield server
    server.stop()
