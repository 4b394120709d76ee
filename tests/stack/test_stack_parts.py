"""The supervisor's parts, each with real processes."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel import secrecy
from sentinel.errors import SettingsError, TerminalError, TransientError
from sentinel.settings import load_settings
from sentinel.stack import feed
from sentinel.stack.child import Child
from sentinel.stack.lifeline import Lifeline, is_group_alive
from sentinel.stack.place import Place, check_ports, find_place, hold
from sentinel.stack.prefect_key import keep_key, point_to
from sentinel.stack.up import foreign_servers

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the two files that `up` needs, on a port of its own."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "prefect.yaml").write_bytes((ROOT / "prefect.yaml").read_bytes())
    (root / "prefect.toml").write_text((ROOT / "prefect.toml").read_text().replace("4211", str(free_port())))
    return root


def place_in(root: Path, **settings: object) -> Place:
    given = {"log_sentinel_home": root / "var", "log_sentinel_ports": f"{free_port()},{free_port()}", **settings}
    return find_place(load_settings(**given), root)


def test_place_watches_a_folder_of_its_own_when_none_is_set(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LOG_SENTINEL_DIR the stack watches `in` under its home, and sample data may go there."""
    monkeypatch.delenv("LOG_SENTINEL_DIR", raising=False)

    own = place_in(checkout)
    chosen = place_in(checkout, log_sentinel_dir=checkout / "logs")

    assert (own.watched, own.is_own_folder) == (str(checkout / "var" / "in"), True)
    assert (chosen.watched, chosen.is_own_folder) == (str(checkout / "logs"), False)
    assert own.own_folder.is_dir()
    assert (checkout / "logs").is_dir()


def test_place_makes_only_what_is_meant_to_be_a_folder(checkout: Path) -> None:
    """Of several places those are made that are folders: no file that may come later, no glob."""
    places = [f"{checkout}/{name}" for name in ("web", "../up", "late.log", "pods/*/0.log")]

    place = place_in(checkout, log_sentinel_dir=":".join(places))

    assert place.watched.split(":")[1] == str(checkout.parent / "up")
    assert (checkout / "web").is_dir()
    assert (checkout.parent / "up").is_dir()
    assert not (checkout / "late.log").exists()
    assert not (checkout / "pods").exists()


def test_environment_keeps_foreign_prefect_settings_out(checkout: Path) -> None:
    """A developer's own Prefect server gets none of our runs."""
    place = place_in(checkout)

    environment = place.environment({"PATH": "/bin", "PREFECT_API_URL": "http://elsewhere/api", "PREFECT_API_KEY": "x"})

    assert environment["PREFECT_API_URL"] == place.prefect_url
    assert "PREFECT_API_KEY" not in environment
    assert environment["PATH"] == "/bin"


def test_environment_keeps_what_users_share_out(checkout: Path) -> None:
    """Temporary files lie in the home, and the key of Prefect's server is named by its file, not shown."""
    place = place_in(checkout)
    key = keep_key(place.profile)

    environment = place.environment({"TMPDIR": "/tmp"})

    assert environment["TMPDIR"] == str(place.home / "tmp")
    assert environment["PREFECT_PROFILES_PATH"] == str(place.profile)
    assert key not in " ".join(environment.values())


def test_key_is_kept_when_it_is_secret(tmp_path: Path) -> None:
    """One key for a home; a file that others could read or write is no secret, and gets a new one."""
    profile = tmp_path / "profiles.toml"
    first = keep_key(profile)
    again = keep_key(profile)
    profile.chmod(0o644)
    after_show = keep_key(profile)
    link = tmp_path / "link.toml"
    link.symlink_to(profile)
    through_link = keep_key(link)

    assert first == again
    assert len({first, after_show, through_link}) == 3
    assert profile.stat().st_mode & 0o777 == 0o600
    assert not link.is_symlink()
    assert keep_key(profile) == after_show


@pytest.mark.parametrize(
    "content",
    [
        "active = ",
        "active = 'other'",
        "active = 'p'\n[profiles.p]\nPREFECT_API_AUTH_STRING = 'a:b'",
        "active = 'p'\n[profiles.p]\nPREFECT_API_AUTH_STRING = 'a:b'\nPREFECT_SERVER_API_AUTH_STRING = 'a:c'",
        "active = 'p'\n[profiles.p]\nPREFECT_API_AUTH_STRING = 'a:'\nPREFECT_SERVER_API_AUTH_STRING = 'a:'",
        "active = 'p'\n[profiles.p]\nPREFECT_API_AUTH_STRING = 7\nPREFECT_SERVER_API_AUTH_STRING = 7",
    ],
)
def test_damaged_key_is_named_when_starting(tmp_path: Path, content: str) -> None:
    """A server without a key is never started: the file is named, and the way out."""
    profile = tmp_path / "profiles.toml"
    profile.write_text(content)
    profile.chmod(0o600)

    with pytest.raises(SettingsError, match="delete") as caught:
        keep_key(profile)

    assert str(profile) in str(caught.value)


