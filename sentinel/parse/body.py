"""The body of a request, by its content type or its looks: JSON documents or text lines."""

import codecs
import re
from dataclasses import dataclass
from typing import Final

import orjson

from sentinel.errors import TerminalError
from sentinel.parse.charset import CHARSETS, as_utf8
from sentinel.parse.fields import Malformed
from sentinel.parse.form import document_of_form, looks_like_a_form
from sentinel.parse.joined import (
    MAX_MARKS,
    count_elements,
    elements,
    has_too_many_marks,
    read_value,
    values,
)

__all__ = ["BadBodyError", "Body", "TooManyLogsError", "UnknownCharsetError", "decode_body"]

_NDJSON: Final = frozenset(
    f"application/{name}"
    for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonlines", "jsonlines", "json-seq", "json-lines")
)
_FORM: Final = "application/x-www-form-urlencoded"
_UNDECIDED: Final = frozenset({"", _FORM, "application/octet-stream", "*/*"})
_LINE: Final = re.compile(rb"\S[^\n]*")  # from its first character that is not white
_JOINT: Final = re.compile(rb"[}\]][\s,\x1e]*[{\[]")
MAX_JOINED_LINES: Final = 10_000
"""Lines of one body that are looked at for several values in each; a body has one line of them, or some."""

