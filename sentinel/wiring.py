"""Settings in, real objects out: the one place where spool, store and models are opened."""

import contextlib
import functools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel import failpoints
from sentinel.collect import Watched
from sentinel.durable import make_private_dir
from sentinel.errors import TransientError
from sentinel.pipeline.parts import Sentinel
from sentinel.settings import Settings
from sentinel.spool import Spool
from sentinel.store import Store, open_store

if TYPE_CHECKING:
    from sentinel.detect.models.registry import Registry

__all__ = [
    "open_registry",
    "open_sentinel",
    "open_spool",
    "opened",
    "store_of",
    "watched_of",
]

MIB = 1024 * 1024
OWN_FOLDERS = ("spool", "store", "models", "detector", "training", "prefect", "logs", "tmp")  # never read as logs


def _home(settings: Settings) -> Path:
    """The home, made where it is missing. Raises TransientError where it cannot be."""
    home = settings.log_sentinel_home
    try:
        return make_private_dir(home)
    except OSError as exc:
        advice = "set LOG_SENTINEL_HOME to a folder that this user may write, or see to the disk or the folder's rights"
        raise TransientError(f"make LOG_SENTINEL_HOME {home}: {exc.strerror}; {advice}") from exc


def open_spool(settings: Settings) -> Spool:
    """The spool of this home. Raises TerminalError with the way out when its file is damaged."""
    return Spool.open(
        _home(settings) / "spool",
        max_bytes=settings.log_sentinel_spool_max_mb * MIB,
        min_free_bytes=settings.log_sentinel_min_free_mb * MIB,
    )


def watched_of(settings: Settings) -> Watched:
    """The files that are read, and how; without LOG_SENTINEL_DIR all of a folder of our own, `in` under the home."""
    home = settings.log_sentinel_home.absolute()
    return Watched(
        places=settings.log_sentinel_dir or (str(settings.own_folder),),
        exclude=(*settings.log_sentinel_exclude, *(str(home / name) for name in OWN_FOLDERS)),
        links=settings.log_sentinel_links,
        begins_now=settings.log_sentinel_from == "now",
    )


def open_registry(settings: Settings) -> "Registry":
    """The models of this home, signed with the key of the settings or with one made once."""
    from sentinel.detect.models.registry import Registry, load_or_make_key  # takes half a second, which not all need

    folder = make_private_dir(_home(settings) / "models")
    key = settings.log_sentinel_signing_key
    return Registry(folder, key.encode() if key else load_or_make_key(settings.log_sentinel_home))


def store_of(settings: Settings) -> Store:
    """Elasticsearch where ELASTIC_ADDR is set, else Parquet files. Does not wait for it to answer."""
    return open_store(
        addr=settings.elastic_addr,
        index=settings.elastic_index,
        folder=settings.log_sentinel_home / "store",
        api_key=settings.elastic_api_key,
        user=settings.elastic_user,
        password=settings.elastic_password,
        ca_file=settings.elastic_ca_file,
        fingerprint=settings.elastic_fingerprint,
        retention_days=settings.elastic_retention_days,
        period=settings.elastic_index_period,
    )


def open_sentinel(settings: Settings) -> Sentinel:
    """Open everything; close it with `.close()`."""
    if settings.log_sentinel_failpoint:
        failpoints.arm_from_text(settings.log_sentinel_failpoint)
    spool = open_spool(settings)
    if not settings.log_sentinel_dir:
        make_private_dir(settings.own_folder)
    return Sentinel(
        spool=spool,
        store=store_of(settings),
        models=functools.cache(lambda: open_registry(settings)),
        home=settings.log_sentinel_home,
        watched=watched_of(settings),
        period=settings.elastic_index_period,
        threshold_nats=settings.log_sentinel_threshold_nats,
        retention_days=settings.elastic_retention_days,
    )


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Sentinel]:
    """`open_sentinel` as a context manager."""
    sentinel = open_sentinel(settings)
    try:
        yield sentinel
    finally:
        sentinel.close()


def configure_logging(level: str) -> None:
    """Our own log to standard error: time, level, logger, event with key=value."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
