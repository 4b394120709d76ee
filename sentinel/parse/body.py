"""The body of a request, by its content type or its looks: JSON documents or text lines."""

import codecs
from dataclasses import dataclass
from typing import Final

import orjson

from sentinel.errors import TerminalError
from sentinel.parse.fields import Malformed

__all__ = ["BadBodyError", "Body", "decode_body"]

_NDJSON: Final = frozenset(
    f"application/{name}"
    for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonlines", "jsonlines", "json-seq", "json-lines")
)
_UNDECIDED: Final = frozenset({"", "application/x-www-form-urlencoded", "application/octet-stream", "*/*"})
_BOM: Final = codecs.BOM_UTF8
_FOREIGN_BOMS: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class BadBodyError(TerminalError):
    """A request's body cannot be read at all; nothing of it was accepted. The answer to it is 400."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"read body: {where}: {why}; nothing was accepted, correct the body and send it again")
        self.where = where
        self.why = why


@dataclass(frozen=True, slots=True)
class Body:
    """What a body holds: decoded JSON values (a line of NDJSON that is none is Malformed), or text lines; never both.

    Lines have no line ends; blank ones are kept, so that a line's index is its number from 0. Blank lines of NDJSON are
    not counted.
    """

    documents: list[object] | None = None
    lines: list[bytes] | None = None


def decode_body(raw: bytes, content_type: str | None) -> Body:
    """Decode a request's body.

    JSON types: an object, an array, or one value a line. `text/*`: lines. Without a type, or with curl's default, a
    body that begins with `{` or `[` is JSON, else text. Raises BadBodyError with the position when it can be neither.
    """
    kind, charset = _content_type(content_type)
    raw = _as_utf8(raw, charset)
    if not raw.strip():
        raise BadBodyError("at its start", "empty body")
    if kind in _UNDECIDED:
        if raw.lstrip()[:1] not in (b"{", b"["):
            return Body(lines=_split(raw))
        try:
            return Body(documents=_json(raw, lines_first=False))
        except BadBodyError:
            if raw.lstrip()[:1] == b"[" and not _looks_like_json_array(raw):
                return Body(lines=_split(raw))  # `[Sun Dec 04 …] [error] …`
            raise
    if kind in _NDJSON:
        return Body(documents=_json(raw, lines_first=True))
    if kind == "application/json" or kind.endswith("+json") or kind == "text/json":
        return Body(documents=_json(raw, lines_first=False))
    if kind.startswith("text/"):
        return Body(lines=_split(raw))
    raise BadBodyError("content type", f"{kind[:100]!r} is none of application/json, application/x-ndjson, text/plain")


def _content_type(text: str | None) -> tuple[str, str]:
    kind, _, parameters = (text or "").partition(";")
    charset = ""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
    return kind.strip().lower(), charset


def _as_utf8(raw: bytes, charset: str) -> bytes:
    """The body without its byte order mark, in UTF-8."""
    if charset not in ("", "utf-8", "utf8", "us-ascii", "ascii"):
        try:
            return raw.decode(charset).removeprefix("\ufeff").encode()
        except (LookupError, UnicodeError, ValueError) as exc:
            raise BadBodyError("charset", f"not readable as {charset[:40]!r}: {exc}") from exc
    if raw.startswith(_FOREIGN_BOMS):
        raise BadBodyError("at its start", "UTF-16 or UTF-32; send UTF-8, or name the charset in the content type")
    return raw.removeprefix(_BOM)


def _split(raw: bytes) -> list[bytes]:
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def _looks_like_json_array(raw: bytes) -> bool:
    """Whether what follows the opening bracket can only be JSON."""
    return raw.lstrip()[1:].lstrip()[:1] in (b"{", b"]", b'"', b"[")


def _json(raw: bytes, *, lines_first: bool) -> list[object]:
    """The documents of one JSON value, or of one a line."""
    if lines_first:
        documents = _json_lines(raw)
        if all(isinstance(document, Malformed) for document in documents):
            whole = _whole(raw)  # one object, printed over several lines
            return documents if isinstance(whole, BadBodyError) else whole
        return documents
    whole = _whole(raw)
    if isinstance(whole, list):
        return whole
    if b"\n" in raw.strip():
        documents = _json_lines(raw)
        if (
            isinstance(documents[0], dict)
            or sum(isinstance(document, dict) for document in documents) > len(documents) // 2
        ):
            return documents
    raise whole


def _whole(raw: bytes) -> list[object] | BadBodyError:
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        return BadBodyError(f"line {exc.lineno} column {exc.colno}", f"no JSON: {_reason(exc)}")
    return value if isinstance(value, list) else [value]


def _json_lines(raw: bytes) -> list[object]:
    documents: list[object] = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line or line.isspace():
            continue
        try:
            documents.append(orjson.loads(line.lstrip(b"\x1e")))  # RFC 7464 puts a record separator before each
        except orjson.JSONDecodeError as exc:
            documents.append(Malformed(f"line {number} column {exc.colno}: no JSON: {_reason(exc)}"))
    return documents


def _reason(exc: orjson.JSONDecodeError) -> str:
    return str(exc.msg)[:200]
