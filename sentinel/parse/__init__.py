"""Parse: raw lines and JSON documents in, records in one normal form out; bad input comes back with its reason."""

from sentinel.parse.assemble import Parsed
from sentinel.parse.body import BadBodyError, Body, TooManyLogsError, UnknownCharsetError, decode_body
from sentinel.parse.documents import Document, parse_documents
from sentinel.parse.fields import Malformed
from sentinel.parse.parse import parse_lines, parse_one

__all__ = [
    "BadBodyError",
    "Body",
    "Document",
    "Malformed",
    "Parsed",
    "TooManyLogsError",
    "UnknownCharsetError",
    "decode_body",
    "parse_documents",
    "parse_lines",
    "parse_one",
]