def test_pointer_leads_to_the_key_wherever_the_home_is(tmp_path: Path) -> None:
    """The file that prefect.toml names is the home's own, or a link to it; one of another home is replaced."""
    own, elsewhere = tmp_path / "var" / "prefect" / "profiles.toml", tmp_path / "other home" / "profiles.toml"
    own.parent.mkdir(parents=True)
    elsewhere.parent.mkdir()
    keep_key(own)
    keep_key(elsewhere)

    kept = point_to(own, own), own.is_symlink()
    moved = point_to(elsewhere, own), own.resolve()
    renewed = keep_key(own)

    assert kept == (True, False)
    assert moved == (True, elsewhere)
    assert not own.is_symlink()
    assert renewed != keep_key(elsewhere)
    (tmp_path / "a file").touch()
    assert not point_to(own, tmp_path / "a file" / "profiles.toml")


@pytest.mark.parametrize("old", ["port = 4211", "http://localhost:4211", 'url = "http://127.0.0.1:4211'])
def test_ports_of_prefect_must_agree(checkout: Path, old: str) -> None:
    """A port that was changed in one place only is named before anything starts."""
    text = (ROOT / "prefect.toml").read_text()
    assert text.count(old) == 1
    (checkout / "prefect.toml").write_text(text.replace(old, old.replace("4211", "4212")))

    with pytest.raises(SettingsError, match="4212"):
        place_in(checkout)


