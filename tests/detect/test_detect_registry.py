"""The folder of models: one champion, swapped whole, found again after any kill, damaged ones left aside."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from sentinel.detect.judge.features import FEATURES
from sentinel.detect.judge.outcomes import Outcomes
from sentinel.detect.judge.surprise import Baseline
from sentinel.detect.judge.tails import Tails
from sentinel.detect.judge.trees import flatten
from sentinel.detect.models.model import Model
from sentinel.detect.models.registry import Registry
from sentinel.errors import ArtifactError, NoModelError, TerminalError, TransientError

KEY = b"0123456789abcdef0123456789abcdef"
AT = datetime(2026, 11, 23, 21, 5, 1, tzinfo=UTC)
FOREST = IsolationForest(n_estimators=5, random_state=0).fit(np.random.default_rng(0).normal(size=(100, 3)))


@dataclass(frozen=True)
class Trained:
    model: Model
    state: bytes
    forest: object = FOREST
    left_out: int = 7
    excluded: int = 5


@dataclass(frozen=True)
class Report:
    passed: bool
    checks: tuple[tuple[str, bool, str], ...]


def trained(number=0, state=None):
    tails = Tails(*(np.zeros((1, 1)) for _ in Tails._fields))
    model = Model(
        version="unsaved",
        trained_at=AT + timedelta(seconds=number),
        rows=1000 + number,
        confidence="normal",
        threshold_nats=7.5,
        seed=0,
        span=(AT.timestamp() - 86_400, AT.timestamp()),
        template_keys=np.array([7], np.uint64),
        template_texts=(f"made by {number}",),
        source_hashes=np.array([9], np.uint64),
        source_names=("sshd",),
        word_hashes=np.zeros(0, np.uint64),
        word_rarities=np.zeros(0),
        unseen_word=5.0,
        baseline=Baseline(*(np.zeros((1, 1)) for _ in Baseline._fields)),
        tails=tails,
        tail_places=np.zeros(1, np.int64),
        calibration=tails,
        volume_nats=0.0,
        trees=flatten(FOREST),
        flagged_share=0.0,
        outcomes=Outcomes(*(np.zeros((1, 1)) for _ in Outcomes._fields)),
        quantiles=np.array([[0.0, 0.0], [1.0, 9.0]]),
        watched=np.zeros((0, 4)),
        watched_keys=np.zeros((0, 2), np.uint64),
        feature_names=FEATURES,
    )
    return Trained(model, state if state is not None else f"state {number}".encode())


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models", KEY)


def test_saved_model_is_loaded_and_not_yet_champion(registry):
    """What was saved comes back with its state and version; nothing is in service before a promotion."""
    version = registry.save(trained(3))

    model, state = registry.load(version)

    assert version.startswith("20261123T210504-")
    assert (model.version, model.rows, model.template_texts) == (version, 1003, ("made by 3",))
    assert state == b"state 3"
    assert registry.champion() is None
    rows = np.random.default_rng(0).normal(size=(9, 3))
    assert np.array_equal(model.trees.score_samples(rows), trained().model.trees.score_samples(rows))
    assert np.array_equal(registry.load_forest(version).score_samples(rows), FOREST.score_samples(rows))


def test_version_a_model_brings_is_kept_if_it_is_free(registry):
    """A model that has a version keeps it; a second with the same gets another."""
    named = replace(trained().model, version="20261123T210501-abcdef")

    first, second = registry.save(Trained(named, b"")), registry.save(Trained(named, b""))

    assert first == "20261123T210501-abcdef"
    assert second != first
    assert registry.load(second)[0].version == second


def test_promoted_model_is_champion_for_every_reader(registry):
    """Another process that opens the same folder finds the champion."""
    version = registry.save(trained())

    registry.promote(version)

    assert Registry(registry.folder, KEY).champion() == version


def test_rollback_goes_back_and_forth(registry):
    """The version before the champion is remembered; promoting the champion again does not forget it."""
    first, second = registry.save(trained(0)), registry.save(trained(1))
    registry.promote(first)
    registry.promote(second)
    registry.promote(second)

    assert registry.previous() == first
    assert registry.roll_back() == first
    assert registry.champion() == first
    assert registry.roll_back() == second


def test_rollback_without_a_past_says_so(registry):
    """There is nothing to go back to before the second promotion."""
    registry.promote(registry.save(trained()))

    with pytest.raises(NoModelError, match="no model before"):
        registry.roll_back()


@pytest.mark.parametrize("version", ["20261123T210501-000000", "../../etc", "", "champion.json", "."])
def test_model_that_is_not_there_is_named(registry, version):
    """Neither an unknown version nor a path ever reaches the disk as a folder's name."""
    for act in (registry.load, registry.promote, registry.manifest, registry.load_forest):
        with pytest.raises(TerminalError, match="no such model"):
            act(version)


