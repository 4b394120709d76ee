"""A connection to Elasticsearch: credentials only where they are safe, and its errors as ours."""

import contextlib
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import TransportError
from elasticsearch import ApiError, Elasticsearch

from sentinel.errors import SentinelError, SettingsError, TerminalError, TransientError

__all__ = ["connect", "mapped_errors"]

TIMEOUT_S = 30.0
RETRY_LATER = {408, 429, 500, 502, 503, 504}
NEEDED = "docs/reliability.md lists the privileges that are needed, least first"


def connect(
    addr: str,
    *,
    api_key: str | None = None,
    user: str | None = None,
    password: str | None = None,
    ca_file: Path | None = None,
    fingerprint: str | None = None,
) -> Elasticsearch:
    """A client; nothing is sent yet. Raises SettingsError for an unusable address, or a key over plain HTTP to another
    machine."""
    parts = urlsplit(addr)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(f"connect to {addr!r}: ELASTIC_ADDR takes http://host:port or https://host:port")
    if (api_key or password or parts.password) and parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise SettingsError(
            f"connect to {parts.hostname}: a key or password would cross the network unencrypted; use https://"
        )
    options: dict[str, Any] = {"request_timeout": TIMEOUT_S, "max_retries": 0, "retry_on_timeout": False}
    if api_key:
        options["api_key"] = api_key
    elif user:
        options["basic_auth"] = (user, password or "")
    if ca_file is not None:
        if not ca_file.is_file():
            raise SettingsError(f"connect to {parts.hostname}: ELASTIC_CA_FILE {ca_file} is not there")
        options["ca_certs"] = str(ca_file)
    if fingerprint:
        options["ssl_assert_fingerprint"] = fingerprint
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.username and not api_key and not user:
        options["basic_auth"] = (parts.username, parts.password or "")
    return Elasticsearch(f"{parts.scheme}://{host}:{port}{parts.path}", **options)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def mapped_errors(step: str) -> Iterator[None]:
    """Errors of the client as TransientError or TerminalError; `step` says what was being done."""
    try:
        yield
    except ApiError as exc:
        raise api_error(step, exc) from exc
    except TransportError as exc:
        cause = str(exc.message or exc).splitlines()[0] if str(exc.message or exc) else type(exc).__name__
        raise TransientError(f"{step}: {cause}; is ELASTIC_ADDR right, and Elasticsearch running?") from exc


def api_error(step: str, exc: ApiError) -> SentinelError:
    """An answer with an error status as one of our errors."""
    status = exc.meta.status
    cause = reason_of(exc.body) or str(exc.message)
    if status == 401:
        return TransientError(
            f"{step}: Elasticsearch does not know this key or password; check ELASTIC_API_KEY ({cause})"
        )
    if status == 403 and "cluster_block" not in cause:
        return TransientError(f"{step}: a privilege is missing: {cause}; {NEEDED}")
    if status in RETRY_LATER or "cluster_block" in cause:
        return TransientError(f"{step}: Elasticsearch answers {status}: {cause}")
    return TerminalError(f"{step}: Elasticsearch answers {status}: {cause}")


def reason_of(body: object) -> str:
    """Type and reason of an error answer; empty where there is none."""
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        return f"{error.get('type')}: {error.get('reason')}"[:500]
    return str(error)[:500] if error else ""