def test_any_page_may_not_call_prefect(checkout: Path) -> None:
    """A prefect.toml from before there was a key, where every page may call the server, is not started."""
    text = (ROOT / "prefect.toml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith("cors_allowed_origins")]
    (checkout / "prefect.toml").write_text("\n".join(kept))

    with pytest.raises(SettingsError, match="cors_allowed_origins"):
        place_in(checkout)


def test_up_says_where_to_run_it_when_outside_a_checkout(tmp_path: Path) -> None:
    """Elsewhere than in the root there is nothing to deploy."""
    with pytest.raises(TerminalError, match=r"prefect\.yaml"):
        place_in(tmp_path)


@pytest.mark.parametrize("whose", ["api", "prefect"])
def test_taken_port_is_named_when_starting(checkout: Path, whose: str) -> None:
    """A port that another program has is named, with the way out."""
    place = place_in(checkout)
    port = place.ports[1] if whose == "api" else int(place.prefect_url.rsplit(":", 1)[1].removesuffix("/api"))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(SettingsError, match=str(port)) as caught:
        check_ports(place)

    assert ("LOG_SENTINEL_PORTS" if whose == "api" else "prefect.toml") in str(caught.value)
    check_ports(place)


def test_second_stack_is_refused_when_one_runs(checkout: Path) -> None:
    """One home has one stack."""
    place = place_in(checkout)
    lock = hold(place)

    with pytest.raises(TerminalError, match="runs already"):
        hold(place)

    os.close(lock)
    os.close(hold(place))


@pytest.fixture
def lifeline() -> Lifeline:
    return Lifeline()


def child_of(folder: Path, lifeline: Lifeline, code: str) -> Child:
    """A child that runs a module of this code."""
    (folder / "part.py").write_text(textwrap.dedent(code))
    return Child(
        "part",
        ["part"],
        python=sys.executable,
        root=folder,
        environment={"PATH": os.environ["PATH"]},
        log_path=folder / "part.log",
        lifeline=lifeline,
    )


def wait_until(claim: object, timeout_s: float = 60.0) -> bool:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if claim():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_child_says_its_last_words_when_it_cannot_start(tmp_path: Path, lifeline: Lifeline) -> None:
    """A part that ends at once is reported with its exit code and the end of its log."""
    child = child_of(tmp_path, lifeline, "raise SystemExit('no such thing')")
    child.start()
    assert wait_until(lambda: child.exit_code is not None)

    with pytest.raises(TransientError, match=r"ended with code 1.*\n.*no such thing"):
        child.check_started()
    lifeline.close()


def test_child_is_restarted_later_each_time_when_it_dies(tmp_path: Path, lifeline: Lifeline) -> None:
    """The pause before a restart grows, and what the dead child started is ended."""
    code = """
        import subprocess, sys
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        raise SystemExit(3)
    """
    child = child_of(tmp_path, lifeline, code)
    pauses = []
    for _ in range(3):
        child.start()
        assert wait_until(lambda: child.exit_code is not None)
        pauses.append(child.plan_restart())
        assert not is_group_alive(child.pid)

    assert pauses == [1.0, 2.0, 4.0]
    assert child.plan_restart() is None
    assert not child.restart_if_due()
    lifeline.close()


def test_child_is_ended_when_it_does_not_listen(tmp_path: Path, lifeline: Lifeline) -> None:
    """SIGTERM first; a child that ignores it is killed, with its own children."""
    code = """
        import pathlib, signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        pathlib.Path("ready").touch()
        time.sleep(60)
    """
    child = child_of(tmp_path, lifeline, code)
    child.start()
    assert wait_until((tmp_path / "ready").exists)

    child.stop(patience_s=0.2)

    assert child.exit_code == -signal.SIGKILL
    assert not is_group_alive(child.pid)
    lifeline.close()


def test_long_log_is_kept_in_two_files(tmp_path: Path, lifeline: Lifeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a part does not grow for ever."""
    monkeypatch.setattr("sentinel.stack.child.LOG_BYTES", 10)
    child = child_of(tmp_path, lifeline, "")
    child.log_path.write_text("more than ten bytes")

    child.trim_log()

    assert child.log_path.read_text() == ""
    assert (tmp_path / "part.log.1").read_text() == "more than ten bytes"
    lifeline.close()


SUPERVISOR = """
    import subprocess, sys, time
    from sentinel.stack.lifeline import Lifeline
    lifeline = Lifeline()
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    child = subprocess.Popen([sys.executable, "-c", code + "print('up', flush=True); time.sleep(60)"],
                             process_group=0, stdout=subprocess.PIPE)
    child.stdout.readline()
    lifeline.add(child.pid)
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_children_end_when_the_supervisor_is_killed() -> None:
    """kill -9 of the supervisor leaves neither its children nor theirs."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISOR)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    group = int(supervisor.stdout.readline())
    assert is_group_alive(group)

    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()

    assert wait_until(lambda: not is_group_alive(group))


def test_sample_day_is_written_once(tmp_path: Path) -> None:
    """A day of the fleet up to now goes into the folder at the first start, and not again."""
    now = datetime(2026, 3, 5, 12, tzinfo=UTC)

    first = feed.write_day(tmp_path / "in", tmp_path / "written", now=now)
    size = sum(path.stat().st_size for path in (tmp_path / "in").iterdir())
    again = feed.write_day(tmp_path / "in", tmp_path / "written", now=now)

    assert first > 10_000
    assert again == 0
    assert size == sum(path.stat().st_size for path in (tmp_path / "in").iterdir())


def test_live_lines_are_written_when_due(tmp_path: Path) -> None:
    """Lines that were due are written at once, those of the future are not."""
    start = datetime.fromtimestamp(time.time() - 600, UTC)

    feed.feed_live(tmp_path / "in", start=start, duration_s=600.5)

    lines = sum(path.read_bytes().count(b"\n") for path in (tmp_path / "in").iterdir())
    assert lines > 20


def test_supervisor_stays_small() -> None:
    """The process that only watches loads none of the rooms."""
    code = "import sys, sentinel.stack.up; print(sorted({'polars', 'numpy', 'prefect', 'fastapi'} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_key_is_a_secret_like_those_of_the_settings(tmp_path: Path) -> None:
    """Made or found: from then on it is blotted out of what is said."""
    key = keep_key(tmp_path / "profiles.toml")
    said = []
    for _ in range(2):
        said.append(secrecy.blot(f"refused: {key.partition(':')[2]}"))
        secrecy.forget()
        keep_key(tmp_path / "profiles.toml")
    secrecy.forget()

    assert said == ["refused: [secret]"] * 2


def test_foreign_prefect_server_is_named_where_env_file_or_shell_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `.env` names, `prefect` in this folder would ask; our own is nothing to speak of."""
    own, other = "http://127.0.0.1:4200/api", "http://10.0.0.7:4200/api"
    monkeypatch.chdir(tmp_path)
    nothing = list(foreign_servers(own, {"PREFECT_API_URL": f"{own}/"}))
    exported = list(foreign_servers(own, {"PREFECT_API_URL": other}))
    (tmp_path / ".env").write_text(f"PREFECT_API_URL={other}\n")
    written = list(foreign_servers(own, {}))

    assert nothing == []
    assert [line.split(" is not used")[0] for line in exported] == [f"PREFECT_API_URL={other}"]
    assert [line.split(" is not used")[0] for line in written] == [f"PREFECT_API_URL={other} in .env"]
