"""Where credentials go and where they do not, and what setup says to servers that are not ours to use."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from sentinel.errors import SettingsError, TerminalError, TransientError
from sentinel.store import Store, open_store
from sentinel.store.answers import mapped_errors
from sentinel.store.connection import connect
from tests.store.scripted_server import VERSION, Answer, Asked, Scripted, error, scripted_server


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def elsewhere() -> Iterator[Scripted]:
    with scripted_server() as script:
        yield script


def opened(server: Scripted, tmp_path: Path, **options: object) -> Store:
    return open_store(addr=server.url, index="logs", folder=tmp_path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "addr", ["localhost:9200", "ftp://x", "http://", "https://:9200", "http://h:99999", "http://[::1", "", "es"]
)
def test_unusable_address_is_refused(addr: str) -> None:
    """An address is http:// or https:// with a host; the message names the setting."""
    with pytest.raises(SettingsError, match="ELASTIC_ADDR"):
        connect(addr)


@pytest.mark.parametrize(
    ("addr", "options"),
    [
        ("http://es.example:9200", {"api_key": "geheim"}),
        ("http://10.0.0.1:9200", {"user": "elastic", "password": "geheim"}),
        ("http://elastic:geheim@es.example:9200", {}),
        ("http://localhost.example:9200", {"api_key": "geheim"}),
        ("http://127.0.0.1.example:9200", {"api_key": "geheim"}),
    ],
)
def test_credentials_never_cross_the_network_in_the_clear(addr: str, options: dict[str, str]) -> None:
    """A key or password with plain http is for this machine alone; the refusal does not repeat it."""
    with pytest.raises(SettingsError, match="https") as caught:
        connect(addr, **options)  # type: ignore[arg-type]

    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.1"])
def test_credentials_may_go_to_this_machine(host: str) -> None:
    """Loopback is fine without TLS."""
    connect(f"http://{host}:9200", api_key="key").close()


@pytest.mark.parametrize("as_address", [False, True])
def test_password_is_sent_in_utf8(server: Scripted, tmp_path: Path, as_address: bool) -> None:
    """Also one that is not ASCII (RFC 7617), as a setting or percent-encoded in the address."""
    if as_address:
        address = server.url.replace("http://", f"http://elastic:{quote('schlüssel€', safe='')}@")
        store = open_store(addr=address, index="logs", folder=tmp_path)
    else:
        store = opened(server, tmp_path, user="elastic", password="schlüssel€")
    store.health()
    store.close()

    sent = {name.lower(): value for name, value in server.asked[0].headers.items()}["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == "elastic:schlüssel€"


@pytest.mark.parametrize(
    "options", [{"fingerprint": "12:34"}, {"fingerprint": "zz" * 32}, {"ca_file": Path("/not/there.pem")}]
)
def test_unusable_trust_is_refused(options: dict[str, object]) -> None:
    """A fingerprint is 64 hexadecimal digits, an authority's file is there."""
    with pytest.raises(SettingsError, match="ELASTIC_"):
        connect("https://es.example", **options)  # type: ignore[arg-type]


def test_trust_without_tls_is_refused() -> None:
    """A fingerprint with plain http would promise what is not kept."""
    with pytest.raises(SettingsError, match="https"):
        connect("http://localhost:9200", fingerprint="ab" * 32)


@pytest.mark.parametrize("index", ["Logs", "_logs", "a,b", "a*", "../x", "a b", "", "-a", "a" * 200, "a\n"])
def test_unusable_index_name_is_refused(index: str, tmp_path: Path) -> None:
    """A name has lower-case letters, digits, dots, underscores and hyphens."""
    with pytest.raises(SettingsError, match="ELASTIC_INDEX"):
        open_store(addr="http://localhost:9200", index=index, folder=tmp_path)


def test_redirect_is_not_followed(server: Scripted, elsewhere: Scripted, tmp_path: Path) -> None:
    """A redirect is an error that says so; the key does not travel to the other place."""
    server.other = lambda asked: Answer(b"", 307, {"Location": elsewhere.url + asked.path})
    store = opened(server, tmp_path, api_key="geheim")

    with pytest.raises(TerminalError, match="redirect"):
        store.setup()

    assert elsewhere.asked == []
    store.close()


def test_other_product_is_named(server: Scripted, tmp_path: Path) -> None:
    """What does not say it is Elasticsearch gets nothing."""
    server.other = lambda _: Answer(VERSION, headers={"X-Elastic-Product": "Other"})
    store = opened(server, tmp_path)

    with pytest.raises(TerminalError, match="not Elasticsearch"):
        store.setup()
    assert not store.health().reachable
    store.close()


@pytest.mark.parametrize("version", ["7.17.9", "10.0.0"])
def test_unknown_version_is_named(server: Scripted, tmp_path: Path, version: str) -> None:
    """8 and 9 are supported."""
    server.other = lambda _: Answer({"version": {"number": version}})
    store = opened(server, tmp_path)

    with pytest.raises(TerminalError, match=f"8 or 9 is needed.*{version}"):
        store.setup()
    store.close()


def test_server_without_the_api_of_8_is_named(server: Scripted, tmp_path: Path) -> None:
    """An Elasticsearch that does not know the media type is too old."""
    server.other = lambda _: error(406, "media_type_header_exception", "Invalid media-type value")
    store = opened(server, tmp_path)

    with pytest.raises(TerminalError, match="8 or 9 is needed"):
        store.setup()
    store.close()


def with_lifecycle(asked: Asked) -> Answer | None:
    """A server of version 9 that has lifecycle management."""
    if asked.path == "/":
        return Answer({"version": {"number": "9.1.0"}})
    return Answer({"operation_mode": "RUNNING"}) if asked.path == "/_ilm/status" else None


@pytest.mark.parametrize(
    ("days", "period", "min_age"), [(30, "month", "61d"), (7, "day", "8d"), (0, "month", None), (30, "none", None)]
)
def test_lifecycle_is_left_to_a_cluster_that_has_it(
    server: Scripted, tmp_path: Path, days: int, period: str, min_age: str | None
) -> None:
    """With a retention the policy deletes an index when its newest record is old enough; else there is no policy."""
    server.other = with_lifecycle
    store = opened(server, tmp_path, retention_days=days, period=period)

    done = store.setup()

    policies = [asked for asked in server.asked if asked.path.startswith("/_ilm/policy") and asked.method == "PUT"]
    template = next(asked for asked in server.asked if asked.path == "/_index_template/logs-events" and asked.body)
    assert len(policies) == (min_age is not None)
    assert (b'"lifecycle":{"name":"logs-events"}' in template.body) == (min_age is not None)
    assert ("lifecycle policy logs-events" in done) == (min_age is not None)
    if min_age:
        assert f'"min_age":"{min_age}"'.encode() in policies[0].body
    store.close()


def test_without_lifecycle_there_is_no_policy(server: Scripted, tmp_path: Path) -> None:
    """A cluster without it gets none: `prune` does the work."""
    store = opened(server, tmp_path, retention_days=30)

    store.setup()

    assert not [asked for asked in server.asked if asked.path.startswith("/_ilm/policy")]
    store.close()


def test_server_that_is_away_is_named_by_its_address() -> None:
    """The message says where nobody answers, in words for a reader and not in names of classes."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = connect(f"http://127.0.0.1:{port}")

    with pytest.raises(TransientError, match=f"^ask: 127.0.0.1:{port}: .*refused") as told, mapped_errors("ask"):
        client.info()

    assert "HTTPConnection" not in str(told.value)
    client.close()
