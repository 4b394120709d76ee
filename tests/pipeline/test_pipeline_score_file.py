"""`score --file`: a verdict for each line, with its number, its message and its incident; in pieces as in one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from sentinel.detect.models.registry import Registry
from sentinel.pipeline import score_file as room
from sentinel.pipeline.files import read_training
from sentinel.pipeline.score_file import score_file
from sentinel.pipeline.train import train
from sentinel.records import VERDICT_SCHEMA

START = datetime(2026, 11, 20, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def line(second: float, message: str, source: str = "shop") -> bytes:
    at = (START + timedelta(seconds=second)).isoformat()
    return orjson.dumps({"timestamp": at, "level": "info", "source": source, "message": message})


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("models")
    path = folder / "train.ndjson"
    usual = (line(n * 5.0, f"order {n} paid by card in {20 + n % 30} ms") for n in range(3_000))
    path.write_bytes(b"\n".join(usual) + b"\n")
    made = Registry(folder / "models", b"0123456789abcdef0123456789abcdef")
    train(made, read_training(path, now=NOW)[0])
    return made


def lines_to_score() -> list[bytes]:
    """Usual lines; in between a blank one, one that is no JSON, and a flood of guessed passwords."""
    usual = [line(20_000 + n * 5.0, f"order {n} paid by card in {20 + n % 30} ms") for n in range(300)]
    guessed = [
        line(21_000 + n * 0.2, f"Failed password for root from 203.0.113.9 port {4_000 + n} ssh2", "sshd")
        for n in range(200)
    ]
    return [*usual[:100], b"", b"no JSON {", *guessed, *usual[100:]]


def run(registry: Registry, folder: Path) -> tuple[list[dict], dict]:
    path, out = folder / "in.ndjson", folder / "out.ndjson"
    path.write_bytes(b"\n".join(lines_to_score()) + b"\n")
    report = score_file(registry, path, out, threshold_nats=7.5, now=NOW)
    return [orjson.loads(text) for text in out.read_bytes().splitlines()], {
        "counts": report.counts,
        "rows": report.rows,
    }


def test_answer_carries_line_message_and_incident(registry: Registry, tmp_path: Path) -> None:
    """A line of the answer says which line of the file it is about, blank ones counted, and what it belongs to."""
    answers, report = run(registry, tmp_path)
    written = lines_to_score()
    guessed = [a for a in answers if "Failed password" in a.get("message", "")]
    named = {a["incident"] for a in guessed if a["is_anomaly"]}

    assert [a["line"] for a in answers] == [n for n, text in enumerate(written, 1) if text]
    assert all(orjson.loads(written[a["line"] - 1])["message"] == a["message"] for a in answers if "message" in a)
    assert answers[100].keys() == {"line", "error"}
    assert len(named) == 1
    assert named == {report["rows"][0]["id"]}
    assert all((a["incident"] is not None) == a["is_anomaly"] for a in answers if "message" in a)
    assert set(VERDICT_SCHEMA) < answers[0].keys()
    assert report["counts"]["incidents"] >= 1


def test_pieces_give_the_same_answer(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a file is cut into pieces, the verdicts are the same."""
    whole = run(registry, tmp_path)
    monkeypatch.setattr(room, "PIECE_LINES", 37)

    assert run(registry, tmp_path) == whole


def test_progress_is_told_by_steps(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes read, then lines judged, each up to its total."""
    monkeypatch.setattr(room, "PIECE_LINES", 100)
    told: list[tuple[str, int, int]] = []
    path = tmp_path / "in.ndjson"
    path.write_bytes(b"\n".join(lines_to_score()) + b"\n")

    score_file(
        registry, path, tmp_path / "out", threshold_nats=7.5, now=NOW,
        progress=lambda step, done, total, lines: told.append((step, done, total)),
    )  # fmt: skip

    assert [step for step, done, total in told if done == total] == ["reading", "judging"]
    assert [done for step, done, _ in told if step == "judging"] == [100, 200, 300, 400, 500]