_FOREIGN_BOMS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class BadBodyError(TerminalError):
    """A request's body cannot be read at all; nothing of it was accepted. The answer to it is 400."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"read body: {where}: {why}; nothing was accepted, correct the body and send it again")
        self.where = where
        self.why = why


class UnknownCharsetError(BadBodyError):
    """The body is in a charset that is not read; the answer is 415."""


class TooManyLogsError(TerminalError):
    """The body holds more than is decoded at once; the answer is 413."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a body holds: decoded JSON values (a line of NDJSON that is none is Malformed), or text lines; never both.

    Lines have no line ends; blank ones are kept, so that a line's index is its number from 0. Blank lines of NDJSON are
    not counted.
    """

    documents: list[object] | None = None
    lines: list[bytes] | None = None
    is_one: bool = False  # one object or form, rather than an array, NDJSON or lines


def decode_body(raw: bytes, content_type: str | None, *, max_items: int | None = None) -> Body:
    """Decode a request's body.

    JSON types: an object, an array, or several of them, one a line or one after another. `text/*`: lines. Without a
    type, or with curl's default, a body that begins with `{` or `[` is JSON, one that is encoded as a form is a form,
    else text. Raises BadBodyError with the position when it can be neither, UnknownCharsetError for its charset,
    TooManyLogsError past `max_items`; the work is bounded by the size of the body, whatever stands in it.
    """
    kind, charset = _content_type(content_type)
    raw = _as_utf8(raw, charset)
    if not raw.strip():
        raise BadBodyError("at its start", "empty body")
    begin = raw.lstrip()[:1]
    if kind in _UNDECIDED:
        if begin not in (b"{", b"["):
            return _form(raw) if kind == _FORM and looks_like_a_form(raw) else _text(raw, max_items)
        try:
            return _documents(raw, max_items, lines_first=False)
        except BadBodyError:
            if begin == b"[" and not _looks_like_json_array(raw):
                return _text(raw, max_items)  # `[Sun Dec 04 …] [error] …`
            raise
    if kind in _NDJSON:
        return _documents(raw, max_items, lines_first=True)
    if kind == "application/json" or kind.endswith("+json") or kind == "text/json":
        return _documents(raw, max_items, lines_first=False)
    if kind.startswith("text/"):
        return _text(raw, max_items)
    raise BadBodyError("content type", f"{kind[:100]!r} is none of application/json, application/x-ndjson, text/plain")


def _content_type(text: str | None) -> tuple[str, str]:
    kind, _, parameters = (text or "").partition(";")
    charset = ""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'").strip().lower()
    return kind.strip().lower(), charset


def _as_utf8(raw: bytes, charset: str) -> bytes:
    """The body without its byte order mark, in UTF-8."""
    try:
        text = as_utf8(raw, charset)
    except LookupError:
        raise UnknownCharsetError("charset", f"{charset[:40]!r} is not read; send {CHARSETS}") from None
    if text is raw and raw.startswith(_FOREIGN_BOMS):
        raise BadBodyError("at its start", "UTF-16 or UTF-32; send UTF-8, or name the charset in the content type")
    return text


def _text(raw: bytes, max_items: int | None) -> Body:
    _check_count(raw.count(b"\n"), max_items)
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    _check_count(len(lines), max_items)
    return Body(lines=[line.removesuffix(b"\r") for line in lines])


def _form(raw: bytes) -> Body:
    try:
        return Body(documents=[document_of_form(raw)], is_one=True)
    except ValueError as exc:
        raise BadBodyError("form", f"{exc}; send lines of text as text/plain") from exc


def _looks_like_json_array(raw: bytes) -> bool:
    """Whether what follows the opening bracket can only be JSON."""
    return raw.lstrip()[1:].lstrip()[:1] in (b"{", b"]", b'"', b"[")


def _documents(raw: bytes, max_items: int | None, *, lines_first: bool) -> Body:
    """The documents of one JSON value, of one a line, or of one after another."""
    if has_too_many_marks(raw):
        raise TooManyLogsError(f"The body holds more than {MAX_MARKS} brackets and commas outside of its texts")
    begin = raw.lstrip()[:1]
    is_object = begin == b"{"
    if begin == b"[" and not lines_first and max_items is not None and raw.count(b",") >= max_items:
        _check_count(count_elements(raw), max_items)
    whole = None if lines_first else _whole(raw)
    if isinstance(whole, list):
        _check_count(len(whole), max_items)
        return Body(documents=whole, is_one=is_object)
    by_line = _json_lines(raw, max_items) if lines_first or (b"\n" in raw.strip() and begin != b"[") else []
    if any(isinstance(document, dict) for document in by_line) and (lines_first or _are_logs(by_line)):
        return Body(documents=by_line)
    apart = _apart(raw, max_items)
    if any(isinstance(document, dict) for document in apart):
        return Body(documents=apart, is_one=is_object and len(apart) == 1 and not lines_first)
    if whole is not None:
        raise whole
    return Body(documents=by_line)  # no line is an object: each has its reason


def _are_logs(documents: list[object]) -> bool:
    """Whether documents were meant, and not something else that is broken: the first is one, or most are."""
    found = sum(isinstance(document, dict) for document in documents)
    return isinstance(documents[0], dict) or found > len(documents) // 2


def _whole(raw: bytes) -> list[object] | BadBodyError:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        return BadBodyError(f"line {exc.lineno} column {exc.colno}", f"no JSON: {str(exc.msg)[:200]}")
    return value if isinstance(value, list) else [value]


def _apart(raw: bytes, max_items: int | None) -> list[object]:
    """The elements of an array, or those of the values one after another, each read on its own."""
    if pieces := elements(raw):
        _check_count(len(pieces), max_items)
        return [read_value(piece, f"value {number}") for number, piece in enumerate(pieces)]
    found: list[object] = []
    for number, piece in enumerate(values(raw)):
        value = read_value(piece, f"value {number}")
        found.extend(value if isinstance(value, list) else [value])
        _check_count(len(found), max_items)
    return found


def _json_lines(raw: bytes, max_items: int | None) -> list[object]:
    documents: list[object] = []
    number, counted, joined = 1, 0, 0
    for found in _LINE.finditer(raw):
        line = found[0].lstrip(b"\x1e")  # RFC 7464 puts a record separator before each
        number, counted = number + raw.count(b"\n", counted, found.start()), found.start()
        value = read_value(line, f"line {number}")
        if isinstance(value, Malformed) and joined < MAX_JOINED_LINES and _JOINT.search(line):
            joined += 1
            several = [read_value(piece, f"line {number}") for piece in values(line)]
            documents.extend(several if len(several) > 1 and isinstance(several[0], dict) else [value])
        else:
            documents.append(value)
        _check_count(len(documents), max_items)
    return documents


def _check_count(count: int, max_items: int | None) -> None:
    if max_items is not None and count > max_items:
        raise TooManyLogsError(f"The body holds more than {max_items} logs")
