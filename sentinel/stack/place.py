"""Settings and prefect.toml in, where the stack runs out: folders, ports, addresses, the children's environment."""

import errno
import fcntl
import os
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sentinel.durable import make_private_dir
from sentinel.errors import SettingsError, TerminalError
from sentinel.home import open_home
from sentinel.settings import Settings

__all__ = ["Place", "check_ports", "find_place", "hold"]

GLOB = set("*?[")
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 what listens everywhere is asked at home


@dataclass(frozen=True, slots=True)
class Place:
    """One checkout with its state."""

    root: Path  # holds prefect.yaml and prefect.toml
    home: Path
    watched: str  # folders, files and globs, separated by `:`
    own_folder: Path  # watched where nobody chose another one
    is_own_folder: bool  # nobody chose the watched folder, so sample data may go there
    host: str
    ports: tuple[int, ...]
    prefect_url: str  # ends in /api
    profile: Path  # the profile of Prefect that holds the key of its server
    pointer: Path | None  # where prefect.toml says that the profile is
    key: str | None

    @property
    def api_url(self) -> str:
        """The address of our own server, on its first port."""
        host = ANYWHERE.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.ports[0]}"

    @property
    def temporary(self) -> Path:
        """The children's folder for temporary files; what Prefect makes in the system's is another user's to take."""
        return self.home / "tmp"

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """What the children see: no Prefect settings but ours, absolute folders, nothing that users share.

        A developer's own PREFECT_API_URL must not draw our runs to another server.
        """
        kept = {name: value for name, value in inherited.items() if not name.startswith("PREFECT_")}
        return (
            kept
            | self._prefect_pages()
            | {
                "PREFECT_HOME": str(self.home / "prefect"),
                "PREFECT_PROFILES_PATH": str(self.profile),
                "PREFECT_API_URL": self.prefect_url,
                "TMPDIR": str(self.temporary),
                "DO_NOT_TRACK": "1",
                "PYTHONUNBUFFERED": "1",
                "LOG_SENTINEL_HOME": str(self.home),
                "LOG_SENTINEL_DIR": self.watched,
            }
        )

    def _prefect_pages(self) -> dict[str, str]:
        """Where Prefect lays out its pages: in its package, unless that is not ours to write."""
        found = find_spec("prefect")
        if found is None or found.origin is None or os.access(Path(found.origin).parent / "server", os.W_OK):
            return {}
        return {"PREFECT_UI_STATIC_DIRECTORY": str(self.home / "prefect" / "pages")}


def find_place(settings: Settings, root: Path) -> Place:
    """Where the stack of this checkout runs. Makes the folders. Raises TerminalError outside a checkout."""
    if not (root / "prefect.yaml").exists():
        raise TerminalError(f"there is no prefect.yaml in {root}; run it in the project's root")
    is_own_folder = not settings.log_sentinel_dir
    home = open_home(settings).absolute()
    profile = make_private_dir(home / "prefect") / "profiles.toml"  # Prefect's database lies there, too
    watched = [os.path.abspath(path) for path in settings.log_sentinel_dir or (home / "in",)]  # noqa: PTH100  `..` goes
    for folder in filter(_is_folder, map(Path, watched)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise SettingsError(
                f"make the watched folder {folder}: {exc.strerror}; make it yourself or change LOG_SENTINEL_DIR"
            ) from exc
    if 0 in settings.log_sentinel_ports:
        raise SettingsError("port 0 means any free port; name one in LOG_SENTINEL_PORTS")
    url, pointer = _read_prefect(root / "prefect.toml")
    return Place(
        root=root,
        home=home,
        watched=":".join(watched),
        own_folder=settings.own_folder.absolute(),
        is_own_folder=is_own_folder,
        host=settings.log_sentinel_host,
        ports=settings.log_sentinel_ports,
        prefect_url=url,
        profile=profile,
        pointer=root / pointer if pointer else None,
        key=settings.log_sentinel_key,
    )


def _is_folder(path: Path) -> bool:
    """Whether this can only be meant to be a folder: no glob, no file, and not named like one."""
    return not (GLOB & set(str(path)) or path.exists() or path.suffix)


def _read_prefect(path: Path) -> tuple[str, str | None]:
    """The address of Prefect's server, which must be the one it will listen on, and the file with its key.

    Its pages at 127.0.0.1 and localhost are the only ones that may call it from a browser.
    """
    try:
        prefect: dict[str, Any] = tomllib.loads(path.read_text())
        url, server, pointer = str(prefect["api"]["url"]), prefect["server"]["api"], prefect.get("profiles_path")
    except (OSError, tomllib.TOMLDecodeError, KeyError) as exc:
        raise SettingsError(f"read [api] and [server.api] of {path}: {exc!r}; take it from the repository") from exc
    origins = str(server.get("cors_allowed_origins", "*")).split(",")
    ports = [urlsplit(url).port, server.get("port"), *(urlsplit(origin).port for origin in origins)]
    if len(set(ports)) > 1:
        raise SettingsError(f"{path} names different ports, {ports}; make url, port and cors_allowed_origins agree")
    return url.rstrip("/"), pointer


def check_ports(place: Place) -> None:
    """Raises SettingsError that names a port which another program has."""
    prefect = urlsplit(place.prefect_url)
    wanted = [(place.host, port, "choose other ports with LOG_SENTINEL_PORTS") for port in place.ports]
    wanted.append((prefect.hostname or "127.0.0.1", prefect.port or 80, "change it wherever it stands in prefect.toml"))
    for host, port, way_out in wanted:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as exc:
                cause = "another program listens there" if exc.errno == errno.EADDRINUSE else exc.strerror
                raise SettingsError(f"port {port} of {host}: {cause}; stop it, or {way_out}") from exc


def hold(place: Place) -> int:
    """Lock this home for one stack: a file descriptor, to be kept open. Raises TerminalError when one runs already."""
    fd = os.open(place.home / "stack.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(fd)
        raise TerminalError(f"the stack of {place.home} runs already; stop it first") from exc
    return fd
