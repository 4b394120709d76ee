"""The one place that knows the secrets of the settings, and blots them out of every text that leaves the process.

What fails may quote what it was given: a library its header, an address its password. Errors of ours, log records,
uncaught exceptions and answers that tell of errors pass through here.
"""

import base64
import binascii
import dataclasses
import html
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import quote, quote_plus, unquote

__all__ = ["BLOT", "blot", "blot_all", "forget", "learn", "learn_address", "learn_login"]

BLOT = "[secret]"
MIN_ANYWHERE = 6
"""A shorter secret is blotted out where it stands alone only: elsewhere it would be a part of common words."""


class _Known:
    """What this process must not say."""

    secrets: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None


_plain_factory = logging.getLogRecordFactory()


def learn(secret: str | None) -> None:
    """Blot this out from now on, in every form in which it is likely to be written. None and "" are no secrets."""
    if not secret or secret in _Known.secrets:
        return
    _Known.secrets |= {secret}
    forms = {form for one in _Known.secrets for form in _forms(one)} - {""}
    ordered = sorted(forms, key=len, reverse=True)
    _Known.pattern = re.compile(
        "|".join(re.escape(f) if len(f) >= MIN_ANYWHERE else rf"(?<!\w){re.escape(f)}(?!\w)" for f in ordered)
    )
    logging.setLogRecordFactory(_record)
    sys.excepthook, threading.excepthook = _uncaught, _uncaught_in_thread


def forget() -> None:
    """Know nothing: the settings are read anew."""
    _Known.secrets, _Known.pattern = frozenset(), None


def learn_login(user: str | None, password: str | None) -> None:
    """The password, and what HTTP makes of both (RFC 7617)."""
    learn(password)
    if user and password:
        learn(base64.b64encode(f"{user}:{password}".encode()).decode())


def learn_address(address: str | None) -> None:
    """The password within an address, as it is written and as it is meant."""
    inside, found, _ = (address or "").partition("://")[2].rpartition("@")
    if found:
        user, _, password = inside.partition(":")
        learn(password)
        learn_login(unquote(user), unquote(password))


def blot(text: str) -> str:
    """The text without the secrets."""
    return text if _Known.pattern is None else _Known.pattern.sub(BLOT, text)


def blot_all(value: object) -> object:
    """The same for every text within lists, mappings and dataclasses, names too."""
    if _Known.pattern is None:
        return value
    if isinstance(value, str):
        return blot(value)
    if isinstance(value, Mapping):
        return {blot_all(name): blot_all(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [blot_all(inside) for inside in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: blot_all(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value


def _forms(secret: str) -> set[str]:
    """How a secret may be written: as it is, escaped by Python, JSON, HTML or a URL, misread, or in base64."""
    raw = secret.encode(errors="surrogateescape")
    forms = {secret, raw.decode("latin-1"), repr(raw)[2:-1], repr(secret)[1:-1], ascii(secret)[1:-1]}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], html.escape(secret)}
    forms |= {
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
        secret.lower(),
        secret.encode("unicode_escape").decode(),
    }
    if len(secret) >= MIN_ANYWHERE:
        forms |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("="), *_inner(secret)}
    return forms


def _inner(secret: str) -> set[str]:
    """The second half of an encoded API key: base64 of `id:key`, as Elasticsearch shows it."""
    try:
        decoded = base64.b64decode(secret, validate=True).decode()
    except (binascii.Error, ValueError):
        return set()
    _, found, key = decoded.partition(":")
    return {key} if found and len(key) >= MIN_ANYWHERE else set()


def _record(*args: object, **kwargs: object) -> logging.LogRecord:
    """A log record, of anybody's logger, without the secrets."""
    record = _plain_factory(*args, **kwargs)
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):  # a bad format string is for the handler to tell
        said = ""
    if (clean := blot(said)) != said:
        record.msg, record.args = clean, ()
    if record.exc_info and record.exc_info[0] is not None:
        told = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if (clean := blot(told)) != told:
            record.exc_info, record.exc_text = None, clean  # some handlers format the exception anew
    return record


def _uncaught(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write(blot("".join(traceback.format_exception(kind, exc, trace))))


def _uncaught_in_thread(args: "threading.ExceptHookArgs") -> None:
    if args.exc_type is not SystemExit and args.exc_value is not None:
        _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
