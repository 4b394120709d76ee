"""A log record as an HTML form, as Python's `logging.handlers.HTTPHandler` posts it, made a document."""

import ast
import math
import re
from typing import Final
from urllib.parse import parse_qsl

__all__ = ["document_of_form", "looks_like_a_form"]

_FORM: Final = re.compile(rb"[\w.%+*-]+=[^\s=&]*(?:&[\w.%+*-]+=[^\s=&]*)*+")
_ENCODED: Final = re.compile(rb"[&%+]")
_PLACE: Final = re.compile(r"%(?:\([a-zA-Z_]\w{0,50}\))?[-+ 0#]{0,5}\d{0,2}(?:\.\d{1,2})?[sdrifeg]|%%")
MAX_FIELDS: Final = 200
MAX_ARGS_CHARS: Final = 4096
_EMPTY: Final = frozenset({"", "None"})  # str() of a field that the record has not


def looks_like_a_form(raw: bytes) -> bool:
    """Whether bytes are names and values, encoded as a browser does; one word with a `=` within is as well a line."""
    head = raw[:1_000_000].strip()
    return _FORM.fullmatch(head) is not None and (_ENCODED.search(head) is not None or head.startswith(b"msg="))


def document_of_form(raw: bytes) -> dict[str, object]:
    """The document; of a name that comes twice the last speaks. ValueError where it has no message, or is huge."""
    pairs = parse_qsl(raw.decode().strip(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    fields: dict[str, object] = {name: value for name, value in pairs if value not in _EMPTY}
    if "msg" not in fields and "message" not in fields:
        raise ValueError("a form without `msg` or `message`")
    if "levelno" not in fields and "levelname" not in fields:
        return fields
    return _of_record(fields)


def _of_record(fields: dict[str, object]) -> dict[str, object]:
    """A LogRecord's fields under the names of a document; the arguments are put into the message."""
    template, args = str(fields.pop("msg", "")), str(fields.pop("args", "()"))
    message = fields.pop("message", None) or _formatted(template, args)
    if message is None:
        message, fields["args"] = template, args
    created = fields.pop("created", None)
    found = {"message": message, "level": fields.pop("levelname", None), "source": fields.pop("name", None)}
    if created is not None:
        found["timestamp"] = _number(str(created))
    return {**{name: value for name, value in found.items() if value is not None}, **fields}


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _formatted(template: str, args: str) -> str | None:
    """`template % args`; None where the arguments are no plain values, or do not fit."""
    if args in {"()", "None"}:
        return template
    if len(args) > MAX_ARGS_CHARS or "\\" in args or "%" in _PLACE.sub("", template):
        return None
    try:
        values = ast.literal_eval(args)
        return template % values if isinstance(values, tuple | dict) else template % (values,)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError, OverflowError):
        return None
