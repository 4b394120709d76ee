"""Training runs in a process of its own, one at a time, and what it says becomes an answer."""

import asyncio
import sys
from pathlib import Path

import pytest

from sentinel.errors import TerminalError, TransientError
from serving.problems import ProblemError
from serving.training import Trainer

ANSWER = 'print(\'{"model_version": "m1", "rows": 2, "promoted": true, "confidence": "low"}\')'


def trainer(folder: Path, code: str) -> Trainer:
    return Trainer(folder / "training", command=(sys.executable, "-c", code))


async def test_training_answers_what_the_command_printed(tmp_path: Path) -> None:
    """The last line of its output is the answer, and is remembered."""
    training = trainer(tmp_path, "print('chatter'); " + ANSWER)

    answer = await training.from_store()

    assert answer["model_version"] == "m1"
    assert training.last is not None
    assert training.last["rows"] == 2


async def test_training_hands_over_the_lines_and_removes_them_after(tmp_path: Path) -> None:
    """The command gets a private file with the lines; nothing of it stays."""
    code = (
        "import sys, json; path = sys.argv[sys.argv.index('--file') + 1]; lines = open(path).read().splitlines();"
        "print(json.dumps({'rows': len(lines)}))"
    )

    answer = await trainer(tmp_path, code).from_lines(b'{"message": "a"}\n{"message": "b"}\n')

    assert answer == {"rows": 2}
    assert list((tmp_path / "training").iterdir()) == []


async def test_lines_that_cannot_be_kept_are_refused_for_now(tmp_path: Path) -> None:
    """A disk that takes no file is said in a sentence."""
    (tmp_path / "training").write_text("in the way")

    with pytest.raises(TransientError, match=r"keep the lines in .*the model in service stays"):
        await trainer(tmp_path, ANSWER).from_lines(b"{}")


@pytest.mark.parametrize(
    ("wanted", "flags"),
    [(None, []), (True, ["--exclude-anomalies"]), (False, ["--no-exclude-anomalies"])],
)
async def test_training_hands_over_the_switch(tmp_path: Path, wanted: bool | None, flags: list[str]) -> None:
    """What the client says of anomalies becomes the command's flag; unsaid, the command decides."""
    training = trainer(tmp_path, "import sys, json; print(json.dumps({'flags': sys.argv[1:]}))")

    assert await training.from_store(exclude_anomalies=wanted) == {"flags": flags}
    assert (await training.from_lines(b"{}", exclude_anomalies=wanted))["flags"][2:] == flags  # type: ignore[index]


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("import sys; sys.exit('sentinel train: another training is running')", TransientError, "another training"),
        (
            "import sys; print('sentinel train: nothing to learn from', file=sys.stderr); sys.exit(2)",
            TerminalError,
            "nothing to learn",
        ),
        ("import sys; sys.exit('sentinel train: train: busy, process 7 is training')", ProblemError, "process 7"),
        ("import os; os.kill(os.getpid(), 9)", TransientError, "model in service stays"),
        ("raise TypeError('of no use to a client')", TransientError, "code 1; the model in service stays"),
        ("import sys; sys.exit(77)", TransientError, "code 77"),
    ],
)
async def test_training_raises_what_the_exit_code_means(
    tmp_path: Path, code: str, kind: type[Exception], said: str
) -> None:
    """Exit 1 may work later, exit 2 never will, a crash leaves the model in service; the command's words come along."""
    with pytest.raises(kind, match=said):
        await trainer(tmp_path, code).from_store()


async def test_training_is_one_at_a_time(tmp_path: Path) -> None:
    """Whoever comes while one is under way gets 409; afterwards the place is free."""
    training = trainer(tmp_path, ANSWER)

    with training.claim(), pytest.raises(ProblemError) as raised, training.claim():
        pass

    assert raised.value.status == 409
    assert not training.is_busy


async def test_training_ends_when_the_server_stops(tmp_path: Path) -> None:
    """A stop does not wait for minutes: the training is ended, and its caller told to come back."""
    ready = tmp_path / "ready"
    code = f"import time, pathlib; pathlib.Path({str(ready)!r}).touch(); time.sleep(600)"
    training = trainer(tmp_path, code)
    running = asyncio.create_task(training.from_store())
    while not ready.exists():
        await asyncio.sleep(0.01)

    await training.stop()

    with pytest.raises(TransientError, match="stopping"):
        await running
