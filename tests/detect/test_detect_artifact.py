"""A model's folder: comes back as it was written, or is refused before a byte of it is interpreted."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from sentinel import failpoints
from sentinel.detect.models.artifact import Parts, read_artifact, read_forest, write_artifact
from sentinel.detect.models.manifest import (
    Manifest,
    library_versions,
    load_or_make_key,
    make_version,
    read_manifest,
    signed,
)
from sentinel.errors import ArtifactError

KEY = b"0123456789abcdef0123456789abcdef"
FEATURES = ("rarity", "rate", "gap")
AT = datetime(2026, 11, 23, 21, 5, 1, tzinfo=UTC)
VERSION = make_version(AT, "a1b2c3")


def manifest(**changes):
    made = Manifest(
        version=VERSION, trained_at=AT.isoformat(), confidence="normal", features=FEATURES, rows=4000,
        since="2026-11-22T00:00:00+00:00", until="2026-11-23T00:00:00+00:00", metrics={"flagged_share": 0.0004},
        libraries=library_versions(),
    )  # fmt: skip
    return replace(made, **changes)


def parts():
    arrays = {
        "bounds": np.linspace(0, 1, 50).reshape(5, 10),
        "ids": np.arange(7, dtype=np.int32),
        "names": np.array(["a", "é"]),
    }
    return Parts(arrays, {"templates": ["<*> failed", "ok é"], "n": 3, "inner": {"x": 0.5}}, b"state \x00 bytes")


@pytest.fixture(scope="module")
def forest():
    return IsolationForest(n_estimators=5, random_state=0).fit(np.random.default_rng(0).normal(size=(100, 3)))


@pytest.fixture
def folder(tmp_path, forest):
    write_artifact(tmp_path, parts(), forest, manifest(), key=KEY)
    return tmp_path / VERSION


def test_model_comes_back_as_it_was_written(folder):
    """Arrays with their types, tables, state and manifest are equal; files are the owner's alone."""
    read, content = read_artifact(folder, key=KEY, features=FEATURES)

    expected = parts()
    assert content.tables == expected.tables
    assert content.state == expected.state
    assert set(content.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        assert content.arrays[name].dtype == array.dtype
        assert np.array_equal(content.arrays[name], array)
    assert replace(read, files={}) == manifest()
    assert {path.name for path in folder.iterdir()} == {
        "model.joblib", "trees.npz", "tables.json", "state.bin", "manifest.json",
    }  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.iterdir()])


def test_forest_comes_back_for_refits(folder, forest):
    """The scikit-learn forest scores as before."""
    rows = np.random.default_rng(1).normal(size=(20, 3))

    again = read_forest(folder, key=KEY, libraries=library_versions())

    assert np.array_equal(again.score_samples(rows), forest.score_samples(rows))


def test_forest_of_another_sklearn_is_refused(tmp_path, forest):
    """A pickle of another version is not opened."""
    other = manifest(libraries={**library_versions(), "scikit-learn": "1.2.0"})
    write_artifact(tmp_path, parts(), forest, other, key=KEY)

    with pytest.raises(ArtifactError, match=r"written by scikit-learn 1\.2\.0"):
        read_forest(tmp_path / VERSION, key=KEY, libraries=library_versions())


@pytest.mark.parametrize("name", ["trees.npz", "tables.json", "state.bin"])
@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "empty", "missing", "directory", "link", "fifo"])
def test_damaged_file_is_refused_by_name(folder, name, damage):
    """One flipped bit, a missing tail, a file that is none: each is refused and named, nothing else happens."""
    path = folder / name
    content = path.read_bytes()
    if damage == "flip":
        path.write_bytes(content[:5] + bytes([content[5] ^ 1]) + content[6:])
    elif damage in {"cut", "grow", "empty"}:
        path.write_bytes({"cut": content[:-1], "grow": content + b"\0", "empty": b""}[damage])
    else:
        path.rename(folder.parent / "elsewhere")
        if damage == "directory":
            path.mkdir()
        elif damage == "link":
            path.symlink_to(folder.parent / "elsewhere")
        elif damage == "fifo":
            os.mkfifo(path)

    with pytest.raises(ArtifactError, match=name):
        read_artifact(folder, key=KEY, features=FEATURES)


def test_every_flipped_bit_of_a_manifest_is_refused_or_changes_nothing(folder):
    """Flip any bit of the manifest: it is refused, or means exactly the same (white space)."""
    path = folder / "manifest.json"
    whole, original = path.read_bytes(), read_manifest(folder, key=KEY)
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ (1 << position % 8)]) + whole[position + 1 :])
        try:
            assert read_manifest(folder, key=KEY) == original
        except ArtifactError:
            continue


NO_MANIFESTS = {
    "empty": b"", "list": b"[]", "object": b"{}", "null": b"null", "no utf-8": b"\xff\xfe",
    "no content": b'{"signature": 5}',
    "deep": b"[" * 100_000, "huge number": b"7" * 9000,
}  # fmt: skip


