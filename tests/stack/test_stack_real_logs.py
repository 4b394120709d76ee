"""The main job on real logs, through the deployments: half is learnt from, the attack in the other half is found."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stack.running import ROOT, Running, running_stack, wait_until

DATA = ROOT.parent / "shared" / "data"
LOGS = {"OpenSSH_2k.log": "sshd", "auth_fall2023.log": "auth"}

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not DATA.is_dir(), reason="the real logs of ../shared/data are not here"),
]


@pytest.fixture(params=["elasticsearch", "parquet"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A stack without sample data, on each of the two stores."""
    settings = {"LOG_SENTINEL_DIR": str(tmp_path / "in")}
    if request.param == "elasticsearch":
        settings |= {
            "ELASTIC_ADDR": request.getfixturevalue("elastic_url"),
            "ELASTIC_INDEX": request.getfixturevalue("elastic_index"),
        }
    (tmp_path / "in").mkdir()
    with running_stack(tmp_path, "--no-sample", **settings) as running:
        yield running


def put_half(folder: Path, half: int) -> int:
    """Append a half of each log to its file in the watched folder; how many events."""
    count = 0
    for name in LOGS:
        lines = (DATA / name).read_bytes().splitlines(keepends=True)
        middle = len(lines) // 2
        chosen = lines[:middle] if half == 0 else lines[middle:]
        with (folder / name).open("ab") as file:
            file.writelines(chosen)
        count += sum(1 for line in chosen if line.strip())
    return count


def stored_anomalies(stack: Running) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{stack.api}/anomalies?limit=10000", timeout=60) as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def test_brute_force_is_found_when_only_the_first_half_was_learnt(stack: Running) -> None:
    """Collect, load, retrain; collect and load the rest, score: the guessing in it is named with its addresses."""
    first = put_half(stack.root / "in", 0)
    for deployment in ("collect-files/every-minute", "load-elastic/every-minute", "retrain-detector/nightly"):
        stack.run_deployment(deployment)

    second = put_half(stack.root / "in", 1)
    for deployment in ("collect-files/every-minute", "load-elastic/every-minute", "score-batch/every-10-minutes"):
        stack.run_deployment(deployment)

    def is_all_stored() -> bool:
        ledger = stack.get(f"{stack.api}/status")["ledger"]
        return bool(ledger["accepted"] == ledger["delivered"] == first + second)

    wait_until(is_all_stored, lambda: stack.printed)  # a last line without its end waits until its file is idle
    guesses = [one for one in stored_anomalies(stack) if one["kind"] == "brute_force"]

    for name in LOGS:
        of_log = [one for one in guesses if one["event"]["origin"].endswith(name)]
        late = [one for one in of_log if one["event"]["offset"] >= (DATA / name).stat().st_size // 2]
        named = {one["event"]["message"] for one in late if any(" from " in reason for reason in one["reasons"])}
        assert len(late) >= 10, (name, len(of_log))
        assert named, name