def test_damaged_model_is_not_promoted_and_the_old_one_stays(registry):
    """A flipped bit keeps a model out of service; the champion stays what it was."""
    first, second = registry.save(trained(0)), registry.save(trained(1))
    registry.promote(first)
    path = registry.folder / second / "trees.npz"
    content = path.read_bytes()
    path.write_bytes(content[:99] + bytes([content[99] ^ 4]) + content[100:])

    with pytest.raises(ArtifactError, match=r"trees\.npz is damaged"):
        registry.promote(second)

    assert registry.champion() == first


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"champion": "20261123T210501-abcdef", "previous": null}'], ids=len)
def test_damaged_pointer_is_an_error_and_a_promotion_heals_it(registry, damage):
    """An empty, foreign or unsigned pointer is never followed, and pruning waits; the next promotion writes it anew."""
    versions = [registry.save(trained(i)) for i in range(3)]
    registry.promote(versions[0])
    (registry.folder / "champion.json").write_bytes(damage)

    with pytest.raises(ArtifactError, match="read champion"):
        registry.champion()
    assert registry.prune(keep=1) == ()
    assert [row["champion"] for row in registry.list()] == [False] * 3
    registry.promote(versions[1])

    assert registry.champion() == versions[1]


def test_pointer_signed_as_something_else_is_refused(registry):
    """A signature holds for one kind of file: a manifest is no pointer."""
    version = registry.save(trained())
    manifest = (registry.folder / version / "manifest.json").read_bytes()
    (registry.folder / "champion.json").write_bytes(manifest)

    with pytest.raises(ArtifactError, match="not signed by our key"):
        registry.champion()


def test_list_tells_what_is_there(registry):
    """Newest first, with what a person needs to choose; a damaged model is listed with its problem."""
    report = Report(False, (("canary", False, "3 of 9 caught"),))
    versions = [registry.save(trained(0)), registry.save(trained(1), report), registry.save(trained(2))]
    registry.promote(versions[0])
    (registry.folder / versions[2] / "manifest.json").write_text("{}")

    rows = registry.list()

    assert [row["version"] for row in rows] == versions[::-1]
    assert [row["champion"] for row in rows] == [False, False, True]
    assert "damaged" in rows[0]["problem"]
    assert (rows[1]["passed"], rows[1]["rows"], rows[1]["confidence"], rows[1]["problem"]) == (
        False,
        1001,
        "normal",
        None,
    )
    assert rows[2]["passed"] is None
    assert rows[2]["since"] == "2026-11-22T21:05:01+00:00"
    assert registry.manifest(versions[1]).gate["checks"][0]["detail"] == "3 of 9 caught"
    json.dumps(rows)


def test_prune_keeps_the_newest_the_champion_and_the_one_before(registry):
    """Old models go, but never what is in service nor the way back."""
    versions = [registry.save(trained(i)) for i in range(7)]
    registry.promote(versions[0])
    registry.promote(versions[1])

    gone = registry.prune(keep=2)

    assert gone == tuple(versions[2:5])
    assert registry.versions() == (*versions[:2], *versions[5:])
    assert registry.prune(keep=2) == ()


def test_prune_keeps_at_least_one(registry):
    """To keep none is refused."""
    with pytest.raises(TerminalError, match="at least one"):
        registry.prune(keep=0)


def test_second_training_is_told_to_wait(registry):
    """While one trains, another is refused at once with the process that does; after it, the lock is free."""
    busy = pytest.raises(TransientError, match=f"process {os.getpid()} is training")
    with registry.training_lock(), busy, registry.training_lock():
        pass
    with registry.training_lock():
        pass


