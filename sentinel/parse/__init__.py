"""Parse: raw lines and JSON documents in, records in one normal form out; bad input comes back with its reason."""

from sentinel.parse.assemble import Parsed
from sentinel.parse.body import BadBodyError, Body, TooManyLogsError, UnknownCharsetError, decode_body
from sentinel.parse.documents import Document, parse_documents
from sentinel.parse.fields import Malformed
from sentinel.parse.in_use import Reading, kinds_of, use
from sentinel.parse.joined import decoded_bytes
from sentinel.parse.mask import hide_secrets
from sentinel.parse.own_formats import read_formats
from sentinel.parse.parse import parse_lines, parse_one
from sentinel.parse.secrets import KINDS as MASKED_KINDS
from sentinel.parse.zone_settings import zones_of

__all__ = [
    "MASKED_KINDS",
    "BadBodyError",
    "Body",
    "Document",
    "Malformed",
    "Parsed",
    "Reading",
    "TooManyLogsError",
    "UnknownCharsetError",
    "decode_body",
    "decoded_bytes",
    "hide_secrets",
    "kinds_of",
    "parse_documents",
    "parse_lines",
    "parse_one",
    "read_formats",
    "use",
    "zones_of",
]
