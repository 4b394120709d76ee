"""R4: the disk fails at any call, or is full; nothing is acknowledged that is not durable, and nothing hangs."""

from pathlib import Path

import pytest

from tests.faults import io_server, iofaults
from tests.faults.trace import compiler

needs_shim = pytest.mark.skipif(compiler() is None, reason="no C compiler to build the shim with")
STRIDE = 25  # of the calls that are many, one in so many fails here; all of them in the soak


@needs_shim
@pytest.mark.slow
def test_spool_keeps_its_promise_whichever_call_fails(real_folder: Path) -> None:
    """Acknowledged is there, refused is wholly there or not at all, only foreseen errors, and it works again after."""
    sweeps = iofaults.run(real_folder, stride=STRIDE, seed=5)

    assert [what for sweep in sweeps for what in sweep.wrong] == []
    assert sum(sweep.sites for sweep in sweeps) > 150
    assert sum(sweep.refused_steps for sweep in sweeps) > 150


@needs_shim
@pytest.mark.slow
def test_server_says_so_and_recovers_when_its_disk_fails(real_folder: Path) -> None:
    """No 2xx that is not durable, 503 else; /ready degrades where commits fail and is back by itself."""
    trials = io_server.run(real_folder)

    assert [trial.verdict.explain() for trial in trials if not trial.verdict.passed] == []
    assert {status for trial in trials for status in trial.during} <= {202, 503}
    assert [n for n, trial in enumerate(trials) if trial.recovered_s < 0] == []
    assert all(set(trial.during) == {503} and 503 in trial.ready for trial in trials[:3])


@pytest.mark.slow
def test_server_survives_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a tmpfs without one free byte: 503, then back at work when there is room."""
    try:
        trial = io_server.full_disk(tmp_path)
    except PermissionError as exc:
        pytest.skip(str(exc))

    assert set(trial.during) <= {202, 503}
    assert (trial.during[-1], trial.ready[-1]) == (503, 503)
    assert trial.recovered_s >= 0
    assert trial.verdict.passed, trial.verdict.explain()


@needs_shim
@pytest.mark.slow
def test_each_202_follows_the_sync_that_covers_it(real_folder: Path) -> None:
    """In the trace of the server's calls, log written, log synced, answer sent: in this order."""
    answered, wrong = io_server.acks_follow_syncs(real_folder, requests=20)

    assert wrong == []
    assert answered == 20