def test_killed_training_frees_the_lock(registry):
    """The lock of a process that was killed is nobody's."""
    code = (
        "import sys, time; from pathlib import Path; from sentinel.detect.models.registry import Registry\n"
        f"with Registry(Path({str(registry.folder)!r}), {KEY!r}).training_lock():\n"
        "    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(TransientError, match=f"process {child.pid}"), registry.training_lock():
            pass
        child.send_signal(signal.SIGKILL)
        child.wait()

    with registry.training_lock():
        pass


@pytest.mark.parametrize("place", ["model.written", "model.renamed", "champion.write", "champion.written"])
def test_kill_at_any_place_leaves_a_whole_champion(registry, place):
    """Killed while it saves or promotes, the next process finds the old champion or the new one, never less."""
    first = registry.save(trained(0))
    registry.promote(first)
    second = registry.save(trained(1))
    code = (
        "import sys; sys.path.insert(0, 'tests/detect')\n"
        "from pathlib import Path; from sentinel import failpoints\n"
        "from sentinel.detect.models.registry import Registry\n"
        f"registry = Registry(Path({str(registry.folder)!r}), {KEY!r})\n"
        f"failpoints.arm_from_text('{place}:kill')\n"
        "from test_detect_registry import trained\n"
        f"registry.save(trained(2)); registry.promote({second!r})"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == -signal.SIGKILL
    champion = registry.champion()
    assert champion == (second if place == "champion.written" else first)
    assert registry.load(champion)[1] == (b"state 1" if place == "champion.written" else b"state 0")
    registry.save(trained(3))
    assert not list(registry.folder.glob(".*.tmp"))
    assert not any(row["problem"] for row in registry.list())


def test_readers_never_see_a_mixed_model_while_it_is_swapped(registry):
    """Under many promotions each load gives the arrays, the tables and the state of one and the same version."""
    made = {registry.save(trained(i)): i for i in range(4)}
    registry.promote(next(iter(made)))
    stop, wrong, seen = threading.Event(), [], set()

    def read():
        own = Registry(registry.folder, KEY)
        while not stop.is_set():
            version = own.champion()
            model, state = own.load(version)
            number = made[version]
            seen.add(version)
            if (model.version, model.rows, state) != (version, 1000 + number, f"state {number}".encode()):
                wrong.append(version)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(40):
        registry.promote(list(made)[i % 4])
    stop.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert len(seen) >= 1


def test_server_loads_a_model_without_sklearn_joblib_or_prefect(registry):
    """In a fresh process, to load and use the champion imports neither scikit-learn nor joblib nor Prefect."""
    registry.promote(registry.save(trained()))
    code = (
        "import sys, json; from pathlib import Path; from sentinel.detect.models.registry import Registry\n"
        f"registry = Registry(Path({str(registry.folder)!r}), {KEY!r})\n"
        "model, state = registry.load(registry.champion()); model.trees.score_samples([[0.0, 1.0, 2.0]])\n"
        "print(json.dumps([name for name in ('sklearn', 'joblib', 'prefect') if name in sys.modules]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []


def test_pinned_model_is_never_pruned_and_can_be_let_go(registry):
    """A pinned model outlives any number of newer ones; unpinned, it goes with the next pruning."""
    versions = [registry.save(trained(i)) for i in range(6)]
    registry.promote(versions[-1])

    registry.pin(versions[0])
    registry.pin(versions[0])
    kept = registry.prune(keep=1)
    rows = {row["version"]: row["pinned"] for row in registry.list()}
    registry.pin(versions[0], pinned=False)
    gone = registry.prune(keep=1)

    assert versions[0] not in kept
    assert rows == {versions[0]: True, versions[-1]: False}
    assert gone == (versions[0],)


def test_pins_that_are_not_signed_by_us_prune_nothing(registry):
    """A damaged list is an error for who reads it, and nothing is deleted on its word."""
    versions = [registry.save(trained(i)) for i in range(3)]
    registry.pin(versions[0])
    path = registry.folder / "pinned.json"
    path.write_bytes(path.read_bytes().replace(versions[0].encode(), versions[1].encode()))

    with pytest.raises(ArtifactError, match="not signed by our key"):
        registry.pinned()

    assert registry.prune(keep=1) == ()
    assert [row["pinned"] for row in registry.list()] == [False] * 3
