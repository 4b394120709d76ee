"""The characters of a request's body: the few charsets that logs are sent in, each read in one pass, as UTF-8."""

import codecs
from typing import Final

__all__ = ["CHARSETS", "as_utf8"]

_UTF8: Final = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
_CODECS: Final = {
    "iso-8859-1": "latin-1",
    "iso8859-1": "latin-1",
    "iso_8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "utf-16": "utf-16-le",  # without a mark as WHATWG reads it, and Windows writes it
    "utf-16le": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
}
"""Names of the IANA registry → codec. None of Python's others: some are slow past bearing, some are no charsets."""

CHARSETS: Final = "utf-8, us-ascii, iso-8859-1, windows-1252, utf-16, utf-16le or utf-16be"
_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def as_utf8(raw: bytes, charset: str) -> bytes:
    """The text in UTF-8, its byte order mark gone; what a charset has no character for becomes U+FFFD.

    Raises LookupError for a charset that is not read here. Bytes that are sent as UTF-8 are not looked at.
    """
    name = charset.lower()
    if name in _UTF8:
        return raw.removeprefix(codecs.BOM_UTF8)
    codec = _CODECS[name]
    if codec.startswith("utf-16"):
        codec = _MARKS.get(raw[:2], codec)  # the mark is right where the name is wrong
    return raw.decode(codec, "replace").removeprefix("\ufeff").encode()
