"""Keys, passwords, TLS and privileges, on a real Elasticsearch with security on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from sentinel.errors import TransientError
from sentinel.records import ANOMALIES
from sentinel.store import Store, open_store
from sentinel.store.answers import PRIVILEGES
from tests.store.store_records import anomalies, records

Open = Callable[..., Store]
MakeKey = Callable[..., str]


@pytest.fixture
def opened(secure_elastic: object, elastic_index: str, tmp_path: Path) -> Iterator[Open]:
    stores: list[Store] = []

    def make(**options: object) -> Store:
        chosen = {"addr": secure_elastic.url, "ca_file": secure_elastic.ca_file} | options  # type: ignore[attr-defined]
        stores.append(open_store(index=elastic_index, folder=tmp_path, **chosen))  # type: ignore[arg-type]
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def admin(opened: Open, secure_elastic: object) -> Store:
    return opened(user="elastic", password=secure_elastic.password)  # type: ignore[attr-defined]


@pytest.fixture
def make_key(secure_elastic: object, elastic_index: str) -> Iterator[MakeKey]:
    """An API key that may do what the named parts of PRIVILEGES say, without those left out."""
    client = Elasticsearch(
        secure_elastic.url,  # type: ignore[attr-defined]
        basic_auth=("elastic", secure_elastic.password),  # type: ignore[attr-defined]
        ca_certs=str(secure_elastic.ca_file),  # type: ignore[attr-defined]
    )

    def make(*purposes: str, without: str = "") -> str:
        descriptor = role([PRIVILEGES[purpose] for purpose in purposes], elastic_index, without)
        made = client.security.create_api_key(name="test", role_descriptors={"test": descriptor})
        return str(made["encoded"])

    with closing(client):
        yield make


def role(parts: Sequence[Mapping[str, Sequence[str]]], index: str, without: str) -> dict[str, object]:
    """A role descriptor of some parts of PRIVILEGES."""
    rows = [(names, [p for p in privileges if p != without]) for part in parts for names, privileges in part.items()]
    indices = [
        {"names": names.replace("<index>", index).split(","), "privileges": privileges}
        for names, privileges in rows
        if names != "cluster" and privileges
    ]
    return {"cluster": [p for names, ps in rows if names == "cluster" for p in ps], "indices": indices}


def test_least_privileges_are_enough_to_deliver(opened: Open, admin: Store, make_key: MakeKey) -> None:
    """Once set up with another key, delivery needs what PRIVILEGES says for it."""
    admin.setup()
    store = opened(api_key=make_key("deliver"))

    assert store.setup() == []
    assert store.write(records(5)).delivered.all()
    assert store.write(anomalies(5), stream=ANOMALIES).delivered.all()
    assert store.write(records(5)).delivered.all()


@pytest.mark.parametrize("missing", ["create_doc", "auto_configure", "monitor", "view_index_metadata"])
def test_missing_privilege_is_named(opened: Open, admin: Store, make_key: MakeKey, missing: str) -> None:
    """Without one of them nothing is lost, and the message says which it is."""
    admin.setup()
    store = opened(api_key=make_key("deliver", without=missing))

    try:
        error = str(store.write(records(5)).error)
    except TransientError as exc:
        error = str(exc)

    assert missing in error


def test_set_up_privileges_are_enough_to_set_up(opened: Open, make_key: MakeKey) -> None:
    """A key that may set up makes templates and the indices of anomalies and incidents; nothing else is needed."""
    store = opened(api_key=make_key("set up"))

    assert len(store.setup()) == 5
    assert store.setup() == []


def test_not_set_up_and_not_allowed_to_is_named(opened: Open, make_key: MakeKey) -> None:
    """A key for delivery alone on a cluster that was never set up says what it lacks."""
    store = opened(api_key=make_key("deliver"))

    with pytest.raises(TransientError, match="manage_index_templates"):
        store.setup()


def test_read_and_prune_privileges_are_enough(opened: Open, admin: Store, make_key: MakeKey) -> None:
    """Reading works without the right to refresh; pruning needs its own."""
    admin.write(records(5))
    admin.refresh()
    reader = opened(api_key=make_key("read"))

    assert sum(frame.height for frame in reader.scan()) == reader.count() == 5
    with pytest.raises(TransientError, match="maintenance"):
        reader.refresh()
    with pytest.raises(TransientError, match="delete_index"):
        reader.prune("2027.01")
    assert len(opened(api_key=make_key("prune")).prune("2027.01")) == 1


def test_wrong_password_and_key_are_named(opened: Open) -> None:
    """A wrong password or key names the settings to look at, without telling them."""
    for options in ({"user": "elastic", "password": "geheim"}, {"api_key": "bm9uZTpub25l"}):
        store = opened(**options)

        with pytest.raises(TransientError, match="ELASTIC_API_KEY") as caught:
            store.setup()
        assert "geheim" not in str(caught.value)
        assert not store.health().reachable


def test_fingerprint_is_enough_to_trust(opened: Open, secure_elastic: object) -> None:
    """The server's fingerprint instead of an authority's file; colons and capitals do not matter."""
    digits = secure_elastic.fingerprint.upper()  # type: ignore[attr-defined]
    written = ":".join(digits[at : at + 2] for at in range(0, 64, 2))
    store = opened(
        user="elastic",
        password=secure_elastic.password,  # type: ignore[attr-defined]
        ca_file=None,
        fingerprint=written,
    )

    assert store.health().reachable


@pytest.mark.parametrize("options", [{"fingerprint": "ab" * 32, "ca_file": None}, {"ca_file": None}])
def test_unknown_certificate_gets_no_credentials(opened: Open, options: dict[str, object]) -> None:
    """A certificate that is not trusted ends the connection before anything is sent."""
    store = opened(user="elastic", password="geheim", **options)

    with pytest.raises(TransientError, match="certificate is not trusted"):
        store.setup()


def test_https_to_a_plain_port_is_told_as_that(opened: Open, elastic_url: str) -> None:
    """No certificate is at fault where none was shown."""
    store = opened(addr=elastic_url.replace("http:", "https:"), ca_file=None, fingerprint="ab" * 32)

    with pytest.raises(TransientError, match=r"does not speak TLS; write http://"):
        store.setup()


def test_plain_http_to_a_tls_port_is_transient(opened: Open, secure_elastic: object) -> None:
    """The wrong scheme is a clear sentence, not a stack trace."""
    url = secure_elastic.url.replace("https", "http")  # type: ignore[attr-defined]

    with pytest.raises(TransientError, match="ELASTIC_ADDR"):
        opened(addr=url, ca_file=None).setup()