@pytest.mark.parametrize("content", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
def test_manifest_that_is_none_is_refused(folder, content):
    """Whatever stands in the manifest, the answer is an ArtifactError."""
    (folder / "manifest.json").write_bytes(content)

    with pytest.raises(ArtifactError):
        read_manifest(folder, key=KEY)


def test_pickle_never_runs_when_the_signature_does_not_hold(folder, tmp_path):
    """A forest replaced by code that would run on loading, its digest put right, is refused: the code does not run."""
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(trap),))

    import joblib

    from sentinel.detect.models.manifest import digest_of

    joblib.dump(Trap(), folder / "model.joblib")
    forged = manifest().with_files({"model.joblib": digest_of((folder / "model.joblib").read_bytes())})
    (folder / "manifest.json").write_bytes(signed(forged.to_dict(), b"another key of some length", purpose="manifest"))

    with pytest.raises(ArtifactError, match="not signed by our key"):
        read_forest(folder, key=KEY, libraries=library_versions())
    assert not trap.exists()


def test_model_of_another_key_is_refused_with_what_to_do(folder):
    """A foreign key: the message says where ours may have gone."""
    with pytest.raises(ArtifactError, match="LOG_SENTINEL_SIGNING_KEY"):
        read_artifact(folder, key=b"another key of some length", features=FEATURES)


def test_folder_under_another_name_is_refused(folder):
    """A copy under another version's name is not that version."""
    other = folder.rename(folder.parent / make_version(AT, "ffffff"))

    with pytest.raises(ArtifactError, match="its manifest is that of"):
        read_artifact(other, key=KEY, features=FEATURES)


@pytest.mark.parametrize("features", [("rarity", "gap", "rate"), ("rarity", "rate"), (*FEATURES, "length")], ids=str)
def test_model_of_other_features_is_refused(folder, features):
    """Another order, fewer or more features: never guessed."""
    with pytest.raises(ArtifactError, match="features"):
        read_artifact(folder, key=KEY, features=features)


def test_model_of_another_format_is_refused(tmp_path, forest):
    """A later format is refused by its number."""
    write_artifact(tmp_path, parts(), forest, manifest(format=2), key=KEY)

    with pytest.raises(ArtifactError, match="format is 2"):
        read_artifact(tmp_path / VERSION, key=KEY, features=FEATURES)


def test_object_arrays_are_never_written(tmp_path, forest):
    """What only a pickle could hold is refused at the door, and nothing is left behind."""
    bad = Parts({"x": np.array([{}], dtype=object)}, {}, b"")

    with pytest.raises(ArtifactError, match="'x' holds objects"):
        write_artifact(tmp_path, bad, forest, manifest(), key=KEY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [float("nan"), {1, 2}], ids=["nan", "set"])
def test_tables_that_are_not_json_are_never_written(tmp_path, forest, value):
    """NaN and Python's own types have no place in the tables."""
    with pytest.raises(ArtifactError, match="not plain JSON"):
        write_artifact(tmp_path, Parts({}, {"x": value}, b""), forest, manifest(), key=KEY)


def test_write_that_breaks_leaves_nothing(tmp_path, forest):
    """An error between writing and renaming takes the temporary folder with it."""
    failpoints.arm_from_text("model.written:raise")
    try:
        with pytest.raises(failpoints.FailpointError):
            write_artifact(tmp_path, parts(), forest, manifest(), key=KEY)
    finally:
        failpoints.disarm()

    assert list(tmp_path.iterdir()) == []


def test_versions_sort_by_time():
    """A later model's version is the greater text."""
    assert make_version(AT) < make_version(AT.replace(second=2)) < make_version(AT.replace(year=2027, month=1))


def test_key_is_made_once_for_its_owner_alone(tmp_path):
    """The first call makes it, later calls and other threads find the same; nobody else can read it."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_make_key(tmp_path / "home"), range(32)))

    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert (tmp_path / "home/signing.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["signing.key"]


def test_key_that_others_can_read_is_refused(tmp_path):
    """The message says the command that helps."""
    load_or_make_key(tmp_path)
    (tmp_path / "signing.key").chmod(0o644)

    with pytest.raises(ArtifactError, match="chmod 600"):
        load_or_make_key(tmp_path)


def test_key_that_is_too_short_is_refused(tmp_path):
    """An emptied key file does not sign with nothing."""
    load_or_make_key(tmp_path)
    (tmp_path / "signing.key").write_text("")

    with pytest.raises(ArtifactError, match="has 0 bytes"):
        load_or_make_key(tmp_path)


def test_reading_a_model_imports_no_sklearn(folder):
    """In a fresh process a model is read without scikit-learn, joblib or pickle's own reader of objects."""
    code = (
        "import sys, json; from pathlib import Path; from sentinel.detect.models.artifact import read_artifact\n"
        f"read_artifact(Path({str(folder)!r}), key={KEY!r}, features={FEATURES!r})\n"
        "print(json.dumps([name for name in ('sklearn', 'joblib', 'prefect') if name in sys.modules]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []
