"""A home of its own for each test, and the command as a user calls it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sentinel.cli import main
from sentinel.parse import Reading, use
from sentinel.settings import Settings
from sentinel.spool import Spool


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOG_SENTINEL_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("LOG_SENTINEL_DIR", str(tmp_path / "in"))
    monkeypatch.setenv("LOG_SENTINEL_MIN_FREE_MB", "1")
    (tmp_path / "in").mkdir()
    return tmp_path / "var"


@pytest.fixture
def sentinel_command(home: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Ran]]:
    """The command in this process; how lines are read is as before at the end."""

    def run(*arguments: str) -> Ran:
        try:
            code = main(arguments)
        except SystemExit as exc:
            code = int(exc.code or 0)
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    yield run
    use(Reading())


@pytest.fixture
def spool(home: Path) -> Iterator[Spool]:
    """The spool of the home, held open as a running server does."""
    home.mkdir(mode=0o700, exist_ok=True)
    with Spool.open(home / "spool", min_free_bytes=1) as opened:
        yield opened
