"""What the tests of the parse room share: a fixed now, and short ways to read a line or a document."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from sentinel.parse import Document, Parsed, parse_documents, parse_lines

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINE_SCHEMA = {"line": pl.Binary, "origin": pl.String, "generation": pl.String, "offset": pl.Int64}

ReadLines = Callable[..., Parsed]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def read_lines() -> ReadLines:
    """Read lines (text or bytes) as those of one file."""

    def read(
        *lines: str | bytes, now: datetime = NOW, origin: str = "/var/log/app.log", period: str = "month"
    ) -> Parsed:
        rows = [line.encode() if isinstance(line, str) else line for line in lines]
        n = len(rows)
        columns = {"line": rows, "origin": [origin] * n, "generation": ["0123456789"] * n, "offset": list(range(n))}
        return parse_lines(pl.DataFrame(columns, schema=LINE_SCHEMA), now=now, period=period)

    return read


@pytest.fixture
def read_line(read_lines: ReadLines) -> Callable[..., dict[str, Any]]:
    """Read one line of a file: its record as a dict."""

    def read(line: str | bytes, **settings: Any) -> dict[str, Any]:
        records = read_lines(line, **settings).records
        assert records.height == 1
        return records.row(0, named=True)

    return read


@pytest.fixture
def read_documents() -> Callable[..., Parsed]:
    """Read decoded JSON values as one request of one client."""

    def read(*bodies: object, now: datetime = NOW) -> Parsed:
        documents = [Document(body, f"{i:022d}", "10.0.0.9") for i, body in enumerate(bodies)]
        return parse_documents(documents, now=now)

    return read


@pytest.fixture
def read_document(read_documents: Callable[..., Parsed]) -> Callable[..., dict[str, Any]]:
    """Read one document that must be accepted: its record as a dict."""

    def read(body: object, **settings: Any) -> dict[str, Any]:
        parsed = read_documents(body, **settings)
        assert parsed.rejected.rows() == []
        return parsed.records.row(0, named=True)

    return read
