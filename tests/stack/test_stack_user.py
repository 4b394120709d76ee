"""The real stack of an ordinary user on a machine where somebody else was first; root's files are out of reach."""

import os
import pwd
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import do_without
from tests.stack.running import Running, as_user, python_path, running_stack, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]

NOBODY = pwd.getpwnam("nobody").pw_uid


def runs_as(user: int, python: str) -> bool:
    """Whether this user may run that Python with our packages."""
    environment = {"PYTHONPATH": python_path(python), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, "-c", "import numba, sentinel.stack"]
    try:
        done = subprocess.run(command, cwd="/", env=environment, capture_output=True, check=False, **as_user(user))
    except OSError:
        return False
    return done.returncode == 0


def copy_python(folder: Path) -> str:
    """Our Python in a folder that everybody may read, as hard links where that goes, without its packages."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    base, version = Path(sys.base_prefix), sysconfig.get_python_version()
    left_out = shutil.ignore_patterns("site-packages", "test", "config-*")
    shutil.copytree(
        base / "lib" / f"python{version}", folder / "lib" / f"python{version}", copy_function=link, ignore=left_out
    )
    (folder / "bin").mkdir()
    link(str((base / "bin" / f"python{version}").resolve()), str(folder / "bin" / f"python{version}"))
    for library in (base / "lib").glob("libpython*"):
        link(str(library.resolve()), str(folder / "lib" / library.name))
    started = folder / "python"
    started.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{folder}/lib" exec "{folder}/bin/python{version}" "$@"\n')
    started.chmod(0o755)
    return str(started)


@pytest.fixture(scope="module")
def python() -> Iterator[str]:
    """A Python that `nobody` may run, ours or a copy of it; without one the test is left out."""
    if os.geteuid() != 0:
        do_without("user", "only root can start something as another user")
    with tempfile.TemporaryDirectory(prefix="python-of-all-") as folder:
        Path(folder).chmod(0o755)
        found = sys.executable if runs_as(NOBODY, sys.executable) else copy_python(Path(folder))
        if not runs_as(NOBODY, found):
            do_without("user", f"`nobody` may not read {sysconfig.get_path('purelib')} or this checkout")
        yield found


@pytest.fixture
def stack(python: str) -> Iterator[Running]:
    """A stack started by `nobody`, in a folder of theirs with a blank in its path, who has no home folder."""
    with tempfile.TemporaryDirectory(prefix="of nobody ") as folder:
        os.chown(folder, NOBODY, NOBODY)
        with running_stack(Path(folder), "--no-sample", python=python, user=NOBODY) as running:
            yield running


def test_ordinary_user_has_a_stack_of_their_own(stack: Running) -> None:
    """It starts, runs a deployment from a new shell, and everything it writes is theirs, and theirs alone."""
    (stack.home / "in" / "app.log").write_text("2026-01-05 10:00:00 INFO opened\n2026-01-05 10:00:01 INFO closed\n")

    stack.run_deployment("collect-files/every-minute")
    accepted = wait_until(lambda: stack.get(f"{stack.api}/status")["ledger"]["accepted"], lambda: stack.printed)
    written = [path for path in stack.home.rglob("*") if not path.is_symlink() and path.name != "app.log"]

    assert accepted == 2
    assert {path.stat().st_uid for path in written} == {NOBODY}
    assert stack.home.stat().st_mode & 0o077 == 0
    assert stack.processes()
