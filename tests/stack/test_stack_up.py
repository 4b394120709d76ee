"""The real stack on ports of its own, in a path with blanks: scheduled runs, the four commands, deaths, the end."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.stack.running import PATIENCE_S, Running, running_stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]

DEPLOYMENTS = {
    "collect-files/every-minute": "collect-files",
    "load-elastic/every-minute": "load-elastic",
    "retrain-detector/nightly": "retrain-detector",
    "score-batch/every-10-minutes": "score-batch",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A started stack with sample data, until the end of this module."""
    with running_stack(tmp_path_factory.mktemp("a checkout")) as running:
        yield running


def test_anomalies_are_explained_when_a_new_home_starts(stack: Running) -> None:
    """Without any further step there is a model, and strange lines with their reasons."""
    anomalies = wait_until(lambda: stack.get(f"{stack.api}/anomalies?limit=5"), lambda: stack.printed)

    assert all(one["kind"] and one["reasons"] for one in anomalies)
    assert stack.get(f"{stack.api}/status")["model"]["version"]


def test_scheduled_run_completes(stack: Running) -> None:
    """The scheduler makes runs, and the worker runs them."""
    begun = datetime.fromtimestamp(0, UTC)

    assert wait_until(lambda: stack.scheduled_since(begun), lambda: stack.printed)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_deployment_runs_when_asked_in_a_new_shell(stack: Running, deployment: str) -> None:
    """From the root, with nothing exported, each command ends well and leaves a table."""
    stack.run_deployment(deployment)

    assert stack.get(f"{stack.prefect}/artifacts/{DEPLOYMENTS[deployment]}/latest")["type"] == "table"


@pytest.mark.parametrize("part", ["worker start", "server start"])
def test_next_scheduled_run_completes_when_a_part_was_killed(stack: Running, part: str) -> None:
    """kill -9 of the worker or of Prefect's server: it is started again, and no run that it left blocks the next."""
    stack.kill(part)
    killed = datetime.now(UTC)

    assert wait_until(lambda: stack.scheduled_since(killed), lambda: stack.printed)
    assert wait_until(lambda: any(part in line for line in stack.processes().values()), lambda: stack.printed)


def test_api_answers_again_when_it_was_killed(stack: Running) -> None:
    """kill -9 of the API: it is started again, with its model."""
    before = stack.get(f"{stack.api}/status")["model"]["version"]
    stack.kill("-m serving")

    def is_back() -> bool:
        try:
            return bool(stack.get(f"{stack.api}/ready")["model"] == before)
        except OSError:
            return False

    assert wait_until(is_back, lambda: stack.printed)


def test_nothing_is_left_when_stopped(stack: Running) -> None:
    """Ctrl-C ends everything it started, with exit code 0, and leaves no run open."""
    stack.process.send_signal(signal.SIGINT)

    assert stack.process.wait(PATIENCE_S) == 0
    wait_until(lambda: not stack.processes(), lambda: str(stack.processes()), 30.0)
    assert stack.printed.rstrip().endswith("stopped")
