"""NDJSON files outside the spool: every line is read, blank ones in between or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.pipeline import files
from sentinel.pipeline.files import read_training

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_training_reads_on_after_a_chunk_of_blank_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stretch of blank lines as long as a chunk is no end of the file."""
    monkeypatch.setattr(files, "CHUNK_LINES", 3)
    path = tmp_path / "f.ndjson"
    path.write_text('{"message": "one"}\n' + "\n" * 10 + '{"message": "two"}\n\n \n\n{"message": "three"}\nnonsense\n')

    records, rejected = read_training(path, now=NOW)

    assert records["message"].to_list() == ["one", "two", "three"]
    assert rejected == 1
    assert records["event_id"].to_list() == [f"{n:022d}" for n in range(3)]
