"""What all tests share: a real Elasticsearch for the session, started only when a test asks for it."""

import ipaddress
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # so that `tests.elastic_server` is found, wherever pytest was started

from tests.elastic_server import ElasticServer, UnavailableError, provide_or_raise  # noqa: E402 after the path is set

FIXTURES = {"elastic_url", "elastic_server", "secure_elastic"}
LONGEST = (
    "test_stack_real_logs",
    "test_serving_browser",
    "test_faults_kill",
    "test_stack_up",
    "test_faults_models",
    "test_faults_io",
)
REQUIRED = "LOG_SENTINEL_TEST_REQUIRE"  # names what must not be skipped, parted by commas
REQUIRABLE = {
    "elastic": "a real Elasticsearch",
    "chromium": "a browser",
    "user": "a second user, with a Python that they may run",
}


def pytest_configure() -> None:
    """A name that nothing answers to would let tests be skipped in silence."""
    unknown = set(filter(None, os.environ.get(REQUIRED, "").split(","))) - set(REQUIRABLE)
    if unknown:
        raise pytest.UsageError(f"{REQUIRED} may name {', '.join(REQUIRABLE)}, not {', '.join(sorted(unknown))}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that asks for Elasticsearch is marked so; the longest files come first, as each goes to one worker."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.elastic)


def do_without(name: str, reason: str) -> NoReturn:
    """Skip a test that needs one of REQUIRABLE, by name; fail it where LOG_SENTINEL_TEST_REQUIRE lists that name."""
    if name in os.environ.get(REQUIRED, "").split(","):
        pytest.fail(f"{REQUIRABLE[name]} is required here: {reason}")
    pytest.skip(f"without {REQUIRABLE[name]}: {reason}")


@pytest.fixture(scope="session")
def elastic_url() -> Iterator[str]:
    """The address of a real Elasticsearch without security. Use index names of your own, see `elastic_index`."""
    try:
        server = provide_or_raise().__enter__()
    except UnavailableError as exc:
        do_without("elastic", str(exc))
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
        do_without("elastic", str(exc))
    yield server
    server.stop()


@dataclass(frozen=True)
class SecureElastic:
    """A node with security on and TLS, and what is needed to be let in."""

    url: str
    password: str  # of the user `elastic`
    ca_file: Path
    fingerprint: str  # of the server's certificate


@pytest.fixture(scope="session")
def secure_elastic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureElastic]:
    """A real Elasticsearch with TLS, passwords and API keys."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "server.crt", folder / "server.key"
    fingerprint = write_certificate(certificate, key)
    password = secrets.token_hex(12)
    server = ElasticServer(password=password, certificate=certificate, certificate_key=key)
    try:
        server.start()
    except UnavailableError as exc:
        do_without("elastic", str(exc))
    yield SecureElastic(server.url, password, certificate, fingerprint)
    server.stop()


def write_certificate(certificate: Path, key: Path) -> str:
    """A self-signed certificate for 127.0.0.1, valid for a day; its SHA-256 fingerprint."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return made.fingerprint(hashes.SHA256()).hex()
