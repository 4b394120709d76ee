"""A connection to Elasticsearch: credentials only where they are safe."""

import base64
import ipaddress
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from elasticsearch import Elasticsearch, OrjsonSerializer

from sentinel.errors import SettingsError

__all__ = ["connect"]

TIMEOUT_S = 30.0
FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def connect(
    addr: str,
    *,
    api_key: str | None = None,
    user: str | None = None,
    password: str | None = None,
    ca_file: Path | None = None,
    fingerprint: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Elasticsearch:
    """A client; nothing is sent yet. It follows no redirect and repeats nothing by itself.

    Raises SettingsError for an unusable address, or a key or password over plain HTTP to another machine.
    """
    parts = _parts(addr)
    options: dict[str, Any] = {"request_timeout": timeout_s, "max_retries": 0, "retry_on_timeout": False}
    options |= _credentials(parts, api_key, user, password)
    if parts.scheme == "https":
        options |= _trust(parts, ca_file, fingerprint)
    elif "api_key" in options or "basic_auth" in options:
        _refuse_unless_loopback(str(parts.hostname))
    elif ca_file or fingerprint:
        raise SettingsError(
            f"connect to {parts.hostname}: ELASTIC_CA_FILE and ELASTIC_FINGERPRINT are for https:// addresses"
        )
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = parts.path.rstrip("/")
    return Elasticsearch(f"{parts.scheme}://{host}:{port}{path}", serializer=OrjsonSerializer(), **options)


def _parts(addr: str) -> SplitResult:
    try:
        parts = urlsplit(addr)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise SettingsError("connect to Elasticsearch: ELASTIC_ADDR takes http://host:port or https://host:port")
    return parts


def _credentials(parts: SplitResult, api_key: str | None, user: str | None, password: str | None) -> dict[str, str]:
    if api_key:
        return {"api_key": api_key}
    if user:
        return {"basic_auth": _basic(user, password or "")}
    if parts.username:
        return {"basic_auth": _basic(unquote(parts.username), unquote(parts.password or ""))}
    return {}


def _basic(user: str, password: str) -> str:
    """Both as HTTP wants them, in UTF-8 (RFC 7617); the client itself takes ASCII only."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _trust(parts: SplitResult, ca_file: Path | None, fingerprint: str | None) -> dict[str, str]:
    """Whose certificate is taken. A fingerprint is of the server's certificate, or of an authority in its chain."""
    trust = {}
    if ca_file is not None:
        if not ca_file.is_file():
            raise SettingsError(f"connect to {parts.hostname}: ELASTIC_CA_FILE {ca_file} is not there")
        trust["ca_certs"] = str(ca_file)
    if fingerprint:
        digits = fingerprint.replace(":", "").strip().lower()
        if not FINGERPRINT.fullmatch(digits):
            raise SettingsError(
                f"connect to {parts.hostname}: ELASTIC_FINGERPRINT takes 64 hexadecimal digits (SHA-256)"
            )
        trust["ssl_assert_fingerprint"] = digits
    return trust


def _refuse_unless_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise SettingsError(
            f"connect to {host}: a key or password would cross the network unencrypted; set ELASTIC_ADDR to https://"
        )
